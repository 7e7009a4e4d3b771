//! Objects and lists, entry by entry.

use std::borrow::Cow;
use std::vec;

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};
use serde_json::value::RawValue;

use super::name::Name;
use super::value::Value;
use super::{Entries, InvalidField, find, is_same};

/// The pairs of an object, one after the other.
pub(super) struct Pairs<'de> {
    object: Value<'de>,
    pairs: vec::IntoIter<(Cow<'de, str>, &'de RawValue)>,
    next: Option<(Cow<'de, str>, &'de RawValue)>,
}

impl<'de> Pairs<'de> {
    /// Every pair as it stands, for maps: their keys are data.
    pub(super) fn all(object: Value<'de>, entries: Entries<'de>) -> Self {
        Self { object, pairs: entries.0.into_iter(), next: None }
    }

    /// A pair for each field that is there, under the field's own name, and then what is no field.
    pub(super) fn of_fields(object: Value<'de>, entries: &Entries<'de>, fields: &'static [&'static str]) -> Self {
        let Entries(entries) = entries;
        let known = fields.iter().filter_map(|field| Some((Cow::Borrowed(*field), find(entries, field)?)));
        let is_unknown = |key: &str| !fields.iter().any(|field| is_same(key, field));
        let unknown = entries.iter().filter(|(key, value)| value.get() != "null" && is_unknown(key));
        let pairs: Vec<_> = known.chain(unknown.cloned()).collect();
        Self { object, pairs: pairs.into_iter(), next: None }
    }
}

impl<'de> MapAccess<'de> for Pairs<'de> {
    type Error = InvalidField;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, InvalidField> {
        self.next = self.pairs.next();
        let name = self.next.as_ref().map(|(key, _)| Name(key.clone()));
        name.map(|name| seed.deserialize(name)).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, InvalidField> {
        let next = self.next.take();
        let (key, value) = next.ok_or_else(|| InvalidField::new("", "a value was asked for before its key"))?;
        self.object.inner(value).read(seed).map_err(|error| error.inside_key(&key))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.pairs.len())
    }
}

/// The entries of a list, one after the other.
pub(super) struct List<'de> {
    list: Value<'de>,
    entries: vec::IntoIter<&'de RawValue>,
    index: usize,
}

impl<'de> List<'de> {
    pub(super) fn new(list: Value<'de>, entries: Vec<&'de RawValue>) -> Self {
        Self { list, entries: entries.into_iter(), index: 0 }
    }

    /// An error when there are more entries than were asked for.
    pub(super) fn ends(self) -> Result<(), InvalidField> {
        match self.entries.len() {
            0 => Ok(()),
            _ => Err(InvalidField::expected(format!("a list of {} entries", self.index))),
        }
    }
}

impl<'de> SeqAccess<'de> for &mut List<'de> {
    type Error = InvalidField;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, InvalidField> {
        let Some(entry) = self.entries.next() else { return Ok(None) };
        let index = self.index;
        self.index += 1;
        self.list.inner(entry).read(seed).map(Some).map_err(|error| error.inside_entry(index))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

/// A variant of an enum with what belongs to it: the only pair of an object.
pub(super) struct Variant<'de> {
    name: Cow<'de, str>,
    content: Value<'de>,
}

impl<'de> Variant<'de> {
    pub(super) fn of(
        object: Value<'de>,
        entries: Entries<'de>,
        variants: &'static [&'static str],
    ) -> Result<Self, InvalidField> {
        let one = <[_; 1]>::try_from(entries.0);
        let [(key, value)] = one.map_err(|_| InvalidField::expected("an object with one key"))?;
        let known = variants.iter().find(|variant| is_same(&key, variant));
        let name = known.map_or(key, |variant| Cow::Borrowed(*variant));
        Ok(Self { name, content: object.inner(value) })
    }
}

impl Variant<'_> {
    /// An error of the content names the variant.
    fn named<T>(&self, read: Result<T, InvalidField>) -> Result<T, InvalidField> {
        read.map_err(|error| self.content.name(error).inside_key(&self.name))
    }
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = InvalidField;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), InvalidField> {
        let variant = seed.deserialize(Name(self.name.clone()))?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = InvalidField;

    fn unit_variant(self) -> Result<(), InvalidField> {
        self.newtype_variant_seed(std::marker::PhantomData)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, InvalidField> {
        self.named(seed.deserialize(self.content))
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, InvalidField> {
        self.named(self.content.deserialize_tuple(length, visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, InvalidField> {
        self.named(self.content.deserialize_struct("", fields, visitor))
    }
}

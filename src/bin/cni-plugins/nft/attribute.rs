//! Netlink attributes: those of the kernel's lists read, those of requests written.
//!
//! The netlink crate has types for them, but it prints the whole list for an error message that nobody sees each time
//! that it reads one element: a thousand elements take it a second. And a request made of its types takes ten times
//! the room of its bytes, which shows when a container has 50,000 ports.

/// Length and kind.
const HEADER: usize = 4;
/// Kinds without the flags for nesting and byte order.
const KIND: u16 = 0x3fff;
const NESTED: u16 = 1 << 15;

/// Attributes to send, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Attributes(Vec<u8>);

impl Attributes {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// With one more attribute.
    pub(crate) fn bytes(mut self, kind: u16, value: &[u8]) -> Self {
        // Nothing that is sent has a part as long as 64 KiB: names are short, and lists have few elements.
        let length = u16::try_from(HEADER + value.len()).unwrap_or(u16::MAX);
        self.0.extend(length.to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    /// With one more number, in the byte order that netfilter has them in.
    pub(crate) fn number(self, kind: u16, value: u32) -> Self {
        self.bytes(kind, &value.to_be_bytes())
    }

    /// With one more text, which ends in a zero.
    pub(crate) fn text(self, kind: u16, value: &str) -> Self {
        self.bytes(kind, &[value.as_bytes(), &[0]].concat())
    }

    /// With one more attribute that is made of others.
    pub(crate) fn nest(self, kind: u16, inner: &Self) -> Self {
        self.bytes(kind | NESTED, &inner.0)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The values of the attributes of a kind, among those that follow each other in `bytes`.
pub(crate) fn all(mut bytes: &[u8], kind: u16) -> impl Iterator<Item = &[u8]> {
    let attributes = std::iter::from_fn(move || {
        let [length_low, length_high, kind_low, kind_high, ..] = *bytes else { return None };
        let length = usize::from(u16::from_ne_bytes([length_low, length_high]));
        let value = bytes.get(HEADER..length)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((u16::from_ne_bytes([kind_low, kind_high]) & KIND, value))
    });
    attributes.filter(move |(found, _)| *found == kind).map(|(_, value)| value)
}

/// The value of the first attribute of a kind.
pub(crate) fn first(bytes: &[u8], kind: u16) -> Option<&[u8]> {
    all(bytes, kind).next()
}

/// The value of the attribute at the end of a path of kinds, each nested in the one before.
pub(crate) fn nested<'a>(bytes: &'a [u8], path: &[u16]) -> Option<&'a [u8]> {
    path.iter().try_fold(bytes, |bytes, kind| first(bytes, *kind))
}

/// A text without the zero that ends it.
pub(crate) fn text(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    String::from_utf8(bytes.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes() -> Vec<u8> {
        let attribute = |length: u16, kind: u16| [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
        let two = [attribute(12, 0x8002), attribute(6, 1), vec![7, 8, 0, 0]].concat();
        [attribute(7, 1), b"ab\0\0".to_vec(), two, attribute(4, 1)].concat()
    }

    #[test]
    fn what_is_written_can_be_read() {
        let inner = Attributes::new().bytes(1, &[7, 8]);
        let written = Attributes::new().text(1, "ab").nest(2, &inner).bytes(1, &[]);
        assert_eq!(written.as_bytes(), bytes());
        assert_eq!(first(Attributes::new().number(3, 258).as_bytes(), 3), Some(&[0, 0, 1, 2][..]));
    }

    #[test]
    fn attributes_are_found_in_order_and_in_depth() {
        assert_eq!(all(&bytes(), 1).map(<[u8]>::len).collect::<Vec<_>>(), [3, 0]);
        assert_eq!(nested(&bytes(), &[2, 1]), Some(&[7, 8][..]));
        assert_eq!(nested(&bytes(), &[2, 3]), None);
    }

    #[test]
    fn what_is_cut_off_is_not_read() {
        assert_eq!(first(&bytes()[..10], 2), None);
        assert_eq!(first(&[0; 4], 0), None);
    }
}

//! Chooses among the keys of an object.

use serde_json::value::RawValue;

/// The value of a key: of the last that is exactly the key, or else of the last that is the same in another case. One
/// that is `null` counts as absent.
pub(crate) fn find<'a, K: AsRef<str>>(entries: &[(K, &'a RawValue)], key: &str) -> Option<&'a RawValue> {
    let there = || entries.iter().rev().filter(|(_, value)| value.get() != "null");
    let exact = there().find(|(found, _)| found.as_ref() == key);
    let found = exact.or_else(|| there().find(|(found, _)| is_same(found.as_ref(), key)));
    found.map(|(_, value)| *value)
}

/// Returns true if two keys are the same, whatever the case of their letters.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    if one.is_ascii() && other.is_ascii() {
        return one.eq_ignore_ascii_case(other);
    }
    one.chars().map(folded).eq(other.chars().map(folded))
}

/// The character that stands for all that differ from it by case alone: Unicode's simple case folding.
fn folded(c: char) -> char {
    // `ı` folds to nothing else, although its capital is `I`.
    let upper = if c == 'ı' { c } else { only(c.to_uppercase(), c) };
    only(upper.to_lowercase(), upper)
}

/// The character, if it is a single one; or else the one that it came from.
fn only(mut characters: impl Iterator<Item = char>, from: char) -> char {
    match (characters.next(), characters.next()) {
        (Some(single), None) => single,
        _ => from,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_any_script_have_a_case() {
        for (one, other) in [("mtu", "MTU"), ("ipMasq", "IPMASQ"), ("\u{212a}", "k"), ("ſ", "S"), ("größe", "GRÖẞE")]
        {
            assert!(is_same(one, other) && is_same(other, one), "{one} {other}");
        }
        for (one, other) in [("mtu", "mt"), ("ı", "i"), ("İ", "i"), ("ß", "ss"), ("", "x")] {
            assert!(!is_same(one, other) && !is_same(other, one), "{one} {other}");
        }
    }
}

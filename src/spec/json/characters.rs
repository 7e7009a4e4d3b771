//! Invalid characters count as U+FFFD, the replacement character.

use std::borrow::Cow;

/// The text of a JSON document. Each byte that is no part of a character of UTF-8, and each half of a surrogate pair
/// that is escaped without the other, counts as U+FFFD.
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => characters(text),
        Err(_) => Cow::Owned(characters(&utf8(bytes)).into_owned()),
    }
}

fn utf8(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        // One for each byte, and not for each beginning of a character as `from_utf8_lossy` does.
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}

/// The same text, as long in bytes, with `\ufffd` for each escaped half of a surrogate pair without the other.
pub(crate) fn characters(text: &str) -> Cow<'_, str> {
    let mut mended = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(found) = text.as_bytes()[at..].iter().position(|byte| *byte == b'\\') {
        at += found;
        let escape = Escape::of(&text.as_bytes()[at..]);
        if escape == Escape::HalfPair {
            mended.push_str(&text[copied..at]);
            mended.push_str("\\ufffd");
            copied = at + escape.len();
        }
        at = text.len().min(at + escape.len());
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    mended.push_str(&text[copied..]);
    Cow::Owned(mended)
}

/// An escape sequence, after its backslash.
#[derive(Clone, Copy, PartialEq)]
enum Escape {
    Pair,
    HalfPair,
    Other,
}

impl Escape {
    fn of(bytes: &[u8]) -> Self {
        match (surrogate(bytes), bytes.get(6..).and_then(surrogate)) {
            (Some(Half::First), Some(Half::Second)) => Self::Pair,
            (Some(_), _) => Self::HalfPair,
            (None, _) => Self::Other,
        }
    }

    /// Its length in bytes, as far as it matters: that of `\\` is 2.
    fn len(self) -> usize {
        match self {
            Self::Pair => 12,
            Self::HalfPair => 6,
            Self::Other => 2,
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Half {
    First,
    Second,
}

/// The half of a surrogate pair that bytes begin with, escaped.
fn surrogate(bytes: &[u8]) -> Option<Half> {
    let digits = bytes.strip_prefix(b"\\u")?.get(..4)?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    match [digits[0].to_ascii_lowercase(), digits[1].to_ascii_lowercase()] {
        [b'd', b'8'..=b'9' | b'a'..=b'b'] => Some(Half::First),
        [b'd', b'c'..=b'f'] => Some(Half::Second),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_copied_where_nothing_is_wrong() {
        for right in ["", "{}", r#"{"x":"\ud83d\ude00\\ud800\n\u00e9 é"}"#, r"\", r"\u", r"\ud8"] {
            assert!(matches!(text(right.as_bytes()), Cow::Borrowed(same) if same == right), "{right}");
        }
    }

    #[test]
    fn half_a_pair_becomes_the_replacement_character_and_nothing_moves() {
        for (wrong, right) in [
            (r#""\ud800""#, r#""\ufffd""#),
            (r#""\uDC00\uD800""#, r#""\ufffd\ufffd""#),
            (r#""\ud800\ud83d\ude00x""#, r#""\ufffd\ud83d\ude00x""#),
            (r#""\\\udfff\\""#, r#""\\\ufffd\\""#),
        ] {
            assert_eq!(characters(wrong), right);
        }
    }
}

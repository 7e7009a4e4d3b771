//! Texts that people and other programs wrote, in any encoding.

use std::fs;
use std::io;
use std::path::Path;

/// Reads a file. See [`from_bytes`].
pub(crate) fn read(path: impl AsRef<Path>) -> io::Result<String> {
    fs::read(path).map(from_bytes)
}

/// Returns bytes as text. Those that are not UTF-8 become U+FFFD, as in what Go writes: mostly they are in a comment.
pub(crate) fn from_bytes(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_utf8_is_replaced() {
        assert_eq!(from_bytes(b"r\xe9seau".to_vec()), "r\u{fffd}seau");
        assert_eq!(from_bytes("r\u{e9}seau".into()), "r\u{e9}seau");
    }
}

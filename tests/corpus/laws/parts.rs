//! One input that stands for several, and where it is put.

use tempfile::TempDir;

/// What separates the parts of an input: a line of its own, so that a corpus can be read and written by hand.
const SEPARATOR: &str = "\n--\n";

/// The text of an input, if it is one.
pub fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// The parts of an input; missing ones are empty.
pub fn split<const N: usize>(text: &str) -> [&str; N] {
    let mut parts = text.splitn(N, SEPARATOR);
    [(); N].map(|()| parts.next().unwrap_or_default())
}

/// A directory, in memory where there is one for that.
pub fn directory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a directory")
}

//! Netlink attributes as bytes, in answers of the kernel and in requests that have no type here.
//!
//! ```
//! use libcni::link::attribute::{self, Attributes};
//!
//! let address = Attributes::new().bytes(1, &[10, 1, 0, 5]);
//! let message = Attributes::new().text(3, "eth0").nest(18, &address);
//! assert_eq!(attribute::first(message.as_bytes(), 3).and_then(attribute::text), Some("eth0".into()));
//! assert_eq!(attribute::nested(message.as_bytes(), &[18, 1]), Some(&[10, 1, 0, 5][..]));
//! ```

// The netlink crates have types for attributes, but they print the whole list for an error message that nobody sees
// each time that they read one element: a thousand elements take a second. A request made of their types takes ten
// times the room of its bytes, which shows when a container has 50,000 ports. And the reader of links has a part for
// every kind of link, which makes each program that reads one a quarter of a megabyte larger.

/// Length and kind.
const HEADER: usize = 4;
/// Kinds without the flags for nesting and byte order.
const KIND: u16 = 0x3fff;
const NESTED: u16 = 1 << 15;

/// Attributes to send, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes(Vec<u8>);

impl Attributes {
    /// No attributes.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds an attribute with any value.
    pub fn bytes(mut self, kind: u16, value: &[u8]) -> Self {
        // Nothing that is sent has a part as long as 64 KiB: names are short, and lists have few elements.
        let length = u16::try_from(HEADER + value.len()).unwrap_or(u16::MAX);
        self.0.reserve(HEADER + value.len().next_multiple_of(4));
        self.0.extend_from_slice(&length.to_ne_bytes());
        self.0.extend_from_slice(&kind.to_ne_bytes());
        self.0.extend_from_slice(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    /// Adds a number in network byte order, as netfilter has its numbers.
    pub fn number(self, kind: u16, value: u32) -> Self {
        self.bytes(kind, &value.to_be_bytes())
    }

    /// Adds a text, and the zero that ends it.
    pub fn text(self, kind: u16, value: &str) -> Self {
        self.bytes(kind, &[value.as_bytes(), &[0]].concat())
    }

    /// Adds an attribute that contains other attributes.
    pub fn nest(self, kind: u16, inner: &Self) -> Self {
        self.bytes(kind | NESTED, &inner.0)
    }

    /// Returns the attributes as they are sent.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Returns the kind and the value of each of the attributes that follow each other in `bytes`, up to one that is cut
/// off.
pub fn each(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let [length_low, length_high, kind_low, kind_high, ..] = *bytes else { return None };
        let length = usize::from(u16::from_ne_bytes([length_low, length_high]));
        let value = bytes.get(HEADER..length)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((u16::from_ne_bytes([kind_low, kind_high]) & KIND, value))
    })
}

/// Returns the values of the attributes of a kind.
pub fn all(bytes: &[u8], kind: u16) -> impl Iterator<Item = &[u8]> {
    each(bytes).filter(move |(found, _)| *found == kind).map(|(_, value)| value)
}

/// Returns the value of the first attribute of a kind.
pub fn first(bytes: &[u8], kind: u16) -> Option<&[u8]> {
    all(bytes, kind).next()
}

/// Returns the value of the attribute at the end of a path of kinds, each nested in the one before.
pub fn nested<'a>(bytes: &'a [u8], path: &[u16]) -> Option<&'a [u8]> {
    path.iter().try_fold(bytes, |bytes, kind| first(bytes, *kind))
}

/// Reads a number of four bytes, which most parts of the kernel have in the processor's byte order.
pub fn number(bytes: &[u8]) -> Option<u32> {
    bytes.try_into().ok().map(u32::from_ne_bytes)
}

/// Reads a text without the zero that ends it; `None` when it is not UTF-8.
pub fn text(bytes: &[u8]) -> Option<String> {
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

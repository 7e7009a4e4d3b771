//! Reading netlink attributes out of what the kernel lists.
//!
//! The netlink crate has types for them, but it prints the whole list for an error message that nobody sees each time
//! that it reads one element: a thousand elements take it a second.

/// Length and kind.
const HEADER: usize = 4;
/// Kinds without the flags for nesting and byte order.
const KIND: u16 = 0x3fff;

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
        [attribute(8, 1), b"ab\0\0".to_vec(), two, attribute(4, 1)].concat()
    }

    #[test]
    fn attributes_are_found_in_order_and_in_depth() {
        assert_eq!(all(&bytes(), 1).map(<[u8]>::len).collect::<Vec<_>>(), [4, 0]);
        assert_eq!(nested(&bytes(), &[2, 1]), Some(&[7, 8][..]));
        assert_eq!(nested(&bytes(), &[2, 3]), None);
    }

    #[test]
    fn what_is_cut_off_is_not_read() {
        assert_eq!(first(&bytes()[..10], 2), None);
        assert_eq!(first(&[0; 4], 0), None);
    }
}

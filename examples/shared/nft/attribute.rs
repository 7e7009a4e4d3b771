//! Reading netlink attributes out of what the kernel lists.
//!
//! The netlink crate has types for them, but it prints the whole list for an error message that nobody sees each time
//! that it reads one element: a thousand elements take it a second.

use netlink_packet_core::NlasIterator;

/// The values of the attributes of a kind, among those that follow each other in `bytes`.
pub(crate) fn all(bytes: &[u8], kind: u16) -> impl Iterator<Item = &[u8]> {
    let attributes = NlasIterator::new(bytes).map_while(Result::ok);
    attributes.filter(move |attribute| attribute.kind() == kind).map(|attribute| attribute.value())
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

    const BYTES: [u8; 24] = [8, 0, 1, 0, b'a', b'b', 0, 0, 12, 0, 2, 0x80, 6, 0, 1, 0, 7, 8, 0, 0, 4, 0, 1, 0];

    #[test]
    fn attributes_are_found_in_order_and_in_depth() {
        assert_eq!(all(&BYTES, 1).map(<[u8]>::len).collect::<Vec<_>>(), [4, 0]);
        assert_eq!(nested(&BYTES, &[2, 1]), Some(&[7, 8][..]));
        assert_eq!(nested(&BYTES, &[2, 3]), None);
    }

    #[test]
    fn what_is_cut_off_is_not_read() {
        assert_eq!(first(&BYTES[..10], 2), None);
        assert_eq!(first(&[2, 0, 1, 0], 1), None);
    }
}

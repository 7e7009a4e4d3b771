//! Versions are ordered by their numbers.

use libcni::spec::Version;
use proptest::prelude::*;

proptest! {
    #![proptest_config(super::few())]

    #[test]
    fn versions_are_ordered_as_their_numbers_are(a in any::<[u64; 3]>(), b in [0..3u64, 0..3, 0..3]) {
        let version = |[major, minor, patch]: [u64; 3]| format!("{major}.{minor}.{patch}").parse::<Version>().unwrap();
        prop_assert_eq!(version(a).numbers(), a);
        for (a, b) in [(a, b), (b, a), (b, b)] {
            prop_assert_eq!(version(a).cmp(&version(b)), a.cmp(&b));
            prop_assert_eq!(version(a) == version(b), a == b);
        }
        prop_assert_eq!(version(a).to_string().parse::<Version>().unwrap(), version(a));
    }

    #[test]
    fn missing_parts_are_zero(major in any::<u64>(), minor in any::<u64>()) {
        let version = |text: String| text.parse::<Version>().unwrap();
        prop_assert_eq!(version(format!("{major}.{minor}")), version(format!("{major}.{minor}.0")));
        prop_assert_eq!(version(format!("{major}")), version(format!("{major}.0.0")));
    }

    #[test]
    fn nothing_else_is_a_version(text in "[0-9.a+-]{0,8}") {
        let parts: Vec<_> = text.split('.').collect();
        // Leading zeros don't count.
        let number = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit()) && part.parse::<u64>().is_ok();
        let allowed = text.is_empty() || parts.len() <= 3 && parts.iter().all(number);
        prop_assert_eq!(text.parse::<Version>().is_ok(), allowed, "{}", text);
    }
}

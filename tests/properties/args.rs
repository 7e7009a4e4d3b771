//! Arguments there and back.

use libcni::plugin::load_args;
use libcni::spec::capability::CapabilityArgs;
use libcni::spec::{CniArgs, ContainerId, IfName, NetworkName};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;

use super::made_up::object;

proptest! {
    #![proptest_config(super::few())]

    #[test]
    fn generic_arguments_are_read_as_they_were_written(pairs in vec(("[^=;\0]{1,9}", "[^=;\0]{1,9}"), 0..9)) {
        let mut args = CniArgs::new();
        for (key, value) in &pairs {
            args.push(key, value).unwrap();
        }
        let text = args.to_string();
        prop_assert_eq!(text.parse::<CniArgs>().unwrap(), args);
        let read: BTreeMap<String, String> = load_args(&text).unwrap();
        prop_assert_eq!(read, pairs.into_iter().collect());
    }

    #[test]
    fn no_pair_smuggles_in_another(key in ".*", value in ".*") {
        let mut args = CniArgs::new();
        if args.push(&*key, &*value).is_ok() {
            let read: CniArgs = args.to_string().parse().unwrap();
            prop_assert_eq!(read.iter().collect::<Vec<_>>(), [(&*key, &*value)]);
        }
    }

    #[test]
    fn capability_arguments_are_read_as_they_were_written(arguments in object("\\PC{0,5}")) {
        let args = CapabilityArgs::from(arguments);
        prop_assert_eq!(CapabilityArgs::parse(&args.to_string()).unwrap(), args);
    }

    #[test]
    fn identifiers_are_those_of_the_specification(text in "\\PC{0,4}|[-A-Za-z0-9_.]{0,12}") {
        let mut chars = text.chars();
        let begins = chars.next().is_some_and(|c| c.is_ascii_alphanumeric());
        let allowed = begins && chars.all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
        prop_assert_eq!(ContainerId::new(&*text).is_ok(), allowed);
        prop_assert_eq!(NetworkName::new(&*text).is_ok(), allowed);
    }

    #[test]
    fn an_interface_is_never_a_path(text in "\\PC{0,16}|[./: a]{0,4}") {
        let forbidden = text.contains(|c: char| c == '/' || c == ':' || c.is_whitespace());
        let allowed = (1..=15).contains(&text.len()) && !forbidden && text != "." && text != "..";
        prop_assert_eq!(IfName::new(&*text).is_ok(), allowed);
    }
}

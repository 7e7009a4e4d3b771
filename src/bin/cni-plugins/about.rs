//! The text that a plugin prints about itself when a person, or an inventory, runs it without a verb.

/// The release of the reference plugins whose keys and behaviour ours have.
const REFERENCE: &str = "1.9.1";

/// The plugin and its version, in the words of the reference plugins. Nomad takes the first version among them, and
/// places jobs by it: so it is that of the reference plugins, with our own as its build.
pub(crate) fn about(plugin: &str) -> String {
    format!("CNI {plugin} plugin v{REFERENCE}+libcni.{}", env!("CARGO_PKG_VERSION"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use libcni::plugin::{Input, dispatch};

    use crate::plugins;

    #[test]
    fn the_first_version_that_each_plugin_says_is_its_own() {
        for name in plugins::names() {
            let plugin = plugins::called(Path::new(name)).unwrap();
            let said = dispatch(plugin, Input::new([("CNI_COMMAND", "")])).stderr;
            let first = said.split_whitespace().find(|word| word.contains(|c: char| c.is_ascii_digit())).unwrap();
            assert!(said.starts_with(&format!("CNI {name} plugin {first}\n")), "{said}");
            let (reference, own) = first.split_once("+libcni.").unwrap();
            assert_eq!((reference, own), ("v1.9.1", env!("CARGO_PKG_VERSION")));
        }
    }
}

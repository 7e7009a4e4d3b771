//! The text of a file in net.d.

use libcni::Chain;
use libcni::conf::{ConfError, NetworkConfig, PluginConfig};
use libcni::spec::Object;

use super::parts;

/// A list or a single plugin is read whole or refused with a place in the text, and nothing of it is lost.
pub fn holds(data: &[u8]) {
    let Some(text) = parts::text(data) else { return };
    match NetworkConfig::parse(text) {
        Ok(network) => {
            assert_eq!(network.text(), text);
            is_kept(&network);
        }
        Err(error) => points_into(text, &error),
    }
    match NetworkConfig::from_plugin(text) {
        Ok(network) => {
            is_kept(&network);
            is_lifted(&network);
        }
        Err(error) => points_into(text, &error),
    }
}

fn is_kept(network: &NetworkConfig) {
    // Whatever the texts are, asking for them is safe.
    let _ = (network.network_name(), network.version());
    for plugin in network.plugins() {
        assert!(!plugin.plugin_type().is_empty());
        let printed = plugin.object().to_string();
        assert_eq!(PluginConfig::parse(&printed).expect("its own text"), *plugin);
    }
}

/// What the cache records of a single plugin is a list that means the same.
fn is_lifted(network: &NetworkConfig) {
    let read = NetworkConfig::parse(network.text());
    // A version that is none is no reason to refuse a file: the verbs do that.
    let read = read.expect("the text of a lifted configuration");
    assert_eq!(read.plugins(), network.plugins());
    assert_eq!((read.name(), read.cni_version()), (network.name(), network.cni_version()));
}

fn points_into(text: &str, error: &ConfError) {
    let message = Chain(error).to_string();
    assert!(!message.is_empty());
    if let Some(position) = error.position() {
        let lines: Vec<_> = text.split('\n').collect();
        assert!((1..=lines.len()).contains(&position.line), "{message}");
        assert!((1..=lines[position.line - 1].len() + 1).contains(&position.column), "{message}");
    }
    // A text that is no JSON object is refused as such. (For a single plugin, null counts as one, as it does in Go.)
    let is_object = text.trim() == "null" || Object::parse(text).is_ok();
    assert!(is_object || error.position().is_some(), "{message}");
}

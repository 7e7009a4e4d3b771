//! A network as a whole: its verbs, its text, the kind of interface it makes.

use super::{NetworkConfig, PluginConfig};
use crate::spec::{Command, Object, Version};

impl NetworkConfig {
    /// Returns the verbs that this network has: those of its version that it does not disable.
    ///
    /// ```
    /// use libcni::conf::NetworkConfig;
    /// use libcni::spec::Command;
    ///
    /// let network = NetworkConfig::parse(r#"{"cniVersion": "1.0.0", "name": "net", "plugins": [{"type": "bridge"}]}"#)?;
    /// assert_eq!(network.verbs(), [Command::Add, Command::Del, Command::Check]);
    /// # Ok::<(), libcni::conf::ConfError>(())
    /// ```
    pub fn verbs(&self) -> Vec<Command> {
        let version = self.version().ok();
        let has = |verb: fn(&Version) -> bool| version.as_ref().is_some_and(verb);
        let all = [
            (Command::Add, true),
            (Command::Del, true),
            (Command::Check, has(Version::has_check) && !self.disables_check()),
            (Command::Gc, has(Version::has_gc) && !self.disables_gc()),
            (Command::Status, has(Version::has_status)),
        ];
        all.into_iter().filter(|(_, on)| *on).map(|(verb, _)| verb).collect()
    }

    /// Returns true if the network has only the plugin `loopback`.
    pub fn is_loopback(&self) -> bool {
        self.plugins().iter().all(|plugin| plugin.plugin_type() == "loopback")
    }

    /// Returns the types of its plugins, in the order of ADD.
    pub fn plugin_types(&self) -> Vec<&str> {
        self.plugins().iter().map(PluginConfig::plugin_type).collect()
    }

    /// Returns the list with all of its plugins, including those of its folder, which are not in its
    /// [text](NetworkConfig::text).
    pub fn to_object(&self) -> Object {
        let mut list = Object::parse(self.text()).unwrap_or_default();
        list.set("plugins", &self.plugins().iter().map(PluginConfig::object).collect::<Vec<_>>());
        list
    }
}

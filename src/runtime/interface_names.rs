//! The default names of interfaces.

use crate::conf::NetworkConfig;
use crate::spec::IfName;

/// Returns a name for the interface of each network that a container is added to: `eth0`, `eth1`, …, and `lo` for a
/// network that has only loopback.
///
/// ```
/// use libcni::conf::NetworkConfig;
/// use libcni::runtime::interface_names;
///
/// let bridge = NetworkConfig::parse(r#"{"name": "net", "plugins": [{"type": "bridge"}]}"#)?;
/// let names = interface_names([&NetworkConfig::loopback(), &bridge, &bridge]);
/// assert_eq!(names.iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["lo", "eth0", "eth1"]);
/// # Ok::<(), libcni::conf::ConfError>(())
/// ```
pub fn interface_names<'a>(networks: impl IntoIterator<Item = &'a NetworkConfig>) -> Vec<IfName> {
    let mut numbers = 0..;
    let name = |network: &NetworkConfig| {
        let number = (!network.is_loopback()).then(|| numbers.next().unwrap_or(u32::MAX));
        let name = number.map_or_else(|| "lo".to_owned(), |number| format!("eth{number}"));
        IfName::new(name).expect("short, and without odd characters")
    };
    networks.into_iter().map(name).collect()
}

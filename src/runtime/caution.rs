//! How much is found out before plugins are run.

/// The checks that a verb makes by itself before it runs the first plugin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Caution {
    /// ADD looks up all plugins, and whether the interface is somebody else's; CHECK whether there is anything to
    /// check; DEL of what is on record nowhere, whether the interface belongs to another network.
    #[default]
    Full,
    /// Nothing: the plugins find out, as with the Go libcni. An ADD that fails half-way has to be undone more often,
    /// and its DEL may remove what was there before.
    AsGo,
}

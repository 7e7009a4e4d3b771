//! The checks before plugins are run.

/// The checks that a verb makes by itself before it runs the first plugin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Caution {
    /// ADD looks for all plugins, and checks that the interface does not belong to another attachment. CHECK checks
    /// that the attachment is on record. DEL of an attachment that is not on record checks that the interface does not
    /// belong to another network.
    #[default]
    Full,
    /// No checks, as with the Go libcni: the plugins find the faults. An ADD fails half-way and has to be undone more
    /// often, and its DEL may remove what was there before.
    AsGo,
}

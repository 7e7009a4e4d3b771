//! Executions and notices as spans and events of the crate `tracing`.

use super::{Cni, Notice};
use crate::invoke::TracingExec;

impl Cni {
    /// Tells the crate `tracing` of each execution of a plugin, as [`TracingExec`] has it, and of every [`Notice`], at
    /// WARN with the target `libcni`, in place of this process's stderr (feature `tracing`).
    ///
    /// Call it after [`Cni::exec`] and [`Cni::on_notice`], whose other settings it keeps or replaces.
    ///
    /// ```no_run
    /// let cni = libcni::Cni::new().tracing();
    /// ```
    pub fn tracing(self) -> Self {
        let exec = TracingExec::new(self.exec.clone());
        self.exec(exec).on_notice(tell)
    }
}

fn tell(notice: &Notice<'_>) {
    match notice {
        // Told by the executor, which knows whose it is.
        Notice::Stderr { .. } => {}
        other => tracing::warn!(target: "libcni", "{other}"),
    }
}

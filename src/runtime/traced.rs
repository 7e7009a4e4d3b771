//! Executions and notices as spans and events of the crate `tracing`.

use std::sync::Arc;

use super::notice::Sink;
use super::{Builder, Cni, Notice};
use crate::invoke::TracingExec;

impl Builder {
    /// Tells the crate `tracing` of each execution of a plugin, as [`TracingExec`] has it, and of every [`Notice`], at
    /// WARN with the target `libcni`, in place of this process's stderr and of [`Builder::on_notice`] (feature
    /// `tracing`).
    ///
    /// ```no_run
    /// let cni = libcni::Cni::builder().tracing().build()?;
    /// # Ok::<(), libcni::Error>(())
    /// ```
    pub fn tracing(mut self) -> Self {
        self.is_traced = true;
        self
    }
}

impl Cni {
    /// The same with an executor that tells of what the other runs.
    pub(super) fn traced(self) -> Self {
        let exec = Arc::new(TracingExec::new(self.exec));
        Self { exec, notices: Sink::new(tell), ..self }
    }
}

fn tell(notice: &Notice<'_>) {
    match notice {
        // The executor reports it, since it knows the plugin.
        Notice::Stderr { .. } => {}
        other => tracing::warn!(target: "libcni", "{other}"),
    }
}

//! Why a plugin failed, where the line has already said which one.

use std::error::Error as _;

use libcni::invoke::{ExecError, Failure};
use libcni::{Chain, Error};

/// Whether a plugin was not asked to its end because the user has had enough.
pub(crate) fn is_cancelled(error: &Error) -> bool {
    let Error::Plugin { source, .. } = error else { return false };
    matches!(source.failure, Failure::Exec { error: ExecError::Cancelled { .. } })
}

pub(crate) fn why(error: &Error) -> String {
    match error {
        Error::Plugin { source, .. } => {
            let cause = source.source().map(|cause| format!(": {}", Chain(cause))).unwrap_or_default();
            format!("{}{cause}", source.failure)
        }
        Error::PluginNotFound { source, .. } => source.to_string(),
        other => Chain(other).to_string(),
    }
}

//! Why a plugin failed, where the line has already said which one.

use std::error::Error as _;

use libcni::{Chain, Error};

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

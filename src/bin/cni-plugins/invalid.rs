//! The error for a configuration that can't be.

use libcni::plugin::Failure;
use libcni::spec::ErrorCode;

/// Says what is wrong with a configuration (code 7).
pub(crate) fn invalid(msg: impl Into<String>) -> Failure {
    Failure::new(ErrorCode::INVALID_NETWORK_CONFIG, msg)
}

//! An environment as a process gets it.

use std::ffi::{CStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::invoke::ExecError;

/// All variables as `KEY=VALUE`, one after the other, each ended by NUL.
pub(super) struct Environment(Vec<u8>);

impl Environment {
    pub(super) fn new(variables: &[(OsString, OsString)]) -> Result<Self, ExecError> {
        let mut text = Vec::with_capacity(variables.iter().map(|(key, value)| key.len() + value.len() + 2).sum());
        for (key, value) in variables {
            let parts = [key.as_bytes(), b"=", value.as_bytes()];
            if parts.iter().any(|part| part.contains(&0)) {
                return Err(ExecError::Environment { variable: key.to_string_lossy().into_owned() });
            }
            parts.into_iter().chain([&b"\0"[..]]).for_each(|part| text.extend_from_slice(part));
        }
        Ok(Self(text))
    }

    pub(super) fn pairs(&self) -> Vec<&CStr> {
        self.0.split_inclusive(|byte| *byte == 0).filter_map(|pair| CStr::from_bytes_with_nul(pair).ok()).collect()
    }
}

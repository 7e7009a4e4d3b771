//! An environment as a process gets it.

use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;

use crate::invoke::Environment;

/// All variables as `KEY=VALUE`, one after the other, each ended by NUL.
pub(super) struct Block<'a> {
    text: Vec<u8>,
    /// The names of the variables, and where each ends in the text.
    ends: Vec<(&'a OsStr, usize)>,
}

impl<'a> Block<'a> {
    pub(super) fn new(environment: &'a Environment) -> Self {
        let size = environment.iter().map(|(key, value)| key.len() + value.len() + 2).sum();
        let count = environment.iter().size_hint().0;
        let (mut text, mut ends) = (Vec::with_capacity(size), Vec::with_capacity(count));
        for (key, value) in environment.iter() {
            text.extend_from_slice(key.as_bytes());
            text.push(b'=');
            text.extend_from_slice(value.as_bytes());
            text.push(0);
            ends.push((key, text.len()));
        }
        Self { text, ends }
    }

    /// The variables, or the name of the first one that can't be handed over: it contains NUL.
    pub(super) fn pairs(&self) -> Result<Vec<&CStr>, &'a OsStr> {
        let (mut start, mut pairs) = (0, Vec::with_capacity(self.ends.len()));
        for (key, end) in &self.ends {
            pairs.push(CStr::from_bytes_with_nul(&self.text[start..*end]).map_err(|_| *key)?);
            start = *end;
        }
        Ok(pairs)
    }
}

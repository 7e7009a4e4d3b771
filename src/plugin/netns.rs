//! Moved to [`netns`](crate::netns).

pub use crate::netns::{NetnsError, run_in};

//! Which network namespace a path leads to.

mod identity;

pub use self::identity::{Identity, is_own};

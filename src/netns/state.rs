//! The rule that decides whether a recorded namespace still exists, for DEL, GC and lists.

use std::path::Path;

use nix::errno::Errno;

use super::Identity;
use super::found::Found;

/// The state of a namespace that was recorded by its path and, if known, its identity.
///
/// It is the view of this process, which looks up the path in its own mount namespace.
///
/// ```
/// use libcni::netns::{Identity, State};
///
/// let own = "/proc/self/ns/net";
/// assert_eq!(State::of(own, Identity::of(own).as_ref()), State::Exists);
/// assert_eq!(State::of(own, Identity::parse("1@1.1").as_ref()), State::Replaced);
/// assert_eq!(State::of("/proc/self/status", None), State::Gone);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// The path leads to it, or, if no identity was recorded, to any network namespace.
    Exists,
    /// The path leads to nothing, or to something that is not a namespace, such as an ordinary file: `ip netns` leaves
    /// one behind when it can't unmount.
    Gone,
    /// The path leads to another namespace.
    Replaced,
    /// This process may not look, or can't.
    Unknown,
}

impl State {
    /// Looks at the path of a namespace that was recorded.
    pub fn of(path: impl AsRef<Path>, recorded: Option<&Identity>) -> Self {
        match Found::at(path.as_ref()) {
            Ok(Some(found)) => recorded.map_or(Self::Exists, |was| Self::of_found(&found, was)),
            Ok(None) => Self::Gone,
            Err(error) => match error.raw_os_error().map(Errno::from_raw) {
                Some(Errno::ENOENT | Errno::ENOTDIR) => Self::Gone,
                _ => Self::Unknown,
            },
        }
    }

    fn of_found(found: &Found, was: &Identity) -> Self {
        match Identity::of_found(found) {
            Some(is) if was.may_be(&is) => Self::Exists,
            Some(_) => Self::Replaced,
            None => Self::Unknown,
        }
    }

    /// Returns true if the namespace certainly no longer exists, so that its attachments may be removed. An unknown
    /// state does not count.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Gone | Self::Replaced)
    }

    /// Returns the state in a word: `exists`, `gone`, `replaced` or `unknown`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exists => "exists",
            Self::Gone => "gone",
            Self::Replaced => "replaced",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "/proc/self/ns/net";

    #[test]
    fn a_namespace_exists_until_its_path_leads_elsewhere() {
        assert_eq!(State::of(OWN, None), State::Exists);
        assert_eq!(State::of(OWN, Identity::of(OWN).as_ref()), State::Exists);
        assert_eq!(State::of(OWN, Identity::parse("1@1.1").as_ref()), State::Replaced);
    }

    #[test]
    fn an_ordinary_file_is_no_namespace_whether_or_not_one_was_recorded() {
        for recorded in [None, Identity::parse("1@1.1")] {
            for path in ["/proc/self/status", "/", "/no/such/file", "/proc/self/status/below-a-file"] {
                assert_eq!(State::of(path, recorded.as_ref()), State::Gone, "{path}");
            }
        }
    }

    #[test]
    fn what_cannot_be_looked_at_is_unknown() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("loop", dir.path().join("loop")).unwrap();
        let state = State::of(dir.path().join("loop"), None);
        assert_eq!(state, State::Unknown);
        assert!(!state.is_over());
    }
}

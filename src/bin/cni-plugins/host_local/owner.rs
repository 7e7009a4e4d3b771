//! Whose an address is: the content of its file.

use std::fmt;

use libcni::plugin::AttachmentCall;

/// The attachment that holds an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) container_id: String,
    /// Absent in files of versions that knew one interface for each container.
    pub(crate) ifname: Option<String>,
}

impl Owner {
    pub(crate) fn new(container_id: impl Into<String>, ifname: impl Into<String>) -> Self {
        Self { container_id: container_id.into(), ifname: Some(ifname.into()) }
    }

    /// Reads the content of a file; `None` when it has none: a crash came between the file and its content.
    pub(crate) fn parse(content: &str) -> Option<Self> {
        // Some file systems leave zero bytes behind after a power failure.
        let content = content.trim_matches(|c: char| c.is_whitespace() || c == '\0');
        match content.split_once("\r\n") {
            _ if content.is_empty() => None,
            Some((container_id, ifname)) => Some(Self::new(container_id, ifname)),
            None => Some(Self { container_id: content.to_owned(), ifname: None }),
        }
    }

    /// The same container, for an owner that names no interface.
    pub(crate) fn without_ifname(&self) -> Self {
        Self { ifname: None, ..self.clone() }
    }
}

impl From<&AttachmentCall> for Owner {
    fn from(call: &AttachmentCall) -> Self {
        Self::new(call.container_id.as_str(), call.ifname.as_str())
    }
}

/// The content of a file, byte for byte what the plugin of the same name in Go writes.
impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.container_id)?;
        match &self.ifname {
            Some(ifname) => write!(f, "\r\n{ifname}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_read_as_it_was_written() {
        let owner = Owner::new("c1", "eth0");
        assert_eq!(owner.to_string(), "c1\r\neth0");
        assert_eq!(Owner::parse("c1\r\neth0"), Some(owner.clone()));
        assert_eq!(Owner::parse("c1\n"), Some(owner.without_ifname()));
    }

    #[test]
    fn a_file_without_content_has_no_owner() {
        for content in ["", "\r\n", "\0\0\0\0"] {
            assert_eq!(Owner::parse(content), None, "{content:?}");
        }
    }
}

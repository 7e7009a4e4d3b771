//! Protocols that have ports.

use std::fmt;
use std::str::FromStr;

/// A protocol whose ports can be mapped. A text is read in any case, and written in small letters.
///
/// ```
/// use libcni::spec::capability::Protocol;
///
/// assert_eq!("UDP".parse(), Ok(Protocol::Udp));
/// assert_eq!(Protocol::Udp.to_string(), "udp");
/// assert!("UDP ".parse::<Protocol>().is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// TCP, the default.
    #[default]
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

/// A text names no protocol whose ports can be mapped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not one of the protocols `tcp`, `udp` and `sctp`", .0.escape_debug())]
pub struct InvalidProtocol(String);

impl Protocol {
    const ALL: [Self; 3] = [Self::Tcp, Self::Udp, Self::Sctp];

    /// The protocol as the capability argument has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Protocol {
    type Err = InvalidProtocol;

    fn from_str(text: &str) -> Result<Self, InvalidProtocol> {
        let named = |protocol: &Self| protocol.as_str().eq_ignore_ascii_case(text);
        Self::ALL.into_iter().find(named).ok_or_else(|| InvalidProtocol(text.to_owned()))
    }
}

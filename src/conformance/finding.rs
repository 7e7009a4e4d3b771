//! The findings of a check.

use std::io;

use crate::Chain;
use crate::link::LinkError;
use crate::netns::NetnsError;

/// How a check ended: all is well, or a finding.
pub(super) type Verdict<T = ()> = Result<T, Finding>;

/// Why a check does not pass.
#[derive(Clone, Debug)]
pub(super) enum Finding {
    /// The plugin does not do what the specification says.
    Deviation(String),
    /// The check says nothing about this plugin, or can't be made.
    NotApplicable(String),
}

pub(super) fn deviation(reason: impl Into<String>) -> Finding {
    Finding::Deviation(reason.into())
}

pub(super) fn not_applicable(reason: impl Into<String>) -> Finding {
    Finding::NotApplicable(reason.into())
}

impl Finding {
    pub(super) fn reason(&self) -> &str {
        match self {
            Self::Deviation(reason) | Self::NotApplicable(reason) => reason,
        }
    }
}

/// The plugin deviates unless something holds.
pub(super) fn expect(holds: bool, otherwise: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(deviation(otherwise())) }
}

/// The plugin deviates if there is anything to tell.
pub(super) fn expect_none(found: Option<String>) -> Verdict {
    found.map_or(Ok(()), |reason| Err(deviation(reason)))
}

/// The check does not apply unless something holds.
pub(super) fn applies(holds: bool, otherwise: &str) -> Verdict {
    if holds { Ok(()) } else { Err(not_applicable(otherwise)) }
}

/// A step of a check.
pub(super) trait Step<T> {
    /// The check needs the step, but is not about it: another one reports when it fails.
    fn given(self) -> Verdict<T>;

    /// The circumstances in which findings are made.
    fn when(self, circumstances: &str) -> Verdict<T>;
}

impl<T> Step<T> for Verdict<T> {
    fn given(self) -> Verdict<T> {
        self.map_err(|finding| match finding {
            Finding::Deviation(reason) => {
                not_applicable(format!("it depends on something that does not work: {reason}"))
            }
            other => other,
        })
    }

    fn when(self, circumstances: &str) -> Verdict<T> {
        self.map_err(|finding| match finding {
            Finding::Deviation(reason) => deviation(format!("{circumstances}: {reason}")),
            other => other,
        })
    }
}

/// A limit of the tool itself is not a fault of the plugin.
impl From<io::Error> for Finding {
    fn from(error: io::Error) -> Self {
        not_applicable(format!("this machine does not let the tool do it: {error}"))
    }
}

impl From<LinkError> for Finding {
    fn from(error: LinkError) -> Self {
        not_applicable(format!("this machine does not let the tool do it: {}", Chain(&error)))
    }
}

impl From<NetnsError> for Finding {
    fn from(error: NetnsError) -> Self {
        not_applicable(Chain(&error).to_string())
    }
}

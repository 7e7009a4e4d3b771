//! The meaning of a condition, and why words are none.

use libcni::plugin::Failure;
use libcni::spec::ErrorCode;
use netlink_packet_netfilter::nftables::Operator;

use super::subject::Subject;
use crate::invalid::invalid;
use crate::nft::expression::Rule;

/// One condition: that a connection is one of several things, or none of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    /// The requirement on the value. Never empty.
    pub(super) subjects: Vec<Subject>,
    pub(super) negated: bool,
}

impl Condition {
    /// The ways in which the condition holds, each as expressions that go on only then.
    pub(super) fn ways(&self) -> Vec<Rule> {
        if self.negated {
            return vec![self.subjects.iter().flat_map(|subject| subject.expressions(Operator::NotEqual)).collect()];
        }
        self.subjects.iter().map(|subject| subject.expressions(Operator::Equal)).collect()
    }

    /// The sets of other programs that it looks up.
    pub(crate) fn sets(&self) -> impl Iterator<Item = &str> {
        self.subjects.iter().filter_map(Subject::set)
    }
}

/// The reason why words are not a condition.
#[derive(Debug)]
pub(super) enum Error {
    /// Nobody here knows them; and what to do instead.
    Unknown {
        words: String,
        known: &'static str,
    },
    Value {
        value: String,
        expected: &'static str,
    },
}

impl Error {
    pub(super) fn of(self, key: &str) -> Failure {
        match self {
            Self::Unknown { words, known } => Failure::new(
                ErrorCode::UNSUPPORTED_FIELD,
                format!("`{key}`: condition `{words}` is not supported; {known}"),
            ),
            Self::Value { value, expected } => invalid(format!("`{key}`: `{value}` is not {expected}")),
        }
    }
}

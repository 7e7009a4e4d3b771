//! Rules of the table `filter` of iptables, in the words that `iptables-save` prints.

use std::net::IpAddr;

/// The effect of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Accept,
    Drop,
    Return,
    /// Goes on in another chain.
    Chain(String),
}

/// A rule, with all that it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) source: Option<IpAddr>,
    pub(crate) destination: Option<IpAddr>,
    /// The link that a packet came in by.
    pub(crate) from_link: Option<Link>,
    /// The link that it leaves by.
    pub(crate) to_link: Option<Link>,
    /// True if it is for packets of connections only that are there already, and what belongs to them.
    pub(crate) is_established: bool,
    pub(crate) comment: Option<String>,
    pub(crate) target: Target,
}

/// A link that is the one of this name, or any other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    Is(String),
    IsNot(String),
}

impl Rule {
    pub(crate) fn new(target: Target) -> Self {
        Self {
            source: None,
            destination: None,
            from_link: None,
            to_link: None,
            is_established: false,
            comment: None,
            target,
        }
    }

    pub(crate) fn to_chain(chain: &str) -> Self {
        Self::new(Target::Chain(chain.to_owned()))
    }

    pub(crate) fn comment(self, comment: &str) -> Self {
        Self { comment: Some(comment.to_owned()), ..self }
    }

    /// The rule as `iptables-save` prints it behind the name of the chain. Two rules are the same when these are.
    pub(crate) fn words(&self) -> String {
        let single = |address: &IpAddr| format!("{address}/{}", if address.is_ipv4() { 32 } else { 128 });
        let link = |option: &str, link: &Link| match link {
            Link::Is(name) => format!("{option} {name}"),
            Link::IsNot(name) => format!("! {option} {name}"),
        };
        let target = match &self.target {
            Target::Accept => "ACCEPT",
            Target::Drop => "DROP",
            Target::Return => "RETURN",
            Target::Chain(chain) => chain,
        };
        let words = [
            self.source.as_ref().map(|address| format!("-s {}", single(address))),
            self.destination.as_ref().map(|address| format!("-d {}", single(address))),
            self.from_link.as_ref().map(|of| link("-i", of)),
            self.to_link.as_ref().map(|of| link("-o", of)),
            self.is_established.then(|| "-m conntrack --ctstate RELATED,ESTABLISHED".to_owned()),
            self.comment.as_ref().map(|comment| format!("-m comment --comment \"{comment}\"")),
            Some(format!("-j {target}")),
        ];
        words.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

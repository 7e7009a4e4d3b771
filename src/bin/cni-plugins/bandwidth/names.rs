//! The name of an attachment's `ifb`, and whose one is.

use std::collections::HashSet;

use libcni::link::{Handle, Link};
use libcni::plugin::{Answer, AttachmentCall};

use crate::takeover::hashed;
use crate::valid::Valid;

/// As long as the kernel lets names of links be.
const LENGTH: usize = 15;

/// The name of the `ifb` of an attachment.
pub(crate) struct Names {
    /// As the reference plugin calls it, which has one for all interfaces of a container.
    shared: String,
    /// For a further interface of the container.
    own: String,
    /// The owner, as administrators see it.
    pub(crate) alias: String,
}

impl Names {
    pub(crate) fn of(call: &AttachmentCall) -> Self {
        let (network, id, ifname) = (call.config.name().as_str(), call.container_id.as_str(), call.ifname.as_str());
        Self {
            shared: hashed(LENGTH, "bwp", &format!("{network}{id}")),
            own: hashed(LENGTH, "bwp", &format!("{network} {id} {ifname}")),
            alias: alias(network, id, ifname),
        }
    }

    /// The `ifb` of the attachment, ours or one of the reference plugin; `None` when there is none.
    pub(crate) fn find(&self, host: &mut Handle) -> Answer<Option<Link>> {
        for name in [&self.shared, &self.own] {
            let found = host.link(name)?.filter(|link| link.kind.as_deref() == Some("ifb"));
            let is_of = |link: &Link| link.alias.as_ref().is_none_or(|alias| *alias == self.alias);
            if let Some(link) = found.filter(is_of) {
                return Ok(Some(link));
            }
        }
        Ok(None)
    }

    /// A name for it that no other link has.
    pub(crate) fn free(&self, host: &mut Handle) -> Answer<&str> {
        Ok(if host.link(&self.shared)?.is_some() { &self.own } else { &self.shared })
    }
}

fn alias(network: &str, container_id: &str, ifname: &str) -> String {
    // The kernel takes 255 bytes, and the last one is the text's end. Names are ASCII.
    format!("{}{container_id}/{ifname}", prefix(network)).chars().take(254).collect()
}

fn prefix(network: &str) -> String {
    format!("cni-bandwidth:{network}/")
}

/// Those of the links that are the `ifb` of an attachment of a network that is not to be kept.
pub(crate) fn stale<'a>(links: &'a [Link], network: &str, valid: &Valid) -> impl Iterator<Item = &'a Link> {
    let kept: HashSet<_> = valid.iter().map(|valid| alias(network, &valid.container_id, &valid.ifname)).collect();
    let prefix = prefix(network);
    let is_stale = move |alias: &String| alias.starts_with(&prefix) && !kept.contains(alias);
    let ifbs = links.iter().filter(|link| link.kind.as_deref() == Some("ifb"));
    ifbs.filter(move |link| link.alias.as_ref().is_some_and(&is_stale))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use libcni::spec::ValidAttachment;

    use super::*;

    // As seen of the reference plugin 1.9.
    #[test]
    fn the_name_is_that_of_the_reference_plugin() {
        assert_eq!(hashed(LENGTH, "bwp", "cni-plugin-bandwidth-testdummy"), "bwpa8eda89404b7");
    }

    #[test]
    fn what_is_stale_is_not_searched_for_in_all_that_is_valid() {
        const MANY: usize = 20_000;
        let id = |n: usize| format!("{}{n}", "c".repeat(60));
        let valid = |n| ValidAttachment::new(&id(n).parse().unwrap(), &"eth0".parse().unwrap());
        let valid = Valid::new((0..MANY).map(valid).collect());
        let ifb = |n: usize| {
            let mut link = Link::new(1, "bwp");
            (link.kind, link.alias) = (Some("ifb".to_owned()), Some(alias("net", &id(n), "eth0")));
            link
        };
        let links: Vec<_> = (0..=MANY).map(ifb).collect();
        let began = Instant::now();
        let stale: Vec<_> = stale(&links, "net", &valid).collect();
        assert_eq!(stale, [&links[MANY]]);
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    }
}

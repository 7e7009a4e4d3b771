//! Which network namespace an operation may touch.
//!
//! A path need not lead to the namespace that it led to at ADD: names and process IDs are given again. Where it leads
//! to that of the host, DEL would take down what is no container's. (ADD is guarded by the plugins themselves.)

use std::borrow::Cow;

use super::{Attachment, Cni, Notice};
use crate::netns::{CNI_NETNS_OVERRIDE, Identity, State, is_own, override_allows};

impl Cni {
    /// The attachment as DEL may touch it: without its namespace, where the path leads to another than at ADD, or to
    /// that of this process, which is never recorded.
    pub(super) fn without_foreign_netns<'a>(
        &self,
        attachment: &'a Attachment,
        recorded: Option<&Identity>,
    ) -> Cow<'a, Attachment> {
        let netns = &attachment.netns;
        let is_foreign = match recorded {
            Some(_) => State::of(netns, recorded) == State::Replaced,
            None => is_own(netns.as_ref()) && !self.allows_own_netns(),
        };
        if !is_foreign {
            return Cow::Borrowed(attachment);
        }
        self.notices.tell(&Notice::ForeignNetns { netns });
        Cow::Owned(attachment.clone().netns(""))
    }

    fn allows_own_netns(&self) -> bool {
        self.env.iter().any(|(key, value)| key == CNI_NETNS_OVERRIDE && override_allows(value))
    }
}

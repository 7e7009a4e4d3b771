//! Which network namespace an operation may touch.
//!
//! A path need not lead to the namespace that it led to at ADD, since names and process IDs are used again. If it leads
//! to that of the host, DEL would take down the host's own interfaces. (The plugins themselves guard ADD.)

use std::borrow::Cow;
use std::path::Path;

use super::{Attachment, Cni, Notice};
use crate::cache::Key;
use crate::netns::{Identity, State, is_own};
use crate::spec::{CNI_NETNS_OVERRIDE, override_allows};

impl Cni {
    /// The attachment as DEL may touch it: without its namespace, where the path leads to another than at ADD, to an
    /// ordinary file, or to the namespace of this process, which is never recorded.
    pub(super) fn without_foreign_netns<'a>(
        &self,
        attachment: Cow<'a, Attachment>,
        recorded: Option<&Identity>,
    ) -> Cow<'a, Attachment> {
        let Some(netns) = &attachment.netns else { return attachment };
        let is_foreign = match State::of(netns, recorded) {
            // Plugins take a path that leads to nothing for a namespace that is gone, and fail at an ordinary file,
            // which `ip netns` leaves behind when it can't unmount.
            State::Gone if netns.is_file() => return Cow::Owned(attachment.into_owned().without_netns()),
            State::Gone => false,
            State::Replaced => true,
            _ => recorded.is_none() && is_own(netns) && !self.allows_own_netns(),
        };
        if !is_foreign {
            return attachment;
        }
        self.notices.tell(&Notice::ForeignNetns { netns });
        Cow::Owned(attachment.into_owned().without_netns())
    }

    /// The attachment as DEL may touch it where nothing is on record of it: without its namespace, where the interface
    /// in there belongs to another network or container. Plugins would delete it for its name.
    pub(super) fn without_interface_of_others<'a>(&self, attachment: &'a Attachment, key: &Key) -> Cow<'a, Attachment> {
        let Some(owner) = self.owner_of(key, attachment) else { return Cow::Borrowed(attachment) };
        let (ifname, netns) = (attachment.ifname.as_str(), attachment.netns.as_deref().unwrap_or(Path::new("")));
        self.notices.tell(&Notice::InterfaceOfOther { ifname, netns, owner: &owner });
        Cow::Owned(attachment.clone().without_netns())
    }

    pub(super) fn allows_own_netns(&self) -> bool {
        self.env.iter().any(|(key, value)| key == CNI_NETNS_OVERRIDE && override_allows(value))
    }
}

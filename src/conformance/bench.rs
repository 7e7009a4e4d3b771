//! The things that a check works with: the plugin, a host of its own, and containers on it.

use std::ffi::{OsStr, OsString};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::invoke::{Limits, Parameters};
use crate::spec::{Command, Version};

use super::call::Call;
use super::container::{Added, Container, shared_address};
use super::facts::{Facts, View, wait_for_links};
use super::finding::{Step, Verdict, applies, not_applicable};
use super::host::Host;
use super::log::Log;
use super::profile::{Profile, Role};
use super::subject::Subject;

/// Where the tool keeps what is its own on a check's host.
pub(super) const OURS: &str = "/run/cnitool";

/// The plugin, on a host that nothing else has used.
pub(super) struct Bench<'a> {
    pub(super) subject: &'a Subject,
    pub(super) profile: &'a Profile,
    pub(super) limits: &'a Limits,
    pub(super) host: &'a Host<'a>,
    pub(super) log: Log,
    containers: AtomicUsize,
}

impl<'a> Bench<'a> {
    pub(super) fn new(subject: &'a Subject, profile: &'a Profile, limits: &'a Limits, host: &'a Host<'a>) -> Self {
        Self { subject, profile, limits, host, log: Log::default(), containers: AtomicUsize::new(0) }
    }

    /// The version that most checks are made in.
    pub(super) fn version(&self) -> &Version {
        &self.profile.version
    }

    /// CNI_PATH.
    pub(super) fn path(&self) -> OsString {
        let dirs: Vec<_> = self.subject.dirs.iter().map(|dir| dir.as_os_str()).collect();
        dirs.join(OsStr::new(":"))
    }

    /// A call that is about no attachment.
    pub(super) fn call(&self, command: Command) -> Call<'_> {
        let path = self.path();
        Call::new(self, command, Parameters { path: &path, ..Parameters::default() }, self.version().as_str())
    }

    /// A new container. If there is a plugin before this one, it has added its interface.
    pub(super) fn container(&self) -> Verdict<Container<'_>> {
        self.container_at(self.version())
    }

    /// The same, with attachments in another version.
    pub(super) fn container_at(&self, version: &Version) -> Verdict<Container<'_>> {
        let number = self.containers.fetch_add(1, Ordering::Relaxed) + 1;
        let container = Container::new(self, number, version.clone())?;
        if self.profile.role == Role::Chained { container.with_predecessor() } else { Ok(container) }
    }

    /// A new container, for checks that need an ADD that works.
    pub(super) fn addable(&self) -> Verdict<Container<'_>> {
        self.needs_add()?;
        self.container()
    }

    /// The things on the host.
    pub(super) fn facts(&self) -> Verdict<Facts> {
        let mut ours = self.subject.visible_dirs();
        ours.push(OURS.into());
        Facts::of_host(&ours)
    }

    /// The things on the host, with all settings.
    pub(super) fn state(&self) -> Verdict<Facts> {
        Ok(View::here()?.facts().and(self.facts()?))
    }

    /// The things that stay on the host once an attachment has come and gone: a bridge, a database, chains for all
    /// containers.
    pub(super) fn warmed_up(&self) -> Verdict<Facts> {
        let container = self.addable()?;
        let added = container.add().given()?;
        container.del(Some(&added.result)).succeeds().given()?;
        drop(container);
        self.facts()
    }

    /// The things on the host that were not there before, after the kernel had time to remove interfaces.
    pub(super) fn left_since(&self, before: &Facts) -> Verdict<Option<String>> {
        wait_for_links(before)?;
        let seen = self.facts()?;
        Ok((!seen.is_within(before)).then(|| format!("left behind: {}", seen.since(before))))
    }
}

/// The conditions of a check on the plugin and its configuration.
impl Bench<'_> {
    pub(super) fn needs_add(&self) -> Verdict {
        let fails = self.profile.add_fails.as_deref();
        fails.map_or(Ok(()), |reason| Err(not_applicable(format!("ADD does not work: {reason}"))))
    }

    /// The version that most checks are made in has the verb.
    pub(super) fn needs_verb(&self, verb: Command) -> Verdict {
        applies(has_verb(self.version(), verb), &format!("{} has no {verb}", self.version()))
    }

    /// The plugin makes an interface that can be damaged. Addresses on `lo` are the kernel's.
    pub(super) fn needs_interface(&self) -> Verdict {
        let makes_one = self.profile.role == Role::Interface && self.subject.ifname.as_str() != "lo";
        applies(makes_one, "the plugin makes no interface")
    }

    /// The configuration allows several attachments at a time; two of them.
    pub(super) fn needs_several(&self) -> Verdict<[Added; 2]> {
        let (one, other) = (self.addable()?, self.addable()?);
        let first = one.add().given()?;
        let second = other.add();
        let second = second.map_err(|_| not_applicable("the configuration is one for a single attachment at a time"));
        Ok([first, second?])
    }

    /// The configuration gives no two attachments the same address.
    pub(super) fn needs_different_addresses(&self) -> Verdict {
        let shared = shared_address(&self.needs_several()?);
        applies(shared.is_none(), "the configuration gives the same address to everybody")
    }

    /// Versions that the plugin supports and that do not have a verb yet; at least one.
    pub(super) fn versions_without(&self, verb: Command) -> Verdict<Vec<Version>> {
        let old: Vec<_> = self.profile.versions.iter().filter(|version| !has_verb(version, verb)).cloned().collect();
        applies(!old.is_empty(), &format!("every version that it supports has {verb}"))?;
        Ok(old)
    }
}

/// Returns true if a version of the specification has a verb.
pub(super) fn has_verb(version: &Version, verb: Command) -> bool {
    match verb {
        Command::Check => version.has_check(),
        Command::Gc => version.has_gc(),
        Command::Status => version.has_status(),
        Command::Add | Command::Del | Command::Version => true,
    }
}

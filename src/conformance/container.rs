//! A container, as far as plugins know one, and the verbs for its attachment.

use std::collections::BTreeSet;
use std::path::Path;

use crate::invoke::Parameters;
use crate::link::{Handle, LinkError};
use crate::netns::{Namespace, Pin, run_in};
use crate::result::AddResult;
use crate::spec::{Command, IfName, IpNet, ValidAttachment, Version};

use super::answer::Answer;
use super::bench::Bench;
use super::call::Call;
use super::facts::{Facts, View};
use super::finding::Verdict;
use super::host::NAMED;
use super::predecessor;

/// A container with one attachment.
pub(super) struct Container<'b> {
    pub(super) bench: &'b Bench<'b>,
    namespace: Option<Pin>,
    pub(super) netns: String,
    pub(super) number: usize,
    pub(super) id: String,
    pub(super) ifname: IfName,
    pub(super) version: Version,
    /// The answer of the plugin before this one.
    pub(super) previous: Option<AddResult>,
}

/// An ADD that succeeded.
pub(super) struct Added {
    pub(super) answer: Answer,
    pub(super) result: AddResult,
}

impl<'b> Container<'b> {
    pub(super) fn new(bench: &'b Bench<'b>, number: usize, version: Version) -> Verdict<Self> {
        let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
        let path = Path::new(NAMED).join(format!("conformance-{now:x}"));
        let namespace = Namespace::create()?.pin(path)?;
        let netns = namespace.path().display().to_string();
        let id = format!("conformance-{number}");
        let ifname = bench.subject.ifname.clone();
        Ok(Self { bench, namespace: Some(namespace), netns, number, id, ifname, version, previous: None })
    }

    /// The container after another plugin has added an interface to it.
    pub(super) fn with_predecessor(mut self) -> Verdict<Self> {
        self.previous = Some(predecessor::add(&self, self.ifname.as_str())?);
        Ok(self)
    }

    /// Another attachment of the same container, under this name.
    pub(super) fn again_as(&self, ifname: IfName) -> Self {
        Self {
            bench: self.bench,
            namespace: None,
            netns: self.netns.clone(),
            number: self.number,
            id: self.id.clone(),
            ifname,
            version: self.version.clone(),
            previous: None,
        }
    }

    /// The namespace ends, as it does with the last process of a real container.
    pub(super) fn lose_namespace(&mut self) {
        self.namespace = None;
    }

    pub(super) fn has_namespace(&self) -> bool {
        self.namespace.is_some()
    }

    /// A call with the parameters of the attachment; ADD with the previous result.
    pub(super) fn call(&self, command: Command) -> Call<'_> {
        let (args, path) = (self.bench.subject.args.to_string(), self.bench.path());
        let parameters = Parameters {
            container_id: &self.id,
            netns: self.netns.as_ref(),
            ifname: self.ifname.as_str(),
            args: &args,
            path: &path,
        };
        let mut call = Call::new(self.bench, command, parameters, self.version.as_str());
        let runtime_config = self.bench.subject.runtime_config(self.number);
        if !runtime_config.is_empty() {
            call = call.key("runtimeConfig", &runtime_config);
        }
        match &self.previous {
            Some(previous) if command == Command::Add => self.previous_in(call, previous),
            _ => call,
        }
    }

    /// A call with a previous result, in the version that the attachment is in.
    pub(super) fn previous_in<'c>(&self, call: Call<'c>, previous: &AddResult) -> Call<'c> {
        match previous.to_version(&self.version) {
            Ok(previous) => call.key("prevResult", &previous),
            // A result that can't be said in an old version is none, for a runtime as well.
            Err(_) => call,
        }
    }

    pub(super) fn add(&self) -> Verdict<Added> {
        let answer = self.call(Command::Add).run();
        let result = answer.result()?;
        Ok(Added { answer, result })
    }

    /// DEL, with the result of ADD from 0.4.0 on.
    pub(super) fn del(&self, result: Option<&AddResult>) -> Answer {
        self.del_call(result).run()
    }

    pub(super) fn del_call(&self, result: Option<&AddResult>) -> Call<'_> {
        let call = self.call(Command::Del);
        match result.filter(|_| self.version.has_check()) {
            Some(result) => self.previous_in(call, result),
            None => call,
        }
    }

    pub(super) fn check(&self, result: &AddResult) -> Answer {
        self.previous_in(self.call(Command::Check), result).run()
    }

    pub(super) fn view(&self) -> Verdict<View> {
        View::of(Path::new(&self.netns))
    }

    /// Everything that can be seen of the attachment, in the container and on the host.
    pub(super) fn state(&self) -> Verdict<Facts> {
        Ok(self.view()?.facts().and(self.bench.facts()?))
    }

    /// Runs something in the container's namespace.
    pub(super) fn inside<T: Send>(&self, work: impl FnOnce(&mut Handle) -> Result<T, LinkError> + Send) -> Verdict<T> {
        Ok(run_in(Path::new(&self.netns), || work(&mut Handle::here()?))??)
    }

    /// The attachment in a list of valid ones.
    pub(super) fn as_valid(&self) -> ValidAttachment {
        ValidAttachment { container_id: self.id.clone(), ifname: self.ifname.to_string() }
    }
}

/// An address that several attachments have got.
pub(super) fn shared_address(added: &[Added]) -> Option<IpNet> {
    let mut addresses = added.iter().flat_map(|added| added.result.latest().ips).map(|ip| ip.address);
    let mut seen = BTreeSet::new();
    addresses.find(|address| !seen.insert(*address))
}

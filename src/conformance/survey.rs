//! The kind of a plugin and its features: found out before the checks, which depend on it.

use std::time::Duration;

use crate::Chain;
use crate::invoke::{ExecError, Limits};
use crate::spec::{Command, Version, VersionReply};

use super::bench::Bench;
use super::finding::{Finding, Verdict};
use super::host::{Hosts, NotMade};
use super::profile::{Profile, Role};
use super::subject::Subject;

/// There is nothing to check.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotSurveyed {
    #[error(transparent)]
    Host(#[from] NotMade),
    #[error("{}", Chain(.0))]
    Program(#[from] ExecError),
    #[error("an IPAM plugin gets no previous result, because no plugin comes before it")]
    IpamAfterAnother,
}

/// The answers and effects of the plugin when nothing is wrong.
pub(super) fn survey(hosts: &Hosts<'_>, subject: &Subject, limits: &Limits) -> Result<Profile, NotSurveyed> {
    let mut profile =
        Profile::unknown().supporting(supported_versions(hosts, subject, limits)?, &subject.wanted_version);
    match (subject.is_ipam(), subject.previous.is_some()) {
        (true, true) => return Err(NotSurveyed::IpamAfterAnother),
        (true, false) => profile.role = Role::Ipam,
        (false, true) => {
            profile.role = Role::Chained;
            let attempt = attempt(hosts, subject, &profile, limits)?;
            return Ok(profile.after(attempt));
        }
        (false, false) => {}
    }
    let alone = attempt(hosts, subject, &profile, limits)?;
    if profile.role == Role::Ipam || alone.as_ref().is_ok_and(|attempt| attempt.made_interface) {
        return Ok(profile.after(alone));
    }
    // Without an interface of its own it may be one that waits for another's.
    let chained = Profile { role: Role::Chained, ..profile.clone() };
    match attempt(hosts, subject, &chained, limits)? {
        Err(_) if !wants_previous(&alone) => Ok(profile.after(alone)),
        after_another => Ok(chained.after(after_another)),
    }
}

/// The answer of the plugin to VERSION; it is the first execution, so one that can't be run is noticed here.
fn supported_versions(
    hosts: &Hosts<'_>,
    subject: &Subject,
    limits: &Limits,
) -> Result<Option<Vec<String>>, NotSurveyed> {
    let unknown = Profile::unknown();
    let answer = hosts.on_new_one(|host| Bench::new(subject, &unknown, limits, host).call(Command::Version).run())?;
    let document = answer.document().ok();
    match answer.ended {
        Err(error) if !error.was_started() => Err(error.into()),
        _ => {
            let reply = document.and_then(|document| VersionReply::parse(&document.to_string()).ok());
            Ok(reply.map(|reply| reply.supported_versions))
        }
    }
}

/// Returns true if the plugin complains that nobody has made an interface for it.
fn wants_previous(attempt: &Verdict<Attempt>) -> bool {
    let complains = |finding: &Finding| finding.reason().to_lowercase().contains("prevresult");
    attempt.as_ref().is_err_and(complains)
}

impl Profile {
    pub(super) fn unknown() -> Self {
        Self {
            supported: None,
            versions: vec![Version::CURRENT],
            version: Version::CURRENT,
            role: Role::Interface,
            add_fails: None,
            has_addresses: true,
            add_takes: Duration::ZERO,
            weaknesses: Vec::new(),
        }
    }

    /// With what an ADD has shown.
    fn after(mut self, attempt: Verdict<Attempt>) -> Self {
        match attempt {
            Ok(attempt) => (self.add_takes, self.has_addresses) = (attempt.took, attempt.has_addresses),
            Err(finding) => self.add_fails = Some(finding.reason().to_owned()),
        }
        self
    }

    /// With the versions that both sides know. A plugin that names none is taken at the word of its configuration.
    fn supporting(mut self, supported: Option<Vec<String>>, wanted: &str) -> Self {
        let named = |version: &Version| supported.iter().flatten().any(|name| name == version.as_str());
        let wanted = wanted.parse().ok().filter(|version: &Version| !wanted.is_empty() && version.is_known());
        self.versions = Version::ALL.into_iter().filter(named).collect();
        if self.versions.is_empty() {
            self.versions = vec![wanted.clone().unwrap_or(Version::V1_0_0)];
        }
        let newest = self.versions.last().cloned().unwrap_or(Version::CURRENT);
        self.version = wanted.filter(|version| self.versions.contains(version)).unwrap_or(newest);
        self.supported = supported;
        self
    }
}

struct Attempt {
    made_interface: bool,
    has_addresses: bool,
    took: Duration,
}

/// One ADD.
fn attempt(
    hosts: &Hosts<'_>,
    subject: &Subject,
    profile: &Profile,
    limits: &Limits,
) -> Result<Verdict<Attempt>, NotMade> {
    hosts.on_new_one(|host| {
        let bench = Bench::new(subject, profile, limits, host);
        let container = bench.container()?;
        let before = container.view()?;
        let answer = container.call(Command::Add).run();
        answer.succeeds()?;
        let body = answer.result().map(|result| result.latest()).unwrap_or_default();
        let made_interface = !body.interfaces.is_empty() || container.view()?.links != before.links;
        Ok(Attempt { made_interface, has_addresses: !body.ips.is_empty(), took: answer.took })
    })
}

//! The facts about a plugin that the checks depend on.

use std::time::Duration;

use crate::spec::Version;

/// The facts about a plugin that the checks depend on, found out before the first of them is made.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The answer to VERSION, where that was readable.
    pub(super) supported: Option<Vec<String>>,
    /// The versions that checks are made in, oldest first; never empty.
    pub(super) versions: Vec<Version>,
    /// The version that most checks are made in.
    pub(super) version: Version,
    pub(super) role: Role,
    /// Why ADD does not work, if it doesn't.
    pub(super) add_fails: Option<String>,
    /// True if its results have addresses.
    pub(super) has_addresses: bool,
    /// How long ADD takes.
    pub(super) add_takes: Duration,
    pub(super) weaknesses: Vec<String>,
}

/// The kind of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum Role {
    /// The plugin makes an interface.
    Interface,
    /// The plugin works on an interface that another plugin made.
    Chained,
    /// The plugin hands out addresses.
    Ipam,
}

impl Profile {
    /// Returns the versions that the plugin names in its answer to VERSION; `None` where there is no readable answer.
    pub fn supported_versions(&self) -> Option<&[String]> {
        self.supported.as_deref()
    }

    /// Returns the version that most checks are made in.
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// Returns the kind of the plugin.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Returns the protections that this machine lacks, each as a sentence; usually none.
    pub fn weaknesses(&self) -> &[String] {
        &self.weaknesses
    }

    /// The versions that attachments can be made in. Before 0.3.0 there are no previous results to work on, and no
    /// way to say a result without addresses.
    pub(super) fn versions_for_attachments(&self) -> impl Iterator<Item = &Version> {
        let any = self.role != Role::Chained && self.has_addresses;
        self.versions.iter().filter(move |version| any || has_lists(version))
    }
}

impl Role {
    /// Returns `interface`, `chained` or `ipam`.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Interface => "interface",
            Role::Chained => "chained",
            Role::Ipam => "ipam",
        }
    }
}

/// Returns true if a version has lists of plugins, which hand results with interfaces to each other.
pub(super) fn has_lists(version: &Version) -> bool {
    *version >= Version::V0_3_0
}

/// Returns true if addresses of results say their family.
pub(super) fn says_family(version: &Version) -> bool {
    has_lists(version) && *version < Version::V1_0_0
}

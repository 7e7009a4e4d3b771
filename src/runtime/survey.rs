//! Faults of the networks of a directory.

use std::path::Path;

use super::Cni;
use crate::conf::{ConfError, Listing, NetworkConfig};
use crate::spec::Object;
use crate::spec::capability::CapabilityArgs;

/// The networks of a listing that can be used, and what is wrong with the others.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Survey<'a> {
    /// The networks without faults.
    pub valid: Vec<&'a NetworkConfig>,
    /// All faults, in no particular order.
    pub findings: Vec<Finding<'a>>,
}

/// A fault.
#[derive(Debug)]
#[non_exhaustive]
pub enum Finding<'a> {
    /// A fault of a network that can be loaded, or could if an earlier file did not have its name: a sentence about it.
    #[non_exhaustive]
    Network {
        /// The network.
        network: &'a NetworkConfig,
        /// The sentence.
        message: String,
    },
    /// A fault of a file that is not a configuration.
    File(&'a ConfError),
}

impl<'a> Survey<'a> {
    /// Examines every network of a listing: its files, plugins and versions, names that two files have, and capability
    /// arguments that no plugin takes.
    ///
    /// ```no_run
    /// use libcni::Cni;
    /// use libcni::conf::ConfDir;
    /// use libcni::runtime::Survey;
    /// use libcni::spec::capability::CapabilityArgs;
    ///
    /// let listing = ConfDir::default().list()?;
    /// let cni = Cni::new();
    /// let survey = Survey::of(&cni, &listing, &CapabilityArgs::new());
    /// println!("{} of {} networks can be used", survey.valid.len(), listing.networks.len());
    /// # Ok::<(), libcni::conf::LoadError>(())
    /// ```
    pub fn of(cni: &Cni, listing: &'a Listing, given: &CapabilityArgs) -> Self {
        let mut survey = Self::default();
        for network in &listing.networks {
            let mut found: Vec<_> = cni.examine(network).iter().map(ToString::to_string).collect();
            found.extend(network.untaken(given));
            if found.is_empty() {
                survey.valid.push(network);
            }
            survey.findings.extend(found.into_iter().map(|message| Finding::Network { network, message }));
        }
        survey.findings.extend(listing.shadowed.iter().map(|network| {
            let winner = listing.winner(network).and_then(NetworkConfig::path);
            let winner = winner.map(|path| path.display().to_string()).unwrap_or_default();
            Finding::Network { network, message: format!("not used: {winner} has a network of this name, too") }
        }));
        survey.findings.extend(listing.broken.iter().map(Finding::File));
        survey
    }

    /// Describes the survey: `valid` networks (`file`, `network`, `cniVersion`, `capabilities`) and `problems` (`file`,
    /// `network` or `line` and `column`, `message`).
    pub fn to_object(&self) -> Object {
        let mut object = Object::new();
        object.set("valid", &self.valid.iter().map(|network| describe(network)).collect::<Vec<_>>());
        object.set("problems", &self.findings.iter().map(Finding::to_object).collect::<Vec<_>>());
        object
    }
}

fn describe(network: &NetworkConfig) -> Object {
    let mut object = of(network);
    object.set("cniVersion", network.effective_version());
    object.set("capabilities", &network.capabilities());
    object
}

fn of(network: &NetworkConfig) -> Object {
    let mut object = Object::new();
    object.set("file", &network.path().unwrap_or(Path::new("")).to_string_lossy());
    object.set("network", network.name());
    object
}

impl Finding<'_> {
    /// Returns the file; `None` for a network that no file configures.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Network { network, .. } => network.path(),
            Self::File(error) => error.file(),
        }
    }

    /// Returns the name of the network, if there is one.
    pub fn network(&self) -> Option<&str> {
        match self {
            Self::Network { network, .. } => Some(network.name()),
            Self::File(_) => None,
        }
    }

    /// Returns what is wrong, for a line that has the file and the network already.
    pub fn message(&self) -> String {
        match self {
            Self::Network { message, .. } => message.clone(),
            Self::File(error) => error.in_its_file(),
        }
    }

    fn to_object(&self) -> Object {
        match self {
            Self::File(error) => error.to_object(),
            Self::Network { network, message } => {
                let mut object = of(network);
                object.set("message", message);
                object
            }
        }
    }
}

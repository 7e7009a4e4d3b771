//! What is wrong with the networks of a directory.

use super::Cni;
use crate::conf::{ConfError, Listing, NetworkConfig};
use crate::spec::capability::CapabilityArgs;

/// The networks of a listing that can be used, and what is wrong with the others.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Survey<'a> {
    /// The networks with which nothing is wrong.
    pub valid: Vec<&'a NetworkConfig>,
    /// Everything that is wrong, in no order.
    pub findings: Vec<Finding<'a>>,
}

/// One thing that is wrong.
#[derive(Debug)]
#[non_exhaustive]
pub enum Finding<'a> {
    /// With a network that can be loaded, or could if an earlier file did not have its name: a sentence about it.
    Network(&'a NetworkConfig, String),
    /// With a file that is no configuration.
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
            found.extend(not_taken(network, given));
            if found.is_empty() {
                survey.valid.push(network);
            }
            survey.findings.extend(found.into_iter().map(|message| Finding::Network(network, message)));
        }
        survey.findings.extend(listing.shadowed.iter().map(|network| {
            let winner = listing.networks.iter().find(|other| other.name() == network.name());
            let winner =
                winner.and_then(NetworkConfig::path).map(|path| path.display().to_string()).unwrap_or_default();
            Finding::Network(network, format!("not used: {winner} has a network of this name, too"))
        }));
        survey.findings.extend(listing.broken.iter().map(Finding::File));
        survey
    }
}

/// Capability arguments that would reach nobody.
fn not_taken(network: &NetworkConfig, given: &CapabilityArgs) -> Vec<String> {
    let taken = network.capabilities();
    let names = given.iter().map(|(name, _)| name).filter(|name| !taken.contains(name));
    names.map(|name| format!("capability `{name}` is given, and no plugin takes it")).collect()
}

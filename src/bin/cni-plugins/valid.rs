//! The attachments that GC must leave alone.

use std::collections::{HashMap, HashSet};

use libcni::spec::ValidAttachment;

/// The attachments of a network that are to be kept, found by their names: there may be as many as there is to look at.
pub(crate) struct Valid {
    all: Vec<ValidAttachment>,
    /// The interfaces of each container.
    containers: HashMap<String, HashSet<String>>,
}

impl Valid {
    pub(crate) fn new(all: Vec<ValidAttachment>) -> Self {
        let mut containers: HashMap<_, HashSet<_>> = HashMap::with_capacity(all.len());
        for ValidAttachment { container_id, ifname, .. } in &all {
            containers.entry(container_id.clone()).or_default().insert(ifname.clone());
        }
        Self { all, containers }
    }

    /// Returns whether an attachment is kept.
    pub(crate) fn has(&self, container_id: &str, ifname: &str) -> bool {
        self.containers.get(container_id).is_some_and(|ifnames| ifnames.contains(ifname))
    }

    /// Returns whether any attachment of a container is kept.
    pub(crate) fn has_container(&self, container_id: &str) -> bool {
        self.containers.contains_key(container_id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &ValidAttachment> {
        self.all.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attachment_is_found_by_both_of_its_names() {
        let attachment = |id: &str, ifname: &str| ValidAttachment::new(&id.parse().unwrap(), &ifname.parse().unwrap());
        let valid = Valid::new(vec![attachment("c1", "eth0"), attachment("c1", "eth1"), attachment("c2", "eth0")]);
        assert!(valid.has("c1", "eth1") && valid.has("c2", "eth0"));
        assert!(!valid.has("c2", "eth1") && !valid.has("c3", "eth0"));
        assert!(valid.has_container("c2") && !valid.has_container("eth0"));
        assert_eq!(valid.iter().count(), 3);
    }
}

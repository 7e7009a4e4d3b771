//! Sets of ranges, each of which gives one address, and the order in which its addresses are tried.

use std::fmt;
use std::net::IpAddr;

use libcni::spec::IpNet;

use crate::host_local::range::{InvalidRange, Range, RangeConfig};

/// Ranges of one family that do not overlap. An allocation takes one address out of all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RangeSet(Vec<Range>);

/// Ranges, each with the address that its part begins or ends with.
type Pieces<'a> = Vec<(&'a Range, IpAddr)>;

impl RangeSet {
    pub(crate) fn new(configs: &[RangeConfig]) -> Result<Self, InvalidRange> {
        let ranges = configs.iter().map(Range::new).collect::<Result<Vec<_>, _>>()?;
        let first = *ranges.first().ok_or(InvalidRange::EmptySet)?;
        if let Some(other) = ranges.iter().find(|range| range.is_ipv4() != first.is_ipv4()) {
            return Err(InvalidRange::MixedFamilies(Box::new([first, *other])));
        }
        for (i, range) in ranges.iter().enumerate() {
            refuse_overlap(std::slice::from_ref(range), &ranges[i + 1..])?;
        }
        Ok(Self(ranges))
    }

    /// Refuses two sets that have an address in common.
    pub(crate) fn refuse_overlap(&self, other: &Self) -> Result<(), InvalidRange> {
        refuse_overlap(&self.0, &other.0)
    }

    pub(crate) fn is_ipv4(&self) -> bool {
        self.0.iter().all(Range::is_ipv4)
    }

    /// The gateways of the ranges, with the prefix lengths of their subnets.
    pub(crate) fn gateways(&self) -> impl Iterator<Item = IpNet> {
        self.0.iter().filter_map(Range::gateway_in_subnet)
    }

    /// The range that an address is in.
    pub(crate) fn range_of(&self, address: IpAddr) -> Option<&Range> {
        self.0.iter().find(|range| range.contains(address))
    }

    /// Every address of the set once, beginning after the one that was reserved last: a container that is restarted
    /// over and over does not get the same address until all others had their turn.
    pub(crate) fn candidates(&self, last_reserved: Option<IpAddr>) -> impl Iterator<Item = (IpAddr, &Range)> {
        let at = |last| self.0.iter().position(|range| range.contains(last)).map(|index| (index, last));
        let (before, after) = match last_reserved.and_then(at) {
            None => (Vec::new(), self.0.iter().map(|range| (range, range.first)).collect()),
            Some((index, last)) => self.split(index, last),
        };
        let after = after.into_iter().flat_map(move |(range, from)| {
            let passed = move |address: &IpAddr| Some(*address) == last_reserved;
            range.addresses(from, range.last).skip_while(passed).map(move |address| (address, range))
        });
        let before = before
            .into_iter()
            .flat_map(|(range, to)| range.addresses(range.first, to).map(move |address| (address, range)));
        after.chain(before)
    }

    /// The ranges with their last address up to `last`, and with their first address from `last` on.
    fn split(&self, index: usize, last: IpAddr) -> (Pieces<'_>, Pieces<'_>) {
        let (earlier, rest) = self.0.split_at(index);
        let [current, later @ ..] = rest else { return Default::default() };
        let before = earlier.iter().map(|range| (range, range.last)).chain([(current, last)]);
        let after = [(current, last)].into_iter().chain(later.iter().map(|range| (range, range.first)));
        (before.collect(), after.collect())
    }
}

fn refuse_overlap(some: &[Range], others: &[Range]) -> Result<(), InvalidRange> {
    let pairs = some.iter().flat_map(|range| others.iter().map(move |other| (range, other)));
    match pairs.into_iter().find(|(range, other)| range.overlaps(other)) {
        Some((range, other)) => Err(InvalidRange::Overlap(Box::new([*range, *other]))),
        None => Ok(()),
    }
}

impl fmt::Display for RangeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ranges: Vec<_> = self.0.iter().map(Range::to_string).collect();
        f.write_str(&ranges.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(json: &str) -> Result<RangeSet, InvalidRange> {
        RangeSet::new(&serde_json::from_str::<Vec<RangeConfig>>(json).unwrap())
    }

    #[track_caller]
    fn order(set: &RangeSet, last: &str) -> Vec<String> {
        set.candidates(last.parse().ok()).map(|(address, _)| address.to_string()).collect()
    }

    #[test]
    fn addresses_are_tried_from_the_last_one_on_and_around() {
        let set = set(r#"[{"subnet":"10.0.0.0/29"},{"subnet":"10.0.1.0/30"}]"#).unwrap();
        let all = ["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.1.2"];
        assert_eq!(order(&set, ""), all);
        assert_eq!(order(&set, "10.9.9.9"), all);
        assert_eq!(order(&set, "10.0.0.4"), ["10.0.0.5", "10.0.0.6", "10.0.1.2", "10.0.0.2", "10.0.0.3", "10.0.0.4"]);
        assert_eq!(order(&set, "10.0.1.2"), all);
    }

    #[test]
    fn the_last_address_there_is_has_no_next_one() {
        let set = set(r#"[{"subnet":"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffc/126"}]"#).unwrap();
        let last = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
        assert_eq!(order(&set, last), ["ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", last]);
    }

    #[test]
    fn a_gateway_that_was_reserved_last_is_passed_over() {
        let set = set(r#"[{"subnet":"10.0.0.0/29","gateway":"10.0.0.3"}]"#).unwrap();
        assert_eq!(order(&set, "10.0.0.3"), ["10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.0.1", "10.0.0.2"]);
    }

    #[test]
    fn sets_of_two_families_or_with_overlaps_are_refused() {
        let mixed = set(r#"[{"subnet":"10.0.0.0/24"},{"subnet":"fd00::/126"}]"#).unwrap_err();
        let text = "ranges 10.0.0.1-10.0.0.254 and fd00::1-fd00::3 of one set are of different address families";
        assert_eq!(mixed.to_string(), text);
        let overlap = set(r#"[{"subnet":"10.0.0.0/24"},{"subnet":"10.0.0.0/25"}]"#).unwrap_err();
        assert_eq!(overlap.to_string(), "ranges 10.0.0.1-10.0.0.254 and 10.0.0.1-10.0.0.126 overlap");
        assert_eq!(set("[]").unwrap_err(), InvalidRange::EmptySet);
    }
}

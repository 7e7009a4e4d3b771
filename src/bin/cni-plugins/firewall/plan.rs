//! Which rules there are to be, and what makes them of those that there are. Pure.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::firewall::rule::{Link, Rule, Target};
use crate::firewall::rule_owner::RuleOwner;
use crate::nft::Owner;
use crate::nft::request::End;

/// The chain that every packet comes to which the host sends on.
pub(crate) const FORWARD: &str = "FORWARD";
/// The chain of containers.
pub(crate) const CONTAINERS: &str = "CNI-FORWARD";
/// The chains that keep bridges apart.
pub(crate) const STAGES: [&str; 2] = ["CNI-ISOLATION-STAGE-1", "CNI-ISOLATION-STAGE-2"];

/// A rule that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Present {
    /// As `iptables-save` prints it; `None` when it says more than this program reads.
    pub(crate) words: Option<String>,
    /// The kernel's number; 0 for rules of `iptables-legacy`.
    pub(crate) handle: u64,
    /// The attachment that it is for; `None` when somebody else made it.
    pub(crate) owner: Option<RuleOwner>,
}

/// The chains that are there, each with its rules.
pub(crate) type Chains = BTreeMap<String, Vec<Present>>;

/// One thing to do to a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    NewChain(String),
    Place { chain: String, end: End, rule: Rule, owner: Option<RuleOwner> },
    Remove { chain: String, rule: Present },
}

/// Who may open connections to the containers of a bridge, beside the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ingress {
    /// The bridge's other containers.
    SameBridge,
    /// Nobody.
    Isolated,
}

/// The rules for an attachment, of one family.
#[derive(Clone, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) owner: &'a Owner,
    pub(crate) addresses: &'a [IpAddr],
    /// The chain that administrators put rules into.
    pub(crate) admin_chain: &'a str,
    /// The bridge, and who may open connections to it.
    pub(crate) ingress: Option<(&'a str, Ingress)>,
}

/// A rule that all containers share, and where it is to be.
type Shared = (&'static str, End, Rule);

impl Wanted<'_> {
    fn chains(&self) -> Vec<&str> {
        let stages = STAGES.iter().copied().filter(|_| self.ingress.is_some());
        [FORWARD, CONTAINERS, self.admin_chain].into_iter().chain(stages).collect()
    }

    fn shared(&self) -> Vec<Shared> {
        let mut rules = vec![
            (FORWARD, End::First, Rule::to_chain(CONTAINERS).comment("CNI firewall plugin rules")),
            (CONTAINERS, End::First, Rule::to_chain(self.admin_chain).comment("CNI firewall plugin admin overrides")),
        ];
        if let Some((bridge, ingress)) = self.ingress {
            rules.extend(isolation(bridge, ingress));
        }
        rules
    }

    /// The rules of the attachment itself.
    fn own(&self) -> Vec<Rule> {
        self.addresses.iter().flat_map(|address| of_address(*address)).collect()
    }
}

/// The rules that let a container's packets through: its own, and answers to them.
fn of_address(address: IpAddr) -> [Rule; 2] {
    let accept = || Rule::new(Target::Accept);
    [Rule { destination: Some(address), is_established: true, ..accept() }, Rule { source: Some(address), ..accept() }]
}

/// The rules that keep other bridges away from a bridge, and its own containers from each other.
fn isolation(bridge: &str, ingress: Ingress) -> Vec<Shared> {
    const BOTH: &str = "CNI firewall plugin rules (ingressPolicy: same-bridge|isolated)";
    let [first, second] = STAGES;
    let name = match ingress {
        Ingress::SameBridge => "same-bridge",
        Ingress::Isolated => "isolated",
    };
    let of_policy = format!("CNI firewall plugin rules (ingressPolicy: {name})");
    let is = || Some(Link::Is(bridge.to_owned()));
    let leaves = Rule { from_link: is(), to_link: Some(Link::IsNot(bridge.to_owned())), ..Rule::to_chain(second) };
    let stays = Rule { from_link: is(), to_link: is(), ..Rule::new(Target::Drop) };
    let comes = Rule { to_link: is(), ..Rule::new(Target::Drop) };
    let mut rules = vec![
        (FORWARD, End::First, Rule::to_chain(first).comment(BOTH)),
        (first, End::First, leaves.comment(&of_policy)),
    ];
    rules.extend((ingress == Ingress::Isolated).then(|| (first, End::First, stays.comment(&of_policy))));
    rules.extend([
        (first, End::Last, Rule::new(Target::Return).comment(BOTH)),
        (second, End::First, comes.comment(BOTH)),
        (second, End::Last, Rule::new(Target::Return).comment(BOTH)),
    ]);
    rules
}

fn has(chains: &Chains, chain: &str, rule: &Rule, is_wanted: impl Fn(&Present) -> bool) -> bool {
    let words = rule.words();
    let is_it = |present: &&Present| present.words.as_ref() == Some(&words) && is_wanted(present);
    chains.get(chain).is_some_and(|rules| rules.iter().any(|rule| is_it(&rule)))
}

/// The requests that make chains, and rules that all containers share, as far as they are not there.
fn share(chains: &Chains, names: &[&str], rules: Vec<Shared>) -> Vec<Step> {
    let missing = names.iter().filter(|chain| !chains.contains_key(**chain));
    let mut steps: Vec<_> = missing.map(|chain| Step::NewChain((*chain).to_owned())).collect();
    for (chain, end, rule) in rules.into_iter().filter(|(chain, _, rule)| !has(chains, chain, rule, |_| true)) {
        steps.push(Step::Place { chain: chain.to_owned(), end, rule, owner: None });
    }
    steps
}

/// The requests that keep the bridge from others, and accept nothing; none when all is there, or nothing is asked for.
pub(crate) fn keep_apart(chains: &Chains, wanted: &Wanted<'_>) -> Vec<Step> {
    let Some((bridge, ingress)) = wanted.ingress else { return Vec::new() };
    share(chains, &[&[FORWARD], &STAGES[..]].concat(), isolation(bridge, ingress))
}

/// The requests for an attachment; none when all is there.
pub(crate) fn add(chains: &Chains, wanted: &Wanted<'_>) -> Vec<Step> {
    let mut steps = share(chains, &wanted.chains(), wanted.shared());
    let is_own = |present: &Present| present.owner.as_ref().is_some_and(|of| of.is(wanted.owner));
    for rule in wanted.own().into_iter().filter(|rule| !has(chains, CONTAINERS, rule, is_own)) {
        let owner = Some(RuleOwner::of(wanted.owner));
        steps.push(Step::Place { chain: CONTAINERS.to_owned(), end: End::Last, rule, owner });
    }
    steps
}

/// The words of what is missing, with its chain; `None` when all is there.
pub(crate) fn missing(chains: &Chains, wanted: &Wanted<'_>) -> Option<String> {
    let own = wanted.own().into_iter().map(|rule| (CONTAINERS, rule));
    let shared = wanted.shared().into_iter().map(|(chain, _, rule)| (chain, rule));
    let mut rules = shared.chain(own);
    // The reference plugin may have added the container.
    let is_of = |present: &Present| present.owner.as_ref().is_none_or(|of| of.is(wanted.owner));
    let (chain, rule) = rules.find(|(chain, rule)| !has(chains, chain, rule, is_of))?;
    Some(format!("-A {chain} {}", rule.words()))
}

/// The requests that remove the rules of an attachment, or, where it has none, those without an owner for its
/// addresses: of the reference plugin.
pub(crate) fn remove(chains: &Chains, owner: &Owner, addresses: &[IpAddr]) -> Vec<Step> {
    let own = remove_owned(chains, |of| of.is(owner));
    if !own.is_empty() {
        return own;
    }
    let theirs: Vec<_> = addresses.iter().flat_map(|address| of_address(*address)).map(|rule| rule.words()).collect();
    let is_theirs = |words: &String| theirs.contains(words);
    remove_where(chains, |present| present.owner.is_none() && present.words.as_ref().is_some_and(is_theirs))
}

/// The requests that remove the rules of those attachments that are to go.
pub(crate) fn remove_owned(chains: &Chains, is_to_go: impl Fn(&RuleOwner) -> bool) -> Vec<Step> {
    remove_where(chains, |present| present.owner.as_ref().is_some_and(&is_to_go))
}

fn remove_where(chains: &Chains, is_to_go: impl Fn(&Present) -> bool) -> Vec<Step> {
    let rules = chains.get(CONTAINERS).into_iter().flatten().filter(|present| is_to_go(present));
    rules.map(|rule| Step::Remove { chain: CONTAINERS.to_owned(), rule: rule.clone() }).collect()
}

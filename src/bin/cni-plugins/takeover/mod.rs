//! The rules that the reference plugins left for an attachment: found, accepted by CHECK, and removed by DEL and GC.
//!
//! A node changes from those plugins to these while containers run: their ADD was made by one, their DEL comes to the
//! other. Versions 1.1 to 1.9 leave rules in these places:
//!
//! | of | by iptables, in the table `nat` of each family | by nftables (from 1.6 on) |
//! |---|---|---|
//! | portmap | chain `CNI-DN-…`, and rules in `CNI-HOSTPORT-DNAT` that lead there | tables `ip cni_hostport` and `ip6 cni_hostport` |
//! | `ipMasq` | chain `CNI-…`, and a rule in `POSTROUTING` that leads there | table `inet cni_plugins_masquerade` |
//! | `macspoofchk` | | chains `cni-br-iface-…` of `bridge nat` |
//!
//! Rules that all containers share stay, as they do with those plugins.
//!
//! Rules of `iptables-nft` are rules of nf_tables, and are reached as ours are, without a program. Only where the
//! kernel has a table `nat` of `iptables-legacy` in this namespace, which it has from the first use on, its programs
//! are run. Neither happens for an attachment that has rules of ours: who calls a function of this module has looked
//! for those before. An ADD that maps ports has none already: it asks the kernel who has them, and runs programs only
//! where the reference plugin has left its trace since the host started.

pub(crate) mod antispoof;
mod kernel;
mod legacy;
pub(crate) mod mapped;
pub(crate) mod masquerade;
mod names;
mod nat;
pub(crate) mod ports;
mod rule;
mod words;

pub(crate) use names::hash as hashed;
pub(crate) use rule::Port;

//! CHECK: the limits are there, as configured.

use libcni::link::{Handle, Link, Shaped, TokenBucket};
use libcni::plugin::{Answer, Failure};

use crate::bandwidth::config::Limits;
use crate::bandwidth::names::Names;

pub(crate) fn check(host: &mut Handle, names: &Names, port: &Link, limits: &Limits) -> Answer {
    if let Some(bucket) = limits.ingress {
        check_bucket(host, port, bucket, limits.shaped())?;
    }
    let Some(bucket) = limits.egress else { return Ok(()) };
    let ifb = names.find(host)?.ok_or_else(|| different(format!("the ifb of port `{}` is gone", port.name)))?;
    if !ifb.is_up {
        return Err(different(format!("ifb `{}` is down", ifb.name)));
    }
    if !host.redirects(port.index)?.contains(&ifb.index) {
        let msg = format!("traffic from port `{}` does not go through ifb `{}`", port.name, ifb.name);
        return Err(different(msg));
    }
    check_bucket(host, &ifb, bucket, Shaped::All)
}

fn check_bucket(host: &mut Handle, link: &Link, bucket: TokenBucket, shaped: Shaped<'_>) -> Answer {
    let qdiscs = host.qdiscs(link.index)?;
    let root = qdiscs.iter().find(|qdisc| qdisc.is_root);
    let expected = if shaped == Shaped::All { "tbf" } else { "htb" };
    if root.is_none_or(|root| root.kind != expected) {
        return Err(different(format!(
            "link `{}` has no {expected} that limits the traffic that leaves through it",
            link.name
        )));
    }
    match qdiscs.iter().find_map(|qdisc| qdisc.bucket) {
        Some(found) if is_as_wanted(found, bucket) => Ok(()),
        Some(found) => {
            let parts = |bucket: TokenBucket| {
                let TokenBucket { rate, limit, fill_time, .. } = bucket;
                format!("rate {rate} bytes/s, limit {limit} bytes, bucket full after {fill_time} ticks")
            };
            Err(different(format!("the limit of link `{}` is {}, not {}", link.name, parts(found), parts(bucket))))
        }
        None => Err(different(format!("link `{}` has no token bucket", link.name))),
    }
}

/// Returns true if a limit is the configured one. The reference plugin lets a number of ticks overflow where this one
/// takes the largest number: for a burst that takes longer than four minutes, as that of Kubernetes.
fn is_as_wanted(found: TokenBucket, wanted: TokenBucket) -> bool {
    let overflows = wanted.fill_time == u32::MAX;
    found == wanted || overflows && (found.rate, found.limit) == (wanted.rate, wanted.limit)
}

fn different(what: String) -> Failure {
    Failure::internal(format!("CHECK: bandwidth: {what}"))
}

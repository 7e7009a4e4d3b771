//! The sysctls that an administrator allows: one regular expression a line, any part of a name that matches will do.

use std::io;

use libcni::plugin::{Answer, Failure};
use libcni::spec::ErrorCode;
use regex_lite::Regex;

use crate::text;
use crate::tuning::config::Sysctls;

const FILE: &str = "/etc/cni/tuning/allowlist.conf";

/// Checks that all sysctls are allowed. Without a list, all are.
pub(crate) fn check(sysctls: &Sysctls) -> Answer {
    match text::read(FILE) {
        Ok(list) => check_against(&list, sysctls.iter().map(|(key, _)| key)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Failure::new(ErrorCode::IO, format!("tuning: cannot read {FILE}: {error}"))),
    }
}

fn check_against<'a>(list: &str, mut keys: impl Iterator<Item = &'a str>) -> Answer {
    let lines = list.lines().map(str::trim).filter(|line| !line.is_empty());
    let invalid =
        |line: &str, e| Failure::internal(format!("tuning: {FILE}: `{line}` is not a regular expression: {e}"));
    let allowed = lines.map(|line| Regex::new(line).map_err(|e| invalid(line, e))).collect::<Answer<Vec<_>>>()?;
    match keys.find(|key| !allowed.iter().any(|allowed| allowed.is_match(key))) {
        None => Ok(()),
        Some(key) => {
            let list: Vec<_> = allowed.iter().map(Regex::as_str).collect();
            let msg = format!("tuning: sysctl `{key}` is not allowed: {FILE} has {}", list.join(", "));
            Err(Failure::new(ErrorCode::INVALID_NETWORK_CONFIG, msg))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sysctl_is_allowed_when_an_expression_matches_a_part_of_its_name() {
        let is_allowed = |list, key: &str| check_against(list, [key].into_iter()).is_ok();
        let list = "\n ^net\\.ipv4\\.conf\\.all\\.[a-z_]*$ \ntcp_(rmem|wmem)\n";
        assert!(is_allowed(list, "net.ipv4.conf.all.log_martians"));
        assert!(is_allowed(list, "net.ipv4.tcp_rmem"));
        assert!(!is_allowed(list, "net.ipv4.conf.eth0.log_martians"));
        assert!(!is_allowed("", "net.ipv4.tcp_rmem"));
        assert!(!is_allowed("(", "net.ipv4.tcp_rmem"));
    }
}

//! Sysctls of a network namespace.

use std::fs;
use std::path::PathBuf;

use libcni::plugin::{Answer, Failure};

use crate::invalid::invalid;
use crate::text;

/// The file of a sysctl; `IFNAME` in its name stands for the interface.
///
/// # Errors
/// It is none of the network's.
fn file(key: &str, ifname: &str) -> Answer<PathBuf> {
    // An interface may have a point in its name.
    let path = key.strip_prefix('/').unwrap_or(key).replace('.', "/").replacen("IFNAME", ifname, 1);
    let is_name = |part: &str| !part.is_empty() && part != "." && part != "..";
    if !path.starts_with("net/") || !path.split('/').all(is_name) || path.contains('\0') {
        return Err(invalid(format!(
            "tuning: `sysctl`: `{key}` is not one of the network's, such as `net.ipv4.ip_forward`"
        )));
    }
    Ok(PathBuf::from("/proc/sys").join(path))
}

/// Sets a sysctl of the calling thread's namespace.
pub(crate) fn write(key: &str, ifname: &str, value: &str) -> Answer {
    let file = file(key, ifname)?;
    let failed =
        |e| Failure::internal(format!("tuning: cannot set sysctl `{key}` to {value}: {}: {e}", file.display()));
    fs::write(&file, value).map_err(failed)
}

/// Checks that a sysctl of the calling thread's namespace has a value. The kernel has tabs between numbers.
pub(crate) fn check(key: &str, ifname: &str, value: &str) -> Answer {
    let file = file(key, ifname)?;
    let failed = |e| Failure::internal(format!("tuning: cannot read sysctl `{key}`: {}: {e}", file.display()));
    let found = text::read(&file).map_err(failed)?;
    if found.split_whitespace().eq(value.split_whitespace()) {
        return Ok(());
    }
    Err(Failure::internal(format!("CHECK: tuning: sysctl `{key}` is {}, not {value}", found.trim_end())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sysctl_is_a_file_of_the_network() {
        let path = |key| file(key, "eth0.1").map(|path| path.display().to_string()).map_err(|_| ());
        assert_eq!(path("net.ipv4.conf.IFNAME.forwarding"), Ok("/proc/sys/net/ipv4/conf/eth0.1/forwarding".to_owned()));
        for same in ["net/core/somaxconn", "/net/core/somaxconn", "net/core.somaxconn"] {
            assert_eq!(path(same), Ok("/proc/sys/net/core/somaxconn".to_owned()));
        }
        for other in ["kernel.pid_max", "net", "net.", "net/../kernel/pid_max", "/kernel/pid_max", "", "/", "net..core"]
        {
            assert_eq!(path(other), Err(()), "{other}");
        }
    }
}

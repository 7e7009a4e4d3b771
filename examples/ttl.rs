//! `ttl`: sets how far the container's packets go. The plugin of [TUTORIAL.md](TUTORIAL.md).
//!
//! Works behind a plugin that made an interface. Keys of its configuration:
//!
//! - `ttl`: the time to live of IPv4 packets, 1 to 255.

use std::fs;
use std::num::NonZeroU8;
use std::process::ExitCode;

use libcni::netns::run_in;
use libcni::plugin::{Answer, AttachmentCall, Failure, Plugin, run};
use libcni::result::AddResult;
use serde::Deserialize;

/// Each network namespace has its own.
const SYSCTL: &str = "/proc/sys/net/ipv4/ip_default_ttl";

#[derive(Debug, Deserialize)]
struct Config {
    ttl: NonZeroU8,
}

struct Ttl;

impl Plugin for Ttl {
    fn add(&self, call: &AttachmentCall) -> Answer<AddResult> {
        let config: Config = call.config.typed()?;
        let previous = call.config.require_prev_result()?;
        run_in(call.require_netns()?, || fs::write(SYSCTL, config.ttl.to_string()))??;
        Ok(previous)
    }

    fn del(&self, _call: &AttachmentCall) -> Answer {
        // It goes with the namespace.
        Ok(())
    }

    fn check(&self, call: &AttachmentCall) -> Answer {
        let config: Config = call.config.typed()?;
        let found = run_in(call.require_netns()?, || fs::read_to_string(SYSCTL))??;
        if found.trim() == config.ttl.to_string() {
            Ok(())
        } else {
            Err(Failure::internal(format!("the TTL is {}, not {}", found.trim(), config.ttl)))
        }
    }
}

fn main() -> ExitCode {
    run(Ttl)
}

#[cfg(test)]
mod tests {
    use libcni::plugin::{Input, Outcome, dispatch};
    use libcni::spec::Command;

    use super::*;

    fn add(config: &str) -> Outcome {
        dispatch(&Ttl, Input::call(Command::Add, config))
    }

    #[test]
    fn a_ttl_of_0_is_an_invalid_configuration() {
        let outcome = add(r#"{"cniVersion": "1.1.0", "name": "own", "ttl": 0}"#);
        assert!(outcome.stdout.contains(r#""code":7"#), "{}", outcome.stdout);
    }

    #[test]
    fn it_is_not_the_first_plugin_of_a_list() {
        let outcome = add(r#"{"cniVersion": "1.1.0", "name": "own", "ttl": 42}"#);
        assert!(outcome.stdout.contains("no prevResult"), "{}", outcome.stdout);
    }
}

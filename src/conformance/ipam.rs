//! Stands in for an IPAM plugin: it records how it is run, and gives the answers of the check.

use std::ffi::{OsStr, OsString};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::result::AddResult;
use crate::result::v100::{Body, Ip};
use crate::spec::{CNI_COMMAND, CNI_PATH, Command, ErrorReply, IpNet, Object, Version};
use serde_json::{Value, json};

use super::bench::{Bench, OURS};
use super::call::Call;
use super::finding::{Verdict, not_applicable};

/// Its type.
const NAME: &str = "conformance-ipam";

/// The text on stderr.
pub(super) const SAID: &str = "conformance-ipam was here";

/// Which calls are recorded by number: a plugin may run it twice at once.
const PROGRAM: &str = r#"#!/bin/sh
dir=${0%/*}
n=1
while ! mkdir "$dir/calls/$n"; do n=$((n + 1)); done 2>/dev/null
tr '\0' '\n' <"/proc/$$/environ" >"$dir/calls/$n/env"
cat >"$dir/calls/$n/stdin"
echo "conformance-ipam was here" >&2
cat "$dir/answer.$CNI_COMMAND" 2>/dev/null
test ! -e "$dir/refuses.$CNI_COMMAND"
"#;

/// The stand-in, installed on the host of a check.
pub(super) struct Ipam {
    dir: PathBuf,
    config: Value,
    /// The CNI_PATH with which it is found.
    path: OsString,
}

/// One execution of it.
pub(super) struct Recorded {
    /// The variables of the protocol, in order.
    pub(super) variables: Vec<String>,
    pub(super) stdin: String,
}

impl Ipam {
    /// Installs it; needs a plugin that delegates to one.
    pub(super) fn install(bench: &Bench<'_>) -> Verdict<Self> {
        if bench.subject.delegate().is_empty() {
            return Err(not_applicable("the plugin is configured without an IPAM plugin"));
        }
        if !Path::new("/bin/sh").exists() {
            return Err(not_applicable("the stand-in for an IPAM plugin needs /bin/sh"));
        }
        let dir = PathBuf::from(OURS);
        fs::create_dir_all(dir.join("calls"))?;
        fs::write(dir.join(NAME), PROGRAM)?;
        fs::set_permissions(dir.join(NAME), Permissions::from_mode(0o755))?;
        let mut config: Value = bench.subject.config.object().typed("ipam").ok().flatten().unwrap_or_default();
        config["type"] = json!(NAME);
        let ipam = Self { dir, config, path: [OsStr::new(OURS), &bench.path()].join(OsStr::new(":")) };
        let address = IpNet::new([10, 88, 0, 5].into(), 16).expect("a prefix length");
        let ip = Ip { gateway: Some([10, 88, 0, 1].into()), ..Ip::new(address) };
        ipam.answers(bench.version(), Body { ips: vec![ip], ..Body::default() })?;
        let versions: Vec<_> = Version::ALL.iter().map(ToString::to_string).collect();
        ipam.write("answer.VERSION", &json!({"cniVersion": "1.1.0", "supportedVersions": versions}).to_string())?;
        Ok(ipam)
    }

    /// Answers ADD with this from now on.
    pub(super) fn answers(&self, version: &Version, body: Body) -> Verdict {
        let result = AddResult::from(body).to_version(version);
        // An old version can't say a result without addresses.
        let text = result.map_or_else(|_| Object::new().to_string(), |result| result.to_string());
        self.write("answer.ADD", &text)
    }

    /// Refuses a verb from now on.
    pub(super) fn refuses(&self, command: Command, error: ErrorReply) -> Verdict {
        let error = serde_json::to_string(&error).map_err(io::Error::from)?;
        self.write(&format!("answer.{command}"), &error)?;
        self.write(&format!("refuses.{command}"), "")
    }

    fn write(&self, name: &str, text: &str) -> Verdict {
        Ok(fs::write(self.dir.join(name), text)?)
    }

    /// The same call, with this as IPAM plugin.
    pub(super) fn on<'b>(&self, call: Call<'b>) -> Call<'b> {
        call.key("ipam", &self.config).with(CNI_PATH, &self.path)
    }

    /// Its executions with a verb so far.
    pub(super) fn calls(&self, command: Command) -> Verdict<Vec<Recorded>> {
        let dirs = (1..).map(|n: u32| self.dir.join("calls").join(n.to_string())).take_while(|dir| dir.exists());
        let recorded = dirs.map(|dir| {
            let env = fs::read_to_string(dir.join("env"))?;
            let mut variables: Vec<_> =
                env.lines().filter(|line| line.starts_with("CNI_")).map(str::to_owned).collect();
            variables.sort();
            Ok(Recorded { variables, stdin: fs::read_to_string(dir.join("stdin"))? })
        });
        let mut recorded = recorded.collect::<io::Result<Vec<_>>>()?;
        let verb = format!("{CNI_COMMAND}={command}");
        recorded.retain(|call| call.variables.contains(&verb));
        Ok(recorded)
    }
}

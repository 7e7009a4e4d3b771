//! `hosts`: a chained plugin that tells the containers of a network apart by name.
//!
//! It writes a file in the form of /etc/hosts for each attachment, for a program that serves names on the node. Works
//! behind a plugin that gave the interface addresses. Keys of its configuration:
//!
//! - `dir`: where the files are.
//!
//! The name is that of the pod, where the runtime says it, and else that of the container.

use std::collections::HashSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libcni::plugin::{Answer, AttachmentCall, Call, Failure, Plugin, run};
use libcni::result::AddResult;
use libcni::spec::ErrorCode;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Config {
    dir: PathBuf,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Args {
    #[serde(rename = "K8S_POD_NAME")]
    pod: Option<String>,
}

struct Hosts;

/// The directory of a network's files.
fn dir(call: &Call) -> Answer<PathBuf> {
    Ok(call.config.typed::<Config>()?.dir.join(call.config.name().as_str()))
}

fn file(call: &AttachmentCall) -> Answer<PathBuf> {
    Ok(dir(call)?.join(format!("{}:{}", call.container_id, call.ifname)))
}

/// The lines for a container: each of its addresses with its name.
fn lines(call: &AttachmentCall, result: &AddResult) -> Answer<String> {
    let name = call.args::<Args>()?.pod.unwrap_or_else(|| call.container_id.to_string());
    let addresses = result.addresses(call.ifname.as_str());
    Ok(addresses.iter().map(|address| format!("{}\t{name}\n", address.addr())).collect())
}

/// Succeeds where the file is not there any more.
fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

impl Plugin for Hosts {
    fn add(&self, call: &AttachmentCall) -> Answer<AddResult> {
        let result = call.config.require_prev_result()?;
        fs::create_dir_all(dir(call)?)?;
        fs::write(file(call)?, lines(call, &result)?)?;
        Ok(result)
    }

    fn del(&self, call: &AttachmentCall) -> Answer {
        Ok(remove(&file(call)?)?)
    }

    fn check(&self, call: &AttachmentCall) -> Answer {
        let (file, result) = (file(call)?, call.config.require_prev_result()?);
        if fs::read_to_string(&file)? == lines(call, &result)? {
            return Ok(());
        }
        Err(Failure::internal(format!("{} is not as ADD wrote it", file.display())))
    }

    fn gc(&self, call: &Call) -> Answer {
        let Some(valid) = call.config.valid_attachments()? else { return Ok(()) };
        let kept: HashSet<_> = valid.iter().map(|one| format!("{}:{}", one.container_id, one.ifname)).collect();
        let files = match fs::read_dir(dir(call)?) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            files => files?,
        };
        for file in files {
            let file = file?;
            if !file.file_name().to_str().is_some_and(|name| kept.contains(name)) {
                remove(&file.path())?;
            }
        }
        Ok(())
    }

    fn status(&self, call: &Call) -> Answer {
        let unusable = |error| Failure::new(ErrorCode::NOT_AVAILABLE, format!("the directory can't be made: {error}"));
        fs::create_dir_all(dir(call)?).map_err(unusable)
    }
}

fn main() -> ExitCode {
    run(Hosts)
}

#[cfg(test)]
mod tests {
    use libcni::plugin::{Input, Outcome, dispatch};
    use libcni::spec::{CNI_ARGS, CNI_CONTAINERID, Command};

    use super::*;

    fn call(command: Command, dir: &Path, keys: &str) -> Outcome {
        let config = format!(r#"{{"cniVersion": "1.1.0", "name": "net", "dir": {dir:?}, {keys}}}"#);
        let pod = "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web";
        let outcome = dispatch(&Hosts, Input::call(command, config).variable(CNI_ARGS, pod));
        assert_eq!(outcome.exit_code, 0, "{}", outcome.stdout);
        outcome
    }

    const PREVIOUS: &str = r#""prevResult": {"ips": [{"address": "10.1.2.3/24"}, {"address": "fd00::3/64"}]}"#;

    #[test]
    fn a_pod_has_its_name_from_add_to_del() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        call(Command::Status, dir, r#""x": 0"#);
        assert!(call(Command::Add, dir, PREVIOUS).stdout.contains("10.1.2.3/24"));
        let file = dir.join("net/c1:eth0");
        assert_eq!(fs::read_to_string(&file).unwrap(), "10.1.2.3\tweb\nfd00::3\tweb\n");
        call(Command::Check, dir, PREVIOUS);
        call(Command::Gc, dir, r#""cni.dev/valid-attachments": [{"containerID": "c1", "ifname": "eth0"}]"#);
        assert!(file.exists());
        call(Command::Del, dir, PREVIOUS);
        call(Command::Del, dir, PREVIOUS);
        assert!(!file.exists());
    }

    #[test]
    fn gc_removes_the_names_of_containers_that_are_gone() {
        let dir = tempfile::tempdir().unwrap();
        call(Command::Add, dir.path(), PREVIOUS);
        call(Command::Gc, dir.path(), r#""cni.dev/valid-attachments": []"#);
        assert!(!dir.path().join("net/c1:eth0").exists());
    }

    #[test]
    fn check_finds_a_name_that_somebody_changed() {
        let dir = tempfile::tempdir().unwrap();
        call(Command::Add, dir.path(), PREVIOUS);
        fs::write(dir.path().join("net/c1:eth0"), "10.1.2.3\tother\n").unwrap();
        let config = format!(r#"{{"cniVersion": "1.1.0", "name": "net", "dir": {:?}, {PREVIOUS}}}"#, dir.path());
        let outcome = dispatch(&Hosts, Input::call(Command::Check, config).variable(CNI_CONTAINERID, "c1"));
        assert!(outcome.stdout.contains("is not as ADD wrote it"), "{}", outcome.stdout);
    }
}

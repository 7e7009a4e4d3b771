//! A list, capability arguments and a previous result become what a plugin gets on stdin.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use libcni::conf::NetworkConfig;
use libcni::invoke::{Exec, ExecError, FindError, Limits, Output, Request};
use libcni::runtime::Keep;
use libcni::spec::capability::CapabilityArgs;
use libcni::spec::{Json, Object};
use libcni::{Attachment, Cni};
use tempfile::TempDir;

use super::parts;

/// Every verb sends each plugin its own object, byte for byte but for the keys that are the runtime's.
pub fn holds(data: &[u8]) {
    let Some(text) = parts::text(data) else { return };
    let [list, arguments, answer] = parts::split(text);
    let Ok(network) = NetworkConfig::parse(list) else { return };
    let exec = Recorder::answering(answer);
    let cni = cni().to_builder().exec(exec.clone()).build().expect("settings");
    let attachment = Attachment::new("c1".parse().expect("an ID"), "eth0".parse().expect("a name"));
    let arguments = CapabilityArgs::parse(arguments).unwrap_or_default();
    let attachment = attachment.netns("/run/netns/blue").capability_args(arguments);
    let _ = cni.add(&network, &attachment);
    let _ = cni.check(&network, &attachment);
    let _ = cni.status(&network);
    let _ = cni.gc(&network, &Keep::only([(&attachment.container_id, &attachment.ifname)]));
    let _ = cni.del(&network, &attachment);
    for request in exec.requests() {
        is_derived(&request, &network);
    }
}

thread_local! {
    static DIR: TempDir = parts::directory();
}

fn cni() -> Cni {
    let dir = DIR.with(|dir| dir.path().to_owned());
    Cni::builder().env([("PATH", "/usr/bin")]).cache_dir(dir).on_notice(|_| {}).build().expect("settings")
}

fn is_derived(request: &Request, network: &NetworkConfig) {
    let stdin = std::str::from_utf8(&request.stdin).expect("UTF-8");
    let sent = Object::parse(stdin).expect("a JSON object");
    let value = |key| sent.get(key).map(|json| json.to_string());
    let text = |text: &str| Some(serde_json::to_string(text).expect("a text"));
    assert_eq!(value("name"), text(network.name()));
    assert_eq!(value("cniVersion"), text(network.cni_version().unwrap_or_default()));
    let mut of_type = network.plugins().iter().filter(|plugin| plugin.plugin_type() == request.plugin);
    assert!(of_type.any(|plugin| own(plugin.object()) == own(&sent)), "{stdin} is no plugin's");
}

/// The pairs of an object that no runtime sets.
fn own(object: &Object) -> Vec<(&str, Json<'_>)> {
    let set = ["name", "cniVersion", "prevResult", "runtimeConfig", "cni.dev/valid-attachments", "cni.dev/attachments"];
    object.iter().filter(|(key, _)| !set.contains(key)).collect()
}

/// Answers every request with the same text, and remembers it.
#[derive(Clone, Debug)]
struct Recorder {
    answer: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Recorder {
    fn answering(answer: &str) -> Self {
        Self { answer: answer.to_owned(), requests: Arc::default() }
    }

    fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no thread has panicked").clone()
    }
}

impl Exec for Recorder {
    fn find(&self, plugin: &str, _: &[PathBuf]) -> Result<PathBuf, FindError> {
        Ok(PathBuf::from("/fake").join(plugin))
    }

    fn exec(&self, request: &Request, _: &Limits) -> Result<Output, ExecError> {
        self.requests.lock().expect("no thread has panicked").push(request.clone());
        Ok(Output::default().stdout(self.answer.clone()))
    }
}

//! What a plugin is sent.

use libcni::Attachment;
use libcni::conf::NetworkConfig;
use libcni::runtime::Keep;
use libcni::spec::capability::CapabilityArgs;
use libcni::spec::{Json, Object};
use proptest::prelude::*;

use super::made_up::object;
use crate::support::{FakeExec, Sandbox, attachment, printing};

/// Keys that the runtime sets, whatever a configuration says.
const OWNED: [&str; 6] =
    ["name", "cniVersion", "prevResult", "runtimeConfig", "cni.dev/valid-attachments", "cni.dev/attachments"];

fn not_owned(object: &Object) -> Vec<(String, String)> {
    let pairs = object.iter().filter(|(key, _)| !OWNED.contains(key));
    pairs.map(|(key, value)| (key.to_owned(), value.to_string())).collect()
}

/// A network of one plugin with these keys of its own, among them two that are replaced, and capabilities that are on.
fn network(own: &Object, capabilities: &Object) -> NetworkConfig {
    let mut plugin = own.clone();
    let mut on = Object::new();
    capabilities.iter().for_each(|(key, _)| on.set(key, &true));
    plugin.set("capabilities", &on);
    [("name", "other"), ("cniVersion", "0.1.0"), ("type", "one")].iter().for_each(|(key, text)| plugin.set(key, text));
    let mut list = Object::new();
    list.set("cniVersion", "1.1.0");
    list.set("name", "net");
    list.set("plugins", &[plugin]);
    NetworkConfig::parse(&list.to_string()).unwrap()
}

proptest! {
    #![proptest_config(super::very_few())]

    #[test]
    fn every_verb_sends_every_byte_that_is_the_plugins_own(
        own in object("x[a-z]{0,4}|\\PC{0,2}"),
        arguments in object("[a-f]"),
        declared in object("[a-f]"),
    ) {
        let network = network(&own, &declared);
        let exec = FakeExec::new(|_| printing("{}"));
        let sandbox = Sandbox::new();
        let cni = sandbox.builder().exec(exec.clone()).build().unwrap();
        let mine = attachment("c1", "eth0").capability_args(CapabilityArgs::from(arguments.clone()));
        run_all(&cni, &network, &mine);
        let requests = exec.requests();
        prop_assert_eq!(requests.len(), 5);
        for request in requests {
            let sent = Object::parse(std::str::from_utf8(&request.stdin).unwrap()).unwrap();
            prop_assert_eq!(not_owned(&sent), not_owned(network.plugins()[0].object()));
            prop_assert_eq!(sent.get("name").unwrap().as_str(), "\"net\"");
            let given: Vec<_> = arguments.iter().filter(|(key, _)| declared.get(key).is_some()).collect();
            let sends_arguments = request.env("CNI_CONTAINERID") == Some("c1".as_ref());
            let expected = (sends_arguments && !given.is_empty()).then(|| object_of(&given).to_string());
            prop_assert_eq!(sent.get("runtimeConfig").map(|json| json.to_string()), expected);
        }
    }
}

fn object_of(pairs: &[(&str, Json<'_>)]) -> Object {
    let mut object = Object::new();
    pairs.iter().for_each(|(key, json)| object.set(key, json));
    object
}

fn run_all(cni: &libcni::Cni, network: &NetworkConfig, attachment: &Attachment) {
    cni.add(network, attachment).unwrap();
    cni.check(network, attachment).unwrap();
    cni.status(network).unwrap();
    cni.gc(network, &Keep::only([(&attachment.container_id, &attachment.ifname)])).unwrap();
    cni.del(network, attachment).unwrap();
}

//! The configuration of the plugin that does the work.

use libcni::plugin::{Answer, Config};
use libcni::spec::{Json, Object, ToJson};
use serde_json::{Value, json};

use crate::flannel::subnet::Subnet;
use crate::invalid::invalid;

/// The plugin, and what it is configured with.
#[derive(Clone, Debug)]
pub(crate) struct Rendered {
    pub(crate) plugin: String,
    pub(crate) config: Object,
}

/// The part of a call that is passed to the delegate.
const HANDED_ON: [&str; 4] = ["runtimeConfig", "prevResult", "cni.dev/valid-attachments", "cniVersion"];

impl Rendered {
    /// A configuration as it was saved; `None` when it names no plugin.
    pub(crate) fn of(config: Object) -> Option<Self> {
        let plugin: String = serde_json::from_str(value(&config, "type")?).ok()?;
        Some(Self { plugin, config })
    }

    pub(crate) fn network(&self) -> Option<String> {
        serde_json::from_str(value(&self.config, "name")?).ok()
    }

    /// Takes over what a call says beside the configuration itself.
    pub(crate) fn take_from(&mut self, call: &Object) -> Answer {
        for key in HANDED_ON {
            if let Some(json) = value(call, key) {
                self.config.set_json(key, json)?;
            }
        }
        Ok(())
    }
}

/// The delegate's configuration, of that of the plugin and the file of flanneld.
pub(crate) fn render(config: &Config, subnet: &Subnet) -> Answer<Rendered> {
    let mut delegate = object(config, "delegate")?;
    for key in ["name", "ipam"] {
        if value(&delegate, key).is_some() {
            return Err(invalid(format!("flannel: `delegate` must not have `{key}`, which this plugin sets")));
        }
    }
    let plugin = match value(&delegate, "type") {
        None => "bridge".to_owned(),
        Some(text) => serde_json::from_str(text)
            .map_err(|_| invalid(format!("flannel: `delegate.type` must be a string, not {text}")))?,
    };
    if plugin == "flannel" {
        return Err(invalid("flannel: `delegate.type` can't be `flannel` itself"));
    }
    delegate.set("name", config.name().as_str());
    delegate.set("cniVersion", config.version().as_str());
    set_default(&mut delegate, "type", &plugin);
    set_default(&mut delegate, "ipMasq", &!subnet.is_masqueraded);
    set_default(&mut delegate, "mtu", &subnet.mtu);
    if plugin == "bridge" {
        set_default(&mut delegate, "isGateway", &true);
    }
    delegate.set("ipam", &ipam(config, subnet)?);
    let mut rendered = Rendered { plugin, config: delegate };
    if let Some(json) = value(config.object(), "runtimeConfig") {
        rendered.config.set_json("runtimeConfig", json)?;
    }
    Ok(rendered)
}

fn set_default(object: &mut Object, key: &str, default: &(impl ToJson + ?Sized)) {
    if value(object, key).is_none() {
        object.set(key, default);
    }
}

/// The IPAM plugin's part: the node's subnets, and routes to the whole network.
fn ipam(config: &Config, subnet: &Subnet) -> Answer<Object> {
    let mut ipam = object(config, "ipam")?;
    set_default(&mut ipam, "type", "host-local");
    let ranges: Vec<_> = subnet.subnets.iter().map(|net| json!([{"subnet": net.to_string()}])).collect();
    let mut routes: Vec<Value> = match value(&ipam, "routes") {
        None => Vec::new(),
        Some(text) => serde_json::from_str(text)
            .map_err(|_| invalid(format!("flannel: `ipam.routes` must be a list, not {text}")))?,
    };
    routes.extend(subnet.networks.iter().map(|net| json!({"dst": net.to_string()})));
    ipam.try_set("ranges", &ranges)?;
    ipam.try_set("routes", &routes)?;
    Ok(ipam)
}

/// An object of the configuration; without keys when it is absent.
fn object(config: &Config, key: &str) -> Answer<Object> {
    let Some(text) = value(config.object(), key) else { return Ok(Object::new()) };
    Object::parse(text).map_err(|_| invalid(format!("flannel: `{key}` must be an object, not {text}")))
}

/// The value of a key that is there: the exact key, or else the last one in another case; `null` counts as absent.
fn value<'a>(object: &'a Object, key: &str) -> Option<&'a str> {
    let any_case = || object.iter().filter(|(other, _)| other.eq_ignore_ascii_case(key)).last().map(|(_, value)| value);
    object.get(key).or_else(any_case).map(Json::as_str).filter(|value| value.trim() != "null")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(keys: Value) -> Result<Value, String> {
        let mut config = json!({"cniVersion": "1.0.0", "name": "cbr0", "type": "flannel"});
        config.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
        let config = Config::parse(config.to_string().as_bytes()).unwrap();
        let subnet = Subnet {
            networks: vec!["10.1.0.0/16".parse().unwrap()],
            subnets: vec!["10.1.17.0/24".parse().unwrap()],
            mtu: 1472,
            is_masqueraded: true,
        };
        let rendered = render(&config, &subnet).map_err(|failure| failure.into_reply().msg)?;
        Ok(serde_json::from_str(&rendered.config.to_string()).unwrap())
    }

    #[test]
    fn it_is_a_bridge_unless_told_otherwise() {
        let expected = json!({"name": "cbr0", "cniVersion": "1.0.0", "type": "bridge", "ipMasq": false, "mtu": 1472,
            "isGateway": true, "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.1.17.0/24"}]],
            "routes": [{"dst": "10.1.0.0/16"}]}});
        assert_eq!(rendered(json!({})).unwrap(), expected);
    }

    #[test]
    fn what_is_told_stays_in_any_case_of_keys() {
        let said = rendered(json!({
            "DELEGATE": {"type": "ptp", "MTU": 1400, "ipMasq": true, "hairpinMode": true},
            "ipam": {"type": "static", "routes": [{"dst": "0.0.0.0/0"}]},
            "runtimeConfig": {"mac": "02:00:00:00:00:01"}
        }));
        let said = said.unwrap();
        assert_eq!((&said["type"], &said["MTU"], &said["mtu"]), (&json!("ptp"), &json!(1400), &Value::Null));
        assert_eq!((&said["ipMasq"], &said["isGateway"]), (&json!(true), &Value::Null));
        assert_eq!(said["ipam"]["routes"], json!([{"dst": "0.0.0.0/0"}, {"dst": "10.1.0.0/16"}]));
        assert_eq!(said["runtimeConfig"]["mac"], "02:00:00:00:00:01");
    }

    #[test]
    fn what_the_plugin_sets_itself_is_refused() {
        assert!(rendered(json!({"delegate": {"name": "x"}})).unwrap_err().contains("`name`"));
        assert!(rendered(json!({"delegate": {"ipam": {}}})).unwrap_err().contains("`ipam`"));
        assert!(
            rendered(json!({"delegate": {"type": 1}})).unwrap_err().contains("`delegate.type` must be a string, not 1")
        );
        assert!(rendered(json!({"delegate": {"type": "flannel"}})).unwrap_err().contains("itself"));
        assert!(rendered(json!({"delegate": []})).unwrap_err().contains("`delegate` must be an object"));
        assert!(rendered(json!({"ipam": {"routes": {}}})).unwrap_err().contains("`ipam.routes` must be a list"));
    }
}

//! Configurations: lists, single plugins, the directory.

use libcni::conf::{ConfDir, ConfError, LoadError, NetworkConfig, OnBroken, PluginConfig, PluginProblem, Problem};
use serde_json::{Value, json};

use super::{Outcome, category, run};

fn summary(network: &NetworkConfig) -> Value {
    let plugin = |p: &PluginConfig| json!({"type": p.plugin_type(), "capabilities": p.capabilities()});
    json!({
        "name": network.name(),
        "cniVersion": network.cni_version().unwrap_or_default(),
        "disableCheck": network.disables_check(),
        "disableGC": network.disables_gc(),
        "loadOnlyInlinedPlugins": network.loads_only_inlined_plugins(),
        "plugins": network.plugins().iter().map(plugin).collect::<Vec<_>>(),
    })
}

fn list_error(error: &ConfError) -> &'static str {
    match error.problem() {
        Problem::Json { .. } => "json",
        Problem::Missing("name") => "no_name",
        Problem::Type { key: "name", .. } => "name_type",
        Problem::Type { key: "cniVersion", .. } => "version_type",
        Problem::Type { key: "cniVersions", .. } => "versions_type",
        Problem::Type { key: "cniVersions[]", .. } => "versions_entry_type",
        Problem::Type { key: "plugins", .. } => "plugins_type",
        Problem::Type { .. } => "bool_type",
        Problem::Version { key: "cniVersion", .. } => "version_value",
        Problem::Version { .. } => "versions_entry",
        Problem::Boolean { .. } => "bool_value",
        Problem::OnlyInlinedWithoutPlugins => "inlined_only_without_plugins",
        Problem::NoPlugins => "plugins_empty",
        Problem::Plugin { .. } => "plugin",
        other => panic!("{other}"),
    }
}

#[test]
fn network_conf_vectors() {
    run("network_conf.json", |case| match NetworkConfig::parse(case.text("text")) {
        Ok(network) => Ok(summary(&network)),
        Err(error) => category(list_error(&error)),
    });
}

#[test]
fn plugin_conf_vectors() {
    run("plugin_conf.json", |case| match case.op() {
        "parse" => parse_plugin(case.text("text")),
        "to_list" => to_list(case.text("text")),
        op => panic!("unknown op {op}"),
    });
}

fn parse_plugin(text: &str) -> Outcome {
    let plugin = match PluginConfig::parse(text) {
        Ok(plugin) => plugin,
        Err(PluginProblem::MissingType) => return category("missing_type"),
        Err(_) => return category("json"),
    };
    let dns = plugin.dns();
    Ok(json!({
        "type": plugin.plugin_type(),
        "name": plugin.name().unwrap_or_default(),
        "cniVersion": plugin.cni_version().unwrap_or_default(),
        "capabilities": plugin.capabilities(),
        "ipamType": plugin.ipam_type().unwrap_or_default(),
        "dns": {
            "nameservers": dns.nameservers,
            "domain": dns.domain.clone().unwrap_or_default(),
            "search": dns.search,
            "options": dns.options,
        },
    }))
}

fn to_list(text: &str) -> Outcome {
    match NetworkConfig::from_plugin(text) {
        Ok(network) => {
            let text: Value = serde_json::from_str(network.text()).unwrap();
            Ok(json!({"list": summary(&network), "text": text}))
        }
        Err(error) => match error.problem() {
            Problem::SinglePlugin(PluginProblem::MissingType) => category("missing_type"),
            _ => category("json"),
        },
    }
}

#[test]
fn conf_dir_vectors() {
    run("conf_dir.json", |case| {
        let dir = tempfile::tempdir().unwrap();
        case.write_files(dir.path());
        let path = dir.path().join(case.text_if_any("dir").unwrap_or_default());
        // Go stops at the first broken file, which this crate does on demand.
        match ConfDir::new(path).on_broken(OnBroken::Stop).load(case.text("network")) {
            Ok(loaded) => Ok(summary(&loaded.network)),
            Err(LoadError::NoConfigs { .. }) => category("no_configs"),
            Err(LoadError::NotFound { .. }) => category("not_found"),
            Err(LoadError::Config(error)) => match error.problem() {
                Problem::NoPlugins | Problem::Name(_) => category("other"),
                _ => category("parse"),
            },
            Err(error) => panic!("{error}"),
        }
    });
}

//! The tool, with plugins that do as they should.

use std::cell::Cell;
use std::fs;

use serde_json::json;

use super::injected::{NONE, Run};
use super::interfaces::ipam;
use super::verbs::{Verbs, succeeds, survives};
use crate::host::Host;
use crate::ours::plugins;

pub(super) fn tool_survives(host: &Host) {
    fs::create_dir_all(host.path("net.d")).unwrap();
    let list = |rate: u64| {
        let bridge = json!({"type": "bridge", "bridge": "cni0", "isDefaultGateway": true, "ipam": ipam(host)});
        let portmap = json!({"type": "portmap", "capabilities": {"portMappings": true}, "x": rate});
        json!({"cniVersion": "1.1.0", "name": "net", "plugins": [bridge, portmap]}).to_string()
    };
    fs::write(host.path("net.d/net.conflist"), list(1)).unwrap();
    let run = |words: &[&str]| tool(host, words);
    let of = |verb: &str| {
        run(&[verb, "net", "/run/netns/blue", r#"--cap={"portMappings":[{"hostPort":8080,"containerPort":80}]}"#])
    };
    let check = of("check");
    let verbs = Verbs {
        name: "cnitool".to_owned(),
        add: of("add"),
        check: Box::new(move |_| check.clone()),
        del: of("del"),
        del_failed: of("del"),
        gc: Some(run(&["gc", "net", "--all"])),
        status: run(&["status", "net"]),
        is_plugin: false,
    };
    let is_clean = || {
        host.is_clean();
        assert_eq!(host.run("find cache -name '.intent-*' 2>/dev/null || true"), "");
    };
    verbs.survive(host, &is_clean);

    succeeds(&verbs.add, &NONE);
    fs::write(host.path("net.d/net.conflist"), list(2)).unwrap();
    let update = run(&["update", "net", "/run/netns/blue"]);
    let turn = Cell::new(2);
    verbs.trial("UPDATE").each(&update.faults(host), &|fault| {
        turn.set(turn.get() + 1);
        fs::write(host.path("net.d/net.conflist"), list(turn.get())).unwrap();
        if survives(&update, host, fault, false).is_none() {
            succeeds(&update, fault);
        }
        succeeds(&of("check"), fault);
    });
    succeeds(&verbs.del, &NONE);
    is_clean();
}

/// The tool, with its directories in that of the host.
pub(super) fn tool(host: &Host, words: &[&str]) -> Run {
    let mut run = Run::new(env!("CARGO_BIN_EXE_cnitool").into());
    let options =
        [("--cache-dir", host.path("cache")), ("--conf-dir", host.path("net.d")), ("--plugin-dir", plugins())];
    // STATUS reads no records.
    let options = &options[usize::from(words[0] == "status")..];
    run.command.extend(words.iter().map(|word| (*word).to_owned()));
    run.command
        .extend(options.iter().flat_map(|(option, path)| [(*option).to_owned(), path.to_str().unwrap().to_owned()]));
    run
}

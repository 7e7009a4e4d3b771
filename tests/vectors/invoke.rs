//! Finding plugins, and what their failures mean.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;

use libcni::invoke::{FindError, Output, Request, find, read_reply};
use libcni::spec::Command;
use nix::sys::signal::Signal;
use serde_json::json;

use super::{Case, category, check_each, run};

#[test]
fn find_plugin_vectors() {
    run("find_plugin.json", |case| {
        let dir = tempfile::tempdir().unwrap();
        case.write_files(dir.path());
        let texts =
            |key| -> BTreeMap<String, String> { serde_json::from_value(case.value(key).clone()).unwrap_or_default() };
        for (link, target) in texts("links") {
            fs::create_dir_all(dir.path().join(&link).parent().unwrap()).unwrap();
            symlink(target, dir.path().join(link)).unwrap();
        }
        for (name, mode) in texts("modes") {
            let mode = u32::from_str_radix(&mode, 8).unwrap();
            fs::set_permissions(dir.path().join(name), Permissions::from_mode(mode)).unwrap();
        }
        let paths: Vec<PathBuf> = case.texts("paths").iter().map(|p| dir.path().join(p)).collect();
        match find(case.text("plugin"), &paths) {
            Ok(path) => Ok(json!(path.strip_prefix(dir.path()).unwrap())),
            Err(FindError::NoName) => category("no_name"),
            Err(FindError::BadName { .. }) => category("bad_name"),
            Err(FindError::NoDirs { .. }) => category("no_paths"),
            Err(_) => category("not_found"),
        }
    });
}

fn status(case: &Case) -> ExitStatus {
    match case.text_if_any("signal") {
        Some(name) => ExitStatus::from_raw(format!("SIG{name}").parse::<Signal>().unwrap() as i32),
        None => ExitStatus::from_raw((case.value("exit").as_i64().unwrap() as i32) << 8),
    }
}

#[test]
fn plugin_error_vectors() {
    check_each(
        "plugin_error.json",
        |_| true,
        |case| {
            let request = Request::new("p", Command::Add, "/bin/p");
            let output = Output::default().status(status(case)).stdout(case.text("stdout")).stderr(case.text("stderr"));
            let error = read_reply(&request, output).expect_err("it failed");
            let want = &case.value("expect")["ok"];
            if let Some(fragments) = want["msg_contains"].as_array() {
                let message = error.to_string();
                // Quotes inside a quoted output are escaped.
                let missing =
                    |f: &&serde_json::Value| !message.contains(&f.as_str().unwrap().escape_debug().to_string());
                return match (error.reply(), fragments.iter().find(missing)) {
                    (None, None) => Ok(()),
                    (_, fragment) => Err(format!("{fragment:?} not in {message:?}")),
                };
            }
            let reply = error.reply().ok_or_else(|| format!("no reply: {error}"))?;
            let got = json!({"code": reply.code, "msg": reply.msg, "details": reply.details.as_deref().unwrap_or_default(), "text": reply.to_string()});
            // Go prints "msg; details", and nothing when both are empty.
            if got == *want { Ok(()) } else { Err(format!("want {want}, got {got}")) }
        },
    );
}

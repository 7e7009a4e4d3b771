//! What a plugin is sent, for people and for programs.

use std::ffi::{OsStr, OsString};

use libcni::invoke::Request;
use libcni::spec::Object;

use super::printable;
use super::table::one_line;

/// The program, the variables of the protocol, the names of the others, and stdin, each in lines of their own.
pub(crate) fn text(request: &Request) -> String {
    let (own, inherited) = variables(request);
    let mut lines = vec![format!("{} {}, {}", request.command, request.plugin, request.program.display())];
    lines.extend(own.iter().map(|(name, value)| format!("    {}={}", name.display(), value.display())));
    lines.push(format!("    and {} inherited: {}", inherited.len(), inherited.join(" ")));
    lines.push("  stdin".to_owned());
    let lines: Vec<_> = lines.iter().map(|line| one_line(line)).collect();
    format!("{}\n{}", lines.join("\n"), printable(&indented(&request.stdin)))
}

/// JSON by structure, anything else as it is, four spaces further in.
pub(crate) fn indented(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = Object::parse(&text).map_or_else(|_| text.trim_end().to_owned(), |object| object.to_json_pretty());
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

pub(crate) fn describe(request: &Request) -> Object {
    let (own, inherited) = variables(request);
    let mut env = Object::new();
    own.iter().for_each(|(name, value)| env.set(&name.to_string_lossy(), &value.to_string_lossy()));
    let mut object = Object::new();
    object.set("verb", request.command.as_str());
    object.set("plugin", &request.plugin);
    object.set("program", &request.program.to_string_lossy());
    object.set("env", &env);
    object.set("inherited", &inherited);
    let stdin = String::from_utf8_lossy(&request.stdin);
    match Object::parse(&stdin) {
        Ok(config) => object.set("stdin", &config),
        Err(_) => object.set("stdin", &*stdin),
    }
    object
}

/// The variables of the protocol, and the names of all others: their values may be nobody's business.
fn variables(request: &Request) -> (Vec<&(OsString, OsString)>, Vec<String>) {
    let (own, others): (Vec<_>, Vec<_>) = request.env.iter().partition(|(name, _)| is_of_protocol(name));
    (own, others.iter().map(|(name, _)| name.to_string_lossy().into_owned()).collect())
}

fn is_of_protocol(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b"CNI_")
}

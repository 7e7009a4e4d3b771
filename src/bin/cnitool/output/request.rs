//! Requests as they are sent to a plugin, for people and for programs.

use std::ffi::OsStr;

use libcni::invoke::Request;
use libcni::spec::Object;

use super::printable;
use super::table::one_line;

/// The program, the variables of the protocol, the names of the others, and stdin, each in lines of their own.
pub(crate) fn text(request: &Request) -> String {
    let inherited: Vec<_> = request.inherited().map(OsStr::to_string_lossy).collect();
    let mut lines = vec![format!("{} {}, {}", request.command, request.plugin, request.program.display())];
    lines.extend(request.variables().map(|(name, value)| format!("    {}={}", name.display(), value.display())));
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

//! `--dry-run`: what each plugin would be sent.

use std::io;

use libcni::invoke::Request;
use libcni::spec::{Command, Object};

use super::{is_json, print_json, request};

/// Prints the requests, in the order in which plugins would be run.
pub(crate) fn print(requests: &[Request]) -> io::Result<()> {
    let before = |number: usize| number.checked_sub(1).map(|before| &requests[before]);
    let requests = || requests.iter().enumerate().map(|(number, request)| (number, request, before(number)));
    if is_json() {
        let mut report = Object::new();
        report.set("requests", &requests().map(|(_, request, before)| describe(request, before)).collect::<Vec<_>>());
        return print_json(&report);
    }
    let texts: Vec<_> = requests().map(|(number, request, before)| text(number + 1, request, before)).collect();
    let text = if texts.is_empty() { "nothing would be run".to_owned() } else { texts.join("\n") };
    super::print(&text)
}

/// The plugin whose answer this plugin would get as well: only at ADD, where the answer is not known before.
fn source_of_prev_result<'a>(request: &Request, before: Option<&'a Request>) -> Option<&'a str> {
    before.filter(|_| request.command == Command::Add).map(|before| before.plugin.as_str())
}

fn text(number: usize, request: &Request, before: Option<&Request>) -> String {
    let note = source_of_prev_result(request, before)
        .map(|plugin| format!("\n    and `prevResult`: what `{plugin}` answers, which is not known before it runs"));
    format!("request {number}: {}{}", request::text(request), note.unwrap_or_default())
}

fn describe(request: &Request, before: Option<&Request>) -> Object {
    let mut object = request.record();
    if let Some(plugin) = source_of_prev_result(request, before) {
        object.set("prevResultFrom", plugin);
    }
    object
}

//! `--trace` and `--trace-file`: what each plugin was sent and what it answered.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use libcni::Chain;
use libcni::invoke::{ExecError, ExecEvent, Output};
use libcni::spec::Object;

use super::trace_file::{self, Unfit};
use crate::output::request::{self, indented};
use crate::output::{self, printable, printable_json, warn};

/// Where executions are written down.
pub(crate) struct Trace {
    to_stderr: bool,
    file: Mutex<Option<File>>,
}

impl Trace {
    pub(crate) fn new(to_stderr: bool, file: Option<&Path>) -> Result<Self, Unfit> {
        let file = Mutex::new(file.map(trace_file::open).transpose()?);
        Ok(Self { to_stderr, file })
    }

    pub(crate) fn hear(&self, event: &ExecEvent<'_>) {
        match *event {
            // One line of JSON says all of it at the end.
            ExecEvent::Begins { .. } if output::is_json() => {}
            ExecEvent::Begins { number, request } if self.to_stderr => {
                output::say(&format!("trace {number}: {}", request::text(request)));
            }
            ExecEvent::Ended { number, took, ended, .. } => {
                let record = || compact(&event.record().unwrap_or_default());
                match (self.to_stderr, output::is_json()) {
                    (true, true) => output::line(&record()),
                    (true, false) => output::say(&format!("trace {number}: {}", text(took, ended))),
                    (false, _) => {}
                }
                self.write(record);
            }
            _ => {}
        }
    }

    fn write(&self, record: impl Fn() -> String) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(open) = file.as_mut() else { return };
        if let Err(error) = open.write_all(format!("{}\n", record()).as_bytes()) {
            // Said once: what is traced goes on.
            warn(&format!("cannot write to the trace file: {error}"));
            *file = None;
        }
    }
}

fn text(took: Duration, ended: Result<&Output, &ExecError>) -> String {
    let how = ended.map_or_else(|error| Chain(error).to_string(), |output| output.status.to_string());
    let mut lines = vec![format!("{how}, after {} ms", took.as_millis())];
    let (stdout, stderr) = ended.map_or_else(|error| (&[][..], error.stderr()), |out| (&*out.stdout, &*out.stderr));
    for (title, bytes) in [("  stdout", stdout), ("  stderr", stderr)] {
        if !bytes.is_empty() {
            lines.extend([title.to_owned(), indented(bytes)]);
        }
    }
    printable(&lines.join("\n"))
}

/// JSON in one line. A line break can only be between tokens: in a text it is escaped.
fn compact(object: &Object) -> String {
    printable_json(&object.to_string()).replace(['\n', '\t'], " ")
}

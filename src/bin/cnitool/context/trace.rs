//! `--trace` and `--trace-file`: what each plugin was sent and what it answered.

use std::path::Path;
use std::time::Duration;

use libcni::Chain;
use libcni::invoke::{ExecError, ExecEvent, Output, TraceFile, UnfitTraceFile};

use crate::output::request::{self, indented};
use crate::output::{self, printable, warn};

/// Where executions are written down.
pub(crate) struct Trace {
    to_stderr: bool,
    file: Option<TraceFile>,
}

impl Trace {
    pub(crate) fn new(to_stderr: bool, file: Option<&Path>) -> Result<Self, UnfitTraceFile> {
        Ok(Self { to_stderr, file: file.map(TraceFile::open).transpose()? })
    }

    pub(crate) fn hear(&self, event: &ExecEvent<'_>) {
        if self.to_stderr {
            show(event);
        }
        if let Some(Err(error)) = self.file.as_ref().map(|file| file.append(event)) {
            warn(&format!("cannot write to the trace file: {error}"));
        }
    }
}

fn show(event: &ExecEvent<'_>) {
    match *event {
        // One line of JSON says all of it at the end.
        _ if output::is_json() => event.line().iter().for_each(|line| output::line(line)),
        ExecEvent::Begins { number, request, .. } => {
            output::say(&format!("trace {number}: {}", request::text(request)))
        }
        ExecEvent::Ended { number, took, ended, .. } => output::say(&format!("trace {number}: {}", text(took, ended))),
        _ => {}
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

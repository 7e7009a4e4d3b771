//! Each execution as a span of the crate `tracing`, with the lines of the plugin's stderr as its events.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tracing::{Instrument, Span, debug, error_span, field, info, warn};

use super::{Exec, ExecError, ExecFuture, FindError, Limits, Output, Request, read_reply};
use crate::spec::{CNI_CONTAINERID, CNI_IFNAME, Object};
use crate::{Chain, Printable};

/// Reports each execution to the crate `tracing` (feature `tracing`).
///
/// One span for each, `cni_plugin`, with the fields `plugin`, `command`, `network`, `container_id`, `ifname` and
/// `program`, and from its end on `duration_ms` and `exit` (`exit status: 0`, `signal: 9 (SIGKILL)`). In it are these
/// events, all with the target `libcni::plugin`:
///
/// - one for each line that the plugin wrote to stderr, at INFO, or at WARN when it failed;
/// - one for its end, with `duration_ms` and `exit`: `ended` at DEBUG, `failed` at WARN with the field `error`.
///
/// The text of a plugin is [`Printable`]. [`Builder::tracing`](crate::runtime::Builder::tracing) wraps a runtime's own
/// executor in this one.
#[derive(Clone, Debug)]
pub struct TracingExec<E> {
    exec: E,
}

impl<E: Exec> TracingExec<E> {
    /// Runs plugins with another executor, and reports each execution.
    pub fn new(exec: E) -> Self {
        Self { exec }
    }
}

impl<E: Exec> Exec for TracingExec<E> {
    fn find(&self, plugin: &str, dirs: &[PathBuf]) -> Result<PathBuf, FindError> {
        self.exec.find(plugin, dirs)
    }

    fn exec(&self, request: &Request, limits: &Limits) -> Result<Output, ExecError> {
        let span = span(request);
        span.in_scope(|| {
            let began = Instant::now();
            let ended = self.exec.exec(request, limits);
            tell(&span, request, &ended, began.elapsed());
            ended
        })
    }

    fn exec_async<'a>(&'a self, request: &'a Request, limits: &'a Limits) -> ExecFuture<'a> {
        let span = span(request);
        let entered = span.clone();
        let execution = async move {
            let began = Instant::now();
            let ended = self.exec.exec_async(request, limits).await;
            tell(&span, request, &ended, began.elapsed());
            ended
        };
        Box::pin(execution.instrument(entered))
    }
}

/// At ERROR, so that subscribers that want only warnings get the span, too: otherwise the warnings would have no
/// plugin.
fn span(request: &Request) -> Span {
    let variable = |name| field::display(request.env(name).unwrap_or_default().display());
    error_span!(
        target: "libcni::plugin",
        "cni_plugin",
        plugin = request.plugin,
        command = request.command.as_str(),
        network = network(request),
        container_id = variable(CNI_CONTAINERID),
        ifname = variable(CNI_IFNAME),
        program = %request.program.display(),
        duration_ms = field::Empty,
        exit = field::Empty,
    )
}

/// The network that a plugin's configuration is of. VERSION has none.
fn network(request: &Request) -> String {
    let config = std::str::from_utf8(&request.stdin).ok().and_then(|text| Object::parse(text).ok());
    config.and_then(|config| config.typed("name").ok()?).unwrap_or_default()
}

fn tell(span: &Span, request: &Request, ended: &Result<Output, ExecError>, duration: Duration) {
    span.record("duration_ms", milliseconds(duration));
    match ended {
        Ok(output) => tell_end(span, request, output, duration),
        Err(error) => tell_error(error, duration),
    }
}

fn tell_end(span: &Span, request: &Request, output: &Output, duration: Duration) {
    let (exit, duration_ms) = (output.status.to_string(), milliseconds(duration));
    span.record("exit", &exit);
    match read_reply(request, output.clone()) {
        Ok(_) => {
            let stderr = String::from_utf8_lossy(&output.stderr);
            lines(&stderr).for_each(|line| info!(target: "libcni::plugin", "{}", Printable(line)));
            debug!(target: "libcni::plugin", duration_ms, exit, "ended");
        }
        Err(error) => {
            warn_of_stderr(&output.stderr);
            warn!(target: "libcni::plugin", duration_ms, exit, error = %error.failure, "failed");
        }
    }
}

fn tell_error(error: &ExecError, duration: Duration) {
    warn_of_stderr(error.stderr());
    warn!(target: "libcni::plugin", duration_ms = milliseconds(duration), error = %Chain(error), "failed");
}

fn warn_of_stderr(stderr: &[u8]) {
    let text = String::from_utf8_lossy(stderr);
    lines(&text).for_each(|line| warn!(target: "libcni::plugin", "{}", Printable(line)));
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim().is_empty())
}

fn milliseconds(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}

//! Executions as events.

use std::sync::{Arc, Mutex};

use libcni::invoke::{Exec, ExecEvent, FindError, ObservedExec, ProcessExec};
use libcni::{Cni, Error};

use crate::support::{FakeExec, Sandbox, Script, attachment, failing};

/// A line for each event that an executor tells.
fn told() -> (Arc<Mutex<Vec<String>>>, impl Fn(&ExecEvent<'_>) + Send + Sync) {
    let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    let heard = lines.clone();
    let hear = move |event: &ExecEvent<'_>| {
        let line = match event {
            ExecEvent::Begins { number, request, .. } => format!("{number} {} {}", request.command, request.plugin),
            ExecEvent::Ended { number, ended: Ok(output), .. } => {
                let [stdout, stderr] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
                format!("{number} {}, {stdout:?}, {stderr:?}", output.status)
            }
            ExecEvent::Ended { number, ended: Err(error), .. } => format!("{number} {error}"),
            other => panic!("{other:?}"),
        };
        heard.lock().unwrap().push(line);
    };
    (lines, hear)
}

#[test]
fn each_execution_is_told_when_it_begins_and_when_it_has_ended() {
    let (lines, hear) = told();
    let sandbox = Sandbox::new().plugins(["one", "two"]).on("one", "ADD", "echo '{}'; echo hm >&2");
    let sandbox = sandbox.on("two", "ADD", "kill -9 $$");
    let cni = sandbox.builder().on_notice(|_| ()).exec(ObservedExec::new(ProcessExec, hear)).build().unwrap();
    let error = cni.add(&sandbox.network(), &attachment("c1", "eth0")).unwrap_err();
    assert!(matches!(error, Error::Plugin(_)), "{error:?}");
    let expected =
        ["1 ADD one", r#"1 exit status: 0, "{}\n", "hm\n""#, "2 ADD two", r#"2 signal: 9 (SIGKILL), "", """#];
    assert_eq!(*lines.lock().unwrap(), expected);
}

#[test]
fn an_execution_that_had_to_be_ended_is_told_with_the_reason() {
    let (lines, hear) = told();
    let script = Script::new("sleep 300").timeout(50);
    ObservedExec::new(ProcessExec, hear).exec(&script.request, &script.limits).unwrap_err();
    assert_eq!(lines.lock().unwrap()[1], "1 timed out: no answer after 50 ms; its process group was ended");
}

#[test]
fn plugins_are_found_by_the_executor_that_runs_them() {
    let (lines, hear) = told();
    let fake = FakeExec::new(|_| failing(3, "", "")).without(|plugin| plugin == "gone");
    let cni = Cni::builder().exec(ObservedExec::new(fake, hear)).build().unwrap();
    let error = cni.plugin_version("gone").unwrap_err();
    assert!(matches!(error, Error::PluginNotFound { source: FindError::NotFound { .. }, .. }), "{error:?}");
    cni.plugin_version("there").unwrap_err();
    assert_eq!(*lines.lock().unwrap(), ["1 VERSION there", r#"1 exit status: 3, "", """#]);
}

//! Verbs that survive faults: in time, without a panic, with an error object, and with nothing left after DEL.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::injected::{Fault, KILL, NONE, Run, STANDARD};
use crate::host::Host;

/// Checks how a program took a fault, and returns what it answered where it claims to have succeeded.
#[track_caller]
pub(super) fn survives(run: &Run, host: &Host, fault: &Fault, is_plugin: bool) -> Option<String> {
    let began = Instant::now();
    let output = run.traced(host, Some(fault));
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let story = || format!("{:?} {:?} {fault:?}: {}\n{stdout}\n{stderr}", run.command, run.env, output.status);
    assert!(began.elapsed() < Duration::from_secs(30), "takes too long: {}", story());
    if fault.how == KILL || STANDARD.contains(&&*fault.call) {
        return output.status.success().then(|| stdout.into_owned());
    }
    assert!(!stderr.contains("panicked"), "{}", story());
    let is_written = !matches!(&*fault.call, "write" | "writev");
    if is_plugin && !output.status.success() && is_written {
        let reply: Value = serde_json::from_str(&stdout).unwrap_or_default();
        assert!(reply["code"].is_u64() && reply["msg"].is_string(), "no error object: {}", story());
    }
    output.status.success().then(|| stdout.into_owned())
}

#[track_caller]
pub(super) fn succeeds(run: &Run, fault: &Fault) -> String {
    let output = run.plain();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{:?} {:?} after {fault:?}: {}{}",
        run.command,
        run.env,
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// Verbs as programs, with what must be true after each.
pub(super) struct Verbs {
    pub(super) add: Run,
    /// CHECK with the answer of ADD.
    pub(super) check: Box<dyn Fn(&str) -> Run>,
    pub(super) del: Run,
    /// GC, where it removes everything, too.
    pub(super) gc: Option<Run>,
    pub(super) is_plugin: bool,
}

impl Verbs {
    /// ADD, CHECK and DEL of a plugin, as for an attachment that has been added.
    pub(super) fn of_plugin(config: &Value) -> Self {
        let add = Run::plugin("ADD", config);
        let with_result = config.clone();
        let check = move |answer: &str| {
            let mut with_result = with_result.clone();
            with_result["prevResult"] = serde_json::from_str(answer).unwrap();
            Run::plugin("CHECK", &with_result)
        };
        let mut added = config.clone();
        added["prevResult"] = serde_json::from_str(&succeeds(&add, &NONE)).unwrap();
        let del = Run::plugin("DEL", &added);
        succeeds(&del, &NONE);
        Self { add, check: Box::new(check), del, gc: None, is_plugin: true }
    }

    /// The same with GC, for no attachment.
    pub(super) fn and_gc(self, config: &Value) -> Self {
        let mut stale = config.clone();
        stale.as_object_mut().unwrap().remove("prevResult");
        stale["cni.dev/valid-attachments"] = json!([]);
        Self { gc: Some(Run::plugin("GC", &stale)), ..self }
    }

    pub(super) fn survive(&self, host: &Host, is_clean: &dyn Fn()) {
        for fault in self.add.faults(host) {
            if let Some(answer) = survives(&self.add, host, &fault, self.is_plugin) {
                succeeds(&(self.check)(&answer), &fault);
            }
            succeeds(&self.del, &fault);
            is_clean();
        }
        self.survive_removal(&self.del, host, is_clean);
        self.survive_gc(host, is_clean);
        let check = (self.check)(&succeeds(&self.add, &NONE));
        for fault in check.faults(host) {
            survives(&check, host, &fault, self.is_plugin);
        }
        succeeds(&check, &NONE);
        succeeds(&self.del, &NONE);
        is_clean();
    }

    pub(super) fn survive_gc(&self, host: &Host, is_clean: &dyn Fn()) {
        self.gc.iter().for_each(|gc| self.survive_removal(gc, host, is_clean));
    }

    fn survive_removal(&self, removing: &Run, host: &Host, is_clean: &dyn Fn()) {
        succeeds(&self.add, &NONE);
        let mut faults = removing.faults(host);
        succeeds(&self.add, &NONE);
        // What a second run could take for done.
        faults.extend(removing.kills(host));
        for fault in faults {
            succeeds(&self.add, &fault);
            if survives(removing, host, &fault, self.is_plugin).is_none() {
                succeeds(removing, &fault);
            }
            is_clean();
        }
    }
}

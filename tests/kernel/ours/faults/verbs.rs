//! Verbs that survive faults: in time, without a panic, with an error object, and with nothing left after DEL.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::injected::{AGAIN, Fault, KILL, NONE, Run, STANDARD, is_whole};
use super::trial::Trial;
use crate::host::{Host, eventually};
use crate::ours::halfway::state;

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
    let is_made_again = fault.how == "error=EINTR" && AGAIN.contains(&&*fault.call);
    assert!(!is_made_again || output.status.success(), "gives up where it is interrupted: {}", story());
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
    /// Who is tried.
    pub(super) name: String,
    pub(super) add: Run,
    /// CHECK with the answer of ADD.
    pub(super) check: Box<dyn Fn(&str) -> Run>,
    pub(super) del: Run,
    /// DEL without the result of ADD, as after an ADD that failed.
    pub(super) del_failed: Run,
    /// GC, where it removes everything, too.
    pub(super) gc: Option<Run>,
    pub(super) status: Run,
    pub(super) is_plugin: bool,
}

impl Verbs {
    /// The verbs of a plugin, as for an attachment that has been added.
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
        let [del, del_failed] = [&added, config].map(|config| Run::plugin("DEL", config));
        succeeds(&del, &NONE);
        let status = Run::plugin("STATUS", &of_no_attachment(config));
        let name = config["type"].as_str().unwrap().to_owned();
        Self { name, add, check: Box::new(check), del, del_failed, gc: None, status, is_plugin: true }
    }

    /// The same with GC, for no attachment.
    pub(super) fn and_gc(self, config: &Value) -> Self {
        let mut stale = of_no_attachment(config);
        stale["cni.dev/valid-attachments"] = json!([]);
        Self { gc: Some(Run::plugin("GC", &stale)), ..self }
    }

    pub(super) fn survive(&self, host: &Host, is_clean: &dyn Fn()) {
        self.survive_add(host, is_clean);
        self.survive_removal("DEL", &self.del, host, is_clean);
        self.survive_gc(host, is_clean);
        self.survive_check(host);
        self.trial("STATUS").each(&self.status.faults(host), &|fault| {
            survives(&self.status, host, fault, self.is_plugin);
        });
        is_clean();
        if self.is_plugin {
            self.survive_without_threads(host, is_clean);
        }
    }

    pub(super) fn survive_gc(&self, host: &Host, is_clean: &dyn Fn()) {
        self.gc.iter().for_each(|gc| self.survive_removal("GC", gc, host, is_clean));
    }

    pub(super) fn trial(&self, verb: &'static str) -> Trial<'_> {
        Trial { name: &self.name, verb, clean_up: &self.del }
    }

    fn survive_add(&self, host: &Host, is_clean: &dyn Fn()) {
        let mut faults = self.remove_after(self.add.faults(host));
        if !is_whole() {
            faults.extend(self.remove_after(self.add.kills(host)));
        }
        let before = state(host);
        self.trial("ADD").each(&faults, &|fault| {
            match survives(&self.add, host, fault, self.is_plugin) {
                Some(answer) => {
                    succeeds(&(self.check)(&answer), fault);
                    succeeds(&self.del, fault);
                }
                // There may be the result of an earlier ADD.
                None if fault.when.ends_with(['0', '2', '4', '6', '8']) => drop(succeeds(&self.del, fault)),
                None => drop(succeeds(&self.del_failed, fault)),
            }
            is_clean();
            has_nothing_new(host, &before, fault);
        });
    }

    fn survive_check(&self, host: &Host) {
        let check = (self.check)(&succeeds(&self.add, &NONE));
        self.trial("CHECK").each(&check.faults(host), &|fault| {
            survives(&check, host, fault, self.is_plugin);
        });
        succeeds(&check, &NONE);
        succeeds(&self.del, &NONE);
    }

    fn survive_removal(&self, verb: &'static str, removing: &Run, host: &Host, is_clean: &dyn Fn()) {
        succeeds(&self.add, &NONE);
        let mut faults = removing.faults(host);
        succeeds(&self.add, &NONE);
        // What a second run could take for done.
        if !is_whole() {
            faults.extend(removing.kills(host));
        }
        succeeds(&self.del, &NONE);
        succeeds(&self.add, &NONE);
        succeeds(removing, &NONE);
        let removed = state(host);
        succeeds(&self.del, &NONE);
        self.trial(verb).each(&faults, &|fault| {
            succeeds(&self.add, fault);
            if survives(removing, host, fault, self.is_plugin).is_none() {
                succeeds(removing, fault);
            }
            is_clean();
            has_nothing_new(host, &removed, fault);
            if verb == "GC" {
                succeeds(&self.del, fault);
            }
        });
    }

    /// What was run to see its calls is to be undone.
    fn remove_after<T>(&self, seen: T) -> T {
        succeeds(&self.del, &NONE);
        seen
    }

    /// Where no thread can be started, one thing is done after the other.
    fn survive_without_threads(&self, host: &Host, is_clean: &dyn Fn()) {
        let limit = Fault { call: "clone,clone3".to_owned(), when: "1+".to_owned(), how: "error=EAGAIN" };
        let succeeds_so = |run: &Run| {
            let output = run.traced(host, Some(&limit));
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            assert!(output.status.success(), "{:?}: {}{}", run.env, text(&output.stdout), text(&output.stderr));
            text(&output.stdout)
        };
        let check = (self.check)(&succeeds_so(&self.add));
        succeeds(&check, &limit);
        for run in [&check, &self.del, &self.status] {
            succeeds_so(run);
        }
        is_clean();
        if let Some(gc) = &self.gc {
            succeeds(&self.add, &limit);
            succeeds_so(gc);
            succeeds(&self.del, &limit);
            is_clean();
        }
    }
}

/// Compares all there is with how it was before; after a kill only, since it takes long.
#[track_caller]
fn has_nothing_new(host: &Host, before: &BTreeSet<String>, fault: &Fault) {
    if fault.how == KILL {
        let new = || &state(host) - before;
        eventually(|| new().is_empty());
        assert_eq!(new(), BTreeSet::new());
    }
}

fn of_no_attachment(config: &Value) -> Value {
    let mut config = config.clone();
    config.as_object_mut().unwrap().remove("prevResult");
    config
}

//! Inputs and answers recorded from the Go libcni. `LIBCNI_VECTORS` replaces the directory; it must have every file.
//! The cases of its folder `own` are run beside them whatever the directory is.
//!
//! A case that differs from Go on purpose has its reason in `why`, and the outcome here as `ours`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

mod cache;
mod conf;
mod invoke;
mod json;
mod plugin;
mod request;
mod result;
mod spec;

/// What a case gives: a value, or the category of an error.
type Outcome = Result<Value, Value>;

/// One recorded case.
struct Case(Value);

impl Case {
    fn name(&self) -> &str {
        self.text("name")
    }

    #[track_caller]
    fn text(&self, key: &str) -> &str {
        self.0[key].as_str().unwrap_or_else(|| panic!("`{key}` of {} is no text", self.0))
    }

    /// A text that may be null or absent.
    fn text_if_any(&self, key: &str) -> Option<&str> {
        self.0[key].as_str()
    }

    fn value(&self, key: &str) -> &Value {
        &self.0[key]
    }

    fn texts(&self, key: &str) -> Vec<String> {
        serde_json::from_value(self.0[key].clone()).unwrap()
    }

    fn op(&self) -> &str {
        self.text_if_any("op").unwrap_or_default()
    }

    #[track_caller]
    fn expected(&self) -> Outcome {
        let outcome = |expect: &Value| expect.get("ok").cloned().ok_or_else(|| expect["err"].clone());
        let recorded = outcome(&self.0["expect"]);
        let Some(ours) = self.0.get("ours").map(outcome) else { return recorded };
        assert!(!same(&recorded, &ours), "{} does not differ from Go", self.name());
        ours
    }

    /// Writes the case's `files` below a directory: a name ending in `/` is a directory, its modes and links last.
    fn write_files(&self, dir: &Path) {
        let files: BTreeMap<String, Value> = serde_json::from_value(self.0["files"].clone()).unwrap_or_default();
        for (name, content) in files {
            let path = dir.join(&name);
            if name.ends_with('/') {
                fs::create_dir_all(path).unwrap();
                continue;
            }
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content.as_str().unwrap()).unwrap();
        }
    }
}

#[track_caller]
fn read_cases(path: &Path) -> impl Iterator<Item = Case> + use<> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    serde_json::from_str::<Vec<Value>>(&text).unwrap().into_iter().map(Case)
}

/// Runs a predicate that compares in its own way over every case of a file.
#[track_caller]
fn check_each(file: &str, wanted: impl Fn(&Case) -> bool, check: impl Fn(&Case) -> Result<(), String>) {
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let dir = std::env::var_os("LIBCNI_VECTORS").map_or_else(|| recorded.clone(), PathBuf::from);
    let own = recorded.join("own");
    let places = [(&recorded, &dir), (&own, &own)].into_iter().filter(|(known, _)| known.join(file).exists());
    let cases: Vec<Case> = places.flat_map(|(_, dir)| read_cases(&dir.join(file))).filter(wanted).collect();
    assert!(dir != recorded || !cases.is_empty(), "no case of {file} was run");
    let failures: Vec<String> =
        cases.iter().filter_map(|case| check(case).err().map(|why| format!("{}: {why}", case.name()))).collect();
    assert!(
        failures.is_empty(),
        "{} of {} cases of {file} fail:\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n")
    );
}

/// Runs every case of a file and compares the outcome with the recorded one.
#[track_caller]
fn run_where(file: &str, wanted: impl Fn(&Case) -> bool, run: impl Fn(&Case) -> Outcome) {
    check_each(file, wanted, |case| match (run(case), case.expected()) {
        (got, want) if same(&got, &want) => Ok(()),
        (got, want) => Err(format!("want {want:?}, got {got:?}")),
    });
}

#[track_caller]
fn run(file: &str, run: impl Fn(&Case) -> Outcome) {
    run_where(file, |_| true, run);
}

/// Whether outcomes are the same, numbers by value.
fn same(a: &Outcome, b: &Outcome) -> bool {
    match (a, b) {
        (Ok(a), Ok(b)) | (Err(a), Err(b)) => same_value(a, b),
        _ => false,
    }
}

fn same_value(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_value(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same_value(a, b)))
        }
        _ => a == b,
    }
}

/// A value of the library as JSON.
fn value(of: impl std::fmt::Display) -> Value {
    serde_json::from_str(&of.to_string()).unwrap()
}

/// An error category.
fn category<T>(name: &str) -> Result<T, Value> {
    Err(json!(name))
}

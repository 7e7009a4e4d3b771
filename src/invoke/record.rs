//! Executions as JSON, for logs.

use std::ffi::OsStr;
use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, UNIX_EPOCH};

use super::{ExecError, ExecEvent, Output, Request};
use crate::Chain;
use crate::spec::Object;

impl Request {
    /// Returns the variables of the protocol.
    pub fn variables(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.env.iter().filter(|(name, _)| is_of_protocol(name))
    }

    /// Returns the names of all other variables, whose values may be secret.
    pub fn inherited(&self) -> impl Iterator<Item = &OsStr> {
        self.env.iter().map(|(name, _)| name).filter(|name| !is_of_protocol(name))
    }

    /// Describes the request: `verb`, `plugin`, `program`, `env` (the variables of the protocol), `inherited` (the
    /// names of the others) and `stdin`, as JSON where it is.
    pub fn record(&self) -> Object {
        let mut env = Object::new();
        self.variables().for_each(|(name, value)| env.set(&name.to_string_lossy(), &value.to_string_lossy()));
        let mut object = Object::new();
        object.set("verb", self.command.as_str());
        object.set("plugin", &self.plugin);
        object.set("program", &self.program.to_string_lossy());
        object.set("env", &env);
        object.set("inherited", &self.inherited().map(OsStr::to_string_lossy).collect::<Vec<_>>());
        let stdin = String::from_utf8_lossy(&self.stdin);
        match Object::parse(&stdin) {
            Ok(config) => object.set("stdin", &config),
            Err(_) => object.set("stdin", &*stdin),
        }
        object
    }
}

fn is_of_protocol(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b"CNI_")
}

impl ExecEvent<'_> {
    /// Describes an execution that has ended: its number as `trace`, `endedUnixMilliseconds`, the
    /// [request](Request::record), `exitStatus` or `signal`, `stdout`, `stderr`, `error` if it did not end by itself,
    /// and `milliseconds`. `None` if it only begins.
    pub fn record(&self) -> Option<Object> {
        match *self {
            ExecEvent::Begins { .. } => None,
            ExecEvent::Ended { number, request, took, ended } => Some(record(number, request, took, ended)),
        }
    }
}

fn record(number: u64, request: &Request, took: Duration, ended: Result<&Output, &ExecError>) -> Object {
    let mut object = Object::new();
    object.set("trace", &number);
    object.set("endedUnixMilliseconds", &UNIX_EPOCH.elapsed().unwrap_or_default().as_millis());
    request.record().iter().for_each(|(key, value)| object.set(key, &value));
    match ended {
        Ok(Output { status, stdout, stderr }) => {
            match status.signal() {
                Some(signal) => object.set("signal", &signal),
                None => object.set("exitStatus", &status.code()),
            }
            object.set("stdout", &String::from_utf8_lossy(stdout));
            object.set("stderr", &String::from_utf8_lossy(stderr));
        }
        Err(error) => {
            object.set("error", &Chain(error).to_string());
            object.set("stderr", &String::from_utf8_lossy(error.stderr()));
        }
    }
    object.set("milliseconds", &took.as_millis());
    object
}

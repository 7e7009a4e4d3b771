//! Messages from the process that makes the checks to the one that reports them, each a line of JSON.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::process::ChildStdout;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde::{Deserialize, Serialize};

use super::check::Check;
use super::isolation::Judge;
use super::log::Execution;
use super::outcome::{Checked, Outcome};
use super::profile::{Profile, Role};
use super::report::Reporter;
use super::suite::{Report, Suite, SuiteError};
use crate::CancelToken;

/// A line.
#[derive(Serialize, Deserialize)]
pub(super) enum Message {
    Profile { supported: Option<Vec<String>>, version: String, role: Role, weaknesses: Vec<String> },
    Checked { id: u16, outcome: Outcome, executions: Vec<Execution> },
    NotMade(String),
    End,
}

impl Message {
    pub(super) fn profile(profile: &Profile) -> Self {
        Self::Profile {
            supported: profile.supported.clone(),
            version: profile.version.to_string(),
            role: profile.role,
            weaknesses: profile.weaknesses.clone(),
        }
    }

    pub(super) fn checked(Checked { check, outcome, executions }: Checked) -> Self {
        Self::Checked { id: check.id, outcome, executions }
    }
}

/// Sends a message to the process that started the one that makes the checks.
pub(super) fn say(message: &Message) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    let mut stdout = io::stdout().lock();
    stdout.write_all(&line)?;
    stdout.flush()
}

/// Hears a judge to its end, and tells a reporter.
pub(super) fn receive(mut judge: Judge, suite: &Suite, reporter: &mut dyn Reporter) -> Result<Report, SuiteError> {
    let mut lines = Lines { pipe: judge.stdout(), cancel: suite.token(), unread: Vec::new() };
    let mut report = None;
    while let Some(line) = lines.next()? {
        match serde_json::from_slice(&line).map_err(|error| unreadable(&error))? {
            Message::Profile { supported, version, role, weaknesses } => {
                let version = version.parse().map_err(|error| unreadable(&error))?;
                let profile = Profile { supported, version, role, weaknesses, ..Profile::unknown() };
                reporter.begin(suite.subject(), &profile, suite.checks()).map_err(SuiteError::Report)?;
                report = Some(Report { profile, checks: Vec::new() });
            }
            Message::Checked { id, outcome, executions } => {
                let (Some(check), Some(report)) = (Check::with_id(id), &mut report) else { break };
                let checked = Checked { check, outcome, executions };
                reporter.checked(&checked).map_err(SuiteError::Report)?;
                report.checks.push(checked);
            }
            Message::NotMade(reason) => return Err(SuiteError::NotMade(reason)),
            Message::End => {
                let Some(report) = report else { break };
                reporter.end(&report.summary()).map_err(SuiteError::Report)?;
                return Ok(report);
            }
        }
    }
    Err(SuiteError::NotMade("the process that makes the checks has ended before them".to_owned()))
}

fn unreadable(error: &dyn std::error::Error) -> SuiteError {
    SuiteError::NotMade(format!("cannot read the messages of the process that makes the checks: {error}"))
}

/// Lines from a pipe, until it ends or the reader stops.
struct Lines<'a> {
    pipe: ChildStdout,
    cancel: Option<&'a CancelToken>,
    unread: Vec<u8>,
}

impl Lines<'_> {
    fn next(&mut self) -> Result<Option<Vec<u8>>, SuiteError> {
        let failed = |error: io::Error| unreadable(&error);
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let rest = self.unread.split_off(end + 1);
                return Ok(Some(std::mem::replace(&mut self.unread, rest)));
            }
            self.wait()?;
            let mut buffer = [0; 16 << 10];
            match self.pipe.read(&mut buffer) {
                Ok(0) => return Ok(None),
                Ok(length) => self.unread.extend(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
    }

    /// Waits until there is something to read.
    fn wait(&self) -> Result<(), SuiteError> {
        let readable = |fd| PollFd::new(fd, PollFlags::POLLIN);
        let mut fds = vec![readable(self.pipe.as_fd())];
        fds.extend(self.cancel.map(|token| readable(token.fd())));
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(unreadable(&errno)),
        }
        if fds.get(1).and_then(PollFd::any) == Some(true) { Err(SuiteError::Cancelled) } else { Ok(()) }
    }
}

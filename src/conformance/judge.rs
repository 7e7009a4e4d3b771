//! The inner side of a run: the process that makes the checks, alone in its namespaces.

use std::io::{self, Write};

use super::check::{Check, Examiner, Interrupted};
use super::messages::Message;
use super::subject::Subject;
use super::survey;
use super::{isolation, processes};
use crate::Chain;
use crate::invoke::Limits;

/// Makes the checks, says what is found on stdout, and ends the process.
pub(super) fn run(subject: &Subject, checks: &[&'static Check], limits: &Limits) -> ! {
    let ended = match examine(subject, checks, limits) {
        Ok(()) => 0,
        Err(error) => {
            // Without somebody to hear it, this process has nothing left to do.
            let _ = say(&Message::NotMade(error));
            1
        }
    };
    std::process::exit(ended)
}

fn examine(subject: &Subject, checks: &[&'static Check], limits: &Limits) -> Result<(), String> {
    let told = |error: &(dyn std::error::Error + 'static)| Chain(error).to_string();
    isolation::settle_in().map_err(|error| told(&error))?;
    let profile = survey::survey(subject, limits).map_err(|error| told(&error))?;
    processes::end_orphans();
    say(&Message::profile(&profile)).map_err(|error| told(&error))?;
    let mut examiner = Examiner { subject, profile: &profile, limits, ended_by_force: 0 };
    for check in checks {
        let checked = examiner.make(check).map_err(|Interrupted| "interrupted".to_owned())?;
        say(&Message::checked(checked)).map_err(|error| told(&error))?;
    }
    say(&Message::End).map_err(|error| told(&error))
}

fn say(message: &Message) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    let mut stdout = io::stdout().lock();
    stdout.write_all(&line)?;
    stdout.flush()
}

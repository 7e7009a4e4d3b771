//! The inner side of a run: the process that makes the checks, out of the plugin's reach.

use super::check::{Check, Examiner, Interrupted};
use super::host::Hosts;
use super::isolation::{Reaper, settle_in};
use super::messages::{Message, say};
use super::subject::Subject;
use super::survey::survey;
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
    let isolated = settle_in(&subject.visible_dirs()).map_err(|error| told(&error))?;
    let reaper = Reaper::start().map_err(|error| told(&error))?;
    let hosts = Hosts { isolated: &isolated, reaper: &reaper };
    let mut profile = survey(&hosts, subject, limits).map_err(|error| told(&error))?;
    profile.weaknesses.clone_from(&isolated.weaknesses);
    say(&Message::profile(&profile)).map_err(|error| told(&error))?;
    let mut examiner = Examiner { subject, profile: &profile, limits, isolated: &isolated, reaper, ended_by_force: 0 };
    examiner.end_orphans();
    for check in checks {
        let checked = examiner.make(check).map_err(|Interrupted| "interrupted".to_owned())?;
        say(&Message::checked(checked)).map_err(|error| told(&error))?;
    }
    say(&Message::End).map_err(|error| told(&error))
}

//! Examples of each verb, for its help and its manual page.

use clap::Command;

const ALL: &str = include_str!("examples.txt");

/// The examples of a verb, `list networks` for one: a command in each line. Those of the tool are the first of each
/// verb.
pub(crate) fn of(verb: &str) -> Vec<&'static str> {
    let sections = ALL.split("\n\n").filter_map(|section| section.trim().split_once('\n'));
    match verb {
        "" => sections.filter_map(|(_, commands)| commands.lines().next()).collect(),
        verb => sections
            .filter(|(title, _)| title.strip_prefix("# ") == Some(verb))
            .flat_map(|(_, commands)| commands.lines())
            .collect(),
    }
}

/// The command line with the examples of each verb below its help.
pub(crate) fn shown(whole: Command) -> Command {
    let examples = format!("Examples:\n  {}", of("").join("\n  "));
    whole.after_help(examples).mut_subcommands(|verb| shown_of("", verb))
}

fn shown_of(outer: &str, verb: Command) -> Command {
    let name = format!("{outer}{}", verb.get_name());
    let examples = format!("Examples:\n  {}", of(&name).join("\n  "));
    verb.after_help(examples).mut_subcommands(|inner| shown_of(&format!("{name} "), inner))
}

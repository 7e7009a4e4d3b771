//! `cnitool completions` and `cnitool man`: the command line, written down for shells and for `man`.

use std::io;

use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::roff::{Roff, bold, roman};

use crate::examples;
use crate::output::failure::Failure;
use crate::output::print;

/// Parts of the pages: lines below a title, with ` | ` between their parts.
const SECTIONS: &str = include_str!("../manual.txt");

/// The arguments of `completions`.
#[derive(Args, Debug)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

/// The arguments of `man`.
#[derive(Args, Debug)]
pub(crate) struct Man {
    /// A verb, such as `add` or `list networks`; without it, the page of the tool
    verb: Vec<String>,
}

/// Prints completions of the whole command line.
pub(crate) fn completions(wanted: &Completions, mut whole: Command) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(wanted.shell, &mut whole, "cnitool", &mut script);
    Ok(print(String::from_utf8_lossy(&script).trim_end())?)
}

/// Prints the page of a verb, or of the tool.
pub(crate) fn man(wanted: &Man, whole: Command) -> Result<(), Failure> {
    let mut root = whole.disable_help_subcommand(true);
    root.build();
    let find = |command: &Command, verb: &String| command.find_subcommand(verb).cloned();
    let command = wanted.verb.iter().try_fold(root, |command, verb| find(&command, verb));
    let command = command.ok_or_else(|| Failure::usage(format!("there is no verb `{}`", wanted.verb.join(" "))))?;
    let page = page(command, &wanted.verb.join(" "))?;
    Ok(print(String::from_utf8_lossy(&page).trim_end())?)
}

fn page(command: Command, verb: &str) -> io::Result<Vec<u8>> {
    let source = concat!("libcni ", env!("CARGO_PKG_VERSION"));
    let own = |option: &str| command.get_arguments().any(|argument| argument.get_id() == option);
    let uses = |option: &str| verb.is_empty() || own(option);
    let mut roff = Roff::new();
    words(&mut roff, "EXIT STATUS", &exit_status(verb));
    words(&mut roff, "ENVIRONMENT", &section("# ENVIRONMENT", uses));
    words(&mut roff, "FILES", &section("# FILES", uses));
    roff.control("SH", ["EXAMPLES"]);
    for example in examples::of(verb) {
        roff.control("PP", []).text([roman(example)]);
    }
    roff.control("SH", ["SEE ALSO"]).text([roman(see_also(verb))]);
    let mut page = Vec::new();
    clap_mangen::Man::new(command).source(source).manual("Container Network Interface").render(&mut page)?;
    roff.to_writer(&mut page)?;
    Ok(page)
}

fn words(roff: &mut Roff, title: &str, all: &[Words]) {
    if !all.is_empty() {
        roff.control("SH", [title]);
    }
    for (word, meaning) in all {
        roff.control("TP", []).text([bold(*word)]).text([roman(*meaning)]);
    }
}

/// A word, and what it means.
type Words = (&'static str, &'static str);

fn exit_status(verb: &str) -> Vec<Words> {
    let of_verb: &[Words] = match verb {
        "run" => &[("of the command", "once it has started")],
        "conformance" => return vec![("0", "no check fails"), ("1", "one does"), ("2", "nothing was checked")],
        _ => &[("0", "success")],
    };
    let always = [
        ("1", "failure; the reason is on stderr"),
        ("2", "wrong usage"),
        ("128 + N", "ended by signal N, after the running plugin and all of its children were ended"),
    ];
    of_verb.iter().copied().chain(always).collect()
}

/// The lines of a section, for those options: an option or a verb, a word, and what it means.
fn section(title: &str, uses: impl Fn(&str) -> bool) -> Vec<Words> {
    let (_, rest) = SECTIONS.split_once(title).unwrap_or_default();
    let lines = rest.trim_start_matches('\n').lines().take_while(|line| !line.is_empty());
    let words = lines.filter_map(|line| line.split_once(" | ")).filter(|(option, _)| uses(option));
    words.filter_map(|(_, words)| words.split_once(" | ")).collect()
}

fn see_also(verb: &str) -> &'static str {
    let found = section("# SEE ALSO", |of| of.split(", ").any(|one| one == verb));
    found.first().map_or("cnitool(1), cnitool-inspect(1)", |(_, pages)| pages)
}

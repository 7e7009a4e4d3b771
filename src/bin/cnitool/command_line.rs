//! The command line: its words become a verb with its arguments.

use std::ffi::OsString;

use clap::{Args, Command, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::context::options::Settings;
use crate::examples;
use crate::verb::add::Add;
use crate::verb::check::Check;
use crate::verb::conformance::Conformance;
use crate::verb::del::Del;
use crate::verb::gc::Gc;
use crate::verb::inspect::Inspect;
use crate::verb::list::List;
use crate::verb::manual::{Completions, Man};
use crate::verb::run::Run;
use crate::verb::status::Status;
use crate::verb::update::Update;
use crate::verb::validate::Validate;
use crate::verb::versions::Versions;
use crate::words;

/// Adds a network namespace to a CNI network, and removes it again
#[derive(Debug, Parser)]
#[command(name = "cnitool", version, arg_required_else_help = true)]
struct CommandLine {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    _settings: Settings,
}

/// A verb with its arguments.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Add a namespace to a network, and print the result
    Add(Add),
    /// Check that the attachment of a namespace is as `add` left it
    Check(Check),
    /// Remove a namespace from a network
    Del(Del),
    /// Delete the attachments of a network, except those to keep, and let its plugins clean up
    Gc(Gc),
    /// Give attachments the current configuration of their network, and keep everything that did not change
    Update(Update),
    /// Ask the plugins of a network whether they could add a container now
    Status(Status),
    /// Show everything about a network or an attachment
    Inspect(Inspect),
    /// Check that networks can be used: files, plugins, versions; fails when anything is wrong
    Validate(Validate),
    /// Show which versions the plugins of a network support, and which one is used
    Versions(Versions),
    /// List networks, attachments or plugins
    List(List),
    /// Run a command on networks, in a namespace of its own, and remove everything afterwards
    ///
    /// For an ordinary user it first makes a host out of namespaces, in which that user is root: networks can reach
    /// each other, and nothing else. The exit status is that of the command, or 128 plus the signal that ended it.
    Run(Run),
    /// Print completions for a shell
    Completions(Completions),
    /// Print a manual page, in the form that `man` reads
    Man(Man),
    /// Check a plugin, in any language, against the specification
    ///
    /// Each check is made on a host of its own, which namespaces make: nothing reaches the network of this host or
    /// outlives the tool. As root, or where users may have namespaces. Exit status: 0 when no check fails, 1 when one
    /// does, 2 when nothing was checked.
    Conformance(Conformance),
}

/// Reads the words after the name of the tool.
///
/// # Errors
/// They are not a verb with its arguments, or they ask for help or the version.
pub(crate) fn read(words: &[OsString]) -> Result<Verb, clap::Error> {
    let with_one_dash = words::with_one_dash(words);
    if let Some(verb) = with_one_dash.is_none().then(|| read_alone(words)).flatten() {
        return Ok(verb);
    }
    let whole = whole();
    if let Some(word) = with_one_dash {
        return Err(words::one_dash(&whole, &words::verb_first(&whole, words), word));
    }
    let words = words::verb_first(&whole, words);
    let named = [OsString::from("cnitool")].into_iter().chain(words.iter().cloned());
    let read = examples::shown(whole.clone()).try_get_matches_from(named);
    let read = read.and_then(|matches| CommandLine::from_arg_matches(&matches)).map(|read| read.verb);
    read.map_err(|error| words::explained(&whole, &words, error))
}

/// All verbs and options.
pub(crate) fn whole() -> Command {
    CommandLine::command()
}

/// Reads a verb that container runtimes use, with the description of that verb alone: to describe all of them takes
/// longer than anything else that `cnitool add` does itself. What is wrong with it, the whole description says.
fn read_alone(words: &[OsString]) -> Option<Verb> {
    let alone = match words.first()?.to_str()? {
        "add" => Add::augment_args(Command::new("add")),
        "check" => Check::augment_args(Command::new("check")),
        "del" => Del::augment_args(Command::new("del")),
        _ => return None,
    };
    let tool = Command::new("cnitool").no_binary_name(true).subcommand(alone);
    let matches = tool.try_get_matches_from(words).ok()?;
    Verb::from_arg_matches(&matches).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Words of a verb that is read alone: options in every form, operands, and what is wrong or odd.
    fn words() -> impl Strategy<Value = Vec<OsString>> {
        let whole = whole();
        let options = whole
            .get_arguments()
            .filter_map(|option| option.get_long())
            .flat_map(|name| ["", "=x", "=7s", "="].map(|value| format!("--{name}{value}")));
        let own = ["--rollback", "--cached", "--skip-missing", "--dry-run", "-i", "-ieth1", "-i=eth1", "--help", "-h"];
        let others = ["net", "/run/netns/blue", "", "7s", "K=V", "--", "-", "-x", "--no-such", "add", "{}"];
        let some = options.chain(own.into_iter().chain(others).map(str::to_owned)).collect::<Vec<_>>();
        let verb = prop::sample::select(vec!["add", "check", "del", "gc", "list"]);
        let operands = (Just("net".to_owned()), Just("/run/netns/blue".to_owned()));
        let words = prop::collection::vec(prop::sample::select(some), 0..6);
        (verb, operands, words, any::<bool>()).prop_map(|(verb, (network, netns), mut words, is_complete)| {
            if is_complete {
                words.splice(0..0, [network, netns]);
            }
            [verb.to_owned()].into_iter().chain(words).map(OsString::from).collect()
        })
    }

    /// The words of a line, as a shell has them.
    fn words_of(line: &str) -> Vec<OsString> {
        let output = std::process::Command::new("sh").arg("-c").arg(format!("printf '%s\\n' {line}")).output().unwrap();
        String::from_utf8(output.stdout).unwrap().lines().map(OsString::from).collect()
    }

    #[test]
    fn every_verb_has_examples_and_each_is_read_as_that_verb() {
        let whole = whole();
        let inner = |verb: &Command| {
            let name = verb.get_name().to_owned();
            let inner = verb.get_subcommands().map(|inner| format!("{name} {}", inner.get_name())).collect::<Vec<_>>();
            [vec![verb.get_name().to_owned()], inner].concat()
        };
        for name in whole.get_subcommands().flat_map(inner) {
            assert!(!examples::of(&name).is_empty(), "{name} has no example");
            for line in examples::of(&name) {
                let words = words_of(line.split(" > ").next().unwrap());
                assert!(line.starts_with(&format!("cnitool {name}")), "{line}");
                assert!(read(&words[1..]).is_ok(), "{line}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn a_verb_that_is_read_alone_is_read_as_among_all(words in words()) {
            let tool = [OsString::from("cnitool")];
            let among_all = CommandLine::try_parse_from(tool.iter().chain(&words)).ok();
            let is_alone = ["add", "check", "del"].contains(&words[0].to_str().unwrap());
            let expected = among_all.filter(|_| is_alone).map(|read| format!("{:?}", read.verb));
            prop_assert_eq!(read_alone(&words).map(|verb| format!("{verb:?}")), expected);
        }
    }
}

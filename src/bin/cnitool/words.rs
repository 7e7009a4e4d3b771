//! Words of the command line: options in front of the verb, and what to say of those that a verb does not use.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Args, Command};

use crate::context::options::Attached;

/// Moves the options in front of the verb behind it. In front, settings of the host may stand for any verb, as in an
/// alias, and those that the verb does not use are left out; what says which container is meant is not, and so is
/// refused.
pub(crate) fn verb_first(whole: &Command, words: &[OsString]) -> Vec<OsString> {
    let mut options = Vec::new();
    let mut rest = words;
    while let Some((option, others)) = leading_option(whole, rest) {
        options.push((option, &rest[..rest.len() - others.len()]));
        rest = others;
    }
    let end = rest.iter().position(|word| word == "--").unwrap_or(rest.len());
    let (own, command) = rest.split_at(end);
    let (verb, which) = (Named::by(whole, own).verb, Attached::augment_args(Command::new("which")));
    let is_kept = |option: &Arg| {
        let is_said_again = !matches!(option.get_action(), ArgAction::Append) && says(own, option);
        (has(verb, option) || has(&which, option)) && !is_said_again
    };
    let kept = options.into_iter().filter(|(option, _)| is_kept(option)).flat_map(|(_, words)| words);
    own.iter().chain(kept).chain(command).cloned().collect()
}

/// The option that the first word is, and what follows it and its value.
fn leading_option<'a, 'b>(whole: &'a Command, words: &'b [OsString]) -> Option<(&'a Arg, &'b [OsString])> {
    let (word, rest) = words.split_first()?;
    let (name, value) = split(word.to_str()?);
    let option = whole.get_arguments().find(|option| is_named(option, name))?;
    let takes_next = option.get_action().takes_values() && value.is_none();
    Some((option, rest.get(usize::from(takes_next)..)?))
}

/// The name of an option and its value, where they are one word.
fn split(word: &str) -> (&str, Option<&str>) {
    match word.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None if word.starts_with("-i") && word.len() > 2 => (&word[..2], Some(&word[2..])),
        None => (word, None),
    }
}

fn is_named(option: &Arg, name: &str) -> bool {
    match name.strip_prefix("--") {
        Some(long) => option.get_long() == Some(long),
        None => name.starts_with('-') && option.get_short().is_some_and(|short| name[1..] == *short.to_string()),
    }
}

fn says(words: &[OsString], option: &Arg) -> bool {
    words.iter().filter_map(|word| word.to_str()).any(|word| is_named(option, split(word).0))
}

fn has(command: &Command, option: &Arg) -> bool {
    command.get_arguments().any(|own| own.get_id() == option.get_id())
}

/// A verb by its whole name.
struct Named<'a> {
    name: String,
    verb: &'a Command,
}

impl<'a> Named<'a> {
    /// The verb that the words name, `list networks` for one; the tool itself where they name none.
    fn by(whole: &'a Command, words: &[OsString]) -> Self {
        let is_option = |word: &OsString| word.as_encoded_bytes().starts_with(b"-");
        let mut named = Self { name: whole.get_name().to_owned(), verb: whole };
        for word in words.iter().filter(|word| !is_option(word)) {
            let Some(verb) = named.verb.find_subcommand(word) else { break };
            named = Self { name: format!("{} {}", named.name, verb.get_name()), verb };
        }
        named
    }

    fn error(&self, message: String) -> clap::Error {
        self.verb.clone().bin_name(&self.name).error(ErrorKind::UnknownArgument, message)
    }
}

/// A word such as `-ifname=eth1`, which would be an interface called `fname=eth1`.
pub(crate) fn with_one_dash(words: &[OsString]) -> Option<&str> {
    let mut own = words.iter().take_while(|word| *word != "--").filter_map(|word| word.to_str());
    own.find(|word| word.starts_with("-ifname"))
}

/// The fault of such a word.
pub(crate) fn one_dash(whole: &Command, words: &[OsString], word: &str) -> clap::Error {
    Named::by(whole, words).error(format!("`{word}` has one dash: did you mean `-{word}`?"))
}

/// The same error; where a verb does not use an option, it says who does.
pub(crate) fn explained(whole: &Command, words: &[OsString], error: clap::Error) -> clap::Error {
    let Some(ContextValue::String(option)) = error.get(ContextKind::InvalidArg) else { return error };
    let users: Vec<_> = whole.get_subcommands().flat_map(|verb| users(verb, option)).collect();
    if error.kind() != ErrorKind::UnknownArgument || users.is_empty() {
        return error;
    }
    let named = Named::by(whole, words);
    let message = format!("`{}` does not use {option}, which is for: {}", named.name, users.join(", "));
    named.error(message)
}

/// The name of a verb that has an option, or the names of those within it.
fn users(verb: &Command, option: &str) -> Vec<String> {
    if verb.get_arguments().any(|own| is_named(own, option)) {
        return vec![verb.get_name().to_owned()];
    }
    let inner = verb.get_subcommands().flat_map(|inner| users(inner, option));
    inner.map(|name| format!("{} {name}", verb.get_name())).collect()
}

//! Plain command lines, read without clap: to describe all verbs and options to it takes longer than anything else that
//! `cnitool add` does itself. What is not plain is left to clap, which knows the rest, and what to say when it is wrong.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::cli::{Add, Arguments, Target, Verb};
use crate::options::{Options, duration};
use crate::removal::Del;

/// Reads `add|check|del NETWORK NETNS [OPTION...]` with the options of every verb; `None` for all else.
pub(crate) fn read(arguments: impl IntoIterator<Item = OsString>) -> Option<Arguments> {
    let mut arguments = arguments.into_iter().map(|argument| argument.into_string().ok());
    let verb = arguments.next()??;
    let (mut options, mut seen, mut words) = (Options::default(), Vec::new(), Vec::new());
    while let Some(argument) = arguments.next() {
        let argument = argument?;
        let Some(option) = argument.strip_prefix('-') else {
            words.push(argument);
            continue;
        };
        let option = if option == "i" { "ifname" } else { option.strip_prefix('-')? };
        let (name, given) =
            option.split_once('=').map_or((option, None), |(name, value)| (name, Some(value.to_owned())));
        if seen.iter().any(|earlier| earlier == name) && !["plugin-dir", "arg"].contains(&name) {
            return None;
        }
        seen.push(name.to_owned());
        match flag(&mut options, name) {
            Some(flag) => *flag = given.is_none().then_some(true)?,
            None => set(&mut options, name, given.or_else(|| plain(arguments.next()?))?)?,
        }
    }
    let [network, netns] = <[String; 2]>::try_from(words).ok()?.map(|word| plain(Some(word)));
    Some(Arguments { verb: with(&verb, network?, netns?)?, options })
}

/// A word that neither is nor looks like an option.
fn plain(word: Option<String>) -> Option<String> {
    word.filter(|word| !word.is_empty() && !word.starts_with('-'))
}

fn with(verb: &str, network: String, netns: String) -> Option<Verb> {
    let target = || Target { network: network.clone(), netns: PathBuf::from(&netns), dry_run: false };
    match verb {
        "add" => Some(Verb::Add(Add { target: target(), rollback: false })),
        "check" => Some(Verb::Check(target())),
        "del" => Some(Verb::Del(Del::plain(network, netns.into()))),
        _ => None,
    }
}

fn flag<'a>(options: &'a mut Options, name: &str) -> Option<&'a mut bool> {
    match name {
        "strict" => Some(&mut options.strict),
        "negotiate" => Some(&mut options.negotiate),
        "trace" => Some(&mut options.trace),
        "json" => Some(&mut options.json),
        _ => None,
    }
}

fn set(options: &mut Options, name: &str, value: String) -> Option<()> {
    match name {
        _ if value.is_empty() => return None,
        "conf-dir" => options.conf_dir = Some(value.into()),
        "plugin-dir" => options.plugin_dir.push(value.into()),
        "cache-dir" => options.cache_dir = Some(value.into()),
        "trace-file" => options.trace_file = Some(value.into()),
        "container-id" => options.container_id = Some(value),
        "ifname" => options.ifname = Some(value),
        "arg" => options.arg.push(value),
        "cap" => options.cap = Some(value),
        "timeout" => options.timeout = duration(&value).ok()?,
        "lock-timeout" => options.lock_timeout = duration(&value).ok()?,
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    /// The words of a command line, and whether it is plain. Where it is, clap must read the same.
    #[track_caller]
    fn is_plain(words: &[&str]) -> bool {
        let plain = read(words.iter().map(OsString::from));
        if let Some(plain) = &plain {
            let full = Arguments::try_parse_from([&["cnitool"], words].concat());
            let full = full.unwrap_or_else(|error| panic!("clap refuses {words:?}: {error}"));
            assert_eq!(format!("{plain:?}"), format!("{full:?}"), "{words:?}");
        }
        plain.is_some()
    }

    /// Every option that clap knows for all verbs, in both forms.
    fn forms() -> Vec<Vec<String>> {
        let command = Arguments::command();
        let global = command.get_arguments().filter(|option| option.is_global_set());
        let forms = global.flat_map(|option| {
            let name = option.get_long().unwrap();
            let value = if name.ends_with("timeout") { "7s" } else { "K=V" };
            match option.get_action().takes_values() {
                true => vec![vec![format!("--{name}"), value.to_owned()], vec![format!("--{name}={value}")]],
                false => vec![vec![format!("--{name}")]],
            }
        });
        forms.chain([vec!["-i".to_owned(), "eth1".to_owned()]]).collect()
    }

    #[test]
    fn plain_lines_are_read_as_clap_reads_them() {
        let forms = forms();
        assert!(forms.len() > 20, "{forms:?}");
        for verb in ["add", "check", "del"] {
            assert!(is_plain(&[verb, "net", "blue"]));
            for (one, other) in forms.iter().flat_map(|one| forms.iter().map(move |other| (one, other))) {
                let options = one.iter().chain(other).map(String::as_str);
                is_plain(
                    &[verb, "net"].into_iter().chain(options.clone()).chain(["/run/netns/blue"]).collect::<Vec<_>>(),
                );
                is_plain(&options.clone().chain([verb, "net", "blue"]).collect::<Vec<_>>());
            }
            assert!(forms.iter().all(|form| {
                let options = form.iter().map(String::as_str);
                is_plain(&[verb, "net", "blue"].into_iter().chain(options).collect::<Vec<_>>())
            }));
        }
    }

    #[test]
    fn odd_lines_are_left_to_clap() {
        for line in [
            "",
            "add",
            "add net",
            "add net blue more",
            "gc net blue",
            "help add",
            "--json add net blue",
            "add net blue --help",
            "add net blue -h",
            "add net blue --no-such x",
            "add net blue --json=true",
            "add net blue --json --json",
            "add net blue --cap",
            "add net blue --cap -1",
            "add net blue --cap=",
            "add net blue --cap a --cap b",
            "add net blue --timeout x",
            "add net blue -ieth1",
            "add net -- blue",
            "add net -",
            "add net --rollback blue",
        ] {
            assert!(!is_plain(&line.split_whitespace().collect::<Vec<_>>()), "{line}");
        }
        assert!(!is_plain(&["add", "net", ""]) && !is_plain(&["del", "", "blue"]));
    }
}

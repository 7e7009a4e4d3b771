//! `cnitool completions` and `cnitool man`: the command line, written down for shells and for `man`.

use std::io;

use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::roff::{Roff, bold, roman};

use crate::examples;
use crate::output::failure::Failure;
use crate::output::print;

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
    let uses = |option: &str| verb.is_empty() || own(option) || option.is_empty();
    let of = |all: &[(&str, Words)]| -> Vec<Words> {
        all.iter().filter(|(option, _)| uses(option)).map(|(_, words)| *words).collect()
    };
    let mut roff = Roff::new();
    words(&mut roff, "EXIT STATUS", &exit_status(verb));
    words(&mut roff, "ENVIRONMENT", &of(&ENVIRONMENT));
    words(&mut roff, "FILES", &of(&FILES));
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

/// The variables, each with the option that it stands for.
const ENVIRONMENT: [(&str, Words); 6] = [
    ("conf_dir", ("NETCONFPATH", "the directory of network configurations")),
    ("plugin_dir", ("CNI_PATH", "the plugin directories, separated by colons")),
    ("ifname", ("CNI_IFNAME", "the name of the interface in the namespace")),
    ("arg", ("CNI_ARGS", "generic arguments: K=V;K2=V2")),
    ("cap", ("CAP_ARGS", "capability arguments: a JSON object")),
    ("strict", ("CNITOOL_COMPAT", "`go` selects the behaviour of the Go cnitool where this one is more careful")),
];

/// The files, each with an option of those who use it.
const FILES: [(&str, Words); 4] = [
    ("conf_dir", ("/etc/cni/net.d", "network configurations: *.conflist, *.conf, *.json")),
    ("plugin_dir", ("/opt/cni/bin, /usr/lib/cni, /usr/libexec/cni", "plugins")),
    ("cache_dir", ("/var/lib/cni", "attachments, shared with every runtime that uses the same directory")),
    ("netns", ("/var/run/netns", "namespaces that have names")),
];

fn see_also(verb: &str) -> &'static str {
    match verb {
        "" => "ip-netns(8), nsenter(1)",
        "add" | "check" | "update" | "run" => "cnitool(1), cnitool-del(1), ip-netns(8)",
        "del" => "cnitool(1), cnitool-gc(1), cnitool-list-attachments(1)",
        "gc" => "cnitool(1), cnitool-del(1), cnitool-list-attachments(1)",
        "status" | "versions" | "list networks" => "cnitool(1), cnitool-validate(1)",
        "completions" | "man" => "cnitool(1), man(1)",
        _ => "cnitool(1), cnitool-inspect(1)",
    }
}

//! `cnitool completions` and `cnitool man`: the command line, written down for shells and for `man`.

use std::io;

use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::roff::{Roff, bold, roman};

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
    let page = page(command, wanted.verb.is_empty())?;
    Ok(print(String::from_utf8_lossy(&page).trim_end())?)
}

fn page(command: Command, is_of_tool: bool) -> io::Result<Vec<u8>> {
    let source = concat!("libcni ", env!("CARGO_PKG_VERSION"));
    let mut page = Vec::new();
    clap_mangen::Man::new(command).source(source).manual("Container Network Interface").render(&mut page)?;
    if is_of_tool {
        EXTRA.iter().try_for_each(|section| section.render(&mut page))?;
    }
    Ok(page)
}

/// What the command line itself does not say.
const EXTRA: [Section; 3] = [
    Section(
        "EXIT STATUS",
        &[
            ("0", "success"),
            ("1", "failure; the reason is on stderr"),
            ("2", "wrong usage"),
            ("128 + N", "ended by signal N, after the running plugin and all of its children were ended"),
        ],
    ),
    Section(
        "ENVIRONMENT",
        &[
            ("NETCONFPATH", "the directory of network configurations"),
            ("CNI_PATH", "the plugin directories, separated by colons"),
            ("CNI_IFNAME", "the name of the interface in the namespace"),
            ("CNI_ARGS", "generic arguments: K=V;K2=V2"),
            ("CAP_ARGS", "capability arguments: a JSON object"),
            ("CNITOOL_COMPAT", "`go` brings back what the Go cnitool does where this one is more careful"),
        ],
    ),
    Section(
        "FILES",
        &[
            ("/etc/cni/net.d", "network configurations: *.conflist, *.conf, *.json"),
            ("/opt/cni/bin, /usr/lib/cni, /usr/libexec/cni", "plugins"),
            ("/var/lib/cni", "what is attached, shared with every runtime that uses the same directory"),
            ("/var/run/netns", "namespaces that have names"),
        ],
    ),
];

/// A section of a page: its title, and words with what they mean.
struct Section(&'static str, &'static [(&'static str, &'static str)]);

impl Section {
    fn render(&self, page: &mut Vec<u8>) -> io::Result<()> {
        let mut roff = Roff::new();
        roff.control("SH", [self.0]);
        for (word, meaning) in self.1 {
            roff.control("TP", []).text([bold(*word)]).text([roman(*meaning)]);
        }
        roff.to_writer(page)
    }
}

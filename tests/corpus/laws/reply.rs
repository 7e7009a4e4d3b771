//! How a plugin ends: exit status, stdout and stderr.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use libcni::invoke::{Output, Request, read_reply};
use libcni::spec::{Command, ErrorReply, VersionReply};
use libcni::{Chain, Printable};

/// A failure becomes one message of bounded length that moves no cursor, and an error object that prints as it was
/// read.
pub fn holds(data: &[u8]) {
    let (status, rest) = data.split_first().map_or((0, data), |(status, rest)| (i32::from(*status), rest));
    let half = rest.len() / 2;
    for (stdout, stderr) in [(rest, &[][..]), (&[], rest), rest.split_at(half)] {
        let output = Output::default().status(ExitStatus::from_raw(status)).stdout(stdout).stderr(stderr);
        ends(output);
    }
    if let Ok(text) = std::str::from_utf8(rest) {
        objects(text);
    }
}

fn ends(output: Output) {
    let succeeded = output.status.success();
    let request = Request::new("p", Command::Add, "/p");
    match read_reply(&request, output) {
        Ok(_) => assert!(succeeded, "a failure counts as success"),
        Err(error) => {
            let message = Chain(&*error).to_string();
            assert!(!message.contains(|c| !Printable::allows(c)), "{message:?}");
            assert!(!message.split('\n').skip(1).any(|line| !line.is_empty() && !line.starts_with(' ')), "{message:?}");
            assert!(message.len() < 50_000, "{} bytes", message.len());
        }
    }
}

fn objects(text: &str) {
    if let Ok(reply) = serde_json::from_str::<ErrorReply>(text) {
        let printed = serde_json::to_string(&reply).expect("JSON");
        assert_eq!(serde_json::from_str::<ErrorReply>(&printed).expect("its own text"), reply);
    }
    if let Ok(reply) = VersionReply::parse(text) {
        assert!(!reply.supported_versions.is_empty());
        let printed = serde_json::to_string(&reply).expect("JSON");
        assert_eq!(VersionReply::parse(&printed).expect("its own text"), reply);
    }
}

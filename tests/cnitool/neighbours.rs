//! Broken files beside the network.

use super::{NETNS, host};
use crate::support::{Ran, Sandbox};

fn with_broken_neighbour() -> Sandbox {
    host().file("10-broken.conflist", "{\n  \"name\": }")
}

#[test]
fn a_broken_neighbour_is_a_warning_on_stderr() {
    let sandbox = with_broken_neighbour();
    let ran = Ran::new(&mut sandbox.cnitool(["add", "net", NETNS])).exits_with(0);
    let ran = ran.says("warning: ").says("10-broken.conflist:2:11: not a JSON object");
    assert!(ran.stdout().starts_with('{'), "{ran}");
}

#[test]
fn strict_stops_at_a_broken_neighbour() {
    let sandbox = with_broken_neighbour();
    for (arguments, env) in [(&["--strict"][..], None), (&[], Some(("CNITOOL_COMPAT", "go")))] {
        let mut command = sandbox.cnitool(["add", "net", NETNS]);
        let ran = Ran::new(command.args(arguments).envs(env));
        ran.exits_with(1).says("error: ").says("10-broken.conflist:2:11");
        assert!(sandbox.calls().is_empty());
    }
}

#[test]
fn a_compatibility_with_anything_else_is_none() {
    for value in ["", "0"] {
        let sandbox = with_broken_neighbour();
        Ran::new(sandbox.cnitool(["add", "net", NETNS]).env("CNITOOL_COMPAT", value)).exits_with(0).says("warning: ");
    }
}

#[test]
fn a_name_that_nobody_has_lists_the_files_that_could_not_be_read() {
    let sandbox = with_broken_neighbour();
    let ran = Ran::new(&mut sandbox.cnitool(["add", "wanted", NETNS])).exits_with(1);
    ran.says("`wanted`").says("10-broken.conflist:2:11");
}

#[test]
fn the_broken_file_of_the_network_itself_is_an_error_with_its_place() {
    let sandbox = host().file("10-x.conflist", "{\"name\": \"x\",\n \"plugins\": 7}");
    let ran = Ran::new(&mut sandbox.cnitool(["add", "x", NETNS])).exits_with(1);
    ran.says("10-x.conflist:2:13").says("`plugins`");
}

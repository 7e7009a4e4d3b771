//! What a plugin that succeeds may answer to ADD, and what it may not.

use libcni::Error;
use libcni::invoke::PluginFailure;

use crate::support::{Sandbox, attachment, chain, promptly};

/// A plugin that prints this, byte for byte.
#[track_caller]
fn answering(answer: &[u8]) -> Sandbox {
    let sandbox = Sandbox::new().plugins(["one"]).on("one", "ADD", "cat $home/answer");
    std::fs::write(sandbox.path("answer"), answer).unwrap();
    sandbox
}

/// ADD fails, says so in words that have these in them, and caches nothing.
#[track_caller]
fn is_refused(answer: impl AsRef<[u8]>, word: &str) {
    let sandbox = answering(answer.as_ref());
    let error = promptly(|| sandbox.cni().add(&sandbox.network(), &attachment("c1", "eth0")).unwrap_err());
    let Error::Plugin(source) = &error else { panic!("{error:?}") };
    assert!(matches!(source.failure, PluginFailure::InvalidResult { .. }), "{error:?}");
    let message = chain(&error);
    assert!(message.contains(word) && message.contains("`one`"), "{word:?} is not in: {message}");
    assert!(message.len() < 10_000, "{} bytes", message.len());
    assert!(error.needs_cleanup() && sandbox.cached().is_empty());
}

/// ADD succeeds, and CHECK and DEL after it.
#[track_caller]
fn is_accepted(answer: impl AsRef<[u8]>) {
    let sandbox = answering(answer.as_ref());
    let (cni, network, mine) = (sandbox.cni(), sandbox.network(), attachment("c1", "eth0"));
    promptly(|| {
        let result = cni.add(&network, &mine).unwrap();
        assert!(result.to_json_pretty().len() < 10 * answer.as_ref().len() + 100);
        cni.check(&network, &mine).unwrap();
        cni.del(&network, &mine).unwrap();
    });
    assert!(sandbox.cached().is_empty());
}

#[test]
fn an_answer_is_one_json_object() {
    is_refused("", "\"\"");
    is_refused(" \n", "EOF");
    is_refused("[]", "sequence");
    is_refused("\"text\"", "string");
    is_refused("7", "integer");
    is_refused("true", "boolean");
    is_refused(r#"{"cniVersion":"1.1.0""#, "EOF");
    is_refused("level=info msg=adding\n{}", "level=info");
    is_refused("{}\0", "trailing characters");
    is_refused("\0\0", r"\0\0");
    is_refused("\u{feff}{}", r"\u{feff}");
    is_refused(b"\xff\xfe{\0}\0", r"\0}\0");
}

#[test]
fn a_text_in_an_answer_may_have_bytes_that_are_not_utf8() {
    is_accepted(b"{\"x\":\"\xff\"}");
    is_accepted(r#"{"x":"\ud800","interfaces":[{"name":"\ud800"}]}"#);
}

#[test]
fn nothing_but_white_space_may_follow_a_result() {
    is_refused(r#"{"cniVersion":"1.1.0"} done"#, "trailing characters");
    is_refused("{}\n{}\n", "trailing characters");
    is_refused(r#"{"cniVersion":"1.1.0"}{"code":7,"msg":"no"}"#, "trailing characters");
    is_accepted("\r\n\t {\r\n}\n\n ");
}

#[test]
fn what_a_result_says_of_addresses_and_interfaces_has_its_form() {
    let with = |rest: &str| format!(r#"{{"cniVersion":"1.1.0",{rest}}}"#);
    is_refused(with(r#""ips":[null]"#), "`ips[0]`");
    is_refused(with(r#""interfaces":[null]"#), "`interfaces[0]`");
    is_refused(with(r#""routes":[null]"#), "`routes[0]`");
    is_refused(with(r#""ips":[{}]"#), "`ips[0].address`");
    is_refused(with(r#""ips":{"0":{}}"#), "`ips`");
    is_refused(with(r#""ips":[{"address":"300.1.1.1/24"}]"#), "300.1.1.1/24");
    is_refused(with(r#""ips":[{"address":"10.0.0.1"}]"#), "10.0.0.1");
    is_refused(with(r#""ips":[{"address":"10.0.0.1/24","gateway":"x"}]"#), "`ips[0].gateway`");
    is_refused(with(r#""interfaces":[{"name":"eth0","mtu":1.5}]"#), "`interfaces[0].mtu`");
    is_refused(with(r#""interfaces":[{"name":"eth0","mtu":1e400}]"#), "`interfaces[0].mtu`");
    is_refused(with(r#""dns":{"nameservers":[5]}"#), "`dns.nameservers[0]` must be a string, not 5");
    is_refused(r#"{"cniVersion":"9.9.9"}"#, "9.9.9");
    is_refused(r#"{"cniVersion":"1.1"}"#, "`1.1`");
}

#[test]
fn odd_but_harmless_answers_are_accepted() {
    is_accepted("null");
    is_accepted("{}");
    is_accepted(r#"{"cniVersion":"","ips":null,"interfaces":null,"routes":null,"dns":null}"#);
    is_accepted(r#"{"cniVersion":"1.1.0","ips":[{"address":"10.0.0.1/24","interface":-5}]}"#);
    is_accepted(r#"{"cniVersion":"1.1.0","ips":[{"address":"10.0.0.1/24","interface":99999999999}]}"#);
    is_accepted(r#"{"cniVersion":"1.1.0","ips":[],"ips":[{"address":"10.0.0.1/24"}]}"#);
    is_accepted(r#"{"cniVersion":"1.1.0","interfaces":[{"name":"a\u0000\u001b[2J/../b"}],"x":"\ud800"}"#);
    is_accepted(r#"{"cniVersion":"1.1.0","dns":{"nameservers":[null]}}"#);
    is_accepted(r#"{"code":100,"interfaces":[]}"#);
}

#[test]
fn answers_may_be_deep_and_large_where_nobody_looks() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    is_accepted(format!(r#"{{"cniVersion":"1.1.0","x":{deep}}}"#));
    is_accepted(format!(r#"{{"cniVersion":"1.1.0","x":"{}"}}"#, "x".repeat(7 << 20)));
    is_refused(format!(r#"{{"cniVersion":"1.1.0","ips":{deep}}}"#), "bytes more");
    is_refused("[".repeat(1_000_000), "bytes more");
    is_refused(r#"{"ips":"#.to_owned() + &"[".repeat(1_000_000), "bytes more");
}

#[test]
fn what_other_verbs_print_does_not_matter() {
    for noise in ["{\"code\":7,\"msg\":\"no\"}", "\\377", "[[[[", ""] {
        let printing = format!("printf '{noise}'");
        let sandbox = Sandbox::new().plugins(["one"]).on("one", "DEL", &printing).on("one", "CHECK", &printing);
        let (cni, network, mine) = (sandbox.cni(), sandbox.network(), attachment("c1", "eth0"));
        cni.add(&network, &mine).unwrap();
        cni.check(&network, &mine).unwrap();
        cni.del(&network, &mine).unwrap();
    }
}

//! The smallest plugin: it changes nothing, and passes on the result of the plugin before it. A template.

use std::process::ExitCode;

use libcni::plugin::{Answer, AttachmentCall, Plugin, run};
use libcni::result::{AddResult, v100};

struct Noop;

impl Plugin for Noop {
    fn add(&self, call: &AttachmentCall) -> Answer<AddResult> {
        let previous = call.config.prev_result()?;
        Ok(previous.unwrap_or_else(|| v100::Body::default().into()))
    }

    fn del(&self, _call: &AttachmentCall) -> Answer {
        Ok(())
    }

    fn check(&self, _call: &AttachmentCall) -> Answer {
        Ok(())
    }
}

fn main() -> ExitCode {
    run(Noop)
}

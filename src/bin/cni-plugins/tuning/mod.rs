//! `tuning`: changes settings of an interface that an earlier plugin made, and sysctls of the container's network.

mod allowed;
mod check;
mod config;
mod interface;
mod result;
mod saved;
mod sysctls;

use libcni::link::Handle;
use libcni::netns::Namespace;
use libcni::plugin::{Answer, AttachmentCall, Call, Failure, Plugin};
use libcni::result::AddResult;

use self::config::{Config, Settings, data_dir};
use self::interface::{link, requests, restore};
use self::saved::Saved;
use crate::valid::Valid;

pub(crate) struct Tuning;

impl Plugin for Tuning {
    fn add(&self, call: &AttachmentCall) -> Answer<AddResult> {
        let config = Config::read(call)?;
        allowed::check(&config.sysctl)?;
        let mut body = call.config.require_prev_result()?.latest();
        let settings = config.settings_for(call)?;
        Namespace::open(call.require_netns()?)?.run(|| tune(call, &config, &settings))??;
        result::update(&mut body, call.ifname.as_str(), &settings);
        Ok(body.into())
    }

    fn del(&self, call: &AttachmentCall) -> Answer {
        let dir = data_dir(&call.config);
        let saved = Saved::read(&dir, call)?;
        if let Some((saved, netns)) = saved.zip(call.netns()) {
            match Handle::inside(netns) {
                Ok(mut inside) => restore(&mut inside, call, &saved.settings())?,
                Err(error) if error.is_gone() => {}
                Err(error) => return Err(error.into()),
            }
        }
        Saved::remove(&dir, call)
    }

    fn check(&self, call: &AttachmentCall) -> Answer {
        let config = Config::read(call)?;
        call.config.require_prev_result()?;
        let settings = config.settings_for(call)?;
        Namespace::open(call.require_netns()?)?.run(|| check::check(call, &config, &settings))?
    }

    fn gc(&self, call: &Call) -> Answer {
        let Some(valid) = call.config.valid_attachments()?.map(Valid::new) else { return Ok(()) };
        Saved::retain(&data_dir(&call.config), call.config.name().as_str(), &valid)
    }

    fn status(&self, call: &Call) -> Answer {
        allowed::check(&Config::read(call)?.sysctl)
    }

    fn about(&self) -> Option<String> {
        Some(crate::about::about("tuning"))
    }
}

/// Changes everything, in the namespace of the container.
fn tune(call: &AttachmentCall, config: &Config, settings: &Settings) -> Answer {
    let ifname = call.ifname.as_str();
    config.sysctl.iter().try_for_each(|(key, value)| sysctls::write(key, ifname, value))?;
    if settings.are_none() {
        return Ok(());
    }
    let mut inside = Handle::here()?;
    let link = link(&mut inside, ifname)?;
    Saved::of(call, settings, &link).write(&data_dir(&call.config), call)?;
    let requests = requests(link.index, settings);
    inside.ask_all(requests).map_err(|error| {
        // The first error is what the runtime must hear.
        let _ = restore(&mut inside, call, &Settings::of(settings, &link));
        let netns = call.netns().unwrap_or("".as_ref()).display();
        let text = libcni::Chain(&error).to_string();
        Failure::internal(format!("tuning: interface `{ifname}` in {netns}: {text}"))
    })?;
    Ok(())
}

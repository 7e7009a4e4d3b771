//! `cni-plugins`: all plugins of this project in one program. Its file name says which one it is.

mod about;
mod bandwidth;
mod bridge;
mod chained;
mod command;
mod directory;
mod firewall;
mod flannel;
mod flush;
mod forwarding;
mod host_end;
mod host_local;
mod in_process;
mod inside;
mod install;
mod invalid;
mod iptables_legacy;
mod loopback;
mod mac;
mod macvlan;
mod names;
mod nft;
mod plugins;
mod portmap;
mod ptp;
mod reachable;
mod static_addresses;
mod sysctl;
mod takeover;
mod text;
mod threads;
mod tuning;
mod valid;
mod whole;

use std::path::Path;
use std::process::ExitCode;

// musl's own allocator asks the kernel for a page at a time, and gives it back: a plugin that starts for every
// container pays more for that than for the work.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let program = arguments.next().unwrap_or_default();
    if let Some(plugin) = plugins::called(Path::new(&program)) {
        return libcni::plugin::run_with(plugin, in_process::InProcess);
    }
    command::run(&arguments.collect::<Vec<_>>())
}

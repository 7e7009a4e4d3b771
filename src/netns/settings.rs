//! The settings of an interface that results have, too: one question to the kernel, without the crates of `link`.

use nix::errno::Errno;
use nix::net::if_::if_nametoindex;
use rustix::io;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with};

use super::Namespace;
use super::error::{NetnsError, Operation};

/// The settings that an interface has now.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Settings {
    /// The hardware address; `None` where the kind of interface has none.
    pub(crate) mac: Option<String>,
    pub(crate) mtu: Option<u32>,
}

const RTM_NEWLINK: u16 = 16;
const RTM_GETLINK: u16 = 18;
const NLM_F_REQUEST: u16 = 1;
const IFLA_ADDRESS: u16 = 1;
const IFLA_MTU: u16 = 4;
/// The bytes before the attributes: a header, and the part that every message about a link has.
const HEAD: usize = 32;

impl Namespace {
    /// Asks for the settings of an interface; `None` where there is none of that name.
    pub(crate) fn settings_of(&self, interface: &str) -> Result<Option<Settings>, NetnsError> {
        let failed = |errno: std::io::Error| NetnsError::new(Operation::LookUpInterface, self.path(), errno);
        let ask = || match if_nametoindex(interface) {
            Ok(index) => ask(index).map_err(Into::into),
            Err(Errno::ENODEV) => Ok(None),
            Err(errno) => Err(errno.into()),
        };
        self.run(ask)?.map_err(failed)
    }
}

fn ask(index: u32) -> io::Result<Option<Settings>> {
    // No protocol is that of links and routes, which has the number 0.
    let kernel = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    io::retry_on_intr(|| send(&kernel, &question(index), SendFlags::empty()))?;
    let mut answer = vec![0; 32 << 10];
    let (length, _) = io::retry_on_intr(|| recv(&kernel, &mut answer[..], RecvFlags::empty()))?;
    Ok(read(answer.get(..length).unwrap_or_default()))
}

fn question(index: u32) -> Vec<u8> {
    let [length, sequence, port, flags, change] = [32_u32, 1, 0, 0, 0].map(u32::to_ne_bytes);
    let [kind, request, of_any_family] = [RTM_GETLINK, NLM_F_REQUEST, 0].map(u16::to_ne_bytes);
    let header = [&length[..], &kind, &request, &sequence, &port].concat();
    [&header[..], &of_any_family, &of_any_family, &index.to_ne_bytes(), &flags, &change].concat()
}

/// Reads a message about a link. An error is none: the link has gone since.
fn read(message: &[u8]) -> Option<Settings> {
    if u16_at(message, 4)? != RTM_NEWLINK {
        return None;
    }
    let mut settings = Settings::default();
    let mut left = message.get(HEAD..).unwrap_or_default();
    while let (Some(length), Some(kind)) = (u16_at(left, 0).map(usize::from), u16_at(left, 2)) {
        let Some(value) = left.get(4..length) else { break };
        match kind {
            IFLA_ADDRESS if !value.is_empty() => settings.mac = Some(text(value)),
            IFLA_MTU => settings.mtu = value.try_into().ok().map(u32::from_ne_bytes),
            _ => {}
        }
        left = left.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Some(settings)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn text(mac: &[u8]) -> String {
    let bytes: Vec<_> = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_may_be_cut_short_anywhere() {
        let attribute = |kind: u16, value: &[u8]| {
            let mut bytes = [(4 + value.len() as u16).to_ne_bytes(), kind.to_ne_bytes()].concat();
            bytes.extend(value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            bytes
        };
        let mut message = [&[0; 4][..], &RTM_NEWLINK.to_ne_bytes(), &[0; HEAD - 6]].concat();
        message.extend(attribute(IFLA_ADDRESS, &[2, 0, 0, 0, 0, 0x7f]));
        message.extend(attribute(IFLA_MTU, &1400_u32.to_ne_bytes()));
        let whole = Settings { mac: Some("02:00:00:00:00:7f".to_owned()), mtu: Some(1400) };
        assert_eq!(read(&message), Some(whole));
        for length in 0..message.len() {
            read(&message[..length]);
        }
        message[HEAD] = 0;
        assert_eq!(read(&message), Some(Settings::default()));
    }
}

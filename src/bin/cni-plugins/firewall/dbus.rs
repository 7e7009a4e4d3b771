//! Calls over D-Bus, as much as `firewalld` needs: texts to it, and a yes or no back. The system bus is a socket that
//! the kernel knows the caller of.
//!
//! The crate `zbus` could do this, and everything else that D-Bus has: with 32 crates below it, among them an
//! asynchronous runtime, in a program whose start is a part of every ADD.

use std::io::{self, ErrorKind, Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::time::Duration;

use rustix::process::geteuid;

/// Where the bus is, unless DBUS_SYSTEM_BUS_ADDRESS says otherwise.
const ADDRESS: &str = "unix:path=/var/run/dbus/system_bus_socket";

/// How long an answer may take: as long as other programs wait for it.
const PATIENCE: Duration = Duration::from_secs(25);

/// No answer of these is longer.
const LONGEST: usize = 1 << 20;

/// The receiver of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Object {
    pub(crate) name: &'static str,
    pub(crate) path: &'static str,
    pub(crate) interface: &'static str,
}

const BUS: Object =
    Object { name: "org.freedesktop.DBus", path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus" };

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("D-Bus")]
    Bus(#[from] io::Error),
    /// By whoever was called, or by the bus in its place.
    #[error("{name}: {message}")]
    Refused { name: String, message: String },
}

/// A connection to the system bus.
#[derive(Debug)]
pub(crate) struct Bus {
    stream: UnixStream,
    serial: u32,
}

impl Bus {
    /// Connects as the user of this process.
    pub(crate) fn connect() -> io::Result<Self> {
        let asked = std::env::var_os("DBUS_SYSTEM_BUS_ADDRESS").and_then(|address| address.into_string().ok());
        let address = asked.unwrap_or_else(|| ADDRESS.to_owned());
        let unknown = || io::Error::new(ErrorKind::Unsupported, format!("{address} is not the address of a socket"));
        let address = address.split(';').find_map(socket).ok_or_else(unknown)??;
        let stream = UnixStream::connect_addr(&address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut bus = Self { stream, serial: 0 };
        bus.authenticate()?;
        bus.call(BUS, "Hello", &[]).map_err(|error| match error {
            CallError::Bus(error) => error,
            refused @ CallError::Refused { .. } => io::Error::other(refused.to_string()),
        })?;
        Ok(bus)
    }

    fn authenticate(&mut self) -> io::Result<()> {
        let user: String = geteuid().as_raw().to_string().bytes().map(|digit| format!("{digit:02x}")).collect();
        self.stream.write_all(format!("\0AUTH EXTERNAL {user}\r\n").as_bytes())?;
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") && line.len() < LONGEST {
            let mut byte = [0];
            self.stream.read_exact(&mut byte)?;
            line.extend(byte);
        }
        if !line.starts_with(b"OK ") {
            let said = String::from_utf8_lossy(&line).trim().to_owned();
            return Err(io::Error::new(ErrorKind::PermissionDenied, format!("the bus refuses this user: {said}")));
        }
        self.stream.write_all(b"BEGIN\r\n")
    }

    /// Returns true if somebody has a name on the bus.
    pub(crate) fn has_owner(&mut self, name: &str) -> Result<bool, CallError> {
        self.call(BUS, "NameHasOwner", &[name])
    }

    /// Calls a method with texts. Returns true if the answer begins with anything but zero, as that of a question does
    /// which is answered with yes.
    pub(crate) fn call(&mut self, object: Object, method: &str, texts: &[&str]) -> Result<bool, CallError> {
        self.serial += 1;
        self.stream.write_all(&request(object, method, texts, self.serial))?;
        loop {
            let answer = Answer::read(&mut self.stream)?;
            if answer.reply_to == Some(self.serial) {
                return answer.outcome();
            }
        }
    }
}

/// The socket that an address is of; `None` if it is another kind of address.
fn socket(address: &str) -> Option<io::Result<SocketAddr>> {
    let keys = address.strip_prefix("unix:")?;
    let value = |key: &str| keys.split(',').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
    let path = value("path").map(SocketAddr::from_pathname);
    path.or_else(|| value("abstract").map(SocketAddr::from_abstract_name))
}

fn pad(bytes: &mut Vec<u8>, to: usize) {
    bytes.resize(bytes.len().next_multiple_of(to), 0);
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    pad(bytes, 4);
    bytes.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes.push(0);
}

/// A field of a header: its number, its type and its value.
fn put_field(fields: &mut Vec<u8>, number: u8, kind: u8, value: &str) {
    // The fields begin at a multiple of eight.
    pad(fields, 8);
    fields.extend([number, 1, kind, 0]);
    if kind == b'g' {
        fields.push(u8::try_from(value.len()).unwrap_or(u8::MAX));
        fields.extend(value.as_bytes());
        fields.push(0);
    } else {
        put_text(fields, value);
    }
}

/// The bytes of a call.
fn request(object: Object, method: &str, texts: &[&str], serial: u32) -> Vec<u8> {
    const CALL: u8 = 1;
    const VERSION: u8 = 1;
    let mut body = Vec::new();
    texts.iter().for_each(|text| put_text(&mut body, text));
    let mut fields = Vec::new();
    for (number, kind, value) in
        [(1, b'o', object.path), (2, b's', object.interface), (3, b's', method), (6, b's', object.name)]
    {
        put_field(&mut fields, number, kind, value);
    }
    if !texts.is_empty() {
        put_field(&mut fields, 8, b'g', &"s".repeat(texts.len()));
    }
    let mut bytes = vec![b'l', CALL, 0, VERSION];
    for number in [body.len(), serial as usize, fields.len()] {
        bytes.extend(u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
    }
    bytes.extend(fields);
    pad(&mut bytes, 8);
    bytes.extend(body);
    bytes
}

/// A message from the bus.
#[derive(Debug, Default)]
struct Answer {
    kind: u8,
    reply_to: Option<u32>,
    error: String,
    is_little: bool,
    body: Vec<u8>,
}

impl Answer {
    fn read(stream: &mut impl Read) -> io::Result<Self> {
        const HEADER: usize = 16;
        let mut header = [0; HEADER];
        stream.read_exact(&mut header)?;
        let mut answer = Self { kind: header[1], is_little: header[0] == b'l', ..Self::default() };
        let [body, fields] = [4, 12].map(|at| answer.number(&header, at).unwrap_or_default() as usize);
        if body.max(fields) > LONGEST {
            return Err(io::Error::new(ErrorKind::InvalidData, "an answer of D-Bus is too long"));
        }
        let mut rest = vec![0; fields.next_multiple_of(8)];
        stream.read_exact(&mut rest)?;
        rest.truncate(fields);
        answer.body = vec![0; body];
        stream.read_exact(&mut answer.body)?;
        answer.read_fields(&rest);
        Ok(answer)
    }

    fn number(&self, bytes: &[u8], at: usize) -> Option<u32> {
        let four = bytes.get(at..)?.first_chunk().copied()?;
        Some(if self.is_little { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) })
    }

    fn text<'a>(&self, bytes: &'a [u8], at: usize) -> Option<&'a str> {
        let length = self.number(bytes, at)? as usize;
        std::str::from_utf8(bytes.get(at + 4..)?.get(..length)?).ok()
    }

    /// Reads the fields, up to one of a type that no answer has.
    fn read_fields(&mut self, fields: &[u8]) {
        const ERROR: u8 = 4;
        const REPLY_TO: u8 = 5;
        let mut at: usize = 0;
        while let Some([number, 1, kind, 0]) = fields.get(at..).and_then(<[u8]>::first_chunk) {
            let value = at + 4;
            let length = match kind {
                b'u' => 4,
                b'g' => usize::from(fields.get(value).copied().unwrap_or_default()) + 2,
                b's' | b'o' => self.number(fields, value).unwrap_or_default() as usize + 5,
                _ => return,
            };
            match *number {
                REPLY_TO => self.reply_to = self.number(fields, value),
                ERROR => self.error = self.text(fields, value).unwrap_or_default().to_owned(),
                _ => {}
            }
            at = (value + length).next_multiple_of(8);
        }
    }

    fn outcome(self) -> Result<bool, CallError> {
        const ERROR: u8 = 3;
        if self.kind != ERROR {
            return Ok(self.number(&self.body, 0).is_some_and(|first| first != 0));
        }
        let message = self.text(&self.body, 0).unwrap_or_default().to_owned();
        Err(CallError::Refused { name: self.error, message })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(bytes: &[u8]) -> Answer {
        Answer::read(&mut &bytes[..]).unwrap()
    }

    #[test]
    fn a_call_reads_back_as_what_it_says() {
        let bytes = request(BUS, "NameHasOwner", &["org.example", "x"], 7);
        let read = answer(&bytes);
        assert_eq!((read.kind, read.is_little), (1, true));
        assert_eq!((read.text(&read.body, 0), read.text(&read.body, 16)), (Some("org.example"), Some("x")));
        assert_eq!(read.body.len(), 22);
    }

    #[test]
    fn answers_of_either_byte_order_are_read() {
        let of = |kind: u8, field: &[u8], body: &[u8]| {
            let lengths = [body.len() as u8, 9, field.len() as u8].map(|length| [0, 0, 0, length]).concat();
            let mut bytes = [&[b'B', kind, 0, 1], &lengths[..], field].concat();
            pad(&mut bytes, 8);
            answer(&[&bytes, body].concat())
        };
        let to_seven = [5, 1, b'u', 0, 0, 0, 0, 7];
        for (last, is_yes) in [(0, false), (1, true)] {
            let said = of(2, &to_seven, &[0, 0, 0, last]);
            assert_eq!((said.reply_to, said.outcome().unwrap()), (Some(7), is_yes));
        }
        let failed = [&to_seven[..], &[4, 1, b's', 0, 0, 0, 0, 3], b"a.b\0"].concat();
        let refused = of(3, &failed, b"\0\0\0\x02no\0");
        assert_eq!(refused.outcome().unwrap_err().to_string(), "a.b: no");
        assert!(Answer::read(&mut &b"l\x02\0\x01\xff\xff\xff\xff\x01\0\0\0\0\0\0\0"[..]).is_err());
    }

    #[test]
    fn an_address_is_that_of_a_socket() {
        let path = socket("unix:path=/run/x,guid=1").unwrap().unwrap();
        assert_eq!(path.as_pathname(), Some("/run/x".as_ref()));
        let hidden = socket("unix:abstract=/tmp/dbus-1,guid=1").unwrap().unwrap();
        assert_eq!(hidden.as_abstract_name(), Some(&b"/tmp/dbus-1"[..]));
        assert!(socket("tcp:host=localhost").is_none());
    }
}

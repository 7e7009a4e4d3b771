//! The resolver's configuration, read from a file like /etc/resolv.conf.

use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use libcni::spec::Dns;
use rustix::fs::OFlags;

use crate::text;

/// The text of the file, which a configuration names: a FIFO or a device is not waited for, nor is more read than
/// anybody writes into such a file.
pub(crate) fn read(path: &Path) -> io::Result<String> {
    const LONGEST: u64 = 1 << 20;
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    // By now, the name may lead to a FIFO.
    let file = OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits() as i32).open(path)?;
    let mut bytes = Vec::new();
    let length = file.take(LONGEST + 1).read_to_end(&mut bytes)? as u64;
    if length > LONGEST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {LONGEST} bytes")));
    }
    Ok(text::from_bytes(bytes))
}

/// Reads the lines that a result has a place for; any other is skipped, as resolvers do.
pub(crate) fn parse(text: &str) -> Dns {
    let mut dns = Dns::default();
    for line in text.lines() {
        let mut words = line.split_whitespace().map(str::to_owned);
        let keyword = words.next().unwrap_or_default();
        match keyword.as_str() {
            "nameserver" => dns.nameservers.extend(words.next()),
            "domain" => dns.domain = words.next().or(dns.domain),
            "search" => dns.search.extend(words),
            "options" => dns.options.extend(words),
            _ => {}
        }
    }
    dns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_lines_are_taken_and_others_skipped() {
        let text = "# comment\n;x\n  nameserver 10.0.0.53 # here\nnameserver fd00::53\ndomain a.example\n\
                    search b.example c.example\noptions ndots:2 edns0\nsortlist 10.0.0.0\nnameserver\n";
        let dns = parse(text);
        assert_eq!(dns.nameservers, ["10.0.0.53", "fd00::53"]);
        assert_eq!(dns.domain.as_deref(), Some("a.example"));
        assert_eq!((dns.search.len(), dns.options.len()), (2, 2));
        assert!(parse("").is_empty());
    }

    #[test]
    fn what_is_no_small_file_is_refused_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("resolv.conf");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("not a regular file"));
        assert!(read(Path::new("/dev/zero")).unwrap_err().to_string().contains("not a regular file"));
        fs::remove_file(&path).unwrap();
        fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("more than 1048576 bytes"));
        fs::write(&path, "nameserver 10.0.0.53\n").unwrap();
        assert_eq!(parse(&read(&path).unwrap()).nameservers, ["10.0.0.53"]);
    }
}

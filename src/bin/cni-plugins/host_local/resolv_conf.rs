//! The resolver's configuration, of a file like /etc/resolv.conf.

use libcni::spec::Dns;

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
}

//! The names that Go's standard library reads from files, as Debian and distroless images
//! have them: `/etc/services` (package `net`) and `/etc/mime.types` (package `mime`).

use std::fmt::Write as _;

/// Where the media types come from; bump together with `Cargo.toml`.
pub(crate) const MIME_SOURCE: &str = "Media types, crate mime_guess 2.0.5, MIT licence";

/// Where the services come from.
pub(crate) const SERVICES_SOURCE: &str =
    "Well-known services, a selection of IANA's Service Name and Port Number Registry";

/// Name, port, protocols and aliases. What programs of today look up by name; the numbers are
/// those of the registry.
const SERVICES: &[(&str, u16, &str, &str)] = &[
    ("echo", 7, "tcp udp", ""),
    ("discard", 9, "tcp udp", ""),
    ("daytime", 13, "tcp udp", ""),
    ("ftp-data", 20, "tcp", ""),
    ("ftp", 21, "tcp", ""),
    ("ssh", 22, "tcp", ""),
    ("telnet", 23, "tcp", ""),
    ("smtp", 25, "tcp", "mail"),
    ("time", 37, "tcp udp", ""),
    ("whois", 43, "tcp", "nicname"),
    ("tacacs", 49, "tcp udp", ""),
    ("domain", 53, "tcp udp", ""),
    ("bootps", 67, "udp", ""),
    ("bootpc", 68, "udp", ""),
    ("tftp", 69, "udp", ""),
    ("gopher", 70, "tcp", ""),
    ("finger", 79, "tcp", ""),
    ("http", 80, "tcp", "www"),
    ("kerberos", 88, "tcp udp", "kerberos5"),
    ("pop3", 110, "tcp", "pop-3"),
    ("sunrpc", 111, "tcp udp", "portmapper"),
    ("nntp", 119, "tcp", ""),
    ("ntp", 123, "udp", ""),
    ("epmap", 135, "tcp udp", "loc-srv"),
    ("netbios-ns", 137, "udp", ""),
    ("netbios-dgm", 138, "udp", ""),
    ("netbios-ssn", 139, "tcp", ""),
    ("imap2", 143, "tcp", "imap"),
    ("snmp", 161, "tcp udp", ""),
    ("snmp-trap", 162, "tcp udp", "snmptrap"),
    ("xdmcp", 177, "udp", ""),
    ("bgp", 179, "tcp", ""),
    ("irc", 194, "tcp udp", ""),
    ("ptp-event", 319, "udp", ""),
    ("ptp-general", 320, "udp", ""),
    ("ldap", 389, "tcp udp", ""),
    ("https", 443, "tcp udp", ""),
    ("microsoft-ds", 445, "tcp udp", ""),
    ("kpasswd", 464, "tcp udp", ""),
    ("submissions", 465, "tcp", "ssmtp smtps urd"),
    ("isakmp", 500, "udp", ""),
    ("syslog", 514, "udp", ""),
    ("printer", 515, "tcp", "spooler"),
    ("nntps", 563, "tcp", "snntp"),
    ("dhcpv6-client", 546, "udp", ""),
    ("dhcpv6-server", 547, "udp", ""),
    ("rtsp", 554, "tcp udp", ""),
    ("submission", 587, "tcp", ""),
    ("ipp", 631, "tcp", ""),
    ("ldaps", 636, "tcp udp", ""),
    ("kerberos-adm", 749, "tcp", ""),
    ("domain-s", 853, "tcp udp", ""),
    ("rsync", 873, "tcp", ""),
    ("ftps-data", 989, "tcp", ""),
    ("ftps", 990, "tcp", ""),
    ("telnets", 992, "tcp", ""),
    ("imaps", 993, "tcp", ""),
    ("pop3s", 995, "tcp", ""),
    ("socks", 1080, "tcp", ""),
    ("openvpn", 1194, "tcp udp", ""),
    ("ms-sql-s", 1433, "tcp", ""),
    ("ms-sql-m", 1434, "udp", ""),
    ("l2f", 1701, "udp", "l2tp"),
    ("radius", 1812, "tcp udp", ""),
    ("radius-acct", 1813, "tcp udp", "radacct"),
    ("mqtt", 1883, "tcp", ""),
    ("nfs", 2049, "tcp udp", ""),
    ("git", 9418, "tcp", ""),
    ("iscsi-target", 3260, "tcp", ""),
    ("mysql", 3306, "tcp", ""),
    ("ms-wbt-server", 3389, "tcp", ""),
    ("svn", 3690, "tcp", "subversion"),
    ("epmd", 4369, "tcp", ""),
    ("ipsec-nat-t", 4500, "udp", ""),
    ("sip", 5060, "tcp udp", ""),
    ("sip-tls", 5061, "tcp udp", ""),
    ("xmpp-client", 5222, "tcp", "jabber-client"),
    ("xmpp-server", 5269, "tcp", "jabber-server"),
    ("mdns", 5353, "udp", ""),
    ("postgresql", 5432, "tcp", "postgres"),
    ("amqps", 5671, "tcp", ""),
    ("amqp", 5672, "tcp udp sctp", ""),
    ("x11", 6000, "tcp", "x11-0"),
    ("redis", 6379, "tcp", ""),
    ("ircs-u", 6697, "tcp", ""),
    ("http-alt", 8080, "tcp udp", "webcache"),
    ("puppet", 8140, "tcp", ""),
    ("secure-mqtt", 8883, "tcp", ""),
    ("zabbix-agent", 10050, "tcp", ""),
    ("zabbix-trapper", 10051, "tcp", ""),
];

/// `/etc/services`, sorted by port.
pub(crate) fn services() -> String {
    let mut all = SERVICES.to_vec();
    all.sort_by_key(|(name, port, ..)| (*port, *name));
    let mut text = format!("# {SERVICES_SOURCE}\n");
    for (name, port, protocols, aliases) in all {
        for protocol in protocols.split(' ') {
            let line = format!("{name}\t{port}/{protocol}\t{aliases}");
            let _ = writeln!(text, "{}", line.trim_end());
        }
    }
    text
}

/// Extensions whose first type in the crate is not the registered one.
const CORRECTED: &[(&str, &str)] = &[("ts", "video/mp2t")];

/// What says nothing about a file. Go looks at the content of a file without a type, and that is
/// better.
const ANYTHING: &str = "application/octet-stream";

/// What Go knows without a file, with its own and better values: `mime.builtinTypesLower` of
/// Go 1.17 to 1.26, the part that browsers depend on. A file would win over them.
const BUILT_IN: &[&str] = &[
    "avif", "css", "gif", "htm", "html", "ico", "jpeg", "jpg", "js", "json", "mjs", "pdf", "png",
    "svg", "wasm", "webp", "xml",
];

/// `/etc/mime.types`: a type and its extensions per line, sorted.
pub(crate) fn mime_types() -> String {
    let mut lines = std::collections::BTreeMap::<String, Vec<&str>>::new();
    let extensions = mime_guess::get_extensions("*", "*").unwrap_or_default();
    for extension in extensions {
        let corrected = CORRECTED.iter().find(|(known, _)| known == extension);
        let kind = match corrected {
            Some((_, kind)) => Some((*kind).to_owned()),
            None => mime_guess::from_ext(extension)
                .first()
                .map(|m| m.to_string()),
        };
        let known = BUILT_IN.contains(extension);
        if let Some(kind) = kind.filter(|kind| !known && kind != ANYTHING) {
            lines.entry(kind).or_default().push(extension);
        }
    }
    let mut text = format!("# {MIME_SOURCE}\n");
    for (kind, mut extensions) in lines {
        extensions.sort_unstable();
        extensions.dedup();
        let _ = writeln!(text, "{kind}\t{}", extensions.join(" "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_lines_of_name_port_and_aliases() {
        let text = services();
        for line in [
            "https\t443/tcp",
            "http\t80/tcp\twww",
            "domain\t53/udp",
            "postgresql\t5432/tcp\tpostgres",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}");
        }
        let names: Vec<_> = SERVICES.iter().map(|(name, ..)| name).collect();
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(names.len(), distinct.len());
    }

    #[test]
    fn media_types_add_to_what_go_knows() {
        let text = mime_types();
        let of = |extension: &str| {
            let mut lines = text.lines().filter(|line| !line.starts_with('#'));
            let line = lines.find(|l| l.split(['\t', ' ']).skip(1).any(|e| e == extension));
            line.and_then(|line| line.split('\t').next())
        };
        assert_eq!(of("woff2"), Some("font/woff2"));
        assert_eq!(of("md"), Some("text/markdown"));
        assert_eq!(of("ts"), Some("video/mp2t"));
        assert_eq!(of("webmanifest"), Some("application/manifest+json"));
        assert_eq!((of("mjs"), of("html"), of("deploy")), (None, None, None));
        assert!(text.lines().count() > 500);
    }
}

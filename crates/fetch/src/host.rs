use std::fmt;
use std::str::FromStr;

/// Hosts that may be asked: one, or all below a domain; at one port.
///
/// `example.org` is that host, `*.example.org` every host below it at any depth and not itself. Without
/// `:port` it is port 443 alone. Case does not matter.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HostPattern {
    /// In lower case, without `*.`.
    host: String,
    is_wildcard: bool,
    port: u16,
}

/// Text that is no host pattern.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{pattern:?} is no host: {why}")]
pub struct HostPatternError {
    /// The text.
    pub pattern: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// The port of `https` (RFC 9110, section 4.2.2).
const HTTPS_PORT: u16 = 443;

impl HostPattern {
    /// Whether `host`, in any case, may be asked at `port`; without one at the usual port.
    pub fn allows(&self, host: &str, port: Option<u16>) -> bool {
        let host = host.to_ascii_lowercase();
        let is_host = if self.is_wildcard {
            host.strip_suffix(&self.host)
                .and_then(|below| below.strip_suffix('.'))
                .is_some_and(|below| !below.is_empty())
        } else {
            host == self.host
        };
        is_host && port.unwrap_or(HTTPS_PORT) == self.port
    }
}

impl FromStr for HostPattern {
    type Err = HostPatternError;

    fn from_str(pattern: &str) -> Result<Self, HostPatternError> {
        let wrong = |why| Err(HostPatternError { pattern: pattern.to_owned(), why });
        if pattern.contains("://") || pattern.contains('/') {
            return wrong("write the host alone, without scheme and path");
        }
        let (host, port) = match pattern.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => match port.parse() {
                Ok(port) if port > 0 => (host, port),
                _ => {
                    return wrong(
                        "what follows the colon is no port; IPv6 addresses stand in square brackets",
                    );
                }
            },
            _ => (pattern, HTTPS_PORT),
        };
        let (host, is_wildcard) = host.strip_prefix("*.").map_or((host, false), |domain| (domain, true));
        let host = host.to_ascii_lowercase();
        if is_wildcard && !host.contains('.') {
            return wrong("`*.` needs a domain of at least two labels behind it");
        }
        if !(is_name(&host) || is_ipv6(&host) && !is_wildcard) {
            return wrong(
                "expected media.example.org, *.example.org or 192.0.2.7, say, with or without :port",
            );
        }
        Ok(Self { host, is_wildcard, port })
    }
}

fn is_name(host: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    host.len() <= 253 && host.split('.').all(is_label)
}

fn is_ipv6(host: &str) -> bool {
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    inner.is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok())
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}:{}", if self.is_wildcard { "*." } else { "" }, self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_allowed() {
        for (pattern, host, port, allowed) in [
            ("example.org", "example.org", None, true),
            ("Example.ORG", "eXample.org", Some(443), true),
            ("example.org", "example.org", Some(8443), false),
            ("example.org:8443", "example.org", Some(8443), true),
            ("example.org:8443", "example.org", None, false),
            ("example.org", "a.example.org", None, false),
            ("example.org", "example.org.", None, false),
            ("*.example.org", "a.example.org", None, true),
            ("*.example.org", "a.b.example.org", None, true),
            ("*.example.org", "example.org", None, false),
            ("*.example.org", ".example.org", None, false),
            ("*.example.org", "badexample.org", None, false),
            ("*.example.org", "a.example.org.evil.net", None, false),
            ("192.0.2.7", "192.0.2.7", None, true),
            ("[::1]:8443", "[::1]", Some(8443), true),
        ] {
            let parsed: HostPattern = pattern.parse().unwrap();
            assert_eq!(parsed.allows(host, port), allowed, "{pattern} / {host} {port:?}");
        }
    }

    #[test]
    fn what_is_no_pattern() {
        for pattern in [
            "",
            "*",
            "*.",
            "*.org",
            "a.*.org",
            "https://example.org",
            "example.org/x",
            "example.org:",
            "example.org:0",
            "example.org:65536",
            "::1",
            "a b",
            "user@example.org",
            "example..org",
            "*.[::1]",
        ] {
            assert!(pattern.parse::<HostPattern>().is_err(), "{pattern:?} is no pattern");
        }
    }
}

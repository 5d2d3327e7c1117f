//! Whether the URL in a proof is that of a resource (RFC 9449 section 4.3, check 9). Compares with what is configured,
//! never with what a request says of itself, and never repairs what is malformed.

/// Does `claim` name `resource`? A `/` at the end makes no difference, because both name one endpoint. Equal bytes are
/// equal; else both are brought into the form of RFC 3986 sections 6.2.2 and 6.2.3 first.
pub(super) fn names(claim: &str, resource: &str) -> bool {
    if trimmed(claim) == trimmed(resource) {
        return is_plain(claim);
    }
    match (normal(claim), normal(resource)) {
        (Some(claim), Some(resource)) => trimmed(&claim) == trimmed(&resource),
        (None, _) | (_, None) => false,
    }
}

fn trimmed(url: &str) -> &str {
    url.strip_suffix('/').unwrap_or(url)
}

/// RFC 9449 section 4.2: without query and fragment; and nothing that one reader of URLs sees and another does not.
fn is_plain(url: &str) -> bool {
    url.bytes().all(|byte| {
        matches!(byte, b'!'..=b'~')
            && !matches!(
                byte,
                b'\\' | b'?' | b'#' | b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}'
            )
    })
}

fn normal(url: &str) -> Option<String> {
    if !is_plain(url) {
        return None;
    }
    let (scheme, rest) = url.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let default = match scheme.as_str() {
        "https" => "443",
        "http" => "80",
        _ => return None,
    };
    let (authority, path) = match rest.split_once('/') {
        Some((authority, path)) => (authority, path),
        None => (rest, ""),
    };
    let authority = normal_authority(authority, default)?;
    let path = without_dots(&decoded(path)?);
    Some(format!("{scheme}://{authority}/{path}"))
}

/// Lower case, without the default port. User names are no part of it.
fn normal_authority(authority: &str, default: &str) -> Option<String> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        Some(_) | None => (authority, ""),
    };
    let is_literal = host.starts_with('[') && host.ends_with(']');
    let allowed = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || b"-._~".contains(&byte)
            || (is_literal && b"[:]".contains(&byte))
    };
    let is_number = port.bytes().all(|byte| byte.is_ascii_digit()) && !port.starts_with('0');
    if host.is_empty() || !host.bytes().all(allowed) || !is_number {
        return None;
    }
    let host = host.to_ascii_lowercase();
    Some(if port.is_empty() || port == default {
        host
    } else {
        format!("{host}:{port}")
    })
}

/// RFC 3986 section 6.2.2.2: what need not be encoded is not, and digits of what must be are upper case.
fn decoded(path: &str) -> Option<String> {
    let mut pieces = path.split('%');
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let byte = u8::from_str_radix(digits, 16).ok()?;
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            plain.push(char::from(byte));
        } else {
            plain.push('%');
            plain.push_str(&digits.to_ascii_uppercase());
        }
        plain.push_str(rest);
    }
    Some(plain)
}

/// RFC 3986 section 5.2.4, for the path behind its first `/`.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if is_last {
                    kept.push("");
                }
            }
            _ => kept.push(segment),
        }
    }
    kept.join("/")
}

#[cfg(test)]
mod tests {
    use super::names;

    const RESOURCE: &str = "https://gw.example/crm/mcp";

    #[test]
    fn d09_a_url_names_a_resource_by_its_bytes() {
        assert!(names(RESOURCE, RESOURCE));
        assert!(names("https://gw.example/crm/mcp/", RESOURCE));
        assert!(names(RESOURCE, "https://gw.example/crm/mcp/"));
        assert!(names(
            "http://localhost:8080/mcp",
            "http://localhost:8080/mcp"
        ));
        assert!(names("https://[::1]:8443/mcp", "https://[::1]:8443/mcp"));
        assert!(names("https://gw.example", "https://gw.example/"));
        for other in [
            "https://gw.example/billing/mcp",
            "https://gw.example/crm/mcp2",
            "https://gw.example/crm/mc",
            "https://gw.example/crm/mcp//",
            "https://gw.example/crm//mcp",
            "https://gw.example/CRM/mcp",
            "https://gw.example/crm%2Fmcp",
            "https://gw.example/crm/mcp/x",
            "https://gw.example.evil/crm/mcp",
            "https://gw.example./crm/mcp",
            "https://evil/crm/mcp",
            "https://192.0.2.1/crm/mcp",
            "http://gw.example/crm/mcp",
            "https://gw.example:8443/crm/mcp",
            "https://gw.example:80/crm/mcp",
            "https://gw.example:0443/crm/mcp",
            "https://gw.example:+443/crm/mcp",
            "https://user@gw.example/crm/mcp",
            "https://gw.example@evil/crm/mcp",
            "https://user:pass@gw.example/crm/mcp",
            "/crm/mcp",
            "gw.example/crm/mcp",
            "//gw.example/crm/mcp",
            "https:/gw.example/crm/mcp",
            "https:gw.example/crm/mcp",
            "wss://gw.example/crm/mcp",
            "https:///crm/mcp",
            "https://",
            "",
        ] {
            assert!(!names(other, RESOURCE), "{other}");
        }
    }

    #[test]
    fn d09a_a_url_names_a_resource_after_normalisation() {
        for same in [
            "HTTPS://GW.Example/crm/mcp",
            "https://gw.example:443/crm/mcp",
            "https://gw.example:/crm/mcp",
            "https://gw.example/%63rm/mcp",
            "https://gw.example/crm/%6dcp",
            "https://gw.example/crm/%6Dcp/",
            "https://gw.example/./crm/./mcp",
            "https://gw.example/x/../crm/mcp",
            "https://gw.example/../crm/mcp",
            "https://gw.example/crm/x/%2e%2E/mcp",
            "https://gw.example/crm/mcp/.",
            "https://gw.example/crm/mcp/x/..",
        ] {
            assert!(names(same, RESOURCE), "{same}");
        }
        assert!(names("http://gw:80/mcp", "http://gw/mcp"));
        assert!(names("https://gw/a%2fb", "https://gw/a%2Fb"));
        assert!(!names("https://gw/a/b", "https://gw/a%2Fb"));
    }

    #[test]
    fn d09b_a_url_with_a_query_or_a_fragment_or_odd_characters_names_nothing() {
        for odd in [
            "https://gw.example/crm/mcp?",
            "https://gw.example/crm/mcp?x=1",
            "https://gw.example/crm/mcp#",
            "https://gw.example/crm/mcp#y",
            "https://gw.example/crm/mcp?x=1#y",
            "https://gw.example\\crm\\mcp",
            "https://gw.example/x\\..\\crm/mcp",
            "https://gw.example/crm/mcp ",
            " https://gw.example/crm/mcp",
            "https://gw.example/crm/mcp\t",
            "https://gw.example/crm/mcp\n",
            "https://gw.example/crm/mcp\u{0}",
            "https://gw\u{2024}example/crm/mcp",
            "https://\u{ff47}w.example/crm/mcp",
            "https://gw.example/crm/mc%7",
            "https://gw.example/crm/mc%",
            "https://gw.example/crm/mc%zz",
            "https://gw.example/crm/mc%+70",
            "https://gw.example/crm/mc%é0",
            "https://gw%2eexample/crm/mcp",
        ] {
            assert!(!names(odd, RESOURCE), "{odd:?}");
        }
    }
}

//! Which browser origins and host names may speak to the gateway. Absent `Origin` is no browser.

use std::net::IpAddr;

use http::HeaderMap;
use pingora::http::{RequestHeader, ResponseHeader};

use crate::config::Settings;
use crate::model::Reason;

/// What a browser may send (CORS, Fetch section 3.2): names, because `*` does not cover `Authorization`.
const ALLOW_HEADERS: &str = "authorization, content-type, accept, mcp-protocol-version, mcp-session-id, \
     mcp-method, mcp-name, last-event-id, dpop, traceparent, tracestate, baggage";
const ALLOW_METHODS: &str = "GET, POST, DELETE, OPTIONS";
/// What a browser may read.
const EXPOSE_HEADERS: &str = "WWW-Authenticate, Mcp-Session-Id, MCP-Protocol-Version, DPoP-Nonce, Retry-After, X-Request-Id, \
     Deprecation, Sunset";

/// The rule for origins and hosts.
#[derive(Debug)]
pub struct Origins {
    allowed: Vec<String>,
    public_authority: String,
    loopback: Loopback,
}

/// Whether the listener can only be reached from this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loopback {
    Only,
    No,
}

impl Origins {
    /// From the configuration.
    pub fn new(settings: &Settings) -> Self {
        let mut allowed = settings.listen.allowed_origins.clone();
        allowed.push(settings.public_url.clone());
        let authority = settings
            .public_url
            .split_once("://")
            .map_or("", |(_, rest)| rest);
        let loopback = if settings.listen.address.ip().is_loopback() {
            Loopback::Only
        } else {
            Loopback::No
        };
        Self {
            allowed,
            public_authority: authority.to_owned(),
            loopback,
        }
    }

    /// Refuses a foreign `Origin`, and on a loopback listener a foreign `Host`: a web page that had its
    /// own name resolve to this machine sends that name (DNS rebinding).
    ///
    /// # Errors
    /// `OriginForbidden`.
    pub fn check(&self, head: &RequestHeader) -> Result<(), Reason> {
        let origin = head.headers.get(http::header::ORIGIN);
        let allows =
            |value: &http::HeaderValue| value.to_str().is_ok_and(|text| self.is_allowed(text));
        if !origin.is_none_or(allows) {
            return Err(Reason::OriginForbidden);
        }
        let host = head
            .headers
            .get(http::header::HOST)
            .and_then(|value| value.to_str().ok());
        let host = host.or_else(|| head.uri.authority().map(http::uri::Authority::as_str));
        match (self.loopback, host) {
            (Loopback::Only, Some(host)) if !self.is_ours(host) => Err(Reason::OriginForbidden),
            _ => Ok(()),
        }
    }

    fn is_allowed(&self, origin: &str) -> bool {
        if self.allowed.iter().any(|allowed| allowed == origin) {
            return true;
        }
        let authority = origin
            .strip_prefix("http://")
            .or_else(|| origin.strip_prefix("https://"));
        self.loopback == Loopback::Only && authority.is_some_and(names_loopback)
    }

    fn is_ours(&self, host: &str) -> bool {
        host.eq_ignore_ascii_case(&self.public_authority) || names_loopback(host)
    }

    /// The allowed origin of a request, to be answered with.
    pub fn of<'a>(&self, headers: &'a HeaderMap) -> Option<&'a http::HeaderValue> {
        let origin = headers.get(http::header::ORIGIN)?;
        self.is_allowed(origin.to_str().ok()?).then_some(origin)
    }
}

fn names_loopback(authority: &str) -> bool {
    let name = match authority.rsplit_once(':') {
        Some((name, port))
            if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            name
        }
        _ => authority,
    };
    let bare = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(name);
    name.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether a browser asks what it may send (Fetch section 3.2.2). Any other `OPTIONS` needs a token like all
/// that is asked of a server.
pub fn is_preflight(head: &RequestHeader) -> bool {
    head.method == http::Method::OPTIONS
        && head.headers.contains_key(http::header::ORIGIN)
        && head
            .headers
            .contains_key(http::header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// Lets a browser of `origin` read an answer.
///
/// # Errors
/// pingora's, when a header cannot be set.
pub fn expose(origin: &http::HeaderValue, response: &mut ResponseHeader) -> pingora::Result<()> {
    response.insert_header("access-control-allow-origin", origin.clone())?;
    response.insert_header("access-control-expose-headers", EXPOSE_HEADERS)?;
    response.insert_header("vary", "Origin")
}

/// The answer to a preflight (Fetch section 3.2.2): `Mcp-Param-*` headers are allowed as asked for.
///
/// # Errors
/// pingora's, when a header cannot be set.
pub fn preflight(origin: &http::HeaderValue, asked: &HeaderMap) -> pingora::Result<ResponseHeader> {
    let mut response = ResponseHeader::build(204, Some(6))?;
    let mut allowed = ALLOW_HEADERS.to_owned();
    let wanted = asked
        .get("access-control-request-headers")
        .and_then(|value| value.to_str().ok());
    for name in wanted.unwrap_or_default().split(',').map(str::trim) {
        let lower = name.to_ascii_lowercase();
        if lower.starts_with("mcp-param-") && lower.parse::<http::HeaderName>().is_ok() {
            allowed.push_str(", ");
            allowed.push_str(&lower);
        }
    }
    expose(origin, &mut response)?;
    response.insert_header("access-control-allow-methods", ALLOW_METHODS)?;
    response.insert_header("access-control-allow-headers", allowed)?;
    response.insert_header("access-control-max-age", "600")?;
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::names_loopback;

    #[test]
    fn h42_only_exact_loopback_names_are_loopback() {
        for good in [
            "localhost",
            "localhost:8080",
            "127.0.0.1:1",
            "[::1]:8080",
            "LOCALHOST",
        ] {
            assert!(names_loopback(good), "{good}");
        }
        for bad in [
            "localhost.evil",
            "evil",
            "127.0.0.1.evil",
            "localhost.",
            "10.0.0.1:80",
            "localhost:x",
            "",
        ] {
            assert!(!names_loopback(bad), "{bad}");
        }
    }
}

//! URLs and addresses of the file, judged as they are written: what another parser could read differently is refused.

use std::net::{IpAddr, SocketAddr};

use url::{Host, Url};

use super::review::Review;
use super::tree::Text;

/// An absolute `http` or `https` URL with a host, without user, fragment, white space or backslash.
pub(crate) fn web_url(written: &Text, review: &mut Review<'_>) -> Option<Url> {
    let refused = |review: &mut Review<'_>, cause: &str, help: &str| {
        review.report(
            written.at,
            "bad-url",
            format!("`{}` {cause}", written.value),
            help,
        );
        None
    };
    let text = written.value.as_str();
    let Some(rest) = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
    else {
        return refused(
            review,
            "is not an absolute http or https URL",
            "write it in full, like `https://example.com`",
        );
    };
    let strange =
        |character: char| character.is_whitespace() || character.is_control() || character == '\\';
    if rest.starts_with('/') || rest.contains(strange) {
        return refused(
            review,
            "is not a plain URL",
            "write it without spaces, backslashes or a third slash",
        );
    }
    match Url::parse(text) {
        Err(error) => refused(
            review,
            &format!("is not a URL: {error}"),
            "write it in full, like `https://example.com`",
        ),
        Ok(url) if !url.username().is_empty() || url.password().is_some() => refused(
            review,
            "holds a user name or password",
            "write the URL without credentials",
        ),
        Ok(url) if url.fragment().is_some() => {
            refused(review, "has a fragment", "drop everything from `#` on")
        }
        Ok(url) => Some(url),
    }
}

/// Does its traffic leave this machine?
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// An IP address with its port.
pub(crate) fn socket_address(written: &Text, review: &mut Review<'_>) -> Option<SocketAddr> {
    if let Ok(address) = written.value.parse() {
        return Some(address);
    }
    let help = match written.value.strip_prefix("localhost:") {
        Some(port) => format!("write `127.0.0.1:{port}`"),
        None => "write an IP address and a port, like `127.0.0.1:8080` or `[::1]:8080`".to_owned(),
    };
    review.report(
        written.at,
        "bad-address",
        format!("`{}` is not an address with a port", written.value),
        help,
    );
    None
}

/// Would one of the two listeners take the other's connections? Port 0 is a new port each time.
pub(crate) fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let every = |address: IpAddr| address.is_unspecified();
    one.port() == other.port()
        && one.port() != 0
        && (one.ip() == other.ip() || every(one.ip()) || every(other.ip()))
}

//! Where the gateway listens and what it is called. Never opens a socket.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::checked::{Listen, TlsFiles};
use super::review::Review;
use super::section::Section;
use super::tree::Text;
use super::url::{is_loopback, overlap, socket_address, web_url};

/// The checks that the file switched off, one flag each.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Insecure {
    /// Agents may be served without TLS from other machines.
    pub(crate) plain_public_listener: bool,
}

impl Insecure {
    pub(crate) fn read(root: &Section<'_>) -> Self {
        let section = root.section("insecure");
        Self {
            plain_public_listener: section.is_set("plain_public_listener"),
        }
    }

    /// The flags that are set, by the names of their keys.
    pub(crate) fn names(self) -> Vec<&'static str> {
        let flags = [(self.plain_public_listener, "insecure.plain_public_listener")];
        flags
            .into_iter()
            .filter(|(is_set, _)| *is_set)
            .map(|(_, name)| name)
            .collect()
    }
}

/// `listen`.
pub(crate) fn listen(
    root: &Section<'_>,
    insecure: Insecure,
    review: &mut Review<'_>,
) -> Option<Listen> {
    let section = root.section("listen");
    let written = section.text("address");
    let address = written
        .as_ref()
        .and_then(|text| socket_address(text, review));
    let has_tls = section.node("tls").is_some();
    if let (Some(text), Some(address)) = (&written, address)
        && !address.ip().is_loopback()
        && !has_tls
        && !insecure.plain_public_listener
    {
        review.report(
            text.at,
            "plain-listener",
            format!("`{address}` would take tokens from other machines without TLS"),
            "add `listen.tls`, or set `insecure.plain_public_listener: true` behind a proxy that terminates TLS",
        );
    }
    let tls = tls(&section, review);
    let allowed_origins = section.texts("allowed_origins")?;
    let allowed_origins = allowed_origins
        .iter()
        .filter_map(|text| origin(text, review))
        .collect();
    let client_cert_from = section.texts("client_cert_from")?;
    let client_cert_from = client_cert_from
        .iter()
        .filter_map(|text| network(text, review))
        .collect();
    Some(Listen {
        address: address?,
        tls,
        allowed_origins,
        client_cert_from,
    })
}

fn tls(listen: &Section<'_>, review: &mut Review<'_>) -> Option<TlsFiles> {
    listen.node("tls")?;
    let section = listen.section("tls");
    let cert_file = section
        .text("cert_file")
        .and_then(|text| review.existing_file(&text));
    let key_file = section
        .text("key_file")
        .and_then(|text| review.existing_file(&text));
    let client_ca_file = section
        .text("client_ca_file")
        .and_then(|text| review.existing_file(&text));
    Some(TlsFiles {
        cert_file: cert_file?,
        key_file: key_file?,
        client_ca_file,
    })
}

/// An address, or a network of them in CIDR notation.
fn network(written: &Text, review: &mut Review<'_>) -> Option<IpNet> {
    let text = written.value.as_str();
    let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
    let network = text.parse::<IpNet>().ok().or_else(address);
    match network {
        Some(network) if network.prefix_len() == 0 => {
            review.report(
                written.at,
                "bad-network",
                format!("`{text}` is every address"),
                "name the proxies: whoever is on this list can speak for any certificate",
            );
            None
        }
        None => {
            review.report(
                written.at,
                "bad-network",
                format!("`{text}` is neither an address nor a network"),
                "write it like `10.0.0.5` or `10.0.0.0/28`",
            );
            None
        }
        Some(network) => Some(network.trunc()),
    }
}

/// An origin as browsers send it (RFC 6454 section 6.2).
fn origin(written: &Text, review: &mut Review<'_>) -> Option<String> {
    let parsed = url::Url::parse(&written.value).ok();
    let serialised = parsed
        .map(|url| url.origin().ascii_serialization())
        .filter(|text| text != "null");
    if serialised.as_deref() == Some(written.value.as_str()) {
        return serialised;
    }
    let help = match serialised {
        Some(origin) => format!("write `{origin}`"),
        None => "write scheme, host and port, like `https://app.example.com`; there is no wildcard"
            .to_owned(),
    };
    review.report(
        written.at,
        "bad-origin",
        format!("`{}` is not an origin", written.value),
        help,
    );
    None
}

/// `public_url`: an origin, as every absolute URL is made by putting a path behind it.
pub(crate) fn public_url(
    root: &Section<'_>,
    insecure: Insecure,
    review: &mut Review<'_>,
) -> Option<String> {
    let written = root.text("public_url")?;
    let url = web_url(&written, review)?;
    let origin = url.origin().ascii_serialization();
    if written.value != origin {
        let message = if written.value == format!("{origin}/") {
            "`public_url` ends with a slash".to_owned()
        } else {
            format!(
                "`public_url` is more than scheme, host and port: `{}`",
                written.value
            )
        };
        review.report(
            written.at,
            "bad-public-url",
            message,
            format!("write `{origin}`"),
        );
        return None;
    }
    if url.scheme() == "http" && !is_loopback(&url) && !insecure.plain_public_listener {
        review.report(
            written.at,
            "plain-public-url",
            format!("agents would send tokens to `{origin}` without TLS"),
            "write an `https://` URL, or set `insecure.plain_public_listener: true`",
        );
        return None;
    }
    Some(origin)
}

/// `ops.address`, which must not be the address of `listen`.
pub(crate) fn ops(
    root: &Section<'_>,
    listen: Option<&Listen>,
    review: &mut Review<'_>,
) -> Option<SocketAddr> {
    let section = root.section("ops");
    let written = section.text("address")?;
    let address = socket_address(&written, review)?;
    if listen.is_some_and(|listen| overlap(listen.address, address)) {
        let listening = root.section("listen").text("address")?;
        let at = if section.node("address").is_some() {
            written.at
        } else {
            listening.at
        };
        review.report(
            at,
            "same-address",
            format!("`listen.address` and `ops.address` share `{address}`"),
            "give each listener its own port",
        );
        return None;
    }
    Some(address)
}

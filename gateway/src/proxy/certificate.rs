//! The client certificate of a request: that of its connection, or the one that a listed proxy names (RFC 9440). Never
//! believes the header of anybody else, and never takes a proxy's own certificate for an agent's.

use std::any::Any;
use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use pingora::http::RequestHeader;
use pingora::listeners::TlsAccept;
use pingora::protocols::tls::TlsRef;
use pingora::proxy::Session;
use rustls::pki_types::CertificateDer;
use rustls::server::ParsedCertificate;

use crate::identity::binding::Thumbprint;
use crate::model::{Digest, Reason};

/// What a client said in its TLS handshake, kept with the connection.
#[derive(Debug)]
struct Handshake {
    /// The host that the connection was made for (RFC 6066 section 3).
    server_name: Option<Box<str>>,
    /// The certificate whose key the client proved to have.
    certificate: Option<Thumbprint>,
}

/// Keeps what a handshake said, once for each connection.
pub(crate) struct Notes;

#[async_trait]
impl TlsAccept for Notes {
    async fn handshake_complete_callback(
        &self,
        tls: &TlsRef,
    ) -> Option<Arc<dyn Any + Send + Sync>> {
        let thumbprint = |der: &[u8]| Thumbprint::of(&Digest::of(der));
        Some(Arc::new(Handshake {
            server_name: tls.server_name().map(Into::into),
            certificate: tls.peer_certificate_der().map(thumbprint),
        }))
    }
}

/// The certificate of a request. From the proxies in `listed` it is the one in `Client-Cert`, or none.
///
/// # Errors
/// `RequestMalformed` when a listed proxy names no one certificate.
pub(crate) fn of(session: &Session, listed: &[IpNet]) -> Result<Option<Thumbprint>, Reason> {
    if source(session).is_some_and(|ip| listed.iter().any(|network| network.contains(&ip))) {
        return forwarded(&session.req_header().headers);
    }
    Ok(handshake(session).and_then(|handshake| handshake.certificate.clone()))
}

/// Refuses a request for another host than the one that its connection was made for (RFC 9110 section 7.4).
///
/// # Errors
/// `HostMisdirected`.
pub(crate) fn check_host(session: &Session) -> Result<(), Reason> {
    let name = handshake(session).and_then(|handshake| handshake.server_name.as_deref());
    match name {
        Some(name) if !is_for(session.req_header(), name) => Err(Reason::HostMisdirected),
        Some(_) | None => Ok(()),
    }
}

fn handshake(session: &Session) -> Option<&Handshake> {
    session.digest()?.ssl_digest.as_ref()?.extension.get()
}

/// The address at the other end of the connection, an IPv4 one also where the listener speaks IPv6.
pub(crate) fn source(session: &Session) -> Option<IpAddr> {
    let address = session.client_addr()?.as_inet()?;
    Some(address.ip().to_canonical())
}

fn is_for(head: &RequestHeader, name: &str) -> bool {
    let host = head
        .headers
        .get(http::header::HOST)
        .and_then(|value| value.to_str().ok());
    let host = host.or_else(|| head.uri.authority().map(http::uri::Authority::as_str));
    // A server name is never an address, so what stands before a colon is the whole name.
    let host = host.and_then(|host| host.split(':').next());
    host.is_some_and(|host| host.eq_ignore_ascii_case(name))
}

/// RFC 9440 section 2.2: one line, which is one byte sequence (RFC 8941 section 3.3.5), which is one certificate.
fn forwarded(headers: &HeaderMap) -> Result<Option<Thumbprint>, Reason> {
    let mut lines = headers.get_all(&CLIENT_CERT).iter();
    match (lines.next(), lines.next()) {
        (None, _) => Ok(None),
        (Some(line), None) => certificate(line.as_bytes())
            .map(Some)
            .ok_or(Reason::RequestMalformed),
        (Some(_), Some(_)) => Err(Reason::RequestMalformed),
    }
}

fn certificate(line: &[u8]) -> Option<Thumbprint> {
    let encoded = line.strip_prefix(b":")?.strip_suffix(b":")?;
    let der = CertificateDer::from(STANDARD.decode(encoded).ok()?);
    ParsedCertificate::try_from(&der).ok()?;
    Some(Thumbprint::of(&Digest::of(&der)))
}

const CLIENT_CERT: HeaderName = HeaderName::from_static("client-cert");

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
    use http::HeaderMap;
    use pingora::http::RequestHeader;

    use super::{forwarded, is_for};
    use crate::identity::binding::Thumbprint;
    use crate::model::{Digest, Reason};

    fn der() -> Vec<u8> {
        let pair = rcgen::generate_simple_self_signed(["agent".to_owned()]).unwrap();
        pair.cert.der().to_vec()
    }

    fn read(lines: &[String]) -> Result<Option<Thumbprint>, Reason> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("client-cert", line.parse().unwrap());
        }
        forwarded(&headers)
    }

    #[test]
    fn m06_one_certificate_is_read_as_its_thumbprint() {
        let der = der();
        let line = format!(":{}:", STANDARD.encode(&der));
        let expected = Thumbprint::of(&Digest::of(&der));
        assert_eq!(read(&[line]), Ok(Some(expected)));
        assert_eq!(read(&[]), Ok(None));
    }

    #[test]
    fn m06_anything_but_one_certificate_is_malformed() {
        let (der, other) = (der(), der());
        let good = STANDARD.encode(&der);
        let cut = STANDARD.encode(&der[..der.len() - 1]);
        let joined = STANDARD.encode([der.as_slice(), other.as_slice()].concat());
        // 0xFB makes the two alphabets differ, and one byte needs padding.
        for line in [
            String::new(),
            ":".into(),
            "::".into(),
            good.clone(),
            format!(":{good}"),
            format!("{good}:"),
            format!("\"{good}\""),
            format!(":{good}:;a=1"),
            format!(":{good}:, :{good}:"),
            format!(":{good}::{good}:"),
            format!(": {good}:"),
            format!(":{cut}:"),
            format!(":{joined}:"),
            format!(":{}:", STANDARD.encode("no certificate")),
            format!(":{}:", STANDARD_NO_PAD.encode([0xFB])),
            format!(":{}:", URL_SAFE.encode([0xFB, 0xFF])),
        ] {
            let refused = Err(Reason::RequestMalformed);
            assert_eq!(read(std::slice::from_ref(&line)), refused, "{line}");
        }
        let good = format!(":{good}:");
        assert_eq!(
            read(&[good.clone(), good]),
            Err(Reason::RequestMalformed),
            "twice the same is twice"
        );
    }

    #[test]
    fn m09_a_host_is_compared_without_its_port_and_without_case() {
        let head = |host: Option<&str>| {
            let mut head = RequestHeader::build("POST", b"/mcp", None).unwrap();
            if let Some(host) = host {
                head.append_header("host", host).unwrap();
            }
            head
        };
        for host in ["gw.example", "gw.example:8443", "GW.Example"] {
            assert!(is_for(&head(Some(host)), "gw.example"), "{host}");
        }
        for host in [
            "other.example",
            "gw.example.evil",
            "evil.gw.example",
            "gw.example.",
            "127.0.0.1",
            "[::1]:443",
            ":443",
            "",
        ] {
            assert!(!is_for(&head(Some(host)), "gw.example"), "{host}");
        }
        assert!(!is_for(&head(None), "gw.example"), "no host at all");
    }
}

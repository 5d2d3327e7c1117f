//! A certificate authority of the tests, and a client that looks at its TLS handshakes.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned};

/// Signs certificates.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) pem: String,
}

/// A certificate with its key.
#[derive(Clone)]
pub(crate) struct Leaf {
    pub(crate) pem: String,
    pub(crate) key: String,
    pub(crate) der: Vec<u8>,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// A new certificate for `name`, good for servers and clients.
    pub(crate) fn leaf(&self, name: &str) -> Leaf {
        self.leaf_until(name, 2100)
    }

    /// A new certificate for `name` that ends with this year's first day.
    pub(crate) fn leaf_until(&self, name: &str, year: i32) -> Leaf {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Leaf {
            pem: certificate.pem(),
            key: key.serialize_pem(),
            der: certificate.der().to_vec(),
        }
    }
}

impl Leaf {
    /// `x5t#S256` (RFC 8705 section 3.1), worked out apart from the gateway.
    pub(crate) fn thumbprint(&self) -> String {
        let digest = ring::digest::digest(&ring::digest::SHA256, &self.der);
        URL_SAFE_NO_PAD.encode(digest)
    }

    /// The value of `Client-Cert` (RFC 9440 section 2.2).
    pub(crate) fn header(&self) -> String {
        format!(":{}:", STANDARD.encode(&self.der))
    }

    /// The key first, then the certificate, as reqwest reads it.
    pub(crate) fn identity(&self) -> reqwest::Identity {
        let both = format!("{}{}", self.key, self.pem);
        reqwest::Identity::from_pem(both.as_bytes()).unwrap()
    }

    /// Puts it where a gateway reads its own.
    pub(crate) fn install(&self, folder: &Path) {
        std::fs::write(folder.join("tls.crt"), &self.pem).unwrap();
        std::fs::write(folder.join("tls.key"), &self.key).unwrap();
    }
}

/// How a client connects.
pub(crate) struct Dialler {
    config: Arc<ClientConfig>,
    address: SocketAddr,
    /// What it sends as the server name; an address sends none.
    name: &'static str,
}

/// What it saw.
pub(crate) struct Seen {
    /// Whether the session was resumed.
    pub(crate) resumed: bool,
    /// The certificate of the server.
    pub(crate) server: Vec<u8>,
    /// Everything that was answered.
    pub(crate) answer: String,
}

impl Dialler {
    /// Trusts `authority`, shows `leaf`, and resumes where it can.
    pub(crate) fn new(authority: &Authority, leaf: Option<&Leaf>, address: SocketAddr) -> Self {
        gatewright::identity::install_crypto();
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap())
            .unwrap();
        let builder = ClientConfig::builder().with_root_certificates(roots);
        let config = match leaf {
            Some(leaf) => builder
                .with_client_auth_cert(
                    vec![CertificateDer::from(leaf.der.clone())],
                    PrivateKeyDer::from_pem_slice(leaf.key.as_bytes()).unwrap(),
                )
                .unwrap(),
            None => builder.with_no_client_auth(),
        };
        Self {
            config: Arc::new(config),
            address,
            name: "localhost",
        }
    }

    /// Names another server, or with an address none.
    pub(crate) fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// Speaks HTTP/2, which the bytes that are sent must be.
    pub(crate) fn http2(mut self) -> Self {
        Arc::make_mut(&mut self.config).alpn_protocols = vec![b"h2".to_vec()];
        self
    }

    /// Sends `bytes` over a connection of its own and reads until `end` or the end.
    pub(crate) async fn send(&self, bytes: &[u8], end: &'static str) -> std::io::Result<Seen> {
        let (config, address, name) = (Arc::clone(&self.config), self.address, self.name);
        let bytes = bytes.to_vec();
        tokio::task::spawn_blocking(move || exchange(config, (address, name), &bytes, end))
            .await
            .unwrap()
    }
}

fn exchange(
    config: Arc<ClientConfig>,
    (address, name): (SocketAddr, &'static str),
    bytes: &[u8],
    end: &str,
) -> std::io::Result<Seen> {
    let socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(Duration::from_secs(10)))?;
    let name = ServerName::try_from(name).unwrap();
    let connection = ClientConnection::new(config, name).unwrap();
    let mut stream = StreamOwned::new(connection, socket);
    stream.write_all(bytes)?;
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while !String::from_utf8_lossy(&answer).contains(end) {
        match stream.read(&mut piece)? {
            0 => break,
            length => answer.extend_from_slice(&piece[..length]),
        }
    }
    let certificates = stream.conn.peer_certificates().unwrap();
    Ok(Seen {
        resumed: stream.conn.handshake_kind() == Some(HandshakeKind::Resumed),
        server: certificates[0].to_vec(),
        answer: String::from_utf8_lossy(&answer).into_owned(),
    })
}

//! The TLS side of the listener: TLS 1.2 and 1.3 on rustls with ring, HTTP/2 and HTTP/1.1 by ALPN. A change of the
//! files is a new acceptor as a whole: nothing of the old one, no session either, is good at the new one.

use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use pingora::listeners::tls::{Acceptor, TlsSettings};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{RootCertStore, ServerConfig};

use crate::config::TlsFiles;
use crate::model::Digest;
use crate::proxy::certificate::Notes;

/// Why the listener cannot speak TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or is no PEM of the right kind.
    #[error("cannot read the {what} in `{file}`: {cause}")]
    File {
        /// Certificate, key or client CA.
        what: &'static str,
        /// The file.
        file: String,
        /// What went wrong.
        cause: pem::Error,
    },
    /// Certificate and key do not fit.
    #[error("the certificate and the key do not fit: {0}")]
    Pair(rustls::Error),
    /// A certificate in the client CA file cannot sign others.
    #[error("cannot use the client CA in `{file}`: {cause}")]
    ClientCa {
        /// The file.
        file: String,
        /// What went wrong.
        cause: rustls::Error,
    },
    /// Certificates of agents cannot be verified.
    #[error("cannot verify certificates of agents: {0}")]
    Verifier(#[from] VerifierBuilderError),
    /// The listener cannot be set up.
    #[error("cannot set TLS up: {0}")]
    Setup(Box<dyn std::error::Error + Send + Sync>),
}

/// What new connections are greeted with.
pub struct Greeting(ArcSwap<Edition>);

/// One reading of the files.
pub struct Edition {
    acceptor: Acceptor,
    contents: Digest,
}

impl Greeting {
    /// Greets with what the files hold.
    ///
    /// # Errors
    /// [`TlsError`], with the file.
    pub fn new(files: &TlsFiles) -> Result<Self, TlsError> {
        let edition = Contents::read(files)?.edition(files)?;
        Ok(Self(ArcSwap::from_pointee(edition)))
    }

    /// What the files hold, if it is something new. Changes nothing.
    ///
    /// # Errors
    /// [`TlsError`], with the file.
    pub fn prepare(&self, files: &TlsFiles) -> Result<Option<Edition>, TlsError> {
        let contents = Contents::read(files)?;
        if contents.digest() == self.0.load().contents {
            return Ok(None);
        }
        contents.edition(files).map(Some)
    }

    /// Greets with `edition` from now on. Connections that are open go on as they began.
    pub fn adopt(&self, edition: Edition) {
        self.0.store(Arc::new(edition));
    }

    /// What a connection that arrives now is greeted with.
    pub fn now(&self) -> Arc<Edition> {
        self.0.load_full()
    }
}

impl Edition {
    /// Shakes hands.
    pub const fn acceptor(&self) -> &Acceptor {
        &self.acceptor
    }
}

/// The files, read once, so that what is compared is what is used.
struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

impl Contents {
    fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        let client_ca = files.client_ca_file.as_deref();
        Ok(Self {
            certificate: read(CERTIFICATE, &files.cert_file)?,
            key: read(KEY, &files.key_file)?,
            client_ca: client_ca.map(|file| read(CLIENT_CA, file)).transpose()?,
        })
    }

    fn digest(&self) -> Digest {
        let of = |bytes: &Vec<u8>| *Digest::of(bytes).as_bytes();
        let (certificate, key) = (of(&self.certificate), of(&self.key));
        let client_ca = self.client_ca.as_ref().map(of);
        let client_ca = client_ca.as_ref().map_or(&[][..], |digest| digest);
        Digest::of_parts(&[&certificate, &key, client_ca])
    }

    fn edition(&self, files: &TlsFiles) -> Result<Edition, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let pair = Arc::new(SingleCertAndKey::from(self.pair(files, &provider)?));
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Setup(error.into()))?;
        let verifier = self.verifier(files, provider)?;
        let asks = verifier.is_some();
        let builder = match verifier {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(pair.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        if asks {
            // A resumed session would bring its certificate along without anybody looking at its end or its CA.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        let mut settings = TlsSettings::with_callbacks(Box::new(Notes))
            .map_err(|error| TlsError::Setup(error.into()))?;
        settings.set_cert_resolver(pair);
        let mut acceptor = settings.build();
        // pingora takes a configuration or callbacks, and we need both.
        acceptor.acceptor = Acceptor::from_server_config(Arc::new(config)).acceptor;
        Ok(Edition {
            acceptor,
            contents: self.digest(),
        })
    }

    fn pair(&self, files: &TlsFiles, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
        let chain = certificates(&self.certificate)
            .map_err(|cause| unreadable(CERTIFICATE, &files.cert_file, cause))?;
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|cause| unreadable(KEY, &files.key_file, cause))?;
        CertifiedKey::from_der(chain, key, provider).map_err(TlsError::Pair)
    }

    /// Verifies the certificates of agents that show one. Whether one is needed, the token says.
    fn verifier(
        &self,
        files: &TlsFiles,
        provider: Arc<CryptoProvider>,
    ) -> Result<Option<Arc<dyn ClientCertVerifier>>, TlsError> {
        let (Some(pem), Some(file)) = (&self.client_ca, &files.client_ca_file) else {
            return Ok(None);
        };
        let mut roots = RootCertStore::empty();
        for certificate in certificates(pem).map_err(|cause| unreadable(CLIENT_CA, file, cause))? {
            roots.add(certificate).map_err(|cause| TlsError::ClientCa {
                file: file.display().to_string(),
                cause,
            })?;
        }
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .allow_unauthenticated()
            .build()?;
        Ok(Some(verifier))
    }
}

fn read(what: &'static str, file: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(file).map_err(|cause| unreadable(what, file, pem::Error::Io(cause)))
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, pem::Error> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>()?;
    if found.is_empty() {
        return Err(pem::Error::NoItemsFound);
    }
    Ok(found)
}

fn unreadable(what: &'static str, file: &Path, cause: pem::Error) -> TlsError {
    TlsError::File {
        what,
        file: file.display().to_string(),
        cause,
    }
}

const CERTIFICATE: &str = "certificate";
const KEY: &str = "key";
const CLIENT_CA: &str = "client CA";

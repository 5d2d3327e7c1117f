//! The TLS side of the listener: TLS 1.2 and 1.3 on rustls with ring, HTTP/2 and HTTP/1.1 by ALPN.

use std::path::Path;
use std::sync::Arc;

use pingora::listeners::tls::Acceptor;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::TlsFiles;

/// Why the listener cannot speak TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or is no PEM of the right kind.
    #[error("cannot read the {what} in `{file}`: {cause}")]
    File {
        /// Certificate or key.
        what: &'static str,
        /// The file.
        file: String,
        /// What went wrong.
        cause: rustls::pki_types::pem::Error,
    },
    /// Certificate and key do not fit.
    #[error("the certificate and the key do not fit: {0}")]
    Pair(#[from] rustls::Error),
}

/// Loads certificate and key.
///
/// # Errors
/// [`TlsError`], with the file.
pub fn acceptor(files: &TlsFiles) -> Result<Acceptor, TlsError> {
    let chain = CertificateDer::pem_file_iter(&files.cert_file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|cause| unreadable("certificate", &files.cert_file, cause))?;
    let key = PrivateKeyDer::from_pem_file(&files.key_file)
        .map_err(|cause| unreadable("key", &files.key_file, cause))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Acceptor::from_server_config(Arc::new(config)))
}

fn unreadable(what: &'static str, file: &Path, cause: rustls::pki_types::pem::Error) -> TlsError {
    TlsError::File {
        what,
        file: file.display().to_string(),
        cause,
    }
}

//! An issuer whose certificate is not good is an issuer that is down: keys are never taken from it.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};

use super::support::{Scene, key_set};
use crate::identity::install_crypto;
use crate::identity::keys::IssuerKeys;
use crate::identity::settings::KeySource;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

/// Serves `body` over TLS with a certificate of these parameters; the port.
fn serve(parameters: &CertificateParams, by: &Authority, body: String) -> u16 {
    let key = KeyPair::generate().unwrap();
    let certificate = parameters.signed_by(&key, by).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            let mut socket = socket;
            let mut tls = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = Stream::new(&mut tls, &mut socket);
            let mut request = [0; 4096];
            if stream.read(&mut request).is_ok() {
                let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: ";
                let _ = write!(stream, "{head}{}\r\n\r\n{body}", body.len());
            }
        }
    });
    port
}

/// How a token fares whose issuer publishes its keys behind such a certificate; `trusted` is the one root.
async fn result(
    parameters: CertificateParams,
    by: &Authority,
    trusted: &Authority,
) -> &'static str {
    install_crypto();
    let scene = Scene::new().await;
    let set = key_set(&[scene.key.jwk("k1")]).to_string();
    let port = serve(&parameters, by, set);
    let mut settings = scene.keys.settings().clone();
    settings.keys = KeySource::Uri(format!("https://localhost:{port}/jwks"));
    let root = reqwest::Certificate::from_der(trusted.der()).unwrap();
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([root])
        .build()
        .unwrap();
    let keys = Arc::new(IssuerKeys::new(settings, client, scene.clock.clone()));
    let verifier = super::support::verifier(&[keys], scene.clock.clone());
    let token = super::support::credential(&scene.token());
    match verifier.verify(&token, &scene.audience).await {
        Ok(_) => "ok",
        Err(refused) => refused.result(),
    }
}

fn named(name: &str) -> CertificateParams {
    CertificateParams::new(vec![name.to_owned()]).unwrap()
}

#[tokio::test]
async fn j50_keys_behind_a_bad_certificate_are_not_taken() {
    let (ours, strangers) = (authority(), authority());
    assert_eq!(result(named("localhost"), &ours, &ours).await, "ok");
    let mut expired = named("localhost");
    expired.not_before = date_time_ymd(2020, 1, 1);
    expired.not_after = date_time_ymd(2021, 1, 1);
    for (parameters, by) in [
        (named("localhost"), &strangers),
        (named("auth.example.com"), &ours),
        (expired, &ours),
    ] {
        assert_eq!(result(parameters, by, &ours).await, "keys_unavailable");
    }
}

//! The same in front of servers that speak TLS, and HTTP/2 behind it.

use gatewright::config::TlsFiles;
use gatewright::proxy::tls::Greeting;
use serde_json::json;

use super::{Asked, LIFE, NEWS, SOON, agent, assert_ended, assert_told, busy, hear, silence};
use crate::support::{Gateway, Reply, Setup, Upstream};

/// A gateway in front of a server that speaks TLS, and the server.
async fn over_tls(reply: Reply) -> (Gateway, Upstream) {
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let setup = Setup {
        server: "    ca_file: tls.crt\n".to_owned(),
        ..Setup::default()
    };
    let files = TlsFiles {
        cert_file: setup.folder.path().join("tls.crt"),
        key_file: setup.folder.path().join("tls.key"),
        client_ca_file: None,
    };
    std::fs::write(&files.cert_file, pair.cert.pem()).unwrap();
    std::fs::write(&files.key_file, pair.signing_key.serialize_pem()).unwrap();
    let greeting = Greeting::new(&files).unwrap();
    let upstream = Upstream::behind(move |_| reply.clone(), Some(greeting.now())).await;
    let yaml = setup.yaml(&format!(
        "https://localhost:{}/mcp",
        upstream.address.port()
    ));
    (Gateway::start(setup, yaml).await, upstream)
}

#[tokio::test]
async fn x11_a_stream_of_a_server_behind_tls_ends_with_its_token() {
    for (asked, version) in [(Asked::Stream, "h1"), (Asked::Listen, "h2")] {
        for reply in [silence(), busy(&silence(), NEWS)] {
            let what = format!("{asked:?} over {version}, {} pieces", reply.pieces.len());
            let (gateway, upstream) = over_tls(reply).await;
            let agent = agent(&gateway, version, LIFE);

            let heard = hear(asked.request(&agent)).await;

            heard.assert_in_time(SOON, &what);
            assert!(heard.is_whole, "{what}: {heard:?}");
            assert_eq!(upstream.arrived()[0].version, hyper::Version::HTTP_11);
            assert_ended(&gateway, &upstream, &json!(200), &what).await;
        }
    }
}

#[tokio::test]
async fn x11_a_call_to_a_server_behind_http2_ends_with_its_token() {
    for (asked, version) in [(Asked::Call, "h1"), (Asked::LegacyCall, "h2")] {
        for reply in [silence(), busy(&silence(), NEWS)] {
            let what = format!("{asked:?} over {version}, {} pieces", reply.pieces.len());
            let (gateway, upstream) = over_tls(reply).await;
            let agent = agent(&gateway, version, LIFE);

            let heard = hear(asked.request(&agent)).await;

            heard.assert_in_time(SOON, &what);
            assert_told(&heard.last_event(), &what);
            assert_eq!(upstream.arrived()[0].version, hyper::Version::HTTP_2);
            assert_ended(&gateway, &upstream, &json!(200), &what).await;
        }
    }
}

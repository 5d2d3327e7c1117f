//! Certificates in headers (RFC 9440): a listed proxy is believed, nobody else is.

use reqwest::Method;
use serde_json::Value;

use super::{ASKING, PLAIN, Stage, assert_bad_token, search};
use crate::support::{Agent, Answer, Leaf, Setup, headers_of, send};

/// A listener without TLS behind a proxy on this machine.
const LISTED: &str = "listen: { address: 127.0.0.1:0, client_cert_from: [\"127.0.0.0/8\"] }";

/// Sends the search with these lines besides.
async fn with(agent: &Agent, lines: &[(&str, &str)]) -> Answer {
    let message = search();
    let mut request = headers_of(agent.request(Method::POST), &message).body(message.to_string());
    for (name, value) in lines {
        request = request.header(*name, *value);
    }
    send(request).await
}

fn bound(stage: &Stage, leaf: &Leaf) -> Agent {
    Agent::new(stage.gateway.url(), Some(stage.bound_to(leaf)))
}

#[tokio::test]
async fn m04_a_header_that_names_a_certificate_is_not_believed_of_a_client() {
    for listen in [
        PLAIN,
        "listen: { address: 127.0.0.1:0, client_cert_from: [192.0.2.1, \"2001:db8::/32\"] }",
    ] {
        let stage = Stage::with(Setup::default(), listen).await;
        let leaf = stage.authority.leaf("agent");
        let header = leaf.header();

        let answer = with(&bound(&stage, &leaf), &[("client-cert", &header)]).await;

        assert_bad_token(&answer, listen);
        assert_eq!(stage.upstream.count(), 0);
        let record = stage.gateway.only_record().await;
        assert_eq!(record["authn"]["result"], "cert_missing", "{record}");
        assert_eq!(record["authn"]["cert_sha256"], Value::Null);
    }
}

#[tokio::test]
async fn m04_a_header_does_not_stand_in_for_the_certificate_of_a_tls_connection() {
    let stage = Stage::new().await;
    let (victim, own) = (stage.authority.leaf("agent"), stage.authority.leaf("agent"));
    let header = victim.header();
    for leaf in [None, Some(&own)] {
        let agent = stage.agent(stage.bound_to(&victim), leaf);
        let answer = with(&agent, &[("client-cert", &header)]).await;
        assert_bad_token(&answer, "a stolen token");
    }
    // What is not read is not checked either: the header of a client is any header.
    let agent = stage.agent(stage.bound_to(&own), Some(&own));
    let answer = with(&agent, &[("client-cert", "nonsense")]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(stage.upstream.count(), 1);
    assert_eq!(stage.upstream.arrived()[0].header("client-cert"), None);
}

/// What proxies of other makers call it.
const VENDORS: [&str; 12] = [
    "x-forwarded-client-cert",
    "x-ssl-client-cert",
    "ssl-client-cert",
    "x-client-cert",
    "x-arr-clientcert",
    "x-amzn-mtls-clientcert",
    "client-cert-chain",
    "client_cert",
    "x_forwarded_client_cert",
    "x_ssl_client_cert",
    "ssl_client_cert",
    "x_client_cert",
];

#[tokio::test]
async fn m05_headers_of_vendors_are_never_believed_and_never_passed_on() {
    for listen in [PLAIN, LISTED] {
        let stage = Stage::with(Setup::default(), listen).await;
        let leaf = stage.authority.leaf("agent");
        let pem = leaf.pem.replace('\n', " ");
        for name in VENDORS {
            for value in [&*leaf.header(), &*pem] {
                let answer = with(&bound(&stage, &leaf), &[(name, value)]).await;
                assert_bad_token(&answer, name);
            }
        }
        assert_eq!(stage.upstream.count(), 0);
        let unbound = Agent::new(stage.gateway.url(), Some(stage.gateway.setup.analyst()));
        let lines: Vec<_> = VENDORS.iter().map(|name| (*name, pem.as_str())).collect();
        assert_eq!(with(&unbound, &lines).await.status, 200);
        let arrived = stage.upstream.arrived().remove(0);
        for name in VENDORS {
            assert_eq!(arrived.header(name), None, "{name}");
        }
    }
}

#[tokio::test]
async fn m06_a_listed_proxy_names_the_certificate_of_the_agent() {
    let stage = Stage::with(Setup::default(), LISTED).await;
    let (own, other) = (stage.authority.leaf("agent"), stage.authority.leaf("agent"));
    let agent = bound(&stage, &own);
    let (good, wrong) = (own.header(), other.header());

    let answer = with(&agent, &[("client-cert", &good)]).await;

    assert_eq!(answer.status, 200, "{}", answer.body);
    let arrived = stage.upstream.arrived().remove(0);
    assert_eq!(arrived.header("client-cert"), None, "it stays here");
    assert_bad_token(&with(&agent, &[("client-cert", &wrong)]).await, "another");
    assert_eq!(stage.upstream.count(), 1);
}

#[tokio::test]
async fn m06_a_header_that_names_no_one_certificate_is_malformed() {
    let stage = Stage::with(Setup::default(), LISTED).await;
    let leaf = stage.authority.leaf("agent");
    let good = leaf.header();
    let two = format!("{good}, {good}");
    let pem = leaf.pem.replace('\n', " ");
    let bare = good.trim_matches(':').to_owned();
    let cut = Leaf {
        der: leaf.der[..leaf.der.len() - 1].to_vec(),
        ..leaf.clone()
    };
    let cut = cut.header();
    let bound = bound(&stage, &leaf);
    let unbound = Agent::new(stage.gateway.url(), Some(stage.gateway.setup.analyst()));
    for agent in [&bound, &unbound] {
        let lines: [&[(&str, &str)]; 8] = [
            &[("client-cert", "")],
            &[("client-cert", "::")],
            &[("client-cert", &two)],
            &[("client-cert", &pem)],
            &[("client-cert", &bare)],
            &[("client-cert", &cut)],
            &[("client-cert", &good), ("client-cert", &good)],
            &[("client-cert", &good), ("client-cert", "")],
        ];
        for lines in lines {
            let answer = with(agent, lines).await;
            assert_eq!(
                (answer.status, answer.code()),
                (400, Some(40002)),
                "{lines:?}: {}",
                answer.body
            );
        }
    }
    assert_eq!(stage.upstream.count(), 0);
    assert_eq!(with(&unbound, &[("client-cert", &good)]).await.status, 200);
}

#[tokio::test]
async fn m07_a_proxy_that_names_no_certificate_leaves_a_bound_token_unproven() {
    let stage = Stage::with(Setup::default(), LISTED).await;
    let leaf = stage.authority.leaf("agent");

    assert_bad_token(&with(&bound(&stage, &leaf), &[]).await, "no header");

    assert_eq!(stage.upstream.count(), 0);
    let record = stage.gateway.only_record().await;
    assert_eq!(record["authn"]["result"], "cert_missing", "{record}");
}

#[tokio::test]
async fn m06_the_certificate_of_the_proxy_is_never_that_of_the_agent() {
    let listen = ASKING.replace("} }", "}, client_cert_from: [127.0.0.1] }");
    let stage = Stage::with(Setup::default(), &listen).await;
    let (proxy, agent) = (stage.authority.leaf("proxy"), stage.authority.leaf("agent"));
    let of_proxy = stage.agent(stage.bound_to(&proxy), Some(&proxy));
    let of_agent = stage.agent(stage.bound_to(&agent), Some(&proxy));
    let header = agent.header();

    assert_bad_token(&with(&of_proxy, &[]).await, "the proxy's own");
    let mixed = with(&of_proxy, &[("client-cert", &header)]).await;
    assert_bad_token(&mixed, "the header counts");
    assert_eq!(stage.upstream.count(), 0);
    let good = with(&of_agent, &[("client-cert", &header)]).await;
    assert_eq!(good.status, 200, "{}", good.body);
}

#[tokio::test]
async fn the_list_of_proxies_changes_with_a_reload() {
    let stage = Stage::with(Setup::default(), LISTED).await;
    let leaf = stage.authority.leaf("agent");
    let (agent, header) = (bound(&stage, &leaf), leaf.header());
    assert_eq!(with(&agent, &[("client-cert", &header)]).await.status, 200);
    {
        let mut yaml = stage.gateway.yaml.lock().unwrap();
        *yaml = yaml.replace("127.0.0.0/8", "192.0.2.0/24");
    }
    stage.gateway.running.reload().await.unwrap();

    let answer = with(&agent, &[("client-cert", &header)]).await;

    assert_bad_token(&answer, "it is not listed any more");
    assert_eq!(stage.upstream.count(), 1);
}

//! Files that load, and what they become.

use std::path::Path;
use std::time::Duration;

use gatewright_policies::Access;

use crate::audit::settings::{Durability, LedgerSettings, OnFailure, SegmentSettings};
use crate::config::load::load;
use crate::config::{Answers, ArgumentsRecord, Limits, Listen, Outliving, Pins, Server, Upstream};
use crate::decision::freshness::Demands;
use crate::identity::settings::{
    Audience, AudienceRule, Fingerprint, IssuerSettings, KeySource, Profile, SenderConstraint,
    SignatureAlgorithm,
};
use crate::model::{IssuerUrl, ServerName};

use super::{EXAMPLE, SMALLEST, environment, loaded, of_issuer, of_server, plus};

#[test]
fn the_example_of_the_contract_loads() {
    let settings = loaded(EXAMPLE);
    assert_eq!(settings.public_url, "http://127.0.0.1:8080");
    let issuer = &settings.issuers[0];
    assert_eq!(issuer.roles_claim, ["realm_access", "roles"]);
    assert_eq!(issuer.keys, KeySource::Discovery);
    let server = &settings.servers[0];
    assert_eq!(server.resource, "http://127.0.0.1:8080/crm/mcp");
    assert_eq!(server.audience.accepted, ["http://127.0.0.1:8080/crm/mcp"]);
    assert_eq!(
        server.audience.issuers,
        [IssuerUrl::new("https://auth.example.com")]
    );
    assert_eq!(server.audience.scopes, ["crm:read"]);
    assert!(!server.upstream.tls);
    assert_eq!(
        (server.upstream.host.as_str(), server.upstream.port),
        ("127.0.0.1", 3000)
    );
    assert_eq!(server.upstream.path, "/mcp");
}

#[test]
fn rows_keep_role_kind_pattern_scopes_and_line() {
    let settings = loaded(EXAMPLE);
    let rows: Vec<_> = settings
        .policy
        .rows()
        .iter()
        .map(|row| {
            (
                row.role.as_str(),
                row.access,
                row.pattern.as_str(),
                row.scopes.as_slice(),
                row.line,
            )
        })
        .collect();
    let refund = ["crm:refund".to_owned()];
    let expected: [(&str, Access, &str, &[String], u32); 6] = [
        ("analyst", Access::Tool, "search_*", &[], 22),
        ("analyst", Access::Tool, "get_customer", &[], 22),
        ("support", Access::Tool, "get_*", &[], 25),
        ("support", Access::Tool, "refund", &refund, 26),
        ("support", Access::Prompt, "summarise", &[], 27),
        ("support", Access::Resource, "crm://customers/*", &[], 28),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn an_absent_key_of_an_issuer_has_its_default() {
    let algorithms = ["ES256", "RS256", "PS256", "EdDSA"];
    let expected = IssuerSettings {
        name: "corp".to_owned(),
        url: IssuerUrl::new("https://auth.example.com"),
        keys: KeySource::Discovery,
        algorithms: algorithms
            .map(|name| SignatureAlgorithm::from_name(name).unwrap())
            .to_vec(),
        token_types: vec!["at+jwt".to_owned()],
        roles_claim: vec!["roles".to_owned()],
        client_claim: "client_id".to_owned(),
        actor_claim: "act".to_owned(),
        model_claim: Some("agent_model".to_owned()),
        max_token_lifetime: Duration::from_secs(3600),
        profile: Profile::Strict,
        service_clients: Vec::new(),
        introspection: None,
    };
    assert_eq!(loaded(SMALLEST).issuers, [expected]);
}

#[test]
fn an_absent_key_of_a_server_has_its_default() {
    let resource = "https://mcp.example.com/crm/mcp".to_owned();
    let expected = Server {
        path: "/crm/mcp".to_owned(),
        resource: resource.clone(),
        upstream: Upstream {
            tls: false,
            host: "127.0.0.1".to_owned(),
            port: 3000,
            path: "/mcp".to_owned(),
            ca_file: None,
            connect_timeout: Duration::from_secs(5),
            read_timeout: Duration::from_secs(300),
        },
        audience: Audience {
            server: ServerName::new("crm"),
            accepted: vec![resource.clone()],
            issuers: vec![IssuerUrl::new("https://auth.example.com")],
            scopes: Vec::new(),
            audiences: AudienceRule::AmongOthers,
            resource,
            sender_constraint: SenderConstraint::Any,
            api_keys: None,
            fingerprint: Fingerprint::default(),
        },
        demands: Demands::default(),
        outliving: Outliving::Cut,
        answers: Answers::default(),
        pins: Pins::Off,
    };
    assert_eq!(loaded(SMALLEST).servers, [expected]);
}

#[test]
fn an_absent_listener_has_its_default() {
    let settings = loaded(SMALLEST);
    let expected = Listen {
        address: "127.0.0.1:8080".parse().unwrap(),
        tls: None,
        allowed_origins: Vec::new(),
        client_cert_from: Vec::new(),
    };
    assert_eq!(settings.listen, expected);
    assert_eq!(settings.ops, Some("127.0.0.1:9180".parse().unwrap()));
    assert_eq!(settings.admin, Some("gatewright.sock".into()));
}

#[test]
fn absent_bounds_have_their_defaults() {
    let settings = loaded(SMALLEST);
    assert_eq!(settings.limits, Limits::default());
    assert_eq!(settings.drain, Duration::from_secs(20));
    assert_eq!(settings.deny_http_status, None);
    assert!(settings.policy.rows().is_empty() && settings.insecure.is_empty());
}

#[test]
fn an_absent_audit_has_its_default() {
    let settings = loaded(SMALLEST);
    assert_eq!(settings.audit, LedgerSettings::new("audit".into()));
    assert_eq!(settings.recording.arguments, ArgumentsRecord::Digest);
}

#[test]
fn every_key_of_an_issuer_has_its_effect() {
    let settings = loaded(&of_issuer(
        "jwks_uri: https://auth.example.com/keys, algorithms: [ES384], \
         token_types: [application/at+jwt, JWT], roles_claim: https://example.com/roles, \
         client_claim: azp, actor_claim: actor, model_claim: model, max_token_lifetime: 10m",
    ));
    let expected = IssuerSettings {
        name: "corp".to_owned(),
        url: IssuerUrl::new("https://auth.example.com"),
        keys: KeySource::Uri("https://auth.example.com/keys".to_owned()),
        algorithms: vec![SignatureAlgorithm::Es384],
        token_types: vec!["at+jwt".to_owned(), "JWT".to_owned()],
        roles_claim: vec!["https://example.com/roles".to_owned()],
        client_claim: "azp".to_owned(),
        actor_claim: "actor".to_owned(),
        model_claim: Some("model".to_owned()),
        max_token_lifetime: Duration::from_secs(600),
        profile: Profile::Strict,
        service_clients: Vec::new(),
        introspection: None,
    };
    assert_eq!(settings.issuers, [expected]);
}

#[test]
fn a_lenient_profile_takes_plain_jwts_unless_the_types_are_written() {
    for (written, types) in [
        ("profile: strict", &["at+jwt"][..]),
        ("profile: lenient", &["at+jwt", "JWT"]),
        ("profile: lenient, token_types: [at+jwt]", &["at+jwt"]),
    ] {
        let settings = loaded(&of_issuer(written));
        assert_eq!(settings.issuers[0].token_types, types, "{written}");
        let is_lenient = settings.issuers[0].profile == Profile::Lenient;
        assert_eq!(is_lenient, written.contains("lenient"));
    }
}

#[test]
fn a_list_of_claims_is_taken_as_it_stands() {
    let settings = loaded(&of_issuer("roles_claim: [a.b, c]"));
    assert_eq!(settings.issuers[0].roles_claim, ["a.b", "c"]);
}

#[test]
fn every_key_of_a_server_has_its_effect() {
    let text = of_server(
        "audiences: [api://crm], scopes: [crm:read], issuers: [corp], connect_timeout: 250ms, read_timeout: 10m",
    );
    let server =
        &loaded(&text.replace("http://127.0.0.1:3000/mcp", "https://crm.internal/mcp?v=1")).servers
            [0];
    assert_eq!(server.audience.accepted, ["api://crm"]);
    assert_eq!(server.audience.scopes, ["crm:read"]);
    assert_eq!(
        server.audience.issuers,
        [IssuerUrl::new("https://auth.example.com")]
    );
    let expected = Upstream {
        tls: true,
        host: "crm.internal".to_owned(),
        port: 443,
        path: "/mcp?v=1".to_owned(),
        ca_file: None,
        connect_timeout: Duration::from_millis(250),
        read_timeout: Duration::from_secs(600),
    };
    assert_eq!(server.upstream, expected);
}

#[test]
fn what_happens_without_a_record_is_chosen_with_its_limit() {
    let chosen = |audit: &str| {
        loaded(&plus(&format!("audit: {{ {audit} }}")))
            .audit
            .on_failure
    };
    let (usual, hour) = (Duration::from_secs(600), Duration::from_secs(3600));
    assert_eq!(chosen("on_failure: deny"), OnFailure::Deny);
    assert_eq!(
        chosen("on_failure: continue"),
        OnFailure::Continue { limit: usual }
    );
    let directory = "/mnt/spill".into();
    assert_eq!(
        chosen("on_failure: spill, spill: /mnt/spill, failure_limit: 1h"),
        OnFailure::Spill {
            directory,
            limit: hour
        }
    );
}

#[test]
fn every_other_key_has_its_effect() {
    let settings = loaded(&plus(
        "listen: { address: \"0.0.0.0:80\", allowed_origins: [https://app.example.com] }
audit: { arguments: none, queue: 1024, wait: 1s, ledger: /var/lib/ledger, durability: disk, segment: { size: 1MiB, age: 1h }, retention: 48h }
limits: { body: 1, headers: 2, token: 3, list: 4, body_timeout: 5s, failures_per_source: 7, failures: 70 }
shutdown: { drain: 0s }
deny_http_status: 200
insecure: { plain_public_listener: true }",
    ));
    assert_eq!(settings.listen.allowed_origins, ["https://app.example.com"]);
    assert_eq!(settings.recording.arguments, ArgumentsRecord::None);
    let (directory, wait) = ("/var/lib/ledger".into(), Duration::from_secs(1));
    assert_eq!(
        settings.audit,
        LedgerSettings {
            durability: Durability::Disk,
            queue_bytes: 1024,
            wait,
            segment: SegmentSettings {
                size: 1 << 20,
                age: Duration::from_secs(3600),
            },
            retention: Some(Duration::from_secs(48 * 3600)),
            ..LedgerSettings::new(directory)
        }
    );
    let body_timeout = Duration::from_secs(5);
    assert_eq!(
        settings.limits,
        Limits {
            body: 1,
            headers: 2,
            token: 3,
            list: 4,
            body_timeout,
            failures_per_source: 7,
            failures: 70,
            ..Limits::default()
        }
    );
    assert_eq!(
        (settings.drain, settings.deny_http_status),
        (Duration::ZERO, Some(200))
    );
    assert_eq!(settings.insecure, ["insecure.plain_public_listener"]);
}

#[test]
fn variables_are_filled_in() {
    let settings = loaded(&SMALLEST.replace("https://auth.example.com", "\"${ISSUER}\""));
    assert_eq!(settings.issuers[0].url.as_str(), "https://auth.example.com");
}

#[test]
fn no_and_yes_stay_names() {
    let settings = loaded(&format!(
        "{SMALLEST}policy:\n  roles:\n    no: {{ crm: [yes, no, on] }}\n"
    ));
    let rows: Vec<_> = settings
        .policy
        .rows()
        .iter()
        .map(|row| (row.role.as_str(), row.pattern.as_str()))
        .collect();
    assert_eq!(rows, [("no", "yes"), ("no", "no"), ("no", "on")]);
}

#[test]
fn json_is_accepted() {
    let text = r#"{"version": 1, "public_url": "https://mcp.example.com",
        "issuers": [{"name": "corp", "url": "https://auth.example.com"}],
        "servers": [{"name": "crm", "path": "/crm", "upstream": "https://crm.internal"}]}"#;
    assert_eq!(loaded(text).servers[0].upstream.path, "/");
}

#[test]
fn digests_follow_the_file_and_the_rules() {
    let one = loaded(EXAMPLE);
    let commented = loaded(&format!("{EXAMPLE}# a remark\n"));
    assert_ne!(one.config_digest, commented.config_digest);
    assert_eq!(one.policy_digest, commented.policy_digest);
    let other = loaded(&EXAMPLE.replace("get_customer", "get_customers"));
    assert_ne!(one.policy_digest, other.policy_digest);
    assert_eq!(
        loaded(SMALLEST).policy_digest.to_string(),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
}

#[test]
fn files_are_looked_for_in_the_folder_of_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["tls.crt", "tls.key", "ca.pem", "keys.json"] {
        std::fs::write(folder.path().join(name), "x").unwrap();
    }
    let text = SMALLEST
        .replace(
            "url: https://auth.example.com",
            "url: https://auth.example.com, jwks_file: ./keys.json",
        )
        .replace(
            "http://127.0.0.1:3000/mcp",
            "https://crm.internal, ca_file: ca.pem",
        );
    let tls =
        "listen: { address: \"0.0.0.0:443\", tls: { cert_file: tls.crt, key_file: tls.key } }\n";
    let path = folder.path().join("gatewright.yaml");
    std::fs::write(&path, format!("{text}{tls}")).unwrap();
    let settings = load(&path, &environment).unwrap();
    assert_eq!(
        settings.issuers[0].keys,
        KeySource::File(folder.path().join("keys.json"))
    );
    assert_eq!(
        settings.servers[0].upstream.ca_file,
        Some(folder.path().join("ca.pem"))
    );
    assert_eq!(
        settings.listen.tls.unwrap().key_file,
        folder.path().join("tls.key")
    );
    assert_eq!(settings.audit.directory, folder.path().join("audit"));
}

#[test]
fn a_missing_configuration_is_a_mistake_and_no_default() {
    let mistakes = load(Path::new("/nonexistent/gatewright.yaml"), &environment).unwrap_err();
    assert_eq!(
        mistakes.to_string(),
        "error[unreadable-file]: cannot read the configuration: No such file or directory (os error 2)\n \
         --> /nonexistent/gatewright.yaml\n  \
         = help: name a readable file of at most 4 MiB of UTF-8 with `--config`"
    );
}

#[test]
fn a_configuration_without_end_is_refused() {
    assert_eq!(
        load(Path::new("/dev/zero"), &environment)
            .unwrap_err()
            .iter()
            .next()
            .unwrap()
            .code,
        "unreadable-file"
    );
}

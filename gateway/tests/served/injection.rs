//! Text of attackers on its way into the record: it stays text, on one line of ASCII, and never becomes a record.

use serde_json::{Value, json};

use crate::support::{Agent, Gateway, Setup, Upstream, call, headers_of, modern, send};

/// The lines of the record files, as they stand there.
fn raw_lines(gateway: &Gateway) -> Vec<String> {
    let files = std::fs::read_dir(gateway.ledger()).unwrap();
    let files = files.map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
    let texts = files.map(|path| String::from_utf8(std::fs::read(path).unwrap()).unwrap());
    let text: String = texts.collect();
    text.lines().map(str::to_owned).collect()
}

/// Panics unless every line is one record of printable ASCII that nobody can take for more, and no text in it is long.
fn assert_sound(gateway: &Gateway) -> Vec<Value> {
    let lines = raw_lines(gateway);
    let records: Vec<Value> = lines.iter().map(|line| sound(line)).collect();
    let seqs: Vec<_> = records
        .iter()
        .map(|record| record["seq"].as_u64().unwrap())
        .collect();
    let first = seqs[0];
    let expected: Vec<_> = (first..first + seqs.len() as u64).collect();
    assert_eq!(
        seqs, expected,
        "every record has its own number, and none a stranger's"
    );
    records
}

fn sound(line: &str) -> Value {
    assert!(
        line.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
        "{line}"
    );
    for marker in [",\"integrity\":", ",\"seq\":", "\"kind\":"] {
        // Of anomalies the kind stands in their own part too.
        let most = if marker == "\"kind\":" { 2 } else { 1 };
        assert!(line.matches(marker).count() <= most, "{marker} {line}");
    }
    assert!(line.len() < 16 * 1024, "{} bytes", line.len());
    let record: Value = serde_json::from_str(line).unwrap();
    assert_short(&record);
    record
}

fn assert_short(value: &Value) {
    match value {
        Value::String(text) => assert!(text.chars().count() < 600, "{text}"),
        Value::Array(items) => items.iter().for_each(assert_short),
        Value::Object(members) => members.values().for_each(assert_short),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

const HOSTILE: [&str; 8] = [
    "a\r\n{\"seq\":1}",
    "\u{2028}\u{2029}\u{85}",
    "\u{1b}[2J\u{9b}31m",
    "\"}\n{\"",
    "\0\u{1}\u{7f}",
    "\u{202e}\u{feff}",
    "\\u000a\\",
    "é\u{1f600}",
];

#[tokio::test]
async fn a01_text_of_attackers_never_breaks_a_line() {
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let gateway = setup.start(&upstream).await;
    let issuer = &gateway.setup.issuer;
    for text in HOSTILE {
        let long = format!("{text}{}", "x".repeat(300));
        for text in [text, long.as_str()] {
            let mut claims = issuer.claims("alice", &["analyst"]);
            claims["scope"] = json!(format!("crm:read {}", text.replace(' ', "")));
            claims["sub"] = json!(text);
            claims["jti"] = json!(text);
            claims["client_id"] = json!(text);
            claims["act"] = json!({ "sub": text, "iss": text });
            claims["agent_model"] = json!({ "name": text, "provider": text, "version": text });
            claims["roles"] = json!(["analyst", text]);
            let token = issuer.sign_claims(&claims);
            let agent = Agent::new(gateway.url(), Some(token));
            let mut message = call(text, &json!({ "a": text }));
            message["id"] = json!(text);
            message["params"]["_meta"]["io.modelcontextprotocol/clientInfo"] =
                json!({ "name": text, "version": text });
            agent.legacy(&message).await;
            message["method"] = json!(text);
            agent.legacy(&message).await;
        }
    }
    gateway.records().await;
    let records = assert_sound(&gateway);
    assert!(records.len() > 30, "{}", records.len());
    let reads_as_sent = |text: &&str| records.iter().any(|record| record["sub"] == *text);
    assert!(
        HOSTILE.iter().all(reads_as_sent),
        "escaped, and not changed"
    );
    let is_marked = |record: &&Value| {
        record["sub"]
            .as_str()
            .is_some_and(|sub| sub.ends_with("…(cut)"))
    };
    assert!(records.iter().filter(is_marked).count() >= HOSTILE.len());
}

#[tokio::test]
async fn a01_heads_and_keys_of_strangers_leave_no_trace_of_their_bytes() {
    let upstream = Upstream::plain().await;
    let gateway = Setup::default().start(&upstream).await;
    let issuer = &gateway.setup.issuer;
    let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": "canary\r\n{\"seq\":1}\u{2028}" });
    let odd_kid = issuer.sign(&header, &issuer.claims("alice", &["analyst"]));
    let good = gateway.setup.analyst();
    for token in [odd_kid, good] {
        let agent = Agent::new(gateway.url(), Some(token));
        let message = modern("search_x", &json!({}));
        let bytes = |text: &[u8]| reqwest::header::HeaderValue::from_bytes(text).unwrap();
        let request = headers_of(agent.request(reqwest::Method::POST), &message)
            .header("user-agent", bytes(b"canary\xff\x9b31m"))
            .header("x-request-id", "canary")
            .header("mcp-session-id", bytes(b"canary\xe2\x80\xa8"));
        send(request.body(message.to_string())).await;
    }
    let odd_path = format!("http://{}/canary%0d%0a/%1b", gateway.address());
    reqwest::get(odd_path).await.unwrap();
    let agent = Agent::new(gateway.url(), Some(gateway.setup.analyst()));
    let mut invalid =
        br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":""#.to_vec();
    invalid.extend_from_slice(b"canary\xc3\x28\"}}");
    assert_eq!(agent.bytes(invalid).await.status, 400);
    gateway.records().await;
    let records = assert_sound(&gateway);
    assert!(!json!(records).to_string().contains("canary"));
    assert!(records.len() >= 5);
}

#[tokio::test]
async fn a02_a_value_that_looks_like_a_record_is_none() {
    let upstream = Upstream::plain().await;
    let setup = Setup {
        audit: ", arguments: fields, fields: { crm: { search_x: [/note] } }".to_owned(),
        ..Setup::default()
    };
    let gateway = setup.start(&upstream).await;
    let forged = r#"","seq":1,"kind":"checkpoint","checkpoint":{"note":"x"},"integrity":{"prev":"00","hash":"00"}}"#;
    let mut claims = gateway.setup.issuer.claims(forged, &["analyst"]);
    claims["scope"] = json!("crm:read");
    claims["agent_model"] = json!(forged);
    let token = gateway.setup.issuer.sign_claims(&claims);
    let agent = Agent::new(gateway.url(), Some(token));
    let mut message = modern("search_x", &json!({ "note": forged }));
    message["params"]["_meta"]["io.modelcontextprotocol/clientInfo"] =
        json!({ "name": forged, "version": "1" });
    message["id"] = json!(forged);
    assert_eq!(agent.modern(&message).await.status, 200);
    gateway.outcomes(1).await;
    let records = assert_sound(&gateway);
    let decision = records
        .iter()
        .find(|record| record["kind"] == "decision")
        .unwrap();
    assert_eq!(decision["sub"], forged);
    assert_eq!(decision["arguments"]["fields"]["/note"], forged);
    assert_eq!(decision["model"]["name"], forged);
    assert_eq!(decision["mcp"]["jsonrpc_id"], forged);
    let own = |record: &&Value| record["action"] == "ledger/checkpoint";
    let others = records.iter().filter(|record| !own(record));
    for record in others {
        assert!(record["kind"] != "checkpoint" && record.get("checkpoint").is_none());
    }
}

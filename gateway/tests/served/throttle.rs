//! Failed attempts to authenticate are limited, so that a flood of them costs little and good traffic keeps its share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{
    Agent, Answer, Gateway, Setup, Upstream, headers_of, modern, records_in, send,
};

fn limited(limits: &str) -> Setup {
    Setup {
        extra: format!("limits: {{ {limits} }}\n"),
        ..Setup::default()
    }
}

/// A token whose signature is not by the key that it names.
fn forged(setup: &Setup, number: usize) -> String {
    let token = setup
        .issuer
        .token(&format!("mallory-{number}"), &["analyst"], "crm:read");
    let (signed, signature) = token.rsplit_once('.').unwrap();
    // The first character stands for whole bits: any other is another signature.
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    let changed: String = std::iter::once(first)
        .chain(signature.chars().skip(1))
        .collect();
    format!("{signed}.{changed}")
}

async fn ask(gateway: &Gateway, token: Option<String>) -> Answer {
    let agent = Agent::new(gateway.url(), token);
    agent.modern(&modern("search_customers", &json!({}))).await
}

/// Fails until that is too much; the number of attempts that were looked at.
async fn exhaust(gateway: &Gateway) -> usize {
    for number in 0..500 {
        let answer = ask(gateway, Some(forged(&gateway.setup, number))).await;
        match answer.status {
            401 => {}
            429 => return number,
            other => panic!("{other}: {}", answer.body),
        }
    }
    panic!("never too many");
}

/// Whether `token` is turned away while attempts go on failing: a slow machine may give one back in between.
async fn is_turned_away(gateway: &Gateway, token: impl Fn(usize) -> Option<String>) -> bool {
    for number in 0..50 {
        exhaust(gateway).await;
        if ask(gateway, token(number)).await.status == 429 {
            return true;
        }
    }
    false
}

fn count(metrics: &str, scheme: &str, result: &str) -> usize {
    let line = format!(
        "gatewright_authn_attempts_total{{result=\"{result}\",scheme=\"{scheme}\",server=\"crm\"}} "
    );
    let found = metrics.lines().find_map(|text| text.strip_prefix(&line));
    found
        .unwrap_or_else(|| panic!("no {line}"))
        .parse()
        .unwrap()
}

#[tokio::test]
async fn j60_past_the_limit_of_a_source_nothing_is_verified_and_the_answer_says_wait() {
    let upstream = Upstream::plain().await;
    let gateway = limited("failures_per_source: 2").start(&upstream).await;

    let attempts = exhaust(&gateway).await;

    assert!(attempts >= 2, "{attempts}");
    let mut answer = ask(&gateway, Some(forged(&gateway.setup, 0))).await;
    while answer.status != 429 {
        answer = ask(&gateway, Some(forged(&gateway.setup, 0))).await;
    }
    assert_eq!(answer.code(), Some(42901), "{}", answer.body);
    assert_eq!(answer.json()["error"]["data"]["reason"], "rate_limited");
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(answer.header("www-authenticate"), None);
    assert_eq!(upstream.count(), 0);
    let metrics = gateway.metrics().await;
    assert!(count(&metrics, "bearer", "rate_limited") >= 2, "{metrics}");
    let records = gateway.records_of("authn").await;
    let is_limited = |record: &&Value| record["reason"]["code"] == "rate_limited";
    let limited: Vec<_> = records.iter().filter(is_limited).collect();
    assert_eq!(limited.len(), 1, "the others are counted: {limited:#?}");
    assert_eq!(limited[0]["authn"]["result"], "rate_limited");
}

#[tokio::test]
async fn j60_who_is_remembered_is_served_and_a_new_token_waits() {
    let upstream = Upstream::plain().await;
    let setup = limited("failures_per_source: 2");
    let known = setup.analyst();
    let gateway = setup.start(&upstream).await;
    assert_eq!(ask(&gateway, Some(known.clone())).await.status, 200);

    let new = |number| {
        let subject = format!("bob-{number}");
        let issuer = &gateway.setup.issuer;
        Some(issuer.token(&subject, &["analyst"], "crm:read"))
    };
    assert!(is_turned_away(&gateway, new).await);

    for _ in 0..20 {
        assert_eq!(ask(&gateway, Some(known.clone())).await.status, 200);
    }
    // A second without failures makes up for all of them.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(ask(&gateway, new(1000)).await.status, 200);
}

#[tokio::test]
async fn j60_all_sources_share_a_limit_besides() {
    let upstream = Upstream::plain().await;
    let limits = "failures: 2, failures_per_source: 100000";
    let gateway = limited(limits).start(&upstream).await;
    assert!(exhaust(&gateway).await < 100);

    let generous = "failures: 100000, failures_per_source: 100000";
    let gateway = limited(generous).start(&upstream).await;
    for number in 0..50 {
        let answer = ask(&gateway, Some(forged(&gateway.setup, number))).await;
        assert_eq!(answer.status, 401, "{}", answer.body);
    }
}

#[tokio::test]
async fn p09_requests_without_a_token_are_limited_too() {
    let upstream = Upstream::plain().await;
    let gateway = limited("failures_per_source: 2").start(&upstream).await;
    assert_eq!(ask(&gateway, None).await.status, 401);
    assert!(is_turned_away(&gateway, |_| None).await);
    let metrics = gateway.metrics().await;
    assert!(count(&metrics, "none", "rate_limited") >= 1, "{metrics}");
    assert_eq!(upstream.count(), 0);
}

#[tokio::test]
async fn j60_what_a_client_says_of_itself_makes_it_no_other_source() {
    let upstream = Upstream::plain().await;
    let gateway = limited("failures_per_source: 2").start(&upstream).await;
    let mut refused = 0;
    for number in 0..60 {
        let address = format!("198.51.100.{number}");
        let agent = Agent::new(gateway.url(), Some(forged(&gateway.setup, number)));
        let message = modern("search_customers", &json!({}));
        let request = headers_of(agent.request(Method::POST), &message)
            .header("x-forwarded-for", &address)
            .header("forwarded", format!("for={address}"))
            .header("x-real-ip", &address)
            .body(message.to_string());
        refused += usize::from(send(request).await.status == 429);
    }
    assert!(refused > 0, "each of them was taken for a source");
}

#[tokio::test]
async fn j60_good_tokens_and_faults_of_ours_are_no_failures() {
    let upstream = Upstream::plain().await;
    let gateway = limited("failures_per_source: 1").start(&upstream).await;
    for number in 0..20 {
        let subject = format!("alice-{number}");
        let issuer = &gateway.setup.issuer;
        let token = issuer.token(&subject, &["analyst"], "crm:read");
        assert_eq!(ask(&gateway, Some(token)).await.status, 200);
    }
    // An issuer whose keys were never had.
    let setup = limited("failures_per_source: 1");
    let token = setup.analyst();
    let yaml = setup
        .yaml(&upstream.url())
        .replace("jwks_file: jwks.json", "jwks_uri: http://127.0.0.1:1/jwks");
    let gateway = Gateway::start(setup, yaml).await;
    for _ in 0..5 {
        assert_eq!(ask(&gateway, Some(token.clone())).await.status, 503);
    }
}

#[tokio::test]
async fn j60_a_reload_forgives_nothing() {
    let upstream = Upstream::plain().await;
    let gateway = limited("failures_per_source: 1").start(&upstream).await;
    let mut turned_away = false;
    for _ in 0..20 {
        exhaust(&gateway).await;
        gateway.running.reload().await.unwrap();
        turned_away |= ask(&gateway, None).await.status == 429;
    }
    assert!(turned_away);
    {
        let mut yaml = gateway.yaml.lock().unwrap();
        *yaml = yaml.replace("failures_per_source: 1", "failures_per_source: 1000");
    }
    gateway.running.reload().await.unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    for _ in 0..20 {
        assert_eq!(ask(&gateway, None).await.status, 401, "the limit is new");
    }
}

/// Stops the gateway; everything that it ever wrote.
async fn stopped(gateway: Gateway) -> Vec<Value> {
    let ledger = gateway.ledger();
    gateway.running.stop().await;
    records_in(&ledger)
}

/// Those of `records` that count refusals.
fn tallies(records: &[Value]) -> Vec<&Value> {
    let is_tally = |record: &&Value| !record["tally"].is_null();
    records.iter().filter(is_tally).collect()
}

/// How many refusals with `reason` have a record of their own.
fn recorded(records: &[Value], reason: &str) -> usize {
    let is_about = |record: &&Value| record["reason"]["code"] == reason;
    records.iter().filter(is_about).count()
}

/// What all tallies together say of `member`.
fn tallied(records: &[Value], member: &str) -> usize {
    let number = |record: &&Value| record["tally"][member].as_u64().unwrap();
    let sum: u64 = tallies(records).iter().map(number).sum();
    usize::try_from(sum).unwrap()
}

#[tokio::test]
async fn p09_a_flood_of_one_source_is_one_record_and_one_exact_number_when_the_gateway_stops() {
    let upstream = Upstream::plain().await;
    let setup = limited("failures_per_source: 2");
    let known = setup.analyst();
    let gateway = setup.start(&upstream).await;
    assert_eq!(ask(&gateway, Some(known.clone())).await.status, 200);
    let (mut missing, mut limited) = (0, 0);
    while limited < 100 {
        let answer = ask(&gateway, None).await;
        match answer.status {
            401 => missing += 1,
            429 => limited += 1,
            other => panic!("{other}: {}", answer.body),
        }
        let is_counted = limited > 1 && answer.status == 429;
        let decision = &answer.json()["error"]["data"]["decision_id"];
        assert_eq!(decision.is_null(), is_counted, "{}", answer.body);
    }
    assert_eq!(ask(&gateway, Some(known)).await.status, 200, "as before");
    assert_eq!(upstream.count(), 2);

    let records = stopped(gateway).await;

    assert_eq!(recorded(&records, "credential_missing"), missing);
    assert_eq!(recorded(&records, "rate_limited"), 1);
    let told = tallies(&records);
    assert_eq!(told.len(), 1, "{told:#?}");
    let since = told[0]["tally"]["since"].as_str().unwrap();
    assert!(since < told[0]["timestamp"].as_str().unwrap());
    let expected = json!({ "since": since, "rate_limited": 99, "lost": 0 });
    assert_eq!(told[0]["tally"], expected);
    assert_eq!(told[0]["kind"], "authn");
    assert_eq!(told[0]["action"], "tally");
    assert_eq!(told[0]["decision"], "deny");
    for absent in ["source", "authn", "request_id", "mcp", "reason"] {
        assert_eq!(told[0][absent], Value::Null, "{absent}");
    }
    let last = records.last().unwrap();
    assert_eq!(last["action"], "stop", "the end of the record");
    assert_eq!(records.iter().filter(|r| r["kind"] == "outcome").count(), 2);
}

#[tokio::test]
async fn p09_refusals_of_other_kinds_keep_a_record_each_and_need_no_tally() {
    let upstream = Upstream::plain().await;
    let gateway = limited("failures_per_source: 1000").start(&upstream).await;
    for number in 0..20 {
        let answer = ask(&gateway, Some(forged(&gateway.setup, number))).await;
        assert_eq!(answer.status, 401, "{}", answer.body);
        assert!(answer.json()["error"]["data"]["decision_id"].is_string());
    }
    let records = stopped(gateway).await;
    assert_eq!(recorded(&records, "token_invalid"), 20);
    assert_eq!(tallies(&records), [] as [&Value; 0]);
}

/// Sends a request again and again over one connection; answers how often each status came.
async fn storm(address: std::net::SocketAddr, token: String, times: usize) -> (usize, usize) {
    let request = format!(
        "POST /crm/mcp HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\ncontent-length: 0\r\n\r\n"
    );
    let mut socket = TcpStream::connect(address).await.unwrap();
    let (mut verified, mut turned_away) = (0, 0);
    let mut buffer = Vec::new();
    for _ in 0..times {
        socket.write_all(request.as_bytes()).await.unwrap();
        buffer.clear();
        while !is_whole(&buffer) {
            let reading = socket.read_buf(&mut buffer);
            let read = tokio::time::timeout(Duration::from_secs(10), reading).await;
            let read = read.expect("an answer within ten seconds").unwrap();
            assert!(read > 0, "cut off: {}", String::from_utf8_lossy(&buffer));
        }
        match &buffer[..12] {
            b"HTTP/1.1 401" => verified += 1,
            b"HTTP/1.1 429" => turned_away += 1,
            _ => panic!("{}", String::from_utf8_lossy(&buffer)),
        }
    }
    (verified, turned_away)
}

/// Whether an answer is there to its end.
fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer).to_ascii_lowercase();
    text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        body.len() >= length.unwrap().parse().unwrap()
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j60_a_flood_of_bad_signatures_costs_few_verifications_and_good_traffic_passes() {
    const LANES: usize = 16;
    const EACH: usize = 1250;
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let known = setup.analyst();
    let gateway = Arc::new(setup.start(&upstream).await);
    assert_eq!(ask(&gateway, Some(known.clone())).await.status, 200);
    let began = Instant::now();
    let lanes: Vec<_> = (0..LANES)
        .map(|lane| {
            let token = forged(&gateway.setup, lane);
            tokio::spawn(storm(gateway.address(), token, EACH))
        })
        .collect();

    let agent = Agent::new(gateway.url(), Some(known));
    let mut served = 0;
    while lanes.iter().any(|lane| !lane.is_finished()) {
        let answer = agent.modern(&modern("search_customers", &json!({}))).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        served += 1;
    }

    let (mut verified, mut turned_away) = (0, 0);
    for lane in lanes {
        let (looked_at, not) = lane.await.unwrap();
        verified += looked_at;
        turned_away += not;
    }
    let seconds = usize::try_from(began.elapsed().as_secs()).unwrap() + 1;
    assert_eq!(verified + turned_away, LANES * EACH);
    // A hundred at once, a hundred each second, and what was under way at the same moment.
    let most = 100 * (seconds + 1) + LANES;
    assert!(verified <= most, "{verified} in {seconds} s");
    assert!(served > 10, "{served}");
    assert_eq!(upstream.count(), served + 1);
    let metrics = gateway.metrics().await;
    assert_eq!(count(&metrics, "bearer", "bad_signature"), verified);
    assert_eq!(count(&metrics, "bearer", "rate_limited"), turned_away);

    let records = stopped(Arc::into_inner(gateway).unwrap()).await;
    let of_their_own = recorded(&records, "rate_limited") + recorded(&records, "token_invalid");
    let (counted, lost) = (tallied(&records, "rate_limited"), tallied(&records, "lost"));
    assert_eq!(
        of_their_own + counted + lost,
        LANES * EACH,
        "{counted} {lost}"
    );
}

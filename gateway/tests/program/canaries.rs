//! Secrets and what people asked and were told, sent through the whole program, and looked for wherever it speaks: the ledger,
//! the log at its most talkative, metrics, probes, the admin socket.

use std::path::Path;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::process::gatewright;
use crate::serving::Served;
use crate::support::{
    Agent, Holder, Reply, Setup, Upstream, headers_of, legacy, modern, now, presenting, resource,
    send,
};

/// What must be nowhere. Each has a word of its own, so that a hit says what it was.
#[derive(Default)]
struct Canaries(Vec<(&'static str, String)>);

impl Canaries {
    fn add(&mut self, what: &'static str, secret: impl Into<String>) -> String {
        let secret = secret.into();
        self.0.push((what, secret.clone()));
        secret
    }

    /// A token's or a proof's parts: its claims and its signature give it away as well as all of it.
    fn add_parts(&mut self, what: &'static str, token: &str) {
        let parts = token.split('.').skip(1);
        self.0.extend(parts.map(|part| (what, part.to_owned())));
    }

    fn assert_absent(&self, place: &str, text: &str) {
        for (what, secret) in &self.0 {
            let at = text.find(secret.as_str());
            let around = at.map(|at| text.get(at.saturating_sub(300)..at + 100));
            assert!(at.is_none(), "{what} is in {place}: {around:?}");
        }
    }
}

const RESULT: &str = "canary-result-51aa";
const SESSION: &str = "canary-upstream-session-9c1e";
const SET_COOKIE: &str = "canary-set-cookie-77b0";

/// Answers with secrets of its own, and sometimes badly.
fn answer(arrived: &crate::support::Arrived) -> Reply {
    let body: Value = serde_json::from_slice(&arrived.body).unwrap_or_default();
    let id = &body["id"];
    let text = json!({ "content": [{ "type": "text", "text": RESULT }] });
    let reply = match body["params"]["name"].as_str() {
        Some("search_broken") => Reply::body("application/json", format!("{{\"{RESULT}")),
        Some("search_failing") => Reply::body("text/plain", RESULT).status(500),
        _ if body["method"] == "initialize" => {
            Reply::json(&json!({ "jsonrpc": "2.0", "id": id, "result": {
            "protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": { "name": RESULT, "version": "1" } } }))
        }
        _ => Reply::json(&json!({ "jsonrpc": "2.0", "id": id, "result": text })),
    };
    let reply = reply.with("set-cookie", SET_COOKIE);
    reply.with("mcp-session-id", SESSION)
}

struct Field {
    served: Served,
    canaries: Canaries,
    holder: Holder,
    key: String,
    _upstream: Upstream,
    _endpoint: Upstream,
}

/// A gateway that takes every kind of credential, and says everything that it can say.
async fn field() -> Field {
    let mut canaries = Canaries::default();
    let upstream = Upstream::start(answer).await;
    let endpoint = Upstream::start(|_| {
        Reply::json(&json!({
            "active": true, "iss": "https://auth.test", "aud": resource(), "sub": "alice", "client_id": "agent-1",
            "iat": now(), "exp": now() + 600, "scope": "crm:read", "roles": ["analyst"], "jti": "o-1",
        }))
    })
    .await;
    let setup = settings();
    let folder = setup.folder.path().to_owned();
    let mut file = |name: &str, what: &'static str| {
        let secret = canaries.add(what, format!("canary-{name}-0123456789abcdef0123456789"));
        std::fs::write(folder.join(name), format!("{secret}\n")).unwrap();
    };
    file("hash.key", "the key of hashes");
    file("nonce.key", "the key of nonces");
    file("digest.key", "the key of digests");
    file("client.secret", "the client secret");
    std::fs::write(folder.join("keys.yaml"), "[]\n").unwrap();
    let keys = format!(
        "    jwks_file: jwks.json\n    introspection: {{ endpoint: \"{}\", client_id: gw, client_secret_file: client.secret }}\n",
        endpoint.url()
    );
    let yaml = setup.yaml(&upstream.url());
    let yaml = yaml.replace("    jwks_file: jwks.json\n", &keys);
    std::fs::write(folder.join("gatewright.yaml"), &yaml).unwrap();
    let key = new_key(&folder);
    canaries.add("an api key", key.clone());
    let served = Served::saying(setup, &yaml, "trace").await;
    for (what, text) in [
        ("a result", RESULT),
        ("the upstream's session", SESSION),
        ("the upstream's cookie", SET_COOKIE),
    ] {
        canaries.add(what, text);
    }
    Field {
        served,
        canaries,
        holder: Holder::new(),
        key,
        _upstream: upstream,
        _endpoint: endpoint,
    }
}

fn settings() -> Setup {
    Setup {
        server: "    api_keys: { keys_file: keys.yaml, hash_key_file: hash.key, sunset: 2999-01-31 }\n".to_owned(),
        extra: "dpop: { nonce: optional, nonce_key_file: nonce.key }\n".to_owned(),
        audit: ", arguments: fields, fields: { crm: { search_x: [/listed] } }, digest_key_file: digest.key".to_owned(),
        ..Setup::default()
    }
}

/// Made by the program itself, which shows it once.
fn new_key(folder: &Path) -> String {
    let arguments = [
        "keys",
        "new",
        "-c",
        "gatewright.yaml",
        "--server",
        "crm",
        "--subject",
        "billing",
        "--client",
        "bot",
        "--role",
        "analyst",
        "--scope",
        "crm:read",
    ];
    let made = gatewright(folder, &arguments).output().unwrap();
    let said = String::from_utf8(made.stdout).unwrap();
    let talk = String::from_utf8(made.stderr).unwrap();
    let start = said.find("gwk_").unwrap_or_else(|| panic!("{said}{talk}"));
    let is_part = |c: &char| c.is_ascii_alphanumeric() || "_-".contains(*c);
    said.chars().skip(start).take_while(is_part).collect()
}

impl Field {
    /// A call whose arguments, cookies and prompt hold canaries.
    fn call(&mut self, request: RequestBuilder, tool: &str) -> RequestBuilder {
        let argument = self.canaries.add("an argument", "canary-argument-30d4");
        let cookie = self.canaries.add("a cookie", "canary-cookie-8a2f");
        let message = modern(tool, &json!({ "listed": "fine", "card": argument }));
        headers_of(request, &message)
            .header("cookie", format!("session={cookie}"))
            .body(message.to_string())
    }

    async fn tokens(&mut self) {
        let url = self.served.url.clone();
        let bound = self.holder.token(&self.served.setup.issuer);
        self.canaries.add_parts("a token", &bound);
        let proof = self.holder.proof(&bound);
        self.canaries.add_parts("a proof", &proof);
        let private = self
            .canaries
            .add("a private key", "canary-private-key-d41d");
        let mut jwk = self.holder.jwk();
        jwk["d"] = json!(private);
        let telling = self.holder.bent(&bound, &json!({ "jwk": jwk }), &json!({}));
        self.canaries
            .add_parts("a proof with a private key", &telling);
        let header = telling.split('.').next().unwrap().to_owned();
        self.canaries.add("a header with a private key", header);
        for (proof, status) in [(&proof, 200), (&proof, 401), (&telling, 401)] {
            let request = presenting(&url, Method::POST, &bound, &[proof]);
            let answer = send(self.call(request, "search_x")).await;
            assert_eq!(answer.status, status, "{}", answer.body);
        }
        let opaque = self
            .canaries
            .add("an opaque token", "canary-opaque-5f.1c~2");
        let analyst = self.served.setup.analyst();
        self.canaries.add_parts("a token", &analyst);
        let expired = self.expired();
        let key = self.key.clone();
        let wrong = self.canaries.add("a wrong api key", format!("{key}x"));
        let garbage = self
            .canaries
            .add("no token at all", "canary-garbage-e3b0.x.y");
        for (token, status) in [
            (opaque, 200),
            (analyst, 200),
            (key, 200),
            (expired, 401),
            (wrong, 401),
            (garbage, 401),
        ] {
            let agent = Agent::new(url.clone(), Some(token));
            let answer = send(self.call(agent.request(Method::POST), "search_x")).await;
            assert_eq!(answer.status, status, "{}", answer.body);
        }
    }

    fn expired(&mut self) -> String {
        let mut claims = self.served.setup.issuer.claims("alice", &["analyst"]);
        claims["exp"] = json!(now() - 300);
        let expired = self.served.setup.issuer.sign_claims(&claims);
        self.canaries.add_parts("an expired token", &expired);
        expired
    }

    async fn oddities(&mut self) {
        let agent = Agent::new(self.served.url.clone(), Some(self.served.setup.analyst()));
        for tool in ["search_broken", "search_failing", "delete_customer"] {
            let answer = send(self.call(agent.request(Method::POST), tool)).await;
            assert!(
                answer.json()["error"].is_object(),
                "{tool}: {}",
                answer.body
            );
        }
        let malformed = self.canaries.add("half a message", "canary-malformed-c0de");
        assert_eq!(
            agent
                .bytes(format!("{{\"jsonrpc\":\"2.0\",\"{malformed}"))
                .await
                .status,
            400
        );
        let query = self
            .canaries
            .add("a token in the query", "canary-query-4be1");
        let url = format!("{}?access_token={query}", self.served.url);
        let asking = Agent::new(url, None).request(Method::POST);
        assert_eq!(send(asking.body("{}")).await.status, 400);
    }

    async fn sessions(&mut self) {
        let agent = Agent::new(self.served.url.clone(), Some(self.served.setup.analyst()));
        let hello = legacy(
            "initialize",
            &json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "n", "version": "1" } }),
        );
        let opened = agent.legacy(&hello).await;
        let session = opened.header("mcp-session-id").unwrap();
        let session = self.canaries.add("a session", session);
        let foreign = self
            .canaries
            .add("a session of nobody", "canary-session-1d8e");
        for (session, method, status) in [
            (&session, Method::POST, 200),
            (&foreign, Method::POST, 404),
            (&session, Method::DELETE, 200),
        ] {
            let request = agent
                .request(method.clone())
                .header("mcp-protocol-version", "2025-11-25")
                .header("mcp-session-id", session);
            let call = legacy(
                "tools/call",
                &json!({ "name": "search_x", "arguments": {} }),
            );
            let body = if method == Method::POST {
                call.to_string()
            } else {
                String::new()
            };
            let answer = send(request.body(body)).await;
            assert_eq!(answer.status, status, "{method}: {}", answer.body);
        }
    }

    /// Everything that the program said, place by place.
    async fn said(&mut self) -> Vec<(String, String)> {
        let mut said = Vec::new();
        for path in ["metrics", "livez", "readyz?verbose", "nothing"] {
            let url = format!("http://127.0.0.1:{}/{path}", self.served.ops);
            let answer = reqwest::get(url).await.unwrap().text().await.unwrap();
            said.push((path.to_owned(), answer));
        }
        for verb in [
            &["status", "-o", "json"][..],
            &["reload"],
            &["pins", "list"],
            &["report", "keys"],
            &["config", "show"],
        ] {
            let done = self.served.verb(verb);
            said.push((verb.join(" "), format!("{}{}", done.out, done.talk)));
        }
        self.served.program.signal("TERM");
        assert!(self.served.program.ended().0.success());
        said.push(("the log".to_owned(), self.served.program.talk()));
        for entry in std::fs::read_dir(self.served.folder().join("audit")).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let text = std::fs::read(&path).unwrap();
                said.push((path.display().to_string(), String::from_utf8(text).unwrap()));
            }
        }
        said
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a03_no_secret_no_argument_and_no_result_is_ever_said() {
    let mut field = field().await;
    field.tokens().await;
    field.oddities().await;
    field.sessions().await;
    let said = field.said().await;
    for (place, text) in &said {
        field.canaries.assert_absent(place, text);
    }
    assert!(field.canaries.0.len() > 30, "all were sent");
    let all: String = said.iter().map(|(_, text)| text.as_str()).collect();
    for shown in [
        "gatewright_decisions_total",
        "\"/listed\":\"fine\"",
        "\"kind\":\"outcome\"",
        "TRACE",
    ] {
        assert!(all.contains(shown), "nothing was looked at: {shown}");
    }
    let records = said.iter().filter(|(place, _)| place.contains(".jsonl"));
    let lines: Vec<Value> = records
        .flat_map(|(_, text)| text.lines())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(lines.len() > 20, "{}", lines.len());
}

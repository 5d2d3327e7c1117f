//! `gatewright run` under signals, and the verbs that speak to it over its socket.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::process::{Finished, Program, free_port, gatewright};
use crate::support::{Agent, PATH, Reply, Setup, Upstream, eventually, modern};

const SOON: Duration = Duration::from_secs(5);

pub(crate) struct Served {
    pub(crate) program: Program,
    pub(crate) agent: Agent,
    pub(crate) url: String,
    pub(crate) ops: u16,
    pub(crate) setup: Setup,
}

impl Served {
    async fn start(upstream: &Upstream) -> Self {
        Self::with(Setup::default(), upstream).await
    }

    pub(crate) async fn with(setup: Setup, upstream: &Upstream) -> Self {
        let yaml = setup.yaml(&upstream.url());
        Self::saying(setup, &yaml, "").await
    }

    /// Starts with this configuration, but for its ports, and with this filter of the log.
    pub(crate) async fn saying(setup: Setup, yaml: &str, filter: &str) -> Self {
        let (listen, ops) = (free_port(), free_port());
        let yaml = yaml
            .replace(
                "listen: { address: 127.0.0.1:0 }",
                &format!("listen: {{ address: 127.0.0.1:{listen} }}"),
            )
            .replace(
                "ops: { address: 127.0.0.1:0 }",
                &format!("ops: {{ address: 127.0.0.1:{ops} }}"),
            );
        std::fs::write(setup.folder.path().join("gatewright.yaml"), yaml).unwrap();
        let run = ["run", "-c", "gatewright.yaml"];
        let program = Program::start_saying(setup.folder.path(), &run, filter);
        let url = format!("http://127.0.0.1:{listen}{PATH}");
        let agent = Agent::new(url.clone(), Some(setup.analyst()));
        let mut served = Self {
            program,
            agent,
            url,
            ops,
            setup,
        };
        served.until_ready().await;
        served
    }

    async fn until_ready(&mut self) {
        let ops = self.ops;
        for _ in 0..400 {
            let ready = reqwest::get(format!("http://127.0.0.1:{ops}/readyz")).await;
            if ready.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            self.program.assert_running();
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("it is never ready: {}", self.program.talk());
    }

    pub(crate) fn folder(&self) -> &Path {
        self.setup.folder.path()
    }

    fn change(&self, from: &str, to: &str) {
        let file = self.folder().join("gatewright.yaml");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "nothing to replace: {from}");
        std::fs::write(file, text.replace(from, to)).unwrap();
    }

    async fn status_of(&self, tool: &str) -> u16 {
        self.agent.modern(&modern(tool, &json!({}))).await.status
    }

    /// Whether a call of `tool` gets `status` soon.
    async fn comes_to(&self, tool: &str, status: u16) -> bool {
        let trying = async {
            while self.status_of(tool).await != status {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(SOON, trying).await.is_ok()
    }

    /// The URL of the usual server.
    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    pub(crate) async fn metrics(&self) -> String {
        let metrics = reqwest::get(format!("http://127.0.0.1:{}/metrics", self.ops)).await;
        metrics.unwrap().text().await.unwrap()
    }

    /// Runs another verb in the same folder.
    pub(crate) fn verb(&self, arguments: &[&str]) -> Finished {
        Finished::of(gatewright(self.folder(), arguments))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_under_way_survives_sigterm_and_the_exit_is_clean() {
    let upstream = Upstream::start(|arrived| {
        let answer =
            json!({ "jsonrpc": "2.0", "id": arrived.json()["id"], "result": { "content": [] } });
        let mut reply = Reply::json(&answer);
        reply.pieces[0].0 = Duration::from_millis(700);
        reply
    })
    .await;
    let mut served = Served::start(&upstream).await;
    let url_agent = Agent::new(served.url.clone(), Some(served.setup.analyst()));
    let asking =
        tokio::spawn(async move { url_agent.modern(&modern("search_x", &json!({}))).await });
    assert!(eventually(SOON, || upstream.count() == 1).await);

    served.program.signal("TERM");

    let (status, took) = served.program.ended();
    assert_eq!(status.code(), Some(0), "{}", served.program.talk());
    assert!(took < SOON, "an idle drain was waited for: {took:?}");
    let answer = asking.await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!((upstream.completed(), upstream.aborted()), (1, 0));
    assert!(!served.folder().join("gatewright.sock").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sighup_takes_a_good_file_and_survives_a_bad_one() {
    let upstream = Upstream::plain().await;
    let mut served = Served::start(&upstream).await;
    assert_eq!(served.status_of("search_x").await, 200);
    assert_eq!(served.status_of("delete_customer").await, 403);

    served.change("search_*", "delete_*");
    served.program.signal("HUP");
    assert!(
        served.comes_to("delete_customer", 200).await,
        "{}",
        served.program.talk()
    );
    assert_eq!(served.status_of("search_x").await, 403);

    served.change("version: 1", "version: 9");
    served.program.signal("HUP");
    served.change("version: 9", "version: 1");
    served.change("delete_*", "search_*");
    served.program.signal("HUP");
    assert!(
        served.comes_to("search_x", 200).await,
        "{}",
        served.program.talk()
    );
    served.program.assert_running();

    served.program.signal("TERM");
    assert_eq!(served.program.ended().0.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reload_and_status_reach_the_running_gateway() {
    let upstream = Upstream::plain().await;
    let mut served = Served::start(&upstream).await;
    let shown = served.verb(&["status"]);
    assert!(
        shown
            .out
            .lines()
            .any(|line| { line.starts_with("servers[0].name ") && line.ends_with(" crm") }),
        "{shown:?}"
    );
    let before = served.verb(&["status", "-o", "json"]);
    assert_eq!(before.code, 0, "{before:?}");
    let before: Value = serde_json::from_str(&before.out).unwrap();
    assert_eq!(before["servers"][0]["name"], "crm", "{before}");
    assert_eq!(before["issuers"][0]["ready"], true, "{before}");

    served.change("search_*", "delete_*");
    let reloaded = served.verb(&["reload", "-o", "json"]);

    assert_eq!((reloaded.code, reloaded.talk.as_str()), (0, ""));
    let reloaded: Value = serde_json::from_str(&reloaded.out).unwrap();
    assert_eq!(reloaded["reloaded"], true);
    assert_eq!(
        served.status_of("delete_customer").await,
        200,
        "in force at once"
    );
    let after: Value = serde_json::from_str(&served.verb(&["status", "-o", "json"]).out).unwrap();
    assert_eq!(after["config"], reloaded["config"]);
    assert_ne!(after["policy"], before["policy"]);

    served.change("version: 1", "verson: 1");
    let refused = served.verb(&["reload", "--socket", "gatewright.sock"]);
    assert_eq!((refused.code, refused.out.as_str()), (3, ""));
    assert!(
        refused.talk.contains("unknown key `verson`"),
        "{}",
        refused.talk
    );
    assert_eq!(
        served.status_of("delete_customer").await,
        200,
        "the old one goes on"
    );
    served.program.assert_running();
}

#[test]
fn nobody_on_the_socket_has_an_exit_code_of_its_own() {
    let setup = Setup::default();
    let folder = setup.folder.path();
    std::fs::write(
        folder.join("gatewright.yaml"),
        setup.yaml("http://127.0.0.1:9/mcp"),
    )
    .unwrap();
    for verb in ["status", "reload"] {
        for arguments in [&[verb][..], &[verb, "--socket", "gatewright.sock"]] {
            let finished = Finished::of(gatewright(folder, arguments));
            assert_eq!(
                (finished.code, finished.out.as_str()),
                (5, ""),
                "{arguments:?}"
            );
            assert!(
                finished.talk.contains("gatewright.sock"),
                "{}",
                finished.talk
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_gateway_in_the_same_folder_says_what_is_taken() {
    let upstream = Upstream::plain().await;
    let served = Served::start(&upstream).await;
    let text = std::fs::read_to_string(served.folder().join("gatewright.yaml")).unwrap();
    let second = text.replace("gatewright.sock", "second.sock");
    std::fs::write(served.folder().join("second.yaml"), second).unwrap();

    let finished = served.verb(&["run", "-c", "second.yaml"]);

    assert_eq!(finished.code, 1, "{finished:?}");
    assert!(finished.talk.contains("audit"), "{}", finished.talk);
    assert!(
        finished.talk.contains("another gateway"),
        "{}",
        finished.talk
    );
    assert_eq!(served.status_of("search_x").await, 200, "the first goes on");
}

#[tokio::test]
async fn j55_a_key_is_made_taken_and_reported_and_never_stands_in_the_log() {
    let upstream = Upstream::plain().await;
    let served = Served::start(&upstream).await;
    served.change(
        "    scopes: [\"crm:read\"]\n",
        "    scopes: [\"crm:read\"]\n    api_keys: { keys_file: keys.yaml, hash_key_file: hash.key, sunset: 2999-01-31 }\n",
    );
    let made = served.verb(&[
        "keys",
        "new",
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
    ]);
    assert_eq!(made.code, 0, "{}", made.talk);
    let key = made.out.trim_end().to_owned();
    let holder = Agent::new(served.url.clone(), Some(key.clone()));
    let message = modern("search_x", &json!({}));
    assert_eq!(
        holder.modern(&message).await.status,
        401,
        "before the reload"
    );
    assert_eq!(upstream.count(), 0);
    let reloaded = served.verb(&["reload"]);
    assert_eq!(reloaded.code, 0, "{}", reloaded.talk);
    assert_eq!(holder.modern(&message).await.status, 200);
    let wrong = Agent::new(served.url.clone(), Some(format!("{key}A")));
    assert_eq!(wrong.modern(&message).await.status, 401);
    assert_eq!(upstream.count(), 1);

    let (_, secret) = key.split_at(17);
    let talk = served.program.talk();
    assert!(talk.contains("not an API key of this server"), "{talk}");
    assert!(!talk.contains(secret), "{talk}");
    let report = served.verb(&["report", "keys", "-o", "json"]);
    assert_eq!(report.code, 0, "{}", report.talk);
    let rows: Value = serde_json::from_str(&report.out).unwrap();
    assert_eq!(
        (&rows[0]["subject"], &rows[0]["requests"]),
        (&json!("billing"), &json!(1))
    );
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn h25_without_descriptors_it_rests_says_so_and_goes_on() {
    let upstream = Upstream::plain().await;
    let mut served = Served::start(&upstream).await;
    assert_eq!(served.status_of("search_x").await, 200);
    let address = served
        .url
        .trim_start_matches("http://")
        .trim_end_matches(PATH)
        .to_owned();
    served.program.limit_descriptors(6);
    let complaints = |served: &Served| served.program.talk().matches("cannot accept").count();
    let mut crowd = Vec::new();
    for _ in 0..40 {
        crowd.push(tokio::net::TcpStream::connect(&address).await.unwrap());
    }
    assert!(
        eventually(SOON, || complaints(&served) > 0).await,
        "{}",
        served.program.talk()
    );
    let began = std::time::Instant::now();
    served.until_ready().await;
    served.until_ready().await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let seconds = usize::try_from(began.elapsed().as_secs()).unwrap();
    assert!(
        complaints(&served) <= 2 + seconds,
        "{}",
        served.program.talk()
    );
    drop(crowd);
    assert!(
        served.comes_to("search_x", 200).await,
        "{}",
        served.program.talk()
    );
    served.program.assert_running();
}

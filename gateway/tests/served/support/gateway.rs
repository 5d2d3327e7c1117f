//! A gateway in this process, from the text of a configuration.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatewright::app::{self, Running};
use gatewright::config::load;
use gatewright::model::{Clock, SystemClock};
use serde_json::Value;
use tempfile::TempDir;

use super::{Agent, Issuer, PATH, PUBLIC, Upstream};

/// What a configuration of the tests is made of.
pub(crate) struct Setup {
    pub(crate) issuer: Issuer,
    pub(crate) folder: TempDir,
    /// YAML under `policy.roles`, indented by four.
    pub(crate) roles: String,
    /// YAML of further keys of the server, indented by four.
    pub(crate) server: String,
    /// YAML of further top-level keys.
    pub(crate) extra: String,
}

impl Default for Setup {
    fn default() -> Self {
        let issuer = Issuer::new();
        let folder = TempDir::new().unwrap();
        issuer.write_jwks(&folder.path().join("jwks.json"));
        let roles = "    analyst:\n      crm:\n        - search_*\n        - get_customer\n        - { prompt: summarise }\n        - { resource: \"crm://customers/*\" }\n        - { tool: refund, scopes: [\"crm:refund\"] }\n";
        Self {
            issuer,
            folder,
            roles: roles.into(),
            server: String::new(),
            extra: String::new(),
        }
    }
}

impl Setup {
    /// The configuration in front of `upstream`.
    pub(crate) fn yaml(&self, upstream: &str) -> String {
        format!(
            "version: 1\nlisten: {{ address: 127.0.0.1:0 }}\npublic_url: {PUBLIC}\nissuers:\n  - name: corp\n    url: https://auth.test\n    jwks_file: jwks.json\nservers:\n  - name: crm\n    path: {PATH}\n    upstream: {upstream}\n    scopes: [\"crm:read\"]\n{}policy:\n  roles:\n{}audit: {{ ledger: audit }}\nops: {{ address: 127.0.0.1:0 }}\nadmin: {{ socket: gatewright.sock }}\n{}",
            self.server, self.roles, self.extra
        )
    }

    /// Starts a gateway in front of `upstream`.
    pub(crate) async fn start(self, upstream: &Upstream) -> Gateway {
        let yaml = self.yaml(&upstream.url());
        Gateway::start(self, yaml).await
    }

    /// Starts a gateway in front of `upstream`, and an agent of an analyst before it.
    pub(crate) async fn start_with_agent(self, upstream: &Upstream) -> (Gateway, Agent) {
        let token = self.analyst();
        let gateway = self.start(upstream).await;
        let agent = Agent::new(gateway.url(), Some(token));
        (gateway, agent)
    }

    /// A token of an analyst that the usual server takes.
    pub(crate) fn analyst(&self) -> String {
        self.issuer.token("alice", &["analyst"], "crm:read")
    }
}

pub(crate) struct Gateway {
    pub(crate) setup: Setup,
    pub(crate) running: Running,
    pub(crate) yaml: Arc<Mutex<String>>,
    /// The requests that were made to see what was written before them.
    fences: Mutex<Vec<String>>,
}

impl Gateway {
    /// Starts with exactly this configuration; the folder of `setup` is its folder.
    pub(crate) async fn start(setup: Setup, yaml: String) -> Self {
        Self::start_by(setup, yaml, Arc::new(SystemClock)).await
    }

    /// The same, by this clock.
    pub(crate) async fn start_by(setup: Setup, yaml: String, clock: Arc<dyn Clock>) -> Self {
        let file = setup.folder.path().join("gatewright.yaml");
        let yaml = Arc::new(Mutex::new(yaml));
        let read = {
            let yaml = Arc::clone(&yaml);
            move || {
                let text = yaml.lock().unwrap().clone();
                load::parse(&text, &file, &|_| None).map_err(|mistakes| mistakes.to_string())
            }
        };
        let settings = read().unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let running = app::start_by(settings, Some(Arc::new(read)), clock)
            .await
            .unwrap();
        let gateway = Self {
            setup,
            running,
            yaml,
            fences: Mutex::default(),
        };
        gateway.until_ready().await;
        gateway
    }

    async fn until_ready(&self) {
        let Some(ops) = self.running.ops() else {
            return;
        };
        for _ in 0..100 {
            let ready = reqwest::get(format!("http://{ops}/readyz")).await;
            if ready.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.running.address()
    }

    /// The URL of the usual server where it really listens.
    pub(crate) fn url(&self) -> String {
        format!("http://{}{PATH}", self.address())
    }

    pub(crate) fn ledger(&self) -> PathBuf {
        self.setup.folder.path().join("audit")
    }

    /// Every record so far, in order; waits until records that need not be written at once are.
    pub(crate) async fn records(&self) -> Vec<Value> {
        // The record of a request that comes last is written last.
        let Ok(fence) = reqwest::get(format!("http://{}/fence", self.address())).await else {
            return records_in(&self.ledger());
        };
        let id = fence.headers()["x-request-id"].to_str().unwrap().to_owned();
        let is_last = |record: &Value| record["request_id"] == *id;
        let mut records = self.records_until(|all| all.iter().any(is_last)).await;
        let mut fences = self.fences.lock().unwrap();
        fences.push(id);
        records.retain(|record| !fences.iter().any(|fence| record["request_id"] == **fence));
        records
    }

    /// Replaces each first text in the configuration, which must hold it, by the second, and reloads.
    pub(crate) async fn change(&self, changes: &[(&str, &str)]) -> Result<(), String> {
        {
            let mut yaml = self.yaml.lock().unwrap();
            for (from, to) in changes {
                assert!(yaml.contains(from), "nothing to replace: {from}");
                *yaml = yaml.replace(from, to);
            }
        }
        self.running.reload().await
    }

    /// The records of this kind.
    pub(crate) async fn records_of(&self, kind: &str) -> Vec<Value> {
        self.records()
            .await
            .into_iter()
            .filter(|record| record["kind"] == kind)
            .collect()
    }

    /// The metrics as text.
    pub(crate) async fn metrics(&self) -> String {
        let ops = self.running.ops().unwrap();
        reqwest::get(format!("http://{ops}/metrics"))
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    }
}

impl Gateway {
    /// Every record about a request so far, and none that is still on its way: the ledger keeps their order,
    /// so a last refused request ends the wait.
    pub(crate) async fn settled(&self) -> Vec<Value> {
        let mut records = self.records().await;
        records.retain(|record| record["kind"] != "lifecycle");
        records
    }

    /// The one record there is about a request.
    pub(crate) async fn only_record(&self) -> Value {
        let mut records = self.settled().await;
        assert_eq!(records.len(), 1, "exactly one record: {records:#?}");
        records.remove(0)
    }

    /// The records once they are `enough`; panics when they never are.
    pub(crate) async fn records_until(&self, enough: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let mut records = Vec::new();
        for _ in 0..250 {
            records = records_in(&self.ledger());
            if enough(&records) {
                return records;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("a record is missing: {records:#?}");
    }

    /// The outcome records, once there are `count`.
    pub(crate) async fn outcomes(&self, count: usize) -> Vec<Value> {
        let outcomes = |all: &[Value]| -> Vec<Value> {
            let is_outcome = |record: &&Value| record["kind"] == "outcome";
            all.iter().filter(is_outcome).cloned().collect()
        };
        outcomes(&self.records_until(|all| outcomes(all).len() >= count).await)
    }

    /// The state of `/readyz`.
    pub(crate) async fn readiness(&self) -> u16 {
        let ops = self.running.ops().unwrap();
        let ready = reqwest::get(format!("http://{ops}/readyz")).await.unwrap();
        ready.status().as_u16()
    }
}

/// Every whole line of the record files in `ledger`, in order. Does not wait for anything.
pub(crate) fn records_in(ledger: &std::path::Path) -> Vec<Value> {
    let mut files: Vec<_> = std::fs::read_dir(ledger)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|name| name == "jsonl"))
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| std::fs::read_to_string(file).unwrap())
        .flat_map(|text| {
            let whole = text.split_inclusive('\n');
            let whole = whole.filter(|line| line.ends_with('\n'));
            whole.map(parsed).collect::<Vec<_>>()
        })
        .collect()
}

fn parsed(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

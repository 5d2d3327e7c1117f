//! What moves a pin, and what keeps it: approvals, restarts, reloads (row S11).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gatewright::app;
use gatewright::config::load;
use hyper::Method;
use serde_json::{Value, json};

use super::{As, BOTH, Scene, Tools, answer, names, search};
use crate::support::{Agent, Reply, Setup, Upstream, list};

/// A server whose tool changed, and what the gateway shows of that.
async fn changed() -> (Scene, Value) {
    let scene = Scene::start("block", As::Json).await;
    scene.names().await;
    scene.change(0, &search("searches better"));
    scene.names().await;
    let shown = scene.admin(Method::GET, "/pins/diff").await.unwrap();
    let difference = shown["differences"][0].clone();
    (scene, difference)
}

fn approve(hash: &str) -> String {
    format!("/pins/approve?server=crm&tool=search_crm&hash={hash}")
}

#[tokio::test]
async fn s11_an_approval_takes_effect_at_once_and_is_on_record() {
    let (scene, difference) = changed().await;
    let hash = difference["found"]["hash"].as_str().unwrap();

    let done = scene.admin(Method::POST, &approve(hash)).await.unwrap();

    assert_eq!(done["approved"][0]["to"], hash);
    assert_eq!(scene.refusal("search_crm").await, None);
    assert_eq!(scene.names().await, BOTH);
    let mut records = scene.gateway.records_of("config").await;
    let record = records.remove(0);
    assert_eq!(
        (&record["action"], &record["resource"]),
        (&json!("pins approve"), &json!("crm/search_crm"))
    );
    let id = std::fs::metadata("/proc/self").map(|file| std::os::unix::fs::MetadataExt::uid(&file));
    let by = format!("uid:{}", id.unwrap());
    assert_eq!(
        record["pin"],
        json!({ "pinned": difference["hash"], "found": hash, "approved_by": by })
    );
    scene.change(0, &search("searches"));
    assert_eq!(
        scene.names().await,
        ["get_customer"],
        "what it was before is a change now"
    );
}

#[tokio::test]
async fn s11_an_approval_of_what_is_no_longer_there_is_refused() {
    let (scene, difference) = changed().await;
    let hash = difference["found"]["hash"].as_str().unwrap();
    assert_eq!(
        (&difference["server"], &difference["tool"]),
        (&json!("crm"), &json!("search_crm"))
    );
    assert!(
        difference["definition"]
            .as_str()
            .unwrap()
            .contains("\"searches\"")
    );
    assert!(
        difference["found"]["definition"]
            .as_str()
            .unwrap()
            .contains("better")
    );

    let other = scene
        .admin(Method::POST, &approve(&"0".repeat(64)))
        .await
        .unwrap_err();
    assert!(
        other.contains("changed again") && other.contains(hash),
        "{other}"
    );
    assert_eq!(
        scene.refusal("search_crm").await.as_deref(),
        Some("tool_withheld")
    );
    assert!(scene.gateway.records_of("config").await.is_empty());
}

#[tokio::test]
async fn s11_what_cannot_be_approved_is_said() {
    let scene = Scene::start("block", As::Json).await;
    scene.names().await;
    for (target, told) in [
        (
            "/pins/approve?server=crm&tool=search_crm",
            "nothing to approve",
        ),
        (
            "/pins/approve?server=crm&tool=nothing",
            "never listed a tool `nothing`",
        ),
        (
            "/pins/approve?server=cmr&tool=search_crm",
            "no server is named `cmr`; known: crm",
        ),
        ("/pins/approve?server=crm", "`tool` is missing"),
    ] {
        let error = scene.admin(Method::POST, target).await.unwrap_err();
        assert!(error.contains(told), "{target}: {error}");
    }
    let all = scene
        .admin(Method::POST, "/pins/approve?server=crm&all=true")
        .await
        .unwrap();
    assert_eq!(all, json!({ "approved": [] }));
    scene.change(0, &search("a"));
    scene.change(1, &json!({ "name": "get_customer" }));
    scene.names().await;
    let all = scene
        .admin(Method::POST, "/pins/approve?server=crm&all=true")
        .await
        .unwrap();
    assert_eq!(all["approved"].as_array().unwrap().len(), 2);
    assert_eq!(scene.names().await, BOTH);
}

#[tokio::test]
async fn s11_a_restart_keeps_pins_changes_and_approvals() {
    let scene = Scene::start("block", As::Json).await;
    assert_eq!(scene.names().await, BOTH);
    let scene = scene.restart().await;
    scene.change(0, &search("steals"));
    assert_eq!(
        scene.names().await,
        ["get_customer"],
        "pinned before the restart"
    );
    let scene = scene.restart().await;
    let before_any_list = scene.refusal("search_crm").await;
    assert_eq!(before_any_list.as_deref(), Some("tool_withheld"));
    scene
        .admin(Method::POST, "/pins/approve?server=crm&tool=search_crm")
        .await
        .unwrap();
    let scene = scene.restart().await;
    assert_eq!(scene.refusal("search_crm").await, None);
    assert_eq!(scene.names().await, BOTH);
}

#[tokio::test]
async fn s11_a_file_of_pins_that_cannot_be_read_refuses_to_start_and_to_reload() {
    let scene = Scene::start("off", As::Json).await;
    let folder = scene.gateway.setup.folder.path().to_owned();
    std::fs::create_dir(folder.join("pins")).unwrap();
    std::fs::write(folder.join("pins/crm.json"), "{}").unwrap();
    assert_eq!(scene.names().await, BOTH, "off reads nothing");
    {
        let mut yaml = scene.gateway.yaml.lock().unwrap();
        *yaml = yaml.replace("pins: off", "pins: block");
    }
    let told = scene.gateway.running.reload().await.unwrap_err();
    assert!(told.contains("pins/crm.json"), "{told}");
    assert_eq!(
        scene.refusal("search_crm").await,
        None,
        "the old one goes on"
    );

    let yaml = scene.gateway.yaml.lock().unwrap().clone();
    scene.gateway.running.stop().await;
    let settings = load::parse(&yaml, &folder.join("gatewright.yaml"), &|_| None).unwrap();
    let Err(error) = app::start(settings, None).await else {
        panic!("it started");
    };
    assert!(error.to_string().contains("pins/crm.json"), "{error}");
}

#[tokio::test]
async fn s11_a_reload_changes_the_mode_and_off_forgets_nothing() {
    let scene = Scene::start("warn", As::Json).await;
    scene.names().await;
    scene.change(0, &search("steals"));
    assert_eq!(scene.names().await, BOTH);
    scene.reload("pins: warn", "pins: block").await;
    assert_eq!(
        scene.refusal("search_crm").await.as_deref(),
        Some("tool_withheld")
    );
    assert_eq!(scene.names().await, ["get_customer"]);
    scene.reload("pins: block", "pins: off").await;
    assert_eq!(scene.names().await, BOTH);
    assert_eq!(scene.refusal("search_crm").await, None);
    let told = scene
        .admin(Method::GET, "/pins?server=crm")
        .await
        .unwrap_err();
    assert!(told.contains("`pins: off`"), "{told}");
    scene.reload("pins: off", "pins: block").await;
    assert_eq!(scene.names().await, ["get_customer"]);
    assert_eq!(scene.counted().await, "1");
}

/// A server that sends `held` on the stream of a session, the last event after a pause.
async fn streaming(tools: &Tools, held: &Tools) -> Scene {
    let (served, listed) = (Arc::clone(held), Arc::clone(tools));
    let upstream = Upstream::start(move |arrived| {
        if arrived.method == "GET" {
            let event = |text: &String| Bytes::from(format!("data: {text}\n\n"));
            let texts = served.lock().unwrap();
            let mut reply = Reply::events(texts.iter().map(event).collect());
            // The second event comes when the approval had its time.
            if let Some(last) = reply.pieces.last_mut() {
                last.0 = Duration::from_millis(1500);
            }
            return reply;
        }
        let body = answer(&listed.lock().unwrap(), &arrived.json());
        Reply::body("application/json", body)
    })
    .await;
    let setup = Setup {
        server: "    pins: block\n".into(),
        ..Setup::default()
    };
    let token = setup.analyst();
    let gateway = setup.start(&upstream).await;
    let agent = Agent::new(gateway.url(), Some(token));
    Scene {
        upstream,
        gateway,
        agent,
        tools: Arc::clone(tools),
    }
}

#[tokio::test]
async fn s11_an_approval_holds_in_a_stream_that_is_open() {
    let (tools, held) = (Tools::default(), Tools::default());
    *tools.lock().unwrap() = vec![search("searches").to_string()];
    let scene = streaming(&tools, &held).await;
    assert_eq!(names(&scene.agent.modern(&list()).await), ["search_crm"]);
    scene.change(0, &search("searches better"));
    let event = answer(&scene.tools.lock().unwrap(), &json!({ "id": 7 }));
    *held.lock().unwrap() = vec![event.clone(), event];

    let request = scene
        .agent
        .request(Method::GET)
        .header("mcp-protocol-version", "2025-11-25");
    let mut response = request.send().await.unwrap();
    let first = response.chunk().await.unwrap().unwrap();
    assert!(
        !String::from_utf8_lossy(&first).contains("search_crm"),
        "{first:?}"
    );
    scene
        .admin(Method::POST, "/pins/approve?server=crm&all=true")
        .await
        .unwrap();
    let second = response.chunk().await.unwrap().unwrap();
    assert!(
        String::from_utf8_lossy(&second).contains("searches better"),
        "{second:?}"
    );
}

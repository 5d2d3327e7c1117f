//! Whichever list brings a tool: every page, every caller, several at once, and each server for itself (row S11).

use serde_json::{Value, json};

use super::{As, Scene, Tools, hidden, names, search, upstream};
use crate::support::{Agent, Gateway, Setup, legacy, list, stateless};

#[tokio::test]
async fn s11_every_page_and_every_tool_is_pinned_whoever_asks() {
    let scene = Scene::start("block", As::Json).await;
    let second = |era: fn(&str, &Value) -> Value| era("tools/list", &json!({ "cursor": "2" }));
    assert_eq!(
        names(&scene.agent.legacy(&second(legacy)).await),
        ["get_customer"]
    );
    scene.change(1, &json!({ "name": "get_customer", "inputSchema": {} }));
    scene.change(2, &hidden("drops more"));

    assert!(names(&scene.agent.modern(&second(stateless)).await).is_empty());

    assert_eq!(
        scene.refusal("get_customer").await.as_deref(),
        Some("tool_withheld")
    );
    let anomalies = scene.anomalies().await;
    let tools: Vec<_> = anomalies.iter().map(|record| &record["resource"]).collect();
    assert_eq!(
        tools,
        ["crm/get_customer", "crm/drop_all"],
        "one of them is hidden from the role"
    );
    assert_eq!(
        scene.names().await,
        ["search_crm"],
        "page 1 was first seen later"
    );
}

#[tokio::test]
async fn s11_two_servers_with_one_tool_have_their_own_pins_in_the_directory_that_is_named() {
    let tools = Tools::default();
    *tools.lock().unwrap() = vec![search("searches").to_string()];
    let upstream = upstream(&tools, As::Json).await;
    let setup = Setup {
        server: "    pins: block\n".into(),
        extra: "pins: { directory: kept/here }\n".into(),
        ..Setup::default()
    };
    let yaml = setup.yaml(&upstream.url()).replace(
        "policy:\n",
        &format!(
            "  - {{ name: wiki, path: /wiki/mcp, upstream: \"{}\", pins: block, audiences: [\"http://localhost:8080/crm/mcp\"] }}\npolicy:\n",
            upstream.url()
        ),
    ).replace("      crm:\n", "      wiki: [search_*]\n      crm:\n");
    let token = setup.analyst();
    let gateway = Gateway::start(setup, yaml).await;
    let crm = Agent::new(gateway.url(), Some(token.clone()));
    let wiki = Agent::new(gateway.url().replace("/crm/", "/wiki/"), Some(token));
    assert_eq!(names(&crm.modern(&list()).await), ["search_crm"]);
    tools.lock().unwrap()[0] = search("searches a wiki").to_string();
    assert_eq!(
        names(&wiki.modern(&list()).await),
        ["search_crm"],
        "first seen there"
    );
    assert!(names(&crm.modern(&list()).await).is_empty());
    let folder = gateway.setup.folder.path().to_owned();
    gateway.running.stop().await;
    for file in ["kept/here/crm.json", "kept/here/wiki.json"] {
        assert!(folder.join(file).is_file(), "{file}");
    }
    assert!(!folder.join("pins").exists());
}

#[tokio::test]
async fn s11_concurrent_lists_tell_of_a_change_once() {
    let scene = Scene::start("warn", As::Json).await;
    scene.names().await;
    scene.change(0, &search("steals"));
    let message = list();
    let asking = (0..24).map(|_| scene.agent.modern(&message));
    for answer in futures_util::future::join_all(asking).await {
        assert_eq!(names(&answer), ["search_crm"]);
    }
    assert_eq!(scene.anomalies().await.len(), 1);
    assert_eq!(scene.counted().await, "1");
}

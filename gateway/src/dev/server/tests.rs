//! The MCP server over a real socket, in both eras.

use http::Request;
use serde_json::{Value, json};

use super::DevServer;
use crate::dev::agent::{Reply, send};

const MODERN: &str = "2026-07-28";
const LEGACY: &str = "2025-11-25";

async fn post(server: &DevServer, headers: &[(&str, &str)], body: &Value) -> Reply {
    let mut request = Request::post(server.url())
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(request.body(body.to_string()).unwrap()).await
}

/// One stateless request of 2026-07-28.
async fn modern(server: &DevServer, method: &str, name: Option<&str>, mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let mut headers = vec![("mcp-protocol-version", MODERN), ("mcp-method", method)];
    headers.extend(name.map(|name| ("mcp-name", name)));
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    post(server, &headers, &body).await.json()
}

async fn call(server: &DevServer, name: &str, arguments: Value) -> Value {
    modern(
        server,
        "tools/call",
        Some(name),
        json!({ "name": name, "arguments": arguments }),
    )
    .await["result"]
        .take()
}

#[tokio::test]
async fn a_client_of_2025_11_25_opens_a_session_lists_and_calls() {
    let server = DevServer::start().await.unwrap();
    let initialize = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": LEGACY, "capabilities": {}, "clientInfo": { "name": "t", "version": "1" },
    }});
    let reply = post(&server, &[], &initialize).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let result = &reply.json()["result"];
    assert_eq!(result["protocolVersion"], LEGACY);
    assert_eq!(result["serverInfo"]["name"], "gatewright-dev-notes");
    for capability in ["tools", "prompts", "resources"] {
        assert!(
            result["capabilities"].get(capability).is_some(),
            "{capability}"
        );
    }
    let session = reply.headers["mcp-session-id"].to_str().unwrap().to_owned();
    let headers = [
        ("mcp-session-id", session.as_str()),
        ("mcp-protocol-version", LEGACY),
    ];
    let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert_eq!(post(&server, &headers, &initialized).await.status, 202);

    let list = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" });
    let tools = post(&server, &headers, &list).await.json();
    let names: Vec<_> = tools["result"]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| &tool["name"])
        .collect();
    assert_eq!(
        names,
        ["add_note", "delete_note", "get_note", "search_notes"]
    );

    let call = json!({ "jsonrpc": "2.0", "id": 3, "method": "tools/call",
        "params": { "name": "search_notes", "arguments": { "query": "coffee" } } });
    let found = post(&server, &headers, &call).await.json();
    assert_eq!(
        found["result"]["structuredContent"]["notes"][0]["title"],
        "Coffee machine"
    );
}

#[tokio::test]
async fn a_client_of_2026_07_28_discovers_lists_and_calls_without_a_session() {
    let server = DevServer::start().await.unwrap();
    let discovered = modern(&server, "server/discover", None, json!({})).await;
    assert!(
        discovered["result"]["supportedVersions"]
            .as_array()
            .unwrap()
            .contains(&json!(MODERN)),
        "{discovered}"
    );
    let tools = modern(&server, "tools/list", None, json!({})).await;
    assert_eq!(tools["result"]["tools"].as_array().unwrap().len(), 4);
    let read = call(&server, "get_note", json!({ "id": 1 })).await;
    assert_eq!(read["structuredContent"]["title"], "Release checklist");
    assert_eq!(read["resultType"], "complete");
}

#[tokio::test]
async fn a_note_that_is_added_is_found_by_others_until_it_is_deleted() {
    let server = DevServer::start().await.unwrap();
    let added = call(
        &server,
        "add_note",
        json!({ "title": "Lunch", "text": "Soup" }),
    )
    .await;
    let id = added["structuredContent"]["id"].as_u64().unwrap();
    let found = call(&server, "search_notes", json!({ "query": "soup" })).await;
    assert_eq!(found["structuredContent"]["notes"][0]["id"], id);
    call(&server, "delete_note", json!({ "id": id })).await;
    let gone = call(&server, "get_note", json!({ "id": id })).await;
    assert_eq!(gone["isError"], true, "{gone}");
}

#[tokio::test]
async fn resources_are_listed_templated_and_read() {
    let server = DevServer::start().await.unwrap();
    let listed = modern(&server, "resources/list", None, json!({})).await;
    assert_eq!(listed["result"]["resources"][0]["uri"], "note://1");
    let templates = modern(&server, "resources/templates/list", None, json!({})).await;
    assert_eq!(
        templates["result"]["resourceTemplates"][0]["uriTemplate"],
        "note://{id}"
    );
    let read = modern(
        &server,
        "resources/read",
        Some("note://2"),
        json!({ "uri": "note://2" }),
    )
    .await;
    assert!(
        read["result"]["contents"][0]["text"]
            .as_str()
            .unwrap()
            .starts_with("Monday Ada")
    );
    let missing = modern(
        &server,
        "resources/read",
        Some("note://99"),
        json!({ "uri": "note://99" }),
    )
    .await;
    assert_eq!(missing["error"]["code"], -32602);
}

#[tokio::test]
async fn the_prompt_carries_the_note() {
    let server = DevServer::start().await.unwrap();
    let listed = modern(&server, "prompts/list", None, json!({})).await;
    assert_eq!(listed["result"]["prompts"][0]["name"], "summarise_note");
    let get = |id: &str| json!({ "name": "summarise_note", "arguments": { "id": id } });
    let prompt = modern(&server, "prompts/get", Some("summarise_note"), get("3")).await;
    assert!(
        prompt["result"]["messages"][0]["content"]["text"]
            .as_str()
            .unwrap()
            .contains("Descale")
    );
    for id in ["99", "x"] {
        let refused = modern(&server, "prompts/get", Some("summarise_note"), get(id)).await;
        assert_eq!(refused["error"]["code"], -32602, "{refused}");
    }
}

#[tokio::test]
async fn other_paths_other_hosts_and_browsers_are_refused() {
    let server = DevServer::start().await.unwrap();
    let list = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" });
    let elsewhere = Request::post(format!("http://{}/", server.address()))
        .body(list.to_string())
        .unwrap();
    assert_eq!(send(elsewhere).await.status, 404);
    assert_eq!(
        post(&server, &[("host", "evil.example")], &list)
            .await
            .status,
        403
    );
    assert_eq!(
        post(&server, &[("origin", "http://127.0.0.1")], &list)
            .await
            .status,
        403
    );
    assert!(server.address().ip().is_loopback());
}

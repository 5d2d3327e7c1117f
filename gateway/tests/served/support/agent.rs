//! An agent: HTTP requests with and without a token, in both eras of the protocol.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The error without what is this answer's own: the ids of request and decision.
    pub(crate) fn blank(&self) -> Value {
        let mut body = self.json();
        let data = body["error"]["data"].as_object_mut().unwrap();
        data.remove("request_id").unwrap();
        data.remove("decision_id").unwrap();
        body
    }

    /// The JSON-RPC error code.
    pub(crate) fn code(&self) -> Option<i64> {
        self.json()["error"]["code"].as_i64()
    }
}

pub(crate) struct Agent {
    pub(crate) client: Client,
    url: String,
    pub(crate) token: Option<String>,
}

impl Agent {
    pub(crate) fn new(url: impl Into<String>, token: Option<String>) -> Self {
        gatewright::identity::install_crypto();
        let client = Client::builder()
            .timeout(Duration::from_secs(20))
            .no_proxy()
            .build()
            .unwrap();
        Self {
            client,
            url: url.into(),
            token,
        }
    }

    pub(crate) fn request(&self, method: Method) -> RequestBuilder {
        let request = self
            .client
            .request(method, &self.url)
            .header("accept", "application/json, text/event-stream")
            .header("content-type", "application/json");
        match &self.token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        }
    }

    /// Sends a message of 2026-07-28 with its mirrored headers.
    pub(crate) async fn modern(&self, message: &Value) -> Answer {
        send(headers_of(self.request(Method::POST), message).body(message.to_string())).await
    }

    /// Sends a message of 2025-11-25.
    pub(crate) async fn legacy(&self, message: &Value) -> Answer {
        let request = self
            .request(Method::POST)
            .header("mcp-protocol-version", "2025-11-25");
        send(request.body(message.to_string())).await
    }

    /// Sends any bytes as a message of 2025-11-25.
    pub(crate) async fn bytes(&self, body: impl Into<reqwest::Body>) -> Answer {
        send(
            self.request(Method::POST)
                .header("mcp-protocol-version", "2025-11-25")
                .body(body),
        )
        .await
    }
}

/// Adds the mirrored headers of 2026-07-28.
pub(crate) fn headers_of(request: RequestBuilder, message: &Value) -> RequestBuilder {
    let method = message["method"].as_str().unwrap();
    let mut request = request
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", method);
    let params = &message["params"];
    if matches!(method, "tools/call" | "prompts/get" | "resources/read") {
        let name = params["name"].as_str().or(params["uri"].as_str()).unwrap();
        request = request.header("mcp-name", name);
    }
    request
}

/// Sends and reads the answer to its end.
pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer {
        status,
        headers,
        body: response.text().await.unwrap(),
    }
}

/// A `tools/call` of 2026-07-28.
pub(crate) fn modern(tool: &str, arguments: &Value) -> Value {
    stateless(
        "tools/call",
        &json!({ "name": tool, "arguments": arguments }),
    )
}

/// Any request of 2026-07-28.
pub(crate) fn stateless(method: &str, params: &Value) -> Value {
    let mut params = params.clone();
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params })
}

/// A `tools/list` of 2026-07-28.
pub(crate) fn list() -> Value {
    stateless("tools/list", &json!({}))
}

/// A `tools/call` of the older revisions.
pub(crate) fn call(tool: &str, arguments: &Value) -> Value {
    legacy(
        "tools/call",
        &json!({ "name": tool, "arguments": arguments }),
    )
}

/// Any request of the older revisions.
pub(crate) fn legacy(method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params })
}

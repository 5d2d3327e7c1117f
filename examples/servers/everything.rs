//! An MCP server with one of everything: every kind of tool, prompt, resource and task, in both eras
//! of the protocol. It is what the official conformance suite and the gateway's own tests talk to.
//! It listens on loopback only and never asks who is calling.
//!
//! ```text
//! cargo run -p gatewright-examples --bin everything -- 3000
//! listening on http://127.0.0.1:3000/mcp
//! ```
//!
//! The port is the first argument, or `PORT`, or 3000; port 0 takes a free one. The suite itself is run
//! by `gateway/tests/conformance/run.mjs`.

#[path = "everything/mod.rs"]
mod fixture;

use std::io::{Error, ErrorKind, Result, Write};
use std::net::Ipv4Addr;

use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, chosen_port()?)).await?;
    let address = listener.local_addr()?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "listening on http://{address}/mcp")?;
    stdout.flush()?;
    fixture::serve(listener).await
}

#[expect(
    clippy::disallowed_methods,
    reason = "a fixture is told its port as other servers are"
)]
fn chosen_port() -> Result<u16> {
    let Some(text) = std::env::args()
        .nth(1)
        .or_else(|| std::env::var("PORT").ok())
    else {
        return Ok(DEFAULT_PORT);
    };
    text.parse()
        .map_err(|_| Error::new(ErrorKind::InvalidInput, format!("`{text}` is not a port")))
}

const DEFAULT_PORT: u16 = 3000;

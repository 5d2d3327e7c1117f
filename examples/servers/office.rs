//! Two small MCP servers with data of their own, for examples of policies: a `warehouse` with orders and a `crm` with customers. They
//! listen on loopback only and never ask who is calling: that is the gateway's part.
//!
//! ```text
//! cargo run -p gatewright-examples --bin office -- warehouse 3000
//! listening on http://127.0.0.1:3000/mcp
//! ```
//!
//! Port 0 takes a free one.

#[path = "office/mod.rs"]
mod office;

use std::io::{Error, ErrorKind, Result, Write};
use std::net::Ipv4Addr;

use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let usage = || Error::new(ErrorKind::InvalidInput, "usage: office warehouse|crm PORT");
    let desk = arguments.next().and_then(|name| office::Desk::named(&name));
    let port = arguments.next().and_then(|port| port.parse::<u16>().ok());
    let (Some(desk), Some(port)) = (desk, port) else {
        return Err(usage());
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let address = listener.local_addr()?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "listening on http://{address}/mcp")?;
    stdout.flush()?;
    office::serve(listener, desk).await
}

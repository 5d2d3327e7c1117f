//! The MCP server behind every contender: one thread, answers spelled out beforehand. Listens on loopback only,
//! prints its address as its first line, and never does any work that a proxy could hide behind.

use std::error::Error;
use std::io::{self, Write as _};
use std::sync::Arc;

use bytes::{Buf as _, BytesMut};
use gatewright_benches::content::Answers;
use gatewright_benches::http1::first_message;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    runtime.block_on(listen())
}

async fn listen() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    writeln!(io::stdout().lock(), "{}", listener.local_addr()?)?;
    let answers = Arc::new(Answers::default());
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let answers = Arc::clone(&answers);
        // A connection that breaks shows at its other end.
        tokio::spawn(async move { serve(stream, &answers).await.ok() });
    }
}

async fn serve(mut stream: TcpStream, answers: &Answers) -> io::Result<()> {
    let mut input = BytesMut::new();
    let mut output = Vec::new();
    loop {
        input.reserve(READ);
        if stream.read_buf(&mut input).await? == 0 {
            return Ok(());
        }
        while let Some(message) = first_message(&input).map_err(io::Error::other)? {
            answers.write(message.start, &message.body, &mut output);
            let length = message.length;
            input.advance(length);
        }
        if !output.is_empty() {
            stream.write_all(&output).await?;
            output.clear();
        }
    }
}

const READ: usize = 64 * 1024;

//! A connection to an upstream that ends when the stream on it has to, even in silence. Never shared and never used again: pingora
//! knows it by no number of its own.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use pingora::connectors::l4::Connect;
use pingora::protocols::l4::socket::SocketAddr;
use pingora::protocols::l4::stream::Stream;
use pingora::protocols::l4::virt::{VirtualSockOpt, VirtualSocket, VirtualSocketStream};
use pingora::{Error, ErrorType};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::live::{Ending, Until};

/// Connects so that reading fails once the end has come.
#[derive(Debug)]
pub(crate) struct Tether {
    /// When reading ends.
    pub(crate) until: Until,
    /// How long connecting may take.
    pub(crate) connect_timeout: Duration,
}

#[async_trait]
impl Connect for Tether {
    async fn connect(&self, address: &SocketAddr) -> pingora::Result<Stream> {
        let Some(address) = address.as_inet() else {
            return Error::e_explain(ErrorType::ConnectError, "not an address of a network");
        };
        let connecting = TcpStream::connect(address);
        let socket = tokio::time::timeout(self.connect_timeout, connecting)
            .await
            .map_err(|late| Error::because(ErrorType::ConnectTimedout, "connecting", late))?
            .map_err(|cause| Error::because(ErrorType::ConnectError, "connecting", cause))?;
        let tethered = TetheredSocket {
            socket,
            end: Ending::of(self.until.clone()),
        };
        Ok(VirtualSocketStream::new(Box::new(tethered)).into())
    }
}

#[derive(Debug)]
struct TetheredSocket {
    socket: TcpStream,
    end: Ending,
}

impl AsyncRead for TetheredSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.end.poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

impl AsyncWrite for TetheredSocket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}

impl VirtualSocket for TetheredSocket {
    fn set_socket_option(&self, option: VirtualSockOpt) -> io::Result<()> {
        if matches!(option, VirtualSockOpt::NoDelay) {
            self.socket.set_nodelay(true)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use pingora::connectors::l4::Connect;
    use pingora::protocols::l4::socket::SocketAddr;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::Tether;
    use crate::live::Until;

    fn at(at: Instant) -> Until {
        Until { at, reign: None }
    }

    async fn silent() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = SocketAddr::Inet(listener.local_addr().unwrap());
        (listener, address)
    }

    #[tokio::test]
    async fn x11_a_tethered_connection_carries_bytes_until_its_end_and_then_fails() {
        let (listener, address) = silent().await;
        let tether = Tether {
            until: at(Instant::now() + Duration::from_millis(300)),
            connect_timeout: Duration::from_secs(5),
        };
        let mut stream = tether.connect(&address).await.unwrap();
        let (mut peer, _) = listener.accept().await.unwrap();
        let mut bytes = [0; 4];

        peer.write_all(b"ping").await.unwrap();
        stream.read_exact(&mut bytes).await.unwrap();
        assert_eq!(&bytes, b"ping");
        let ended = stream.read(&mut bytes).await.unwrap_err();

        assert_eq!(ended.kind(), std::io::ErrorKind::TimedOut);
        assert!(Instant::now() >= tether.until.at, "it ended early");
    }

    #[tokio::test]
    async fn x11_what_comes_after_the_end_is_not_read() {
        let (listener, address) = silent().await;
        let tether = Tether {
            until: at(Instant::now().checked_sub(Duration::from_secs(1)).unwrap()),
            connect_timeout: Duration::from_secs(5),
        };
        let mut stream = tether.connect(&address).await.unwrap();
        let (mut peer, _) = listener.accept().await.unwrap();
        peer.write_all(b"late").await.unwrap();

        assert!(stream.read(&mut [0; 4]).await.is_err());
    }

    #[tokio::test]
    async fn a_tethered_connection_that_is_refused_is_an_error() {
        let (listener, address) = silent().await;
        drop(listener);
        let tether = Tether {
            until: at(Instant::now() + Duration::from_secs(60)),
            connect_timeout: Duration::from_secs(5),
        };

        assert!(tether.connect(&address).await.is_err());
    }
}

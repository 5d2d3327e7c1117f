//! The stream between a client's socket and pingora. Hides that the client went away while a request
//! that must not be cancelled is under way, and ends a request whose time is over and a write that nobody reads; never
//! changes a byte that passes.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::task::AtomicWaker;
use pingora::protocols::raw_connect::ProxyDigest;
use pingora::protocols::tls::{SslDigest, TlsRef};
use pingora::protocols::{
    ALPN, GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl,
    Stream, TimingDigest, UniqueID, UniqueIDType,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufWriter, ReadBuf};
use tokio::time::Sleep;

use crate::config::Limits;
use crate::live::{Ending, Until};
use crate::proxy::vigil::Vigil;

/// What the requests of one connection say to the stream beneath them, and it to them.
#[derive(Debug)]
pub struct Connection {
    holds: AtomicUsize,
    released: AtomicWaker,
    ends: Mutex<Option<Ending>>,
    vigil: Mutex<Vigil>,
}

impl Connection {
    /// One that was just accepted.
    pub fn new(limits: &Limits) -> Self {
        Self {
            holds: AtomicUsize::default(),
            released: AtomicWaker::new(),
            ends: Mutex::default(),
            vigil: Mutex::new(Vigil::new(limits, Instant::now())),
        }
    }

    /// Looks at, or changes, what is waited for.
    pub(crate) fn vigil<T>(&self, look: impl FnOnce(&mut Vigil) -> T) -> T {
        look(&mut self.vigil.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Until the returned value is dropped, a client that goes away is not noticed.
    pub fn hold(self: &Arc<Self>) -> Hold {
        self.holds.fetch_add(1, Ordering::AcqRel);
        Hold(Arc::clone(self))
    }

    /// Until the returned value is dropped, reading from the client fails once the request is over: it is what
    /// pingora waits for while an upstream is silent.
    pub fn end_at(self: &Arc<Self>, until: Until) -> Term {
        self.set_end(Some(Ending::of(until)));
        Term(Arc::clone(self))
    }

    fn is_held(&self) -> bool {
        self.holds.load(Ordering::Acquire) > 0
    }

    /// Ready once the request under way is over.
    fn poll_end(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends.as_mut()
            .map_or(Poll::Pending, |ending| ending.poll(context))
    }

    fn set_end(&self, ends: Option<Ending>) {
        *self.ends.lock().unwrap_or_else(PoisonError::into_inner) = ends;
    }
}

/// Keeps a connection's request under way although its client may be gone: before 2026-07-28 a
/// disconnect is not a cancellation (MCP 2025-11-25, basic/transports).
#[derive(Debug)]
pub struct Hold(Arc<Connection>);

impl Drop for Hold {
    fn drop(&mut self) {
        if self.0.holds.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.released.wake();
        }
    }
}

/// Keeps the end of a connection's request until the request is over.
#[derive(Debug)]
pub struct Term(Arc<Connection>);

impl Drop for Term {
    fn drop(&mut self) {
        self.0.set_end(None);
    }
}

/// How long a client whose connection is closed may go on to send before it reads its answer.
const LINGER: Duration = Duration::from_millis(300);
/// Bytes of an answer that may wait for its end, or for a flush.
const WRITE_BUFFER: usize = 4096;

/// A client's stream with its [`Connection`].
pub struct GuardStream {
    /// Buffered, as pingora's own listener does it: the head and the body of an answer leave together.
    inner: BufWriter<Stream>,
    connection: Arc<Connection>,
    peer: Peer,
    /// How long the client may read nothing of what it is sent.
    patience: Duration,
    /// Rings at the end of it, while something waits to be read.
    stall: Option<Pin<Box<Sleep>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Peer {
    Present,
    Gone,
}

impl GuardStream {
    /// Guards `inner`; a write of which the client reads nothing fails after `patience`.
    pub fn new(inner: Stream, connection: Arc<Connection>, patience: Duration) -> Self {
        if matches!(inner.selected_alpn_proto(), Some(ALPN::H2)) {
            connection.vigil(Vigil::speaks_http2);
        }
        Self {
            inner: BufWriter::with_capacity(WRITE_BUFFER, inner),
            connection,
            peer: Peer::Present,
            patience,
            stall: None,
        }
    }

    /// Pending while held, then the end of the stream.
    fn poll_gone(&mut self, context: &Context<'_>) -> Poll<io::Result<()>> {
        self.peer = Peer::Gone;
        self.connection.released.register(context.waker());
        if self.connection.is_held() {
            Poll::Pending
        } else {
            Poll::Ready(Ok(()))
        }
    }

    /// A write that nobody reads is one to a client that went away.
    fn poll_stall<T>(
        &mut self,
        context: &mut Context<'_>,
        result: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.stall = None;
            return result;
        }
        let patience = self.patience;
        let stall = self
            .stall
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        match stall.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }

    /// What a write to a client that went away answers.
    fn settle(
        &mut self,
        context: &mut Context<'_>,
        result: Poll<io::Result<usize>>,
        length: usize,
    ) -> Poll<io::Result<usize>> {
        match self.poll_stall(context, result) {
            Poll::Ready(Err(_)) if self.connection.is_held() => {
                self.peer = Peer::Gone;
                Poll::Ready(Ok(length))
            }
            other @ (Poll::Ready(_) | Poll::Pending) => other,
        }
    }

    fn is_discarding(&self) -> bool {
        self.peer == Peer::Gone && self.connection.is_held()
    }
}

impl fmt::Debug for GuardStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.get_ref().fmt(f)
    }
}

impl AsyncRead for GuardStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.connection.poll_end(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        if this.peer == Peer::Gone {
            return this.poll_gone(context);
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.inner).poll_read(context, buffer);
        if let Poll::Ready(Ok(())) = read {
            let heard = buffer.filled().get(before..).unwrap_or_default();
            let is_flood = this.connection.vigil(|vigil| {
                vigil.heard(heard);
                vigil.is_flood()
            });
            if is_flood {
                // To who is above it is a client that went away: a call that must not be cancelled goes on.
                buffer.set_filled(before);
                return this.poll_gone(context);
            }
        }
        match read {
            Poll::Ready(Ok(())) if buffer.filled().len() == before && buffer.remaining() > 0 => {
                this.poll_gone(context)
            }
            Poll::Ready(Err(_)) if this.connection.is_held() => this.poll_gone(context),
            other @ (Poll::Ready(_) | Poll::Pending) => other,
        }
    }
}

impl AsyncWrite for GuardStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_discarding() {
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.settle(context, written, bytes.len())
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_discarding() {
            return Poll::Ready(Ok(()));
        }
        let flushed = Pin::new(&mut self.inner).poll_flush(context).map_ok(|()| 0);
        self.settle(context, flushed, 0).map_ok(|_| ())
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = buffers.iter().map(|buffer| buffer.len()).sum();
        if self.is_discarding() {
            return Poll::Ready(Ok(length));
        }
        let written = Pin::new(&mut self.inner).poll_write_vectored(context, buffers);
        self.settle(context, written, length)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

/// The first bytes of an HTTP/2 connection in plain text, as far as they tell it from HTTP/1.
const HTTP2_START: &[u8; 4] = b"PRI ";
/// All of them (RFC 9113 section 3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[async_trait]
impl Peek for GuardStream {
    /// pingora waits for the whole HTTP/2 preface, which a short HTTP/1 request never sends: four bytes tell the two
    /// apart. The vigil ends the wait.
    async fn try_peek(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        if self.peer == Peer::Gone {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut start = [0; HTTP2_START.len()];
        let inner = self.inner.get_mut();
        if !inner.try_peek(&mut start).await? {
            return Ok(false);
        }
        if &start != HTTP2_START {
            buffer.fill(0);
            return Ok(true);
        }
        let peeked = inner.try_peek(buffer).await?;
        if buffer == HTTP2_PREFACE {
            self.connection.vigil(Vigil::speaks_http2);
        }
        Ok(peeked)
    }
}

#[async_trait]
impl Shutdown for GuardStream {
    async fn shutdown(&mut self) {
        if self.peer == Peer::Gone {
            return;
        }
        let inner = &mut self.inner;
        let closing = async {
            // What cannot be sent any more is lost with the connection.
            let _ = inner.flush().await;
            Shutdown::shutdown(&mut **inner.get_mut()).await;
        };
        if tokio::time::timeout(self.patience, closing).await.is_err() {
            return;
        }
        // RFC 9112 section 9.6: closed while the client still sends, the connection is reset and the answer lost.
        let mut unread = [0; WRITE_BUFFER];
        let inner = self.inner.get_mut();
        let reading =
            async { while inner.read(&mut unread).await.is_ok_and(|length| length > 0) {} };
        let _ = tokio::time::timeout(LINGER, reading).await;
    }
}

impl UniqueID for GuardStream {
    fn id(&self) -> UniqueIDType {
        self.inner.get_ref().id()
    }
}

impl Ssl for GuardStream {
    fn get_ssl(&self) -> Option<&TlsRef> {
        self.inner.get_ref().get_ssl()
    }

    fn get_ssl_digest(&self) -> Option<Arc<SslDigest>> {
        self.inner.get_ref().get_ssl_digest()
    }

    fn selected_alpn_proto(&self) -> Option<ALPN> {
        self.inner.get_ref().selected_alpn_proto()
    }
}

impl GetTimingDigest for GuardStream {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        self.inner.get_ref().get_timing_digest()
    }
}

impl GetProxyDigest for GuardStream {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        self.inner.get_ref().get_proxy_digest()
    }
}

impl GetSocketDigest for GuardStream {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        self.inner.get_ref().get_socket_digest()
    }

    fn set_socket_digest(&mut self, digest: SocketDigest) {
        self.inner.get_mut().set_socket_digest(digest);
    }
}

//! A listener whose connections can be counted, and reset from within a handler.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// How many connections that carried a call of the model there were and are.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) opened: AtomicUsize,
    pub(crate) closed: AtomicUsize,
}

/// A handler's hold on the connection its request came by.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConnHandle {
    state: Arc<ConnState>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct ConnState {
    carried_call: AtomicBool,
    cut: AtomicBool,
    waker: AtomicWaker,
}

impl ConnHandle {
    /// Says that a call came by this connection.
    pub(crate) fn carries_call(&self) {
        if !self.state.carried_call.swap(true, Ordering::SeqCst) {
            self.counts.opened.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Makes the peer see the connection reset.
    pub(crate) fn cut(&self) {
        self.state.cut.store(true, Ordering::Release);
        self.state.waker.wake();
    }
}

pub(crate) struct CountingListener {
    inner: TcpListener,
    counts: Arc<Counts>,
}

impl CountingListener {
    pub(crate) fn new(inner: TcpListener, counts: Arc<Counts>) -> Self {
        Self { inner, counts }
    }
}

impl Listener for CountingListener {
    type Io = Conn;
    type Addr = ConnHandle;

    async fn accept(&mut self) -> (Conn, ConnHandle) {
        let (stream, _): (TcpStream, SocketAddr) = Listener::accept(&mut self.inner).await;
        // Chunks are small and meant to arrive as they are sent. Without it they only come late.
        let _ = stream.set_nodelay(true);
        let handle = ConnHandle { state: Arc::default(), counts: self.counts.clone() };
        (Conn { stream, handle: handle.clone() }, handle)
    }

    fn local_addr(&self) -> io::Result<ConnHandle> {
        Ok(ConnHandle::default())
    }
}

impl Connected<IncomingStream<'_, CountingListener>> for ConnHandle {
    fn connect_info(stream: IncomingStream<'_, CountingListener>) -> Self {
        stream.remote_addr().clone()
    }
}

pub(crate) struct Conn {
    stream: TcpStream,
    handle: ConnHandle,
}

impl Conn {
    fn fail_if_cut(&self) -> io::Result<()> {
        if self.handle.state.cut.load(Ordering::Acquire) {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        if self.handle.state.cut.load(Ordering::Acquire) {
            // Closing with zero linger sends a reset; failing that, the peer sees a close.
            let _ = self.stream.set_zero_linger();
        }
        if self.handle.state.carried_call.load(Ordering::SeqCst) {
            self.handle.counts.closed.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl AsyncRead for Conn {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.handle.state.waker.register(cx.waker());
        self.fail_if_cut()?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Conn {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.fail_if_cut()?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.fail_if_cut()?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

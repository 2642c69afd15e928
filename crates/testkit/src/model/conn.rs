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

/// How many connections there were and are.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) opened: AtomicUsize,
    pub(crate) closed: AtomicUsize,
}

/// A handler's hold on the connection its request came by.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConnHandle(Arc<ConnState>);

#[derive(Debug, Default)]
struct ConnState {
    cut: AtomicBool,
    waker: AtomicWaker,
}

impl ConnHandle {
    /// Makes the peer see the connection reset.
    pub(crate) fn cut(&self) {
        self.0.cut.store(true, Ordering::Release);
        self.0.waker.wake();
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
        self.counts.opened.fetch_add(1, Ordering::SeqCst);
        let handle = ConnHandle::default();
        (Conn { stream, handle: handle.clone(), counts: self.counts.clone() }, handle)
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
    counts: Arc<Counts>,
}

impl Conn {
    fn fail_if_cut(&self) -> io::Result<()> {
        if self.handle.0.cut.load(Ordering::Acquire) {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        if self.handle.0.cut.load(Ordering::Acquire) {
            // Closing with zero linger sends a reset; failing that, the peer sees a close.
            let _ = self.stream.set_zero_linger();
        }
        self.counts.closed.fetch_add(1, Ordering::SeqCst);
    }
}

impl AsyncRead for Conn {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.handle.0.waker.register(cx.waker());
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

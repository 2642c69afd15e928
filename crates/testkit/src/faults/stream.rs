//! An event stream, passed on until it is told to break.

use std::io;

use axum::body::{Body, Bytes};
use futures_util::{StreamExt as _, stream};
use tokio::sync::{mpsc, watch};

use super::BEFORE_CUT;

/// What all streams are told.
#[derive(Debug, Clone, Default)]
pub(super) struct Order {
    /// Counts the cuts; one more cuts those that are open.
    pub(super) cuts: u64,
    /// Counts the limits that were set for those that are open.
    pub(super) limits: u64,
    /// After how many bytes they are cut.
    pub(super) limit: u64,
    /// Nothing is let through.
    pub(super) stalled: bool,
    /// Counts what was put in; one more puts it into those that are open.
    pub(super) insertions: u64,
    /// The frames that are put in.
    pub(super) inserted: String,
}

/// Chunks that are on their way; then Kilo waits, as it would for a slow client.
const QUEUE: usize = 64;

/// Passes an answer on; it breaks after `limit` bytes, if there is a limit.
pub(super) fn pass(
    answer: reqwest::Response,
    orders: watch::Receiver<Order>,
    limit: Option<u64>,
) -> Body {
    let (chunks, passed) = mpsc::channel(QUEUE);
    tokio::spawn(pump(answer, orders, limit, chunks));
    Body::from_stream(stream::unfold(passed, |mut passed| async move {
        passed.recv().await.map(|chunk| (chunk, passed))
    }))
}

async fn pump(
    answer: reqwest::Response,
    mut orders: watch::Receiver<Order>,
    mut limit: Option<u64>,
    chunks: mpsc::Sender<io::Result<Bytes>>,
) {
    let mut source = answer.bytes_stream();
    let begun = orders.borrow_and_update().clone();
    let mut limits = begun.limits;
    let mut insertions = begun.insertions;
    // Whether what was passed on ends with a whole frame.
    let mut between = true;
    loop {
        let order = orders.borrow_and_update().clone();
        if order.cuts != begun.cuts {
            break;
        }
        if order.limits != limits {
            limits = order.limits;
            limit = Some(order.limit);
        }
        if order.insertions != insertions && between {
            insertions = order.insertions;
            if chunks.send(Ok(order.inserted.into())).await.is_err() {
                return;
            }
            continue;
        }
        let chunk = tokio::select! {
            changed = orders.changed() => match changed {
                Ok(()) => continue,
                // The proxy is gone.
                Err(_) => return,
            },
            () = chunks.closed() => return,
            chunk = source.next(), if !order.stalled => chunk,
        };
        let Some(Ok(mut chunk)) = chunk else {
            // It ends as Kilo's own did.
            if chunk.is_some() {
                break;
            }
            return;
        };
        if let Some(left) = &mut limit {
            let whole = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
            let keep = usize::try_from((*left).min(whole)).unwrap_or(chunk.len());
            chunk.truncate(keep);
            *left = left.saturating_sub(whole);
        }
        between = chunk.ends_with(b"\n\n");
        if !chunk.is_empty() && chunks.send(Ok(chunk)).await.is_err() {
            return;
        }
        if limit == Some(0) {
            break;
        }
    }
    // What was passed on leaves first: it would be thrown away with the connection.
    tokio::time::sleep(BEFORE_CUT).await;
    let _ = chunks.send(Err(io::ErrorKind::ConnectionReset.into())).await;
}

//! An answer under way: what a step does, as its protocol writes it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde_json::{Value, json};

use super::conn::ConnHandle;
use super::emit::{Op, Ops};
use super::log::{OpenCall, Outcome};
use super::protocol::{Protocol, Usage, Writer};
use super::server::{Shared, refuse};

/// One answer under way. Dropping it, which is what a client's going away does, closes its call.
pub(crate) struct Run {
    pub(crate) ops: Ops,
    pub(crate) call: OpenCall,
    pub(crate) conn: ConnHandle,
    pub(crate) shared: Arc<Shared>,
    pub(crate) protocol: Protocol,
    pub(crate) writer: Box<dyn Writer>,
    pub(crate) usage: Usage,
    pub(crate) opened: bool,
}

/// What the next output is.
enum Output {
    Open,
    Text(String),
    Reasoning(String),
    Tool { index: usize, name: String, arguments: String },
    Error(Value),
    Finish(String),
    End,
}

/// Lets what was written before a reset leave first: it would be thrown away with the connection.
const BEFORE_CUT: Duration = Duration::from_millis(20);

impl Run {
    /// Returns what comes next, once pauses and gates are behind it.
    async fn next(&mut self) -> Output {
        loop {
            match self.ops.next() {
                Some(Op::Open) => return Output::Open,
                Some(Op::Text(piece)) => return Output::Text(piece),
                Some(Op::Reasoning(piece)) => return Output::Reasoning(piece),
                Some(Op::Tool { index, name, arguments }) => {
                    return Output::Tool { index, name, arguments };
                }
                Some(Op::Error(error)) => return Output::Error(error),
                Some(Op::Finish(reason)) => return Output::Finish(reason),
                Some(Op::End) | None => return Output::End,
                Some(Op::Sleep(time)) => tokio::time::sleep(time).await,
                Some(Op::Wait(gate)) => self.wait(gate).await,
                Some(Op::Hang) => std::future::pending::<()>().await,
                Some(Op::Cut) => {
                    tokio::time::sleep(BEFORE_CUT).await;
                    self.call.set(Outcome::Cut);
                    self.conn.cut();
                    std::future::pending::<()>().await;
                }
            }
        }
    }

    async fn wait(&mut self, gate: String) {
        let mut released = self.shared.released.subscribe();
        self.shared.reached.send_modify(|gates| {
            gates.insert(gate.clone());
        });
        let _ = released.wait_for(|gates| gates.contains(&gate)).await;
    }

    /// Answers as server-sent events. Headers go with the first output.
    pub(crate) async fn streamed(mut self) -> Response {
        let first = self.next().await;
        let first = self.frame(first);
        let rest = stream::unfold(Some((self, Some(first))), |state| async move {
            let (mut run, held) = state?;
            let (frame, last) = match held {
                Some(held) => held,
                None => {
                    let output = run.next().await;
                    run.frame(output)
                }
            };
            let frame = Ok::<_, Infallible>(frame);
            if last {
                run.call.set(Outcome::Completed);
                return Some((frame, None));
            }
            Some((frame, Some((run, None))))
        });
        ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(rest)).into_response()
    }

    /// Writes an output as events, and tells whether it is the last.
    fn frame(&mut self, output: Output) -> (String, bool) {
        let mut text = String::new();
        if !matches!(output, Output::End) && !std::mem::replace(&mut self.opened, true) {
            text += &self.writer.begin(&self.usage);
        }
        let last = matches!(output, Output::End | Output::Finish(_));
        text += &match output {
            Output::Open | Output::End => String::new(),
            Output::Text(piece) => self.writer.text(&piece),
            Output::Reasoning(piece) => self.writer.reasoning(&piece),
            Output::Tool { index, name, arguments } => self.writer.tool(index, &name, &arguments),
            Output::Error(error) => self.writer.error(&error),
            Output::Finish(reason) => self.writer.finish(&reason, &self.usage),
        };
        (text, last)
    }

    /// Answers with one body.
    pub(crate) async fn whole(mut self) -> Response {
        loop {
            let output = self.next().await;
            if let Output::Error(error) = output {
                let body = json!({ "error": error });
                return refuse(self.call, self.protocol, 500, &body, &BTreeMap::new());
            }
            if self.frame(output).1 {
                break;
            }
        }
        self.call.set(Outcome::Completed);
        Json(self.writer.whole()).into_response()
    }
}

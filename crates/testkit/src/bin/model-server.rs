//! Runs the scripted model server by itself: `model-server [--port N]`.

use anyhow::{Context as _, Result, bail};
use testkit::model::ModelServer;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let port = match (arguments.next().as_deref(), arguments.next(), arguments.next()) {
        (None, ..) => 0,
        (Some("--port"), Some(port), None) => port.parse().context("--port takes a number")?,
        _ => bail!("usage: model-server [--port N]"),
    };
    let server = ModelServer::start_on(port)
        .await
        .with_context(|| format!("cannot listen on 127.0.0.1:{port}"))?;
    println!("model server listening on {}", server.url());
    server.serve().await.context("the model server stopped")
}

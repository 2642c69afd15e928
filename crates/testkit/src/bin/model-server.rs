//! Runs the scripted model server by itself: `model-server [--port N]`.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use testkit::arguments;
use testkit::model::ModelServer;

const USAGE: &str = "model-server [--port N]";

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let given = match arguments::read(USAGE, &["port"], std::env::args().skip(1)) {
        Ok(given) => given,
        Err(code) => return Ok(code),
    };
    let Ok(port) = given.get("port").map_or(Ok(0), |port| port.parse()) else {
        return Ok(arguments::refuse(USAGE, "--port takes a number"));
    };
    let server = ModelServer::start_on(port)
        .await
        .with_context(|| format!("cannot listen on 127.0.0.1:{port}"))?;
    println!("model server listening on {}", server.url());
    server.serve().await.context("the model server stopped")?;
    Ok(ExitCode::SUCCESS)
}

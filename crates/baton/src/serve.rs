//! `baton serve`.

use std::io::{ErrorKind, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use process::{Host, Spec};
use server::RecentLog;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use crate::cli::Serve;
use crate::client::Client;
use crate::compose::{Baton, compose};
use crate::data::{DataDir, Lock, Locking, ServerFile, Temporary};
use crate::signals::Signals;

/// How long opening a browser may take before it is given up on.
const OPENING: Duration = Duration::from_secs(20);
/// How long a browser has to read the page that leads it here, once it was told to open it.
const REDIRECTING: Duration = Duration::from_secs(60);
/// How often memory that is free is given back to the system.
const GIVING_BACK: Duration = Duration::from_secs(60);

/// Serves until a signal comes. A second one ends at once.
pub(crate) async fn serve(options: Serve, recent: RecentLog) -> Result<ExitCode> {
    let mut signals = Signals::new().context("signals cannot be received")?;
    let data = DataDir::open(&options.data)?;
    let _lock = lock(&data).await?;
    let listener = listen(&options.host, options.port).await?;
    let bound = listener.local_addr().context("the listener has no address")?;
    let mut names = options.allow_host.clone();
    names.push(options.host.clone());
    let baton = compose(&data, &listener, names, options.native_log, recent).await?;
    let announced = data.announce(&ServerFile {
        pid: std::process::id(),
        url: baton.url.clone(),
        token: baton.token.reveal().to_owned(),
    })?;
    let (end, ended) = oneshot::channel::<()>();
    let serving = tokio::spawn(server::run(listener, baton.app.clone(), async {
        let _ = ended.await;
    }));
    let giving_back = tokio::spawn(give_back_memory());
    let opening = greet(&options, &baton, &data, bound)?;
    signals.next().await;
    giving_back.abort();
    tracing::info!("ending; once more to end at once");
    let _ = end.send(());
    if let Some(opening) = opening {
        // The page that leads to this server goes with it.
        opening.abort();
    }
    let graceful = async {
        // Sockets are closed while threads end, so that pages say so at once.
        let (served, ()) = tokio::join!(serving, baton.engine.shutdown());
        served
    };
    let code = tokio::select! {
        served = graceful => {
            served.context("the server broke")?;
            ExitCode::SUCCESS
        }
        () = signals.next() => ExitCode::from(130),
    };
    drop(announced);
    Ok(code)
}

async fn give_back_memory() {
    loop {
        tokio::time::sleep(GIVING_BACK).await;
        let _ = tokio::task::spawn_blocking(process::give_back_memory).await;
    }
}

/// Takes the data directory, or says who has it.
async fn lock(data: &DataDir) -> Result<Lock> {
    let owner = match data.lock("serve")? {
        Locking::Ours(lock) => return Ok(lock),
        Locking::Theirs(owner) => owner,
    };
    let directory = data.path().display();
    if let Some(server) = data.announced()
        && Client::new(&server)?.is_healthy().await
    {
        bail!(
            "a Baton is running on {directory} already: {} (pid {}). Open it there, or start this \
             one with another --data-dir",
            server.url,
            server.pid
        );
    }
    bail!(
        "the data directory {directory} is in use by another Baton ({}). Wait for its end, or \
         start this one with another --data-dir",
        describe(&owner)
    )
}

/// Says who holds a lock.
pub(crate) fn describe(owner: &str) -> String {
    match owner.trim().split_once(' ') {
        Some((pid, role)) => format!("`baton {role}`, pid {pid}"),
        None => "it is just starting".to_owned(),
    }
}

/// Listens, or says why that cannot be.
pub(crate) async fn listen(host: &str, port: u16) -> Result<TcpListener> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let error = match TcpListener::bind((host, port)).await {
        Ok(listener) => return Ok(listener),
        Err(error) => error,
    };
    Err(match error.kind() {
        ErrorKind::AddrInUse => anyhow!(
            "port {port} of {host} is in use by another program; choose another with --port, or \
             take any free one with --port 0"
        ),
        ErrorKind::PermissionDenied => anyhow!(
            "port {port} of {host} may not be used by this user; choose one above 1023 with --port"
        ),
        ErrorKind::AddrNotAvailable => {
            anyhow!("{host} is no address of this machine; choose one that is with --host")
        }
        _ => anyhow!("cannot listen on port {port} of {host}: {error}"),
    })
}

/// Says where the server is, and opens the browser; gives the task that does.
fn greet(
    options: &Serve,
    baton: &Baton,
    data: &DataDir,
    bound: SocketAddr,
) -> Result<Option<AbortHandle>> {
    let code = baton.app.pairing_code().map_err(|e| anyhow!("no pairing code can be made: {e}"))?;
    let link = baton.app.pairing_link(&code);
    let mut out = std::io::stdout().lock();
    let printed = writeln!(out, "baton listening on http://{bound}")
        .and_then(|()| writeln!(out, "open {link} to pair a browser (once, within 15 minutes)"));
    if !bound.ip().is_loopback() {
        let address = server::reachable(bound.ip()).first().copied().unwrap_or(bound.ip());
        let address = SocketAddr::new(address, bound.port());
        eprintln!(
            "warning: other machines can reach this server, and what it sends is not encrypted. \
             Use it in networks you trust, or put a proxy with TLS in front.\n\
             From another device: http://{address}/#pair={}",
            code.as_str()
        );
    }
    // A closed standard output is no reason not to serve.
    drop(printed.and_then(|()| out.flush()));
    drop(out);
    if options.no_open {
        return Ok(None);
    }
    Ok(opener().and_then(|opener| match data.redirect(&link) {
        Ok(page) => Some(open_browser(baton.host.clone(), opener, page)),
        Err(error) => {
            tracing::info!(%error, "the browser could not be opened");
            None
        }
    }))
}

/// What opens a browser, when there is a screen and a program that does.
fn opener() -> Option<Spec> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let program = if cfg!(target_os = "macos") {
        "open"
    } else if set("DISPLAY") || set("WAYLAND_DISPLAY") {
        "xdg-open"
    } else {
        return None;
    };
    let program = process::which(program, &path)?;
    // A session of its own, since some openers become the browser and must outlive us.
    Some(match process::which("setsid", &path) {
        Some(setsid) => Spec::new(setsid).arg("-f").arg(program),
        None => Spec::new(program),
    })
}

/// Opens a page in the browser, and takes the page away when it has been read or this is aborted.
fn open_browser(host: Host, opener: Spec, page: Temporary) -> AbortHandle {
    let opening = tokio::spawn(async move {
        if let Err(error) = host.run(opener.arg(page.path()), OPENING, 4096).await {
            tracing::info!(%error, "the browser could not be opened");
        }
        tokio::time::sleep(REDIRECTING).await;
    });
    opening.abort_handle()
}

use std::io;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::child::{self, AtExit, Child};
use crate::error::Error;
use crate::ledger::{Ledger, Record};
use crate::spawner;
use crate::spec::Spec;

/// What all children of one program have in common.
#[derive(Debug, Clone, Default)]
pub struct HostConfig {
    /// Environment variables no child may inherit: exact names, or prefixes written `NAME_*`. A
    /// child gets such a variable only if its own [`Spec`] sets it.
    pub withhold: Vec<String>,
    /// Where long-lived children are written down; `None` for none.
    pub ledger: Option<Ledger>,
}

/// Starts children. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Host {
    config: Arc<HostConfig>,
}

impl Host {
    /// A host with this configuration.
    #[must_use]
    pub fn new(config: HostConfig) -> Self {
        Self { config: Arc::new(config) }
    }

    /// Starts a long-lived child: in its own process group, written in the ledger, its pipes
    /// drained, and with everything it started swept away after its end. If the future is dropped
    /// half-way the child is stopped.
    ///
    /// # Errors
    /// If it cannot be started; then nothing runs and nothing is left in the ledger.
    pub async fn spawn(&self, spec: Spec) -> Result<Child, Error> {
        self.start(spec, AtExit::Sweep).await
    }

    pub(crate) async fn start(&self, spec: Spec, at_exit: AtExit) -> Result<Child, Error> {
        let config = Arc::clone(&self.config);
        let runtime = Handle::current();
        let (answer, child) = oneshot::channel();
        let job = move || {
            let _inside = runtime.enter();
            // If nobody waits for it any more, the unsent `Child` is dropped, which stops it.
            let _ = answer.send(start_here(&config, &spec, at_exit));
        };
        if !spawner::submit(Box::new(job)) {
            return Err(Error::NoSpawner);
        }
        child.await.map_err(|_| Error::NoSpawner)?
    }
}

/// Runs on the spawning thread.
fn start_here(config: &HostConfig, spec: &Spec, at_exit: AtExit) -> Result<Child, Error> {
    let ledger = config.ledger.as_ref().filter(|_| at_exit == AtExit::Sweep);
    let mut record = match ledger {
        None => None,
        Some(ledger) => Some(ledger.open(&spec.label).map_err(|e| no_ledger(ledger, e))?),
    };
    let mark = record.as_ref().map(|r| (r.entry.variable.as_str(), r.entry.nonce.as_str()));
    let started = spawner::spawn(spec, &config.withhold, mark).and_then(|raw| {
        let pid = raw.id().ok_or_else(|| io::Error::other("the child has no pid"))?;
        Ok((raw, pid))
    });
    let (raw, pid) = started.map_err(|source| {
        if let Some(record) = &record {
            record.close();
        }
        Error::Spawn { program: spec.program.clone(), source }
    })?;
    if let Some(record) = &mut record {
        complete(record, pid);
    }
    tracing::debug!(pid, label = spec.label, "child started");
    Ok(child::adopt(raw, pid, spec, record, at_exit))
}

/// The entry without the pid still finds the child by its nonce, so this is no reason to fail.
fn complete(record: &mut Record, pid: u32) {
    if let Err(error) = record.started(pid) {
        tracing::warn!(pid, %error, "could not complete a ledger entry");
    }
}

fn no_ledger(ledger: &Ledger, source: io::Error) -> Error {
    Error::Ledger { dir: ledger.dir.clone(), source }
}

//! Real processes, from start to end.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]
#![cfg(target_os = "linux")]

use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use process::{
    Cause, DeathSignal, Host, HostConfig, Ledger, Lines, Outcome, Spec, Status, Stdin, Stdout,
    Stream,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const LONG: Duration = Duration::from_secs(20);

fn sh(script: &str) -> Spec {
    Spec::new("/bin/sh").arg("-c").arg(script)
}

/// Field 3 of `/proc/<pid>/stat` and on.
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(text.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
}

fn alive(pid: u32) -> bool {
    stat(pid).is_some_and(|f| f[0] != "Z" && f[0] != "X")
}

async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONG;
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn next_pid(lines: &mut Lines) -> u32 {
    let line = tokio::time::timeout(LONG, lines.next()).await.unwrap().unwrap();
    line.text.trim().parse().unwrap_or_else(|_| panic!("not a pid: {}", line.text))
}

#[tokio::test]
async fn one_that_ignores_the_polite_signal_is_killed_with_its_helpers_in_other_groups() {
    let script = "trap '' TERM; sleep 600 & echo $!; setsid sleep 600 & echo $!; \
                  while :; do sleep 1; done";
    let mut child = Host::default().spawn(sh(script)).await.unwrap();
    let mut lines = child.take_lines().unwrap();
    let (same_group, other_group) = (next_pid(&mut lines).await, next_pid(&mut lines).await);
    eventually("setsid took effect", || {
        stat(other_group).is_some_and(|f| f[2] == other_group.to_string())
    })
    .await;

    let exit = child.stop("test", Duration::from_millis(100)).await.unwrap();

    assert_eq!(exit.cause, Cause::Stopped { reason: "test".into(), forced: true });
    assert_eq!(exit.status, Status::Signal(9));
    for pid in [child.pid(), same_group, other_group] {
        eventually("all are gone", || !alive(pid)).await;
    }
}

#[test]
fn a_runtime_that_shuts_down_takes_its_children_and_their_helpers_along() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let pids = runtime.block_on(async {
        let script = "sleep 600 & echo $!; setsid sleep 600 & echo $!; wait";
        let mut child = Host::default().spawn(sh(script)).await.unwrap();
        let mut lines = child.take_lines().unwrap();
        let helpers = [next_pid(&mut lines).await, next_pid(&mut lines).await];
        let own_group = || stat(helpers[1]).is_some_and(|f| f[2] == helpers[1].to_string());
        eventually("setsid took effect", own_group).await;
        let pid = child.pid();
        // A handle that is dropped asks for a polite end; this is about not waiting for it.
        std::mem::forget(child);
        [pid, helpers[0], helpers[1]]
    });
    runtime.shutdown_background();
    let judge = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    judge.block_on(eventually("all are gone", || !pids.iter().any(|pid| alive(*pid))));
}

#[tokio::test]
async fn one_that_obeys_is_not_reported_as_forced_and_all_watchers_are_told() {
    let mut child = Host::default()
        .spawn(sh("trap 'exit 3' TERM; echo up; while :; do sleep 0.05; done"))
        .await
        .unwrap();
    child.take_lines().unwrap().next().await.unwrap();
    let (mut a, mut b) = (child.exit(), child.exit());
    assert_eq!(a.get(), None);
    let exit = child.stop("enough", LONG).await.unwrap();
    assert_eq!(exit.cause, Cause::Stopped { reason: "enough".into(), forced: false });
    assert_eq!(exit.status, Status::Code(3));
    assert_eq!(a.wait().await, Some(exit.clone()));
    assert_eq!(b.wait().await, Some(exit.clone()));
    assert_eq!(child.stop("again", LONG).await, Some(exit), "stopping twice is fine");
}

#[tokio::test]
async fn a_second_stop_shortens_the_grace() {
    let mut child = Host::default()
        .spawn(sh("trap '' TERM; echo up; while :; do sleep 1; done"))
        .await
        .unwrap();
    child.take_lines().unwrap().next().await.unwrap();
    child.request_stop("politely", Duration::from_secs(3600));
    let exit = tokio::time::timeout(LONG, child.stop("now", Duration::ZERO)).await.unwrap();
    assert_eq!(exit.unwrap().cause, Cause::Stopped { reason: "politely".into(), forced: true });
}

#[tokio::test]
async fn its_own_exit_is_told_with_the_last_lines_of_stderr() {
    let script = "i=0; while [ $i -lt 80 ]; do echo line $i >&2; i=$((i+1)); done; exit 7";
    let child = Host::default().spawn(sh(script)).await.unwrap();
    let exit = child.wait().await.unwrap();
    assert_eq!((exit.status, exit.cause), (Status::Code(7), Cause::Exited));
    assert_eq!(exit.stderr.len(), 50);
    assert_eq!((&*exit.stderr[0], &*exit.stderr[49]), ("line 30", "line 79"));
    assert_eq!(child.tail(Stream::Stderr), exit.stderr);
}

#[tokio::test]
async fn a_crash_takes_its_group_along() {
    let mut child = Host::default().spawn(sh("sleep 600 & echo $!; kill -9 $$")).await.unwrap();
    let helper = next_pid(&mut child.take_lines().unwrap()).await;
    let exit = child.wait().await.unwrap();
    assert_eq!((exit.status, exit.cause, exit.swept), (Status::Signal(9), Cause::Exited, 1));
    eventually("the helper is gone", || !alive(helper)).await;
}

#[tokio::test]
async fn a_crash_takes_marked_helpers_in_other_groups_along() {
    let dir = tempfile::tempdir().unwrap();
    let host = ledgered(dir.path());
    let script = "setsid sleep 600 & echo $!; read go; kill -9 $$";
    let mut child = host.spawn(sh(script).stdin(Stdin::Piped)).await.unwrap();
    let helper = next_pid(&mut child.take_lines().unwrap()).await;
    eventually("setsid took effect", || stat(helper).is_some_and(|f| f[2] == helper.to_string()))
        .await;
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    child.take_stdin().unwrap().write_all(b"\n").await.unwrap();
    assert_eq!(child.wait().await.unwrap().swept, 1);
    eventually("the helper is gone", || !alive(helper)).await;
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "the entry is closed");
}

#[tokio::test]
async fn a_writer_of_a_hundred_megabytes_never_blocks() {
    let lines = "head -c 50000000 /dev/zero | tr '\\0' 'x'; yes 0123456789 | head -c 50000000 >&2";
    let mut child = Host::default().spawn(sh(lines)).await.unwrap();
    let reader = child.take_lines().unwrap();
    let exit = tokio::time::timeout(LONG * 3, child.wait()).await.unwrap().unwrap();
    assert_eq!(exit.status, Status::Code(0));
    assert!(reader.dropped() > 1_000_000, "an unread queue drops lines");
    assert_eq!(exit.stderr.len(), 50);
    assert!(child.tail(Stream::Stdout)[0].len() <= 16 * 1024, "a line without end is cut");
}

#[tokio::test]
async fn raw_streams_carry_large_messages_both_ways() {
    let spec = Spec::new("cat").stdin(Stdin::Piped).stdout(Stdout::Raw);
    let mut child = Host::default().spawn(spec).await.unwrap();
    let (mut stdin, mut stdout) = (child.take_stdin().unwrap(), child.take_stdout().unwrap());
    let message = vec![b'j'; 5_000_000];
    let sent = message.clone();
    let writer = tokio::spawn(async move { stdin.write_all(&sent).await });
    let mut received = Vec::new();
    stdout.read_to_end(&mut received).await.unwrap();
    writer.await.unwrap().unwrap();
    assert!(received == message);
    assert!(child.wait().await.unwrap().status.success());
}

#[tokio::test]
async fn the_environment_is_inherited_less_what_is_withheld() {
    let host = Host::new(HostConfig { withhold: vec!["PAT*".into(), "HOME".into()], ledger: None });
    let spec = sh("echo ${PATH-none}; echo ${HOME-none}; echo ${ADDED-none}; echo ${PWD}")
        .env("ADDED", "yes")
        .env("HOME", "/given")
        .cwd("/");
    let output = host.run(spec, LONG, 1000).await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    // A shell without PATH may make up its own; what matters is that ours is not there.
    let lines: Vec<&str> = text.lines().collect();
    assert_ne!(lines[0], std::env::var("PATH").unwrap());
    assert_eq!(&lines[1..], ["/given", "yes", "/"]);
}

#[tokio::test]
async fn descriptors_left_open_by_others_are_not_inherited() {
    // SAFETY: duplicates a descriptor; the copy stays open over an exec, unlike those of `std`.
    let leaky = unsafe { nix::libc::fcntl(1, nix::libc::F_DUPFD, 200) };
    assert!(leaky >= 200);
    let output = Host::default().run(sh("ls /proc/self/fd"), LONG, 1000).await.unwrap();
    let listed = String::from_utf8(output.stdout).unwrap();
    assert!(listed.contains('1') && !listed.lines().any(|l| l == leaky.to_string()), "{listed}");
}

#[test]
fn programs_are_looked_up_without_starting_any() {
    let path = std::env::join_paths(["relative", "/nowhere", "/bin"]).unwrap();
    assert_eq!(process::which("sh", &path), Some("/bin/sh".into()));
    assert_eq!(process::which("/bin/sh", "".as_ref()), Some("/bin/sh".into()));
    assert_eq!(process::which("no-such-program", &path), None);
    assert_eq!(process::which("/etc/passwd", &path), None, "not executable");
}

#[tokio::test]
async fn a_dropped_handle_stops_the_child() {
    let child = Host::default().spawn(Spec::new("sleep").arg("600")).await.unwrap();
    let (pid, mut exit) = (child.pid(), child.exit());
    drop(child);
    assert_eq!(exit.wait().await.unwrap().cause, Cause::Dropped { forced: false });
    assert!(!alive(pid));
}

#[tokio::test]
async fn what_cannot_be_started_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let error = ledgered(dir.path()).spawn(Spec::new("/no/such/program")).await.unwrap_err();
    let process::Error::Spawn { source, .. } = error else { panic!("{error}") };
    assert_eq!(source.kind(), std::io::ErrorKind::NotFound);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn runs_are_collected_bounded_and_timed() {
    let host = Host::default();
    let spec = sh("cat; echo warn >&2; exit 4").stdin(Stdin::Bytes(b"input".to_vec()));
    let output = host.run(spec, LONG, 100).await.unwrap();
    assert_eq!((output.status, output.truncated), (Status::Code(4), false));
    assert_eq!((&*output.stdout, &*output.stderr), (&b"input"[..], &b"warn\n"[..]));

    let output = host.run(sh("head -c 1000000 /dev/zero"), LONG, 100).await.unwrap();
    assert_eq!(
        (output.status, output.stdout.len(), output.truncated),
        (Status::Code(0), 100, true)
    );

    let script = "echo $$ >&2; setsid sleep 600 & echo $! >&2; sleep 600";
    let error = host.run(sh(script), Duration::from_millis(300), 100).await.unwrap_err();
    let process::Error::TimedOut { stderr, .. } = error else { panic!("{error}") };
    for pid in String::from_utf8(stderr).unwrap().lines() {
        let pid = pid.parse().unwrap();
        eventually("a run that took too long leaves nothing", || !alive(pid)).await;
    }
}

#[tokio::test]
async fn a_run_may_leave_a_daemon_behind_on_purpose() {
    let output = Host::default().run(sh("setsid sleep 600 & echo $!"), LONG, 100).await.unwrap();
    let pid: u32 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
    assert!(alive(pid));
    kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL).unwrap();
}

#[tokio::test]
async fn usage_counts_the_whole_tree() {
    let mut child =
        Host::default().spawn(sh("sleep 600 & sleep 600 & echo up; wait")).await.unwrap();
    child.take_lines().unwrap().next().await.unwrap();
    eventually("three processes", || child.usage().is_some_and(|u| u.processes == 3)).await;
    assert!(child.usage().unwrap().rss_bytes > 0);
    child.stop("test", Duration::from_secs(2)).await;
    assert_eq!(child.usage(), None);
}

fn ledgered(dir: &Path) -> Host {
    let ledger = Some(Ledger::new(dir, "PROCESS_TEST_NONCE"));
    Host::new(HostConfig { withhold: Vec::new(), ledger })
}

// ---- the death of the parent ----

/// Not a test: run again by the tests below, as the parent that is to die. Its child ignores the
/// polite signal and has a helper in another group, and writes the pids of both.
#[tokio::test]
async fn helper_parent() {
    let Ok(ledger) = std::env::var("PROCESS_TEST_LEDGER") else { return };
    let script =
        "trap '' TERM; setsid sleep 600 & echo $! >&2; echo $$ >&2; while :; do sleep 1; done";
    let signal = if std::env::var_os("PROCESS_TEST_TERM").is_some() {
        DeathSignal::Term
    } else {
        DeathSignal::Kill
    };
    let child = ledgered(Path::new(&ledger)).spawn(sh(script).death_signal(signal)).await.unwrap();
    eventually("two pids", || child.tail(Stream::Stderr).len() == 2).await;
    for pid in child.tail(Stream::Stderr) {
        eprintln!("{pid}");
    }
    child.wait().await;
}

/// Starts the helper, reads the pids of (helper in another group, child), kills the parent.
async fn orphans(ledger: &Path, polite: bool) -> (u32, u32) {
    let mut spec = Spec::new(std::env::current_exe().unwrap())
        .args(["--exact", "helper_parent", "--nocapture", "--test-threads=1"])
        .env("PROCESS_TEST_LEDGER", ledger);
    if polite {
        spec = spec.env("PROCESS_TEST_TERM", "1");
    }
    let mut parent = Host::default().spawn(spec).await.unwrap();
    let mut lines = parent.take_lines().unwrap();
    let mut pids = Vec::new();
    while pids.len() < 2 {
        let line = tokio::time::timeout(LONG, lines.next()).await.unwrap().unwrap();
        if line.stream == Stream::Stderr
            && let Ok(pid) = line.text.parse::<u32>()
        {
            pids.push(pid);
        }
    }
    assert!(alive(pids[0]) && alive(pids[1]));
    kill(Pid::from_raw(parent.pid().cast_signed()), Signal::SIGKILL).unwrap();
    parent.wait().await;
    (pids[0], pids[1])
}

#[tokio::test]
async fn a_child_dies_with_its_parent_and_the_reaper_ends_what_escaped() {
    let dir = tempfile::tempdir().unwrap();
    let (helper, child) = orphans(dir.path(), false).await;
    eventually("the parent-death signal ends the child", || !alive(child)).await;
    assert!(alive(helper), "nothing but the reaper reaches the helper");

    let reaped = process::reap(dir.path(), Duration::from_millis(200)).await.unwrap();

    assert_eq!(reaped.len(), 1);
    let Outcome::Ended { pids } = &reaped[0].outcome else { panic!("{reaped:?}") };
    assert!(pids.contains(&helper) && !pids.contains(&child), "{pids:?}");
    assert!(!alive(helper));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn the_reaper_ends_a_stubborn_orphan_too() {
    let dir = tempfile::tempdir().unwrap();
    let (helper, child) = orphans(dir.path(), true).await;
    assert!(alive(child), "it ignores the polite signal");
    let reaped = process::reap(dir.path(), Duration::from_millis(200)).await.unwrap();
    let Outcome::Ended { pids } = &reaped[0].outcome else { panic!("{reaped:?}") };
    assert!(pids.contains(&helper) && pids.contains(&child), "{pids:?}");
    assert!(!alive(helper) && !alive(child));
}

#[tokio::test]
async fn an_entry_that_cannot_be_removed_does_not_stop_the_reaper() {
    let dir = tempfile::tempdir().unwrap();
    let (helper, _child) = orphans(dir.path(), false).await;
    for name in ["!first.json", "~last.json"] {
        // Neither can be read as an entry, nor removed as a file.
        std::fs::create_dir(dir.path().join(name)).unwrap();
    }
    let reaped = process::reap(dir.path(), Duration::from_millis(200)).await.unwrap();
    assert_eq!(reaped.len(), 3, "{reaped:?}");
    assert!(!alive(helper));
}

#[tokio::test]
async fn the_reaper_spares_what_it_cannot_prove() {
    let dir = tempfile::tempdir().unwrap();
    let spec = Spec::new("sleep").arg("600").env("PROCESS_TEST_NONCE", "theirs");
    let stranger = Host::default().spawn(spec).await.unwrap();
    let pid = stranger.pid();
    eventually("the program runs", || {
        std::fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|e| e.windows(6).any(|w| w == b"theirs"))
    })
    .await;
    let start: u64 = stat(pid).unwrap()[19].parse().unwrap();
    let entry = |name: &str, owner: (u32, u64), start: u64, nonce: &str| {
        let text = format!(
            r#"{{"label":"{name}","variable":"PROCESS_TEST_NONCE","nonce":"{nonce}",
               "owner":{{"pid":{},"start":{}}},"child":{{"pid":{pid},"start":{start}}},"pgid":{pid}}}"#,
            owner.0, owner.1
        );
        std::fs::write(dir.path().join(format!("{name}.json")), text).unwrap();
    };
    let dead = (4_000_000, 1);
    let me: u64 = stat(std::process::id()).unwrap()[19].parse().unwrap();
    entry("other-start", dead, start + 1, "theirs");
    entry("other-nonce", dead, start, "ours");
    entry("owner-alive", (std::process::id(), me), start, "theirs");
    std::fs::write(dir.path().join("damaged.json"), "{").unwrap();

    let mut reaped = process::reap(dir.path(), Duration::ZERO).await.unwrap();

    reaped.sort_by(|a, b| a.label.cmp(&b.label));
    assert!(matches!(reaped[0].outcome, Outcome::Unreadable { .. }));
    assert_eq!(reaped[1].outcome, Outcome::Stranger { pid });
    assert_eq!(reaped[2].outcome, Outcome::Stranger { pid });
    assert_eq!(reaped[3].outcome, Outcome::OwnerAlive { pid: std::process::id() });
    assert!(alive(pid));
    stranger.stop("test", Duration::ZERO).await;

    assert_eq!(process::reap(Path::new("/no/such/dir"), Duration::ZERO).await.unwrap(), []);
}

#[tokio::test]
async fn two_hundred_cycles_leave_no_zombies_and_no_descriptors() {
    // In a process of its own: other tests open and close descriptors at the same time.
    let output = Host::default()
        .run(
            Spec::new(std::env::current_exe().unwrap())
                .args(["--exact", "helper_cycles", "--nocapture"])
                .env("PROCESS_TEST_CYCLES", "200"),
            LONG * 6,
            10_000,
        )
        .await
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("cycles done"), "{output:?}");
}

/// Not a test: run again by the one above; by hand with `PROCESS_TEST_CYCLES=5000` for ten thousand
/// children, which takes two minutes.
#[tokio::test]
async fn helper_cycles() {
    let Ok(cycles) = std::env::var("PROCESS_TEST_CYCLES") else { return };
    let dir = tempfile::tempdir().unwrap();
    let host = ledgered(dir.path());
    let mut pids = HashSet::new();
    let mut before = 0;
    for n in 0..cycles.parse::<u32>().unwrap() {
        if n == 10 {
            before = descriptors();
        }
        let child = host.spawn(Spec::new("sleep").arg("600")).await.unwrap();
        pids.insert(child.pid());
        assert!(child.stop("cycle", LONG).await.is_some());
        assert!(host.run(Spec::new("true"), LONG, 10).await.unwrap().status.success());
    }
    for pid in pids {
        assert!(stat(pid).is_none_or(|f| f[0] != "Z"), "{pid} is a zombie");
    }
    eventually("descriptors are flat", || descriptors() <= before + 3).await;
    println!("cycles done");
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

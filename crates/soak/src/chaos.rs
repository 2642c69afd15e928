//! Somebody who kills and breaks things, by chance.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use testkit::dice::Dice;
use testkit::faults::Weather;

use crate::{World, processes};

/// In which part of the time Baton itself is killed. After it, one life is left to be measured.
const KILLS_UNTIL: f64 = 0.4;

/// In how long Kilo is killed how often at most: Baton leaves a Kilo alone that ends more often, until
/// a person looks at it again.
const KILO_KILLS: (Duration, usize) = (Duration::from_secs(330), 2);

/// Breaks things until the time is up; then everything is whole again.
pub(crate) async fn reign(world: World, begun: Instant, time: Duration) {
    let mut dice = Dice::of(world.seed, "chaos");
    let storm = Weather {
        dice: Dice::of(world.seed, "weather"),
        requests: 8,
        stream_bytes: Some(20_000..4_000_000),
    };
    world.proxy.weather(Some(storm));
    let mut kills: Vec<Instant> = Vec::new();
    loop {
        tokio::time::sleep(dice.millis(3000..20_000)).await;
        if world.is_over() {
            break;
        }
        if let Some(status) = world.baton.ended_by_itself() {
            world.accounts.blame(format!("Baton ended by itself: {status}"));
            restart(&world).await;
        }
        let early = begun.elapsed() < time.mul_f64(KILLS_UNTIL);
        let what = match dice.within(0..100) {
            0..35 => {
                world.proxy.cut_streams();
                "streams cut"
            }
            35..50 => {
                world.proxy.cut_streams_after(dice.within(1..50_000));
                "streams cut later"
            }
            50..60 => {
                world.accounts.event("chaos", "streams stalled");
                world.proxy.stall_streams(true);
                tokio::time::sleep(dice.millis(1000..45_000)).await;
                world.proxy.stall_streams(false);
                "streams stalled"
            }
            60..70 => halt(&world, &mut dice).await,
            70..78 => {
                kills.retain(|kill| kill.elapsed() < KILO_KILLS.0);
                if kills.len() >= KILO_KILLS.1 {
                    continue;
                }
                kills.push(Instant::now());
                signal_kilo(&world, Signal::SIGKILL);
                "Kilo killed"
            }
            78..88 => tool(&world, &mut dice),
            _ if !early => "nothing",
            88..95 => again(&world, Signal::SIGKILL).await,
            _ => again(&world, Signal::SIGTERM).await,
        };
        world.accounts.event("chaos", what);
        world.accounts.count(what);
    }
    world.proxy.weather(None);
    world.proxy.stall_streams(false);
    signal_kilo(&world, Signal::SIGCONT);
}

async fn again(world: &World, signal: Signal) -> &'static str {
    world.accounts.event("chaos", format!("Baton gets {signal}"));
    if let Err(error) = world.baton.end(signal).await {
        world.accounts.blame(format!("{error:#}"));
    }
    restart(world).await;
    if signal == Signal::SIGKILL { "Baton killed" } else { "Baton ended" }
}

async fn restart(world: &World) {
    if let Err(error) = world.baton.start().await {
        world.accounts.blame(format!("Baton could not be started again: {error:#}"));
    }
}

fn signal_kilo(world: &World, signal: Signal) {
    for kilo in processes::of_home(world.sandbox.home.path()).iter().filter(|p| p.is_kilo()) {
        send(kilo.pid, signal);
    }
}

/// Halts Kilo for a while, so that it is there and does not answer.
async fn halt(world: &World, dice: &mut Dice) -> &'static str {
    world.accounts.event("chaos", "Kilo halted");
    signal_kilo(world, Signal::SIGSTOP);
    tokio::time::sleep(dice.millis(500..25_000)).await;
    signal_kilo(world, Signal::SIGCONT);
    "Kilo halted"
}

/// Kills something that a tool started.
fn tool(world: &World, dice: &mut Dice) -> &'static str {
    let all = processes::of_home(world.sandbox.home.path());
    let tools: Vec<_> = all.iter().filter(|p| p.name == "sleep" || p.name == "bash").collect();
    match dice.pick(&tools) {
        Some(tool) => {
            send(tool.pid, Signal::SIGKILL);
            "tool killed"
        }
        None => "nothing",
    }
}

fn send(pid: u32, signal: Signal) {
    if let Ok(pid) = i32::try_from(pid) {
        // It may have ended by itself.
        let _ = kill(Pid::from_raw(pid), signal);
    }
}

//! Waiting for a condition with a deadline, instead of sleeping and hoping.

use std::fmt::Debug;
use std::future::Future;
use std::panic::Location;
use std::time::{Duration, Instant};

/// How long tests wait for things the real agents do, on a slow and busy machine.
pub const PATIENT: Duration = Duration::from_secs(150);

const INTERVAL: Duration = Duration::from_millis(10);

/// Polls `check` until it gives a value and returns that.
///
/// `check` answers `Err(seen)` while the condition does not hold.
///
/// # Panics
/// At the caller's line when `deadline` passes, with what was last seen.
#[track_caller]
pub fn until<T, S, F, Fut>(deadline: Duration, mut check: F) -> impl Future<Output = T>
where
    S: Debug,
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, S>>,
{
    let caller = Location::caller();
    async move {
        let end = Instant::now() + deadline;
        loop {
            match check().await {
                Ok(value) => return value,
                Err(seen) if Instant::now() >= end => give_up(caller, deadline, &seen),
                Err(_) => tokio::time::sleep(INTERVAL).await,
            }
        }
    }
}

/// Polls `check` until it is true.
///
/// # Panics
/// At the caller's line when `deadline` passes.
#[track_caller]
pub fn until_true<F>(deadline: Duration, mut check: F) -> impl Future<Output = ()>
where
    F: FnMut() -> bool,
{
    until(deadline, move || {
        let answer = if check() { Ok(()) } else { Err(false) };
        async move { answer }
    })
}

#[expect(clippy::panic, reason = "tests fail by panicking, and only tests wait like this")]
fn give_up(caller: &Location<'_>, deadline: Duration, seen: &dyn Debug) -> ! {
    panic!("{caller}: not within {deadline:?}; last seen: {seen:#?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn gives_the_value_the_check_found() {
        let mut calls = 0;
        let found = until(PATIENT, || {
            calls += 1;
            let answer = if calls == 3 { Ok(calls) } else { Err(calls) };
            async move { answer }
        });
        assert_eq!(found.await, 3);
    }

    #[tokio::test]
    #[should_panic(expected = "last seen: \"nothing yet\"")]
    async fn says_what_it_last_saw() {
        until(Duration::ZERO, || async { Err::<(), _>("nothing yet") }).await;
    }
}

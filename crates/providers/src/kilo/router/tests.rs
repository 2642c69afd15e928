//! Which lanes a server's end takes with it, and what counts as use of a server.

use domain::ErrorCode;

use super::*;

fn error(message: &str) -> TurnError {
    TurnError {
        code: ErrorCode::AgentDied,
        message: message.to_owned(),
        hint: None,
        retryable: true,
    }
}

fn router() -> Arc<Router> {
    Arc::default()
}

#[test]
fn the_end_of_a_server_loses_its_lanes_with_its_error() {
    let (router, session) = (router(), SessionId::from("ses_1"));
    let first = router.begin();
    let (mut lane, _control) = router.join(first, &session).unwrap();

    router.lost(first, &error("switched off"));

    assert!(
        matches!(lane.control.try_recv(), Ok(Control::Lost(said)) if said.message == "switched off")
    );
    assert!(!router.serves(first));
    assert!(router.is_unused(first));
}

#[test]
fn the_late_end_of_an_old_server_leaves_the_new_ones_lanes_alone() {
    let (router, session) = (router(), SessionId::from("ses_1"));
    let first = router.begin();
    router.lost(first, &error("first"));
    let second = router.begin();
    let (mut lane, _control) = router.join(second, &session).unwrap();

    router.lost(first, &error("first, told again"));

    assert!(router.serves(second));
    assert!(!lane.events.is_closed());
    assert!(matches!(lane.control.try_recv(), Err(mpsc::error::TryRecvError::Empty)));
    assert_eq!(router.join(second, &session).err(), Some(NotJoined::Taken));
}

#[test]
fn no_session_joins_a_server_that_has_ended() {
    let (router, session) = (router(), SessionId::from("ses_1"));
    let first = router.begin();
    router.lost(first, &error("gone"));
    assert_eq!(router.join(first, &session).err(), Some(NotJoined::Ended));

    let second = router.begin();
    assert_eq!(router.join(first, &session).err(), Some(NotJoined::Ended));
    assert!(router.join(second, &session).is_ok());
}

#[test]
fn an_open_in_progress_is_use_until_its_lane_is() {
    let (router, session) = (router(), SessionId::from("ses_1"));
    let first = router.begin();
    let (hold, other) = (router.hold(first), router.hold(first));
    assert!(!router.is_unused(first));
    drop(other);
    assert!(!router.is_unused(first));

    let lane = router.join(hold.generation, &session).unwrap();
    drop(hold);
    assert!(!router.is_unused(first));

    drop(lane);
    router.ended(&session);
    assert!(router.is_unused(first));
}

#[test]
fn an_open_on_an_old_server_is_no_use_of_the_new_one() {
    let router = router();
    let first = router.begin();
    let old = router.hold(first);
    router.lost(first, &error("gone"));
    let second = router.begin();
    assert!(router.is_unused(second));

    let new = router.hold(second);
    let late = router.hold(first);
    drop(old);
    drop(late);
    assert!(!router.is_unused(second));
    drop(new);
    assert!(router.is_unused(second));
}

#[test]
fn two_servers_side_by_side_keep_their_lanes_apart() {
    let router = router();
    let (ours, theirs) = (SessionId::from("ses_1"), SessionId::from("ses_2"));
    let (trusted, untrusted) = (router.begin(), router.begin());
    let (mut here, _control) = router.join(trusted, &ours).unwrap();
    let (mut there, _other) = router.join(untrusted, &theirs).unwrap();
    // One writer, whichever server it is on.
    assert_eq!(router.join(untrusted, &ours).err(), Some(NotJoined::Taken));

    router.rest(untrusted);
    assert!(matches!(there.control.try_recv(), Ok(Control::Rest)));
    assert!(here.control.try_recv().is_err());

    router.lost(untrusted, &error("gone"));
    assert!(matches!(there.control.try_recv(), Ok(Control::Lost(_))));
    assert!(here.control.try_recv().is_err());
    assert!(router.serves(trusted) && router.is_served() && !router.is_unused(trusted));
    router.lost(trusted, &error("gone"));
    assert!(!router.is_served());
}

#[test]
fn a_late_close_leaves_the_same_sessions_new_lane_alone() {
    let router = Router::default();
    let generation = router.begin();
    let session = SessionId::from("ses_1");
    let (lane, first) = router.join(generation, &session).unwrap();
    drop(lane);
    let (mut lane, second) = router.join(generation, &session).unwrap();
    let child = SessionId::from("ses_2");
    router.adopt(&child, &session);
    router.leave(&session, &first);
    assert_eq!(router.join(generation, &session).err(), Some(NotJoined::Taken));
    assert!(lane.events.try_recv().is_err_and(|e| e == mpsc::error::TryRecvError::Empty));
    assert!(router.is_child(&child, &session));
    router.leave(&session, &second);
    assert!(router.is_unused(generation), "something is left of it");
    assert!(!router.is_child(&child, &session), "its sub-agents are left");
}

#[test]
fn no_state_of_the_link_is_lost_on_a_session_however_much_else_waits() {
    let (router, session) = (router(), SessionId::from("ses_1"));
    let generation = router.begin();
    let (mut lane, control) = router.join(generation, &session).unwrap();
    while control.try_send(Control::Resync).is_ok() {}

    let mut told = |fault, down| {
        router.link(generation, fault, down);
        let told = lane.link.has_changed().unwrap();
        let link = *lane.link.borrow_and_update();
        (told, link.is_down(), link.missed)
    };
    assert_eq!(told(Fault::Broken, true), (true, true, 1));
    // Told once, however often the next try fails.
    assert_eq!(told(Fault::Broken, true), (false, true, 1));
    // A server that answers has no stream yet.
    assert_eq!(told(Fault::Silent, true), (false, true, 1));
    assert_eq!(told(Fault::Silent, false), (false, true, 1));
    assert_eq!(told(Fault::Broken, false), (true, false, 1));
    // What was missed shows though it was not looked meanwhile.
    router.link(generation, Fault::Broken, true);
    assert_eq!(told(Fault::Broken, false), (true, false, 2));

    router.link(generation, Fault::Broken, true);
    let (late, _control) = router.join(generation, &SessionId::from("ses_2")).unwrap();
    assert!(late.link.has_changed().unwrap() && late.link.borrow().is_down());
}

#[test]
fn events_that_wait_are_bounded_by_their_bytes_and_room_comes_back() {
    let (router, session) = (router(), SessionId::from("ses_1"));
    let generation = router.begin();
    let (mut lane, _control) = router.join(generation, &session).unwrap();
    let send = |bytes: usize| {
        let frame = r#"{"payload":{"type":"session.idle","properties":{"sessionID":"ses_1"}}}"#;
        let envelope = Envelope::parse(frame.as_bytes()).unwrap().unwrap();
        assert!(router.route(generation, Frame::new(envelope, None, bytes)));
        lane.lagged.swap(false, Ordering::Relaxed)
    };
    let half = MAX_INBOUND_BYTES / 2;
    assert_eq!([send(half), send(half), send(1), send(1)], [false, false, true, true]);
    for _ in 0..2 {
        drop(lane.events.try_recv().unwrap());
    }
    assert!(lane.events.try_recv().is_err(), "what found no room is not kept");
    // However large a single one is, the session hears of it.
    assert_eq!([send(4 * half), send(1)], [false, true]);
}

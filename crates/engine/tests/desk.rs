//! The desk: many uploads at once, each with its own right answer, and every alert durable before it is told.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests may panic")]

mod support;

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use hashward_core::{Action, Algorithm, Decision, Digests, Generation, Identity, UnreadableKind, Verdict};
use hashward_digest::digest_bytes;
use hashward_engine::desk::{Answer, DeskError, DeskOptions, Reply, Upload};
use hashward_engine::{
    AlertSink, BreakerLimits, Decider, Desk, Health, Live, Metrics, Outgoing, Part, Policy, PortError,
    Snapshot, Ticket,
};
use prometheus::Registry;
use support::{ListText, lines, snapshot_of};

/// A sink that can be told to be unavailable. What it takes is durable when it is acknowledged.
#[derive(Clone, Default)]
struct Switch(Arc<Mutex<SwitchState>>);

#[derive(Default)]
struct SwitchState {
    unavailable: bool,
    taken: Vec<(Ticket, String)>,
    durable: Vec<String>,
}

impl AlertSink for Switch {
    fn send(&mut self, ticket: Ticket, outgoing: &Outgoing) -> Result<(), PortError> {
        let Outgoing::Alert(alert) = outgoing else { panic!("a desk sends alerts only") };
        self.0.lock().unwrap().taken.push((ticket, alert.alert_id.to_string()));
        Ok(())
    }

    fn acknowledged(&mut self, wait: Duration, acknowledged: &mut Vec<Ticket>) -> Result<(), PortError> {
        let mut state = self.0.lock().unwrap();
        if state.unavailable {
            drop(state);
            thread::sleep(wait);
            return Err(PortError::Unavailable { port: "alerts", detail: "switched off".to_owned() });
        }
        let taken = std::mem::take(&mut state.taken);
        for (ticket, id) in taken {
            acknowledged.push(ticket);
            state.durable.push(id);
        }
        Ok(())
    }
}

impl Switch {
    fn set_unavailable(&self, unavailable: bool) {
        self.0.lock().unwrap().unavailable = unavailable;
    }

    fn durable(&self) -> Vec<String> {
        self.0.lock().unwrap().durable.clone()
    }
}

struct World {
    desk: Desk,
    sink: Switch,
    live: Live,
    metrics: Metrics,
    health: Health,
}

const BOTH: &[Algorithm] = &[Algorithm::Md5, Algorithm::Sha256];

/// A list of every content whose length can be divided by 7.
fn listed(generation: u64, algorithms: &[Algorithm]) -> Snapshot {
    let text = (0..100).map(|n| lines(&format!("{n}"), &content(n * 7), algorithms)).collect();
    snapshot_of(generation, &[ListText { id: "sevens", toml: "action = \"block\"", text }])
}

fn content(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|i| u8::try_from(i * 31 % 251).unwrap()).chain([1]).collect()
}

fn world(options: DeskOptions, breaker: BreakerLimits) -> World {
    let live = Live::new(Arc::new(listed(1, BOTH)));
    let metrics = Metrics::register(Registry::new()).unwrap();
    let health = Health::of(&[Part::Gate]);
    let sink = Switch::default();
    let decider = Decider::new(live.clone(), Policy::default(), breaker, metrics.clone());
    let desk = Desk::start(options, decider, Box::new(sink.clone()), &health).unwrap();
    World { desk, sink, live, metrics, health }
}

fn named(id: &str) -> Identity {
    Identity { id: id.to_owned(), source: Some("tests".to_owned()), ..Identity::default() }
}

type Answered = Receiver<Result<Answer, DeskError>>;

fn finish(upload: Upload) -> Answered {
    let (told, answer) = channel();
    upload.finish(Reply::new(move |answer| drop(told.send(answer))));
    answer
}

fn hear(answer: &Answered) -> Result<Answer, DeskError> {
    answer.recv_timeout(Duration::from_secs(20)).expect("an answer in time")
}

fn ask(desk: &Desk, id: &str, content: &[u8]) -> Result<Answer, DeskError> {
    let mut upload = desk.open(named(id)).unwrap();
    upload.push(Box::new(content.to_vec())).unwrap();
    hear(&finish(upload))
}

/// Pushes as soon as there is room.
fn push(upload: &mut Upload, piece: &[u8]) {
    while let Err(DeskError::TooFarAhead { .. }) = upload.push(Box::new(piece.to_vec())) {
        thread::sleep(Duration::from_micros(50));
    }
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(20), "{what}");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn many_uploads_at_once_get_each_its_own_answer() {
    let options = DeskOptions { digest_threads: 2, uploads_max: 64, ..DeskOptions::default() };
    let world = world(options, BreakerLimits::OFF);
    thread::scope(|scope| {
        for asker in 0..48_usize {
            let world = &world;
            scope.spawn(move || {
                for turn in 0..20 {
                    let bytes = (asker * 131 + turn * 17) % 700;
                    let mut upload = world.desk.open(named(&format!("{asker}/{turn}"))).unwrap();
                    for piece in content(bytes).chunks(1 + asker * 3) {
                        push(&mut upload, piece);
                    }
                    let answer = hear(&finish(upload)).unwrap();
                    assert_eq!(answer.content_id, format!("{asker}/{turn}"));
                    let listed = bytes % 7 == 0;
                    let expected = if listed { Decision::Act(Action::Block) } else { Decision::Allow };
                    assert_eq!(answer.verdict.decision, expected, "{bytes} bytes");
                    assert_eq!(answer.verdict.generation, Generation(1));
                    let durable = world.sink.durable();
                    assert_eq!(answer.alert_id.is_some(), listed);
                    assert!(answer.alert_id.is_none_or(|id| durable.contains(&id.to_string())));
                }
            });
        }
    });
    assert_eq!(world.desk.uploads_open(), 0);
    assert_eq!(world.metrics.contents_judged(), 48 * 20);
}

#[test]
fn the_same_content_makes_the_same_alert_wherever_it_is_asked_about() {
    let world = world(DeskOptions::default(), BreakerLimits::OFF);
    let bytes = content(700 - 7);
    let first = ask(&world.desk, "a", &bytes).unwrap();
    assert_eq!(ask(&world.desk, "a", &bytes).unwrap().alert_id, first.alert_id);
    assert_ne!(ask(&world.desk, "b", &bytes).unwrap().alert_id, first.alert_id);
    // And by its digests alone.
    let digests: Digests = digest_bytes(BOTH.iter().copied().collect(), &bytes);
    let (told, answer) = channel();
    let batch = vec![digest_bytes(BOTH.iter().copied().collect(), b"clean"), digests];
    let reply = Reply::new(move |answer| told.send(answer).unwrap());
    world.desk.digests(batch, |place| named(if place == 1 { "a" } else { "never asked" }), reply);
    let answer = answer.recv().unwrap().unwrap();
    assert_eq!(answer.generation, Generation(1));
    let [(1, notable)] = answer.notable.as_slice() else { panic!("one of two is listed") };
    assert_eq!((notable.alert_id, &notable.verdict), (first.alert_id, &first.verdict));
    assert_eq!(world.sink.durable().len(), 4);
}

#[test]
fn nothing_is_told_before_its_alert_is_durable() {
    let options = DeskOptions { undelivered_max: Duration::from_millis(400), ..DeskOptions::default() };
    let world = world(options, BreakerLimits::OFF);
    world.sink.set_unavailable(true);
    let mut upload = world.desk.open(named("late")).unwrap();
    upload.push(Box::new(content(70))).unwrap();
    let answer = finish(upload);
    assert!(answer.recv_timeout(Duration::from_millis(100)).is_err(), "not durable, not told");
    // What needs no alert waits for none.
    assert_eq!(ask(&world.desk, "clean", &content(71)).unwrap().verdict.decision, Decision::Allow);
    let detail = "alerts is unavailable: switched off".to_owned();
    assert_eq!(hear(&answer), Err(DeskError::Undelivered { detail: detail.clone() }));
    assert_eq!(world.health.parts(), [("gate", Err(detail))]);
    // The verdict stands, and its alert leaves as soon as it can.
    world.sink.set_unavailable(false);
    until("the alert leaves", || world.sink.durable().len() == 1);
    until("the gate is well again", || world.health.is_ready());
    let again = ask(&world.desk, "late", &content(70)).unwrap();
    assert_eq!(world.sink.durable(), vec![again.alert_id.unwrap().to_string(); 2]);
}

#[test]
fn alerts_that_wait_are_bounded() {
    let options = DeskOptions {
        alerts_waiting_max: 2,
        undelivered_max: Duration::from_millis(50),
        ..DeskOptions::default()
    };
    let world = world(options, BreakerLimits::OFF);
    world.sink.set_unavailable(true);
    let answers: Vec<_> =
        (0..4).map(|n| ask(&world.desk, &n.to_string(), &content(7)).unwrap_err()).collect();
    let full = DeskError::Undelivered { detail: "2 alerts wait already".to_owned() };
    assert_eq!(answers[2..], [full.clone(), full]);
    world.sink.set_unavailable(false);
    until("the two leave", || world.sink.durable().len() == 2);
}

#[test]
fn a_dropped_upload_leaves_nothing() {
    let options = DeskOptions { uploads_max: 3, ..DeskOptions::default() };
    let world = world(options, BreakerLimits::OFF);
    for round in 0..10 {
        let mut uploads: Vec<_> = (0..3).map(|_| world.desk.open(named("gone")).unwrap()).collect();
        let full = world.desk.open(named("one too many")).err();
        assert_eq!(full, Some(DeskError::Full { uploads_max: 3 }), "round {round}");
        for upload in &mut uploads {
            push(upload, &content(7));
        }
        drop(uploads);
        until("the seats are free", || world.desk.uploads_open() == 0);
    }
    assert_eq!(world.metrics.contents_judged(), 0);
    assert_eq!(ask(&world.desk, "next", &content(8)).unwrap().verdict.decision, Decision::Allow);
}

#[test]
fn what_is_too_large_is_unreadable_and_not_digested() {
    let options = DeskOptions { content_bytes_max: 100, ..DeskOptions::default() };
    let world = world(options, BreakerLimits::OFF);
    assert_eq!(
        ask(&world.desk, "fits", &content(98)).unwrap().verdict.decision,
        Decision::Act(Action::Block)
    );
    let mut upload = world.desk.open(named("large")).unwrap();
    push(&mut upload, &content(98));
    assert!(!upload.is_too_large());
    push(&mut upload, &[0; 2]);
    assert!(upload.is_too_large());
    let answer = hear(&finish(upload)).unwrap();
    let Decision::Unreadable(reason) = answer.verdict.decision else { panic!("it has no verdict") };
    assert_eq!((reason.kind, reason.detail.as_str()), (UnreadableKind::TooLarge, "more than 100 bytes"));
    assert_eq!(answer.alert_id, None);
}

/// A piece that is not digested while somebody has its lock.
struct Held(Arc<Mutex<()>>, Vec<u8>);

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        if thread::current().name() == Some("desk-0") {
            drop(self.0.lock().unwrap());
        }
        &self.1
    }
}

#[test]
fn who_pushes_too_fast_is_refused_and_loses_nothing() {
    let options = DeskOptions { ahead_bytes_max: 4096, ..DeskOptions::default() };
    let world = world(options, BreakerLimits::OFF);
    let content = content(7 * 99);
    let held = Arc::new(Mutex::new(()));
    let lock = held.lock().unwrap();
    let mut upload = world.desk.open(named("fast")).unwrap();
    upload.push(Box::new(Held(Arc::clone(&held), content[..100].to_vec()))).unwrap();
    // Each counts as a KiB.
    for piece in content[100..103].chunks(1) {
        upload.push(Box::new(piece.to_vec())).unwrap();
    }
    let refused = upload.push(Box::new(content[103..].to_vec()));
    assert_eq!(refused, Err(DeskError::TooFarAhead { ahead_bytes_max: 4096 }));
    drop(lock);
    push(&mut upload, &content[103..]);
    assert_eq!(upload.bytes(), content.len() as u64);
    assert_eq!(hear(&finish(upload)).unwrap().verdict.decision, Decision::Act(Action::Block));
}

#[test]
fn an_upload_is_judged_by_the_newest_lists_that_its_digests_serve() {
    let world = world(DeskOptions::default(), BreakerLimits::OFF);
    let open = |id| {
        let mut upload = world.desk.open(named(id)).unwrap();
        push(&mut upload, &content(14));
        // Only then the thread knows of it.
        let started = Instant::now();
        while Arc::strong_count(&world.live.load()) < 3 {
            assert!(started.elapsed() < Duration::from_secs(20));
            thread::yield_now();
        }
        upload
    };
    let first = open("first");
    world.live.swap(&Arc::new(listed(2, &[Algorithm::Sha256])));
    let second = open("second");
    // These need a digest that neither upload has.
    world.live.swap(&Arc::new(listed(3, &[Algorithm::Sha512])));
    let generations: HashMap<&str, u64> = [("first", first), ("second", second)]
        .map(|(id, upload)| {
            let Verdict { generation, decision, .. } = hear(&finish(upload)).unwrap().verdict;
            assert_eq!(decision, Decision::Act(Action::Block), "{id}");
            (id, generation.0)
        })
        .into();
    assert_eq!(generations, [("first", 1), ("second", 2)].into());
    assert_eq!(ask(&world.desk, "third", &content(14)).unwrap().verdict.generation, Generation(3));
    // And the newest where they serve.
    let fourth = world.desk.open(named("fourth")).unwrap();
    until("it is open", || world.desk.uploads_open() == 1);
    world.live.swap(&Arc::new(listed(4, &[Algorithm::Sha512])));
    assert_eq!(hear(&finish(fourth)).unwrap().verdict.generation, Generation(4));
}

#[test]
fn breakers_count_what_the_desk_matches() {
    let hour = Duration::from_hours(1);
    let breaker = BreakerLimits { matches_max: 3, window: hour, release: hour };
    let world = world(DeskOptions::default(), breaker);
    let decisions: Vec<_> =
        (0..5).map(|n| ask(&world.desk, &n.to_string(), &content(21)).unwrap().verdict.decision).collect();
    let (block, review) = (Decision::Act(Action::Block), Decision::Act(Action::Review));
    assert_eq!(decisions, [block.clone(), block.clone(), block, review.clone(), review]);
}

#[test]
fn a_closed_desk_finishes_what_is_open() {
    let world = world(DeskOptions::default(), BreakerLimits::OFF);
    let mut upload = world.desk.open(named("open")).unwrap();
    world.desk.close();
    assert_eq!(world.desk.open(named("new")).err(), Some(DeskError::Closed));
    let (told, answer) = channel();
    world.desk.digests(Vec::new(), |_| Identity::default(), Reply::new(move |a| told.send(a).unwrap()));
    assert_eq!(answer.recv().unwrap(), Err(DeskError::Closed));
    push(&mut upload, &content(0));
    assert_eq!(hear(&finish(upload)).unwrap().verdict.decision, Decision::Act(Action::Block));
}

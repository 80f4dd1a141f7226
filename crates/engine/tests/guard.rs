//! Floods through the judge: so many matches of an entry act, the rest asks for review, until it is released.

#![allow(clippy::pedantic, clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use hashward_core::{Action, Algorithm, Ground, Unreadable};
use hashward_engine::{
    Batch, BreakerLimits, Judge, JudgeOptions, Live, Metrics, Open, Outgoing, Payload, Policy, Snapshot,
};
use jiff::Timestamp;
use prometheus::Registry;
use support::{ListText, judge_options, lines, record, snapshot_of};

const MATCHES_MAX: u64 = 100;
const BREAKER: BreakerLimits = BreakerLimits {
    matches_max: MATCHES_MAX,
    window: Duration::from_secs(60),
    release: Duration::from_secs(30),
};

struct World {
    live: Live,
    judge: Judge,
    metrics: Metrics,
}

/// Generation `generation` of a list that asks to block the contents, in that order.
fn holding(generation: u64, contents: &[&str]) -> Arc<Snapshot> {
    let text = contents.iter().map(|name| lines(name, name.as_bytes(), &[Algorithm::Sha256])).collect();
    Arc::new(snapshot_of(generation, &[ListText { id: "one", toml: "action = 'block'", text }]))
}

fn world(breaker: BreakerLimits) -> World {
    let live = Live::new(holding(1, &["a", "b"]));
    let metrics = Metrics::register(Registry::new()).unwrap();
    let options = JudgeOptions { breaker, ..judge_options() };
    let judge = Judge::new(live.clone(), Policy::default(), options, metrics.clone()).unwrap();
    World { live, judge, metrics }
}

/// Content that is opened and read, apart from what is in memory.
struct Opened(&'static str);

impl Open for Opened {
    fn open(&self) -> Result<Box<dyn Read + Send>, Unreadable> {
        Ok(Box::new(self.0.as_bytes()))
    }
}

fn batch(contents: &[(&'static str, u64)]) -> Batch {
    let mut batch = Batch::default();
    let contents = contents.iter().flat_map(|(content, times)| (0..*times).map(move |_| content));
    for (content, offset) in contents.zip(0..) {
        record(&mut batch, 0, offset, content.as_bytes());
        // Both ways of the judge count together.
        if offset % 3 == 0 {
            let payload = Payload::Deferred(Box::new(Opened(content)));
            batch.records.last_mut().unwrap().payload = payload;
        }
    }
    batch
}

impl World {
    /// How many alerts ask to block, and how many to review because of a breaker.
    fn judge(&self, second: i64, contents: &[(&'static str, u64)]) -> (u64, u64) {
        let judged = self.judge.judge(batch(contents), at(second));
        let (mut block, mut review) = (0, 0);
        for notable in judged.notable {
            let Outgoing::Alert(alert) = notable.outgoing else { panic!("everything can be read") };
            let [of] = &alert.matches[..] else { panic!("one entry each") };
            assert_eq!(of.action, alert.action);
            match (alert.action, of.ground) {
                (Action::Block, Ground::AsListed) => block += 1,
                (Action::Review, Ground::Breaker) => review += 1,
                other => panic!("{other:?}"),
            }
        }
        (block, review)
    }

    fn serves(&self, line: &str) -> bool {
        self.metrics.render().lines().any(|served| served == line)
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_305_600 + second).unwrap()
}

#[test]
fn exactly_so_many_act_in_one_large_batch() {
    let world = world(BREAKER);
    assert_eq!(world.judge(0, &[("a", 5000), ("b", MATCHES_MAX), ("c", 50)]), (2 * MATCHES_MAX, 4900));
    assert!(world.serves("hashward_breaker_trips_total{list=\"one\"} 1"));
    assert!(world.serves("hashward_breaker_open_entries 1"));
}

#[test]
fn a_flood_over_many_batches_trips_and_is_released() {
    let world = world(BREAKER);
    for second in 0..10 {
        assert_eq!(world.judge(second, &[("a", 10)]), (10, 0));
    }
    assert_eq!(world.judge(10, &[("a", 1), ("b", 1)]), (1, 1));
    // The window ends at 60, and the entry is released at 90.
    assert_eq!(world.judge(89, &[("a", 7)]), (0, 7));
    world.judge.decider().rest(at(89));
    assert!(world.serves("hashward_breaker_open_entries 1"));
    world.judge.decider().rest(at(90));
    assert!(world.serves("hashward_breaker_open_entries 0"), "a judge without work releases too");
    // From 89 on a window runs in which seven were counted.
    assert_eq!(world.judge(90, &[("a", MATCHES_MAX)]), (MATCHES_MAX - 7, 7));
    assert!(world.serves("hashward_breaker_trips_total{list=\"one\"} 2"));
}

#[test]
fn a_new_generation_knows_the_flood() {
    let world = world(BREAKER);
    assert_eq!(world.judge(0, &[("a", MATCHES_MAX + 1)]), (MATCHES_MAX, 1));
    // The entry has another number in the new index.
    world.live.swap(&holding(2, &["x", "y", "b", "a"]));
    assert_eq!(world.judge(1, &[("a", 3), ("x", 1)]), (1, 3));
}

#[test]
fn without_a_limit_nothing_trips() {
    let world = world(BreakerLimits::OFF);
    assert_eq!(world.judge(0, &[("a", 5000)]), (5000, 0));
    assert!(world.serves("hashward_breaker_open_entries 0"));
}

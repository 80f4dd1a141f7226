//! Uploads from tasks: more than there is room for at a time, each answered, and none of the room lost.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests may panic")]

mod support;

use std::time::Duration;

use bytes::Bytes;
use hashward_engine::core::{Action, Decision};
use hashward_engine::desk::{DeskError, DeskOptions};
use hashward_gate::AsyncDeskLimits;
use support::{LISTED, named, world};
use tokio::task::JoinSet;

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let in_time = async { tokio::time::timeout(Duration::from_mins(1), test).await.expect("ends in time") };
    runtime.block_on(in_time);
}

#[test]
fn many_tasks_share_little_room() {
    // Less room than the uploads have bytes: each waits for others.
    let options = DeskOptions { ahead_bytes_max: 5000, ..DeskOptions::default() };
    let world = world(options, AsyncDeskLimits { ahead_bytes_max: 64 << 10, batches_max: 1 });
    run(async {
        for _ in 0..3 {
            let mut tasks = JoinSet::new();
            for number in 0..60_usize {
                let desk = world.desk.clone();
                tasks.spawn(async move {
                    let mut upload = desk.open(named(&number.to_string())).unwrap();
                    let is_listed = number % 3 == 0;
                    if is_listed {
                        for byte in LISTED {
                            upload.push(Bytes::copy_from_slice(&[*byte])).await.unwrap();
                        }
                    } else {
                        upload.push(vec![7; 100_000].into()).await.unwrap();
                    }
                    if number % 5 == 0 {
                        // It vanishes in the middle.
                        return;
                    }
                    let answer = upload.finish().await.unwrap();
                    let expected = if is_listed { Decision::Act(Action::Block) } else { Decision::Allow };
                    assert_eq!((answer.content_id, answer.verdict.decision), (number.to_string(), expected));
                });
            }
            tasks.join_all().await;
        }
        assert_eq!(world.sink.alerts.lock().unwrap().len(), 3 * 16);
    });
}

#[test]
fn digests_are_looked_up_beside_the_tasks() {
    let world = world(DeskOptions::default(), AsyncDeskLimits::default());
    run(async {
        let wanted = world.live.load().algorithms();
        let digests = |bytes: &[u8]| hashward_digest::digest_bytes(wanted, bytes);
        let mut batch = vec![digests(b"clean"); 1000];
        batch[500] = digests(LISTED);
        let ask = |batch| {
            world.desk.batch(|desk, reply| {
                desk.digests(batch, |place| named(&format!("#{place}")), reply);
                Ok::<_, DeskError>(())
            })
        };
        let answer = ask(batch).await.unwrap();
        let [(500, notable)] = answer.notable.as_slice() else { panic!("one of them is listed") };
        assert_eq!(notable.content_id, "#500");
        assert_eq!(notable.verdict.decision, Decision::Act(Action::Block));
        world.desk.desk().close();
        assert_eq!(ask(Vec::new()).await, Err(DeskError::Closed));
        assert_eq!(world.desk.open(named("new")).err(), Some(DeskError::Closed));
    });
}

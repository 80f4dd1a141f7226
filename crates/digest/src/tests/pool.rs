//! Many streams in a pool, cut and mixed in any way.

use std::collections::HashMap;

use hashward_core::AlgorithmSet;
use proptest::collection::vec;
use proptest::prelude::{any, proptest};
use proptest::{prop_assert, prop_assert_eq};

use super::{noise_bytes, reference};
use crate::{Path, PoolError, StreamId, StreamPool};

/// One thing that a caller does; the numbers choose a stream and a length, modulo what there is.
#[derive(Clone, Debug)]
struct Act {
    kind: u8,
    which: usize,
    length: usize,
}

fn act() -> impl proptest::strategy::Strategy<Value = Act> {
    use proptest::strategy::Strategy as _;
    let length = proptest::prop_oneof![0..200_usize, 0..5_000_usize];
    (0..14_u8, any::<usize>(), length).prop_map(|(kind, which, length)| Act { kind, which, length })
}

proptest! {
    #[test]
    fn any_order_gives_the_digests_of_the_whole(
        acts in vec(act(), 0..150),
        streams_max in 1..40_usize,
        buffer_bytes in 0..3_000_usize,
        path in 0..3_usize,
    ) {
        let paths: Vec<Path> = Path::available().collect();
        let noise = noise_bytes(1, 6_000);
        let mut pool = StreamPool::on(paths[path % paths.len()], AlgorithmSet::ALL, streams_max, buffer_bytes);
        let mut open: Vec<(StreamId, Vec<u8>)> = Vec::new();
        // Those that were told to have ended.
        let mut ended: HashMap<StreamId, Vec<u8>> = HashMap::new();
        for Act { kind, which, length } in acts {
            let place = which.checked_rem(open.len());
            let bytes = &noise[which % 1_000..][..length];
            match (kind, place) {
                (0..=2, _) | (_, None) => match pool.open() {
                    Ok(id) => open.push((id, Vec::new())),
                    Err(error) => {
                        prop_assert_eq!(open.len() + ended.len(), streams_max);
                        prop_assert_eq!(error, PoolError::Full { streams_max });
                    }
                },
                (3..=5, Some(place)) => {
                    let (id, content) = &mut open[place];
                    pool.push(*id, bytes).unwrap();
                    content.extend_from_slice(bytes);
                }
                (6, Some(place)) => {
                    let (id, content) = &mut open[place];
                    let space = pool.space(*id).unwrap();
                    prop_assert!(!space.is_empty());
                    let bytes = &bytes[..bytes.len().min(space.len())];
                    space[..bytes.len()].copy_from_slice(bytes);
                    pool.filled(*id, bytes.len()).unwrap();
                    content.extend_from_slice(bytes);
                }
                (7, _) => pool.flush(),
                (8, Some(place)) => {
                    let (id, _) = open.swap_remove(place);
                    pool.close(id).unwrap();
                    prop_assert_eq!(pool.push(id, b""), Err(PoolError::NotOpen));
                }
                (9 | 10, Some(place)) => {
                    let (id, content) = open.swap_remove(place);
                    pool.end(id).unwrap();
                    prop_assert_eq!(pool.push(id, b""), Err(PoolError::NotOpen));
                    ended.insert(id, content);
                }
                (11 | 12, _) => {
                    let told = if kind == 11 { pool.advance_full() } else { pool.advance_all() };
                    for (id, digests) in told {
                        let content = ended.remove(&id).expect("it ended");
                        prop_assert!(digests == reference(AlgorithmSet::ALL, &content));
                        prop_assert_eq!(pool.finish(id), Err(PoolError::NotOpen));
                    }
                    prop_assert!(kind == 11 || ended.is_empty());
                }
                (_, Some(place)) => {
                    let (id, content) = open.swap_remove(place);
                    prop_assert!(pool.finish(id) == Ok(reference(AlgorithmSet::ALL, &content)));
                    prop_assert_eq!(pool.finish(id), Err(PoolError::NotOpen));
                }
            }
            prop_assert_eq!(pool.open_streams(), open.len() + ended.len());
        }
        open.extend(ended);
        let ids: Vec<StreamId> = open.iter().map(|(id, _)| *id).collect();
        let digests = pool.finish_all(&ids).unwrap();
        for ((_, content), digests) in open.iter().zip(digests) {
            prop_assert!(digests == reference(AlgorithmSet::ALL, content));
        }
    }
}

/// So that a caller that fills every place always gets on.
#[test]
fn full_lanes_go_forward() {
    for path in Path::available() {
        let mut pool = StreamPool::on(path, AlgorithmSet::ALL, path.lanes(), 4_096);
        for _ in 0..path.lanes() {
            let id = pool.open().unwrap();
            pool.push(id, &[7; 100]).unwrap();
            pool.end(id).unwrap();
        }
        let told = pool.advance_full();
        assert_eq!(told.len(), path.lanes(), "{path:?}");
        assert!(told.iter().all(|(_, digests)| *digests == reference(AlgorithmSet::ALL, &[7; 100])));
        assert_eq!((pool.open_streams(), pool.advance_full().len()), (0, 0));
    }
}

/// The few that are left wait for company until the caller says that there is none.
#[test]
fn a_lone_stream_waits_until_all_advance() {
    for path in Path::available().filter(|path| path.lanes() > 1) {
        let mut pool = StreamPool::on(path, AlgorithmSet::ALL, 2, 4_096);
        let id = pool.open().unwrap();
        pool.push(id, b"alone").unwrap();
        pool.end(id).unwrap();
        assert!(pool.advance_full().is_empty());
        assert!(pool.advance_all() == [(id, reference(AlgorithmSet::ALL, b"alone"))]);
    }
}

#[test]
fn a_stream_ends_once() {
    let mut pool = StreamPool::new(AlgorithmSet::ALL, 2, 64);
    let (a, b) = (pool.open().unwrap(), pool.open().unwrap());
    pool.push(a, b"a").unwrap();
    assert_eq!(pool.finish_all(&[a, b, a]), Err(PoolError::NotOpen));
    assert_eq!(pool.open_streams(), 2, "a call that fails does nothing");
    assert!(pool.finish_all(&[b, a]).unwrap()[1] == reference(AlgorithmSet::ALL, b"a"));
    let again = pool.open().unwrap();
    assert_ne!(again, a, "a place that is used again is another stream");
    assert_eq!(
        pool.push(a, b"late").unwrap_err().to_string(),
        "the stream is not open: it was finished or closed before"
    );
    assert!(pool.finish(again) == Ok(reference(AlgorithmSet::ALL, b"")));
}

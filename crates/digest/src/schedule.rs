//! Many contents into few lanes.

use crate::kernel::{Kernel, Lanes, single};
use crate::midstate::{LaneSet, Midstate, Tail};
use crate::path::{Kind, Path};

/// Blocks of one content that a state is to be taken over.
pub(crate) struct Job<'a> {
    /// What the caller knows the job by.
    pub(crate) key: usize,
    pub(crate) state: Midstate,
    pub(crate) body: &'a [[u8; 64]],
    /// The end of the content, if it is reached.
    pub(crate) tail: Option<Tail>,
    /// Whether the job must be done now. Another one only fills lanes; see [`Until`].
    pub(crate) urgent: bool,
}

/// How far jobs that are not urgent are taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Until {
    /// Beside the urgent ones, where lanes would be empty, and no further.
    NoneUrgent,
    /// As long as three quarters of the lanes have a job. There is no urgent one.
    LanesEmpty,
}

/// Does all urgent jobs and some of the others. Tells `done` of each one that it touched its key, its new state, and how
/// many blocks of its body are left, in any order. If that is none, its tail was taken, too. None is left of an urgent one.
///
/// The urgent jobs come first. Among them the longest should: if it began late, it would be alone in the end.
pub(crate) fn run<'a>(
    path: Path,
    wanted: LaneSet,
    until: Until,
    jobs: impl Iterator<Item = Job<'a>>,
    mut done: impl FnMut(usize, &Midstate, usize),
) {
    match path.0 {
        #[cfg(target_arch = "x86_64")]
        Kind::Avx512(kernel) => in_lanes(kernel, wanted, until, jobs, done),
        #[cfg(target_arch = "x86_64")]
        Kind::Avx2AndSha(kernel) => in_lanes(kernel, wanted, until, jobs, done),
        #[cfg(target_arch = "x86_64")]
        Kind::Avx2(kernel) => in_lanes(kernel, wanted, until, jobs, done),
        // One lane, which any job fills.
        Kind::Portable => {
            for mut job in jobs.take_while(|job| job.urgent || until == Until::LanesEmpty) {
                alone(wanted, &mut job.state, job.body, job.tail.as_ref());
                done(job.key, &job.state, 0);
            }
        }
    }
}

fn alone(wanted: LaneSet, state: &mut Midstate, body: &[[u8; 64]], tail: Option<&Tail>) {
    single::advance(wanted, state, body);
    if let Some(tail) = tail {
        single::finish(wanted, state, tail);
    }
}

/// A job in a lane, where its state is kept. What is taken is taken from the job.
struct Slot<'a> {
    job: Job<'a>,
    /// Whether any block was taken here.
    begun: bool,
}

impl Slot<'_> {
    fn blocks_left(&self) -> usize {
        self.job.body.len() + self.job.tail.as_ref().map_or(0, |tail| tail.blocks().len())
    }

    /// What can be taken next in one piece, and whether that is the content's last block. Not empty if anything is left.
    fn piece(&self) -> (&[[u8; 64]], bool) {
        match &self.job.tail {
            Some(tail) if self.job.body.is_empty() => (&tail.blocks()[..1], tail.blocks().len() == 1),
            _ => (self.job.body, false),
        }
    }

    fn take(&mut self, blocks: usize) {
        self.begun = true;
        match self.job.body.split_at_checked(blocks) {
            Some((_, body)) => self.job.body = body,
            None => self.job.tail = self.job.tail.take().and_then(Tail::without_first),
        }
    }
}

pub(crate) fn in_lanes<'a, K: Kernel<L>, const L: usize>(
    kernel: K,
    wanted: LaneSet,
    until: Until,
    mut jobs: impl Iterator<Item = Job<'a>>,
    mut done: impl FnMut(usize, &Midstate, usize),
) {
    let mut lanes = Lanes::<L>::new();
    let mut slots: [Option<Slot<'a>>; L] = [const { None }; L];
    let mut exhausted = false;
    loop {
        for (lane, slot) in slots.iter_mut().enumerate() {
            while slot.is_none() && !exhausted {
                match jobs.next().map(|job| Slot { job, begun: false }) {
                    None => exhausted = true,
                    Some(next) if next.blocks_left() == 0 => done(next.job.key, &next.job.state, 0),
                    Some(next) => {
                        lanes.set(lane, &next.job.state);
                        *slot = Some(next);
                    }
                }
            }
        }
        let mut taken = slots.iter().flatten();
        let ends = match until {
            Until::NoneUrgent => {
                !taken.clone().any(|slot| slot.job.urgent)
                    || exhausted && !lanes_win(wanted, taken.map(Slot::blocks_left))
            }
            Until::LanesEmpty => exhausted && taken.by_ref().count() * 4 < L * 3,
        };
        if ends {
            break;
        }
        advance(kernel, wanted, &mut lanes, &mut slots);
        for (lane, slot) in slots.iter_mut().enumerate() {
            if let Some(ended) = slot.take_if(|slot| slot.blocks_left() == 0) {
                done(ended.job.key, &lanes.get(lane), 0);
            }
        }
    }
    for (lane, slot) in slots.into_iter().enumerate() {
        if let Some(Slot { job, begun }) = slot
            && (job.urgent || begun)
        {
            let mut state = lanes.get(lane);
            // A tail is never left over in part.
            if job.urgent || job.body.is_empty() {
                alone(wanted, &mut state, job.body, job.tail.as_ref());
                done(job.key, &state, 0);
            } else {
                done(job.key, &state, job.body.len());
            }
        }
    }
}

/// Takes all lanes as far as the shortest piece allows. At least one slot must be taken.
fn advance<K: Kernel<L>, const L: usize>(
    kernel: K,
    wanted: LaneSet,
    lanes: &mut Lanes<L>,
    slots: &mut [Option<Slot<'_>>; L],
) {
    let shortest = slots.iter().flatten().map(|slot| slot.piece().0.len()).min();
    let shortest = shortest.expect("lanes only win if one of them has blocks");
    // A lane without a job does some other lane's blocks, and nobody looks at what comes of it.
    let any = slots.iter().flatten().next().map_or(&[][..], |slot| slot.piece().0);
    let mut blocks = [&any[..shortest]; L];
    for (lane, slot) in slots.iter().enumerate() {
        let (piece, last) = slot.as_ref().map_or((any, false), Slot::piece);
        blocks[lane] = &piece[..shortest];
        lanes.set_last(lane, last);
    }
    kernel.advance(wanted, lanes, &blocks);
    slots.iter_mut().flatten().for_each(|slot| slot.take(shortest));
}

/// Whether the lanes are sooner done with what is left than single-stream code is. A pass through the lanes takes the same
/// time however many are empty.
fn lanes_win(wanted: LaneSet, blocks_left: impl Iterator<Item = usize>) -> bool {
    let (sum, longest) = blocks_left.fold((0, 0), |(sum, longest), left| (sum + left, left.max(longest)));
    sum * 10 > longest * pass_cost_tenths(wanted)
}

/// What a block in every lane costs, in tenths of what a block costs single-stream code. The figures are those of one
/// processor (see docs/performance.md) and about right for the others: they decide speed alone.
fn pass_cost_tenths(wanted: LaneSet) -> usize {
    match wanted {
        LaneSet { md5: true, sha1: false, sha256: false } => 12,
        LaneSet { md5: true, sha1: true, sha256: false } => 18,
        LaneSet { md5: true, sha1: false, sha256: true } => 30,
        LaneSet { md5: true, sha1: true, sha256: true } | LaneSet { md5: false, .. } => 45,
    }
}

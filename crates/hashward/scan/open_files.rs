//! How many files may be open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that a digesting thread has open at a time, if it may: three for each lane that a processor has.
const FILES_PER_THREAD: usize = 48;
/// What is left for everything else: standard streams, lists, folders of the walk.
const OTHERS: u64 = 128;

/// How many files each of so many threads may have open. Asks the system for more first, if it allows less.
pub(crate) fn each(threads: usize) -> usize {
    let wanted = (threads * FILES_PER_THREAD) as u64 + OTHERS;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < wanted) {
        let current = Some(limit.maximum.map_or(wanted, |maximum| maximum.min(wanted)));
        // If that is refused, what is allowed must do.
        let _ = setrlimit(Resource::Nofile, Rlimit { current, ..limit });
    }
    share(getrlimit(Resource::Nofile).current, threads)
}

/// A thread's share of what is allowed: at least one.
fn share(allowed: Option<u64>, threads: usize) -> usize {
    let allowed = allowed.unwrap_or(u64::MAX).saturating_sub(OTHERS) / threads as u64;
    usize::try_from(allowed).map_or(FILES_PER_THREAD, |share| share.clamp(1, FILES_PER_THREAD))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_fit_into_what_is_allowed() {
        assert_eq!(share(Some(1024), 2), FILES_PER_THREAD);
        assert_eq!(share(Some(1024), 64), 14);
        assert_eq!(share(Some(10), 64), 1);
        assert_eq!(share(None, 4096), FILES_PER_THREAD);
    }
}

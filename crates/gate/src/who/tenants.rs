//! What one tenant may use up: requests and matches as buckets that fill again, and requests at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What each tenant may use up.
#[derive(Clone, Copy, Debug)]
pub struct TenantLimits {
    /// Requests in a second, in the long run. 0: any number.
    pub requests_per_second: u32,
    /// Requests that may come at once beyond that.
    pub requests_burst: u32,
    /// Requests under way at a time.
    pub requests_at_a_time: u64,
    /// Matches that are answered about in an hour, in the long run and at once. 0: any number. Whoever has more of them
    /// either has a flood, or probes the lists.
    pub matches_per_hour: u32,
}

impl Default for TenantLimits {
    /// No limit of rates; 1,024 requests at a time.
    fn default() -> Self {
        Self { requests_per_second: 0, requests_burst: 0, requests_at_a_time: 1024, matches_per_hour: 0 }
    }
}

/// So many tenants are known at a time. Beyond it those whose buckets are full again are forgotten.
const TENANTS_MAX: usize = 100_000;

/// What all tenants have used. Clones are the same.
#[derive(Clone, Debug)]
pub struct Tenants {
    limits: TenantLimits,
    all: Arc<Mutex<HashMap<String, Used>>>,
}

#[derive(Debug)]
struct Used {
    under_way: u64,
    requests: Bucket,
    matches: Bucket,
}

/// A token bucket.
#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    /// Fills it up to now.
    fn fill(&mut self, now: Instant, per_second: f64, most: f64) {
        let since = now.saturating_duration_since(self.filled).as_secs_f64();
        self.tokens = (self.tokens + since * per_second).min(most);
        self.filled = now;
    }
}

/// What a tenant has used up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UsedUp {
    /// Requests in a second, or requests at a time.
    Requests {
        /// After how long there is room again.
        again: Duration,
    },
    /// Matches in an hour.
    Matches {
        /// After how long there is room again.
        again: Duration,
    },
}

/// A request under way, until it is dropped.
#[derive(Debug)]
pub struct UnderWay {
    tenants: Tenants,
    tenant: String,
}

impl Tenants {
    /// Tenants who have used nothing yet.
    pub fn new(limits: TenantLimits) -> Self {
        Self { limits, all: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Used>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn burst(&self) -> f64 {
        f64::from(self.limits.requests_burst.max(1)) + f64::from(self.limits.requests_per_second)
    }

    /// Takes a request of a tenant at `now`, if there is room for it.
    pub fn request(&self, tenant: &str, now: Instant) -> Result<UnderWay, UsedUp> {
        let limits = &self.limits;
        let (burst, matches_max) = (self.burst(), f64::from(limits.matches_per_hour));
        let per_second = matches_max / 3600.0;
        let mut all = self.lock();
        if all.len() >= TENANTS_MAX && !all.contains_key(tenant) {
            all.retain(|_, used| {
                used.requests.fill(now, f64::from(limits.requests_per_second), burst);
                used.matches.fill(now, per_second, matches_max);
                used.under_way > 0 || used.requests.tokens < burst || used.matches.tokens < matches_max
            });
        }
        let full = |tokens| Bucket { tokens, filled: now };
        let used = all.entry(tenant.to_owned()).or_insert_with(|| Used {
            under_way: 0,
            requests: full(burst),
            matches: full(matches_max),
        });
        if limits.matches_per_hour > 0 {
            used.matches.fill(now, per_second, matches_max);
            if used.matches.tokens < 1.0 {
                let again = Duration::from_secs_f64((1.0 - used.matches.tokens) / per_second);
                return Err(UsedUp::Matches { again });
            }
        }
        if used.under_way >= limits.requests_at_a_time {
            return Err(UsedUp::Requests { again: Duration::from_secs(1) });
        }
        if limits.requests_per_second > 0 {
            used.requests.fill(now, f64::from(limits.requests_per_second), burst);
            if used.requests.tokens < 1.0 {
                let wait = (1.0 - used.requests.tokens) / f64::from(limits.requests_per_second);
                return Err(UsedUp::Requests { again: Duration::from_secs_f64(wait) });
            }
            used.requests.tokens -= 1.0;
        }
        used.under_way += 1;
        drop(all);
        Ok(UnderWay { tenants: self.clone(), tenant: tenant.to_owned() })
    }
}

impl UnderWay {
    /// So many matches were answered about. They may use up more than there is: then the tenant waits the longer.
    pub fn matched(&self, matches: usize) {
        if let Some(used) = self.tenants.lock().get_mut(&self.tenant) {
            used.matches.tokens -= f64::from(u32::try_from(matches).unwrap_or(u32::MAX));
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(used) = self.tenants.lock().get_mut(&self.tenant) {
            used.under_way -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> TenantLimits {
        TenantLimits {
            requests_per_second: 2,
            requests_burst: 3,
            requests_at_a_time: 4,
            matches_per_hour: 3600,
        }
    }

    #[test]
    fn requests_come_at_their_rate() {
        let tenants = Tenants::new(limits());
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        // Two of the rate and three beyond.
        for _ in 0..5 {
            drop(tenants.request("a", start).unwrap());
        }
        let again = Duration::from_millis(500);
        assert_eq!(tenants.request("a", start).err(), Some(UsedUp::Requests { again }));
        assert!(tenants.request("b", start).is_ok(), "others are others");
        assert!(tenants.request("a", at(499)).is_err());
        assert!(tenants.request("a", at(500)).is_ok());
        assert!(tenants.request("a", at(501)).is_err());
    }

    #[test]
    fn requests_at_a_time_are_bounded() {
        let tenants = Tenants::new(TenantLimits { requests_per_second: 0, ..limits() });
        let now = Instant::now();
        let mut under_way: Vec<_> = (0..4).map(|_| tenants.request("a", now).unwrap()).collect();
        assert!(tenants.request("a", now).is_err());
        under_way.pop();
        assert!(tenants.request("a", now).is_ok());
    }

    #[test]
    fn probing_ends_when_the_matches_are_used_up() {
        let tenants = Tenants::new(TenantLimits { requests_per_second: 0, ..limits() });
        let start = Instant::now();
        let turn = tenants.request("a", start).unwrap();
        turn.matched(3600 + 9);
        drop(turn);
        let again = Duration::from_secs(10);
        assert_eq!(tenants.request("a", start).err(), Some(UsedUp::Matches { again }));
        assert!(tenants.request("a", start + again).is_ok());
    }
}

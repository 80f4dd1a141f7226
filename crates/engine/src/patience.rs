use std::time::{Duration, Instant};

use tracing::{info, warn};

use crate::{Health, Metrics, Part, PortError};

/// Bears with a part of the delivery that is unavailable, for a time.
#[derive(Debug, Default)]
pub struct Patience {
    /// Since when it fails, and the pause before it is asked again.
    failing: Option<(Instant, Duration)>,
}

/// The first and the longest pause between two attempts at what fails.
const RETRY_FIRST: Duration = Duration::from_millis(50);
const RETRY_LONGEST: Duration = Duration::from_secs(2);

impl Patience {
    /// Takes an attempt that went well all the way.
    pub fn relieved(&mut self, health: &Health) {
        if let Some((since, _)) = self.failing.take() {
            info!(after_s = since.elapsed().as_secs_f64(), "delivery works again");
            health.ready(Part::Delivery);
        }
    }

    /// Takes an attempt that failed, and pauses. Gives the error back when it cannot pass, or has not passed for
    /// `unavailable_max`.
    pub fn bear(
        &mut self,
        error: PortError,
        unavailable_max: Duration,
        metrics: &Metrics,
        health: &Health,
    ) -> Result<(), PortError> {
        metrics.delivery_failed();
        let PortError::Unavailable { .. } = error else { return Err(error) };
        let (since, pause) = self.failing.unwrap_or_else(|| {
            warn!(%error, "delivery fails, trying again");
            (Instant::now(), RETRY_FIRST)
        });
        if since.elapsed() >= unavailable_max {
            return Err(error);
        }
        health.not_ready(Part::Delivery, error.to_string());
        std::thread::sleep(pause);
        self.failing = Some((since, (pause * 2).min(RETRY_LONGEST)));
        Ok(())
    }
}

//! How long to wait, and how often to try.

use std::time::Duration;

/// How patient a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Until a connection stands.
    pub connect: Duration,
    /// For one attempt at a call, answer included.
    pub attempt: Duration,
    /// How often one call is tried, at least once.
    pub attempts: u32,
    /// Before the second attempt; doubled before each further one.
    pub first_pause: Duration,
    /// No pause is longer, whatever Label Studio asks for.
    pub longest_pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            // Importing a batch of tasks takes Label Studio a while.
            attempt: Duration::from_secs(120),
            attempts: 5,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(30),
        }
    }
}

impl Patience {
    /// How long to wait after so many failed attempts: as Label Studio asked, else longer each time. Up to a quarter more,
    /// so that those that failed together do not come back together.
    pub(crate) fn pause(&self, failed: u32, asked: Option<Duration>) -> Duration {
        let doubled = self.first_pause.saturating_mul(1 << failed.saturating_sub(1).min(16));
        let pause = asked.unwrap_or(doubled).mul_f64(1.0 + 0.25 * rand::random::<f64>());
        pause.min(self.longest_pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_bound_and_heed_what_is_asked_for() {
        let patience = Patience {
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(10),
            ..Patience::default()
        };
        for (failed, at_least) in [(1, 1), (2, 2), (3, 4), (4, 8)] {
            let pause = patience.pause(failed, None);
            let at_least = Duration::from_secs(at_least);
            assert!(
                pause >= at_least && pause <= (at_least * 5 / 4).min(patience.longest_pause),
                "{failed}: {pause:?}"
            );
        }
        assert_eq!(patience.pause(60, None), patience.longest_pause);
        assert!(patience.pause(1, Some(Duration::from_secs(6))) >= Duration::from_secs(6));
        assert_eq!(patience.pause(1, Some(Duration::from_secs(3600))), patience.longest_pause);
    }
}

//! Slows down whoever guesses passwords.
//!
//! Tries are counted in memory: a counter in the catalog would let an attacker order a commit with each guess, and
//! what is lost with a restart is a delay of minutes. With several servers each counts what it sees.
//!
//! Two counters see each try: the client's, and the account's. After a few tries each further one has to wait, twice as
//! long every time, up to a limit. A try counts before its password is checked, so that many at once gain nothing. So
//! that nobody can keep the owner of an account out by guessing it all day, a browser that has signed in to the account
//! before is counted by itself instead of with the account.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::Mutex,
    time::{Duration, Instant},
};

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Counter {
    /// Tries from one network.
    Client(IpAddr),
    /// Tries to get into one account (its name's key) from browsers it does not know.
    Account(String),
    /// Tries from one browser that the account knows.
    Browser(String),
}

impl Counter {
    /// Tries that nobody has to wait for.
    fn free(&self) -> u32 {
        match self {
            // Several people may share an address.
            Self::Client(_) => 10,
            Self::Account(_) | Self::Browser(_) => 5,
        }
    }
}

/// The longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_secs(5 * 60);
/// A counter is forgotten when there was no try for so long.
const FORGET_AFTER: Duration = Duration::from_secs(60 * 60);
/// Counters that are kept; past that, the one that was quiet the longest goes.
const MOST_COUNTERS: usize = 20_000;

#[derive(Clone, Copy, Debug)]
struct Tries {
    failed: u32,
    /// The last try that was let pass: waits begin there.
    last: Instant,
    /// The last try at all.
    seen: Instant,
}

/// Counts failed sign-ins.
#[derive(Debug, Default)]
pub struct SignInThrottle(Mutex<HashMap<Counter, Tries>>);

impl SignInThrottle {
    /// Lets a try pass, counting it as failed until [`succeeded`](Self::succeeded); or says how long to wait, counting
    /// nothing.
    pub fn admit(&self, counters: &[Counter], now: Instant) -> Result<(), Duration> {
        let mut tries = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let wait = counters
            .iter()
            .filter_map(|counter| {
                let entry = tries.get_mut(counter)?;
                entry.seen = now;
                Some(left_to_wait(counter, *entry, now))
            })
            .max();
        if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
            return Err(wait);
        }
        for counter in counters {
            if tries.len() >= MOST_COUNTERS && !tries.contains_key(counter) {
                make_room(&mut tries, now);
            }
            let entry = tries.entry(counter.clone()).or_insert(Tries { failed: 0, last: now, seen: now });
            if now.saturating_duration_since(entry.last) >= FORGET_AFTER {
                entry.failed = 0;
            }
            *entry = Tries { failed: entry.failed.saturating_add(1), last: now, seen: now };
        }
        Ok(())
    }

    /// The try that was let pass gave the right password. What was counted for the account and the browser is
    /// forgotten; for the client only this try is, or an attacker with an account could wash off their guesses.
    pub fn succeeded(&self, counters: &[Counter]) {
        let mut tries = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for counter in counters {
            match counter {
                Counter::Client(_) => {
                    if let Some(entry) = tries.get_mut(counter) {
                        entry.failed = entry.failed.saturating_sub(1);
                    }
                }
                Counter::Account(_) | Counter::Browser(_) => {
                    tries.remove(counter);
                }
            }
        }
    }
}

fn left_to_wait(counter: &Counter, tries: Tries, now: Instant) -> Duration {
    let since = now.saturating_duration_since(tries.last);
    let Some(beyond) = tries.failed.checked_sub(counter.free()) else { return Duration::ZERO };
    let doubled = 1_u64.checked_shl(beyond).unwrap_or(u64::MAX);
    Duration::from_secs(doubled).min(LONGEST_WAIT).saturating_sub(since)
}

fn make_room(tries: &mut HashMap<Counter, Tries>, now: Instant) {
    tries.retain(|_, entry| now.saturating_duration_since(entry.seen) < FORGET_AFTER);
    if tries.len() >= MOST_COUNTERS
        && let Some(quietest) = tries.iter().min_by_key(|(_, entry)| entry.seen).map(|(counter, _)| counter.clone())
    {
        tries.remove(&quietest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(last: u8) -> Counter {
        Counter::Client(IpAddr::from([192, 0, 2, last]))
    }

    fn account(name: &str) -> Counter {
        Counter::Account(name.to_owned())
    }

    #[test]
    fn a_few_tries_are_free_and_then_the_wait_doubles_up_to_a_limit() {
        let throttle = SignInThrottle::default();
        let mut now = Instant::now();
        for _ in 0..5 {
            assert_eq!(throttle.admit(&[account("ann")], now), Ok(()));
        }
        let mut waits = Vec::new();
        for _ in 0..12 {
            let wait = throttle.admit(&[account("ann")], now).expect_err("one has to wait now");
            assert!(throttle.admit(&[account("ann")], now + wait - Duration::from_millis(1)).is_err(), "not before");
            waits.push(wait.as_secs());
            now += wait;
            assert_eq!(throttle.admit(&[account("ann")], now), Ok(()), "and then once");
        }
        assert_eq!(waits[..5], [1, 2, 4, 8, 16]);
        assert_eq!(waits[11], LONGEST_WAIT.as_secs(), "never out for good");
        now += FORGET_AFTER;
        for _ in 0..5 {
            assert_eq!(throttle.admit(&[account("ann")], now), Ok(()), "an hour later all is forgotten");
        }
    }

    #[test]
    fn many_at_once_are_counted_before_any_is_checked() {
        let throttle = SignInThrottle::default();
        let now = Instant::now();
        let passed = (0..100).filter(|last| throttle.admit(&[client(*last), account("ann")], now).is_ok()).count();
        assert_eq!(passed, 5, "from a hundred addresses");
        let passed = (0..100).filter(|n| throttle.admit(&[client(7), account(&n.to_string())], now).is_ok()).count();
        assert!(passed <= 10, "for a hundred accounts: {passed}");
    }

    #[test]
    fn what_is_refused_is_not_counted() {
        let throttle = SignInThrottle::default();
        let now = Instant::now();
        while throttle.admit(&[account("ann")], now).is_ok() {}
        for _ in 0..50 {
            assert_eq!(throttle.admit(&[account("ann"), client(1)], now), Err(Duration::from_secs(1)));
        }
        assert_eq!(throttle.admit(&[client(1)], now), Ok(()));
    }

    #[test]
    fn whoever_signs_in_starts_anew_but_their_address_does_not() {
        let throttle = SignInThrottle::default();
        let now = Instant::now();
        for round in 0..20 {
            let guess = throttle.admit(&[client(1), account("ann")], now);
            let own = throttle.admit(&[client(1), account("mallory")], now);
            if guess.is_err() || own.is_err() {
                assert!(round >= 9, "{round}");
                return;
            }
            throttle.succeeded(&[client(1), account("mallory")]);
            throttle.succeeded(&[account("ann")]);
        }
        panic!("an attacker with an account may guess for ever");
    }

    #[test]
    fn a_known_browser_is_not_kept_out_by_what_others_try() {
        let throttle = SignInThrottle::default();
        let now = Instant::now();
        for last in 0..200 {
            let _ = throttle.admit(&[client(last), account("ann")], now);
        }
        assert!(throttle.admit(&[client(201), account("ann")], now).is_err());
        assert_eq!(throttle.admit(&[client(202), Counter::Browser("hers".to_owned())], now), Ok(()));
    }

    #[test]
    fn memory_is_bounded_and_the_busiest_counter_stays() {
        let throttle = SignInThrottle::default();
        let start = Instant::now();
        for n in 0..MOST_COUNTERS + 100 {
            let now = start + Duration::from_micros(n as u64);
            let _ = throttle.admit(&[account(&n.to_string())], now);
            let _ = throttle.admit(&[account("ann")], now);
        }
        let tries = throttle.0.lock().unwrap();
        assert!(tries.len() <= MOST_COUNTERS);
        assert!(tries.contains_key(&account("ann")));
    }
}

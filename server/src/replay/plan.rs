//! The plan of a replay: who sends which photo when, and in what mood. A pure function of photos, settings and seed.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use gourmetgram_api::PredictionId;
use rand::{Rng, SeedableRng, distr::Distribution, distr::weighted::WeightedIndex, seq::SliceRandom};
use rand_chacha::ChaCha12Rng;
use sha2::{Digest, Sha256};

use super::{
    ids::{self, RunKey},
    people::{LONGEST_WAIT, Mood, Shares},
    rhythm,
};

/// How the number of photos falls with a visitor's rank: a few send many, most send one.
const FAITHFULNESS: f64 = 1.1;
/// Photos a visitor sends on average, where their number is not given.
const PHOTOS_A_VISITOR: usize = 4;

/// When photos arrive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arrivals {
    /// By chance, so many a second on average (a Poisson process).
    Rate(f64),
    /// By chance, spread over this time (a Poisson process of which the number of arrivals is known).
    Over(TimeDelta),
}

/// What shapes a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Traffic {
    /// The same seed makes the same plan.
    pub seed: u64,
    /// At most so many photos.
    pub limit: Option<usize>,
    /// So many simulated visitors.
    pub visitors: Option<u32>,
    /// When photos arrive.
    pub arrivals: Arrivals,
    /// Whether people eat and sleep: more photos at mealtimes, few at night.
    pub rhythm: bool,
    /// How often people say something.
    pub shares: Shares,
    /// When it begins, where that is fixed.
    pub start: Option<DateTime<Utc>>,
}

/// One photo that somebody sends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Visit {
    /// Its place in the plan.
    pub number: u32,
    /// Which of the source's photos.
    pub picture: usize,
    /// Who.
    pub visitor: u32,
    /// What they will do with the answer.
    pub mood: Mood,
    /// Share of the whole (with `Arrivals::Over`) or milliseconds (with `Arrivals::Rate`) that has passed by then.
    moment: f64,
}

/// The plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What it was made from.
    pub traffic: Traffic,
    /// Names it.
    pub key: RunKey,
    /// How many visitors there are.
    pub visitors: u32,
    /// In the order of time.
    pub visits: Vec<Visit>,
}

impl Plan {
    /// Plans a replay of so many photos; `fingerprint` tells one source from another.
    pub fn new(photos: usize, fingerprint: &[u8], traffic: Traffic) -> Self {
        let stream = |number: u64| {
            let mut random = ChaCha12Rng::seed_from_u64(traffic.seed);
            random.set_stream(number);
            random
        };
        let mut order: Vec<usize> = (0..photos).collect();
        order.shuffle(&mut stream(0));
        order.truncate(traffic.limit.unwrap_or(photos));

        let mut random = stream(1);
        let mut moments: Vec<f64> = match traffic.arrivals {
            Arrivals::Over(_) => order.iter().map(|_| random.random()).collect(),
            Arrivals::Rate(rate) => order
                .iter()
                .scan(0.0, |passed, _| {
                    *passed += -1000.0 * (1.0 - random.random::<f64>()).ln() / rate;
                    Some(*passed)
                })
                .collect(),
        };
        moments.sort_by(f64::total_cmp);

        let usual = u32::try_from(order.len() / PHOTOS_A_VISITOR).unwrap_or(u32::MAX);
        let visitors = traffic.visitors.unwrap_or(usual).max(1);
        let mut random = stream(2);
        let faithful = WeightedIndex::new((1..=visitors).map(|rank| f64::from(rank).powf(-FAITHFULNESS))).ok();
        let mut moods = stream(3);
        let visits = (0..)
            .zip(order.iter().zip(moments))
            .map(|(number, (picture, moment))| Visit {
                number,
                picture: *picture,
                visitor: faithful.as_ref().map_or(0, |faithful| faithful.sample(&mut random) as u32),
                mood: Mood::draw(&mut moods),
                moment,
            })
            .collect();

        let mut hash = Sha256::new_with_prefix(b"gourmetgram replay 1\0");
        hash.update(fingerprint);
        hash.update(format!("{traffic:?} {visitors} {}", order.len()));
        Self { key: RunKey::new(hash), traffic, visitors, visits }
    }

    /// How long it takes in simulated time, people's last words included.
    pub fn length(&self) -> TimeDelta {
        match self.traffic.arrivals {
            Arrivals::Over(length) => length,
            Arrivals::Rate(_) => {
                let last = self.visits.last().map_or(0.0, |visit| visit.moment);
                // Nights stretch a time by far less than this.
                let stretch = if self.traffic.rhythm { 86_400_000.0 } else { 0.0 };
                TimeDelta::milliseconds((last + stretch) as i64 + LONGEST_WAIT)
            }
        }
    }

    /// The start of a run that ends at `end`. With a rhythm it is a whole minute, so that it can be found again.
    pub fn start_for_end(&self, end: DateTime<Utc>) -> DateTime<Utc> {
        let start = end - self.length();
        let step = if self.traffic.rhythm { TimeDelta::minutes(1) } else { TimeDelta::milliseconds(1) };
        start.duration_trunc(step).unwrap_or(start)
    }

    /// When a visit happens in a run that begins at `start`, to the millisecond.
    pub fn time(&self, visit: &Visit, start: DateTime<Utc>) -> DateTime<Utc> {
        let after = match self.traffic.arrivals {
            Arrivals::Rate(_) if self.traffic.rhythm => rhythm::after_busy(start, visit.moment),
            Arrivals::Rate(_) => visit.moment as i64,
            Arrivals::Over(length) => {
                let last = (length - TimeDelta::milliseconds(LONGEST_WAIT)).max(TimeDelta::zero());
                if self.traffic.rhythm {
                    rhythm::after_busy(start, visit.moment * rhythm::busy_between(start, start + last))
                } else {
                    (visit.moment * last.num_milliseconds() as f64) as i64
                }
            }
        };
        start + TimeDelta::milliseconds(after)
    }

    /// The id of a visit in a run that begins at `start`.
    pub fn id(&self, visit: &Visit, start: DateTime<Utc>) -> Option<PredictionId> {
        self.key.visit_id(visit.number, self.time(visit, start))
    }

    /// When the run began that made this id; nothing if it is not of this plan.
    pub fn start_of(&self, id: PredictionId) -> Option<DateTime<Utc>> {
        let at = ids::time_of(id)?;
        let visit = self.visits.iter().find(|visit| self.key.visit_id(visit.number, at) == Some(id))?;
        if !self.traffic.rhythm {
            let start = at - (self.time(visit, at) - at);
            return (self.time(visit, start) == at).then_some(start);
        }
        let minutes = self.length().num_minutes() + 2;
        let last = at.duration_trunc(TimeDelta::minutes(1)).ok()?;
        (0..=minutes).map(|back| last - TimeDelta::minutes(back)).find(|start| self.time(visit, *start) == at)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn traffic(seed: u64, arrivals: Arrivals, rhythm: bool) -> Traffic {
        Traffic { seed, limit: None, visitors: None, arrivals, rhythm, shares: Shares::default(), start: None }
    }

    fn a_start() -> DateTime<Utc> {
        "2026-11-17T16:23:00Z".parse().unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn the_same_seed_makes_the_same_plan(seed: u64, photos in 0..200usize, rhythm: bool) {
            let week = Arrivals::Over(TimeDelta::days(7));
            let plan = Plan::new(photos, b"photos", traffic(seed, week, rhythm));
            prop_assert_eq!(&plan, &Plan::new(photos, b"photos", traffic(seed, week, rhythm)));
            let other = Plan::new(photos, b"photos", traffic(seed ^ 1, week, rhythm));
            prop_assert_ne!(plan.key, other.key);
            prop_assert_ne!(plan.key, Plan::new(photos, b"others", traffic(seed, week, rhythm)).key);
        }

        #[test]
        fn every_photo_is_sent_once_within_the_time_and_in_its_order(seed: u64, photos in 1..200usize, rhythm: bool) {
            let plan = Plan::new(photos, b"", traffic(seed, Arrivals::Over(TimeDelta::hours(50)), rhythm));
            let mut pictures: Vec<usize> = plan.visits.iter().map(|visit| visit.picture).collect();
            pictures.sort_unstable();
            prop_assert_eq!(pictures, (0..photos).collect::<Vec<_>>());
            let times: Vec<_> = plan.visits.iter().map(|visit| plan.time(visit, a_start())).collect();
            prop_assert!(times.is_sorted());
            prop_assert!(times[0] >= a_start());
            prop_assert!(times[photos - 1] + TimeDelta::milliseconds(LONGEST_WAIT) <= a_start() + plan.length());
        }

        #[test]
        fn the_start_is_found_again_from_any_id(seed: u64, which in 0..40usize, rhythm: bool, by_rate: bool) {
            let arrivals = if by_rate { Arrivals::Rate(0.01) } else { Arrivals::Over(TimeDelta::hours(50)) };
            let plan = Plan::new(40, b"", traffic(seed, arrivals, rhythm));
            let id = plan.id(&plan.visits[which], a_start()).unwrap();
            prop_assert_eq!(plan.start_of(id), Some(a_start()));
            let other = Plan::new(40, b"other", traffic(seed, arrivals, rhythm));
            prop_assert_eq!(other.start_of(id), None);
        }
    }

    #[test]
    fn photos_arrive_at_the_rate() {
        let plan = Plan::new(20_000, b"", traffic(5, Arrivals::Rate(4.0), false));
        let seconds = plan.visits.last().unwrap().moment / 1000.0;
        // 20,000 waits of 0.25 s: five standard deviations are 177 s.
        assert!((seconds - 5000.0).abs() < 177.0, "{seconds}");
    }

    #[test]
    fn visitors_return_some_of_them_often() {
        let plan = Plan::new(2000, b"", traffic(5, Arrivals::Rate(1.0), false));
        let mut photos: BTreeMap<u32, usize> = BTreeMap::new();
        for visit in &plan.visits {
            *photos.entry(visit.visitor).or_default() += 1;
        }
        let mut counts: Vec<usize> = photos.into_values().collect();
        counts.sort_unstable();
        let (median, most) = (counts[counts.len() / 2], counts[counts.len() - 1]);
        assert!(counts.len() > 200 && median <= 4 && most > 100, "{} {median} {most}", counts.len());
    }

    #[test]
    fn a_limit_takes_that_many() {
        let limited = Traffic { limit: Some(3), ..traffic(1, Arrivals::Rate(1.0), false) };
        assert_eq!(Plan::new(10, b"", limited.clone()).visits.len(), 3);
        assert_eq!(Plan::new(2, b"", limited).visits.len(), 2);
    }
}

//! The draw: which photos of an interval are labelled, and with which probability they were to be.
//!
//! Two draws over the same photos, independent of each other: the random sample of all of them, and of each special
//! stratum everything or so many. A photo that both take is taken once.

use std::collections::HashSet;

use gourmetgram_api::{DeviceComparison, FlagReason};
use gourmetgram_evaluation::{Oversampling, RandomSample, Stratum, StratumSizes};
use uuid::Uuid;

use super::{
    Plan,
    chance::{Chance, unit},
};

/// What is known of a photo when it is considered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// The prediction's id.
    pub id: Uuid,
    /// Whether its answer counts as unsure: [`Plan::is_unsure`].
    pub unsure: bool,
    /// The standing flag.
    pub flag: Option<FlagReason>,
    /// Whether a correction stands.
    pub corrected: bool,
    /// What the visitor's device answered, beside the server.
    pub device: Option<DeviceComparison>,
}

/// What was decided about one photo.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decision {
    /// The prediction's id.
    pub id: Uuid,
    /// Where it stood.
    pub stratum: Stratum,
    /// π: how probable it was that the photo would be chosen, over all ways; 0 where the rule leaves it no way.
    pub inclusion: f64,
    /// Whether it is to be labelled.
    pub chosen: bool,
    /// Whether the random sample took it, whatever else did.
    pub by_random_sample: bool,
    /// Not chosen, and nobody doubts the answer: not the model, no flag, no correction.
    pub confident: bool,
    /// Where its task stands in the order in which tasks are shown.
    pub place: i64,
    /// Whether two people label it, where it is chosen.
    pub twice: bool,
}

/// How many photos of each stratum, in the order of [`Stratum::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Considered: N_h.
    pub considered: StratumSizes,
    /// Chosen.
    pub chosen: StratumSizes,
    /// Not chosen, and sure.
    pub confident: u64,
    /// Chosen, and to be labelled by two people.
    pub twice: u64,
}

/// What came of a draw.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draw {
    /// One for each photo, in the order of ids.
    pub decisions: Vec<Decision>,
    /// What they add up to.
    pub tally: Tally,
}

impl Plan {
    /// Decides over photos, each of which comes once. Neither their order nor anything but `seed` and their ids leads
    /// chance.
    pub fn draw(&self, seed: u32, double_share: f64, photos: &[Candidate]) -> Draw {
        let mut considered = StratumSizes::default();
        let mut drawn: Vec<(Candidate, Stratum, Chance)> = photos
            .iter()
            .map(|photo| {
                let stratum = self.stratum(photo);
                considered.0[stratum.index()] += 1;
                (*photo, stratum, Chance::of(seed, photo.id))
            })
            .collect();
        drawn.sort_unstable_by_key(|(photo, ..)| photo.id);

        let sampled = match self.random() {
            Some(RandomSample::Count(count)) => {
                smallest(count.get(), drawn.iter().map(|(photo, _, chance)| (chance.random_sample, photo.id)))
            }
            _ => HashSet::new(),
        };
        let by_random_sample = |photo: Uuid, chance: &Chance| match self.random() {
            None => false,
            Some(RandomSample::Rate(rate)) => unit(chance.random_sample) < rate.get(),
            Some(RandomSample::Count(_)) => sampled.contains(&photo),
        };
        let capped = Stratum::ALL.map(|stratum| match self.oversampling(stratum) {
            Oversampling::AtMost(cap) => {
                let own = drawn.iter().filter(|(_, own, _)| *own == stratum);
                smallest(cap.get(), own.map(|(photo, _, chance)| (chance.stratum, photo.id)))
            }
            Oversampling::Everything | Oversampling::Nothing => HashSet::new(),
        });
        let inclusion = Stratum::ALL.map(|stratum| self.inclusion(stratum, considered));

        let mut draw =
            Draw { decisions: Vec::with_capacity(drawn.len()), tally: Tally { considered, ..Tally::default() } };
        for (photo, stratum, chance) in drawn {
            let by_random_sample = by_random_sample(photo.id, &chance);
            let by_stratum = match self.oversampling(stratum) {
                Oversampling::Everything => true,
                Oversampling::AtMost(_) => capped[stratum.index()].contains(&photo.id),
                Oversampling::Nothing => false,
            };
            let chosen = by_random_sample || by_stratum;
            let confident = !chosen && !photo.unsure && photo.flag.is_none() && !photo.corrected;
            let twice = chosen && unit(chance.double) < double_share;
            draw.tally.chosen.0[stratum.index()] += u64::from(chosen);
            draw.tally.confident += u64::from(confident);
            draw.tally.twice += u64::from(twice);
            draw.decisions.push(Decision {
                id: photo.id,
                stratum,
                inclusion: inclusion[stratum.index()],
                chosen,
                by_random_sample,
                confident,
                // 53 bits: a number that JSON's readers keep.
                place: (chance.place >> 11).cast_signed(),
                twice,
            });
        }
        draw
    }

    /// π of a stratum. Where the rule takes a random sample of all photos, evaluation's; otherwise the share that is
    /// taken of the rule's own stratum, and nothing elsewhere.
    pub fn inclusion(&self, stratum: Stratum, sizes: StratumSizes) -> f64 {
        let size = sizes.of(stratum);
        if let Some(design) = self.design() {
            return design.inclusion(stratum, sizes).map_or(0.0, |inclusion| inclusion.get());
        }
        match self.oversampling(stratum) {
            _ if size == 0 => 0.0,
            Oversampling::Everything => 1.0,
            Oversampling::AtMost(cap) => (cap.get() as f64 / size as f64).min(1.0),
            Oversampling::Nothing => 0.0,
        }
    }
}

/// The photos with the smallest numbers; of equal ones the smaller id.
fn smallest(count: u64, numbered: impl Iterator<Item = (u64, Uuid)>) -> HashSet<Uuid> {
    let mut numbered: Vec<(u64, Uuid)> = numbered.collect();
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if count < numbered.len() {
        numbered.select_nth_unstable(count);
        numbered.truncate(count);
    }
    numbered.into_iter().map(|(_, id)| id).collect()
}

#[cfg(test)]
mod tests {
    use gourmetgram_api::{CampaignRule, LowConfidence, RandomDraw};
    use proptest::prelude::*;

    use super::*;

    fn photo(number: u128, unsure: bool, flag: Option<FlagReason>, corrected: bool) -> Candidate {
        Candidate { id: Uuid::from_u128(number), unsure, flag, corrected, device: None }
    }

    /// Of every five: one unsure, one flagged, one corrected, one of which the device says something else, one of nothing.
    fn photos(count: u128) -> Vec<Candidate> {
        (0..count)
            .map(|n| Candidate {
                device: (n % 5 == 3).then_some(DeviceComparison::Disagrees),
                ..photo(n, n % 5 == 0, (n % 5 == 1).then_some(FlagReason::WrongLabel), n % 5 == 2)
            })
            .collect()
    }

    fn continuous(cap: Option<u64>, random: RandomDraw) -> Plan {
        Plan::new(&CampaignRule::Continuous {
            unsure: LowConfidence::default(),
            low_confidence_at_most: cap,
            flagged_at_most: cap,
            corrected_at_most: cap,
            random,
        })
        .unwrap()
    }

    fn rules() -> impl Strategy<Value = CampaignRule> {
        let random =
            prop_oneof![(0.01..=1.0_f64).prop_map(RandomDraw::Rate), (1..40_u64).prop_map(RandomDraw::PerInterval)];
        let cap = prop::option::of(1..20_u64);
        prop_oneof![
            Just(CampaignRule::Everything),
            random.clone().prop_map(|draw| CampaignRule::Random { draw }),
            cap.clone().prop_map(|at_most| CampaignRule::LowConfidence { unsure: LowConfidence::default(), at_most }),
            cap.clone().prop_map(|at_most| CampaignRule::Flagged { reasons: Vec::new(), at_most }),
            cap.clone().prop_map(|at_most| CampaignRule::Corrected { at_most }),
            (any::<bool>(), cap.clone())
                .prop_map(|(other_versions, at_most)| CampaignRule::DeviceDisagrees { other_versions, at_most }),
            (cap.clone(), cap.clone(), cap, random).prop_map(|(low, flagged, corrected, random)| {
                CampaignRule::Continuous {
                    unsure: LowConfidence::default(),
                    low_confidence_at_most: low,
                    flagged_at_most: flagged,
                    corrected_at_most: corrected,
                    random,
                }
            }),
        ]
    }

    fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
        let flag = prop::option::weighted(0.2, prop::sample::select(FlagReason::ALL.to_vec()));
        let device = prop::option::of(prop::sample::select(DeviceComparison::ALL.to_vec()));
        let one = (any::<bool>(), flag, any::<bool>(), device);
        prop::collection::btree_map(any::<u128>(), one, 0..80).prop_map(|all| {
            let photo =
                |(id, (unsure, flag, corrected, device))| Candidate { device, ..photo(id, unsure, flag, corrected) };
            all.into_iter().map(photo).collect()
        })
    }

    proptest! {
        #[test]
        fn the_same_seed_chooses_the_same_photos_in_whichever_order_they_come(
            rule in rules(), seed: u32, mut photos in candidates(), turn in 0..80_usize,
        ) {
            let plan = Plan::new(&rule).unwrap();
            let first = plan.draw(seed, 0.05, &photos);
            photos.reverse();
            if !photos.is_empty() {
                let turn = turn % photos.len();
                photos.rotate_left(turn);
            }
            prop_assert_eq!(&first, &plan.draw(seed, 0.05, &photos));
        }

        #[test]
        fn every_photo_is_decided_once_and_the_counts_are_those_of_the_decisions(
            rule in rules(), seed: u32, photos in candidates(),
        ) {
            let draw = Plan::new(&rule).unwrap().draw(seed, 0.3, &photos);
            let ids: HashSet<Uuid> = draw.decisions.iter().map(|decision| decision.id).collect();
            prop_assert_eq!(ids.len(), photos.len());
            prop_assert_eq!(draw.decisions.len(), photos.len());
            prop_assert_eq!(draw.tally.considered.total(), photos.len() as u64);
            let count = |holds: fn(&Decision) -> bool| draw.decisions.iter().filter(|it| holds(it)).count() as u64;
            prop_assert_eq!(draw.tally.chosen.total(), count(|it| it.chosen));
            prop_assert_eq!(draw.tally.confident, count(|it| it.confident));
            prop_assert_eq!(draw.tally.twice, count(|it| it.twice));
            prop_assert_eq!(count(|it| it.confident && it.chosen), 0);
            prop_assert_eq!(count(|it| it.by_random_sample && !it.chosen), 0);
            prop_assert_eq!(count(|it| it.twice && !it.chosen), 0);
        }

        #[test]
        fn caps_and_certainties_hold(rule in rules(), seed: u32, photos in candidates()) {
            let plan = Plan::new(&rule).unwrap();
            let draw = plan.draw(seed, 0.0, &photos);
            for decision in &draw.decisions {
                prop_assert!((0.0..=1.0).contains(&decision.inclusion));
                prop_assert!(decision.inclusion > 0.0 || !decision.chosen, "a photo without a way in was chosen");
                prop_assert!(decision.inclusion < 1.0 || decision.chosen, "a certain photo was left out");
            }
            for stratum in Stratum::ALL {
                let size = draw.tally.considered.of(stratum);
                let own = |it: &&Decision| it.stratum == stratum && it.chosen;
                let by_stratum_alone =
                    draw.decisions.iter().filter(own).filter(|it| !it.by_random_sample).count() as u64;
                match plan.oversampling(stratum) {
                    Oversampling::Everything => prop_assert_eq!(draw.tally.chosen.of(stratum), size),
                    Oversampling::AtMost(cap) => {
                        prop_assert!(by_stratum_alone <= cap.get());
                        prop_assert!(draw.tally.chosen.of(stratum) >= cap.get().min(size));
                    }
                    Oversampling::Nothing => prop_assert_eq!(by_stratum_alone, 0),
                }
            }
            if let Some(RandomSample::Count(count)) = plan.random() {
                let sampled = draw.decisions.iter().filter(|it| it.by_random_sample).count() as u64;
                prop_assert_eq!(sampled, count.get().min(photos.len() as u64));
            }
        }
    }

    /// Over many seeds every photo is chosen as often as its π says: within five standard errors for each stratum.
    #[test]
    fn photos_are_chosen_as_often_as_their_inclusion_probability_says() {
        const SEEDS: u32 = 400;
        let photos = photos(200);
        for plan in [
            continuous(Some(8), RandomDraw::Rate(0.1)),
            continuous(Some(8), RandomDraw::PerInterval(30)),
            Plan::new(&CampaignRule::Random { draw: RandomDraw::Rate(0.25) }).unwrap(),
            Plan::new(&CampaignRule::Flagged { reasons: Vec::new(), at_most: Some(13) }).unwrap(),
            Plan::new(&CampaignRule::DeviceDisagrees { other_versions: false, at_most: Some(13) }).unwrap(),
        ] {
            let (mut seen, mut expected) = ([0_f64; Stratum::ALL.len()], [0_f64; Stratum::ALL.len()]);
            let mut variance = [0_f64; Stratum::ALL.len()];
            for seed in 0..SEEDS {
                for decision in plan.draw(seed, 0.0, &photos).decisions {
                    let stratum = decision.stratum.index();
                    seen[stratum] += f64::from(u8::from(decision.chosen));
                    expected[stratum] += decision.inclusion;
                    variance[stratum] += decision.inclusion * (1.0 - decision.inclusion);
                }
            }
            for stratum in Stratum::ALL.map(Stratum::index) {
                let difference = (seen[stratum] - expected[stratum]).abs();
                assert!(difference <= 5.0 * variance[stratum].sqrt() + 1e-6, "{plan:?}: {seen:?} of {expected:?}");
            }
        }
    }

    /// That the random sample took a photo says nothing about whether its stratum did.
    #[test]
    fn the_two_draws_are_independent() {
        let photos: Vec<Candidate> = (0..100).map(|n| photo(n, true, None, false)).collect();
        let plan = continuous(Some(50), RandomDraw::Rate(0.5));
        let cap_alone =
            Plan::new(&CampaignRule::LowConfidence { unsure: LowConfidence::default(), at_most: Some(50) }).unwrap();
        let mut both = 0;
        for seed in 0..400 {
            let draw = plan.draw(seed, 0.0, &photos);
            let stratum = cap_alone.draw(seed, 0.0, &photos);
            let pairs = draw.decisions.iter().zip(&stratum.decisions);
            both += pairs.filter(|(mix, alone)| mix.by_random_sample && alone.chosen).count();
        }
        // A quarter of 40,000, within five standard errors of 87.
        assert!((10_000 - 435..=10_000 + 435).contains(&both), "{both}");
    }

    #[test]
    fn a_photo_that_somebody_doubts_is_never_confident() {
        let rule = CampaignRule::Random { draw: RandomDraw::Rate(0.000_001) };
        let draw = Plan::new(&rule).unwrap().draw(1, 0.0, &photos(10));
        let confident: Vec<u128> = draw.decisions.iter().filter(|it| it.confident).map(|it| it.id.as_u128()).collect();
        assert_eq!(confident, [3, 4, 8, 9]);
    }

    #[test]
    fn where_the_rule_leaves_a_photo_no_way_its_probability_is_zero() {
        let plan = Plan::new(&CampaignRule::Corrected { at_most: Some(10) }).unwrap();
        let draw = plan.draw(1, 0.0, &photos(100));
        for decision in draw.decisions {
            let expected = if decision.stratum == Stratum::Corrected { 0.5 } else { 0.0 };
            assert_eq!(decision.inclusion, expected);
        }
    }

    #[test]
    fn the_share_that_two_people_label_is_drawn_too() {
        let plan = Plan::new(&CampaignRule::Everything).unwrap();
        let twice = plan.draw(3, 0.05, &photos(10_000)).tally.twice;
        // 500, within five standard errors of 22.
        assert!((390..=610).contains(&twice), "{twice}");
        assert_eq!(plan.draw(3, 0.0, &photos(100)).tally.twice, 0);
        assert_eq!(plan.draw(3, 1.0, &photos(100)).tally.twice, 100);
    }
}

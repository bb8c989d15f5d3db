//! The simulations of docs/statistics.md, small: `cargo run --release -p gourmetgram-evaluation --example simulate` is the
//! whole. Seeded, so that a test passes always or never.

#[path = "../examples/simulate/population.rs"]
mod population;
#[path = "../examples/simulate/scenario.rs"]
mod scenario;

use gourmetgram_evaluation::{AccuracyAlarm, ConfidenceLevel, Probability, cohen, confidence_sequence, fleiss};
use population::Random;
use scenario::{Score, Scores, grid, simulate};

/// Which estimator.
type Pick = fn(&Scores) -> Score;

/// Every scenario, 500 replicates each.
fn small_grid() -> Vec<(String, Scores)> {
    grid().into_iter().zip(1..).map(|(it, seed)| (it.name.clone(), simulate(&it, 500, seed))).collect()
}

fn mean_coverage(all: &[(String, Scores)], of: Pick) -> f64 {
    let seen = || all.iter().map(|(_, scores)| of(scores)).filter(|score| score.replicates > 0);
    seen().map(|score| score.coverage()).sum::<f64>() / seen().count() as f64
}

/// The whole grid's requirement, with room for the noise of 500 replicates.
fn holds(all: &[(String, Scores)], of: Pick) -> bool {
    let is_fair = |score: Score| score.coverage() > 0.90 && score.bias().abs() < 0.005 + score.width() / 30.0;
    (0.94..=0.965).contains(&mean_coverage(all, of)) && all.iter().all(|(_, scores)| is_fair(of(scores)))
}

#[test]
fn intervals_hold_the_truth_as_often_as_they_say_and_the_tutorial_s_number_does_not() {
    let all = small_grid();
    for (name, of) in [("post-stratified", (|it| it.poststratified) as Pick), ("random sample", |it| it.random_sample)]
    {
        assert!(holds(&all, of), "{name}: mean coverage {:.4}", mean_coverage(&all, of));
    }
    assert!(!holds(&all, |it| it.pooled), "the pooled number must fail the same test");
    assert!(!holds(&all, |it| it.others_only), "so must the random sample of others alone");
    for (name, scores) in &all {
        assert!(scores.pooled.coverage() < 0.9, "{name}: pooled coverage {}", scores.pooled.coverage());
        assert!(scores.pooled.bias() < -0.03, "{name}: enriched labels make a model look worse than it is");
        assert!(scores.others_only.bias() > 0.005, "{name}: what is left over makes it look better");
        assert!(scores.paired.coverage() > 0.92, "{name}: paired coverage {}", scores.paired.coverage());
        assert!(scores.flags.coverage() > 0.90, "{name}: flag precision's coverage {}", scores.flags.coverage());
        assert!(scores.poststratified.width() <= scores.random_sample.width(), "{name}: strata are worth having");
    }
}

#[test]
fn guesses_narrow_the_interval_and_never_move_the_estimate() {
    let all: Vec<_> = small_grid().into_iter().filter(|(_, scores)| scores.difference.replicates > 0).collect();
    assert!(all.iter().all(|(_, scores)| scores.difference.bias().abs() < 0.005 + scores.difference.width() / 20.0));
    let sum = |of: Pick| all.iter().map(|(_, scores)| of(scores).width()).sum::<f64>();
    assert!(sum(|it| it.difference) < sum(|it| it.poststratified));
}

#[test]
fn kappa_s_interval_holds_the_truth_as_often_as_it_says() {
    const CLASSES: usize = 11;
    let (mut all, mut worst) = (Vec::new(), (1.0, String::new()));
    for (photos, careful) in [(30, 0.7), (30, 0.9), (30, 0.97), (100, 0.7), (100, 0.9), (400, 0.8)] {
        let mut random = Random::new(photos as u64 + (careful * 1000.0) as u64);
        // Each of two annotators sees the class, or takes any: the first ones more often, as in traffic.
        let any = |random: &mut Random| (random.unit().powi(2) * CLASSES as f64) as usize;
        let say = |truth, random: &mut Random| if random.chance(careful) { truth } else { any(random) };
        let pairs = |photos, random: &mut Random| -> Vec<(usize, usize)> {
            let pair = |random: &mut Random| {
                let truth = any(random);
                (say(truth, random), say(truth, random))
            };
            (0..photos).map(|_| pair(random)).collect()
        };
        // Both see it: careful². What else agrees is chance, whose share both kappas take out.
        let truth = careful * careful;
        for number in 0..2 {
            let mut held = 0;
            for _ in 0..1000 {
                let pairs = pairs(photos, &mut random);
                let count = |&(first, second): &(usize, usize)| {
                    let mut counts = vec![0; CLASSES];
                    counts[first] += 1;
                    counts[second] += 1;
                    counts
                };
                let kappa = if number == 0 {
                    cohen(&pairs).unwrap()
                } else {
                    fleiss(&pairs.iter().map(count).collect::<Vec<_>>()).unwrap()
                };
                held += u32::from(kappa.interval(ConfidenceLevel::NINETY_FIVE).contains(truth));
            }
            let coverage = f64::from(held) / 1000.0;
            all.push(coverage);
            if coverage < worst.0 {
                worst = (coverage, format!("{photos} photos, careful {careful}, {number}"));
            }
        }
    }
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    assert!((0.94..0.97).contains(&mean) && worst.0 > 0.925, "mean coverage {mean}, worst {worst:?}");
}

#[test]
fn a_confidence_sequence_holds_the_rate_at_every_look() {
    let (mut random, mut missed) = (Random::new(77), 0);
    for _ in 0..400 {
        let (mut successes, mut failures, mut ever) = (0, 0, false);
        for _ in 0..300 {
            if random.chance(0.8) {
                successes += 1
            } else {
                failures += 1
            }
            ever |= !confidence_sequence(successes, failures, ConfidenceLevel::NINETY_FIVE).contains(0.8);
        }
        missed += u32::from(ever);
    }
    assert!(missed <= 20 + 12, "{missed} of 400 sequences missed the rate at some look");
}

#[test]
fn the_alarm_is_rarely_false_at_any_look_and_soon_raised_by_a_bad_model() {
    let alarms = |accuracy: fn(usize) -> f64, seed| {
        let mut random = Random::new(seed);
        let mut raised = 0;
        for _ in 0..400 {
            let mut alarm = AccuracyAlarm::new(Probability::new(0.8).unwrap()).unwrap();
            (0..400).for_each(|day| alarm.observe(random.chance(accuracy(day))));
            raised += u32::from(alarm.is_raised(ConfidenceLevel::NINETY_FIVE));
        }
        raised
    };
    let at_target = alarms(|_| 0.8, 1);
    assert!(at_target <= 20 + 12, "{at_target} of 400 false alarms");
    let moving = alarms(|day| if day % 50 < 25 { 0.8 } else { 0.95 }, 2);
    assert!(moving <= 20 + 12, "{moving} of 400 false alarms while accuracy moves above the target");
    let bad = alarms(|_| 0.7, 3);
    assert!(bad >= 320, "400 labels show ten points in four of five cases: {bad} of 400");
}

//! Single samples, to be drawn: what somebody sees who labels once.

use gourmetgram_evaluation::{ConfidenceLevel, Estimate, accuracy, tutorial_pooled};

use crate::{
    population::Random,
    scenario::{Traffic, grid},
};

/// The scenario that is drawn.
const SCENARIO: &str = "0.85 over-confident, 2000 photos, 0.05";

/// Samples of the same traffic.
const SAMPLES: usize = 60;

/// As CSV: the truth, then estimate and bounds, post-stratified and pooled.
pub fn print_samples() {
    let scenario = grid().into_iter().find(|it| it.name == SCENARIO).expect("a scenario of the grid");
    let mut random = Random::new(1);
    let traffic = Traffic::new(&scenario, &mut random);
    println!("truth,value,lower,upper,pooled,pooled_lower,pooled_upper");
    for _ in 0..SAMPLES {
        let window = traffic.observe(&scenario, &mut random);
        let numbers = |it: Estimate| {
            let value = it.value.expect("a sample with labels");
            format!("{value:.5},{:.5},{:.5}", it.interval.lower(), it.interval.upper())
        };
        let (ours, pooled) =
            (accuracy(&window, ConfidenceLevel::NINETY_FIVE), tutorial_pooled(&window, ConfidenceLevel::NINETY_FIVE));
        println!("{:.5},{},{}", traffic.accuracy, numbers(ours), numbers(pooled));
    }
}

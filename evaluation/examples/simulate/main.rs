//! Does the interval hold the truth as often as it says? Prints the tables of docs/statistics.md, and fails if not.
//!
//! ```text
//! cargo run --release -p gourmetgram-evaluation --example simulate [-- REPLICATES]
//! cargo run --release -p gourmetgram-evaluation --example simulate -- samples       single samples, for pictures
//! ```
//!
//! 20,000 replicates a scenario unless told otherwise: new traffic for every ten, a new sample for each, from seeds that are
//! the scenario's number, so that two runs print the same, on however many threads (GOURMETGRAM_SIMULATE_THREADS; as many
//! as there are cores, unless told otherwise).
#![expect(clippy::print_stdout, reason = "a table to read")]

mod classes;
mod population;
mod samples;
mod scenario;

use std::{
    collections::BTreeMap,
    io::Write,
    num::NonZeroU64,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use classes::{RANGES, simulate_classes};
use gourmetgram_evaluation::{BatchDesign, InclusionProbability, Oversampling};
use population::Behaviour;
use scenario::{BatchPlan, Scenario, Score, Scores, grid, simulate};

fn main() {
    let argument = std::env::args().nth(1);
    if argument.as_deref() == Some("samples") {
        samples::print_samples();
        return;
    }
    let replicates = argument.map_or(20_000, |it| it.parse().expect("a number of replicates"));
    println!(
        "{replicates} replicates a scenario. Bias in points of accuracy; coverage and width of the 95 % interval.\n"
    );
    println!(
        "| scenario | bias | coverage | width | random sample alone | difference | paired | flag precision | pooled: bias \
         | pooled: coverage | others alone: bias | others alone: coverage |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    let all = simulate_all(replicates);
    summary(&all);
    class_table(replicates);
    verify(&all);
}

/// Simulates every scenario and prints its line, in the order of the grid.
fn simulate_all(replicates: u64) -> Vec<(String, Scores)> {
    let threads = match std::env::var("GOURMETGRAM_SIMULATE_THREADS") {
        Ok(threads) => threads.parse().expect("a number of threads"),
        Err(_) => thread::available_parallelism().map_or(1, usize::from),
    };
    let grid = grid();
    let next = AtomicUsize::new(0);
    let (done, finished) = mpsc::channel();
    let mut all = Vec::with_capacity(grid.len());
    thread::scope(|scope| {
        for _ in 0..threads {
            let (grid, next, done) = (&grid, &next, done.clone());
            scope.spawn(move || {
                while let Some((index, scenario)) = next_of(grid, next) {
                    let scores = simulate(scenario, replicates, index as u64 + 1);
                    done.send((index, scores)).expect("somebody to tell");
                }
            });
        }
        drop(done);
        let mut waiting = BTreeMap::new();
        for (index, scores) in finished {
            waiting.insert(index, scores);
            while let Some(scores) = waiting.remove(&all.len()) {
                let name = grid[all.len()].name.clone();
                print_scenario(&name, &scores);
                all.push((name, scores));
            }
        }
    });
    all
}

/// The next scenario that nobody has taken.
fn next_of<'a>(grid: &'a [Scenario], next: &AtomicUsize) -> Option<(usize, &'a Scenario)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    grid.get(index).map(|scenario| (index, scenario))
}

fn print_scenario(name: &str, scores: &Scores) {
    let percent = |score: Score| {
        if score.replicates == 0 { "–".to_owned() } else { format!("{:.1} %", 100.0 * score.coverage()) }
    };
    println!(
        "| {name} | {:+.2} | {} | {:.3} | {} | {} | {} | {} | {:+.1} | {} | {:+.1} | {} |",
        100.0 * scores.poststratified.bias(),
        percent(scores.poststratified),
        scores.poststratified.width(),
        percent(scores.random_sample),
        percent(scores.difference),
        percent(scores.paired),
        percent(scores.flags),
        100.0 * scores.pooled.bias(),
        percent(scores.pooled),
        100.0 * scores.others_only.bias(),
        percent(scores.others_only),
    );
    std::io::stdout().flush().expect("somebody to print for");
}

fn mean(all: &[(String, Scores)], of: impl Fn(&Scores) -> Score) -> f64 {
    let coverages = || all.iter().map(|(_, scores)| of(scores)).filter(|score| score.replicates > 0);
    coverages().map(|score| score.coverage()).sum::<f64>() / coverages().count() as f64
}

/// Which estimator.
type Pick = fn(&Scores) -> Score;

fn summary(all: &[(String, Scores)]) {
    println!(
        "\n| estimator | mean coverage | lowest, of scenario | its coverage | greatest bias |\n|---|---|---|---|---|"
    );
    let estimators: [(&str, Pick); 8] = [
        ("post-stratified accuracy", |it| it.poststratified),
        ("random sample alone", |it| it.random_sample),
        ("difference (prediction-powered)", |it| it.difference),
        ("paired difference of versions", |it| it.paired),
        ("flag precision", |it| it.flags),
        ("share of not food", |it| it.not_food),
        ("pooled (what the tutorial would print)", |it| it.pooled),
        ("others alone", |it| it.others_only),
    ];
    for (name, of) in estimators {
        let seen = || all.iter().filter(|(_, scores)| of(scores).replicates > 0);
        let lowest = seen().min_by(|left, right| of(&left.1).coverage().total_cmp(&of(&right.1).coverage()));
        let bias = seen().map(|(_, scores)| of(scores).bias().abs()).fold(0.0, f64::max);
        if let Some((scenario, scores)) = lowest {
            let (mean, lowest) = (100.0 * mean(all, of), 100.0 * of(scores).coverage());
            println!("| {name} | {mean:.2} % | {scenario} | {lowest:.1} % | {:.2} points |", 100.0 * bias);
        }
    }
}

fn class_table(replicates: u64) {
    let behaviour = Behaviour { accuracy: 0.8, overconfidence: 2.0, not_food: 0.02 };
    let design = BatchDesign::tutorial(InclusionProbability::new(0.2).expect("a probability"));
    let cap = Oversampling::AtMost(NonZeroU64::new(60).expect("not zero"));
    let capped = BatchDesign { low_confidence: cap, flagged: cap, corrected: cap, ..design };
    println!("\n| design | number | labels | cells seen | coverage | mean width |\n|---|---|---|---|---|---|");
    for (name, design, seed) in [("tutorial's rules", design, 901), ("capped at 60", capped, 902)] {
        let plan = BatchPlan { photos: 2000, design, accuracy_shift: 0.0, answered: 1.0 };
        let scores = simulate_classes(behaviour, &plan, replicates, seed);
        for (number, tallies) in ["precision", "recall", "F1"].iter().zip(scores) {
            for (range, tally) in RANGES.iter().zip(tallies).filter(|(_, tally)| tally.seen > 0) {
                let (coverage, width) = (100.0 * tally.coverage(), tally.width / tally.seen as f64);
                println!("| {name} | {number} | {range} | {} | {coverage:.1} % | {width:.2} |", tally.seen);
            }
        }
    }
}

/// The claims of docs/statistics.md, and that the numbers it warns of fail the same test.
fn verify(all: &[(String, Scores)]) {
    let holds = |of: Pick| {
        let coverage = mean(all, of);
        (0.94..=0.965).contains(&coverage) && all.iter().all(|(_, scores)| of(scores).bias().abs() < 0.005)
    };
    assert!(holds(|it| it.poststratified), "the post-stratified estimate must hold what it says");
    assert!(holds(|it| it.random_sample), "so must the random sample's");
    assert!(!holds(|it| it.pooled), "the pooled number must fail the same test");
    let fails = |score: Score| score.coverage() < 0.94 && score.bias().abs() >= 0.005;
    assert!(all.iter().all(|(_, scores)| fails(scores.pooled)), "and fail it in every scenario alone");
    assert!(!holds(|it| it.others_only), "the others-only number must fail the same test");
    println!("\nAll claims hold; the pooled and the others-only number fail the same test, as they must.");
}

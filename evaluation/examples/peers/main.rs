//! Sets our numbers beside other people's: `make verify`.
//!
//! ```text
//! cargo run --release -p gourmetgram-evaluation --example peers -- FOLDER [GOLDEN]
//! ```
//!
//! FOLDER has what `evaluation/peers/answers.py` wrote; GOLDEN what it wrote the last time. Prints what was compared, and
//! fails if a number is further from ours than a millionth, or another than the last time.
#![expect(clippy::print_stdout, reason = "a table to read")]

mod comparison;

use std::{collections::BTreeMap, path::Path, process::ExitCode};

use comparison::{Compared, PEERS, TOLERANCE, compare};
use serde_json::Value;

/// Answers of two days differ by rounding, where the order of a sum does.
const SAME: f64 = 1e-9;

fn main() -> ExitCode {
    let folders: Vec<String> = std::env::args().skip(1).collect();
    let (fresh, golden) = match folders.as_slice() {
        [fresh] => (Path::new(fresh), None),
        [fresh, golden] => (Path::new(fresh), Some(Path::new(golden))),
        _ => panic!("which folder? FOLDER [GOLDEN]"),
    };
    let mut failures = Vec::new();
    println!("| peer | number | with | values compared | furthest apart |\n|---|---|---|---|---|");
    for peer in PEERS {
        let answers = read(fresh, peer);
        let mut rows: BTreeMap<(&str, &str), (usize, f64)> = BTreeMap::new();
        for it in compare(peer, &answers) {
            let (count, distance) = rows.entry((it.number, it.with)).or_insert((0, 0.0));
            *count += 1;
            *distance = distance.max(it.distance());
            if !it.agrees() {
                let Compared { number, with, ours, theirs } = it;
                failures.push(format!("{peer}: {number} is {ours}, {with} says {theirs}"));
            }
        }
        for ((number, with), (count, distance)) in rows {
            println!("| {peer} | {number} | {with} | {count} | {distance:.0e} |");
        }
        if let Some(golden) = golden {
            differences(&format!("{peer}.json"), &read(golden, peer), &answers, &mut failures);
        }
    }
    for failure in &failures {
        println!("{failure}");
    }
    if failures.is_empty() {
        println!("\nEvery number is within {TOLERANCE:e} of its peer's.");
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn read(folder: &Path, peer: &str) -> Value {
    let path = folder.join(format!("{peer}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Names what is not what it was.
fn differences(place: &str, was: &Value, is: &Value, failures: &mut Vec<String>) {
    match (was, is) {
        (Value::Number(was), Value::Number(is)) => {
            let (was, is) = (was.as_f64().unwrap_or(f64::NAN), is.as_f64().unwrap_or(f64::NAN));
            let is_same = (was - is).abs() <= SAME * was.abs().max(1.0);
            if !is_same {
                failures.push(format!("{place} was {was} and is {is}"));
            }
        }
        (Value::Array(was), Value::Array(is)) if was.len() == is.len() => {
            for (index, (was, is)) in was.iter().zip(is).enumerate() {
                differences(&format!("{place}[{index}]"), was, is, failures);
            }
        }
        (Value::Object(was), Value::Object(is)) if was.keys().eq(is.keys()) => {
            for (key, was) in was {
                differences(&format!("{place}.{key}"), was, &is[key], failures);
            }
        }
        (was, is) if was == is => {}
        (was, is) => failures.push(format!("{place} was {was} and is {is}")),
    }
}

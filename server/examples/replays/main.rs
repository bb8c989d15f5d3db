//! Does the interval hold on real photos? `make verify` asks.
//!
//! ```text
//! cargo run --release -p gourmetgram --example replays -- [REPLAYS]     400 unless told otherwise
//! cargo run --release -p gourmetgram --example replays -- record        writes predictions.csv anew
//! ```
//!
//! predictions.csv has what two models answered about photos whose class is known. A replay is a week in which those
//! photos arrive in another order, with users who flag and correct; select's own draw chooses about a tenth for labelling,
//! and the numbers made of these labels are compared with the truth about all photos of the week. Prints the tables of
//! docs/statistics.md, and fails if intervals hold the truth less often than they say.

mod predictions;
mod recording;
mod scores;
mod week;

use std::process::ExitCode;

use anyhow::Context;
use predictions::MODELS;
use scores::Scores;
use week::Week;

const REPLAYS: u32 = 400;

fn main() -> anyhow::Result<ExitCode> {
    let argument = std::env::args().nth(1);
    if argument.as_deref() == Some("record") {
        recording::record()?;
        return Ok(ExitCode::SUCCESS);
    }
    let replays = argument.map_or(Ok(REPLAYS), |it| it.parse()).context("how many replays?")?;
    let photos = predictions::read()?;
    say(&format!("{} photos, {replays} replays for each model.", photos.len()));
    let mut failures = Vec::new();
    for (model, name) in MODELS.iter().enumerate() {
        let mut scores = Scores::default();
        for replay in 0..replays {
            scores.add(&Week::replay(&photos, model, replay)?);
        }
        say(&scores.table(name));
        failures.extend(scores.failures().into_iter().map(|failure| format!("{name}: {failure}")));
    }
    failures.iter().for_each(|failure| say(failure));
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[expect(clippy::print_stdout, reason = "its output is for people")]
fn say(line: &str) {
    println!("{line}");
}

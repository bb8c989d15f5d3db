//! Our side of the benchmarks.
//!
//! `forward` and `photo` are one half of a pair: the other half is Python (`bench/peers/`). Both halves wait for a line
//! with a number of runs, make them, and answer with a line of JSON, so that `bench/run.py` can let them take turns in
//! one minute on one machine. `load` is the client that loads a server, ours or a peer's.

mod load;
mod turns;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// A model's forward pass, from the tensor to probabilities, on one thread.
    Forward {
        /// A model directory.
        model: PathBuf,
    },
    /// A photo's whole way in, from the file's bytes to probabilities, on one thread.
    Photo {
        /// A model directory.
        model: PathBuf,
        /// Photos; a run takes each of them once.
        photos: Vec<PathBuf>,
    },
    /// Loads a server and says how it did.
    Load(load::Options),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Forward { model } => turns::forward(&model),
        Command::Photo { model, photos } => turns::photo(&model, &photos),
        Command::Load(options) => load::run(options),
    }
}

//! Work that is timed in turns with a peer.

use std::{
    fs,
    hint::black_box,
    io::{self, BufRead, Write},
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, ensure};
use gourmetgram_api::UploadLimits;
use gourmetgram_classifier::{Model, RgbPhoto, decode, probe};

/// A model's forward pass. The photo has the model's size already: resizing it is part of neither side's time.
pub fn forward(model: &Path) -> anyhow::Result<()> {
    let model = Model::load(model)?;
    let side = model.input_side();
    let pixels = (0..side * side * 3).map(|index| (index * 7919 % 251) as u8).collect();
    let photo = RgbPhoto::new(side, side, pixels).context("the model has no input size")?;
    take_turns(|| Ok(model.classify(&photo).map(black_box).map(drop)?))
}

/// The whole way of each photo.
pub fn photo(model: &Path, photos: &[PathBuf]) -> anyhow::Result<()> {
    ensure!(!photos.is_empty(), "name at least one photo");
    let model = Model::load(model)?;
    let files: Vec<Vec<u8>> = photos
        .iter()
        .map(|path| fs::read(path).with_context(|| format!("{} cannot be read", path.display())))
        .collect::<Result<_, _>>()?;
    take_turns(|| {
        for file in &files {
            let info = probe(file, &UploadLimits::default())?;
            black_box(model.classify(&decode(file, &info, model.input_side())?)?);
        }
        Ok(())
    })
}

/// For each line with a number of runs: makes them, and answers with the seconds each took.
fn take_turns(mut work: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let runs: usize = line.trim().parse().with_context(|| format!("{line:?} is no number of runs"))?;
        let mut seconds = Vec::with_capacity(runs);
        for _ in 0..runs {
            let began = Instant::now();
            work()?;
            seconds.push(began.elapsed().as_secs_f64());
        }
        serde_json::to_writer(&mut out, &seconds)?;
        writeln!(out)?;
        out.flush()?;
    }
    Ok(())
}

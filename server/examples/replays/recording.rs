//! Asks both models about every labelled photo. The photos belong to others and are not in this repository.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use anyhow::Context;
use gourmetgram_classifier::{
    Answer, Licence, Model, ResizeRule, RgbPhoto, Version, decode, default_model,
    import::{ImportOptions, classes_from_text, import_file},
    probe,
};
use indicatif::ProgressIterator;

use crate::{
    predictions::{CLASSES, Recorded, write},
    say,
};

/// A line of photos.csv; it has more columns than these.
#[derive(serde::Deserialize)]
struct Listed {
    path: String,
    /// Empty where the class is ambiguous.
    class: Option<u16>,
    /// What the tutorial's model answered, in its own Python.
    teacher_top1: Option<u16>,
}

/// Writes predictions.csv, or says what is absent.
pub fn record() -> anyhow::Result<()> {
    let shared = std::env::var_os("GOURMETGRAM_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let (list, archive) = (shared.join("corpus/photos.csv"), shared.join("corpus/photos.zip"));
    let mobilenet = shared.join("models/gourmetgram-mobilenetv2.onnx");
    for file in [&list, &archive, &mobilenet] {
        if !file.exists() {
            say(&format!("skipped: {} is absent, so predictions.csv stays as it is", file.display()));
            return Ok(());
        }
    }
    let ours = default_model()?;
    let theirs = imported(&mobilenet)?;
    let mut archive = zip::ZipArchive::new(File::open(&archive)?)?;
    let listed: Vec<Listed> = csv::Reader::from_path(&list)?.deserialize().collect::<Result<_, _>>()?;
    let (mut photos, mut as_the_tutorial) = (Vec::new(), (0_u32, 0_u32));
    for line in listed.iter().progress() {
        let Some(class) = line.class else { continue };
        let mut bytes = Vec::new();
        archive.by_name(&line.path)?.read_to_end(&mut bytes)?;
        let (own, other) = (answer(&ours, &bytes)?, answer(&theirs, &bytes)?);
        if let Some(teacher) = line.teacher_top1 {
            as_the_tutorial.0 += u32::from(other.top.0 == teacher);
            as_the_tutorial.1 += 1;
        }
        photos.push(Recorded {
            class,
            food64: own.top.0,
            food64_confidence: rounded(own.confidence()),
            mobilenetv2: other.top.0,
            mobilenetv2_confidence: rounded(other.confidence()),
        });
    }
    let path = write(&photos)?;
    let (same, of) = as_the_tutorial;
    say(&format!("{} photos are in {}; of {of}, {same} as the tutorial's own code says", photos.len(), path.display()));
    Ok(())
}

/// The tutorial's model, as `gourmetgram model import` takes it in.
fn imported(file: &Path) -> anyhow::Result<Model> {
    let options = ImportOptions {
        version: Version::new("mobilenetv2").map_err(anyhow::Error::msg)?,
        classes: classes_from_text(&CLASSES.join("\n"))?,
        licence: Licence("MIT".to_owned()),
        mean: [0.485, 0.456, 0.406],
        std: [0.229, 0.224, 0.225],
        resize: ResizeRule::Stretch,
        size: None,
        output: None,
    };
    let folder = tempfile::tempdir()?;
    let directory = folder.path().join("mobilenetv2");
    import_file(file, &options)?.write(&directory)?;
    Ok(Model::load(&directory)?)
}

fn answer(model: &Model, bytes: &[u8]) -> anyhow::Result<Answer> {
    let info = probe(bytes, &Default::default())?;
    let photo: RgbPhoto = decode(bytes, &info, model.input_side())?;
    model.classify(&photo).context("the model has no answer")
}

/// Four decimals are what a file of thousands needs.
fn rounded(confidence: f32) -> f32 {
    (confidence * 10_000.0).round() / 10_000.0
}

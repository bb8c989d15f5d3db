//! What was recorded: of each photo its true class and what each model said.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

/// The models, in the order of the file's columns.
pub const MODELS: [&str; 2] = ["food64", "mobilenetv2"];

/// Food-11's classes, in their order.
pub const CLASSES: [&str; 11] = [
    "Bread",
    "Dairy product",
    "Dessert",
    "Egg",
    "Fried food",
    "Meat",
    "Noodles/Pasta",
    "Rice",
    "Seafood",
    "Soup",
    "Vegetable/Fruit",
];

/// One photo.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// The class of the folder it came in.
    pub class: u16,
    pub food64: u16,
    pub food64_confidence: f32,
    pub mobilenetv2: u16,
    pub mobilenetv2_confidence: f32,
}

impl Recorded {
    /// What a model of [`MODELS`] answered, and how sure it was.
    pub fn answer(&self, model: usize) -> (u16, f32) {
        match model {
            0 => (self.food64, self.food64_confidence),
            _ => (self.mobilenetv2, self.mobilenetv2_confidence),
        }
    }
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/replays/predictions.csv")
}

pub fn read() -> anyhow::Result<Vec<Recorded>> {
    let path = path();
    let mut reader = csv::Reader::from_path(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let photos: Vec<Recorded> = reader.deserialize().collect::<Result<_, _>>()?;
    let known = |class: u16| usize::from(class) < CLASSES.len();
    let possible = |it: &Recorded| known(it.class) && known(it.food64) && known(it.mobilenetv2);
    ensure!(photos.iter().all(possible), "{} names a class there is not", path.display());
    Ok(photos)
}

pub fn write(photos: &[Recorded]) -> anyhow::Result<PathBuf> {
    let path = path();
    let mut writer = csv::Writer::from_path(&path).with_context(|| format!("cannot write {}", path.display()))?;
    photos.iter().try_for_each(|photo| writer.serialize(photo))?;
    writer.flush()?;
    Ok(path)
}

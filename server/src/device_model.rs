//! The live model as browsers take it: its parts by their hashes, compressed once.
//!
//! A part's address is its SHA-256, so a browser keeps it for good, and of a model whose head was trained anew it fetches
//! the head alone. Compressing takes a second of a processor: it is done when the first browser asks, not when the server
//! starts, and never twice.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use gourmetgram_classifier::{Model, Sha256Hex};
use tokio::{sync::OnceCell, task};

/// Of numbers that look random little can be taken off; more effort than this takes off nothing more.
const BROTLI_QUALITY: i32 = 5;
/// Brotli looks back so many bytes: 2 to this power.
const BROTLI_WINDOW: i32 = 22;

/// How a part is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    Plain,
    /// Brotli.
    Brotli,
    /// gzip.
    Gzip,
}

/// One part of a model.
#[derive(Debug)]
pub struct Part {
    hash: String,
    plain: Bytes,
    brotli: OnceCell<Bytes>,
    gzip: OnceCell<Bytes>,
}

impl Part {
    fn new(content: Vec<u8>) -> Self {
        let hash = Sha256Hex::of(&content).to_string();
        Self { hash, plain: content.into(), brotli: OnceCell::new(), gzip: OnceCell::new() }
    }

    /// Its SHA-256, in lower-case hexadecimal digits: its name.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Its bytes. They are compressed on a thread of their own, at most once.
    ///
    /// # Errors
    /// Where that thread panicked or the encoder failed.
    pub async fn encoded(&self, encoding: Encoding) -> io::Result<Bytes> {
        let (cell, encode): (_, Encode) = match encoding {
            Encoding::Plain => return Ok(self.plain.clone()),
            Encoding::Brotli => (&self.brotli, brotli),
            Encoding::Gzip => (&self.gzip, gzip),
        };
        let encoded = cell.get_or_try_init(|| async {
            let plain = self.plain.clone();
            let encoded = task::spawn_blocking(move || encode(&plain)).await.map_err(io::Error::other)??;
            Ok::<_, io::Error>(Bytes::from(encoded))
        });
        encoded.await.cloned()
    }
}

/// Compresses.
type Encode = fn(&[u8]) -> io::Result<Vec<u8>>;

fn brotli(plain: &[u8]) -> io::Result<Vec<u8>> {
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: BROTLI_QUALITY,
        lgwin: BROTLI_WINDOW,
        size_hint: plain.len(),
        ..Default::default()
    };
    let mut encoded = Vec::new();
    brotli::BrotliCompress(&mut &plain[..], &mut encoded, &parameters)?;
    Ok(encoded)
}

fn gzip(plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain)?;
    encoder.finish()
}

/// A model's parts.
#[derive(Debug)]
pub struct DeviceModel {
    /// `manifest.toml`.
    pub manifest: Part,
    /// The packed backbone.
    pub backbone: Part,
    /// `head.safetensors`, if there is one.
    pub head: Option<Part>,
}

impl DeviceModel {
    fn of(model: &Model) -> Option<Self> {
        let packed = model.packed()?;
        Some(Self {
            manifest: Part::new(packed.manifest.clone().into_bytes()),
            backbone: Part::new(packed.backbone.clone()),
            head: packed.head.clone().map(Part::new),
        })
    }

    /// The part with this hash.
    pub fn part(&self, hash: &str) -> Option<&Part> {
        [Some(&self.manifest), Some(&self.backbone), self.head.as_ref()]
            .into_iter()
            .flatten()
            .find(|part| part.hash == hash)
    }
}

/// The live model's parts; made when they are first asked for.
#[derive(Debug, Default)]
pub struct DeviceModels {
    live: Mutex<Option<Packed>>,
}

/// A model and its parts, where it has any.
#[derive(Debug)]
struct Packed {
    model: Arc<Model>,
    parts: Option<Arc<DeviceModel>>,
}

impl DeviceModels {
    /// The parts of `model`; `None` where only the server can run it.
    pub fn of(&self, model: Arc<Model>) -> Option<Arc<DeviceModel>> {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        match &*live {
            Some(packed) if Arc::ptr_eq(&packed.model, &model) => packed.parts.clone(),
            _ => {
                let parts = DeviceModel::of(&model).map(Arc::new);
                *live = Some(Packed { model, parts: parts.clone() });
                parts
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Read, path::Path};

    use gourmetgram_classifier::default_model;

    use super::*;

    /// The default model as retraining leaves it: its backbone, another head, another version.
    fn with_another_head() -> Model {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/food64");
        let mut head = fs::read(folder.join("head.safetensors")).unwrap();
        let before = Sha256Hex::of(&head).to_string();
        // The lowest bit of its last number.
        let at = head.len() - 4;
        head[at] ^= 1;
        let manifest = fs::read_to_string(folder.join("manifest.toml")).unwrap();
        let manifest =
            manifest.replace(&before, &Sha256Hex::of(&head).to_string()).replace("\"food64-1\"", "\"food64-2\"");
        let backbone = fs::read(folder.join("backbone.onnx")).unwrap();
        Model::from_parts(&manifest, &backbone, Some(&head)).unwrap()
    }

    #[tokio::test]
    async fn the_default_model_takes_at_most_three_megabytes() {
        let parts = DeviceModels::default().of(Arc::new(default_model().unwrap())).expect("ours runs on devices");
        let mut total = 0;
        for part in [Some(&parts.manifest), Some(&parts.backbone), parts.head.as_ref()].into_iter().flatten() {
            total += part.encoded(Encoding::Brotli).await.unwrap().len();
        }
        assert!(total <= 3_000_000, "{total} bytes");
    }

    #[tokio::test]
    async fn a_part_is_the_same_however_it_is_sent() {
        let part = Part::new(b"a weight and a weight and a weight".repeat(99));
        assert_eq!(part.hash(), Sha256Hex::of(&part.encoded(Encoding::Plain).await.unwrap()).to_string());
        let (mut unzipped, mut unbrotlied) = (Vec::new(), Vec::new());
        let zipped = part.encoded(Encoding::Gzip).await.unwrap();
        flate2::read::GzDecoder::new(&*zipped).read_to_end(&mut unzipped).unwrap();
        let brotlied = part.encoded(Encoding::Brotli).await.unwrap();
        brotli::BrotliDecompress(&mut &*brotlied, &mut unbrotlied).unwrap();
        assert!(zipped.len() < part.plain.len() && brotlied.len() < part.plain.len());
        assert!(unzipped == part.plain && unbrotlied == part.plain);
    }

    #[test]
    fn a_model_that_was_replaced_is_packed_anew_and_the_same_one_is_not() {
        let models = DeviceModels::default();
        let first = Arc::new(default_model().unwrap());
        let parts = models.of(Arc::clone(&first)).unwrap();
        assert!(Arc::ptr_eq(&parts, &models.of(first).unwrap()));
        assert!(!Arc::ptr_eq(&parts, &models.of(Arc::new(default_model().unwrap())).unwrap()));
    }

    #[tokio::test]
    async fn of_a_model_whose_head_was_trained_anew_manifest_and_head_are_fetched_and_nothing_else() {
        let models = DeviceModels::default();
        let known = models.of(Arc::new(default_model().unwrap())).unwrap();
        let live = models.of(Arc::new(with_another_head())).unwrap();
        let parts = [Some(&live.manifest), Some(&live.backbone), live.head.as_ref()];
        let anew: Vec<&Part> = parts.into_iter().flatten().filter(|part| known.part(part.hash()).is_none()).collect();
        let names: Vec<&str> = anew.iter().map(|part| part.hash()).collect();
        assert_eq!(names, [live.manifest.hash(), live.head.as_ref().unwrap().hash()]);
        assert_eq!(live.backbone.hash(), known.backbone.hash());
        let mut total = 0;
        for part in anew {
            total += part.encoded(Encoding::Brotli).await.unwrap().len();
        }
        assert!(total < 20_000, "{total} bytes");
    }
}

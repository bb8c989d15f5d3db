//! From a photo's bytes to probabilities: the same code on the server and in the browser.
//!
//! The way of a photo:
//!
//! ```text
//! bytes ── probe ──▶ PhotoInfo ── decode ──▶ RgbPhoto ── Preprocessing ──▶ tensor ── backbone ──▶ embedding ── head ──▶ logits
//!          headers   what it is,             upright                       1×3×H×W    ONNX, tract             safetensors   │
//!          only      what it costs           8-bit RGB                                                      softmax ◀──────┘
//! ```
//!
//! - [`probe`] reads headers only. It refuses what is too large *before* pixels are allocated, and says how many bytes
//!   decoding will take, so that a server can keep a budget over all requests.
//! - [`decode`] reads the pixels: JPEG (grayscale, CMYK, progressive; large ones scaled while decoding), PNG (alpha on
//!   white, 16 bit, palette), WebP and GIF (first frame). EXIF orientation is honoured.
//! - [`strip`] takes off what is not the picture: place, time, camera, comments, films behind the end. Losslessly.
//! - [`Model`] is a model directory: `manifest.toml`, `backbone.onnx`, `head.safetensors`. Its answers carry the
//!   embedding, on which a new head can be trained in seconds.
//! - `import` (native only) makes such a directory from any ONNX image classifier.
//!
//! Nothing here panics on a hostile file: decoders are fuzzed, and natively a panic inside one is caught and becomes
//! [`PhotoError::DecoderPanicked`]. In WebAssembly, where a panic cannot be caught, it ends that one worker.

#[cfg(all(feature = "default-model", not(target_arch = "wasm32")))]
mod default_model;
mod head;
#[cfg(all(feature = "onnx", not(target_arch = "wasm32")))]
pub mod import;
mod manifest;
mod model;
mod network;
mod photo;
mod preprocessing;
mod resampling;
mod shrinking;

#[cfg(all(feature = "default-model", not(target_arch = "wasm32")))]
pub use default_model::default_model;
pub use head::{Head, HeadError};
pub use manifest::{Accuracy, Input, Layout, Licence, Manifest, ManifestError, Output, Sha256Hex, Sha256Sums, Version};
pub use model::{Answer, ClassifyError, Model, ModelError, PackedModel};
pub use photo::{PhotoError, PhotoFormat, PhotoInfo, RgbPhoto, decode, probe, strip};
pub use preprocessing::{Preprocessing, ResizeRule};
pub use resampling::ResamplingError;

//! The classifier on the visitor's own device, as the page's Web Worker loads it.
//!
//! It holds the same code as the server: what is a photo there is one here, and the same photo gets the same answer, but
//! for what half precision takes off the weights. There is nothing of the page in here, and nothing of this in the page's
//! own module: `build.sh` makes it a module of its own, once with vector instructions and once without.

use gourmetgram_api::{Confidence, Decoder, DeviceAnswer, UploadLimits};
use gourmetgram_classifier::{Answer, Model, RgbPhoto, decode, probe};
use serde::Serialize;
use wasm_bindgen::prelude::wasm_bindgen;

/// A model, ready to answer.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Classifier(Model);

/// What goes back to the page, as JSON.
#[derive(Debug, Serialize)]
struct Said<'a> {
    /// What is sent along with the photo.
    device: DeviceAnswer,
    /// One a class, in the model's order.
    probabilities: &'a [f32],
}

#[wasm_bindgen]
impl Classifier {
    /// From the parts of a model that the server packed for devices.
    ///
    /// # Errors
    /// One line that says why these are no model.
    #[wasm_bindgen(constructor)]
    pub fn new(manifest: &str, backbone: &[u8], head: Option<Box<[u8]>>) -> Result<Classifier, String> {
        Model::from_packed(manifest, backbone, head.as_deref()).map(Self).map_err(|error| error.to_string())
    }

    /// What the file of a photo shows.
    ///
    /// # Errors
    /// One line that says why there is no answer.
    pub fn classify(&self, photo: &[u8]) -> Result<String, String> {
        let info = probe(photo, &UploadLimits::default()).map_err(|error| error.to_string())?;
        let pixels = decode(photo, &info, self.0.input_side()).map_err(|error| error.to_string())?;
        self.say(&pixels, Decoder::Classifier)
    }

    /// The same for pixels that the browser has decoded and turned upright: rows of R, G, B and an alpha that is not
    /// looked at.
    ///
    /// The page never asks for this: its photos are decoded here, like the server's. `bench/device.mjs` does, to hold the
    /// network alone against other engines.
    ///
    /// # Errors
    /// One line that says why there is no answer.
    pub fn classify_pixels(&self, width: u32, height: u32, pixels: &[u8]) -> Result<String, String> {
        let opaque = pixels.as_chunks::<4>().0.iter().flat_map(|&[red, green, blue, _]| [red, green, blue]).collect();
        let photo =
            RgbPhoto::new(width, height, opaque).ok_or("these are not as many pixels as they are said to be")?;
        self.say(&photo, Decoder::Browser)
    }

    /// Width or height, whichever is more, of what the model looks at, in pixels.
    #[wasm_bindgen(getter)]
    pub fn side(&self) -> u32 {
        self.0.input_side()
    }

    fn say(&self, photo: &RgbPhoto, decoded_by: Decoder) -> Result<String, String> {
        let answer: Answer = self.0.classify(photo).map_err(|error| error.to_string())?;
        let label = self.0.classes().label(answer.top).ok_or("the model answered with a class that it has not")?;
        let device = DeviceAnswer {
            predicted_class: label.to_owned(),
            confidence: Confidence::new(answer.confidence()).map_err(|error| error.to_string())?,
            model_version: self.0.version().as_str().to_owned(),
            decoded_by: Some(decoded_by),
        };
        serde_json::to_string(&Said { device, probabilities: &answer.probabilities }).map_err(|error| error.to_string())
    }
}

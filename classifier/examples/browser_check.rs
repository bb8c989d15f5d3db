//! The classifier as a WebAssembly module, for `tests/browser/check.mjs`: it compares its answers with the native ones.

#[cfg(target_arch = "wasm32")]
mod exported {
    use gourmetgram_classifier::{Model, decode, probe};
    use wasm_bindgen::prelude::*;

    /// A loaded model.
    #[wasm_bindgen]
    pub struct Classifier(Model);

    #[wasm_bindgen]
    impl Classifier {
        /// From the contents of the three files of a model directory.
        #[wasm_bindgen(constructor)]
        pub fn new(manifest: &str, backbone: &[u8], head: Option<Box<[u8]>>) -> Result<Classifier, JsError> {
            Ok(Self(Model::from_parts(manifest, backbone, head.as_deref())?))
        }

        /// The probabilities for a photo's file, in the model's order of classes.
        pub fn classify(&self, photo: &[u8]) -> Result<Box<[f32]>, JsError> {
            let info = probe(photo, &Default::default())?;
            let pixels = decode(photo, &info, self.0.input_side())?;
            Ok(self.0.classify(&pixels)?.probabilities.into())
        }
    }
}

//! Classifies photos and prints one line of JSON each: the path and the probabilities.
//!
//! ```text
//! cargo run -p gourmetgram-classifier --example classify -- models/food64 photo.jpg …
//! ```

#[cfg(not(target_arch = "wasm32"))]
#[expect(clippy::print_stdout, reason = "it is what this program is for")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use gourmetgram_classifier::{Model, decode, probe};

    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().ok_or("usage: classify MODEL_DIRECTORY PHOTO...")?;
    let model = Model::load(directory.as_ref())?;
    for path in arguments {
        let bytes = std::fs::read(&path)?;
        let info = probe(&bytes, &Default::default())?;
        let photo = decode(&bytes, &info, model.input_side())?;
        let probabilities = model.classify(&photo)?.probabilities;
        println!("{}", serde_json::json!({ "path": path, "probabilities": probabilities }));
    }
    Ok(())
}

#[cfg(target_arch = "wasm32")]
fn main() {}

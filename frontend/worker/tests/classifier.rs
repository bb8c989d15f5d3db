//! What the page's worker is made of, natively: it answers as the server does, and says how.

use std::{fs, path::Path};

use gourmetgram_classifier::{Model, RgbPhoto, decode, default_model, probe};
use gourmetgram_worker::Classifier;
use serde_json::Value;

fn classifier(model: &Model) -> Classifier {
    let packed = model.packed().unwrap();
    Classifier::new(&packed.manifest, &packed.backbone, packed.head.clone().map(Vec::into_boxed_slice)).unwrap()
}

fn soup() -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../classifier/tests/pictures/plate.jpg")).unwrap()
}

fn pixels(file: &[u8], side: u32) -> RgbPhoto {
    decode(file, &probe(file, &Default::default()).unwrap(), side).unwrap()
}

fn probabilities(said: &Value) -> Vec<f64> {
    said["probabilities"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

#[test]
fn a_photo_is_answered_as_on_the_server_and_the_answer_says_how() {
    let model = default_model().unwrap();
    let said: Value = serde_json::from_str(&classifier(&model).classify(&soup()).unwrap()).unwrap();
    let expected = model.classify(&pixels(&soup(), model.input_side())).unwrap();
    assert_eq!(said["device"]["predicted_class"], model.classes().label(expected.top).unwrap());
    assert_eq!(said["device"]["model_version"], "food64-1");
    assert_eq!(said["device"]["decoded_by"], "classifier");
    for (found, expected) in probabilities(&said).iter().zip(&expected.probabilities) {
        assert!((found - f64::from(*expected)).abs() < 1e-3, "{found}, not {expected}");
    }
}

#[test]
fn pixels_of_a_browser_are_answered_like_the_photo() {
    let model = default_model().unwrap();
    let classifier = classifier(&model);
    let photo = pixels(&soup(), classifier.side());
    let rgba: Vec<u8> = photo.pixels().as_chunks::<3>().0.iter().flat_map(|&[r, g, b]| [r, g, b, 255]).collect();
    let of_file: Value = serde_json::from_str(&classifier.classify(&soup()).unwrap()).unwrap();
    let of_pixels: Value =
        serde_json::from_str(&classifier.classify_pixels(photo.width(), photo.height(), &rgba).unwrap()).unwrap();
    assert_eq!(of_pixels["device"]["decoded_by"], "browser");
    assert_eq!(probabilities(&of_pixels), probabilities(&of_file));
}

#[test]
fn what_is_no_photo_has_no_answer_but_a_reason() {
    let classifier = classifier(&default_model().unwrap());
    assert!(classifier.classify(b"Two eggs, a pinch of salt.").unwrap_err().contains("picture"));
    assert!(classifier.classify(&[]).is_err());
    assert!(classifier.classify(&soup()[..200]).is_err());
    assert!(classifier.classify_pixels(2, 2, &[0; 15]).is_err());
    assert!(classifier.classify_pixels(0, 0, &[]).is_err());
}

#[test]
fn what_is_no_model_is_refused_with_a_reason() {
    assert!(Classifier::new("", &[], None).unwrap_err().contains("manifest.toml"));
}

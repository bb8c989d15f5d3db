//! A model as devices take it answers like the server's, and what is no such model is refused.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use gourmetgram_classifier::{Answer, Model, PackedModel, RgbPhoto, decode, probe};

/// How far a device's probabilities may be from the server's.
const TOLERANCE: f32 = 1e-3;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
fn shared(test: &str, path: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("GOURMETGRAM_SHARED").map_or_else(|| repository().join("../shared"), PathBuf::from);
    let path = folder.join(path);
    if !path.exists() {
        eprintln!("skipped: {test}: there is no {}", path.display());
        return None;
    }
    Some(path)
}

fn food64() -> Model {
    Model::load(&repository().join("models/food64")).unwrap()
}

fn on_a_device(PackedModel { manifest, backbone, head }: &PackedModel) -> Model {
    Model::from_packed(manifest, backbone, head.as_deref()).unwrap()
}

fn photos_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(photos_in(&path));
        } else if path
            .extension()
            .is_some_and(|kind| ["jpg", "jpeg", "png", "webp", "gif"].iter().any(|known| kind == *known))
        {
            found.push(path);
        }
    }
    found
}

fn read(bytes: &[u8], side: u32) -> RgbPhoto {
    let info = probe(bytes, &Default::default()).unwrap();
    decode(bytes, &info, side).unwrap()
}

fn difference(one: &Answer, other: &Answer) -> f32 {
    let pairs = one.probabilities.iter().zip(&other.probabilities);
    pairs.map(|(one, other)| (one - other).abs()).fold(0.0, f32::max)
}

#[test]
#[expect(clippy::print_stderr, reason = "what was measured")]
fn a_device_answers_as_the_server_does_on_every_photo() {
    let server = food64();
    let device = on_a_device(server.packed().unwrap());
    let mut photos = photos_in(&repository().join("classifier/tests/pictures"));
    let real = shared("a_device_answers_as_the_server_does_on_every_photo, for real ones", "images");
    photos.extend(real.map(|folder| photos_in(&folder)).unwrap_or_default());
    assert!(!photos.is_empty(), "there is nothing to look at");
    let mut largest = 0.0_f32;
    for path in &photos {
        let photo = read(&fs::read(path).unwrap(), server.input_side());
        let (expected, found) = (server.classify(&photo).unwrap(), device.classify(&photo).unwrap());
        let difference = difference(&expected, &found);
        largest = largest.max(difference);
        assert!(difference <= TOLERANCE, "{}: {difference}", path.display());
    }
    eprintln!("{} photos, largest difference {largest:.1e}", photos.len());
}

#[test]
#[expect(clippy::print_stderr, reason = "what was measured")]
fn half_precision_costs_no_accuracy_on_held_out_photos() {
    let test = "half_precision_costs_no_accuracy_on_held_out_photos";
    let Some(path) = shared(test, "corpus/food101-64px.zip") else { return };
    let server = food64();
    let device = on_a_device(server.packed().unwrap());
    let mut archive = zip::ZipArchive::new(File::open(path).unwrap()).unwrap();
    let (mut seen, mut agree, mut largest) = (0_u32, 0_u32, 0.0_f32);
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        if !entry.name().unwrap().starts_with("test/") || entry.is_dir() {
            continue;
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let photo = read(&bytes, server.input_side());
        let (expected, found) = (server.classify(&photo).unwrap(), device.classify(&photo).unwrap());
        seen += 1;
        agree += u32::from(expected.top == found.top);
        largest = largest.max(difference(&expected, &found));
    }
    let differ = seen - agree;
    eprintln!("{seen} held-out photos: another class on {differ}, largest difference of a probability {largest:.1e}");
    assert!(seen > 1_000, "{seen} photos are too few to say anything");
    // Of a thousand photos one, where two classes are as good as equal.
    assert!(differ * 1_000 <= seen, "another class on {differ} of {seen}");
    assert!(largest <= TOLERANCE, "a probability is off by {largest}");
}

#[test]
fn a_model_is_packed_into_the_same_bytes_each_time() {
    // The parts' addresses are their hashes, on every server and after every start.
    let first = food64();
    for _ in 0..2 {
        assert!(food64().packed() == first.packed());
    }
}

#[test]
fn parts_that_do_not_belong_together_are_refused() {
    let model = food64();
    let PackedModel { manifest, backbone, head } = model.packed().unwrap();
    let hash = model.manifest().sha256.backbone.to_string();
    let others = manifest.replace(&hash, &"0".repeat(64));
    let smaller = manifest.replace("width = 64", "width = 32");
    assert!(others != *manifest && smaller != *manifest);
    let refused = |manifest: &str, head: Option<&[u8]>| {
        Model::from_packed(manifest, backbone, head).expect_err("they do not belong together").to_string()
    };
    assert!(refused(&others, head.as_deref()).contains("the manifest's is 0000"));
    assert!(refused(&smaller, head.as_deref()).contains("another input"));
    assert!(refused(manifest, None).contains("head.safetensors is missing"));
    let mut changed = head.clone().unwrap();
    *changed.last_mut().unwrap() ^= 1;
    assert!(refused(manifest, Some(&changed)).contains("damaged"));
}

#[test]
fn a_damaged_backbone_is_refused_and_never_panics() {
    let model = food64();
    let PackedModel { manifest, backbone, head } = model.packed().unwrap();
    for length in [0, 7, 8, 100, 4_000, backbone.len() / 2, backbone.len() - 1] {
        assert!(Model::from_packed(manifest, &backbone[..length], head.as_deref()).is_err(), "{length} bytes");
    }
    // Its first bytes say what is what: whatever they are, the answer is a model or a refusal.
    let words = u64::from_le_bytes(backbone[..8].try_into().unwrap()) as usize;
    let text = String::from_utf8(backbone[8..8 + words].to_vec()).unwrap();
    for (from, to) in [
        ("gourmetgram-device-2", "gourmetgram-device-1"),
        ("\\\"input\\\":1,", "\\\"input\\\":9,"),
        ("\\\"shortcut\\\":", "\\\"shortcut\\\":9"),
        ("\\\"strides\\\":[1,1]", "\\\"strides\\\":[0,0]"),
        ("\\\"image\\\":[1,3,64,64]", "\\\"image\\\":[1,3,64,9999999]"),
        ("\\\"last\\\":", "\\\"last\\\":9"),
    ] {
        let forged = text.replacen(from, to, 1);
        assert_ne!(forged, text, "{from}");
        let mut file = (forged.len() as u64).to_le_bytes().to_vec();
        file.extend_from_slice(forged.as_bytes());
        file.extend_from_slice(&backbone[8 + words..]);
        assert!(Model::from_packed(manifest, &file, head.as_deref()).is_err(), "{to}");
    }
}

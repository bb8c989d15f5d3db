//! Broken, truncated and hostile files are typed errors: never a panic, never minutes of work.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use gourmetgram_api::UploadLimits;
use gourmetgram_classifier::{PhotoError, PhotoFormat, RgbPhoto, decode, probe};
use proptest::prelude::*;

fn folder(name: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let mut files: Vec<PathBuf> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files.sort();
    files
}

fn hostile(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile").join(name)).unwrap()
}

/// What a server does with a file.
fn open(bytes: &[u8]) -> Result<RgbPhoto, PhotoError> {
    let info = probe(bytes, &UploadLimits::default())?;
    let photo = decode(bytes, &info, 64)?;
    assert!(info.decoded_bytes(64) >= photo.pixels().len() as u64, "the budget knows what was decoded");
    Ok(photo)
}

#[test]
fn each_hostile_file_is_refused_for_the_right_reason() {
    for path in folder("tests/hostile") {
        let name = path.file_name().unwrap().to_str().unwrap();
        let outcome = open(&fs::read(&path).unwrap());
        let as_expected = match name {
            "empty" | "text.jpg" | "bitmap.bmp" | "picture.tiff" | "page.svg" => {
                outcome == Err(PhotoError::NotAPicture)
            }
            "bomb-frame.webp" => matches!(outcome, Err(PhotoError::Broken { .. })),
            _ if name.starts_with("bomb") => matches!(outcome, Err(PhotoError::TooManyPixels { .. })),
            "arithmetic.jpg" | "zero.jpg" => matches!(outcome, Err(PhotoError::Unsupported { .. })),
            // Odd, but pictures: what is odd about them is left alone.
            "outside.gif" | "profile-bomb.png" | "text-bomb.png" => outcome.is_ok(),
            _ if name.starts_with("exif-") => outcome.as_ref().is_ok_and(|photo| photo.width() == 48),
            _ => matches!(outcome, Err(PhotoError::Broken { .. })),
        };
        assert!(as_expected, "{name}: {outcome:?}");
    }
}

#[test]
fn refusals_say_what_is_wrong_and_what_to_do() {
    let sentence = |name: &str| open(&hostile(name)).unwrap_err().to_string();
    assert_eq!(
        sentence("bomb.png"),
        "the picture has 50000 x 50000 pixels, at most 50 million are accepted: send a smaller one"
    );
    assert_eq!(sentence("text.jpg"), "the file is no JPEG, PNG, WebP or GIF picture: send one of those");
    assert!(sentence("truncated-middle.jpg").starts_with("the JPEG is damaged or cut off ("));
}

#[test]
fn a_small_file_cannot_keep_a_processor_busy() {
    for path in folder("tests/hostile") {
        let bytes = fs::read(&path).unwrap();
        let began = Instant::now();
        let _ = open(&bytes);
        assert!(began.elapsed() < Duration::from_secs(2), "{}: {:?}", path.display(), began.elapsed());
    }
}

#[test]
fn a_picture_cut_off_anywhere_is_never_a_panic() {
    for path in folder("tests/pictures").iter().filter(|path| fs::metadata(path).unwrap().len() < 1000) {
        let bytes = fs::read(path).unwrap();
        for end in 0..bytes.len() {
            let outcome = open(&bytes[..end]);
            assert!(!matches!(outcome, Err(PhotoError::DecoderPanicked { .. })), "{} cut at {end}", path.display());
        }
    }
}

/// What the fuzzer has found worth keeping; see `fuzz/`.
#[test]
fn the_fuzzers_corpus_is_never_a_panic() {
    for path in folder("fuzz/corpus/photo") {
        let outcome = open(&fs::read(&path).unwrap());
        assert!(!matches!(outcome, Err(PhotoError::DecoderPanicked { .. })), "{}: {outcome:?}", path.display());
    }
}

fn beginnings() -> impl Strategy<Value = Vec<u8>> {
    prop::sample::select(vec![
        vec![0xFF, 0xD8, 0xFF],
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(),
        b"RIFF\0\0\0\0WEBPVP8 ".to_vec(),
        b"RIFF\0\0\0\0WEBPVP8X".to_vec(),
        b"GIF89a".to_vec(),
        Vec::new(),
    ])
}

fn pictures() -> impl Strategy<Value = Vec<u8>> {
    let small = |path: &PathBuf| fs::metadata(path).unwrap().len() < 10_000;
    let files: Vec<PathBuf> = folder("tests/pictures").into_iter().filter(small).collect();
    prop::sample::select(files).prop_map(|path| fs::read(path).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_bytes_make_a_decoder_panic(begin in beginnings(), rest in prop::collection::vec(any::<u8>(), 0..400)) {
        let outcome = open(&[begin, rest].concat());
        let panicked = matches!(outcome, Err(PhotoError::DecoderPanicked { .. }));
        prop_assert!(!panicked, "{outcome:?}");
    }

    #[test]
    fn no_damage_makes_a_decoder_panic(
        mut bytes in pictures(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let outcome = open(&bytes);
        let panicked = matches!(outcome, Err(PhotoError::DecoderPanicked { .. }));
        prop_assert!(!panicked, "{outcome:?}");
        if let Ok(photo) = outcome {
            prop_assert_eq!(photo.pixels().len(), photo.width() as usize * photo.height() as usize * 3);
        }
    }

    #[test]
    fn a_format_is_known_by_its_first_bytes_alone(bytes in prop::collection::vec(any::<u8>(), 0..32)) {
        let known = bytes.starts_with(&[0xFF, 0xD8, 0xFF]) || bytes.starts_with(b"GIF8") || bytes.starts_with(b"\x89PNG")
            || bytes.starts_with(b"RIFF");
        prop_assert!(PhotoFormat::of(&bytes).is_none() || known);
    }
}

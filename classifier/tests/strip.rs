//! A photo without its metadata is the same picture, and nothing else.

use std::{
    fs,
    path::{Path, PathBuf},
};

use gourmetgram_api::UploadLimits;
use gourmetgram_classifier::{PhotoError, PhotoInfo, decode, probe, strip};
use proptest::prelude::*;

/// Stands wherever a file may hold words; must stand nowhere afterwards.
const SECRET: &[u8] = b"GPS 52.5200 N 13.4050 E, Ann's phone";

fn in_crate(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files.extend(files_below(&entry.path())),
            Ok(kind) if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
    files.sort();
    files
}

fn picture(name: &str) -> Vec<u8> {
    fs::read(in_crate("tests/pictures").join(name)).unwrap()
}

fn headers(bytes: &[u8]) -> PhotoInfo {
    probe(bytes, &UploadLimits::default()).unwrap()
}

fn stripped(bytes: &[u8]) -> Vec<u8> {
    strip(bytes, &headers(bytes)).unwrap()
}

fn open(bytes: &[u8]) -> Result<(), PhotoError> {
    decode(bytes, &probe(bytes, &UploadLimits::default())?, 64).map(|_| ())
}

fn holds(bytes: &[u8], words: &[u8]) -> bool {
    bytes.windows(words.len()).any(|window| window == words)
}

/// Checks what must hold for every file, and says whether it is one that a server would keep. A damaged file may be
/// refused although a decoder makes something of it.
#[track_caller]
fn check(name: &str, bytes: &[u8]) -> bool {
    let Ok(info) = probe(bytes, &UploadLimits::default()) else { return false };
    let target = 64;
    let before = decode(bytes, &info, target);
    let Ok(stripped) = strip(bytes, &info) else { return false };
    assert!(stripped.len() <= bytes.len() + 64, "{name} grew from {} to {}", bytes.len(), stripped.len());
    let Ok(before) = before else { return false };
    let again = probe(&stripped, &UploadLimits::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(info.format, again.format, "{name}");
    assert_eq!((info.width, info.height, info.orientation), (again.width, again.height, again.orientation), "{name}");
    let after = decode(&stripped, &again, target).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(before == after, "{name} has other pixels");
    assert_eq!(strip(&stripped, &again).as_ref(), Ok(&stripped), "{name} has something left to take off");
    true
}

#[test]
fn every_picture_keeps_its_pixels_and_its_orientation() {
    for path in files_below(&in_crate("tests/pictures")) {
        let name = path.display().to_string();
        assert!(check(&name, &fs::read(&path).unwrap()), "{name} is not kept");
    }
}

#[test]
fn hostile_files_and_the_fuzzers_corpus_keep_their_pixels_or_are_refused() {
    for folder in ["tests/hostile", "fuzz/corpus"] {
        for path in files_below(&in_crate(folder)) {
            check(&path.display().to_string(), &fs::read(&path).unwrap());
        }
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "a test's output is for people")]
fn real_photos_keep_their_pixels() {
    let shared = std::env::var_os("GOURMETGRAM_SHARED").map_or_else(|| in_crate("../../shared"), PathBuf::from);
    let folder = shared.join("images");
    if !folder.is_dir() {
        eprintln!("skipped: real_photos_keep_their_pixels: there is no {}", folder.display());
        return;
    }
    let mut kept = 0;
    for path in files_below(&folder) {
        let bytes = fs::read(&path).unwrap();
        let is_photo = probe(&bytes, &UploadLimits::default()).is_ok_and(|info| decode(&bytes, &info, 64).is_ok());
        assert_eq!(check(&path.display().to_string(), &bytes), is_photo, "{}", path.display());
        kept += usize::from(is_photo);
    }
    assert!(kept > 0, "no photos in {}", folder.display());
}

/// A JPEG segment.
fn segment(marker: u8, content: &[&[u8]]) -> Vec<u8> {
    let content = content.concat();
    [&[0xFF, marker], (content.len() as u16 + 2).to_be_bytes().as_slice(), &content].concat()
}

#[test]
fn a_jpeg_loses_place_camera_thumbnail_comments_and_what_lies_behind_its_end() {
    let plain = picture("baseline.jpg");
    let thumbnail = [b"JFIF\0\x01\x02\0\0\x01\0\x01\x04\x03".as_slice(), SECRET].concat();
    let secrets = [
        segment(0xE0, &[&thumbnail]),
        segment(0xE0, &[b"JFXX\0\x10", SECRET]),
        segment(0xE1, &[b"Exif\0\0II*\0\x08\0\0\0", SECRET]),
        segment(0xE1, &[b"http://ns.adobe.com/xap/1.0/\0", SECRET]),
        segment(0xE1, &[b"http://ns.adobe.com/xmp/extension/\0", SECRET]),
        segment(0xE2, &[b"MPF\0", SECRET]),
        segment(0xE2, &[b"FPXR\0", SECRET]),
        segment(0xED, &[b"Photoshop 3.0\0", SECRET]),
        segment(0xEB, &[b"JP", SECRET]),
        segment(0xFE, &[SECRET]),
    ]
    .concat();
    // Words also stand between segments, where decoders pass over them.
    let file = [&plain[..2], &secrets, SECRET, &plain[2..], b"\0\0\0\x18ftypmp42", SECRET, &plain].concat();
    open(&file).unwrap();
    assert!(check("a JPEG with secrets", &file));
    let stripped = stripped(&file);
    for secret in [SECRET, b"ftyp", b"Exif", b"xap", b"MPF", b"JFXX"] {
        assert!(!holds(&stripped, secret), "{}", String::from_utf8_lossy(secret));
    }
    assert!(stripped.len() <= plain.len() + 32, "{} and {}", stripped.len(), plain.len());
}

#[test]
fn a_jpeg_keeps_its_colours_and_loses_only_the_rest() {
    let plain = picture("baseline.jpg");
    let profile = segment(0xE2, &[b"ICC_PROFILE\0\x01\x01", b"a profile"]);
    let file = [&plain[..2], &profile, &plain[2..]].concat();
    assert!(holds(&stripped(&file), &profile));
    assert!(holds(&stripped(&picture("cmyk-adobe.jpg")), b"Adobe"));
}

fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut sum = crc32fast::Hasher::new();
    sum.update(name);
    sum.update(content);
    [&(content.len() as u32).to_be_bytes(), name.as_slice(), content, &sum.finalize().to_be_bytes()].concat()
}

#[test]
fn a_png_loses_its_words_its_time_and_what_lies_behind_its_end() {
    let plain = picture("rgb.png");
    let after_header = 8 + 25;
    let exif = [b"MM\0*\0\0\0\x08\0\0".as_slice(), SECRET].concat();
    let secrets = [
        chunk(b"tEXt", &[b"Comment\0", SECRET].concat()),
        chunk(b"iTXt", &[b"XML:com.adobe.xmp\0\0\0\0\0", SECRET].concat()),
        chunk(b"eXIf", &exif),
        chunk(b"tIME", b"\x07\xEA\x0B\x18\x10\x00\x00"),
        chunk(b"prVt", SECRET),
    ]
    .concat();
    let file = [&plain[..after_header], &secrets, &plain[after_header..], SECRET].concat();
    assert!(check("a PNG with secrets", &file));
    let stripped = stripped(&file);
    for secret in [SECRET, b"tEXt", b"iTXt", b"eXIf", b"tIME", b"prVt"] {
        assert!(!holds(&stripped, secret), "{}", String::from_utf8_lossy(secret));
    }
    assert!(holds(&strip_with(&file, b"gAMA", &0x0000_B18F_u32.to_be_bytes(), after_header), b"gAMA"));
}

fn strip_with(file: &[u8], name: &[u8; 4], content: &[u8], at: usize) -> Vec<u8> {
    stripped(&[&file[..at], &chunk(name, content), &file[at..]].concat())
}

#[test]
fn a_webp_loses_its_exif_its_xmp_and_what_lies_behind_its_end() {
    let plain = picture("orientation-6.webp");
    let riff = |name: &[u8; 4], content: &[u8]| {
        let padding: &[u8] = if content.len() % 2 == 1 { &[0] } else { &[] };
        [name.as_slice(), &(content.len() as u32).to_le_bytes(), content, padding].concat()
    };
    let mut file = [plain.as_slice(), &riff(b"XMP ", SECRET), &riff(b"prvt", SECRET)].concat();
    let size = file.len() as u32 - 8;
    file[4..8].copy_from_slice(&size.to_le_bytes());
    file.extend(SECRET);
    file[20] |= 0b100;
    assert!(check("a WebP with secrets", &file));
    let stripped = stripped(&file);
    for secret in [SECRET, b"XMP ", b"prvt"] {
        assert!(!holds(&stripped, secret), "{}", String::from_utf8_lossy(secret));
    }
    assert_eq!(stripped[20] & 0b1100, 0b1000, "only the orientation is said to be there");
    assert_eq!(u32::from_le_bytes(stripped[4..8].try_into().unwrap()) as usize, stripped.len() - 8);
}

#[test]
fn a_gif_loses_its_comments_and_keeps_its_loop() {
    let plain = picture("animated.gif");
    let palette = if plain[10] & 0x80 == 0 { 0 } else { 3 << ((plain[10] & 7) + 1) };
    let at = 13 + palette;
    let words = [&[SECRET.len() as u8], SECRET, &[0]].concat();
    let secrets = [
        [b"\x21\xFE".as_slice(), &words].concat(),
        [b"\x21\xFF\x0BXMP DataXMP".as_slice(), &words].concat(),
        [b"\x21\xFF\x0BNETSCAPE2.0\x03\x01\x07\x00".as_slice(), &words].concat(),
    ]
    .concat();
    let file = [&plain[..at], &secrets, &plain[at..], SECRET].concat();
    assert!(check("a GIF with secrets", &file));
    let stripped = stripped(&file);
    assert!(!holds(&stripped, SECRET) && !holds(&stripped, b"XMP"));
    assert!(holds(&stripped, b"NETSCAPE2.0\x03\x01\x07\x00\x00"));
}

#[test]
fn a_photo_that_is_cut_off_is_refused_in_words_for_people() {
    let file = picture("baseline.jpg");
    let info = headers(&file);
    let error = strip(&file[..300], &info).or_else(|_| strip(&file[..100], &info)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the JPEG is damaged or cut off (it ends before the picture does): send it again, or another one"
    );
    for path in files_below(&in_crate("tests/hostile")) {
        let bytes = fs::read(&path).unwrap();
        let outcome = probe(&bytes, &UploadLimits::default()).and_then(|info| decode(&bytes, &info, 64));
        let Err(error) = outcome else { continue };
        let sentence = error.to_string();
        for word in ["buffer", "IoError", "IO Error", "UnexpectedEof", "Some(", "\""] {
            assert!(!sentence.contains(word), "{}: {sentence}", path.display());
        }
    }
}

#[test]
fn a_picture_that_was_cut_off_does_not_pass_for_a_whole_one() {
    for path in files_below(&in_crate("tests/pictures")) {
        let whole = fs::read(&path).unwrap();
        for end in (0..whole.len()).step_by(whole.len() / 20 + 1) {
            let bytes = &whole[..end];
            let Ok(info) = probe(bytes, &UploadLimits::default()) else { continue };
            let Ok(stripped) = strip(bytes, &info) else { continue };
            assert_eq!(open(bytes).is_ok(), open(&stripped).is_ok(), "{} cut at {end}", path.display());
        }
    }
}

#[test]
fn another_photos_headers_are_an_error_or_harmless_but_never_a_panic() {
    let files: Vec<Vec<u8>> = ["baseline.jpg", "rgb.png", "lossy.webp", "plain.gif"].map(picture).into();
    for one in &files {
        for other in &files {
            let _: Result<Vec<u8>, PhotoError> = strip(one, &headers(other));
        }
    }
}

fn pictures() -> impl Strategy<Value = Vec<u8>> {
    let small = |path: &PathBuf| fs::metadata(path).unwrap().len() < 10_000;
    let files: Vec<PathBuf> = files_below(&in_crate("tests/pictures")).into_iter().filter(small).collect();
    prop::sample::select(files).prop_map(|path| fs::read(path).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn damage_never_changes_pixels_and_never_panics(
        mut bytes in pictures(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()).max(1));
        }
        let Ok(info) = probe(&bytes, &UploadLimits::default()) else { return Ok(()) };
        // A damaged file that cannot be taken apart is refused, even where a decoder makes something of it.
        let Ok(stripped) = strip(&bytes, &info) else { return Ok(()) };
        let Ok(before) = decode(&bytes, &info, 64) else { return Ok(()) };
        let again = probe(&stripped, &UploadLimits::default());
        prop_assert!(again.is_ok(), "{again:?}");
        let after = decode(&stripped, &again.unwrap(), 64);
        prop_assert!(after.as_ref() == Ok(&before), "{after:?}");
    }
}

//! Every kind of picture that people send comes out upright, in its colours.

use std::{fs, path::Path};

use gourmetgram_api::UploadLimits;
use gourmetgram_classifier::{PhotoError, PhotoFormat, PhotoInfo, RgbPhoto, decode, probe};

const RED: [u8; 3] = [230, 20, 30];
const GREEN: [u8; 3] = [20, 200, 60];
const BLUE: [u8; 3] = [30, 60, 220];
const YELLOW: [u8; 3] = [250, 230, 40];
const WHITE: [u8; 3] = [255; 3];
const FLAG: [[u8; 3]; 4] = [RED, GREEN, BLUE, YELLOW];

fn read(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn open(name: &str, target_side: u32) -> (PhotoInfo, RgbPhoto) {
    let bytes = read(name);
    let info = probe(&bytes, &UploadLimits::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
    let photo = decode(&bytes, &info, target_side).unwrap_or_else(|error| panic!("{name}: {error}"));
    (info, photo)
}

fn pixel(photo: &RgbPhoto, x: u32, y: u32) -> [u8; 3] {
    let start = 3 * (y * photo.width() + x) as usize;
    photo.pixels()[start..start + 3].try_into().unwrap()
}

/// The middles of the flag's four rectangles: top left, top right, bottom left, bottom right.
fn middles(photo: &RgbPhoto) -> [[u8; 3]; 4] {
    let (width, height) = (photo.width(), photo.height());
    [(1, 1), (3, 1), (1, 3), (3, 3)].map(|(x, y)| pixel(photo, width * x / 4, height * y / 4))
}

#[track_caller]
fn assert_flag(name: &str, expected: [[u8; 3]; 4], tolerance: u8) {
    // A target as large as the picture: nothing is scaled.
    let (info, photo) = open(name, 48);
    assert_eq!((info.width, info.height), (48, 32), "{name}");
    assert_eq!((photo.width(), photo.height()), (48, 32), "{name}");
    let found = middles(&photo);
    for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
        assert!(found.abs_diff(*expected) <= tolerance, "{name}: {:?}, not {expected:?}", middles(&photo));
    }
}

/// Luma as ITU-R BT.601 has it, which Pillow and JPEG use.
fn gray([red, green, blue]: [u8; 3]) -> [u8; 3] {
    let luma = 0.299 * f32::from(red) + 0.587 * f32::from(green) + 0.114 * f32::from(blue);
    [luma.round() as u8; 3]
}

fn half_on_white(colour: [u8; 3]) -> [u8; 3] {
    colour.map(|value| ((u16::from(value) + 255) / 2) as u8)
}

#[test]
fn jpegs_of_every_kind_keep_their_colours() {
    for name in ["baseline.jpg", "progressive.jpg"] {
        assert_flag(name, FLAG, 3);
    }
    assert_flag("subsampled.jpg", FLAG, 8);
    assert_flag("gray.jpg", FLAG.map(gray), 3);
    // Pillow makes inks without black, so the colours survive the round trip.
    assert_flag("cmyk-adobe.jpg", FLAG, 4);
    assert_flag("cmyk-plain.jpg", FLAG, 4);
}

#[test]
fn every_exif_orientation_is_turned_upright() {
    for orientation in 1..=8 {
        let name = format!("orientation-{orientation}.jpg");
        assert_flag(&name, FLAG, 4);
        assert_eq!(open(&name, 48).0.orientation, orientation);
    }
    assert_flag("orientation-6.png", FLAG, 0);
    assert_flag("orientation-6.webp", FLAG, 0);
}

#[test]
fn pngs_of_every_kind_keep_their_colours() {
    for name in ["rgb.png", "rgb16.png", "interlaced.png", "palette.png"] {
        assert_flag(name, FLAG, 0);
    }
    for name in ["gray.png", "gray16.png"] {
        assert_flag(name, FLAG.map(gray), 1);
    }
    // Red and blue are dark, green and yellow light, once there are only black and white.
    let black = [0; 3];
    assert_flag("bilevel.png", [black, if gray(GREEN)[0] > 127 { WHITE } else { black }, black, WHITE], 0);
}

#[test]
fn what_is_transparent_lies_on_white() {
    let expected = [RED, half_on_white(GREEN), BLUE, WHITE];
    for name in ["rgba.png", "rgba16.png", "alpha.webp"] {
        assert_flag(name, expected, 1);
    }
    assert_flag("alpha-lossy.webp", expected, 12);
    assert_flag("gray-alpha.png", [gray(RED), half_on_white(gray(GREEN)), gray(BLUE), WHITE], 1);
    for name in ["palette-transparent.png", "transparent.gif"] {
        assert_flag(name, [RED, GREEN, BLUE, WHITE], 0);
    }
}

#[test]
fn webps_and_gifs_show_their_first_frame() {
    for name in ["lossless.webp", "animated.webp", "plain.gif", "animated.gif"] {
        assert_flag(name, FLAG, 0);
    }
    assert_flag("lossy.webp", FLAG, 12);
}

#[test]
fn a_large_jpeg_is_scaled_while_decoding_to_the_same_picture() {
    for (name, full, scaled) in
        [("plate.jpg", (1200, 900), (300, 225)), ("plate-progressive.jpg", (900, 1200), (225, 300))]
    {
        let (info, whole) = open(name, 900);
        assert_eq!((whole.width(), whole.height()), full, "{name}");
        let (_, small) = open(name, 100);
        assert_eq!((small.width(), small.height()), scaled, "{name}");
        assert!(info.decoded_bytes(100) < info.decoded_bytes(900), "{name}");
        assert!(info.decoded_bytes(100) >= small.pixels().len() as u64, "{name}");
        // The same place shows the same colour at both sizes.
        for (x, y) in [(1, 1), (2, 2), (3, 1), (1, 3), (2, 3)] {
            let at = |photo: &RgbPhoto| pixel(photo, photo.width() * x / 4, photo.height() * y / 4);
            for (large, small) in at(&whole).iter().zip(at(&small)) {
                assert!(large.abs_diff(small) <= 24, "{name} at {x}/4, {y}/4: {:?}, {:?}", at(&whole), small);
            }
        }
    }
}

#[test]
fn a_picture_says_what_it_is_by_its_bytes() {
    for (name, content_type, extension) in [
        ("baseline.jpg", "image/jpeg", ".jpg"),
        ("rgb.png", "image/png", ".png"),
        ("lossy.webp", "image/webp", ".webp"),
        ("plain.gif", "image/gif", ".gif"),
    ] {
        let format = open(name, 64).0.format;
        assert_eq!((format.content_type(), format.extension()), (content_type, extension));
    }
}

#[test]
fn a_file_above_the_limit_of_bytes_is_refused_whatever_it_is() {
    let limits = UploadLimits { max_bytes: 100, max_pixels: 1 };
    let outcome = probe(&[0; 101], &limits);
    assert_eq!(outcome, Err(PhotoError::TooManyBytes { bytes: 101, max_bytes: 100 }));
    assert_eq!(probe(&[0; 100], &limits), Err(PhotoError::NotAPicture));
}

#[test]
fn the_limit_of_pixels_is_exact() {
    let bytes = read("rgb.png");
    let limits = |max_pixels| UploadLimits { max_bytes: 1000, max_pixels };
    assert!(probe(&bytes, &limits(48 * 32)).is_ok());
    let expected = PhotoError::TooManyPixels { width: 48, height: 32, max_pixels: 48 * 32 - 1 };
    assert_eq!(probe(&bytes, &limits(48 * 32 - 1)), Err(expected));
}

#[test]
fn a_photo_decoded_with_another_ones_headers_is_an_error_or_its_own() {
    // A caller's mistake must not become a panic or a picture of the wrong size.
    let (first, second) = (read("baseline.jpg"), read("plate.jpg"));
    let info = probe(&first, &UploadLimits::default()).unwrap();
    assert!(matches!(decode(&second, &info, 48), Err(PhotoError::Broken { format: PhotoFormat::Jpeg, .. })));
    assert!(decode(&read("rgb.png"), &info, 48).is_err());
}

//! What the painter promises: photos that are photos, the same each time, of what they say.

use std::collections::BTreeSet;

use image::{ImageReader, RgbImage};
use painted_dishes::{Flaw, LARGEST_FILE, Photo, Subject};

fn decode(jpeg: &[u8]) -> RgbImage {
    ImageReader::new(std::io::Cursor::new(jpeg)).with_guessed_format().unwrap().decode().unwrap().into_rgb8()
}

/// The mean of all channels, and how far pixels are from it on average.
fn light(picture: &RgbImage) -> (f64, f64) {
    let values: Vec<f64> = picture.as_raw().iter().map(|value| f64::from(*value)).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let spread = values.iter().map(|value| (value - mean).abs()).sum::<f64>() / values.len() as f64;
    (mean, spread)
}

#[test]
fn the_same_photo_is_painted_the_same_and_another_one_is_not() {
    let photo = Photo::new(3, 14);
    assert_eq!(photo.paint(), photo.paint());
    assert_ne!(photo.paint(), Photo::new(4, 14).paint());
    assert_ne!(photo.paint(), Photo::new(3, 26).paint());
}

#[test]
fn photos_of_every_subject_are_small_files_with_something_on_them() {
    for number in 0..25 {
        let photo = Photo::new(1, number);
        let painted = photo.paint();
        assert!(painted.len() <= LARGEST_FILE, "{number}: {} bytes", painted.len());
        let picture = decode(&painted);
        assert!(picture.width().min(picture.height()) >= 600, "{number}");
        let (mean, spread) = light(&picture);
        let (dark, bright) = if photo.flaw() == Some(Flaw::Dark) { (4.0, 110.0) } else { (45.0, 235.0) };
        assert!((dark..bright).contains(&mean) && spread > 3.0, "{number} {:?}: {mean} {spread}", photo.subject());
    }
}

#[test]
fn subjects_take_turns_and_some_photos_have_flaws() {
    let photos: Vec<Photo> = (0..300).map(|number| Photo::new(1, number)).collect();
    for subject in Subject::FOODS {
        let count = photos.iter().filter(|photo| photo.subject() == subject).count();
        assert!((24..=28).contains(&count), "{subject:?}: {count}");
    }
    let not_food = photos.iter().filter(|photo| photo.subject() == Subject::NotFood).count();
    assert_eq!(not_food, 12);
    let names: BTreeSet<String> = photos.iter().map(Photo::file_name).collect();
    assert_eq!(names.len(), 300);
}

#[test]
fn gray_photos_are_gray() {
    let gray = (0..400).map(|number| Photo::new(2, number)).find(|photo| photo.flaw() == Some(Flaw::Gray));
    let picture = decode(&gray.expect("one in twenty-five is gray").paint());
    let colored = picture.pixels().filter(|pixel| pixel.0.iter().max().unwrap() - pixel.0.iter().min().unwrap() > 24);
    assert!(colored.count() < 100);
}

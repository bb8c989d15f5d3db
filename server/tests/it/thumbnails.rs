//! Small pictures of photos: what they are, who may see them, and that they go with their photo.

use std::path::Path;

use gourmetgram::thumbnails;
use gourmetgram_api::UploadLimits;
use gourmetgram_classifier::probe;

use crate::{
    on_both_databases,
    support::{Browser, Database, TestApp, a_photo, problem},
};

fn files(test: &TestApp) -> usize {
    std::fs::read_dir(test.data.path().join("thumbnails")).unwrap().count()
}

fn picture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../classifier/tests/pictures").join(name)).unwrap()
}

on_both_databases! {
    a_small_picture_is_made_kept_and_known_again => async |database| {
        let test = TestApp::start(database).await;
        let ann = Browser::open(&test).await;
        // 640 pixels wide: larger than every size.
        let mut large = std::io::Cursor::new(Vec::new());
        let plate = image::RgbImage::from_fn(640, 480, |x, y| image::Rgb([(x % 256) as u8, (y % 256) as u8, 90]));
        plate.write_to(&mut large, image::ImageFormat::Jpeg).unwrap();
        let new = ann.upload(large.into_inner()).await;
        let path = format!("/api/v1/predictions/{}/thumbnail", new.id);
        for (query, width, height) in [("?size=96", 96, 72), ("", 256, 192), ("?size=512", 512, 384)] {
            let answer = ann.get(&format!("{path}{query}")).send().await.unwrap();
            assert_eq!(answer.status(), 200);
            assert_eq!(answer.headers()["content-type"], "image/jpeg");
            assert_eq!(answer.headers()["cache-control"], "private, no-cache");
            let etag = answer.headers()["etag"].clone();
            let jpeg = answer.bytes().await.unwrap();
            let info = probe(&jpeg, &UploadLimits::default()).unwrap();
            assert_eq!((info.width, info.height), (width, height));
            let again = ann.get(&format!("{path}{query}")).send().await.unwrap();
            assert_eq!(again.bytes().await.unwrap(), jpeg, "kept, not made anew");
            let known = ann.get(&format!("{path}{query}")).header("if-none-match", etag).send().await.unwrap();
            assert_eq!(known.status(), 304);
        }
        assert_eq!(files(&test), 3);
        test.stop().await;
    };

    an_erased_photo_has_no_small_picture_left => async |database| {
        let test = TestApp::start(database).await;
        let new = test.upload(a_photo(1)).await;
        let path = format!("/api/v1/predictions/{}", new.id);
        let thumbnail = || test.get(&format!("{path}/thumbnail?size=96")).bearer_auth(&new.feedback_token).send();
        let etag = thumbnail().await.unwrap().headers()["etag"].clone();
        assert_eq!(files(&test), 1);
        test.delete(&path).bearer_auth(&new.feedback_token).send().await.unwrap();
        assert_eq!(files(&test), 0);
        problem(thumbnail().await.unwrap(), 410).await;
        let known = test.get(&format!("{path}/thumbnail?size=96")).bearer_auth(&new.feedback_token);
        problem(known.header("if-none-match", etag).send().await.unwrap(), 410).await;
        test.stop().await;
    };

    somebody_elses_small_picture_is_not_there => async |database| {
        let test = TestApp::start(database).await;
        let (ann, bob) = (Browser::open(&test).await, Browser::open(&test).await);
        let new = ann.upload(a_photo(1)).await;
        let path = format!("/api/v1/predictions/{}/thumbnail", new.id);
        assert_eq!(ann.get(&path).send().await.unwrap().status(), 200);
        problem(bob.get(&path).send().await.unwrap(), 404).await;
        // Not even whether the size is wrong.
        problem(bob.get(&format!("{path}?size=7")).send().await.unwrap(), 404).await;
        problem(test.get(&path).send().await.unwrap(), 401).await;
        let operator = test.operator().await;
        assert_eq!(test.get(&path).bearer_auth(&operator).send().await.unwrap().status(), 200);
        test.stop().await;
    };
}

#[tokio::test]
async fn only_the_fixed_sizes_are_made() {
    let test = TestApp::start(Database::Sqlite).await;
    let ann = Browser::open(&test).await;
    let new = ann.upload(a_photo(1)).await;
    let path = format!("/api/v1/predictions/{}/thumbnail", new.id);
    for bad in
        ["size=95", "size=0", "size=-96", "size=96px", "size=99999999999999999999", "width=96", "size=96&size=96"]
    {
        let refused = problem(ann.get(&format!("{path}?{bad}")).send().await.unwrap(), 400).await;
        assert!(refused.detail.contains("96, 256, 512 or 1024"), "{}", refused.detail);
    }
    assert_eq!(files(&test), 0);
    test.stop().await;
}

#[tokio::test]
async fn a_small_picture_is_upright_and_says_nothing_of_the_camera() {
    let test = TestApp::start(Database::Sqlite).await;
    let ann = Browser::open(&test).await;
    let upright = image_of(&test, &ann, "orientation-1.jpg").await;
    for number in 2..=8 {
        let turned = image_of(&test, &ann, &format!("orientation-{number}.jpg")).await;
        assert_eq!((turned.0, turned.1), (upright.0, upright.1), "orientation {number}");
        let far: u64 = turned.2.iter().zip(&upright.2).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        let mean = far as f64 / upright.2.len() as f64;
        assert!(mean < 12.0, "orientation {number} looks another way: {mean}");
    }
    test.stop().await;
}

async fn image_of(_: &TestApp, visitor: &Browser, name: &str) -> (u32, u32, Vec<u8>) {
    let new = visitor.upload(picture(name)).await;
    let path = format!("/api/v1/predictions/{}/thumbnail?size=96", new.id);
    let jpeg = visitor.get(&path).send().await.unwrap().bytes().await.unwrap();
    assert!(!jpeg.windows(4).any(|bytes| bytes == b"Exif"), "{name}");
    let info = probe(&jpeg, &UploadLimits::default()).unwrap();
    assert_eq!(info.orientation, 1);
    let pixels = gourmetgram_classifier::decode(&jpeg, &info, 96).unwrap();
    (pixels.width(), pixels.height(), pixels.pixels().to_vec())
}

/// A picture that is being made while its photo is erased: its maker writes it after the erasure has cleared the disk.
#[tokio::test]
async fn a_picture_made_during_an_erasure_does_not_stay() {
    let test = TestApp::start(Database::Sqlite).await;
    let token_and_path = async |seed| {
        let new = test.upload(a_photo(seed)).await;
        (new.id, new.feedback_token, format!("/api/v1/predictions/{}", new.id))
    };
    for seed in 0..12 {
        let (_, token, path) = token_and_path(seed).await;
        let thumbnail = test.get(&format!("{path}/thumbnail?size=512")).bearer_auth(&token).send();
        let erase = test.delete(&path).bearer_auth(&token).send();
        let (thumbnail, erased) = futures::join!(thumbnail, erase);
        assert_eq!(erased.unwrap().status(), 204);
        assert!([200, 404, 410].contains(&thumbnail.unwrap().status().as_u16()));
        assert_eq!(files(&test), 0, "{seed}");
    }
    test.stop().await;
}

/// What another server's erasure, or a crash between tombstone and removal, leaves on this disk.
#[tokio::test]
async fn the_sweep_removes_pictures_of_photos_erased_elsewhere() {
    let test = TestApp::start(Database::Sqlite).await;
    let (gone, stays) = (test.upload(a_photo(1)).await, test.upload(a_photo(2)).await);
    for new in [&gone, &stays] {
        let path = format!("/api/v1/predictions/{}/thumbnail", new.id);
        assert_eq!(test.get(&path).bearer_auth(&new.feedback_token).send().await.unwrap().status(), 200);
    }
    test.app.catalog().erase(gone.id).await.unwrap();
    assert_eq!(files(&test), 2);
    thumbnails::sweep_once(&test.app).await.unwrap();
    assert_eq!(files(&test), 1);
    test.stop().await;
}

#[tokio::test]
async fn without_room_pictures_are_made_anew() {
    let test = TestApp::start_with(Database::Sqlite, |settings| settings.thumbnails.max_bytes = 0).await;
    let new = test.upload(a_photo(1)).await;
    let path = format!("/api/v1/predictions/{}/thumbnail", new.id);
    for _ in 0..2 {
        assert_eq!(test.get(&path).bearer_auth(&new.feedback_token).send().await.unwrap().status(), 200);
    }
    assert_eq!(files(&test), 0);
    test.stop().await;
}

#[tokio::test]
async fn more_pictures_at_once_than_there_are_places_are_told_when_to_come_back() {
    let test = TestApp::start_with(Database::Sqlite, |settings| settings.inference.queue = 2).await;
    let new = test.upload(a_photo(1)).await;
    let path = format!("/api/v1/predictions/{}/thumbnail", new.id);
    let place = test.app.thumbnails().enter().expect("one place");
    let refused = test.get(&path).bearer_auth(&new.feedback_token).send().await.unwrap();
    assert!(refused.headers().contains_key("retry-after"));
    problem(refused, 503).await;
    drop(place);
    assert_eq!(test.get(&path).bearer_auth(&new.feedback_token).send().await.unwrap().status(), 200);
    test.stop().await;
}

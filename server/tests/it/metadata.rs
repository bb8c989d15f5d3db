//! A photo is kept without its metadata.

use gourmetgram_object_store::Bucket;
use uuid::Uuid;

use crate::{
    on_both_databases,
    support::{Database, TestApp, a_photo, created, form, problem},
};

const SECRET: &[u8] = b"52.5200 N 13.4050 E";

fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
    [&[0xFF, marker], (content.len() as u16 + 2).to_be_bytes().as_slice(), content].concat()
}

/// A photo turned on its side, with a place, a comment, and a film behind its end.
fn a_photo_with_secrets(seed: u32, comment: &[u8]) -> Vec<u8> {
    let plain = a_photo(seed);
    let exif = [b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".as_slice(), b"GPS ", SECRET]
        .concat();
    let comment = [comment, SECRET].concat();
    [&plain[..2], &segment(0xE1, &exif), &segment(0xFE, &comment), &plain[2..], b"\0\0\0\x18ftypmp42", SECRET].concat()
}

fn holds(bytes: &[u8], words: &[u8]) -> bool {
    bytes.windows(words.len()).any(|window| window == words)
}

on_both_databases! {
    a_photos_place_and_all_that_is_not_its_picture_is_never_stored => async |database| {
        let test = TestApp::start(database).await;
        let sent = a_photo_with_secrets(1, b"one");
        let new = test.upload(sent.clone()).await;
        let path = format!("/api/v1/predictions/{}/image", new.id);
        let spooled = test.get(&path).bearer_auth(&new.feedback_token).send().await.unwrap();
        assert_eq!(spooled.headers()["content-type"], "image/jpeg");
        let spooled = spooled.bytes().await.unwrap();
        test.settle().await;
        let object = test.app.object_store().get(Bucket::Production, &new.key.parse().unwrap()).await.unwrap();
        assert_eq!(object.bytes, spooled);
        assert_eq!(object.content_type.as_deref(), Some("image/jpeg"));
        for secret in [SECRET, b"GPS", b"ftyp"] {
            assert!(!holds(&object.bytes, secret), "{}", String::from_utf8_lossy(secret));
        }
        // It is still on its side: 96 by 96, and the orientation says so.
        assert!(holds(&object.bytes, b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06"));
        let plain = a_photo(1);
        assert!(object.bytes.len() <= plain.len() + 40, "{} and {}", object.bytes.len(), plain.len());
        test.stop().await;
    };

    the_same_photo_is_the_same_whatever_is_written_on_its_back => async |database| {
        let test = TestApp::start(database).await;
        let id = Uuid::now_v7().to_string();
        let send = |photo| test.post("/api/v1/predictions").multipart(form(photo).text("id", id.clone())).send();
        let first = created(send(a_photo_with_secrets(1, b"one")).await.unwrap()).await;
        for comment in [b"one".as_slice(), b"two"] {
            let again = send(a_photo_with_secrets(1, comment)).await.unwrap();
            assert_eq!(again.headers()["idempotency-replayed"], "true");
            assert_eq!(created(again).await, first);
        }
        problem(send(a_photo_with_secrets(2, b"one")).await.unwrap(), 409).await;
        // What cannot be read at all is another photo too, not a photo to be asked about.
        problem(send(b"no picture".to_vec()).await.unwrap(), 409).await;
        test.stop().await;
    };
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_that_was_cut_off_on_its_way_is_told_so_in_words_for_people() {
    let test = TestApp::start(Database::Sqlite).await;
    let photo = a_photo(1);
    for end in [photo.len() / 2, 300] {
        let answer = test.post("/api/v1/predictions").multipart(form(photo[..end].to_vec())).send().await.unwrap();
        let problem = problem(answer, 422).await;
        assert!(problem.detail.contains("it ends before the picture does"), "{}", problem.detail);
        assert!(problem.detail.contains("send it again") && !problem.detail.contains("buffer"), "{}", problem.detail);
    }
    test.stop().await;
}

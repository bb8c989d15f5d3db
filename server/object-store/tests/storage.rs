//! One suite for every S3: what the program relies on holds on the embedded server and on moto.

mod support;

use aws_sdk_s3::types::{Tag, Tagging};
use gourmetgram_api::ClassIndex;
use gourmetgram_object_store::{Bucket, ObjectKey, ObjectStore, ObjectStoreError, TagChanges, Tags, TagsError};
use support::Server;
use uuid::Uuid;

/// Every case becomes two tests: one on each server.
macro_rules! on_every_server {
    ($($case:ident,)*) => {
        mod embedded {
            $(#[tokio::test] async fn $case() { super::$case(super::Server::embedded().await).await })*
        }
        mod moto {
            $(#[tokio::test] async fn $case() { super::$case(super::Server::moto().await).await })*
        }
    };
}

on_every_server! {
    buckets_are_made_once_by_many_servers_at_a_time,
    a_photo_comes_back_as_it_was_put,
    a_photo_put_again_has_only_its_new_tags,
    a_flagged_photo_keeps_its_other_tags,
    the_last_tag_can_be_removed,
    tags_that_do_not_fit_change_nothing,
    a_copy_has_the_type_and_the_tags,
    a_copy_with_other_tags_has_nothing_else_of_the_original,
    erasing_twice_is_no_error_and_takes_the_tags,
    what_is_missing_is_said_to_be_missing,
    a_missing_bucket_is_named,
    more_than_allowed_is_not_read,
    more_than_a_thousand_keys_are_listed,
    unusual_keys_are_kept,
}

fn photo_key(extension: &str) -> ObjectKey {
    ObjectKey::production(ClassIndex(3), Uuid::now_v7().try_into().unwrap(), extension)
}

fn tags(pairs: &[(&str, &str)]) -> Tags {
    Tags::default().merge(&changes(pairs)).unwrap()
}

fn changes(pairs: &[(&str, &str)]) -> TagChanges {
    pairs.iter().fold(TagChanges::new(), |all, (key, value)| all.set(key, Some(value)))
}

const OURS: [(&str, &str); 4] = [
    ("predicted_class", "Noodles/Pasta"),
    ("confidence", "0.873"),
    ("timestamp", "2026-11-23T10:19:50Z"),
    ("model_version", "food64 v1"),
];

/// Somebody else's tool writes all tags of an object.
async fn tag_as_others_do(server: &Server, key: &ObjectKey, pairs: &[(&str, &str)]) {
    let tag = |(key, value): &(&str, &str)| Tag::builder().key(*key).value(*value).build().unwrap();
    let tagging = Tagging::builder().set_tag_set(Some(pairs.iter().map(tag).collect())).build().unwrap();
    let client = server.plain_client().await;
    client.put_object_tagging().bucket("production").key(key.as_str()).tagging(tagging).send().await.unwrap();
}

async fn buckets_are_made_once_by_many_servers_at_a_time(server: Server) {
    let one = ObjectStore::connect(server.settings()).await;
    let other = ObjectStore::connect(server.settings()).await;
    assert!(matches!(one.check().await, Err(ObjectStoreError::BucketMissing { .. })));
    let (first, second, third) = tokio::join!(one.ensure_buckets(), other.ensure_buckets(), one.ensure_buckets());
    first.unwrap();
    second.unwrap();
    third.unwrap();
    one.ensure_buckets().await.unwrap();
    one.check().await.unwrap();

    let listed = server.plain_client().await.list_buckets().send().await.unwrap();
    let mut names: Vec<&str> = listed.buckets().iter().filter_map(|bucket| bucket.name()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["models", "production", "production-clean", "production-label-wait", "production-noisy", "records"]
    );
}

async fn a_photo_comes_back_as_it_was_put(server: Server) {
    let store = server.store().await;
    for (bytes, content_type) in [(vec![7_u8; 300_000], "image/jpeg"), (Vec::new(), "image/webp")] {
        let key = photo_key(".jpg");
        store.put(Bucket::Production, &key, bytes.clone(), content_type, &tags(&OURS)).await.unwrap();

        let object = store.get(Bucket::Production, &key).await.unwrap();
        assert_eq!(object.bytes, bytes);
        assert_eq!(object.content_type.as_deref(), Some(content_type));
        let head = store.head(Bucket::Production, &key).await.unwrap();
        assert_eq!((head.size, head.content_type.as_deref()), (bytes.len() as u64, Some(content_type)));
        assert_eq!(store.read_tags(Bucket::Production, &key).await.unwrap(), tags(&OURS));
    }
}

async fn a_photo_put_again_has_only_its_new_tags(server: Server) {
    let store = server.store().await;
    let key = photo_key("png");
    store.put(Bucket::Production, &key, "one", "image/png", &tags(&OURS)).await.unwrap();
    let first = store.head(Bucket::Production, &key).await.unwrap();
    store.put(Bucket::Production, &key, "two", "image/gif", &tags(&[("only", "this")])).await.unwrap();
    let object = store.get(Bucket::Production, &key).await.unwrap();
    assert_eq!((&object.bytes[..], object.content_type.as_deref()), (&b"two"[..], Some("image/gif")));
    assert_eq!(store.read_tags(Bucket::Production, &key).await.unwrap(), tags(&[("only", "this")]));
    assert_ne!(store.head(Bucket::Production, &key).await.unwrap().e_tag, first.e_tag);
}

async fn a_flagged_photo_keeps_its_other_tags(server: Server) {
    let store = server.store().await;
    let key = photo_key("jpg");
    store.put(Bucket::Production, &key, "photo", "image/jpeg", &tags(&OURS)).await.unwrap();
    let theirs = [("notebook", "run 7"), ("reviewer", "müller"), ("predicted_class", "Noodles/Pasta")];
    tag_as_others_do(&server, &key, &theirs).await;

    let flag = TagChanges::new().set("flagged", Some("true")).set("corrected_class", Some("Dairy product"));
    let standing = store.merge_tags(Bucket::Production, &key, &flag).await.unwrap();
    let read = store.read_tags(Bucket::Production, &key).await.unwrap();
    assert_eq!(standing, read);
    let read: Vec<(&str, &str)> = read.iter().collect();
    assert_eq!(
        read,
        [
            ("corrected_class", "Dairy product"),
            ("flagged", "true"),
            ("notebook", "run 7"),
            ("predicted_class", "Noodles/Pasta"),
            ("reviewer", "müller"),
        ]
    );

    let undo = TagChanges::new().set("flagged", None).set("corrected_class", None);
    let standing = store.merge_tags(Bucket::Production, &key, &undo).await.unwrap();
    assert_eq!(standing.len(), theirs.len());
    assert_eq!(store.get(Bucket::Production, &key).await.unwrap().bytes, "photo", "tags leave the photo alone");
}

async fn the_last_tag_can_be_removed(server: Server) {
    let store = server.store().await;
    let key = photo_key("jpg");
    store.put(Bucket::Production, &key, "photo", "image/jpeg", &tags(&[("flagged", "true")])).await.unwrap();
    store.merge_tags(Bucket::Production, &key, &TagChanges::new().set("flagged", None)).await.unwrap();
    assert!(store.read_tags(Bucket::Production, &key).await.unwrap().is_empty());
}

async fn tags_that_do_not_fit_change_nothing(server: Server) {
    let store = server.store().await;
    let key = photo_key("jpg");
    store.put(Bucket::Production, &key, "photo", "image/jpeg", &Tags::default()).await.unwrap();
    let names: Vec<String> = (0..9).map(|n| format!("other{n}")).collect();
    let theirs: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "x")).collect();
    tag_as_others_do(&server, &key, &theirs).await;

    let error = store.merge_tags(Bucket::Production, &key, &changes(&[("a", "1"), ("b", "2")])).await.unwrap_err();
    assert!(matches!(&error, ObjectStoreError::Tags(TagsError::TooMany { own: 2, others: 9, .. })), "{error}");
    assert!(!error.is_retryable());
    assert_eq!(store.read_tags(Bucket::Production, &key).await.unwrap(), tags(&theirs));
    store.merge_tags(Bucket::Production, &key, &changes(&[("a", "1")])).await.unwrap();
    assert_eq!(store.read_tags(Bucket::Production, &key).await.unwrap().len(), 10);
}

async fn a_copy_has_the_type_and_the_tags(server: Server) {
    let store = server.store().await;
    let key = ObjectKey::new("class_03/Käse & Brot+1%.jpg").unwrap();
    store.put(Bucket::Production, &key, "photo", "image/jpeg", &tags(&OURS)).await.unwrap();
    for _ in 0..2 {
        store.copy((Bucket::Production, &key), (Bucket::LabelWait, &key)).await.unwrap();
        let copy = store.get(Bucket::LabelWait, &key).await.unwrap();
        assert_eq!((&copy.bytes[..], copy.content_type.as_deref()), (&b"photo"[..], Some("image/jpeg")));
        assert_eq!(store.read_tags(Bucket::LabelWait, &key).await.unwrap(), tags(&OURS));
    }
    assert_eq!(store.get(Bucket::Production, &key).await.unwrap().bytes, "photo", "the original stays");

    store.delete(Bucket::Production, &key).await.unwrap();
    let error = store.copy((Bucket::Production, &key), (Bucket::Clean, &key)).await.unwrap_err();
    assert!(matches!(error, ObjectStoreError::NotFound { .. }), "{error}");
    assert_eq!(store.get(Bucket::LabelWait, &key).await.unwrap().bytes, "photo", "the copy stays");
}

async fn a_copy_with_other_tags_has_nothing_else_of_the_original(server: Server) {
    let store = server.store().await;
    let client = server.plain_client().await;
    let key = ObjectKey::new("class_03/Käse & Brot+1%.jpg").unwrap();
    // Somebody else's tool put it, with a note of its own.
    client
        .put_object()
        .bucket("production")
        .key(key.as_str())
        .content_type("image/jpeg")
        .metadata("predicted", "Noodles/Pasta")
        .tagging("predicted_class=Soup")
        .body(b"photo".to_vec().into())
        .send()
        .await
        .unwrap();
    let to = ObjectKey::new("blind/0189.jpg").unwrap();
    for expected in [Tags::default(), tags(&OURS), tags(&[("human_label", "Soup")]), Tags::default()] {
        store
            .copy_with_tags((Bucket::Production, &key), (Bucket::LabelWait, &to), "image/jpeg", &expected)
            .await
            .unwrap();
        let copy = store.get(Bucket::LabelWait, &to).await.unwrap();
        assert_eq!((&copy.bytes[..], copy.content_type.as_deref()), (&b"photo"[..], Some("image/jpeg")));
        assert_eq!(store.read_tags(Bucket::LabelWait, &to).await.unwrap(), expected);
        let bucket = "production-label-wait";
        let head = client.head_object().bucket(bucket).key(to.as_str()).send().await.unwrap();
        assert_eq!(head.metadata().map(|noted| noted.len()).unwrap_or_default(), 0, "{head:?}");
    }
    assert_eq!(store.read_tags(Bucket::Production, &key).await.unwrap(), tags(&[("predicted_class", "Soup")]));
    store.delete(Bucket::Production, &key).await.unwrap();
    let (from, to) = ((Bucket::Production, &key), (Bucket::Clean, &to));
    let gone = store.copy_with_tags(from, to, "image/jpeg", &Tags::default()).await.unwrap_err();
    assert!(matches!(gone, ObjectStoreError::NotFound { .. }));
}

async fn erasing_twice_is_no_error_and_takes_the_tags(server: Server) {
    let store = server.store().await;
    let key = photo_key("jpg");
    store.put(Bucket::Production, &key, "photo", "image/jpeg", &tags(&OURS)).await.unwrap();
    store.delete(Bucket::Production, &key).await.unwrap();
    store.delete(Bucket::Production, &key).await.unwrap();
    assert!(matches!(store.get(Bucket::Production, &key).await, Err(ObjectStoreError::NotFound { .. })));
    store.put(Bucket::Production, &key, "photo", "image/jpeg", &Tags::default()).await.unwrap();
    assert!(store.read_tags(Bucket::Production, &key).await.unwrap().is_empty());
}

async fn what_is_missing_is_said_to_be_missing(server: Server) {
    let store = server.store().await;
    let key = photo_key("jpg");
    let errors = [
        store.get(Bucket::Production, &key).await.unwrap_err(),
        store.head(Bucket::Production, &key).await.unwrap_err(),
        store.read_tags(Bucket::Production, &key).await.unwrap_err(),
        store.merge_tags(Bucket::Production, &key, &changes(&OURS)).await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, ObjectStoreError::NotFound { .. }), "{error:?}");
        assert_eq!(error.to_string(), format!("there is no {key} in bucket production"));
        assert!(!error.is_retryable());
    }
}

async fn a_missing_bucket_is_named(server: Server) {
    let store = ObjectStore::connect(server.settings()).await;
    let key = photo_key("jpg");
    let errors = [
        store.put(Bucket::Noisy, &key, "photo", "image/jpeg", &Tags::default()).await.unwrap_err(),
        store.get(Bucket::Noisy, &key).await.unwrap_err(),
        store.delete(Bucket::Noisy, &key).await.unwrap_err(),
        store.list(Bucket::Noisy, "", None).await.unwrap_err(),
    ];
    for error in errors {
        let is_named = matches!(&error, ObjectStoreError::BucketMissing { bucket } if bucket == "production-noisy");
        assert!(is_named, "{error:?}");
    }
}

async fn more_than_allowed_is_not_read(server: Server) {
    let store = server.store().await;
    let key = photo_key("jpg");
    store.put(Bucket::Production, &key, vec![0_u8; 1000], "image/jpeg", &Tags::default()).await.unwrap();
    assert_eq!(store.get_at_most(Bucket::Production, &key, 1000).await.unwrap().bytes.len(), 1000);
    let error = store.get_at_most(Bucket::Production, &key, 999).await.unwrap_err();
    assert!(matches!(error, ObjectStoreError::TooLarge { limit: 999, .. }), "{error}");
}

async fn more_than_a_thousand_keys_are_listed(server: Server) {
    let store = server.store().await;
    let mut expected: Vec<ObjectKey> =
        (0..1010).map(|n| ObjectKey::new(format!("class_01/{n}.jpg")).unwrap()).collect();
    let mut puts = tokio::task::JoinSet::new();
    for key in expected.iter().cloned().chain([ObjectKey::new("class_02/other.jpg").unwrap()]) {
        let store = store.clone();
        while puts.len() >= 16 {
            puts.join_next().await.unwrap().unwrap();
        }
        puts.spawn(
            async move { store.put(Bucket::Production, &key, "x", "image/jpeg", &Tags::default()).await.unwrap() },
        );
    }
    puts.join_all().await;

    let mut found = Vec::new();
    let mut go_on = None;
    let mut pages = 0;
    loop {
        let page = store.list(Bucket::Production, "class_01/", go_on).await.unwrap();
        found.extend(page.keys);
        pages += 1;
        go_on = page.next;
        if go_on.is_none() {
            break;
        }
    }
    expected.sort();
    assert_eq!(pages, 2);
    assert!(found == expected, "{} of {} keys", found.len(), expected.len());
}

async fn unusual_keys_are_kept(server: Server) {
    let store = server.store().await;
    let keys = ["a+b c/100%.jpg", "ä/日本.jpg", "a&b=c?d#e", "x".repeat(1000).as_str(), "manifest=2026/11/a:b@c.jsonl"]
        .map(|key| ObjectKey::new(key).unwrap());
    for key in &keys {
        store.put(Bucket::Records, key, key.to_string(), "text/plain", &tags(&OURS)).await.unwrap();
    }
    for key in &keys {
        assert_eq!(store.get(Bucket::Records, key).await.unwrap().bytes, key.to_string());
        assert_eq!(store.read_tags(Bucket::Records, key).await.unwrap(), tags(&OURS));
    }
    let mut expected = keys.to_vec();
    expected.sort();
    assert_eq!(store.list(Bucket::Records, "", None).await.unwrap().keys, expected);
}

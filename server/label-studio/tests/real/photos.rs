//! Photos: Label Studio fetches them from our buckets with a key that can only read.

use base64::{Engine, engine::general_purpose::URL_SAFE};
use gourmetgram_label_studio::{LabelStudioError, Purpose, Showing, SourceStorage};
use reqwest::Method;
use serde_json::Value;

use crate::studio::{Buckets, LABEL_WAIT, PRODUCTION, Studio, blind_task};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn label_studio_serves_the_very_bytes_of_our_bucket() {
    let Some(studio) = Studio::find("label_studio_serves_the_very_bytes_of_our_bucket") else { return };
    let (buckets, project) = (Buckets::start().await, studio.project(Showing::Blind).await);
    let bytes: Vec<u8> = (0..300_000_u32).map(|number| (number % 251) as u8).collect();
    let photo = buckets.put(LABEL_WAIT, "blind/0193-a.jpg", &bytes).await;
    let storage = buckets.storage(LABEL_WAIT, Purpose::ServePhotos);
    let attached = studio.client.ensure_storage(project.id, &storage).await.unwrap();
    assert_eq!(studio.client.ensure_storage(project.id, &storage).await.unwrap(), attached, "attached once");

    let task = studio.client.import_tasks(project.id, &[blind_task(&photo)]).await.unwrap()[0].remote;
    // What the annotator's page asks for, and what it makes of it.
    let shown = studio.raw(Method::GET, &format!("/api/tasks/{task}/"), Value::Null).await;
    let address = shown["data"]["image"].as_str().unwrap();
    assert_eq!(address, format!("/tasks/{task}/resolve/?fileuri={}", URL_SAFE.encode(&photo)));
    let answer = studio.file(address).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "image/jpeg");
    assert_eq!(answer.bytes().await.unwrap(), bytes);
    studio.client.delete_project(project.id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_it_cannot_read_is_named_without_the_secret() {
    let Some(studio) = Studio::find("a_bucket_it_cannot_read_is_named_without_the_secret") else {
        return;
    };
    let (buckets, project) = (Buckets::start().await, studio.project(Showing::Blind).await);
    let good = buckets.storage(LABEL_WAIT, Purpose::ServePhotos);
    let wrong = [
        SourceStorage { secret: "not-the-readers-secret".into(), ..good.clone() },
        SourceStorage { bucket: "no-such-bucket".to_owned(), ..good.clone() },
    ];
    for storage in wrong {
        let error = studio.client.ensure_storage(project.id, &storage).await.unwrap_err();
        assert!(matches!(error, LabelStudioError::BucketUnreadable { .. }), "{error}");
        assert!(error.to_string().contains(&storage.bucket) && error.to_string().contains("127.0.0.1"), "{error}");
        assert!(!format!("{error:?}").contains("readers-secret"), "{error:?}");
    }
    // Put right, it works, and there is one.
    let attached = studio.client.ensure_storage(project.id, &good).await.unwrap();
    let all = studio.raw(Method::GET, &format!("/api/storages/s3/?project={}", project.id), Value::Null).await;
    assert_eq!(all.as_array().unwrap().len(), 1);
    assert_eq!(all[0]["id"], attached.0);
    studio.client.delete_project(project.id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_own_sync_storage_makes_a_task_for_each_photo_of_the_production_bucket() {
    let test = "its_own_sync_storage_makes_a_task_for_each_photo_of_the_production_bucket";
    let Some(studio) = Studio::find(test) else { return };
    let (buckets, project) = (Buckets::start().await, studio.project(Showing::Blind).await);
    let mut photos = Vec::new();
    for (class, name) in [("class_00", "a.jpg"), ("class_03", "b.jpg"), ("class_10", "c.png")] {
        photos.push(buckets.put(PRODUCTION, &format!("{class}/{name}"), name.as_bytes()).await);
    }
    let storage = buckets.storage(PRODUCTION, Purpose::MakeTasks);
    let attached = studio.client.ensure_storage(project.id, &storage).await.unwrap();
    let first = studio.client.synchronise(attached).await.unwrap();
    assert_eq!((first.status.as_str(), first.made), ("completed", Some(3)));
    // Again, it makes no second ones.
    studio.client.synchronise(attached).await.unwrap();
    let tasks = studio.client.tasks(project.id).await.unwrap();
    let mut found: Vec<_> = tasks.iter().filter_map(|task| task.photo.clone()).collect();
    found.sort();
    assert_eq!(found, photos);
    // None of them is mistaken for one of ours.
    assert!(tasks.iter().all(|task| task.task.is_none()));
    let address = format!("/tasks/{}/resolve/?fileuri={}", tasks[0].id, URL_SAFE.encode(&photos[0]));
    assert_eq!(studio.file(&address).await.bytes().await.unwrap(), "a.jpg");
    studio.client.delete_project(project.id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sync_storage_in_a_campaigns_project_makes_no_second_tasks() {
    let Some(studio) = Studio::find("sync_storage_in_a_campaigns_project_makes_no_second_tasks") else { return };
    let (buckets, project) = (Buckets::start().await, studio.project(Showing::Blind).await);
    let photo = buckets.put(LABEL_WAIT, "blind/0193-a.jpg", b"a photo").await;
    let storage = buckets.storage(LABEL_WAIT, Purpose::ServePhotos);
    let attached = studio.client.ensure_storage(project.id, &storage).await.unwrap();
    studio.client.import_tasks(project.id, &[blind_task(photo)]).await.unwrap();
    assert_eq!(studio.client.synchronise(attached).await.unwrap().made, Some(0));
    assert_eq!(studio.client.tasks(project.id).await.unwrap().len(), 1);
    studio.client.delete_project(project.id).await.unwrap();
}

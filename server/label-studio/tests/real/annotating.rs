//! What people say, and what becomes of it.

use std::{collections::BTreeMap, time::Duration};

use gourmetgram_api::Seen;
use gourmetgram_label_studio::{
    AnnotationId, Answer, Showing, Unusable,
    collect::{Changes, Collected},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::studio::{Studio, blind_task, classes, result};

fn class(label: &str) -> Seen {
    Seen::Class { label: label.to_owned() }
}

#[tokio::test]
async fn every_task_comes_with_all_that_was_said_about_it() {
    let Some(studio) = Studio::find("every_task_comes_with_all_that_was_said_about_it") else { return };
    let project = studio.project(Showing::Blind).await;
    // Seven tasks, three a page.
    let client = studio.client_with(3);
    let tasks: Vec<_> = (0..7).map(|number| blind_task(format!("https://example.com/{number}.jpg"))).collect();
    let imported = client.import_tasks(project.id, &tasks).await.unwrap();
    let remote = |place: usize| imported.iter().find(|one| one.task == tasks[place].id).unwrap().remote;
    let said: [&[&str]; 5] = [
        &["Noodles/Pasta"],
        &["Not food (or none of these)"],
        &["Unreadable (too dark, blurred, broken)"],
        &["Bread", "Soup"],
        &[],
    ];
    for (place, choices) in said.iter().enumerate() {
        studio.annotate(remote(place), choices).await;
    }
    studio.skip(remote(5)).await;

    let all = client.tasks(project.id).await.unwrap();
    assert_eq!(all.len(), 7);
    let user = client.whoami().await.unwrap();
    let expected = [
        Some(Answer::Seen(class("Noodles/Pasta"))),
        Some(Answer::Seen(Seen::NotFood)),
        Some(Answer::Seen(Seen::Unreadable)),
        Some(Answer::Unusable(Unusable::Several(2))),
        None,
        None,
        None,
    ];
    for (place, expected) in expected.into_iter().enumerate() {
        let task = all.iter().find(|task| task.id == remote(place)).unwrap();
        assert_eq!(task.task, Some(tasks[place].id));
        let [annotation] = &task.annotations[..] else {
            assert!(place == 6 && task.annotations.is_empty(), "{task:?}");
            continue;
        };
        assert_eq!((annotation.by, annotation.cancelled), (Some(user.id), place == 5));
        if let Some(expected) = expected {
            assert_eq!(annotation.answer, expected);
            assert_eq!(annotation.took, Some(Duration::from_millis(3500)));
        }
    }
    studio.client.delete_project(project.id).await.unwrap();
}

#[tokio::test]
async fn what_is_changed_skipped_or_deleted_later_is_noticed() {
    let Some(studio) = Studio::find("what_is_changed_skipped_or_deleted_later_is_noticed") else { return };
    let project = studio.project(Showing::Blind).await;
    let tasks: Vec<_> = (0..4).map(|number| blind_task(format!("https://example.com/{number}.jpg"))).collect();
    let imported = studio.client.import_tasks(project.id, &tasks).await.unwrap();
    let mut annotations = BTreeMap::new();
    for task in &tasks {
        let remote = imported.iter().find(|imported| imported.task == task.id).unwrap().remote;
        annotations.insert(task.id, studio.annotate(remote, &["Soup"]).await);
    }
    let users = studio.client.users().await.unwrap();
    let model = classes(&["Bread", "Noodles/Pasta", "Soup"]);
    let collect = async || {
        let pulled = studio.client.tasks(project.id).await.unwrap();
        Collected::new(&pulled, &users, &model)
    };
    let before = collect().await;
    let first = Changes::between(&BTreeMap::new(), &before.standing);
    assert_eq!(first.added.len(), 4);
    assert!(first.added.iter().all(|one| one.seen == class("Soup") && one.annotator == "gourmetgram@example.com"));
    assert!(Changes::between(&before.standing, &collect().await.standing).is_empty(), "nothing has happened");

    let path = |place: usize| format!("/api/annotations/{}/", annotations[&tasks[place].id]);
    studio.raw(Method::PATCH, &path(1), json!({ "result": result(&["Bread"]) })).await;
    studio.raw(Method::PATCH, &path(2), json!({ "was_cancelled": true })).await;
    studio.raw(Method::DELETE, &path(3), Value::Null).await;
    let changes = Changes::between(&before.standing, &collect().await.standing);
    assert_eq!(changes.added, []);
    let changed: Vec<_> = changes.changed.iter().map(|one| (one.task, one.seen.clone())).collect();
    assert_eq!(changed, [(tasks[1].id, class("Bread"))]);
    assert_eq!(changes.withdrawn, [2, 3].map(|place| AnnotationId(annotations[&tasks[place].id])));
    studio.client.delete_project(project.id).await.unwrap();
}

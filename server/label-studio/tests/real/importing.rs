//! Tasks: brought once, blind or shown, and taken away again.

use std::collections::BTreeSet;

use gourmetgram_label_studio::{Imported, NewTask, Purpose, RemoteTaskId, Showing};
use reqwest::Method;
use serde_json::{Value, json};

use crate::studio::{Buckets, LABEL_WAIT, Studio, blind_task, shown_task};

#[tokio::test]
async fn tasks_are_imported_once_however_often_we_ask() {
    let Some(studio) = Studio::find("tasks_are_imported_once_however_often_we_ask") else { return };
    let project = studio.project(Showing::Blind).await;
    let client = studio.client_with(2);
    let tasks: Vec<_> = (0..7).map(|number| blind_task(format!("https://example.com/{number}.jpg"))).collect();
    // An import that stopped halfway.
    let half = client.import_tasks(project.id, &tasks[..3]).await.unwrap();
    let whole = client.import_tasks(project.id, &tasks).await.unwrap();
    assert_eq!(client.import_tasks(project.id, &tasks).await.unwrap(), whole);
    assert!(half.iter().all(|imported| whole.contains(imported)));

    let there = client.tasks(project.id).await.unwrap();
    assert_eq!(there.len(), 7);
    for task in &tasks {
        let imported = whole.iter().find(|imported| imported.task == task.id).unwrap();
        let remote = there.iter().find(|remote| remote.id == imported.remote).unwrap();
        assert_eq!((remote.task, remote.photo.as_deref()), (Some(task.id), Some(task.photo.as_str())));
    }
    studio.client.delete_project(project.id).await.unwrap();
}

#[tokio::test]
async fn a_second_copy_goes_unless_somebody_labelled_it() {
    let Some(studio) = Studio::find("a_second_copy_goes_unless_somebody_labelled_it") else { return };
    let project = studio.project(Showing::Blind).await;
    let tasks = [blind_task("https://example.com/0.jpg"), blind_task("https://example.com/1.jpg")];
    let first = studio.client.import_tasks(project.id, &tasks).await.unwrap();
    // As an import whose answer came too late would have left it.
    let copies = tasks.each_ref().map(|task| json!({ "data": { "image": task.photo, "task": task.id } }));
    let path = format!("/api/projects/{}/import?return_task_ids=true", project.id);
    let made = studio.raw(Method::POST, &path, json!(copies)).await;
    let labelled = RemoteTaskId(made["task_ids"][0].as_i64().unwrap());
    studio.annotate(labelled, &["Soup"]).await;

    assert_eq!(studio.client.import_tasks(project.id, &tasks).await.unwrap(), first);
    let left = studio.client.tasks(project.id).await.unwrap();
    let left: BTreeSet<_> = left.iter().map(|task| task.id).collect();
    let expected: BTreeSet<_> = first.iter().map(|imported| imported.remote).chain([labelled]).collect();
    assert_eq!(left, expected);
    studio.client.delete_project(project.id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blind_task_gives_nothing_away_but_the_photo() {
    let Some(studio) = Studio::find("a_blind_task_gives_nothing_away_but_the_photo") else { return };
    let (buckets, project) = (Buckets::start().await, studio.project(Showing::Blind).await);
    // The object is tagged with the model's answer here, which the campaign's copies are not: even that does not show.
    let photo = buckets.put(LABEL_WAIT, "blind/0193-a.jpg", b"a photo").await;
    studio.client.ensure_storage(project.id, &buckets.storage(LABEL_WAIT, Purpose::ServePhotos)).await.unwrap();
    let task = blind_task(&photo);
    let remote = studio.client.import_tasks(project.id, std::slice::from_ref(&task)).await.unwrap()[0].remote;

    let single = format!("/api/tasks/{remote}/");
    let next = format!("/api/projects/{}/next/", project.id);
    let list = format!("/api/tasks/?project={}&fields=all", project.id);
    for path in [&single, &next, &list] {
        let answer = studio.raw(Method::GET, path, Value::Null).await;
        let shown = if path == &list { &answer["tasks"][0] } else { &answer };
        let names: BTreeSet<_> = shown["data"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, BTreeSet::from(["image", "task"]), "{path}");
        assert_eq!(shown["data"]["task"], json!(task.id), "{path}");
        assert!(shown["predictions"].as_array().is_none_or(Vec::is_empty), "{path}");
        assert!(shown["meta"].as_object().is_none_or(|meta| meta.is_empty()), "{path}: {}", shown["meta"]);
        for word in ["Soup", "predicted", "confidence", "class_", "food64"] {
            let said = shown.to_string();
            // Its own columns count predictions: none.
            let said = said.replace("\"avg_lead_time\"", "").replace("predictions", "");
            assert!(!said.contains(word), "{path} says {word}: {shown}");
        }
    }
    let image = studio.raw(Method::GET, &single, Value::Null).await["data"]["image"].as_str().unwrap().to_owned();
    let answer = studio.file(&image).await;
    assert_eq!(answer.status(), 200);
    for (name, value) in answer.headers() {
        let line = format!("{name}: {}", String::from_utf8_lossy(value.as_bytes()));
        assert!(!line.contains("amz") && !line.contains("Soup"), "{line}");
    }
    // The data manager has no column that could.
    assert_eq!(data_columns(&studio, project.id.0).await, BTreeSet::from(["image".to_owned(), "task".to_owned()]));
    studio.client.delete_project(project.id).await.unwrap();
}

#[tokio::test]
async fn shown_tasks_can_be_sorted_by_confidence_prediction_and_correction() {
    let Some(studio) = Studio::find("shown_tasks_can_be_sorted_by_confidence_prediction_and_correction") else {
        return;
    };
    let project = studio.project(Showing::Shown).await;
    let tasks = [
        shown_task("https://example.com/0.jpg", "Soup", 0.91, None),
        shown_task("https://example.com/1.jpg", "Bread", 0.0501, Some("Soup")),
        shown_task("https://example.com/2.jpg", "Noodles/Pasta", 1.0, Some("Bread")),
    ];
    let imported = studio.client.import_tasks(project.id, &tasks).await.unwrap();
    let columns = data_columns(&studio, project.id.0).await;
    for (column, order) in [("confidence", [1, 0, 2]), ("predicted_class", [1, 2, 0]), ("corrected_class", [0, 2, 1])] {
        assert!(columns.contains(column), "{columns:?}");
        let query = json!({ "ordering": [format!("tasks:data.{column}")] });
        let path = format!("/api/tasks/?project={}&fields=all&query={query}", project.id);
        let listed = studio.raw(Method::GET, &path, Value::Null).await;
        let sorted: Vec<_> = listed["tasks"].as_array().unwrap().iter().map(|task| &task["data"]["task"]).collect();
        assert_eq!(sorted, order.map(|place: usize| json!(tasks[place].id)).iter().collect::<Vec<_>>(), "{column}");
    }
    // The model's answer is filled in.
    let first = imported.iter().find(|imported| imported.task == tasks[0].id).unwrap().remote;
    let single = studio.raw(Method::GET, &format!("/api/tasks/{first}/"), Value::Null).await;
    let prediction = &single["predictions"][0];
    assert_eq!(prediction["result"][0]["value"]["choices"], json!(["Soup"]));
    assert_eq!((&prediction["model_version"], &prediction["score"]), (&json!("food64"), &json!(0.91)));
    studio.client.delete_project(project.id).await.unwrap();
}

/// The columns of the data manager that come from the tasks' data.
async fn data_columns(studio: &Studio, project: i64) -> BTreeSet<String> {
    let columns = studio.raw(Method::GET, &format!("/api/dm/columns?project={project}"), Value::Null).await;
    let columns = columns["columns"].as_array().unwrap().clone();
    let of_data = columns.iter().filter(|column| column["parent"] == "data");
    of_data.map(|column| column["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_erased_photo_disappears_with_its_labels() {
    let Some(studio) = Studio::find("an_erased_photo_disappears_with_its_labels") else { return };
    let project = studio.project(Showing::Blind).await;
    let tasks = [blind_task("https://example.com/0.jpg"), blind_task("https://example.com/1.jpg")];
    let imported = studio.client.import_tasks(project.id, &tasks).await.unwrap();
    studio.annotate(imported[0].remote, &["Soup"]).await;
    studio.client.delete_task(project.id, imported[0]).await.unwrap();
    studio.client.delete_task(project.id, imported[0]).await.unwrap();
    let left = studio.client.tasks(project.id).await.unwrap();
    assert_eq!(left.iter().map(|task| task.id).collect::<Vec<_>>(), [imported[1].remote]);
    studio.client.delete_project(project.id).await.unwrap();
}

/// On SQLite, Label Studio gives the number of the last task anew once that is deleted. An erasure that is repeated must not
/// take somebody else's photo away.
#[tokio::test]
async fn a_number_that_stands_for_another_task_by_now_is_left_alone() {
    let Some(studio) = Studio::find("a_number_that_stands_for_another_task_by_now_is_left_alone") else { return };
    let project = studio.project(Showing::Blind).await;
    let (erased, next) = (blind_task("https://example.com/0.jpg"), blind_task("https://example.com/1.jpg"));
    let erased = studio.client.import_tasks(project.id, &[erased]).await.unwrap()[0];
    studio.client.delete_task(project.id, erased).await.unwrap();
    let next = studio.client.import_tasks(project.id, &[next]).await.unwrap()[0];
    // Whether or not the number was given anew this time.
    let again = Imported { remote: next.remote, ..erased };
    studio.client.delete_task(project.id, again).await.unwrap();
    assert_eq!(studio.client.tasks(project.id).await.unwrap().len(), 1);
    studio.client.delete_project(project.id).await.unwrap();
}

#[tokio::test]
async fn a_task_for_two_people_is_open_until_both_have_labelled_it() {
    let Some(studio) = Studio::find("a_task_for_two_people_is_open_until_both_have_labelled_it") else { return };
    let project = studio.project(Showing::Blind).await;
    let for_one = blind_task("https://example.com/0.jpg");
    let for_two = NewTask { people: 2, ..blind_task("https://example.com/1.jpg") };
    let imported = studio.client.import_tasks(project.id, &[for_one.clone(), for_two.clone()]).await.unwrap();
    // Later tasks change nothing about it.
    studio.client.import_tasks(project.id, &[blind_task("https://example.com/2.jpg")]).await.unwrap();
    for (task, done_by_one) in [(for_one, true), (for_two, false)] {
        let remote = imported.iter().find(|imported| imported.task == task.id).unwrap().remote;
        studio.annotate(remote, &["Soup"]).await;
        let raw = studio.raw(Method::GET, &format!("/api/tasks/{remote}/"), Value::Null).await;
        assert_eq!((&raw["overlap"], &raw["is_labeled"]), (&json!(task.people), &json!(done_by_one)));
    }
    studio.client.delete_project(project.id).await.unwrap();
}

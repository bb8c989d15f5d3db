//! Projects.

use gourmetgram_label_studio::{LabellingInterface, NewProject, ProjectTitle, Showing, Unusable, collect::Collected};
use reqwest::Method;
use serde_json::Value;

use crate::studio::{Studio, blind_task, classes, wanted};

#[tokio::test]
async fn a_project_is_made_once_and_becomes_as_it_is_wanted() {
    let Some(studio) = Studio::find("a_project_is_made_once_and_becomes_as_it_is_wanted") else { return };
    let first = wanted(Showing::Blind);
    let made = studio.client.ensure_project(&first).await.unwrap();
    assert_eq!(made.label_config.trim(), LabellingInterface::new(&first.classes, Showing::Blind).xml().trim());
    assert_eq!(made.sampling, "Uniform sampling");
    assert!(!made.show_collab_predictions);
    assert_eq!(studio.client.ensure_project(&first).await.unwrap().id, made.id);

    let then = NewProject {
        title: ProjectTitle::of("Continuous, with dessert"),
        classes: classes(&["Bread", "Dessert", "Noodles/Pasta", "Soup"]),
        ..first.clone()
    };
    let changed = studio.client.ensure_project(&then).await.unwrap();
    assert_eq!((changed.id, changed.title.as_str()), (made.id, "Continuous, with dessert"));
    assert!(changed.label_config.contains("Dessert"));

    let ours = studio.client.projects().await.unwrap().into_iter().filter(|one| one.description.contains(&first.mark));
    assert_eq!(ours.count(), 1);
    studio.client.delete_project(made.id).await.unwrap();
}

#[tokio::test]
async fn label_studio_understands_every_class_and_the_two_other_answers() {
    let Some(studio) = Studio::find("label_studio_understands_every_class_and_the_two_other_answers") else { return };
    for showing in [Showing::Blind, Showing::Shown] {
        let project = studio.project(showing).await;
        let raw = studio.raw(Method::GET, &format!("/api/projects/{}/", project.id), Value::Null).await;
        let question = &raw["parsed_label_config"]["label"];
        assert_eq!(question["type"], "Choices");
        assert_eq!(
            question["labels"],
            serde_json::json!([
                "Bread",
                "Noodles/Pasta",
                "Soup",
                "Not food (or none of these)",
                "Unreadable (too dark, blurred, broken)"
            ])
        );
        assert_eq!(raw["show_collab_predictions"], showing == Showing::Shown);
        assert_eq!(raw["enable_empty_annotation"], false);
        studio.client.delete_project(project.id).await.unwrap();
    }
}

#[tokio::test]
async fn labels_of_a_class_that_was_taken_away_stay_and_are_named_as_useless() {
    let Some(studio) = Studio::find("labels_of_a_class_that_was_taken_away_stay_and_are_named_as_useless") else {
        return;
    };
    let before = wanted(Showing::Blind);
    let project = studio.client.ensure_project(&before).await.unwrap();
    let task = blind_task("https://example.com/a.jpg");
    let imported = studio.client.import_tasks(project.id, std::slice::from_ref(&task)).await.unwrap();
    studio.annotate(imported[0].remote, &["Soup"]).await;
    let without_soup = NewProject { classes: classes(&["Bread", "Noodles/Pasta"]), ..before };
    let changed = studio.client.ensure_project(&without_soup).await.unwrap();
    assert!(changed.id == project.id && !changed.label_config.contains("Soup"));
    let pulled = studio.client.tasks(project.id).await.unwrap();
    let collected = Collected::new(&pulled, &[], &without_soup.classes);
    assert!(collected.standing.is_empty());
    let useless: Vec<_> = collected.useless.iter().map(|useless| (useless.task, &useless.why)).collect();
    assert_eq!(useless, [(task.id, &Unusable::Unknown("Soup".to_owned()))]);
    studio.client.delete_project(project.id).await.unwrap();
}

#[tokio::test]
async fn a_project_that_was_deleted_there_is_missing() {
    let Some(studio) = Studio::find("a_project_that_was_deleted_there_is_missing") else { return };
    let project = studio.project(Showing::Blind).await;
    studio.client.delete_project(project.id).await.unwrap();
    studio.client.delete_project(project.id).await.unwrap();
    let task = blind_task("https://example.com/a.jpg");
    for error in [
        studio.client.project(project.id).await.unwrap_err(),
        studio.client.tasks(project.id).await.unwrap_err(),
        studio.client.import_tasks(project.id, &[task]).await.unwrap_err(),
    ] {
        assert!(error.is_missing() && error.to_string().contains("deleted"), "{error}");
    }
}

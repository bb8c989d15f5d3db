//! The whole loop through the real Label Studio, whose address `GOURMETGRAM_TEST_LABEL_STUDIO_URL` names: `make test`
//! starts one.

use base64::{Engine, engine::general_purpose::URL_SAFE};
use gourmetgram_api::{Campaign, Cause, NewPrediction, Run, RunState};
use gourmetgram_object_store::Bucket;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    fake_studio::result,
    photos::{copies, tasks},
    support::{Database, TestApp, a_photo, eventually},
};

/// The running Label Studio, as annotators' browsers and other people's scripts see it.
struct Studio {
    url: String,
    token: String,
    personal_token: String,
}

impl Studio {
    #[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
    fn find(test: &str) -> Option<Self> {
        let variable = |name: &str| std::env::var(format!("GOURMETGRAM_TEST_LABEL_STUDIO_{name}")).ok();
        let Some(url) = variable("URL") else {
            eprintln!(
                "skipped: {test}: GOURMETGRAM_TEST_LABEL_STUDIO_URL names no Label Studio (`make test` starts one)"
            );
            return None;
        };
        let token = variable("TOKEN").expect("GOURMETGRAM_TEST_LABEL_STUDIO_TOKEN");
        let personal_token = variable("PERSONAL_TOKEN").expect("GOURMETGRAM_TEST_LABEL_STUDIO_PERSONAL_TOKEN");
        Some(Self { url, token, personal_token })
    }

    async fn ask(&self, method: Method, path: &str, body: Value) -> Value {
        let request = reqwest::Client::new().request(method, format!("{}{path}", self.url));
        let mut request = request.header("authorization", format!("Token {}", self.token));
        if !body.is_null() {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// The tasks of a project, with everything that was said.
    async fn tasks(&self, project: i64) -> Vec<Value> {
        let path = format!("/api/tasks/?project={project}&fields=all&page_size=100&resolve_uri=false");
        self.ask(Method::GET, &path, Value::Null).await["tasks"].as_array().unwrap().clone()
    }

    async fn annotate(&self, remote: i64, choice: &str) -> i64 {
        let body = json!({ "result": result(choice), "lead_time": 3.5 });
        self.ask(Method::POST, &format!("/api/tasks/{remote}/annotations/"), body).await["id"].as_i64().unwrap()
    }
}

/// A service whose campaigns are labelled in the real Label Studio.
struct Loop {
    test: TestApp,
    studio: Studio,
    token: String,
}

impl Loop {
    async fn start(database: Database, studio: Studio) -> Self {
        let test = TestApp::start_with(database, |settings| {
            settings.label_studio.url = Some(studio.url.parse().unwrap());
            settings.label_studio.token = Some(studio.personal_token.clone().into());
            settings.pipelines.collect = String::new();
        })
        .await;
        let token = test.operator().await;
        Self { test, studio, token }
    }

    async fn campaign(&self, name: &str, blind: bool) -> Campaign {
        let body = json!({
            "name": name, "rule": { "kind": "everything" }, "blind": blind, "labelled_in": "label_studio",
            "double_share": 0,
        });
        let made = self.test.post("/api/v1/campaigns").bearer_auth(&self.token).json(&body).send().await.unwrap();
        assert_eq!(made.status(), 201);
        made.json().await.unwrap()
    }

    /// Runs a pipeline for the last half hour, to its good end.
    async fn run(&self, pipeline: &str, campaign: &Campaign) -> Run {
        let path = format!("/api/v1/pipelines/{pipeline}/runs");
        let body = json!({ "campaign": campaign.id });
        let asked = self.test.post(&path).bearer_auth(&self.token).json(&body).send().await.unwrap();
        let mut run: Run = asked.json().await.unwrap();
        eventually("the run is over", async || {
            run = self.test.app.catalog().run(run.id).await.unwrap().unwrap();
            run.state.is_over()
        })
        .await;
        assert_eq!(run.state, RunState::Succeeded, "{run:?}");
        run
    }

    /// The campaign's project, and the numbers of its tasks by photo.
    async fn project(&self, campaign: &Campaign) -> i64 {
        self.test.app.catalog().project_of(campaign.id).await.unwrap().unwrap().0
    }

    async fn task(&self, campaign: &Campaign, photo: &NewPrediction) -> (Uuid, i64) {
        let connection = self.test.connect().await;
        let all = tasks(&connection, campaign.id).await;
        connection.close().await.unwrap();
        let task = all.iter().find(|task| task.prediction_id == photo.id.as_uuid()).unwrap();
        (task.id, task.remote_id.unwrap())
    }

    /// Where the photo lies for training, with the label and who gave it.
    async fn labelled(&self, photo: &NewPrediction) -> Vec<(Bucket, String, String)> {
        let mut found = Vec::new();
        for (bucket, key, tags) in copies(&self.test.app).await {
            if !key.contains(&photo.id.to_string()) {
                continue;
            }
            let tag = |name: &str| tags.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value);
            assert!(tag("labelled_at").starts_with("20") && !tag("predicted_class").is_empty(), "{tags:?}");
            found.push((bucket, tag("human_label").to_owned(), tag("annotator").to_owned()));
        }
        found
    }
}

async fn the_whole_loop(database: Database) {
    let Some(studio) = Studio::find("the_whole_loop_through_the_real_label_studio") else { return };
    let all = Loop::start(database, studio).await;
    let photos = [a_photo(1), a_photo(2), a_photo(3)];
    let mut sent = Vec::new();
    for photo in &photos {
        sent.push(all.test.upload(photo.clone()).await);
    }
    all.test.settle().await;
    let blind = all.campaign("Evaluation", true).await;
    let shown = all.campaign("Training", false).await;
    for campaign in [&blind, &shown] {
        assert_eq!(all.run("select", campaign).await.counts["imported"], 3);
        assert_eq!(all.run("select", campaign).await.counts["imported"], 0);
    }
    let project = all.project(&blind).await;
    let there = all.studio.tasks(project).await;
    assert_eq!(there.len(), 3);
    for task in &there {
        let names: Vec<&String> = task["data"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["image", "task"]);
    }
    let (own, remote) = all.task(&blind, &sent[0]).await;
    // What the annotator's page loads are the bytes that were sent, through Label Studio.
    let image = format!("s3://production-label-wait/blind/{own}.jpg");
    let address = format!("{}/tasks/{remote}/resolve/?fileuri={}", all.studio.url, URL_SAFE.encode(&image));
    let file = reqwest::Client::new().get(address).header("authorization", format!("Token {}", all.studio.token));
    let file = file.send().await.unwrap();
    assert_eq!(file.status(), 200);
    assert!(file.bytes().await.unwrap().starts_with(&photos[0][..2]));
    let of_shown = all.studio.tasks(all.project(&shown).await).await;
    assert!(of_shown.iter().all(|task| task["data"]["predicted_class"].is_string() && task["total_predictions"] == 1));

    // Labelled, and told by the webhook.
    for table in ["collections", "run_log", "run_steps", "runs"] {
        all.test.sql(&format!("DELETE FROM {table} WHERE 1 = 1")).await;
    }
    let label = if sent[0].predicted_class == "Soup" { "Rice" } else { "Soup" };
    let annotation = all.studio.annotate(remote, label).await;
    let (_, second) = all.task(&blind, &sent[1]).await;
    let not_food = all.studio.annotate(second, "Not food (or none of these)").await;
    eventually("the webhook has hinted", async || {
        let runs = all.test.app.catalog().runs(Some("collect"), None, 10).await.unwrap();
        runs.iter().any(|run| run.cause == Cause::Hint && run.campaign == Some(blind.id))
    })
    .await;
    let collected = all.run("collect", &blind).await;
    assert_eq!(collected.counts["labelled"], 2);
    let annotator = "gourmetgram@example.com".to_owned();
    let moved = |label: &str| [Bucket::Noisy, Bucket::Clean].map(|it| (it, label.to_owned(), annotator.clone()));
    assert_eq!(all.labelled(&sent[0]).await, moved(label));
    assert_eq!(all.labelled(&sent[1]).await, []);
    let waiting: Vec<String> = copies(&all.test.app)
        .await
        .into_iter()
        .filter(|(bucket, _, _)| *bucket == Bucket::LabelWait)
        .map(|(_, key, _)| key)
        .collect();
    assert_eq!(waiting.len(), 4, "the other campaign's three, and the one that is not labelled: {waiting:?}");

    // Changed, and taken back.
    let other = if label == "Soup" { "Bread" } else { "Soup" };
    all.studio.ask(Method::PATCH, &format!("/api/annotations/{annotation}/"), json!({ "result": result(other) })).await;
    all.studio.ask(Method::DELETE, &format!("/api/annotations/{not_food}/"), Value::Null).await;
    let collected = all.run("collect", &blind).await;
    assert_eq!(all.labelled(&sent[0]).await, moved(other));
    assert_eq!(collected.counts["labelled"], 1);

    // Erased: gone from Label Studio too.
    let erase = all.test.delete(&format!("/api/v1/predictions/{}", sent[0].id)).bearer_auth(&sent[0].feedback_token);
    assert_eq!(erase.send().await.unwrap().status(), 204);
    for campaign in [&blind, &shown] {
        all.run("collect", campaign).await;
        assert_eq!(all.studio.tasks(all.project(campaign).await).await.len(), 2);
    }
    assert_eq!(all.labelled(&sent[0]).await, []);
    for campaign in [&blind, &shown] {
        let project = all.project(campaign).await;
        all.studio.ask(Method::DELETE, &format!("/api/projects/{project}/"), Value::Null).await;
    }
    all.test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_loop_through_the_real_label_studio_with_sqlite() {
    the_whole_loop(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_loop_through_the_real_label_studio_with_postgres() {
    the_whole_loop(Database::Postgres).await;
}

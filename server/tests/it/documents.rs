//! What we say about ourselves is true: the OpenAPI document, and the settings in docs/operations.md.

use gourmetgram::config::Settings;
use gourmetgram_api::{Campaign, TaskPage};
use serde_json::{Value, json};

use crate::support::{Database, TestApp, a_photo, eventually, form};

/// The schema of an answer in the served document, with its references.
fn schema(document: &Value, path: &str, method: &str, status: &str) -> Value {
    let content = &document["paths"][path][method]["responses"][status]["content"];
    let kinds = content.as_object().unwrap_or_else(|| panic!("{method} {path} {status} is not described"));
    let mut schema = kinds.values().next().unwrap()["schema"].clone();
    schema["components"] = document["components"].clone();
    schema
}

#[tokio::test]
async fn real_answers_are_as_the_openapi_document_says() {
    let test = TestApp::start(Database::Sqlite).await;
    let document: Value = test.get("/api/openapi.json").send().await.unwrap().json().await.unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3."));
    let new = test.upload(a_photo(1)).await;
    let (token, id) = (&new.feedback_token, new.id);
    let operator = test.operator().await;
    let one = "/api/v1/predictions/{id}";
    let at = |suffix: &str| format!("/api/v1/predictions/{id}{suffix}");
    let image = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, a_photo(2));

    let campaign = test.post("/api/v1/campaigns").bearer_auth(&operator).json(&json!({"preset": "production"}));
    let campaign: Campaign = campaign.send().await.unwrap().json().await.unwrap();
    let selecting = test.post(&format!("/api/v1/campaigns/{}/select", campaign.id)).bearer_auth(&operator);
    assert_eq!(selecting.send().await.unwrap().status(), 202);
    let tasks = format!("/api/v1/campaigns/{}/tasks", campaign.id);
    eventually("a task is there", async || {
        let page: TaskPage = test.get(&tasks).bearer_auth(&operator).send().await.unwrap().json().await.unwrap();
        !page.items.is_empty()
    })
    .await;
    let tasks = |query: &str| test.get(&format!("{tasks}{query}")).bearer_auth(&operator);

    let requests = [
        ("/api/v1/predictions".to_owned(), "post", "201", test.post("/api/v1/predictions").multipart(form(a_photo(2)))),
        (
            "/api/v1/predictions".to_owned(),
            "post",
            "422",
            test.post("/api/v1/predictions").multipart(form(b"x".to_vec())),
        ),
        ("/api/v1/predictions".to_owned(), "post", "415", test.post("/api/v1/predictions")),
        ("/api/v1/predictions".to_owned(), "get", "200", test.get("/api/v1/predictions").bearer_auth(&operator)),
        ("/api/v1/predictions".to_owned(), "get", "401", test.get("/api/v1/predictions")),
        (
            format!("{one}/flag"),
            "put",
            "200",
            test.put(&at("/flag")).bearer_auth(token).json(&json!({"reason": "other"})),
        ),
        (format!("{one}/flag"), "put", "400", test.put(&at("/flag")).bearer_auth(token)),
        (
            format!("{one}/correction"),
            "put",
            "200",
            test.put(&at("/correction")).bearer_auth(token).json(&json!({"label": "Soup"})),
        ),
        (
            format!("{one}/correction"),
            "put",
            "422",
            test.put(&at("/correction")).bearer_auth(token).json(&json!({"label": "?"})),
        ),
        (
            format!("{one}/device"),
            "put",
            "200",
            test.put(&at("/device"))
                .bearer_auth(token)
                .json(&json!({"predicted_class": "Soup", "confidence": 0.5, "model_version": "food64-1"})),
        ),
        (format!("{one}/device"), "put", "400", test.put(&at("/device")).bearer_auth(token)),
        (one.to_owned(), "get", "200", test.get(&at("")).bearer_auth(token)),
        (one.to_owned(), "get", "401", test.get(&at(""))),
        (format!("{one}/flag"), "delete", "200", test.delete(&at("/flag")).bearer_auth(token)),
        (format!("{one}/correction"), "delete", "200", test.delete(&at("/correction")).bearer_auth(token)),
        (
            "/api/v1/campaigns".to_owned(),
            "post",
            "201",
            test.post("/api/v1/campaigns").bearer_auth(&operator).json(&json!({"preset": "continuous"})),
        ),
        (
            "/api/v1/campaigns".to_owned(),
            "post",
            "400",
            test.post("/api/v1/campaigns").bearer_auth(&operator).json(&json!({"preset": "?"})),
        ),
        ("/api/v1/campaigns".to_owned(), "get", "200", test.get("/api/v1/campaigns").bearer_auth(&operator)),
        ("/api/v1/campaigns/{id}/tasks".to_owned(), "get", "200", tasks("")),
        ("/api/v1/campaigns/{id}/tasks".to_owned(), "get", "200", tasks("?closed=true&limit=1")),
        ("/api/v1/campaigns/{id}/tasks".to_owned(), "get", "400", tasks("?limit=0")),
        ("/api/v1/campaigns/{id}/tasks".to_owned(), "get", "400", tasks("?cursor=x")),
        ("/api/v1/campaigns/{id}/tasks".to_owned(), "get", "401", test.get("/api/v1/campaigns/x/tasks")),
        (
            "/api/v1/campaigns/preview".to_owned(),
            "post",
            "200",
            test.post("/api/v1/campaigns/preview")
                .bearer_auth(&operator)
                .json(&json!({"campaign": {"name": "a", "rule": {"kind": "everything"}}})),
        ),
        ("/api/v1/models/live".to_owned(), "get", "200", test.get("/api/v1/models/live")),
        ("/api/v1/models/live/device".to_owned(), "get", "200", test.get("/api/v1/models/live/device")),
        ("/predict".to_owned(), "post", "200", test.post("/predict").json(&json!({"image": image}))),
        ("/predict".to_owned(), "post", "400", test.post("/predict")),
        ("/livez".to_owned(), "get", "200", test.get("/livez")),
        ("/readyz".to_owned(), "get", "200", test.get("/readyz")),
    ];
    for (path, method, status, request) in requests {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_str(), status, "{method} {path}");
        let answer: Value = answer.json().await.unwrap();
        let schema = schema(&document, &path, method, status);
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<String> = validator.iter_errors(&answer).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{method} {path} {status}: {errors:?}\n{answer:#}");
    }
    test.stop().await;
}

#[test]
fn every_described_path_is_in_the_documentation() {
    let document = serde_json::to_value(gourmetgram::http::openapi()).unwrap();
    let text = include_str!("../../../docs/api.md");
    for path in document["paths"].as_object().unwrap().keys() {
        assert!(
            text.contains(&format!("`{path}`")) || text.contains(&format!(" {path}`")),
            "docs/api.md does not mention {path}"
        );
    }
}

#[test]
fn the_documented_default_settings_are_the_real_ones() {
    let text = include_str!("../../../docs/operations.md");
    let begin = "<!-- defaults -->\n```toml\n";
    let documented = text.split_once(begin).unwrap().1.split_once("```").unwrap().0;
    assert_eq!(documented, Settings::default().to_toml().unwrap(), "put the second into docs/operations.md");
}

#[test]
fn what_the_files_in_deploy_set_are_settings() {
    let files = [include_str!("../../../deploy/Containerfile"), include_str!("../../../deploy/gourmetgram.service")];
    let mut seen = 0;
    for word in files.iter().flat_map(|file| file.split_whitespace()) {
        let Some((name, value)) = word.split_once("GOURMETGRAM__").and_then(|(_, rest)| rest.split_once('=')) else {
            continue;
        };
        let setting = name.to_lowercase().rsplit("__").fold(json!(value), |inner, key| json!({ key: inner }));
        serde_json::from_value::<Settings>(setting).unwrap_or_else(|error| panic!("GOURMETGRAM__{word}: {error}"));
        seen += 1;
    }
    assert_eq!(seen, 4, "the files name other settings than this test looks at");
}

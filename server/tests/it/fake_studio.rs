//! A Label Studio of our own that keeps what it is told and can be told to behave badly: a real one cannot be made to fail
//! on demand, and is too slow to be killed at every point. What the real one answers is shown in `label_studio`.

use std::{
    future::IntoFuture,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, Uri, header},
    response::Response,
};
use chrono::Utc;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use uuid::Uuid;

/// How it behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Well,
    /// Answers everything with this status.
    Refuses(u16),
    /// Answers like this only once, then well.
    RefusesOnce(u16),
    /// Does what it is told, and breaks off in the middle of its answer.
    BreaksOff,
    /// Takes its time.
    Slow(Duration),
}

#[derive(Default)]
struct Kept {
    projects: Vec<Value>,
    storages: Vec<Value>,
    webhooks: Vec<Value>,
    tasks: Vec<Value>,
    made: i64,
}

/// The server.
#[derive(Clone)]
pub struct FakeStudio {
    pub url: String,
    kept: Arc<Mutex<Kept>>,
    mood: Arc<Mutex<Mood>>,
}

pub const TOKEN: &str = "05fecceb97d6ed10bc73209bc2d6367dd819e1d1";

impl FakeStudio {
    pub async fn start() -> Self {
        Self::start_at(TcpListener::bind("127.0.0.1:0").await.unwrap()).await
    }

    /// The same at an address of the test's choice.
    pub async fn start_at(listener: TcpListener) -> Self {
        let url = format!("http://{}", listener.local_addr().unwrap());
        let fake = Self { url, kept: Arc::default(), mood: Arc::new(Mutex::new(Mood::Well)) };
        let router = Router::new().fallback(take).with_state(fake.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        fake
    }

    pub fn behave(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    pub fn projects(&self) -> Vec<Value> {
        self.kept.lock().unwrap().projects.clone()
    }

    pub fn storages(&self) -> Vec<Value> {
        self.kept.lock().unwrap().storages.clone()
    }

    pub fn webhooks(&self) -> Vec<Value> {
        self.kept.lock().unwrap().webhooks.clone()
    }

    /// The tasks that stand for one of ours.
    pub fn tasks_for(&self, task: Uuid) -> Vec<Value> {
        let kept = self.kept.lock().unwrap();
        kept.tasks.iter().filter(|it| it["data"]["task"] == json!(task)).cloned().collect()
    }

    pub fn tasks(&self) -> Vec<Value> {
        self.kept.lock().unwrap().tasks.clone()
    }

    /// Somebody deletes a project with everything in it.
    pub fn delete_project(&self, project: i64) {
        let mut kept = self.kept.lock().unwrap();
        kept.projects.retain(|it| it["id"] != project);
        kept.tasks.retain(|it| it["project"] != project);
        kept.storages.retain(|it| it["project"] != project);
        kept.webhooks.retain(|it| it["project"] != project);
    }

    /// Somebody deletes the tasks that stand for one of ours.
    pub fn delete_tasks_for(&self, task: Uuid) {
        self.kept.lock().unwrap().tasks.retain(|it| it["data"]["task"] != json!(task));
    }

    /// Somebody labels a task; the annotation's number.
    pub fn annotate(&self, task: Uuid, user: i64, choice: &str) -> i64 {
        let mut kept = self.kept.lock().unwrap();
        kept.made += 1;
        let id = kept.made;
        let now = Utc::now();
        let annotation = json!({
            "id": id, "completed_by": user, "was_cancelled": false, "created_at": now, "updated_at": now,
            "lead_time": 2.5, "result": result(choice),
        });
        let task = kept.tasks.iter_mut().find(|it| it["data"]["task"] == json!(task)).unwrap();
        task["annotations"].as_array_mut().unwrap().push(annotation);
        id
    }

    /// Somebody changes an annotation.
    pub fn change(&self, annotation: i64, change: impl FnOnce(&mut Value)) {
        let mut kept = self.kept.lock().unwrap();
        let mut all = kept.tasks.iter_mut().flat_map(|task| task["annotations"].as_array_mut().unwrap());
        let found = all.find(|it| it["id"] == annotation).unwrap();
        found["updated_at"] = json!(Utc::now());
        change(found);
    }

    /// Somebody deletes an annotation.
    pub fn delete(&self, annotation: i64) {
        let mut kept = self.kept.lock().unwrap();
        for task in &mut kept.tasks {
            task["annotations"].as_array_mut().unwrap().retain(|it| it["id"] != annotation);
        }
    }

    fn answer(&self, method: &Method, path: &str, query: &str, body: &Value) -> (u16, Value) {
        let mut kept = self.kept.lock().unwrap();
        let query: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let parameter = |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let project: Option<i64> = parameter("project").and_then(|id| id.parse().ok());
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match (method.as_str(), &parts[1..]) {
            ("GET", ["users"]) => {
                (200, json!([{ "id": 1, "email": "ann@example.com" }, { "id": 2, "email": "bob@example.com" }]))
            }
            ("GET", ["projects"]) => (200, json!({ "next": null, "results": kept.projects })),
            ("POST", ["projects"]) => made(&mut kept, |kept| &mut kept.projects, body),
            ("PATCH", ["projects", id]) => changed(&mut kept.projects, id, body),
            ("POST", ["projects", id, "import"]) => {
                let id: i64 = id.parse().unwrap();
                let mut numbers = Vec::new();
                for task in body.as_array().unwrap() {
                    kept.made += 1;
                    let number = kept.made;
                    numbers.push(number);
                    let mut task = task.clone();
                    task["id"] = json!(number);
                    task["project"] = json!(id);
                    task["annotations"] = json!([]);
                    kept.tasks.push(task);
                }
                (201, json!({ "task_count": numbers.len(), "task_ids": numbers }))
            }
            ("GET", ["storages", "s3"]) => (200, json!(of(&kept.storages, project))),
            ("POST", ["storages", "s3"]) => made(&mut kept, |kept| &mut kept.storages, body),
            ("PATCH", ["storages", "s3", id]) => changed(&mut kept.storages, id, body),
            ("GET", ["webhooks"]) => (200, json!(of(&kept.webhooks, project))),
            ("POST", ["webhooks"]) => made(&mut kept, |kept| &mut kept.webhooks, body),
            ("PATCH", ["webhooks", id]) => changed(&mut kept.webhooks, id, body),
            ("GET", ["tasks"]) => {
                if !kept.projects.iter().any(|it| it["id"].as_i64() == project) {
                    return (404, json!({ "detail": "No Project matches the given query." }));
                }
                let filters: Value = serde_json::from_str(&parameter("query").unwrap()).unwrap();
                let filters = filters["filters"]["items"].as_array().unwrap().clone();
                let is_wanted = |task: &Value| {
                    filters.iter().all(|filter| match filter["filter"].as_str().unwrap() {
                        "filter:tasks:id" => task["id"].as_i64() > filter["value"].as_i64(),
                        _ => filter["value"].as_array().unwrap().contains(&task["data"]["task"]),
                    })
                };
                let mut left: Vec<Value> = of(&kept.tasks, project).into_iter().filter(is_wanted).collect();
                let total = left.len();
                left.truncate(parameter("page_size").unwrap().parse().unwrap());
                (200, json!({ "total": total, "tasks": left }))
            }
            ("GET", ["tasks", id, "annotations"]) => match number(&kept.tasks, id) {
                Some(place) => (200, kept.tasks[place]["annotations"].clone()),
                None => (404, Value::Null),
            },
            (method, ["tasks", id]) => match (method, number(&kept.tasks, id)) {
                (_, None) => (404, json!({ "detail": "No Task matches the given query." })),
                ("GET", Some(place)) => (200, kept.tasks[place].clone()),
                ("DELETE", Some(place)) => {
                    kept.tasks.remove(place);
                    (204, Value::Null)
                }
                _ => changed(&mut kept.tasks, id, body),
            },
            _ => (404, json!({ "detail": format!("{method} {path}") })),
        }
    }
}

pub fn result(choice: &str) -> Value {
    json!([{ "from_name": "label", "to_name": "image", "type": "choices", "value": { "choices": [choice] } }])
}

fn of(all: &[Value], project: Option<i64>) -> Vec<Value> {
    all.iter().filter(|it| it["project"].as_i64() == project).cloned().collect()
}

fn number(all: &[Value], id: &str) -> Option<usize> {
    let id: i64 = id.parse().unwrap();
    all.iter().position(|it| it["id"] == id)
}

fn made(kept: &mut Kept, of: impl FnOnce(&mut Kept) -> &mut Vec<Value>, body: &Value) -> (u16, Value) {
    kept.made += 1;
    let mut new = body.clone();
    new["id"] = json!(kept.made);
    of(kept).push(new.clone());
    (201, new)
}

fn changed(all: &mut [Value], id: &str, body: &Value) -> (u16, Value) {
    let Some(place) = number(all, id) else { return (404, Value::Null) };
    for (name, value) in body.as_object().unwrap() {
        all[place][name] = value.clone();
    }
    (200, all[place].clone())
}

async fn take(State(fake): State<FakeStudio>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mood = {
        let mut mood = fake.mood.lock().unwrap();
        let now = *mood;
        if matches!(now, Mood::RefusesOnce(_)) {
            *mood = Mood::Well;
        }
        now
    };
    let respond = |status: u16, body: Value| {
        let response = Response::builder().status(status).header(header::CONTENT_TYPE, "application/json");
        response.body(Body::from(if status == 204 { String::new() } else { body.to_string() })).unwrap()
    };
    if let Mood::Refuses(status) | Mood::RefusesOnce(status) = mood {
        return respond(status, json!({ "detail": "it is so" }));
    }
    if headers.get(header::AUTHORIZATION).is_none_or(|value| value != &format!("Token {TOKEN}")) {
        return respond(401, json!({ "detail": "Invalid token." }));
    }
    if let Mood::Slow(time) = mood {
        tokio::time::sleep(time).await;
    }
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let (status, answer) = fake.answer(&method, uri.path(), uri.query().unwrap_or_default(), &body);
    if mood == Mood::BreaksOff {
        let half = answer.to_string().chars().take(5).collect::<String>();
        let pieces = [Ok(half), Err(std::io::Error::other("and away"))];
        return Response::builder().status(status).body(Body::from_stream(futures::stream::iter(pieces))).unwrap();
    }
    respond(status, answer)
}

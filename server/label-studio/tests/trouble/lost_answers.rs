//! Answers that got lost after Label Studio had done what was asked.

use std::sync::{Arc, Mutex};

use gourmetgram_api::Classes;
use gourmetgram_label_studio::{NewProject, NewTask, ProjectId, ProjectTitle, Showing};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    answers::{after, filter},
    badly_behaved::{Asked, Does, Server},
};

const IMPORT: &str = "POST /api/projects/1/import";

/// The tasks a Label Studio has.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Value>>>);

impl Kept {
    /// Takes the first so many of those it is sent.
    fn take(&self, asked: &Asked, at_most: usize) -> usize {
        let mut tasks = self.0.lock().unwrap();
        let sent = asked.body.as_array().unwrap();
        for task in sent.iter().take(at_most) {
            let id = tasks.len() + 1;
            tasks.push(json!({ "id": id, "data": task["data"] }));
        }
        sent.len().min(at_most)
    }

    fn list(&self, asked: &Asked) -> Does {
        let (after, names) = (after(asked), filter(asked, "filter:tasks:data.task").unwrap());
        let is_asked_for = |task: &&Value| {
            task["id"].as_i64().unwrap() > after && names.as_array().unwrap().contains(&task["data"]["task"])
        };
        let tasks = self.0.lock().unwrap();
        let left: Vec<_> = tasks.iter().filter(is_asked_for).cloned().collect();
        Does::Answers(200, json!({ "total": left.len(), "tasks": left }))
    }

    fn ids(&self) -> Vec<Uuid> {
        let tasks = self.0.lock().unwrap();
        tasks.iter().map(|task| task["data"]["task"].as_str().unwrap().parse().unwrap()).collect()
    }
}

fn tasks() -> Vec<NewTask> {
    let task =
        |number| NewTask { id: Uuid::from_u128(number), photo: "s3://b/k.jpg".to_owned(), shown: None, people: 1 };
    (1..=5).map(task).collect()
}

/// Imports five tasks into a Label Studio that fails the first time, after it took so many.
async fn import_after(failure: impl Fn() -> Does + Send + Sync + 'static, takes: usize) -> (Server, Kept) {
    let kept = Kept::default();
    let (keeps, first) = (kept.clone(), Mutex::new(true));
    let server = Server::start(move |asked, _| match asked.line().as_str() {
        IMPORT if std::mem::take(&mut *first.lock().unwrap()) => {
            keeps.take(asked, takes);
            failure()
        }
        IMPORT => Does::Answers(201, json!({ "task_count": keeps.take(asked, usize::MAX) })),
        "GET /api/tasks/" => keeps.list(asked),
        line => panic!("{line}"),
    })
    .await;
    let imported = server.client().import_tasks(ProjectId(1), &tasks()).await.unwrap();
    let named: Vec<_> = imported.iter().map(|imported| imported.task).collect();
    assert_eq!(named, tasks().iter().map(|task| task.id).collect::<Vec<_>>());
    (server, kept)
}

#[tokio::test]
async fn tasks_whose_import_was_not_answered_are_not_imported_again() {
    let failures: [fn() -> Does; 3] = [
        || Does::BreaksOff("{\"task_count\": ".to_owned()),
        || Does::Answers(500, json!({ "detail": "after all" })),
        || Does::Says(502, "text/html", "<h1>Bad Gateway</h1>".to_owned()),
    ];
    for failure in failures {
        // It took none, some, all of them before it failed: each is there once in the end.
        for takes in [0, 3, 5] {
            let (server, kept) = import_after(failure, takes).await;
            let mut ids = kept.ids();
            ids.sort();
            assert_eq!(ids, tasks().iter().map(|task| task.id).collect::<Vec<_>>(), "{takes} were taken");
            let imports = server.lines().iter().filter(|&line| line == IMPORT).count();
            assert_eq!(imports, if takes == 5 { 1 } else { 2 });
        }
    }
}

#[tokio::test]
async fn an_import_that_goes_on_in_the_background_is_not_repeated() {
    let server = Server::start(|asked, _| match asked.line().as_str() {
        IMPORT => Does::Answers(201, json!({ "import": 17 })),
        _ => Does::Answers(200, json!({ "total": 0, "tasks": [] })),
    })
    .await;
    let error = server.client().import_tasks(ProjectId(1), &tasks()).await.unwrap_err();
    assert!(error.to_string().contains("background"), "{error}");
    assert_eq!(server.lines().iter().filter(|&line| line == IMPORT).count(), 1);
}

#[tokio::test]
async fn a_project_whose_making_was_not_answered_is_not_made_again() {
    let made = Mutex::new(Vec::<Value>::new());
    let server = Server::start(move |asked, _| {
        let mut made = made.lock().unwrap();
        match asked.line().as_str() {
            "GET /api/projects/" => Does::Answers(200, json!({ "next": null, "results": *made })),
            "POST /api/projects/" => {
                let mut project = asked.body.clone();
                project["id"] = json!(made.len() + 1);
                made.push(project);
                Does::BreaksOff("{\"id\": ".to_owned())
            }
            line => panic!("{line}"),
        }
    })
    .await;
    let wanted = NewProject {
        title: ProjectTitle::of("Continuous"),
        mark: "campaign 0193".to_owned(),
        classes: Classes::new(vec!["Bread".to_owned(), "Soup".to_owned()]).unwrap(),
        showing: Showing::Blind,
    };
    let project = server.client().ensure_project(&wanted).await.unwrap();
    assert_eq!(project.id, ProjectId(1));
    assert_eq!(server.lines(), ["GET /api/projects/", "POST /api/projects/", "GET /api/projects/"]);
}

#[tokio::test]
async fn a_busy_server_that_took_nothing_gets_the_order_again() {
    let server = Server::start(|asked, before| match (asked.line().as_str(), before) {
        ("GET /api/projects/", _) => Does::Answers(200, json!({ "next": null, "results": [] })),
        (_, 1) => Does::Points(429, "retry-after", "0".to_owned()),
        (_, 2) => Does::Says(503, "text/html", String::new()),
        _ => {
            let mut project = asked.body.clone();
            project["id"] = json!(1);
            Does::Answers(201, project)
        }
    })
    .await;
    let wanted = NewProject {
        title: ProjectTitle::of("Continuous"),
        mark: "campaign 0193".to_owned(),
        classes: Classes::new(vec!["Bread".to_owned(), "Soup".to_owned()]).unwrap(),
        showing: Showing::Shown,
    };
    server.client().ensure_project(&wanted).await.unwrap();
    let (get, post) = ("GET /api/projects/", "POST /api/projects/");
    assert_eq!(server.lines(), [get, post, post, post]);
}

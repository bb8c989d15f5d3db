//! Starts the application as `main` does, on a free port, with a database and a data directory of its own.

use std::time::Duration;

use gourmetgram::{
    accounts::{Password, Scope},
    app::{App, Application},
    catalog::entity::{batch, campaign, prediction, selection, task},
    config::Settings,
    http::{new_access_token, sha256_hex},
};
use gourmetgram_api::{NewPrediction, Prediction, PredictionId, Problem, Role};
use gourmetgram_object_store::{Bucket, ObjectStoreError};
use image::{ImageFormat, Rgb, RgbImage};
use reqwest::{Client, RequestBuilder, Response, multipart};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ConnectionTrait, Database as Connection, DatabaseConnection, IntoActiveModel,
    Statement,
};
use secrecy::ExposeSecret;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::postgres::PostgresDatabase;

/// Runs an async test on SQLite and on PostgreSQL.
#[macro_export]
macro_rules! on_both_databases {
    ($($name:ident => $body:expr;)+) => {
        mod sqlite {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread")] async fn $name() { ($body)($crate::support::Database::Sqlite).await; })+
        }
        mod postgres {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread")] async fn $name() { ($body)($crate::support::Database::Postgres).await; })+
        }
    };
}

/// Which database a test runs on. With PostgreSQL uploads go through the object store, as in production.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    Postgres,
}

/// A running application.
pub struct TestApp {
    pub url: String,
    pub client: Client,
    pub app: App,
    pub data: TempDir,
    stop: CancellationToken,
    running: JoinHandle<()>,
    postgres: Option<PostgresDatabase>,
}

/// A campaign with its tasks, in the order of their photos.
pub struct ChosenPhotos {
    pub id: Uuid,
    pub tasks: Vec<Uuid>,
}

/// An application that was built and does nothing by itself: no worker, no outbox, no requests.
pub struct BuiltApp {
    pub app: App,
    pub data: TempDir,
    application: Application,
    postgres: Option<PostgresDatabase>,
}

impl BuiltApp {
    pub async fn build(database: Database, adjust: impl FnOnce(&mut Settings)) -> Self {
        let _ = tracing_subscriber::fmt().with_env_filter("warn,s3s=error,s3s_fs=error").with_test_writer().try_init();
        let data = tempfile::tempdir().unwrap();
        let mut settings = Settings { data_dir: data.path().to_owned(), ..Settings::default() };
        settings.server.listen.set_port(0);
        settings.embedded_s3.listen.set_port(0);
        settings.server.shutdown_grace_seconds = 2;
        // Publishing writes records, of which tests have their own ideas.
        settings.evaluation.publish_every_hours = 0;
        // Nor does anything run because it is half past.
        settings.pipelines.collect = String::new();
        settings.pipelines.tags = "15 3 29 2 *".to_owned();
        let mut postgres = None;
        if database == Database::Postgres {
            let database = PostgresDatabase::make().await;
            settings.catalog.url = Some(database.url.clone().into());
            postgres = Some(database);
        }
        adjust(&mut settings);
        let application = Application::build(settings).await.unwrap();
        let app = application.app().clone();
        app.object_store().ensure_buckets().await.ok();
        Self { app, data, application, postgres }
    }

    /// Lets go of everything, and removes its database.
    pub async fn close(self) {
        drop(self.app);
        drop(self.application);
        if let Some(database) = self.postgres {
            database.remove().await;
        }
    }
}

impl TestApp {
    pub async fn start(database: Database) -> Self {
        Self::start_with(database, |_| {}).await
    }

    pub async fn start_with(database: Database, adjust: impl FnOnce(&mut Settings)) -> Self {
        let BuiltApp { app, application, data, postgres } = BuiltApp::build(database, adjust).await;
        let url = format!("http://{}", application.address().unwrap());
        let stop = CancellationToken::new();
        let until = stop.clone();
        let running = tokio::spawn(async move { application.run(until).await.unwrap() });
        Self { url, client: client(), app, data, stop, running, postgres }
    }

    /// Stops the application in good order, and removes its database.
    pub async fn stop(self) {
        self.stop_and_keep_data().await;
    }

    /// The same, and hands out the data directory. A PostgreSQL database is gone.
    pub async fn stop_and_keep_data(self) -> TempDir {
        self.stop.cancel();
        self.running.await.unwrap();
        drop(self.app);
        if let Some(database) = self.postgres {
            database.remove().await;
        }
        self.data
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.url))
    }

    pub fn put(&self, path: &str) -> RequestBuilder {
        self.client.put(format!("{}{path}", self.url))
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.url))
    }

    pub fn delete(&self, path: &str) -> RequestBuilder {
        self.client.delete(format!("{}{path}", self.url))
    }

    /// Sends a photo as a machine client without credentials.
    pub async fn upload(&self, photo: Vec<u8>) -> NewPrediction {
        let response = self.post("/api/v1/predictions").multipart(form(photo)).send().await.unwrap();
        created(response).await
    }

    /// An access token that may do everything.
    pub async fn operator(&self) -> String {
        self.token(&[Scope::Admin]).await
    }

    /// An access token with these scopes.
    pub async fn token(&self, scopes: &[Scope]) -> String {
        let token = new_access_token();
        let name = Uuid::now_v7().to_string();
        let hash = sha256_hex(token.expose_secret().as_bytes());
        let scopes = scopes.iter().copied().collect();
        assert!(self.app.catalog().add_access_token(&name, &scopes, hash, None).await.unwrap());
        token.expose_secret().to_owned()
    }

    /// A connection of its own to the catalog.
    pub async fn connect(&self) -> DatabaseConnection {
        Connection::connect(self.app.settings().catalog_url().expose_secret()).await.unwrap()
    }

    /// Makes an account whose password is [`PASSWORD`].
    pub async fn account(&self, name: &str, role: Role) {
        let name = name.parse().unwrap();
        let hash = Password::new(PASSWORD.into(), &name).unwrap().hash().unwrap();
        assert!(self.app.catalog().add_user(&name, role, &hash).await.unwrap().is_some());
    }

    /// Does something to the catalog's tables behind the application's back.
    pub async fn sql(&self, statement: &str) {
        let connection = self.connect().await;
        connection.execute_unprepared(statement).await.unwrap();
        connection.close().await.unwrap();
    }

    /// So many photos in the catalog, all with the same file: what tests of lists and tasks need, without a
    /// classification each.
    pub async fn copies_of_a_photo(&self, count: usize) -> Vec<PredictionId> {
        let first = self.upload(a_photo(1)).await;
        self.settle().await;
        let row = self.app.catalog().prediction(first.id).await.unwrap().unwrap();
        let connection = self.connect().await;
        let mut photos = vec![first.id];
        for _ in 1..count {
            let id = Uuid::now_v7();
            let copy = prediction::Model { id, idempotency: None, ..row.clone() };
            copy.into_active_model().insert(&connection).await.unwrap();
            photos.push(id.try_into().unwrap());
        }
        connection.close().await.unwrap();
        photos
    }

    /// A campaign that has chosen these photos, in this order; `wanted` says how many labels the one at a place is to
    /// get.
    pub async fn campaign(
        &self,
        name: &str,
        blind: bool,
        photos: &[PredictionId],
        wanted: impl Fn(usize) -> i32,
    ) -> ChosenPhotos {
        let connection = self.connect().await;
        let at = gourmetgram::catalog::now();
        let rule = serde_json::json!({ "kind": "everything" });
        let campaign = campaign::Model {
            id: Uuid::now_v7(),
            name: name.to_owned(),
            rule: rule.clone(),
            blind,
            labelled_in: "review".to_owned(),
            double_share: 0.0,
            starts_at: None,
            ends_at: None,
            seed: 1,
            schedule: None,
            project: None,
            created_at: at,
            archived_at: None,
        };
        campaign.clone().into_active_model().insert(&connection).await.unwrap();
        let batch = batch::ActiveModel {
            campaign_id: Set(campaign.id),
            interval_start: Set(at - chrono::TimeDelta::minutes(30)),
            interval_end: Set(at),
            rule: Set(rule),
            seed: Set(1),
            considered: Set(photos.len() as i64),
            sizes: Set(serde_json::json!([0, 0, 0, photos.len()])),
            chosen: Set(serde_json::json!([0, 0, 0, photos.len()])),
            drawn_at: Set(at),
            ..Default::default()
        };
        let batch = batch.insert(&connection).await.unwrap();
        let mut tasks = Vec::new();
        for (place, photo) in photos.iter().enumerate() {
            let selection = selection::Model {
                campaign_id: campaign.id,
                prediction_id: photo.as_uuid(),
                batch_id: batch.id,
                stratum: 3,
                inclusion: 1.0,
                stratum_size: photos.len() as i64,
                chosen: true,
                by_random_sample: true,
                confident: false,
                flag: None,
                corrected_class: None,
            };
            selection.into_active_model().insert(&connection).await.unwrap();
            let task = task::Model {
                id: Uuid::new_v4(),
                campaign_id: campaign.id,
                prediction_id: photo.as_uuid(),
                batch_id: batch.id,
                position: place as i64,
                wanted: wanted(place),
                given: 0,
                closed_at: None,
                resolved: None,
                remote_id: None,
                created_at: at,
            };
            tasks.push(task.id);
            task.into_active_model().insert(&connection).await.unwrap();
        }
        connection.close().await.unwrap();
        ChosenPhotos { id: campaign.id, tasks }
    }

    /// How many rows a table has.
    pub async fn count(&self, table: &str) -> i64 {
        let connection = self.connect().await;
        let query = format!("SELECT COUNT(*) AS number FROM {table}");
        let statement = Statement::from_string(connection.get_database_backend(), query);
        let row = connection.query_one_raw(statement).await.unwrap().unwrap();
        connection.close().await.unwrap();
        row.try_get("", "number").unwrap()
    }

    /// The prediction as its bearer sees it.
    pub async fn prediction(&self, id: PredictionId, token: &str) -> Prediction {
        let response = self.get(&format!("/api/v1/predictions/{id}")).bearer_auth(token).send().await.unwrap();
        assert_eq!(response.status(), 200);
        response.json().await.unwrap()
    }

    /// The object's tags in the bucket `production`, sorted; `None` when there is no such object.
    pub async fn tags(&self, key: &str) -> Option<Vec<(String, String)>> {
        let key = key.parse().unwrap();
        match self.app.object_store().read_tags(Bucket::Production, &key).await {
            Ok(tags) => Some(tags.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()),
            Err(ObjectStoreError::NotFound { .. }) => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// One tag of an object.
    pub async fn tag(&self, key: &str, name: &str) -> Option<String> {
        self.tags(key).await?.into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Waits until nothing waits in the outbox (but second looks at erased photos).
    pub async fn settle(&self) {
        eventually("the outbox is empty", async || self.app.catalog().backlog().await.unwrap().count == 0).await;
    }
}

/// Says visibly that a test went without photos or models that are not ours to publish.
#[expect(clippy::print_stderr, reason = "a test's output is for people")]
pub fn skipped(test: &str, missing: &std::path::Path) {
    eprintln!("skipped: {test}: there is no {}", missing.display());
}

/// Waits for something that must come true; fails after half a minute.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..600 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("still not true after 30 s: {what}");
}

pub fn client() -> Client {
    Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// A browser of a visitor of its own: keeps cookies, says where its requests come from.
pub struct Browser {
    client: Client,
    url: String,
}

/// The password of every account that [`TestApp::account`] makes.
pub const PASSWORD: &str = "correct horse battery";

impl Browser {
    /// A browser in which somebody has signed in whose account is made for it.
    pub async fn signed_in(test: &TestApp, name: &str, role: Role) -> Self {
        test.account(name, role).await;
        let browser = Self::open(test).await;
        let answer = browser.sign_in(name, PASSWORD, "").await;
        assert_eq!(answer.status(), 303);
        assert_eq!(answer.headers()["location"], "/");
        browser
    }

    /// Sends the form of the sign-in page.
    pub async fn sign_in(&self, name: &str, password: &str, next: &str) -> Response {
        self.send_form("/login", &[("name", name), ("password", password), ("next", next)]).await
    }

    /// Sends a form as a browser does.
    pub async fn send_form(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.post(path).header("content-type", "application/x-www-form-urlencoded").body(body);
        request.send().await.unwrap()
    }

    /// A request that does not say where it comes from.
    pub fn bare(&self, method: reqwest::Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    pub async fn open(test: &TestApp) -> Self {
        let client = Client::builder().cookie_store(true).redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let browser = Self { client, url: test.url.clone() };
        assert_eq!(browser.get("/").send().await.unwrap().status(), 200);
        browser
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.url))
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.url)).header("sec-fetch-site", "same-origin")
    }

    pub fn put(&self, path: &str) -> RequestBuilder {
        self.client.put(format!("{}{path}", self.url)).header("sec-fetch-site", "same-origin")
    }

    pub fn delete(&self, path: &str) -> RequestBuilder {
        self.client.delete(format!("{}{path}", self.url)).header("sec-fetch-site", "same-origin")
    }

    /// How many photos this browser has.
    pub async fn photos(&self) -> usize {
        let answer = self.get("/api/v1/predictions?limit=100").send().await.unwrap();
        answer.json::<gourmetgram_api::PredictionPage>().await.unwrap().items.len()
    }

    pub async fn execute(&self, request: reqwest::Request) -> Response {
        self.client.execute(request).await.unwrap()
    }

    pub async fn upload(&self, photo: Vec<u8>) -> NewPrediction {
        created(self.post("/api/v1/predictions").multipart(form(photo)).send().await.unwrap()).await
    }
}

pub async fn created(response: Response) -> NewPrediction {
    let status = response.status();
    let text = response.text().await.unwrap();
    assert_eq!(status, 201, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// Checks that an answer is a problem document of this status, and reads it.
pub async fn problem(response: Response, status: u16) -> Problem {
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let answered = response.status();
    let text = response.text().await.unwrap();
    assert_eq!(answered, status, "{text}");
    let problem: Problem = serde_json::from_str(&text).unwrap();
    assert_eq!(problem.status, status);
    assert!(problem.request_id.is_some(), "{text}");
    problem
}

/// A multipart body with a photo.
pub fn form(photo: Vec<u8>) -> multipart::Form {
    multipart::Form::new().part("image", multipart::Part::bytes(photo).file_name("../../etc/plate.jpg"))
}

/// A plate of our own making, another one for every seed.
pub fn a_photo(seed: u32) -> Vec<u8> {
    let side = 96;
    let picture = RgbImage::from_fn(side, side, |x, y| {
        let (dx, dy) = (f64::from(x) - 48.0, f64::from(y) - 48.0);
        let wave = (dx.hypot(dy) / (3.0 + f64::from(seed % 7)) + f64::from(seed)).sin();
        let level = (128.0 + 100.0 * wave) as u8;
        if dx.hypot(dy) < 44.0 { Rgb([level, level / 2, (seed % 200) as u8]) } else { Rgb([230, 230, 225]) }
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

//! An interval of a hundred thousand photos, whose servers are killed after each step, and in the middle of their work.

#[path = "../../examples/explore/filling.rs"]
mod filling;

use std::{collections::BTreeMap, path::Path, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use embedded_s3::{Access, EmbeddedS3, Running};
use futures::StreamExt;
use gourmetgram::{
    catalog::{
        Catalog,
        entity::{annotation, batch, prediction, selection, task},
    },
    outbox,
};
use gourmetgram_api::{Campaign, Confidence, Interval, NewCampaign, Run, RunState};
use gourmetgram_object_store::ObjectStore;
use reqwest::Client;
use sea_orm::{ColumnTrait, ConnectionTrait, Database, DatabaseConnection, EntityTrait, QueryFilter, Statement};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::{
    STEPS, everything_stored,
    fake_studio::{self, FakeStudio},
    process::{self, Server, tell},
};

const PHOTOS: i64 = 100_000;
/// The catalog's first photo, and the time between two: what the filling makes.
const FIRST_MS: i64 = 1_764_000_000_001;
const APART_MS: i64 = 10_000;

/// What the campaign asks for: nearly all photos are unsure, of which four hundred are taken; the random sample takes two hundred
/// of all; of the few others the flagged and corrected ones are taken, and the rest goes where sure answers go.
fn asked() -> Value {
    json!({
        "name": "Week 48", "seed": 7, "blind": true, "labelled_in": "label_studio", "double_share": 0.0,
        "rule": {
            "kind": "continuous", "unsure": { "measure": "confidence", "threshold": 0.997 },
            "low_confidence_at_most": 400, "random": { "per_interval": 200 },
        },
    })
}

fn interval() -> Interval {
    let start = DateTime::from_timestamp_millis(FIRST_MS).unwrap();
    Interval { start, end: start + TimeDelta::milliseconds(PHOTOS * APART_MS) }
}

fn url(data: &Path) -> String {
    format!("sqlite:{}", data.join("catalog.sqlite").display())
}

/// A moment in the middle of a step at which a server is killed: its name, the pipeline that works then, and a question to the
/// catalog that is answered with a number other than 0 while it lasts.
struct Moment(&'static str, &'static str, &'static str);

/// Where servers are killed.
enum Kills<'a> {
    Nowhere,
    /// In the middle of steps, from outside.
    Within(&'a [Moment]),
    /// After each step: when it is done and that is not noted yet, and when it is.
    AfterEachStep,
}

/// In the order in which they come.
const MOMENTS: [Moment; 7] = [
    Moment(
        "some parts are laid down",
        "select",
        "SELECT COUNT(*) BETWEEN 2 AND 7 FROM draw_parts, draws WHERE draws.id = draw_id AND batch_id IS NULL",
    ),
    Moment(
        "some parts are written",
        "select",
        "SELECT COUNT(*) FROM draws WHERE batch_id IS NOT NULL AND written BETWEEN 2 AND parts - 3",
    ),
    Moment(
        "some parts have tasks",
        "select",
        "SELECT (SELECT COUNT(*) FROM draws WHERE batch_id IS NOT NULL AND written = parts) \
         * (SELECT COUNT(*) BETWEEN 3 AND 8 FROM draw_parts)",
    ),
    Moment(
        "some copies are there",
        "select",
        "SELECT (SELECT COUNT(*) > 100 FROM placements WHERE placed_at IS NOT NULL) \
         * (SELECT COUNT(*) > 100 FROM outbox) * (SELECT COUNT(*) = 0 FROM draws)",
    ),
    Moment(
        "some tasks are in Label Studio",
        "select",
        "SELECT COUNT(*) > 50 AND COUNT(*) < (SELECT COUNT(*) FROM tasks) FROM tasks WHERE remote_id IS NOT NULL",
    ),
    Moment(
        "some labels are taken over",
        "collect",
        "SELECT COUNT(*) > 50 AND COUNT(*) < (SELECT COUNT(*) - 50 FROM tasks) FROM annotations",
    ),
    Moment(
        "some photos have moved",
        "collect",
        "SELECT (SELECT COUNT(*) > 50 FROM placements WHERE bucket = 'clean' AND placed_at IS NOT NULL) \
         * (SELECT COUNT(*) > 50 FROM outbox)",
    ),
];

/// The first number of the answer.
async fn number(catalog: &DatabaseConnection, sql: &str) -> i64 {
    let statement = Statement::from_string(catalog.get_database_backend(), sql);
    let row = catalog.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

/// A service with its own data, S3 server and Label Studio.
struct World {
    data: TempDir,
    _buckets: TempDir,
    s3: Running,
    store: ObjectStore,
    studio: FakeStudio,
    settings: Vec<(&'static str, String)>,
    client: Client,
}

impl World {
    /// With the catalog at this path, and in the bucket `production` the photos that will be copied.
    async fn with(catalog: &Path, photos: &[prediction::Model]) -> Self {
        let (data, buckets) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::copy(catalog, data.path().join("catalog.sqlite")).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let s3 = EmbeddedS3::builder(buckets.path()).credential("key", "secret", Access::ReadWrite);
        let s3 = s3.start(listener).await.unwrap();
        let endpoint = format!("http://{}", s3.address());
        let store = process::object_store_at(&endpoint, "key", "secret").await;
        store.ensure_buckets().await.unwrap();
        let put = photos.iter().map(|photo| {
            let confidence = Confidence::new(photo.confidence).unwrap();
            let tags = outbox::tags_of(photo.created_at, &photo.predicted_class, confidence, &photo.model_version);
            let store = &store;
            async move {
                outbox::put_photo(store, &photo.object_key, "photo".into(), "image/jpeg", &tags).await.unwrap();
            }
        });
        futures::stream::iter(put).buffer_unordered(16).collect::<()>().await;
        let studio = FakeStudio::start().await;
        let settings = vec![
            ("GOURMETGRAM__S3__ENDPOINT", endpoint),
            ("GOURMETGRAM__S3__ACCESS_KEY_ID", "key".to_owned()),
            ("GOURMETGRAM__S3__SECRET_ACCESS_KEY", "secret".to_owned()),
            ("GOURMETGRAM__LABEL_STUDIO__URL", studio.url.clone()),
            ("GOURMETGRAM__LABEL_STUDIO__TOKEN", fake_studio::TOKEN.to_owned()),
            ("GOURMETGRAM__LABEL_STUDIO__S3_ACCESS_KEY_ID", "key".to_owned()),
            ("GOURMETGRAM__LABEL_STUDIO__S3_SECRET_ACCESS_KEY", "secret".to_owned()),
            ("GOURMETGRAM__PIPELINES__COLLECT", String::new()),
            ("GOURMETGRAM__RECORDS__EVERY_SECONDS", "3600".to_owned()),
            ("GOURMETGRAM__LIMITS__READS_PER_MINUTE", "0".to_owned()),
        ];
        Self { data, _buckets: buckets, s3, store, studio, settings, client: Client::new() }
    }

    async fn serve(&self) -> Server {
        Server::start(self.data.path(), &self.settings).await
    }

    /// A server that dies at this place.
    async fn serve_until(&self, place: String) -> Server {
        let mut settings = self.settings.clone();
        settings.push(("GOURMETGRAM_TEST_DIES_AT", place));
        Server::start(self.data.path(), &settings).await
    }

    async fn catalog(&self) -> DatabaseConnection {
        Database::connect(url(self.data.path())).await.unwrap()
    }

    /// Asks for a run; nothing where the server has died over it already.
    async fn ask(&self, server: &Server, token: &str, pipeline: &str, campaign: &Campaign) -> Option<Run> {
        let Interval { start, end } = interval();
        let path = format!("{}/api/v1/pipelines/{pipeline}/runs", server.url);
        let asking = json!({ "campaign": campaign.id, "start": start, "end": end });
        let answer = self.client.post(path).bearer_auth(token).json(&asking).send().await.ok()?;
        assert_eq!(answer.status(), 202);
        answer.json().await.ok()
    }

    /// Runs a pipeline to its end.
    async fn done(&self, server: &Server, token: &str, pipeline: &str, campaign: &Campaign) -> Run {
        let mut run = self.ask(server, token, pipeline, campaign).await.unwrap();
        for _ in 0..2400 {
            if run.state.is_over() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            let path = format!("{}/api/v1/pipelines/{pipeline}/runs/{}", server.url, run.id);
            run = self.client.get(path).bearer_auth(token).send().await.unwrap().json().await.unwrap();
        }
        assert_eq!(run.state, RunState::Succeeded, "{run:?}");
        run
    }

    /// Has the campaign select, everything labelled and collected, with servers that are killed at these places.
    async fn play(&self, kills: Kills<'_>) -> EndState {
        let catalog = self.catalog().await;
        let mut server = self.serve().await;
        let token = process::token(self.data.path(), &self.settings).await;
        let path = format!("{}/api/v1/campaigns", server.url);
        let made = self.client.post(path).bearer_auth(&token).json(&asked()).send().await.unwrap();
        assert_eq!(made.status(), 201);
        let campaign: Campaign = made.json().await.unwrap();
        for (pipeline, steps) in STEPS {
            if pipeline == "collect" {
                for task in task::Entity::find().all(&catalog).await.unwrap() {
                    let labels = ["Soup", "Rice", "Not food (or none of these)"];
                    let label = labels[usize::from(task.prediction_id.as_bytes()[15]) % labels.len()];
                    self.studio.annotate(task.id, 1, label);
                }
            }
            let (moments, steps) = match kills {
                Kills::Nowhere => (&[][..], &[][..]),
                Kills::Within(moments) => (moments, &[][..]),
                Kills::AfterEachStep => (&[][..], &steps[..]),
            };
            for Moment(name, _, question) in moments.iter().filter(|Moment(_, of, _)| *of == pipeline) {
                self.ask(&server, &token, pipeline, &campaign).await.unwrap();
                let began = Utc::now();
                while number(&catalog, question).await == 0 {
                    assert!(Utc::now() - began < TimeDelta::minutes(4), "it never came to it that {name}");
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                server.kill();
                assert_eq!(server.death().await, Some(9));
                assert_ne!(number(&catalog, question).await, 0, "{name}, and it was killed too late");
                server = self.serve().await;
            }
            if !steps.is_empty() {
                server.stop().await;
                for (step, when) in steps.iter().flat_map(|step| [(step, "done"), (step, "noted")]) {
                    let place = format!("{pipeline}/{step}/{when}/{}", campaign.id);
                    server = self.serve_until(place.clone()).await;
                    // It goes on with the run that the last one died over, and may die before it is asked.
                    let _ = self.ask(&server, &token, pipeline, &campaign).await;
                    assert_eq!(server.death().await, Some(9), "{place}");
                }
                server = self.serve().await;
            }
            let run = self.done(&server, &token, pipeline, &campaign).await;
            if pipeline == "select" {
                assert_eq!(run.counts["considered"], (0..PHOTOS).filter(|it| it % 97 != 0).count() as u64);
            }
        }
        server.settle().await;
        let end = self.end_state(&catalog).await;
        catalog.close().await.unwrap();
        server.kill();
        end
    }

    async fn end_state(&self, catalog: &DatabaseConnection) -> EndState {
        let mut considered = BTreeMap::new();
        for row in selection::Entity::find().all(catalog).await.unwrap() {
            let selection::Model { stratum, inclusion, stratum_size, chosen, by_random_sample, confident, .. } = row;
            let frozen = format!("{stratum} {inclusion} {stratum_size} {chosen} {by_random_sample} {confident}");
            considered.insert(row.prediction_id.to_string(), frozen);
        }
        let batches = batch::Entity::find().all(catalog).await.unwrap();
        let batches = batches.iter().map(|row| format!("{} {} {}", row.considered, row.sizes, row.chosen)).collect();
        let mut tasks = BTreeMap::new();
        for task in task::Entity::find().all(catalog).await.unwrap() {
            let of_task = annotation::Entity::find().filter(annotation::Column::TaskId.eq(task.id));
            let said = of_task.all(catalog).await.unwrap();
            let said: Vec<String> =
                said.iter().map(|it| format!("{} {} {:?}", it.annotator, it.seen, it.replaced_at)).collect();
            let known = self.studio.tasks_for(task.id);
            assert_eq!(known.len(), 1, "once in Label Studio");
            assert_eq!(task.remote_id, known[0]["id"].as_i64());
            let stands = format!("{} {}/{} {:?}", task.position, task.given, task.wanted, task.resolved);
            tasks.insert(task.prediction_id.to_string(), format!("{stands} {} {said:?}", task.closed_at.is_some()));
        }
        let left_over =
            number(catalog, "SELECT (SELECT COUNT(*) FROM draws) + (SELECT COUNT(*) FROM draw_parts)").await;
        let objects = everything_stored(&self.store).await;
        let objects = objects.iter().map(|(of, tags)| (format!("{of:?}"), format!("{tags:?}"))).collect();
        EndState { batches, considered, tasks, objects, projects: self.studio.projects().len(), left_over }
    }
}

#[derive(PartialEq)]
struct EndState {
    batches: Vec<String>,
    considered: BTreeMap<String, String>,
    tasks: BTreeMap<String, String>,
    objects: BTreeMap<String, String>,
    projects: usize,
    left_over: i64,
}

/// What two of a thousand entries differ in is to be read, and not the other 99,998.
fn assert_alike(what: &str, expected: &BTreeMap<String, String>, found: &BTreeMap<String, String>) {
    let differs = |key: &&String| expected.get(*key) != found.get(*key);
    let differing: Vec<&String> = expected.keys().chain(found.keys()).filter(differs).collect();
    if let Some(first) = differing.first() {
        let (was, is) = (expected.get(*first), found.get(*first));
        panic!("{} {what} differ, the first is {first}: {was:?} without a kill, {is:?} with", differing.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_photos_end_alike_where_servers_are_killed_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let (file, scratch) = (folder.path().join("catalog.sqlite"), tempfile::tempdir().unwrap());
    let catalog = Catalog::open(&url(folder.path()).into(), 0).await.unwrap();
    catalog.close().await.unwrap();
    let connection = Database::connect(url(folder.path())).await.unwrap();
    filling::fill(&connection, 0, PHOTOS, PHOTOS).await.unwrap();
    filling::analyze(&connection).await.unwrap();
    // Nobody has labelled any of them, and nothing lies anywhere yet; and what is made up needs no history.
    let untouched = "UPDATE predictions SET annotated_class = NULL, annotated_by = NULL, annotated_at = NULL, \
                     label_wait_since = NULL, noisy_since = NULL, clean_since = NULL";
    connection.execute_unprepared(untouched).await.unwrap();
    connection.execute_unprepared("DELETE FROM record_marks").await.unwrap();
    // Nothing may stay beside the file.
    connection.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
    connection.close().await.unwrap();

    // The same ids and the same seed: the same photos.
    std::fs::copy(&file, scratch.path().join("catalog.sqlite")).unwrap();
    let catalog = Catalog::open(&url(scratch.path()).into(), 0).await.unwrap();
    let asked: NewCampaign = serde_json::from_value(asked()).unwrap();
    let campaign = catalog.add_campaign(&asked).await.unwrap().unwrap();
    catalog.select(campaign.id, interval(), false).await.unwrap();
    catalog.close().await.unwrap();
    let connection = Database::connect(url(scratch.path())).await.unwrap();
    let moved = "SELECT prediction_id FROM selections WHERE chosen OR confident";
    let moved = sea_orm::sea_query::Expr::cust(format!("id IN ({moved})"));
    let photos = prediction::Entity::find().filter(moved).all(&connection).await.unwrap();
    connection.close().await.unwrap();
    assert!((500..3000).contains(&photos.len()), "{} photos are to be copied", photos.len());

    let world = || World::with(&file, &photos);
    let (undisturbed, within, between) = tokio::join!(world(), world(), world());
    let began = Utc::now();
    let (expected, within_steps, after_steps) = tokio::join!(
        undisturbed.play(Kills::Nowhere),
        within.play(Kills::Within(&MOMENTS)),
        between.play(Kills::AfterEachStep),
    );
    for found in [&within_steps, &after_steps] {
        assert_eq!(expected.batches, found.batches);
        assert_alike("photos considered", &expected.considered, &found.considered);
        assert_alike("tasks", &expected.tasks, &found.tasks);
        assert_alike("objects", &expected.objects, &found.objects);
        assert_eq!((expected.projects, expected.left_over), (found.projects, found.left_over));
    }
    assert_eq!((expected.projects, expected.left_over, expected.batches.len()), (1, 0, 1));
    // And the end is what it should be.
    let of_bucket =
        |bucket: &str| expected.objects.keys().filter(|key| key.starts_with(&format!("(\"{bucket}\""))).count();
    let labelled = expected.tasks.values().filter(|task| task.contains("\"class\"")).count();
    let moved = (of_bucket("LabelWait"), of_bucket("Clean"), of_bucket("Production"));
    assert_eq!(moved, (0, labelled, photos.len()));
    assert!(labelled > 300 && expected.tasks.len() > labelled, "{labelled} of {}", expected.tasks.len());
    let kills = MOMENTS.len() + STEPS.iter().map(|(_, steps)| 2 * steps.len()).sum::<usize>();
    tell(&format!("{kills} kills, {} photos moved, {} s", photos.len(), (Utc::now() - began).num_seconds()));
    for world in [undisturbed, within, between] {
        world.s3.shutdown().await;
    }
}

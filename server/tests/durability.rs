//! Nothing acknowledged is lost: the real binary is killed, traced, and put on a disk that fills up.

#[path = "it/fake_studio.rs"]
#[allow(dead_code, reason = "other tests have it behave badly")]
mod fake_studio;
#[path = "durability/large.rs"]
mod large;
mod postgres;
mod process;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::{SubsecRound, Utc};
use embedded_s3::{Access, EmbeddedS3};
use fake_studio::FakeStudio;
use futures::StreamExt;
use gourmetgram::catalog::entity::{annotation, batch, draw, draw_part, selection, task};
use gourmetgram_api::{Campaign, NewPrediction, PredictionId, Run, RunPage, RunState};
use gourmetgram_object_store::{Bucket, ObjectStore};
use postgres::PostgresDatabase;
use process::{Server, a_large_photo, a_photo, part, tell};
use rand::{Rng, SeedableRng, rngs::StdRng};
use reqwest::{Client, Method, StatusCode, multipart::Form};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;
use tokio::{net::TcpListener, sync::Mutex};
use uuid::Uuid;

/// How often the server is killed.
const KILLS: usize = 24;
const VISITORS: u32 = 6;
/// How often one of two servers is killed while both work, and what they have to do each time.
const DEATHS: usize = 4;
const PHOTOS_A_DEATH: u32 = 12;
const RUNS_A_DEATH: i32 = 24;

/// What a client may rely on about one photo.
#[derive(Clone, Debug)]
struct Known {
    key: String,
    photo: Vec<u8>,
    predicted_class: String,
    /// The standing correction and flag as last acknowledged.
    correction: Option<&'static str>,
    flagged: bool,
    /// Whether a change was sent whose answer never came: it may have been done or not.
    correction_unsure: bool,
    flag_unsure: bool,
}

type Ledger = Arc<Mutex<HashMap<PredictionId, Known>>>;

/// Sends photos and judges them until the server is gone, writing down what was acknowledged.
async fn visit(url: String, seed: u64, ledger: Ledger, gone: Arc<AtomicBool>) {
    let mut random = StdRng::seed_from_u64(seed);
    let client = Client::builder().timeout(Duration::from_secs(5)).build().unwrap();
    while !gone.load(Ordering::SeqCst) {
        let photo = a_photo(random.random_range(0..1000));
        let id = Uuid::now_v7();
        let form = Form::new().part("image", part(photo.clone())).text("id", id.to_string());
        let Ok(answer) = client.post(format!("{url}/api/v1/predictions")).multipart(form).send().await else { return };
        if answer.status() == StatusCode::SERVICE_UNAVAILABLE {
            continue;
        }
        assert_eq!(answer.status(), 201);
        let Ok(new) = answer.json::<NewPrediction>().await else { return };
        let known = Known {
            key: new.key.clone(),
            photo,
            predicted_class: new.predicted_class.clone(),
            correction: None,
            flagged: false,
            correction_unsure: false,
            flag_unsure: false,
        };
        ledger.lock().await.insert(new.id, known);
        for _ in 0..random.random_range(0..4) {
            let path = format!("{url}/api/v1/predictions/{}", new.id);
            let correct = random.random_bool(0.5);
            let undo = random.random_bool(0.3);
            let label = if random.random_bool(0.5) { "Soup" } else { "Noodles/Pasta" };
            let method = if undo { Method::DELETE } else { Method::PUT };
            let request = match correct {
                true => client.request(method, format!("{path}/correction")).json(&json!({"label": label})),
                false => client.request(method, format!("{path}/flag")).json(&json!({"reason": "other"})),
            };
            let mark = |ledger: &mut HashMap<PredictionId, Known>, unsure: bool| {
                let known = ledger.get_mut(&new.id).unwrap();
                match correct {
                    true => known.correction_unsure = unsure,
                    false => known.flag_unsure = unsure,
                }
            };
            mark(&mut *ledger.lock().await, true);
            let Ok(answer) = request.bearer_auth(&new.feedback_token).send().await else { return };
            assert_eq!(answer.status(), 200);
            let mut ledger = ledger.lock().await;
            mark(&mut ledger, false);
            let known = ledger.get_mut(&new.id).unwrap();
            match correct {
                true => known.correction = (!undo).then_some(label),
                false => known.flagged = !undo,
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_being_killed_at_any_moment() {
    let data = tempfile::tempdir().unwrap();
    let ledger: Ledger = Arc::default();
    let seed: u64 = rand::rng().random();
    tell(&format!("seed {seed}"));
    let mut random = StdRng::seed_from_u64(seed);
    for round in 0..KILLS {
        let mut server = Server::start(data.path(), &[]).await;
        let gone = Arc::new(AtomicBool::new(false));
        let visits: Vec<_> = (0..VISITORS)
            .map(|visitor| {
                let seed = seed ^ (round as u64 * 100 + u64::from(visitor));
                tokio::spawn(visit(server.url.clone(), seed, Arc::clone(&ledger), Arc::clone(&gone)))
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(random.random_range(20..900))).await;
        server.kill();
        gone.store(true, Ordering::SeqCst);
        for visit in visits {
            visit.await.unwrap();
        }
    }

    let server = Server::start(data.path(), &[]).await;
    server.settle().await;
    let store = server.object_store(data.path()).await;
    let mut keys: Vec<String> = Vec::new();
    let mut go_on = None;
    loop {
        let page = store.list(Bucket::Production, "", go_on).await.unwrap();
        keys.extend(page.keys.iter().map(ToString::to_string));
        go_on = page.next;
        if go_on.is_none() {
            break;
        }
    }
    let ledger = ledger.lock().await;
    assert!(ledger.len() >= KILLS, "only {} photos were acknowledged", ledger.len());
    for (id, known) in ledger.iter() {
        let of_this: Vec<&String> = keys.iter().filter(|key| key.contains(&id.to_string())).collect();
        assert_eq!(of_this, [&known.key], "once, under the key that was answered (seed {seed})");
        let key = known.key.parse().unwrap();
        let object = store.get(Bucket::Production, &key).await.unwrap();
        assert_eq!(object.bytes, known.photo, "{id} (seed {seed})");
        assert_eq!(object.content_type.as_deref(), Some("image/jpeg"));
        let tags = store.read_tags(Bucket::Production, &key).await.unwrap();
        assert_eq!(tags.get("predicted_class"), Some(known.predicted_class.as_str()));
        assert!(
            tags.get("confidence").is_some() && tags.get("timestamp").is_some() && tags.get("model_version").is_some()
        );
        if !known.correction_unsure {
            assert_eq!(tags.get("corrected_class"), known.correction, "{id} (seed {seed})");
        }
        if !known.flag_unsure {
            assert_eq!(tags.get("flagged"), known.flagged.then_some("true"), "{id} (seed {seed})");
        }
    }
    let left: Vec<_> = std::fs::read_dir(data.path().join("spool")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    tell(&format!("{} photos acknowledged over {KILLS} kills, all in the bucket once", ledger.len()));
}

/// The order of the promise, as the kernel saw it: the photo, its name, the catalog's commit, and only then the answer.
#[tokio::test(flavor = "multi_thread")]
async fn the_answer_is_sent_after_everything_is_on_the_disk() {
    let data = tempfile::tempdir().unwrap();
    let trace = data.path().join("trace");
    let wrapper = [
        "strace",
        "-f",
        "-y",
        "-s",
        "16",
        "-e",
        "trace=fsync,fdatasync,rename,renameat,renameat2,write,writev,sendto,sendmsg",
        "-o",
    ];
    let mut wrapper: Vec<String> = wrapper.iter().map(|word| (*word).to_owned()).collect();
    wrapper.push(trace.display().to_string());
    let mut server = Server::start_wrapped(&wrapper, data.path(), &[]).await;
    let form = Form::new().part("image", part(a_photo(1)));
    let answer = Client::new().post(format!("{}/api/v1/predictions", server.url)).multipart(form).send().await.unwrap();
    assert_eq!(answer.status(), 201);
    server.stop().await;

    let trace = std::fs::read_to_string(trace).unwrap();
    let lines = completed_calls(&trace);
    let at = |what: &str, after: usize, holds: &dyn Fn(&str) -> bool| {
        let found = lines.iter().enumerate().skip(after).find(|(_, line)| holds(line)).map(|(index, _)| index);
        found.unwrap_or_else(|| panic!("{what} is missing after line {after} of\n{trace}"))
    };
    let synced = |line: &str, path: &str| {
        (line.contains("fsync(") || line.contains("fdatasync(")) && line.contains(path) && line.contains(" = 0")
    };
    let photo = at("the photo's fsync", 0, &|line| synced(line, ".partial>"));
    let name = at("the rename", photo, &|line| line.contains("rename") && line.contains(".partial"));
    let folder = at("the spool folder's fsync", name, &|line| synced(line, "/spool>"));
    let commit = at("the catalog's commit", folder, &|line| synced(line, "catalog.sqlite-wal>"));
    let first_answer = at("the answer", 0, &|line| line.contains("HTTP/1.1 201"));
    assert!(first_answer > commit, "answered at line {first_answer}, durable at line {commit}");
}

/// Where it can be reached is its settings' to say: it asks no cloud's metadata service, nor anybody else.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_asks_nobody_on_the_network_who_it_is() {
    let data = tempfile::tempdir().unwrap();
    let trace = data.path().join("trace");
    let wrapper = ["strace", "-f", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o"];
    let mut wrapper: Vec<String> = wrapper.iter().map(|word| (*word).to_owned()).collect();
    wrapper.push(trace.display().to_string());
    let mut server = Server::start_wrapped(&wrapper, data.path(), &[]).await;
    let form = Form::new().part("image", part(a_photo(1)));
    let answer = Client::new().post(format!("{}/api/v1/predictions", server.url)).multipart(form).send().await.unwrap();
    assert_eq!(answer.status(), 201);
    server.settle().await;
    server.stop().await;
    let trace = std::fs::read_to_string(trace).unwrap();
    let addresses = |begin: &str| -> Vec<String> {
        trace.split(begin).skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
    };
    let asked = [addresses("inet_addr(\""), addresses("inet_pton(AF_INET6, \"")].concat();
    assert!(!asked.is_empty(), "it has not even spoken to its own S3 server: {trace}");
    for address in asked {
        let address: std::net::IpAddr = address.parse().unwrap();
        assert!(address.is_loopback(), "it has asked {address}");
    }
}

/// One line a system call, in the order in which they returned; but what is written to a socket in the order in which
/// it began, because the peer may have it before the call returns.
fn completed_calls(trace: &str) -> Vec<String> {
    let mut begun: HashMap<&str, &str> = HashMap::new();
    let mut calls = Vec::new();
    for line in trace.lines() {
        let process = line.split_whitespace().next().unwrap_or_default();
        if let Some(call) = line.strip_suffix("<unfinished ...>") {
            if call.contains("<socket:") {
                calls.push(call.to_owned());
            } else {
                begun.insert(process, call);
            }
        } else if let Some((_, end)) = line.split_once("resumed>") {
            if let Some(call) = begun.remove(process) {
                calls.push(format!("{call}{end}"));
            }
        } else {
            calls.push(line.to_owned());
        }
    }
    calls
}

/// A disk of eight megabytes: what fits is acknowledged, the rest is told so, and room heals it.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_clearly_and_leaves_nothing_half_written() {
    let data = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let reserved = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let s3 = reserved.local_addr().unwrap();
    drop(reserved);
    let mount = format!("mount -t tmpfs -o size=8m tmpfs {0} && exec \"$@\"", data.path().display());
    let wrapper = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", &mount, "sh"].map(str::to_owned);
    let settings = [
        ("GOURMETGRAM__S3__ENDPOINT", format!("http://{s3}")),
        ("GOURMETGRAM__S3__ACCESS_KEY_ID", "key".to_owned()),
        ("GOURMETGRAM__S3__SECRET_ACCESS_KEY", "secret".to_owned()),
        ("GOURMETGRAM__SPOOL__KEEP_FREE_BYTES", "2000000".to_owned()),
    ];
    let server = Server::start_wrapped(&wrapper, data.path(), &settings).await;
    let client = Client::new();
    let send = async |seed| {
        let form = Form::new().part("image", part(a_large_photo(seed)));
        client.post(format!("{}/api/v1/predictions", server.url)).multipart(form).send().await.unwrap()
    };
    let mut acknowledged: Vec<NewPrediction> = Vec::new();
    let refused = loop {
        let answer = send(acknowledged.len() as u64).await;
        if answer.status() != 201 {
            break answer;
        }
        acknowledged.push(answer.json().await.unwrap());
        assert!(acknowledged.len() < 100, "the disk never filled up");
    };
    assert_eq!(refused.status(), 507);
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
    let problem: serde_json::Value = refused.json().await.unwrap();
    assert!(problem["detail"].as_str().unwrap().contains("disk is full"), "{problem}");
    assert!(!acknowledged.is_empty());

    let inside = format!("/proc/{}/root{}/spool", server.inner_pid(), data.path().display());
    let mut files: Vec<String> =
        std::fs::read_dir(&inside).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    assert_eq!(files.len(), acknowledged.len(), "{files:?}");
    assert!(files.iter().all(|file| !file.ends_with(".partial")), "{files:?}");

    let listener = TcpListener::bind(s3).await.unwrap();
    let running = EmbeddedS3::builder(elsewhere.path())
        .credential("key", "secret", Access::ReadWrite)
        .start(listener)
        .await
        .unwrap();
    // Not by the gauge of the backlog: it is set now and then, and may still say what was before the photos came.
    let left = || std::fs::read_dir(&inside).unwrap().count();
    for _ in 0..600 {
        if left() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(left(), 0);
    assert_eq!(send(1000).await.status(), 201, "there is room again");
    running.shutdown().await;
}

/// Two servers share a catalog and work on runs; one is killed in the middle, and the other does what is left.
#[tokio::test(flavor = "multi_thread")]
async fn runs_of_a_server_that_is_killed_are_done_by_another_and_nothing_twice() {
    let database = PostgresDatabase::make().await;
    let buckets = tempfile::tempdir().unwrap();
    let s3 = EmbeddedS3::builder(buckets.path())
        .credential("key", "secret", Access::ReadWrite)
        .start(TcpListener::bind("127.0.0.1:0").await.unwrap())
        .await
        .unwrap();
    let endpoint = format!("http://{}", s3.address());
    let settings = [
        ("GOURMETGRAM__CATALOG__URL", database.url.clone()),
        ("GOURMETGRAM__S3__ENDPOINT", endpoint.clone()),
        ("GOURMETGRAM__S3__ACCESS_KEY_ID", "key".to_owned()),
        ("GOURMETGRAM__S3__SECRET_ACCESS_KEY", "secret".to_owned()),
        ("GOURMETGRAM__AUTH__SECRET_KEY", "the same on both servers, and long".to_owned()),
        ("GOURMETGRAM__PIPELINES__LEASE_SECONDS", "2".to_owned()),
        ("GOURMETGRAM__LIMITS__READS_PER_MINUTE", "0".to_owned()),
    ];
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut servers =
        [Server::start(folders[0].path(), &settings).await, Server::start(folders[1].path(), &settings).await];
    let token = process::token(folders[0].path(), &settings).await;
    let client = Client::new();
    let runs_of = |server: &Server| format!("{}/api/v1/pipelines/select/runs", server.url);

    let production = json!({ "preset": "production" });
    let campaigns = format!("{}/api/v1/campaigns", servers[0].url);
    let made = client.post(campaigns).bearer_auth(&token).json(&production).send().await.unwrap();
    let campaign: Campaign = made.json().await.unwrap();
    let seed: u64 = rand::rng().random();
    tell(&format!("seed {seed}"));
    let mut random = StdRng::seed_from_u64(seed);
    let (mut photos, mut taken_over, mut chosen) = (0, 0, 0);
    for round in 0..DEATHS {
        let start = Utc::now();
        for _ in 0..PHOTOS_A_DEATH {
            let form = Form::new().part("image", part(a_photo(photos)));
            let path = format!("{}/api/v1/predictions", servers[photos as usize % 2].url);
            assert_eq!(client.post(path).multipart(form).send().await.unwrap().status(), 201);
            photos += 1;
        }
        let length = (Utc::now() - start) / RUNS_A_DEATH;
        let mut asked = Vec::new();
        for number in 0..RUNS_A_DEATH {
            // To the millisecond: what is left over by rounding is in the last one.
            let end = if number + 1 == RUNS_A_DEATH { Utc::now() } else { start + length * (number + 1) };
            let asking = json!({ "campaign": campaign.id, "start": start + length * number, "end": end });
            let path = runs_of(&servers[number as usize % 2]);
            let answer = client.post(path).bearer_auth(&token).json(&asking).send().await.unwrap();
            assert_eq!(answer.status(), 202);
            asked.push(answer.json::<Run>().await.unwrap().id);
        }
        tokio::time::sleep(Duration::from_millis(random.random_range(0..300))).await;
        let (killed, left) = (round % 2, (round + 1) % 2);
        servers[killed].kill();

        let (mut over, mut open): (Vec<Run>, Vec<Run>) = Default::default();
        for _ in 0..600 {
            let path = format!("{}?limit={}", runs_of(&servers[left]), 2 * RUNS_A_DEATH);
            let page: RunPage = client.get(path).bearer_auth(&token).send().await.unwrap().json().await.unwrap();
            let asked = page.items.into_iter().filter(|run| asked.contains(&run.id));
            (over, open) = asked.partition(|run| run.state.is_over());
            if open.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        if let Some(one) = open.first() {
            let path = format!("{}/{}", runs_of(&servers[left]), one.id);
            let one: Run = client.get(path).bearer_auth(&token).send().await.unwrap().json().await.unwrap();
            panic!(
                "{} of {} runs are not over after a minute (seed {seed}), among them {one:#?}",
                open.len(),
                asked.len()
            );
        }
        assert_eq!(over.len(), asked.len());
        for run in &over {
            assert_eq!(run.state, RunState::Succeeded, "{run:?} (seed {seed})");
            chosen += run.counts["chosen"];
        }
        taken_over += over.iter().filter(|run| run.attempts > 1).count();
        servers[killed] = Server::start(folders[killed].path(), &settings).await;
    }
    servers[0].settle().await;
    assert_eq!(chosen, u64::from(photos), "each photo by one run (seed {seed})");
    let store = process::object_store_at(&endpoint, "key", "secret").await;
    let copies = store.list(Bucket::LabelWait, "", None).await.unwrap().keys.len();
    assert_eq!(copies, photos as usize, "each photo once (seed {seed})");
    assert!(taken_over > 0, "no server held a run when it was killed: this shows nothing (seed {seed})");
    tell(&format!("{taken_over} of {} runs were taken over", DEATHS * RUNS_A_DEATH as usize));
    drop(servers);
    s3.shutdown().await;
    database.remove().await;
}

/// The steps after which a server is killed: when they are done and that is not noted yet, and when it is.
const STEPS: [(&str, [&str; 4]); 2] =
    [("select", ["choose", "copy", "project", "tasks"]), ("collect", ["pull", "erase", "move", "record"])];
/// The photos of each campaign, of which the unsure ones are labelled; the others go where sure answers go.
const PHOTOS_TO_LABEL: usize = 6;
const CHOSEN: usize = 4;

/// Servers on one data directory after the other, and a Label Studio that outlives them.
struct Loop {
    data: tempfile::TempDir,
    studio: FakeStudio,
    settings: Vec<(&'static str, String)>,
    client: Client,
    token: String,
}

/// A campaign and photos that no other has: the same for each, but for their ids and times.
struct Case {
    campaign: Campaign,
    photos: Vec<PredictionId>,
    start: chrono::DateTime<Utc>,
    end: chrono::DateTime<Utc>,
}

impl Case {
    fn place(&self, id: Uuid) -> Option<usize> {
        self.photos.iter().position(|photo| photo.as_uuid() == id)
    }
}

impl Loop {
    async fn serve(&self, dies_at: Option<String>) -> Server {
        let mut settings = self.settings.clone();
        settings.extend(dies_at.map(|place| ("GOURMETGRAM_TEST_DIES_AT", place)));
        Server::start(self.data.path(), &settings).await
    }

    /// Sends the photos, and makes a campaign that chooses those of which the model is least sure.
    async fn case(&self, server: &Server, name: &str) -> Case {
        // Photos are received at whole milliseconds.
        let start = Utc::now().trunc_subsecs(3);
        let (mut photos, mut confidences) = (Vec::new(), Vec::new());
        for number in 0..PHOTOS_TO_LABEL {
            let form = Form::new().part("image", part(a_photo(number as u32 * 41)));
            let path = format!("{}/api/v1/predictions", server.url);
            let sent = self.client.post(path).multipart(form).send().await.unwrap();
            let sent: NewPrediction = sent.json().await.unwrap();
            photos.push(sent.id);
            confidences.push(sent.confidence.get());
        }
        server.settle().await;
        let end = Utc::now();
        confidences.sort_by(f32::total_cmp);
        let asked = json!({
            "name": name, "seed": 7, "blind": true, "labelled_in": "label_studio", "double_share": 0.0,
            "rule": { "kind": "low_confidence", "unsure": { "measure": "confidence", "threshold": confidences[CHOSEN] } },
        });
        let path = format!("{}/api/v1/campaigns", server.url);
        let made = self.client.post(path).bearer_auth(&self.token).json(&asked).send().await.unwrap();
        assert_eq!(made.status(), 201);
        Case { campaign: made.json().await.unwrap(), photos, start, end }
    }

    /// Asks for a run; nothing where the server has died over it already.
    async fn ask(&self, server: &Server, pipeline: &str, case: &Case) -> Option<Run> {
        let asking = json!({ "campaign": case.campaign.id, "start": case.start, "end": case.end });
        let path = format!("{}/api/v1/pipelines/{pipeline}/runs", server.url);
        let answer = self.client.post(path).bearer_auth(&self.token).json(&asking).send().await.ok()?;
        assert_eq!(answer.status(), 202);
        answer.json().await.ok()
    }

    /// Runs a pipeline to its end.
    async fn done(&self, server: &Server, pipeline: &str, case: &Case) {
        let mut run = self.ask(server, pipeline, case).await.unwrap();
        for _ in 0..600 {
            if run.state.is_over() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            let path = format!("{}/api/v1/pipelines/{pipeline}/runs/{}", server.url, run.id);
            run = self.client.get(path).bearer_auth(&self.token).send().await.unwrap().json().await.unwrap();
        }
        assert_eq!(run.state, RunState::Succeeded, "{run:?}");
    }

    async fn catalog(&self) -> sea_orm::DatabaseConnection {
        let path = self.data.path().join("catalog.sqlite");
        sea_orm::Database::connect(format!("sqlite:{}", path.display())).await.unwrap()
    }

    /// The tasks of a campaign, in the order of their photos.
    async fn tasks(&self, case: &Case) -> Vec<task::Model> {
        let catalog = self.catalog().await;
        let tasks = task::Entity::find().filter(task::Column::CampaignId.eq(case.campaign.id)).all(&catalog).await;
        catalog.close().await.unwrap();
        let mut tasks = tasks.unwrap();
        tasks.sort_by_key(|task| case.place(task.prediction_id));
        tasks
    }

    /// Somebody labels every task: every second one shows something that is not food.
    async fn label(&self, case: &Case) {
        for (number, task) in self.tasks(case).await.iter().enumerate() {
            self.studio.annotate(task.id, 1, if number % 2 == 0 { "Soup" } else { "Not food (or none of these)" });
        }
    }

    /// What there is of a campaign in the end, with nothing in it that chance or the clock decides.
    async fn end_state(&self, server: &Server, case: &Case) -> EndState {
        server.settle().await;
        let campaign = case.campaign.id;
        let place = |id: Uuid| case.place(id).unwrap();
        let catalog = self.catalog().await;
        let considered =
            selection::Entity::find().filter(selection::Column::CampaignId.eq(campaign)).all(&catalog).await.unwrap();
        let considered = considered.into_iter().map(|row| {
            let selection::Model { stratum, inclusion, stratum_size, chosen, by_random_sample, confident, .. } = row;
            let frozen = format!("{stratum} {inclusion} {stratum_size} {chosen} {by_random_sample} {confident}");
            (place(row.prediction_id), frozen)
        });
        let considered = considered.collect();
        let drawn = draw::Entity::find().count(&catalog).await.unwrap()
            + draw_part::Entity::find().count(&catalog).await.unwrap();
        let batches = batch::Entity::find().filter(batch::Column::CampaignId.eq(campaign)).all(&catalog).await.unwrap();
        let batches = batches.into_iter().map(|row| format!("{} {} {}", row.considered, row.sizes, row.chosen));
        let batches = batches.collect();
        let tasks = self.tasks(case).await;
        let mut of_tasks = BTreeMap::new();
        for task in &tasks {
            let said = annotation::Entity::find().filter(annotation::Column::TaskId.eq(task.id)).all(&catalog).await;
            let said: Vec<String> = said
                .unwrap()
                .into_iter()
                .map(|it| format!("{} {} {:?}", it.annotator, it.seen, it.replaced_at))
                .collect();
            let known = self.studio.tasks_for(task.id);
            assert_eq!(known.len(), 1, "once in Label Studio");
            assert_eq!(task.remote_id, known[0]["id"].as_i64());
            let stands = format!("{}/{} {:?} {}", task.given, task.wanted, task.resolved, task.closed_at.is_some());
            of_tasks.insert(place(task.prediction_id), (stands, said));
        }
        catalog.close().await.unwrap();
        let mark = campaign.to_string();
        let projects = self.studio.projects();
        let own = projects.iter().filter(|it| it["description"].as_str().unwrap().contains(&mark)).count();
        // Objects are named after their photo or after its task.
        let names = case.photos.iter().map(|photo| (photo.to_string(), place(photo.as_uuid())));
        let names = names.chain(tasks.iter().map(|task| (task.id.to_string(), place(task.prediction_id))));
        let names: Vec<(String, usize)> = names.collect();
        let store = server.object_store(self.data.path()).await;
        let mut copies = Vec::new();
        for ((bucket, key), tags) in everything_stored(&store).await {
            if let Some((name, place)) = names.iter().find(|(name, _)| key.contains(name)) {
                copies.push(format!("{bucket} {} {tags:?}", key.replace(name, &format!("photo {place}"))));
            }
        }
        copies.sort_unstable();
        EndState { batches, considered, of_tasks, copies, projects: own, left_over: drawn }
    }
}

#[derive(Debug, PartialEq)]
struct EndState {
    batches: Vec<String>,
    considered: BTreeMap<usize, String>,
    of_tasks: BTreeMap<usize, (String, Vec<String>)>,
    /// In all four buckets: bucket, key and tags.
    copies: Vec<String>,
    projects: usize,
    left_over: u64,
}

/// Every object of the four buckets of photos by bucket and key, with its tags; of times only that they are there.
async fn everything_stored(store: &ObjectStore) -> BTreeMap<(String, String), BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for bucket in [Bucket::Production, Bucket::LabelWait, Bucket::Noisy, Bucket::Clean] {
        let (mut keys, mut go_on) = (Vec::new(), None);
        loop {
            let page = store.list(bucket, "", go_on).await.unwrap();
            keys.extend(page.keys);
            go_on = page.next;
            if go_on.is_none() {
                break;
            }
        }
        let read = keys.into_iter().map(|key| async move {
            let tags = store.read_tags(bucket, &key).await.unwrap();
            let tags = tags.iter().map(|(name, value)| {
                let is_time = ["timestamp", "labelled_at"].contains(&name);
                (name.to_owned(), if is_time { "a time".to_owned() } else { value.to_owned() })
            });
            ((format!("{bucket:?}"), key.to_string()), tags.collect())
        });
        found.extend(futures::stream::iter(read).buffer_unordered(16).collect::<Vec<_>>().await);
    }
    found
}

/// A real server dies after every single step of both pipelines; the next one goes on, and the end is as if none had.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_after_any_step_of_select_and_collect_ends_like_one_that_was_not() {
    let studio = FakeStudio::start().await;
    let data = tempfile::tempdir().unwrap();
    let settings = vec![
        ("GOURMETGRAM__LABEL_STUDIO__URL", studio.url.clone()),
        ("GOURMETGRAM__LABEL_STUDIO__TOKEN", fake_studio::TOKEN.to_owned()),
        ("GOURMETGRAM__PIPELINES__COLLECT", String::new()),
        ("GOURMETGRAM__LIMITS__READS_PER_MINUTE", "0".to_owned()),
    ];
    let mut server = Server::start(data.path(), &settings).await;
    let token = process::token(data.path(), &settings).await;
    let this = Loop { data, studio, settings, client: Client::new(), token };
    let mut deaths = Vec::new();
    for (pipeline, steps) in STEPS {
        for step in steps {
            for moment in ["done", "noted"] {
                let case = this.case(&server, &format!("{pipeline} {step} {moment}")).await;
                deaths.push((pipeline, format!("{pipeline}/{step}/{moment}/{}", case.campaign.id), case));
            }
        }
    }
    let undisturbed = this.case(&server, "undisturbed").await;
    this.done(&server, "select", &undisturbed).await;
    this.label(&undisturbed).await;
    this.done(&server, "collect", &undisturbed).await;
    let expected = this.end_state(&server, &undisturbed).await;
    assert_eq!(expected.of_tasks.len(), CHOSEN);
    assert_eq!((expected.considered.len(), expected.left_over), (PHOTOS_TO_LABEL, 0));
    assert!(expected.of_tasks.values().all(|(_, said)| said.len() == 1), "{expected:?}");
    let of_bucket = |bucket: &str| expected.copies.iter().filter(|copy| copy.starts_with(bucket)).count();
    // Two are soup, and lie in both buckets; two more were not chosen.
    let copies = ["Production", "LabelWait", "Noisy", "Clean"].map(of_bucket);
    assert_eq!(copies, [PHOTOS_TO_LABEL, 0, PHOTOS_TO_LABEL - CHOSEN + 2, 2], "{expected:#?}");
    assert_eq!(expected.copies.iter().filter(|copy| copy.contains("\"human_label\": \"Soup\"")).count(), 4);

    for (pipeline, place, case) in &deaths {
        if *pipeline == "collect" {
            this.done(&server, "select", case).await;
            this.label(case).await;
        }
        server.stop().await;
        server = this.serve(Some(place.clone())).await;
        // What was hinted at may have it die before it is asked.
        let _ = this.ask(&server, pipeline, case).await;
        assert_eq!(server.death().await, Some(9), "{place}");
        server = this.serve(None).await;
        this.done(&server, pipeline, case).await;
        if *pipeline == "select" {
            this.label(case).await;
            this.done(&server, "collect", case).await;
        }
        assert_eq!(this.end_state(&server, case).await, expected, "killed at {place}");
    }
}

//! Copies of photos in the buckets for labelling: they follow the catalog's rows, also of a process that is killed
//! anywhere on the way.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
};

use gourmetgram::{
    app::{App, Application},
    catalog::{Actor, Change, Said},
    config::Settings,
    outbox,
};
use gourmetgram_api::{
    Campaign, CampaignName, CampaignRule, FlagReason, LabelledIn, LowConfidence, NewCampaign, Place, PredictionId,
    Seen, StoredObjects,
};
use gourmetgram_object_store::Bucket;
use sea_orm::{Database as Connection, DatabaseConnection};
use secrecy::ExposeSecret;

use crate::{
    on_both_databases,
    photos::{Found, asked, campaign, copies, interval, label, minute, photo, tasks},
    support::TestApp,
};

fn unsure() -> CampaignRule {
    CampaignRule::LowConfidence { unsure: LowConfidence::default(), at_most: None }
}

fn class(label: &str) -> Option<Seen> {
    Some(Seen::Class { label: label.to_owned() })
}

/// Has the outbox look at a photo again.
async fn visit(app: &App, id: PredictionId) {
    // A flag that goes and comes is as good an order as any.
    for change in [Change::Flag(FlagReason::Other), Change::Unflag] {
        app.catalog().give_feedback(id, &change, Actor::Operator).await.unwrap();
    }
    carry_over(app).await;
}

/// Works until nothing is left to do, and every try has succeeded.
async fn carry_over(app: &App) {
    loop {
        let step = outbox::step(app).await.unwrap();
        assert_eq!(step.failed, 0);
        if step.done == 0 {
            break;
        }
    }
}

async fn places(app: &App, id: PredictionId) -> [bool; 3] {
    let row = app.catalog().prediction(id).await.unwrap().unwrap();
    [row.label_wait_since, row.noisy_since, row.clean_since].map(|since| since.is_some())
}

/// Where objects lie.
fn keys(copies: &[Found]) -> Vec<(Bucket, &str)> {
    copies.iter().map(|(bucket, key, _)| (*bucket, key.as_str())).collect()
}

fn tag<'a>(tags: &'a [(String, String)], name: &str) -> Option<&'a str> {
    tags.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// An application whose outbox works only when it is told to.
struct Idle {
    app: App,
    connection: DatabaseConnection,
    _application: Application,
    _data: tempfile::TempDir,
}

impl Idle {
    async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    async fn start_with(adjust: impl FnOnce(&mut Settings)) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut settings = Settings { data_dir: data.path().to_owned(), ..Settings::default() };
        settings.server.listen.set_port(0);
        settings.embedded_s3.listen.set_port(0);
        adjust(&mut settings);
        let application = Application::build(settings).await.unwrap();
        let app = application.app().clone();
        app.object_store().ensure_buckets().await.unwrap();
        let connection = Connection::connect(app.settings().catalog_url().expose_secret()).await.unwrap();
        Self { app, connection, _application: application, _data: data }
    }

    async fn select(&self, campaign: &Campaign) {
        self.app.catalog().select(campaign.id, interval(0, 60), false).await.unwrap();
    }
}

on_both_databases! {
    a_labelled_photo_is_never_queued_again => async |database| {
        let test = TestApp::start(database).await;
        let id = photo(&test.app, 5, 1, 0.4).await;
        let campaign = campaign(&test.app, &asked("unsure", unsure())).await;
        let connection = test.connect().await;
        let waiting = async || {
            test.settle().await;
            let found = copies(&test.app).await;
            found.into_iter().filter(|(bucket, _, _)| *bucket == Bucket::LabelWait).count()
        };
        let select = async |from, to| test.app.catalog().select(campaign.id, interval(from, to), false).await.unwrap();
        assert_eq!(select(0, 30).await.chosen, 1);
        assert_eq!(waiting().await, 1);
        let task = tasks(&connection, campaign.id).await[0].id;
        let soup = class("Soup").unwrap();
        let said = Said {
            annotator: "ann", seen: &soup, through: LabelledIn::Review, took_ms: None, at: gourmetgram::catalog::now(),
        };
        test.app.catalog().annotate(task, &said).await.unwrap();
        assert_eq!(waiting().await, 0, "it has left");
        // As unsure as before, flagged besides, in the same interval, a wider one and one that overlaps.
        for (from, to) in [(0, 30), (0, 60), (4, 8)] {
            test.app.catalog().give_feedback(id, &Change::Flag(FlagReason::Other), Actor::Visitor).await.unwrap();
            assert_eq!((select(from, to).await.considered, waiting().await), (0, 0));
        }
        assert_eq!(tasks(&connection, campaign.id).await.len(), 1);
        connection.close().await.unwrap();
        test.stop().await;
    };

    chosen_photos_wait_for_a_label_and_sure_ones_go_to_the_noisy_bucket => async |database| {
        let test = TestApp::start(database).await;
        let (unsure_photo, sure) = (photo(&test.app, 5, 1, 0.4).await, photo(&test.app, 5, 2, 0.9).await);
        let blind = campaign(&test.app, &asked("blind", unsure())).await;
        let shown = campaign(&test.app, &NewCampaign { blind: false, ..asked("shown", unsure()) }).await;
        for campaign in [&blind, &shown] {
            test.app.catalog().select(campaign.id, interval(0, 30), false).await.unwrap();
        }
        test.settle().await;
        let connection = test.connect().await;
        let (blind, shown) = (tasks(&connection, blind.id).await, tasks(&connection, shown.id).await);
        let found = copies(&test.app).await;
        let expected = [
            (Bucket::LabelWait, format!("blind/{}.jpg", blind[0].id)),
            (Bucket::LabelWait, format!("class_00/{}.jpg", shown[0].id)),
            (Bucket::Noisy, format!("class_00/{sure}.jpg")),
        ];
        assert_eq!(found.iter().map(|(bucket, key, _)| (*bucket, key.clone())).collect::<Vec<_>>(), expected);
        assert_eq!(found[0].2, [], "a blind copy tells nothing");
        for (_, _, tags) in &found[1..] {
            assert_eq!(tag(tags, "predicted_class"), Some("Bread"));
            assert_eq!(tags.len(), 4, "{tags:?}");
        }
        assert_eq!(places(&test.app, unsure_photo).await, [true, false, false]);
        assert_eq!(places(&test.app, sure).await, [false, true, false]);
        let operator = test.operator().await;
        let objects = test.get(&format!("/api/v1/predictions/{unsure_photo}/objects")).bearer_auth(operator);
        let objects: StoredObjects = objects.send().await.unwrap().json().await.unwrap();
        let waiting = objects.objects.iter().filter(|object| object.place == Place::LabelWait);
        assert_eq!(waiting.count(), 2, "{objects:?}");

        // What visitors say meanwhile reaches the copy that shows it, and not the blind one.
        test.app.catalog().give_feedback(unsure_photo, &Change::Correct("Soup".to_owned()), Actor::Visitor).await.unwrap();
        test.app.outbox_wakeup().notify_one();
        test.settle().await;
        let found = copies(&test.app).await;
        assert_eq!(found[0].2, []);
        assert_eq!(tag(&found[1].2, "corrected_class"), Some("Soup"));
        test.stop().await;
    };

    a_photo_that_is_erased_leaves_no_copy_in_any_bucket_and_no_open_task => async |database| {
        let test = TestApp::start(database).await;
        let catalog = test.app.catalog();
        let (waiting, labelled, sure) =
            (photo(&test.app, 5, 1, 0.4).await, photo(&test.app, 5, 2, 0.4).await, photo(&test.app, 5, 3, 0.9).await);
        let campaign = campaign(&test.app, &asked("blind", unsure())).await;
        catalog.select(campaign.id, interval(0, 30), false).await.unwrap();
        test.settle().await;
        let connection = test.connect().await;
        let all = tasks(&connection, campaign.id).await;
        let task = all.iter().find(|task| task.prediction_id == labelled.as_uuid()).unwrap();
        label(&connection, task, class("Soup"), minute(50)).await;
        catalog.give_feedback(labelled, &Change::Flag(FlagReason::Other), Actor::Operator).await.unwrap();
        test.app.outbox_wakeup().notify_one();
        test.settle().await;
        assert_eq!(copies(&test.app).await.len(), 4, "one waits, one is clean and noisy, one is noisy");
        let progress = catalog.campaign(&CampaignName::Id(campaign.id)).await.unwrap().unwrap().progress;
        assert_eq!((progress.chosen, progress.labelled), (2, 1));

        for id in [waiting, labelled, sure] {
            catalog.erase(id).await.unwrap();
        }
        test.app.outbox_wakeup().notify_one();
        test.settle().await;
        assert_eq!(copies(&test.app).await, []);
        let after = tasks(&connection, campaign.id).await;
        let withdrawn = after.iter().find(|task| task.prediction_id == waiting.as_uuid()).unwrap();
        assert!(withdrawn.closed_at.is_some() && withdrawn.resolved.is_none());
        let progress = catalog.campaign(&CampaignName::Id(campaign.id)).await.unwrap().unwrap().progress;
        assert_eq!((progress.chosen, progress.labelled), (1, 1), "a withdrawn task does not count");
        for id in [waiting, labelled, sure] {
            assert_eq!(places(&test.app, id).await, [false; 3]);
            // A worker that was paused past its lease may write nothing more.
            assert!(!catalog.announce_copy(id.as_uuid(), Place::Clean, "class_00/x.jpg").await.unwrap());
        }
        test.stop().await;
    };
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_moves_the_photo_and_a_changed_one_moves_it_again() {
    let idle = Idle::start().await;
    let app = &idle.app;
    let id = photo(app, 5, 1, 0.4).await;
    let campaign = campaign(app, &asked("blind", unsure())).await;
    idle.select(&campaign).await;
    carry_over(app).await;
    assert_eq!(places(app, id).await, [true, false, false]);
    let task = &tasks(&idle.connection, campaign.id).await[0];

    for (seen, folder) in [("Soup", "class_01"), ("Soup", "class_01"), ("Rice", "class_02")] {
        label(&idle.connection, task, class(seen), minute(50)).await;
        visit(app, id).await;
        let found = copies(app).await;
        let key = format!("{folder}/{id}.jpg");
        assert_eq!(keys(&found), [(Bucket::Noisy, key.as_str()), (Bucket::Clean, key.as_str())]);
        for (_, _, tags) in &found {
            assert_eq!(tag(tags, "human_label"), Some(seen));
            assert_eq!(tag(tags, "annotator"), Some("zo_@example.org"));
            assert_eq!(tag(tags, "labelled_at"), Some(minute(50).format("%Y-%m-%dT%H:%M:%SZ").to_string().as_str()));
            assert_eq!(tag(tags, "predicted_class"), Some("Bread"));
        }
        assert_eq!(places(app, id).await, [false, true, true]);
    }
    // Answers, but of no class: the photo belongs into neither bucket.
    for seen in [Seen::NotFood, Seen::Unreadable] {
        label(&idle.connection, task, Some(seen), minute(51)).await;
        visit(app, id).await;
        assert_eq!(keys(&copies(app).await), []);
        assert_eq!(places(app, id).await, [false, false, false]);
    }
    // Taken back: it waits again.
    label(&idle.connection, task, None, minute(52)).await;
    visit(app, id).await;
    assert_eq!(keys(&copies(app).await), [(Bucket::LabelWait, format!("blind/{}.jpg", task.id).as_str())]);
    assert_eq!(places(app, id).await, [true, false, false]);
}

/// A worker that was paused past its lease: meanwhile another one has removed the copy, then the first one writes it.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_was_forgotten_while_it_was_written_is_removed_all_the_same() {
    let idle = Idle::start().await;
    let (app, id) = (&idle.app, photo(&idle.app, 5, 1, 0.4).await);
    let catalog = app.catalog();
    let key = format!("class_00/{id}.jpg");
    let object = key.parse().unwrap();
    assert!(catalog.announce_copy(id.as_uuid(), Place::Clean, &key).await.unwrap());
    catalog.forget_copy(id.as_uuid(), Place::Clean.as_str(), &key).await.unwrap();
    app.object_store().copy((Bucket::Production, &object), (Bucket::Clean, &object)).await.unwrap();
    assert!(catalog.confirm_copy(id.as_uuid(), Place::Clean, &key).await.unwrap());
    assert_eq!(places(app, id).await, [false, false, true], "it is there, so it is said to be");
    carry_over(app).await;
    assert_eq!(copies(app).await, []);
    assert_eq!(places(app, id).await, [false, false, false]);

    catalog.erase(id).await.unwrap();
    assert!(!catalog.confirm_copy(id.as_uuid(), Place::Clean, &key).await.unwrap());
}

/// One campaign's label does not take the object away that another one's annotators look at.
#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_that_is_done_with_a_photo_leaves_the_others_their_copies() {
    let idle = Idle::start().await;
    let app = &idle.app;
    let id = photo(app, 5, 1, 0.4).await;
    let one = campaign(app, &asked("one", unsure())).await;
    let other = campaign(app, &asked("other", CampaignRule::Everything)).await;
    idle.select(&one).await;
    idle.select(&other).await;
    carry_over(app).await;
    assert_eq!(copies(app).await.len(), 2);
    label(&idle.connection, &tasks(&idle.connection, one.id).await[0], class("Bread"), minute(50)).await;
    visit(app, id).await;
    let waiting = format!("blind/{}.jpg", tasks(&idle.connection, other.id).await[0].id);
    let key = format!("class_00/{id}.jpg");
    let expected =
        [(Bucket::LabelWait, waiting.as_str()), (Bucket::Noisy, key.as_str()), (Bucket::Clean, key.as_str())];
    assert_eq!(keys(&copies(app).await), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_has_all_our_tags_and_of_the_others_what_fits() {
    let idle = Idle::start().await;
    let app = &idle.app;
    let id = photo(app, 5, 1, 0.4).await;
    let others = (0..6)
        .fold(gourmetgram_object_store::TagChanges::new(), |all, n| all.set(&format!("notebook{n}"), Some("run")));
    let key = format!("class_00/{id}.jpg").parse().unwrap();
    app.object_store().merge_tags(Bucket::Production, &key, &others).await.unwrap();
    let campaign = campaign(app, &asked("blind", unsure())).await;
    idle.select(&campaign).await;
    label(&idle.connection, &tasks(&idle.connection, campaign.id).await[0], class("Soup"), minute(50)).await;
    carry_over(app).await;
    let found = copies(app).await;
    assert_eq!(found.len(), 2);
    for (_, _, tags) in &found {
        assert_eq!(tags.len(), 10, "{tags:?}");
        assert_eq!(tags.iter().filter(|(name, _)| name.starts_with("notebook")).count(), 3);
        assert_eq!(tag(tags, "human_label"), Some("Soup"));
    }
    assert_eq!(app.object_store().read_tags(Bucket::Production, &key).await.unwrap().len(), 10, "the original's stay");
}

/// What a photo's copies are to be like, and how the catalog comes to say so.
#[derive(Clone, Copy, Debug)]
enum Turn {
    /// A campaign that is shown and one that is blind choose it.
    Chosen,
    /// It is answered with certainty, and not chosen.
    Sure,
    /// It was chosen, and is labelled now.
    Labelled,
    /// It was labelled, and is labelled otherwise now.
    Relabelled,
    /// It was labelled, and is erased now.
    Erased,
}

/// What there is in the end: objects by bucket, folder and tags, the photo's places, and the notes of copies. Ids and
/// times are left out: they differ from photo to photo.
type EndState = (Vec<(String, BTreeMap<String, String>)>, [bool; 3], usize);

async fn end_state(idle: &Idle, id: PredictionId) -> EndState {
    let notes = idle.app.catalog().placements(id.as_uuid()).await.unwrap().len();
    let mut objects = Vec::new();
    for (bucket, key, tags) in copies(&idle.app).await {
        let folder = key.split('/').next().unwrap_or_default();
        objects
            .push((format!("{bucket:?}/{folder}"), tags.into_iter().filter(|(name, _)| name != "timestamp").collect()));
    }
    objects.sort();
    (objects, places(&idle.app, id).await, notes)
}

/// Prepares a photo for its turn, with everything before it carried over.
async fn prepare(idle: &Idle, turn: Turn, round: u64) -> (PredictionId, Vec<Campaign>) {
    let app = &idle.app;
    let confidence = if matches!(turn, Turn::Sure) { 0.95 } else { 0.4 };
    let minutes = i64::try_from(round).unwrap() * 100;
    let id = photo(app, minutes, round, confidence).await;
    let window = NewCampaign {
        starts_at: Some(minute(minutes)),
        ends_at: Some(minute(minutes + 1)),
        ..asked(&format!("blind {round}"), unsure())
    };
    let blind = campaign(app, &window).await;
    let shown = campaign(app, &NewCampaign { name: format!("shown {round}"), blind: false, ..window }).await;
    let campaigns = vec![blind, shown];
    if matches!(turn, Turn::Labelled | Turn::Relabelled | Turn::Erased) {
        select_all(idle, &campaigns).await;
        carry_over(app).await;
    }
    if matches!(turn, Turn::Relabelled | Turn::Erased) {
        for campaign in &campaigns[..1] {
            label(&idle.connection, &tasks(&idle.connection, campaign.id).await[0], class("Soup"), minute(50)).await;
        }
        visit(app, id).await;
    }
    (id, campaigns)
}

async fn select_all(idle: &Idle, campaigns: &[Campaign]) {
    for campaign in campaigns {
        let window = gourmetgram_api::Interval {
            start: campaign.asked.starts_at.unwrap(),
            end: campaign.asked.ends_at.unwrap(),
        };
        idle.app.catalog().select(campaign.id, window, false).await.unwrap();
    }
}

/// The turn itself: the rows change, then the outbox makes the buckets follow.
async fn take(idle: &Idle, turn: Turn, id: PredictionId, campaigns: &[Campaign]) {
    let catalog = idle.app.catalog();
    match turn {
        Turn::Chosen | Turn::Sure => select_all(idle, campaigns).await,
        Turn::Labelled | Turn::Relabelled => {
            let seen = if matches!(turn, Turn::Labelled) { "Soup" } else { "Rice" };
            let task = &tasks(&idle.connection, campaigns[0].id).await[0];
            label(&idle.connection, task, class(seen), minute(55)).await;
            for change in [Change::Flag(FlagReason::Other), Change::Unflag] {
                catalog.give_feedback(id, &change, Actor::Operator).await.unwrap();
            }
        }
        Turn::Erased => {
            catalog.erase(id).await.unwrap();
        }
    }
    loop {
        let step = outbox::step(&idle.app).await.unwrap();
        if step.done + step.failed == 0 {
            break;
        }
    }
}

/// Polls a future at most so often, then drops it where it stands, as a process that is killed does. Answers whether it
/// came to its end.
pub async fn at_most(polls: usize, future: impl Future<Output = ()>) -> bool {
    let mut future = pin!(future);
    let mut left = polls;
    std::future::poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(context).map(|()| true)
    })
    .await
}

/// Kills at every point at which something was waited for, runs again, and compares with a run that was not killed.
async fn kill_everywhere(turn: Turn) {
    let idle = Idle::start().await;
    let expected = {
        let (id, campaigns) = prepare(&idle, turn, 0).await;
        take(&idle, turn, id, &campaigns).await;
        let state = end_state(&idle, id).await;
        clear(&idle, id).await;
        state
    };
    let mut kills = 0;
    for round in 1.. {
        let (id, campaigns) = prepare(&idle, turn, round).await;
        let polls = usize::try_from(round).unwrap();
        let finished = at_most(polls, take(&idle, turn, id, &campaigns)).await;
        // Its next start: claims are free again, and the same is asked for once more.
        idle.app.catalog().release_claims(idle.app.node()).await.unwrap();
        take(&idle, turn, id, &campaigns).await;
        let state = end_state(&idle, id).await;
        assert_eq!(state, expected, "{turn:?}, killed after {polls} polls");
        clear(&idle, id).await;
        if finished {
            break;
        }
        kills += 1;
    }
    assert!(kills > 10, "{turn:?} was killed {kills} times only");
}

/// Takes the round's photo out of the buckets.
async fn clear(idle: &Idle, id: PredictionId) {
    idle.app.catalog().erase(id).await.unwrap();
    carry_over(&idle.app).await;
    // The second look at an erased photo, ten minutes before its time.
    idle.app.catalog().abandon(id).await.unwrap();
    carry_over(&idle.app).await;
    assert_eq!(copies(&idle.app).await, []);
    assert_eq!(idle.app.catalog().placements(id.as_uuid()).await.unwrap(), [], "nothing is left to remember");
}

#[tokio::test(flavor = "multi_thread")]
async fn selecting_that_is_killed_anywhere_ends_like_one_that_was_not() {
    kill_everywhere(Turn::Chosen).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sure_photo_that_is_killed_on_its_way_ends_in_the_noisy_bucket() {
    kill_everywhere(Turn::Sure).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_whose_way_is_cut_off_anywhere_arrives_all_the_same() {
    kill_everywhere(Turn::Labelled).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_label_whose_way_is_cut_off_anywhere_arrives_all_the_same() {
    kill_everywhere(Turn::Relabelled).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_that_is_killed_anywhere_removes_every_copy() {
    kill_everywhere(Turn::Erased).await;
}

/// Erased at any moment of the way into the buckets: nothing of it is left anywhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_photo_that_is_erased_in_the_middle_of_everything_leaves_no_object() {
    let idle = Idle::start().await;
    for turn in [Turn::Chosen, Turn::Labelled, Turn::Relabelled] {
        for polls in 1.. {
            let round = polls + 1000 * (turn as u64 + 1);
            let (id, campaigns) = prepare(&idle, turn, round).await;
            let polls = usize::try_from(polls).unwrap();
            let finished = at_most(polls, take(&idle, turn, id, &campaigns)).await;
            idle.app.catalog().release_claims(idle.app.node()).await.unwrap();
            clear(&idle, id).await;
            let key = format!("class_00/{id}.jpg").parse().unwrap();
            assert!(idle.app.object_store().head(Bucket::Production, &key).await.is_err());
            if finished {
                break;
            }
        }
    }
}

/// Passes everything on to a server, and counts the requests.
async fn counting(server: std::net::SocketAddr) -> (std::net::SocketAddr, Arc<AtomicUsize>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let counter = Arc::clone(&counter);
            tokio::spawn(async move {
                let server = tokio::net::TcpStream::connect(server).await.unwrap();
                let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
                    (client.into_split(), server.into_split());
                tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
                let mut piece = vec![0_u8; 64 * 1024];
                while let Ok(length @ 1..) = from_client.read(&mut piece).await {
                    let heads = piece[..length].windows(11).filter(|it| *it == b" HTTP/1.1\r\n").count();
                    counter.fetch_add(heads, Ordering::SeqCst);
                    if to_server.write_all(&piece[..length]).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    (address, requests)
}

/// The outbox's work for a photo that no campaign has looked at is what it was before there were campaigns; that of the
/// others is one copy for each copy there is to be.
#[tokio::test(flavor = "multi_thread")]
async fn a_visit_asks_s3_for_the_tags_and_for_each_copy_once() {
    let folder = tempfile::tempdir().unwrap();
    let s3 = embedded_s3::EmbeddedS3::builder(folder.path())
        .credential("key", "secret", embedded_s3::Access::ReadWrite)
        .start(tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap())
        .await
        .unwrap();
    let (address, requests) = counting(s3.address()).await;
    let idle = Idle::start_with(|settings| {
        settings.s3.endpoint = Some(format!("http://{address}"));
        settings.s3.access_key_id = Some("key".to_owned());
        settings.s3.secret_access_key = Some("secret".to_owned().into());
    })
    .await;
    let (one, other) = (photo(&idle.app, 5, 1, 0.4).await, photo(&idle.app, 500, 2, 0.4).await);
    let count = async |id: PredictionId| {
        let before = requests.load(Ordering::SeqCst);
        visit(&idle.app, id).await;
        requests.load(Ordering::SeqCst) - before
    };
    assert_eq!(count(one).await, 1, "its tags are looked at, and are right");
    let blind = campaign(&idle.app, &asked("blind", unsure())).await;
    let shown = campaign(&idle.app, &NewCampaign { blind: false, ..asked("shown", unsure()) }).await;
    idle.select(&blind).await;
    idle.select(&shown).await;
    assert_eq!(count(one).await, 3);
    assert_eq!(count(one).await, 2, "a blind copy has nothing to follow");
    assert_eq!(count(other).await, 1);
}

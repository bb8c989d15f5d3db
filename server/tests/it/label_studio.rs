//! The loop through Label Studio: photos are brought there, what people say comes back, whatever is killed or fails on
//! the way. Against a Label Studio of our own; the real one is met in `label_studio_real`.

use std::{collections::BTreeMap, time::Duration};

use chrono::Utc;
use gourmetgram::{
    app::App,
    catalog::{Actor, Change, entity::annotation},
    config::Settings,
    outbox,
};
use gourmetgram_api::{
    Campaign, CampaignRule, Cause, FlagReason, Interval, LabelledIn, NewCampaign, PredictionId, Role, Run, RunState,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, Database as Connection, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder,
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    copies::at_most,
    fake_studio::{FakeStudio, Mood, TOKEN, result},
    on_both_databases,
    photos::{asked, campaign, copies, interval, minute, photo, tasks},
    support::{Browser, BuiltApp, Database, TestApp, eventually, problem},
};

/// Settings that have campaigns labelled there.
pub fn labelled_at(url: &str, settings: &mut Settings) {
    settings.label_studio.url = Some(url.parse().unwrap());
    settings.label_studio.token = Some(TOKEN.into());
    settings.pipelines.retries = 0;
    // Only when the test says so.
    settings.pipelines.collect = String::new();
}

pub fn there(name: &str, blind: bool) -> NewCampaign {
    NewCampaign { blind, labelled_in: LabelledIn::LabelStudio, ..asked(name, CampaignRule::Everything) }
}

/// An application that works only when it is told to.
pub struct Idle {
    built: BuiltApp,
    pub connection: DatabaseConnection,
    pub fake: FakeStudio,
}

impl Idle {
    pub async fn start(database: Database) -> Self {
        let fake = FakeStudio::start().await;
        let built = BuiltApp::build(database, |settings| labelled_at(&fake.url, settings)).await;
        let url = built.app.settings().catalog_url();
        let connection = Connection::connect(url.expose_secret()).await.unwrap();
        Self { built, connection, fake }
    }

    pub async fn close(self) {
        self.connection.close().await.unwrap();
        self.built.close().await;
    }

    pub fn app(&self) -> &App {
        &self.built.app
    }

    /// Runs a pipeline to its end, with everything that it waits for.
    async fn run(&self, pipeline: &str, campaign: &Campaign, interval: Interval) -> Run {
        let worker = self.app().pipelines();
        let subject = campaign.id.to_string();
        let pipeline = worker.pipeline(pipeline).unwrap();
        let (asked, _) = worker.ask(pipeline, &subject, interval, Cause::Manual, false).await.unwrap();
        loop {
            worker.work_on(asked.id, &CancellationToken::new()).await.unwrap();
            carry_over(self.app()).await;
            // What a process that was killed had on its way to PostgreSQL may be done after its successor has begun.
            self.release().await;
            let now = format!("UPDATE runs SET due_at = created_at WHERE id = {}", self.literal(asked.id));
            self.connection.execute_unprepared(&now).await.unwrap();
            let run = self.app().catalog().run(asked.id).await.unwrap().unwrap();
            if run.state.is_over() {
                return run;
            }
        }
    }

    /// The same, of a run that is to end well.
    pub async fn done(&self, pipeline: &str, campaign: &Campaign, interval: Interval) -> Run {
        let run = self.run(pipeline, campaign, interval).await;
        assert_eq!(run.state, RunState::Succeeded, "{run:?}");
        run
    }

    /// Frees what was held.
    async fn release(&self) {
        let (catalog, node) = (self.app().catalog(), self.app().node());
        catalog.release_claims(node).await.unwrap();
        catalog.release_runs(node).await.unwrap();
    }

    fn literal(&self, id: Uuid) -> String {
        match self.connection.get_database_backend() {
            sea_orm::DbBackend::Postgres => format!("'{id}'"),
            _ => format!("X'{}'", id.simple()),
        }
    }

    /// The task that a campaign has about a photo.
    pub async fn task(&self, campaign: &Campaign, photo: PredictionId) -> Uuid {
        let all = tasks(&self.connection, campaign.id).await;
        all.iter().find(|task| task.prediction_id == photo.as_uuid()).unwrap().id
    }

    /// Where a photo's copies lie, by bucket and folder, with the label they carry and who gave it.
    async fn lies(&self, photo: PredictionId) -> Vec<String> {
        let campaigns: Vec<String> = {
            let rows = gourmetgram::catalog::entity::task::Entity::find()
                .filter(gourmetgram::catalog::entity::task::Column::PredictionId.eq(photo.as_uuid()))
                .all(&self.connection)
                .await
                .unwrap();
            rows.into_iter().map(|task| task.id.to_string()).collect()
        };
        let is_its = |key: &str| key.contains(&photo.to_string()) || campaigns.iter().any(|task| key.contains(task));
        let mut found: Vec<String> = copies(self.app())
            .await
            .into_iter()
            .filter(|(_, key, _)| is_its(key))
            .map(|(bucket, key, tags)| {
                let tag = |name: &str| tags.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value);
                let folder = key.split('/').next().unwrap_or_default();
                format!("{bucket:?}/{folder} {} {}", tag("human_label"), tag("annotator")).trim_end().to_owned()
            })
            .collect();
        found.sort();
        found
    }

    /// What was said about a task, the oldest first: who, what, and whether it stands.
    async fn said(&self, task: Uuid) -> Vec<(String, String, bool)> {
        let rows = annotation::Entity::find()
            .filter(annotation::Column::TaskId.eq(task))
            .order_by_asc(annotation::Column::Id)
            .all(&self.connection)
            .await
            .unwrap();
        let said = |row: annotation::Model| {
            assert_eq!(row.through, "label_studio");
            let seen = row.seen["label"].as_str().or(row.seen["answer"].as_str()).unwrap().to_owned();
            (row.annotator, seen, row.replaced_at.is_none())
        };
        rows.into_iter().map(said).collect()
    }
}

pub async fn carry_over(app: &App) {
    loop {
        let step = outbox::step(app).await.unwrap();
        if step.done + step.failed == 0 {
            break;
        }
    }
}

fn said(annotator: &str, seen: &str, stands: bool) -> (String, String, bool) {
    (annotator.to_owned(), seen.to_owned(), stands)
}

const ANN: &str = "ann@example.com";
const BOB: &str = "bob@example.com";

on_both_databases! {
    select_brings_blind_tasks_as_photos_and_shown_ones_with_the_answer => async |database| {
        let idle = Idle::start(database).await;
        let id = photo(idle.app(), 5, 1, 0.4).await;
        idle.app().catalog().give_feedback(id, &Change::Correct("Soup".to_owned()), Actor::Visitor).await.unwrap();
        let blind = campaign(idle.app(), &there("Blind", true)).await;
        let shown = campaign(idle.app(), &NewCampaign { double_share: 1.0, ..there("Shown", false) }).await;
        for campaign in [&blind, &shown] {
            let run = idle.done("select", campaign, interval(0, 30)).await;
            assert_eq!(run.counts["imported"], 1);
            assert!(run.log.iter().any(|line| line.text.contains("labelled at http")), "{:?}", run.log);
        }
        let projects = idle.fake.projects();
        let project_of = |campaign: &Campaign| {
            let mark = campaign.id.to_string();
            let found = projects.iter().filter(|it| it["description"].as_str().unwrap().contains(&mark));
            found.collect::<Vec<_>>()
        };
        let (of_blind, of_shown) = (project_of(&blind), project_of(&shown));
        assert_eq!((of_blind.len(), of_shown.len(), projects.len()), (1, 1, 2));
        assert_eq!((&of_blind[0]["title"], &of_blind[0]["show_collab_predictions"]), (&json!("Blind"), &json!(false)));
        let config = of_blind[0]["label_config"].as_str().unwrap();
        assert!(config.contains("Noodles/Pasta") && config.contains("Not food") && config.contains("Unreadable"));
        assert!(!config.contains("predicted_class"));

        let task = idle.task(&blind, id).await;
        let remote = idle.fake.tasks_for(task);
        assert_eq!(remote.len(), 1);
        let photo = format!("s3://production-label-wait/blind/{task}.jpg");
        assert_eq!(remote[0]["data"], json!({ "image": photo, "task": task }), "a blind task has nothing else");
        assert!(remote[0].get("predictions").is_none() && remote[0].get("overlap").is_none());
        let task = idle.task(&shown, id).await;
        let remote = &idle.fake.tasks_for(task)[0];
        assert_eq!(remote["data"]["image"], format!("s3://production-label-wait/class_00/{task}.jpg"));
        assert_eq!(remote["data"]["predicted_class"], "Bread");
        assert_eq!(remote["data"]["confidence"], "0.400");
        assert_eq!(remote["data"]["corrected_class"], "Soup");
        for place in [&remote["data"], &remote["predictions"][0]] {
            assert_eq!(place["model_version"], "food64-1", "whose answer it is");
        }
        assert_eq!(remote["predictions"][0]["result"][0]["value"]["choices"], json!(["Bread"]));
        assert_eq!(remote["overlap"], 2, "two people are to label it");

        for storage in idle.fake.storages() {
            assert_eq!(storage["bucket"], "production-label-wait");
            assert_eq!(storage["aws_access_key_id"], "gourmetgram-read-only");
        }
        let webhooks = idle.fake.webhooks();
        assert_eq!((idle.fake.storages().len(), webhooks.len()), (2, 2));
        assert!(webhooks[0]["url"].as_str().unwrap().ends_with(&format!("webhook?campaign={}", blind.id)));

        // Again, and with a photo more: each is there once.
        crate::photos::photo(idle.app(), 6, 2, 0.9).await;
        let again = idle.done("select", &blind, interval(0, 31)).await;
        assert_eq!(again.counts["imported"], 1);
        idle.done("select", &blind, interval(0, 30)).await;
        assert_eq!(idle.fake.tasks().len(), 3);
        assert_eq!((idle.fake.projects().len(), idle.fake.storages().len(), idle.fake.webhooks().len()), (2, 2, 2));
        idle.close().await;
    };

    what_people_say_moves_the_photo_and_what_they_change_moves_it_again => async |database| {
        let idle = Idle::start(database).await;
        let ids = [photo(idle.app(), 5, 1, 0.4).await, photo(idle.app(), 6, 2, 0.4).await, photo(idle.app(), 7, 3, 0.4).await];
        let campaign = campaign(idle.app(), &there("Blind", true)).await;
        idle.done("select", &campaign, interval(0, 30)).await;
        let first = idle.done("collect", &campaign, interval(0, 30)).await;
        assert_eq!((first.counts["new"], first.counts["labelled"]), (0, 0));
        let mut task = Vec::new();
        for id in ids {
            task.push(idle.task(&campaign, id).await);
        }
        let soup = idle.fake.annotate(task[0], 1, "Soup");
        let nothing = idle.fake.annotate(task[1], 1, "Not food (or none of these)");
        let skipped = idle.fake.annotate(task[2], 1, "Bread");
        idle.fake.change(skipped, |it| it["was_cancelled"] = json!(true));

        let run = idle.done("collect", &campaign, interval(0, 30)).await;
        assert_eq!((run.counts["new"], run.counts["labelled"]), (2, 2), "{:?}", run.counts);
        let labelled = ["Clean/class_01 Soup ann@example.com", "Noisy/class_01 Soup ann@example.com"];
        assert_eq!(idle.lies(ids[0]).await, labelled);
        assert_eq!(idle.lies(ids[1]).await, [""; 0], "no food belongs into neither bucket");
        assert_eq!(idle.lies(ids[2]).await, ["LabelWait/blind"], "skipped is not labelled");
        let row = idle.app().catalog().prediction(ids[0]).await.unwrap().unwrap();
        assert!(row.annotated_at.is_some_and(|at| Utc::now() - at < chrono::TimeDelta::minutes(5)));
        let collected = idle.app().catalog().collections(campaign.id, 10).await.unwrap();
        assert_eq!(collected.len(), 1, "one row a run, however often it is done");
        assert_eq!((collected[0].chosen, collected[0].labelled, collected[0].not_food), (3, 2, 1));

        // Nothing has happened, and nothing is written.
        let quiet = idle.done("collect", &campaign, interval(0, 31)).await;
        assert_eq!((quiet.counts["new"], quiet.counts["changed"], quiet.counts["taken back"]), (0, 0, 0));
        assert_eq!(idle.said(task[0]).await, [said(ANN, "Soup", true)]);

        idle.fake.change(soup, |it| it["result"] = result("Rice"));
        idle.fake.delete(nothing);
        idle.fake.change(skipped, |it| it["was_cancelled"] = json!(false));
        let run = idle.done("collect", &campaign, interval(0, 32)).await;
        assert_eq!((run.counts["new"], run.counts["changed"], run.counts["taken back"]), (1, 1, 1));
        assert_eq!(idle.lies(ids[0]).await, ["Clean/class_02 Rice ann@example.com", "Noisy/class_02 Rice ann@example.com"]);
        assert_eq!(idle.lies(ids[1]).await, ["LabelWait/blind"], "it waits again");
        assert_eq!(idle.said(task[0]).await, [said(ANN, "Soup", false), said(ANN, "Rice", true)]);
        assert_eq!(idle.said(task[1]).await, [said(ANN, "not_food", false)]);

        // Of several, what most say stands.
        idle.fake.annotate(task[0], 2, "Soup");
        idle.fake.annotate(task[2], 2, "Bread");
        idle.done("collect", &campaign, interval(0, 33)).await;
        assert_eq!(idle.lies(ids[0]).await, ["Clean/class_01 Soup bob@example.com", "Noisy/class_01 Soup bob@example.com"]);
        assert_eq!(idle.said(task[2]).await, [said(ANN, "Bread", true), said(BOB, "Bread", true)]);
        idle.close().await;
    };

    campaigns_with_the_same_photo_do_not_take_each_others_objects => async |database| {
        let idle = Idle::start(database).await;
        let id = photo(idle.app(), 5, 1, 0.4).await;
        let one = campaign(idle.app(), &there("One", true)).await;
        let other = campaign(idle.app(), &there("Other", false)).await;
        for campaign in [&one, &other] {
            idle.done("select", campaign, interval(0, 30)).await;
        }
        idle.fake.annotate(idle.task(&one, id).await, 1, "Soup");
        idle.done("collect", &one, interval(0, 30)).await;
        let both = ["Clean/class_01 Soup ann@example.com", "LabelWait/class_00", "Noisy/class_01 Soup ann@example.com"];
        assert_eq!(idle.lies(id).await, both, "the other's annotators look at theirs");
        // Who saw the model's answer does not overrule who did not.
        idle.fake.annotate(idle.task(&other, id).await, 2, "Bread");
        idle.done("collect", &other, interval(0, 30)).await;
        assert_eq!(idle.lies(id).await, [both[0], both[2]]);
        idle.close().await;
    };

    an_erased_photo_leaves_label_studio_too => async |database| {
        let idle = Idle::start(database).await;
        let (labelled, waiting) = (photo(idle.app(), 5, 1, 0.4).await, photo(idle.app(), 6, 2, 0.4).await);
        let campaign = campaign(idle.app(), &there("Blind", true)).await;
        idle.done("select", &campaign, interval(0, 30)).await;
        idle.fake.annotate(idle.task(&campaign, labelled).await, 1, "Soup");
        idle.done("collect", &campaign, interval(0, 30)).await;
        for table in ["collections", "run_log", "run_steps", "runs"] {
            idle.connection.execute_unprepared(&format!("DELETE FROM {table}")).await.unwrap();
        }
        for id in [labelled, waiting] {
            idle.app().catalog().erase(id).await.unwrap();
        }
        carry_over(idle.app()).await;
        let hinted = idle.app().catalog().runs(Some("collect"), None, 10).await.unwrap();
        assert!(!hinted.is_empty() && hinted.iter().all(|run| run.cause == Cause::Hint), "{hinted:?}");

        // It is away at first: nothing is forgotten.
        idle.fake.behave(Mood::Refuses(401));
        let failed = idle.run("collect", &campaign, interval(0, 31)).await;
        assert_eq!(failed.state, RunState::Failed);
        idle.fake.behave(Mood::Well);
        let run = idle.done("collect", &campaign, interval(0, 32)).await;
        assert_eq!(run.counts["erased"], 2);
        assert_eq!(idle.fake.tasks(), [Value::Null; 0]);
        assert_eq!(idle.done("collect", &campaign, interval(0, 33)).await.counts["erased"], 0);
        idle.close().await;
    };

    an_archived_campaign_that_is_all_labelled_is_still_collected_for_a_while => async |database| {
        let idle = Idle::start(database).await;
        let id = photo(idle.app(), 5, 1, 0.4).await;
        let there = campaign(idle.app(), &there("There", true)).await;
        let here = campaign(idle.app(), &asked("Here", CampaignRule::Everything)).await;
        let (task, catalog) = (async |of: &Campaign| idle.task(of, id).await, idle.app().catalog());
        for campaign in [&there, &here] {
            idle.done("select", campaign, interval(0, 30)).await;
        }
        let annotation = idle.fake.annotate(task(&there).await, 1, "Soup");
        idle.done("collect", &there, interval(0, 30)).await;
        let listed = async || -> Vec<Uuid> {
            catalog.campaigns_to_collect().await.unwrap().into_iter().map(|campaign| campaign.id).collect()
        };
        let close = "UPDATE tasks SET closed_at = created_at";
        idle.connection.execute_unprepared(close).await.unwrap();
        assert_eq!(listed().await, [there.id, here.id]);
        for campaign in [&there, &here] {
            assert!(catalog.archive_campaign(campaign.id).await.unwrap());
        }
        assert_eq!(listed().await, [there.id], "on our own pages a label is recorded when it is given");

        // Somebody thinks better of it.
        idle.fake.change(annotation, |it| it["result"] = result("Bread"));
        idle.done("collect", &there, interval(0, 31)).await;
        assert_eq!(idle.said(task(&there).await).await.iter().filter(|said| said.2).count(), 1);
        let row = catalog.prediction(id).await.unwrap().unwrap();
        assert_eq!(row.annotated_class.as_deref(), Some("Bread"));

        let long_ago = (Utc::now() - chrono::TimeDelta::days(31)).format("%Y-%m-%dT%H:%M:%S+00:00");
        idle.connection.execute_unprepared(&format!("UPDATE campaigns SET archived_at = '{long_ago}'")).await.unwrap();
        assert_eq!(listed().await, Vec::<Uuid>::new());
        idle.close().await;
    };

    what_somebody_deletes_in_label_studio_is_brought_again_and_no_label_is_lost => async |database| {
        let idle = Idle::start(database).await;
        let (labelled, waiting) = (photo(idle.app(), 5, 1, 0.4).await, photo(idle.app(), 6, 2, 0.4).await);
        let campaign = campaign(idle.app(), &there("Blind", true)).await;
        idle.done("select", &campaign, interval(0, 30)).await;
        let (task, other) = (idle.task(&campaign, labelled).await, idle.task(&campaign, waiting).await);
        idle.fake.annotate(task, 1, "Soup");
        idle.done("collect", &campaign, interval(0, 30)).await;

        idle.fake.delete_tasks_for(other);
        let run = idle.done("collect", &campaign, interval(0, 31)).await;
        assert!(run.log.iter().any(|line| line.level == "warn" && line.text.contains("were deleted")), "{:?}", run.log);
        idle.done("select", &campaign, interval(0, 31)).await;
        assert_eq!(idle.fake.tasks_for(other).len(), 1);

        idle.fake.delete_project(idle.fake.projects()[0]["id"].as_i64().unwrap());
        let failed = idle.run("collect", &campaign, interval(0, 32)).await;
        assert!(failed.error.as_ref().is_some_and(|it| it.contains("Was the project deleted?")), "{failed:?}");
        assert_eq!(idle.said(task).await, [said(ANN, "Soup", true)]);
        idle.done("select", &campaign, interval(0, 32)).await;
        assert_eq!((idle.fake.tasks_for(other).len(), idle.fake.tasks_for(task).len()), (1, 0), "what lacks a label");
        let run = idle.done("collect", &campaign, interval(0, 33)).await;
        assert_eq!((run.counts["taken back"], run.counts["labelled"]), (0, 1));
        assert_eq!(idle.said(task).await, [said(ANN, "Soup", true)]);
        idle.close().await;
    };

    select_to_label_studio_that_is_killed_anywhere_ends_like_one_that_was_not => async |database| {
        kill_everywhere(database, Turn::Select).await;
    };

    collect_that_is_killed_anywhere_ends_like_one_that_was_not => async |database| {
        kill_everywhere(database, Turn::Collect).await;
    };
}

/// What is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// Photos are chosen for a blind campaign.
    Select,
    /// One photo was labelled, one labelled otherwise, one label was taken back, one photo was erased.
    Collect,
}

/// What there is in the end of each photo: its copies, what was said, how its task stands, and how often it is in Label
/// Studio. Then projects, storages and webhooks of the campaign.
type EndState = (BTreeMap<usize, (Vec<String>, Vec<(String, String, bool)>, String, usize)>, [usize; 3]);

struct Round {
    campaign: Campaign,
    photos: Vec<PredictionId>,
    window: Interval,
}

async fn prepare(idle: &Idle, turn: Turn, round: i64) -> Round {
    let from = round * 100;
    let window = interval(from, from + 30);
    let asked = NewCampaign {
        starts_at: Some(window.start),
        ends_at: Some(window.end),
        ..there(&format!("{turn:?} {round}"), true)
    };
    let campaign = campaign(idle.app(), &asked).await;
    let mut photos = Vec::new();
    for number in 0..if turn == Turn::Select { 2 } else { 4 } {
        let unique = u64::try_from(round).unwrap() * 10 + number;
        photos.push(photo(idle.app(), from + 5, unique, 0.4).await);
    }
    if turn == Turn::Collect {
        idle.done("select", &campaign, window).await;
        let mut given = Vec::new();
        for id in &photos[1..] {
            given.push(idle.fake.annotate(idle.task(&campaign, *id).await, 1, "Soup"));
        }
        idle.done("collect", &campaign, interval(from, from + 31)).await;
        idle.fake.annotate(idle.task(&campaign, photos[0]).await, 2, "Rice");
        idle.fake.change(given[0], |it| it["result"] = result("Bread"));
        idle.fake.delete(given[1]);
        idle.app().catalog().erase(photos[3]).await.unwrap();
    }
    Round { campaign, photos, window }
}

async fn take(idle: &Idle, turn: Turn, round: &Round) {
    let pipeline = if turn == Turn::Select { "select" } else { "collect" };
    idle.done(pipeline, &round.campaign, round.window).await;
}

async fn end_state(idle: &Idle, round: &Round) -> EndState {
    let mut of_photos = BTreeMap::new();
    let all = tasks(&idle.connection, round.campaign.id).await;
    for (number, id) in round.photos.iter().enumerate() {
        let task = all.iter().find(|task| task.prediction_id == id.as_uuid()).unwrap();
        let remote = idle.fake.tasks_for(task.id);
        assert_eq!(task.remote_id.is_some(), !remote.is_empty(), "its number is known while it is there");
        let stands =
            format!("{} of {}, closed: {}, {:?}", task.given, task.wanted, task.closed_at.is_some(), task.resolved);
        of_photos.insert(number, (idle.lies(*id).await, idle.said(task.id).await, stands, remote.len()));
    }
    let mark = round.campaign.id.to_string();
    let projects = idle.fake.projects();
    let own: Vec<&Value> = projects.iter().filter(|it| it["description"].as_str().unwrap().contains(&mark)).collect();
    let count = |all: Vec<Value>| all.iter().filter(|it| it["project"] == own[0]["id"]).count();
    (of_photos, [own.len(), count(idle.fake.storages()), count(idle.fake.webhooks())])
}

/// Takes the round's photos and its project away.
async fn clear(idle: &Idle, round: &Round) {
    let project = idle.app().catalog().project_of(round.campaign.id).await.unwrap().unwrap();
    idle.fake.delete_project(project.0);
    for id in &round.photos {
        idle.app().catalog().erase(*id).await.unwrap();
    }
    carry_over(idle.app()).await;
    assert_eq!(copies(idle.app()).await, []);
    // What was hinted at would be done in later rounds.
    let hinted = "(SELECT id FROM runs WHERE cause = 'hint')";
    for table in ["collections", "run_log", "run_steps"] {
        let forget = format!("DELETE FROM {table} WHERE run_id IN {hinted}");
        idle.connection.execute_unprepared(&forget).await.unwrap();
    }
    idle.connection.execute_unprepared("DELETE FROM runs WHERE cause = 'hint'").await.unwrap();
}

async fn kill_everywhere(database: Database, turn: Turn) {
    let idle = Idle::start(database).await;
    let expected = {
        let round = prepare(&idle, turn, 0).await;
        take(&idle, turn, &round).await;
        let state = end_state(&idle, &round).await;
        clear(&idle, &round).await;
        state
    };
    // PostgreSQL takes the same way through the same code: every fifth place is enough there.
    let stride = if database == Database::Sqlite { 1 } else { 5 };
    let mut kills = 0;
    for polls in (1..).step_by(stride) {
        let round = prepare(&idle, turn, i64::try_from(polls).unwrap()).await;
        let finished = at_most(polls, take(&idle, turn, &round)).await;
        // Its next start: what it held is free again, and the same is asked for once more.
        idle.release().await;
        take(&idle, turn, &round).await;
        assert_eq!(end_state(&idle, &round).await, expected, "{turn:?}, killed after {polls} polls");
        clear(&idle, &round).await;
        if finished {
            break;
        }
        kills += 1;
    }
    assert!(kills > 10, "{turn:?} was killed {kills} times only");
    idle.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_with_label_studio_is_shown_passes_by_itself_and_loses_nothing() {
    let fake = FakeStudio::start().await;
    let test = TestApp::start_with(Database::Sqlite, |settings| labelled_at(&fake.url, settings)).await;
    let ids = [photo(&test.app, 5, 1, 0.4).await, photo(&test.app, 35, 2, 0.4).await];
    let campaign = campaign(&test.app, &there("Week <48>", true)).await;
    let operator = Browser::signed_in(&test, "otto", Role::Operator).await;
    let token = test.operator().await;
    let run = async |pipeline: &str, from: i64, to: i64| {
        let path = format!("/api/v1/pipelines/{pipeline}/runs");
        let body = json!({ "campaign": campaign.id, "start": minute(from), "end": minute(to) });
        let mut run: Run = test.post(&path).bearer_auth(&token).json(&body).send().await.unwrap().json().await.unwrap();
        eventually("the run is over", async || {
            run = test.app.catalog().run(run.id).await.unwrap().unwrap();
            run.state.is_over()
        })
        .await;
        run
    };
    let page = async |path: &str| operator.get(path).send().await.unwrap().text().await.unwrap();

    fake.behave(Mood::Refuses(401));
    let failed = run("select", 0, 30).await;
    assert_eq!(failed.state, RunState::Failed);
    assert_eq!(failed.counts["chosen"], 1, "what was chosen stays chosen");
    let why = failed.error.clone().unwrap();
    assert!(why.contains("does not take our token") && why.contains("Personal Access Token"), "{why}");
    assert!(!why.contains(TOKEN));
    for path in ["/campaigns", &format!("/pipelines/{}", failed.id)] {
        let shown = page(path).await;
        assert!(shown.contains("does not take our token"), "{path}: {shown}");
        assert!(!shown.contains(TOKEN));
    }
    assert!(page("/campaigns").await.contains("Photos could not be selected"));

    // The next run brings what the one before could not, and the page has nothing to complain about any more.
    for mood in [Mood::RefusesOnce(429), Mood::RefusesOnce(500), Mood::Slow(Duration::from_millis(300))] {
        fake.behave(mood);
        let run = run("select", 30, 60).await;
        assert_eq!(run.state, RunState::Succeeded, "{mood:?}: {run:?}");
    }
    fake.behave(Mood::Well);
    assert_eq!(fake.tasks().len(), 2);
    let shown = page("/campaigns").await;
    assert!(!shown.contains("could not be selected") && shown.contains("Label it in Label Studio"), "{shown}");

    fake.behave(Mood::Refuses(500));
    let connection = test.connect().await;
    for task in tasks(&connection, campaign.id).await {
        fake.annotate(task.id, 1, "Soup");
    }
    for mood in [Mood::BreaksOff, Mood::Refuses(500)] {
        fake.behave(mood);
        let failed = run("collect", 0, 30).await;
        assert_eq!(failed.state, RunState::Failed, "{mood:?}");
        assert!(failed.error.as_ref().is_some_and(|it| it.contains("is not available")), "{failed:?}");
        assert!(page("/campaigns").await.contains("Labels could not be collected"));
        assert_eq!(test.count("annotations").await, 0, "half an answer is none");
    }
    fake.behave(Mood::Well);
    let done = run("collect", 0, 30).await;
    assert_eq!((done.state, done.counts["labelled"]), (RunState::Succeeded, 2));
    assert!(!page("/campaigns").await.contains("could not be collected"));
    for id in ids {
        let row = test.app.catalog().prediction(id).await.unwrap().unwrap();
        assert_eq!(row.annotated_class.as_deref(), Some("Soup"));
    }
    test.stop().await;
}

/// Nobody listens at the address that the settings name; then somebody does.
#[tokio::test(flavor = "multi_thread")]
async fn a_label_studio_that_is_down_is_shown_on_the_pages_until_it_is_back() {
    let reserved = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = reserved.local_addr().unwrap();
    drop(reserved);
    let url = format!("http://{place}");
    let test = TestApp::start_with(Database::Sqlite, |settings| labelled_at(&url, settings)).await;
    photo(&test.app, 5, 1, 0.4).await;
    let campaign = campaign(&test.app, &there("Week 48", true)).await;
    let operator = Browser::signed_in(&test, "otto", Role::Operator).await;
    let page = async |path: &str| operator.get(path).send().await.unwrap().text().await.unwrap();
    let token = test.operator().await;
    let run = async || {
        let body = json!({ "campaign": campaign.id, "start": minute(0), "end": minute(30) });
        let asked = test.post("/api/v1/pipelines/select/runs").bearer_auth(&token).json(&body).send().await.unwrap();
        let mut run: Run = asked.json().await.unwrap();
        eventually("the run is over", async || {
            run = test.app.catalog().run(run.id).await.unwrap().unwrap();
            run.state.is_over()
        })
        .await;
        run
    };
    let failed = run().await;
    assert_eq!(failed.state, RunState::Failed);
    assert_eq!(failed.counts["chosen"], 1, "what was chosen stays chosen");
    let campaigns = page("/campaigns").await;
    assert!(campaigns.contains("Photos could not be selected"), "{campaigns}");
    assert!(campaigns.contains(&format!("href=\"/pipelines/{}\"", failed.id)), "the way to what it did");
    for path in ["/campaigns".to_owned(), format!("/pipelines/{}", failed.id)] {
        let shown = page(&path).await;
        assert!(
            shown.contains(&format!("Label Studio at {url}")) && shown.contains("is not available"),
            "{path}: {shown}"
        );
        assert!(!shown.contains(TOKEN));
    }
    assert!(page("/pipelines").await.contains("failed"));

    let fake = FakeStudio::start_at(tokio::net::TcpListener::bind(place).await.unwrap()).await;
    let done = run().await;
    assert_eq!((done.id, done.state), (failed.id, RunState::Succeeded), "{done:?}");
    assert_eq!(fake.tasks().len(), 1);
    let campaigns = page("/campaigns").await;
    assert!(!campaigns.contains("could not be selected") && !campaigns.contains("is not available"), "{campaigns}");
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_with_the_secret_has_labels_collected_soon_and_nothing_else_does() {
    let fake = FakeStudio::start().await;
    let test = TestApp::start_with(Database::Sqlite, |settings| labelled_at(&fake.url, settings)).await;
    photo(&test.app, 5, 1, 0.4).await;
    let there = campaign(&test.app, &there("There", true)).await;
    let here = campaign(&test.app, &asked("Here", CampaignRule::Everything)).await;
    let token = test.operator().await;
    let select = test.post(&format!("/api/v1/campaigns/{}/select", there.id)).bearer_auth(&token);
    let run: Run =
        select.json(&json!({ "start": minute(0), "end": minute(30) })).send().await.unwrap().json().await.unwrap();
    eventually("it is selected", async || {
        test.app.catalog().run(run.id).await.unwrap().unwrap().state == RunState::Succeeded
    })
    .await;
    let webhook = fake.webhooks().remove(0);
    assert_eq!(webhook["send_payload"], false, "we look for ourselves");
    let secret = webhook["headers"]["X-GourmetGram-Webhook"].as_str().unwrap().to_owned();
    let url = url::Url::parse(webhook["url"].as_str().unwrap()).unwrap();
    assert_eq!(test.url, url.origin().ascii_serialization());
    for table in ["collections", "run_log", "run_steps", "runs"] {
        test.sql(&format!("DELETE FROM {table} WHERE 1 = 1")).await;
    }
    let hint = json!({ "action": "ANNOTATION_CREATED" }).to_string();
    let path = |campaign: &str| format!("/api/v1/label-studio/webhook?campaign={campaign}");
    let own = path(&there.id.to_string());
    let unknown = Uuid::now_v7().to_string();
    let other = if secret.ends_with('0') { '1' } else { '0' };
    let wrong = format!("{}{other}", &secret[..secret.len() - 1]);
    let cases = [
        (own.clone(), None, hint.clone(), 401),
        (own.clone(), Some("".to_owned()), hint.clone(), 401),
        (own.clone(), Some(wrong), hint.clone(), 401),
        (own.clone(), Some(secret[..10].to_owned()), hint.clone(), 401),
        (path(&unknown), Some("x".to_owned()), hint.clone(), 401),
        (own.clone(), Some(secret.clone()), String::new(), 400),
        (own.clone(), Some(secret.clone()), "null".to_owned(), 400),
        (own.clone(), Some(secret.clone()), "[[[[".to_owned(), 400),
        (own.clone(), Some(secret.clone()), "{\"action\": {}}".to_owned(), 400),
        (path("production"), Some(secret.clone()), hint.clone(), 400),
        ("/api/v1/label-studio/webhook".to_owned(), Some(secret.clone()), hint.clone(), 400),
        (path(&unknown), Some(secret.clone()), hint.clone(), 404),
        (path(&here.id.to_string()), Some(secret.clone()), hint.clone(), 404),
        (own.clone(), Some(secret.clone()), format!("{{\"action\": \"{}\"}}", "x".repeat(70_000)), 413),
    ];
    for (path, secret, body, status) in cases {
        let mut request = test.post(&path).header("content-type", "application/json").body(body);
        if let Some(secret) = &secret {
            request = request.header("X-GourmetGram-Webhook", secret);
        }
        problem(request.send().await.unwrap(), status).await;
    }
    assert_eq!(test.count("runs").await, 0);
    for _ in 0..5 {
        let request = test.post(&own).header("X-GourmetGram-Webhook", &secret).body(hint.clone());
        assert_eq!(request.send().await.unwrap().status(), 202);
    }
    let runs = test.app.catalog().runs(Some("collect"), None, 10).await.unwrap();
    // Two, if a minute ended between them.
    assert!((1..=2).contains(&runs.len()), "{runs:?}");
    assert!(runs.iter().all(|run| run.cause == Cause::Hint && run.campaign == Some(there.id)));
    assert!(runs.iter().all(|run| run.state != RunState::Waiting || run.due_at == Some(run.end)), "{runs:?}");
    test.sql("UPDATE runs SET due_at = created_at").await;
    eventually("it is collected", async || {
        let runs = test.app.catalog().runs(Some("collect"), None, 10).await.unwrap();
        runs.iter().all(|run| run.state == RunState::Succeeded)
    })
    .await;
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_label_studio_its_campaigns_say_so_and_choose_nothing() {
    let test = TestApp::start(Database::Sqlite).await;
    photo(&test.app, 5, 1, 0.4).await;
    let campaign = campaign(&test.app, &there("There", true)).await;
    let token = test.operator().await;
    let body = json!({ "start": minute(0), "end": minute(30) });
    let select = test.post(&format!("/api/v1/campaigns/{}/select", campaign.id)).bearer_auth(&token).json(&body);
    let refused = problem(select.send().await.unwrap(), 400).await;
    assert!(refused.detail.contains("label_studio.url"), "{}", refused.detail);
    let body = json!({ "campaign": campaign.id });
    for pipeline in ["select", "collect"] {
        let path = format!("/api/v1/pipelines/{pipeline}/runs");
        let refused = test.post(&path).bearer_auth(&token).json(&body).send().await.unwrap();
        assert!(problem(refused, 400).await.detail.contains("label_studio.url"));
    }
    let hint = test.post(&format!("/api/v1/label-studio/webhook?campaign={}", campaign.id)).body("{}");
    problem(hint.send().await.unwrap(), 404).await;
    assert_eq!((test.count("runs").await, test.count("selections").await), (0, 0));
    test.stop().await;
}

/// Labels given on our own pages are collected in the same way: the photos have moved, and the batch is recorded.
#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_on_our_own_pages_is_collected_and_recorded_too() {
    let test = TestApp::start(Database::Sqlite).await;
    let ids = [photo(&test.app, 5, 1, 0.4).await, photo(&test.app, 6, 2, 0.4).await];
    let chosen = test.campaign("Here", true, &ids, |_| 1).await;
    test.account("ann", Role::Annotator).await;
    let seen = gourmetgram_api::Seen::Unreadable;
    let said = gourmetgram::catalog::Said {
        annotator: "ann",
        seen: &seen,
        through: LabelledIn::Review,
        took_ms: None,
        at: gourmetgram::catalog::now(),
    };
    test.app.catalog().annotate(chosen.tasks[0], &said).await.unwrap();
    test.app.catalog().give_feedback(ids[1], &Change::Flag(FlagReason::Other), Actor::Operator).await.unwrap();
    let token = test.operator().await;
    let body = json!({ "campaign": chosen.id });
    let asked = test.post("/api/v1/pipelines/collect/runs").bearer_auth(&token).json(&body).send().await.unwrap();
    let asked: Run = asked.json().await.unwrap();
    eventually("it is collected", async || {
        test.app.catalog().run(asked.id).await.unwrap().unwrap().state == RunState::Succeeded
    })
    .await;
    let rows = test.app.catalog().collections(chosen.id, 10).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].chosen, rows[0].labelled, rows[0].not_food, rows[0].unreadable), (2, 1, 0, 1));
    assert_eq!((rows[0].run_id, rows[0].interval_end), (asked.id, asked.end));
    test.stop().await;
}

/// The setting's schedule asks for one run, however many were missed; and select leaves word that labels may come.
#[tokio::test(flavor = "multi_thread")]
async fn labels_are_collected_after_select_and_by_the_settings_schedule() {
    let every_minute = |settings: &mut Settings| settings.pipelines.collect = "* * * * *".to_owned();
    let test = TestApp::start_with(Database::Sqlite, every_minute).await;
    photo(&test.app, 5, 1, 0.4).await;
    let chosen = campaign(&test.app, &asked("Chosen", CampaignRule::Everything)).await;
    campaign(&test.app, &asked("Without tasks", CampaignRule::Everything)).await;
    let token = test.operator().await;
    let select = test.post(&format!("/api/v1/campaigns/{}/select", chosen.id)).bearer_auth(&token);
    let body = json!({ "start": minute(0), "end": minute(30) });
    assert_eq!(select.json(&body).send().await.unwrap().status(), 202);
    let hinted = async || {
        let runs = test.app.catalog().runs(Some("collect"), None, 10).await.unwrap();
        runs.iter().any(|run| run.cause == Cause::Hint && run.campaign == Some(chosen.id))
    };
    eventually("select has asked for collect", hinted).await;
    let past = (Utc::now() - chrono::TimeDelta::minutes(5)).format("%Y-%m-%dT%H:%M:%S+00:00");
    test.sql(&format!("UPDATE campaigns SET created_at = '{past}'")).await;
    eventually("it is collected by schedule", async || {
        let runs = test.app.catalog().runs(Some("collect"), None, 10).await.unwrap();
        runs.iter().any(|run| run.cause == Cause::Schedule && run.state == RunState::Succeeded)
    })
    .await;
    let runs = test.app.catalog().runs(Some("collect"), None, 10).await.unwrap();
    assert!(runs.iter().all(|run| run.campaign == Some(chosen.id)), "{runs:?}");
    // One more, if a minute ended meanwhile.
    assert!(runs.iter().filter(|run| run.cause == Cause::Schedule).count() <= 2, "{runs:?}");
    test.stop().await;
}

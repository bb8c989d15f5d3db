//! What is collected from Label Studio says what it is of: a dry run changes nothing, a label is of its own time, and a
//! busy Label Studio is asked again. Against a Label Studio of our own.

use chrono::{DateTime, Utc};
use gourmetgram::catalog::entity::{annotation, task};
use gourmetgram_api::{Campaign, Cause, Interval, Run, RunState};
use sea_orm::EntityTrait;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    fake_studio::{FakeStudio, Mood, result},
    label_studio::{Idle, carry_over, labelled_at, there},
    on_both_databases,
    photos::{campaign, copies, interval, minute, photo},
    support::{Database, TestApp, eventually},
};

/// Collects without changing anything.
async fn dry(idle: &Idle, campaign: &Campaign, interval: Interval) -> Run {
    let worker = idle.app().pipelines();
    let collect = worker.pipeline("collect").unwrap();
    let (asked, _) = worker.ask(collect, &campaign.id.to_string(), interval, Cause::Manual, true).await.unwrap();
    assert!(worker.work_on(asked.id, &CancellationToken::new()).await.unwrap());
    idle.app().catalog().run(asked.id).await.unwrap().unwrap()
}

on_both_databases! {
    a_dry_run_of_collect_says_what_a_run_would_take_in_and_changes_nothing => async |database| {
        let idle = Idle::start(database).await;
        let labelled = photo(idle.app(), 5, 1, 0.4).await;
        let erased = photo(idle.app(), 6, 2, 0.4).await;
        let campaign = campaign(idle.app(), &there("Blind", true)).await;
        idle.done("select", &campaign, interval(0, 30)).await;
        idle.fake.annotate(idle.task(&campaign, labelled).await, 1, "Soup");
        idle.app().catalog().erase(erased).await.unwrap();
        carry_over(idle.app()).await;
        let tasks = async || task::Entity::find().all(&idle.connection).await.unwrap();
        let before = (tasks().await, copies(idle.app()).await, idle.fake.tasks());

        let run = dry(&idle, &campaign, interval(0, 30)).await;
        assert_eq!((run.state, run.dry_run), (RunState::Succeeded, true), "{run:?}");
        assert_eq!((run.counts["new"], run.counts["changed"], run.counts["taken back"]), (1, 0, 0));
        assert_eq!(run.counts["labelled"], 0, "nothing of it is taken in");
        assert!(run.log.iter().any(|line| line.text.contains("1 new, 0 changed")), "{:?}", run.log);
        assert_eq!(annotation::Entity::find().all(&idle.connection).await.unwrap(), []);
        assert!(idle.app().catalog().collections(campaign.id, 10).await.unwrap().is_empty());
        assert_eq!(idle.app().catalog().backlog().await.unwrap().count, 0, "no photo is told to move");
        carry_over(idle.app()).await;
        assert_eq!((tasks().await, copies(idle.app()).await, idle.fake.tasks()), before);

        // The run itself then does it.
        let run = idle.done("collect", &campaign, interval(0, 30)).await;
        assert_eq!((run.counts["new"], run.counts["erased"], run.counts["labelled"]), (1, 1, 1));
        assert_eq!(idle.app().catalog().collections(campaign.id, 10).await.unwrap().len(), 1);
        idle.close().await;
    };

    a_label_is_of_the_time_at_which_it_was_given_in_label_studio => async |database| {
        let idle = Idle::start(database).await;
        let id = photo(idle.app(), 5, 1, 0.4).await;
        let campaign = campaign(idle.app(), &there("Blind", true)).await;
        idle.done("select", &campaign, interval(0, 30)).await;
        let given = idle.fake.annotate(idle.task(&campaign, id).await, 1, "Soup");
        let first = "2026-05-29T08:00:00Z";
        for (number, (at, label)) in (0..).zip([(first, "Soup"), ("2026-05-29T09:30:00Z", "Rice")]) {
            idle.fake.change(given, |it| {
                it["created_at"] = json!(first);
                it["updated_at"] = json!(at);
                it["result"] = result(label);
            });
            idle.done("collect", &campaign, interval(0, 30 + number)).await;
            let time: DateTime<Utc> = at.parse().unwrap();
            let mut said = annotation::Entity::find().all(&idle.connection).await.unwrap();
            said.retain(|row| row.replaced_at.is_none());
            assert_eq!(said.iter().map(|row| row.at).collect::<Vec<_>>(), [time], "{label}");
            let row = idle.app().catalog().prediction(id).await.unwrap().unwrap();
            assert_eq!((row.annotated_class.as_deref(), row.annotated_at), (Some(label), Some(time)));
            let tags: Vec<String> = copies(idle.app())
                .await
                .into_iter()
                .flat_map(|(_, _, tags)| tags)
                .filter(|(name, _)| name == "labelled_at")
                .map(|(_, value)| value)
                .collect();
            assert_eq!(tags, [at, at], "of the clean copy and of the noisy one");
        }
        idle.close().await;
    };
}

/// 429 is for "come back later": each call is patient for a while, then the run is, and only then it is given up.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_comes_back_to_a_busy_label_studio_by_itself_and_gives_up_on_one_that_stays_busy() {
    let fake = FakeStudio::start().await;
    let test = TestApp::start_with(Database::Sqlite, |settings| {
        labelled_at(&fake.url, settings);
        settings.pipelines.retries = 1;
        settings.pipelines.retry_after_seconds = 3;
    })
    .await;
    photo(&test.app, 5, 1, 0.4).await;
    photo(&test.app, 35, 2, 0.4).await;
    let campaign = campaign(&test.app, &there("Busy", true)).await;
    let token = test.operator().await;
    let ask = async |from: i64, to: i64| -> Uuid {
        let body = json!({ "campaign": campaign.id, "start": minute(from), "end": minute(to) });
        let asked = test.post("/api/v1/pipelines/select/runs").bearer_auth(&token).json(&body).send().await.unwrap();
        asked.json::<Run>().await.unwrap().id
    };
    let until = async |run: Uuid, holds: fn(&Run) -> bool| -> Run {
        let read = async || test.app.catalog().run(run).await.unwrap().unwrap();
        eventually("the run is so far", async || holds(&read().await)).await;
        read().await
    };

    fake.behave(Mood::Refuses(429));
    let run = ask(0, 30).await;
    let failed = until(run, |run| run.error.is_some()).await;
    fake.behave(Mood::Well);
    assert_eq!((failed.state, failed.attempts), (RunState::Waiting, 1), "{failed:?}");
    assert!(failed.error.as_ref().is_some_and(|error| error.contains("429")), "{failed:?}");
    let done = until(run, |run| run.state.is_over()).await;
    assert_eq!((done.state, done.attempts, done.error), (RunState::Succeeded, 2, None));
    assert_eq!(fake.tasks().len(), 1);

    fake.behave(Mood::Refuses(429));
    let run = ask(30, 60).await;
    until(run, |run| run.error.is_some()).await;
    let given_up = until(run, |run| run.state.is_over()).await;
    assert_eq!((given_up.state, given_up.attempts), (RunState::Failed, 2), "{given_up:?}");
    assert!(given_up.error.as_ref().is_some_and(|error| error.contains("429")), "{given_up:?}");
    assert_eq!((given_up.counts["chosen"], fake.tasks().len()), (1, 1), "what was chosen stays chosen");
    test.stop().await;
}

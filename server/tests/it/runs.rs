//! Runs of pipelines: each interval once, tried again, taken over, called off.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use gourmetgram::{
    catalog::{Catalog, CatalogError, RunEnd, RunError, RunKey},
    pipelines::{Pipeline, Progress, Retries, Scheduled, StepError, Work, Worker},
};
use gourmetgram_api::{Cause, Interval, Run, RunState};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    on_both_databases,
    support::{Database, TestApp},
};

const STEPS: &[&str] = &["fetch", "sort", "serve"];

/// What a step of the test's pipeline is to do, call by call; then it succeeds.
#[derive(Clone, Copy)]
enum Act {
    Fail,
    FailForGood,
    Panic,
    Wait,
    TakeTime(Duration),
}

/// A pipeline that does what it is told, and remembers who called it.
#[derive(Clone, Default)]
struct Kitchen(Arc<Mutex<Orders>>);

#[derive(Default)]
struct Orders {
    acts: BTreeMap<&'static str, Vec<Act>>,
    done: Vec<&'static str>,
    schedules: Vec<Scheduled>,
}

impl Kitchen {
    fn told(acts: &[(&'static str, Act)]) -> Self {
        let kitchen = Self::default();
        for (step, act) in acts.iter().rev() {
            kitchen.0.lock().unwrap().acts.entry(step).or_default().push(*act);
        }
        kitchen
    }

    fn scheduled(scheduled: Scheduled) -> Self {
        let kitchen = Self::default();
        kitchen.0.lock().unwrap().schedules.push(scheduled);
        kitchen
    }

    fn done(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().done.clone()
    }
}

#[async_trait::async_trait]
impl Pipeline for Kitchen {
    fn name(&self) -> &'static str {
        "kitchen"
    }

    fn about(&self) -> &'static str {
        "Serves a plate."
    }

    fn steps(&self) -> &'static [&'static str] {
        STEPS
    }

    async fn schedules(&self) -> Result<Vec<Scheduled>, CatalogError> {
        Ok(self.0.lock().unwrap().schedules.clone())
    }

    async fn step(&self, step: &'static str, work: &Work) -> Result<Progress, StepError> {
        work.say(format!("{step} begins")).await;
        let act = self.0.lock().unwrap().acts.get_mut(step).and_then(Vec::pop);
        match act {
            Some(Act::Fail) => return Err(StepError { message: "the stove is cold".to_owned(), is_final: false }),
            Some(Act::FailForGood) => return Err(StepError::last("there is no stove")),
            Some(Act::Panic) => panic!("the pan is on fire"),
            Some(Act::Wait) => return Ok(Progress::NotYet(BTreeMap::new(), Duration::ZERO)),
            Some(Act::TakeTime(time)) => tokio::time::sleep(time).await,
            None => {}
        }
        self.0.lock().unwrap().done.push(step);
        Ok(Progress::done([("plates", 2)]))
    }
}

fn worker(test: &TestApp, kitchen: &Kitchen) -> Worker {
    let retries = Retries { more: 1, wait: Duration::ZERO };
    Worker::new(test.app.catalog().clone(), Uuid::now_v7(), vec![Box::new(kitchen.clone())], retries)
}

fn an_hour() -> Interval {
    let end: DateTime<Utc> = "2026-11-24T11:00:00Z".parse().unwrap();
    Interval { start: end - TimeDelta::hours(1), end }
}

fn key() -> RunKey {
    let Interval { start, end } = an_hour();
    RunKey { pipeline: "kitchen".to_owned(), subject: String::new(), start, end }
}

async fn ask(worker: &Worker, kitchen: &Kitchen) -> Run {
    worker.ask(kitchen, "", an_hour(), Cause::Manual, false).await.unwrap().0
}

/// Works until there is nothing to do.
async fn work(worker: &Worker) {
    while worker.turn(&CancellationToken::new()).await.unwrap() {}
}

async fn read(catalog: &Catalog, run: &Run) -> Run {
    catalog.run(run.id).await.unwrap().unwrap()
}

fn states(run: &Run) -> Vec<RunState> {
    run.steps.iter().map(|step| step.state).collect()
}

async fn a_run_does_its_steps_in_order_and_says_what_it_did(database: Database) {
    let test = TestApp::start(database).await;
    let kitchen = Kitchen::default();
    let worker = worker(&test, &kitchen);
    let asked = ask(&worker, &kitchen).await;
    assert_eq!((asked.state, states(&asked)), (RunState::Waiting, vec![RunState::Waiting; 3]));
    work(&worker).await;
    let run = read(test.app.catalog(), &asked).await;
    assert_eq!((run.state, run.attempts), (RunState::Succeeded, 1));
    assert_eq!(kitchen.done(), STEPS);
    assert_eq!(run.counts, BTreeMap::from([("plates".to_owned(), 6)]));
    assert!(run.steps.iter().all(|step| step.started_at <= step.ended_at && step.counts["plates"] == 2));
    assert_eq!(run.log.len(), 3);
    test.stop().await;
}

async fn an_interval_has_one_run_however_many_servers_ask(database: Database) {
    let test = TestApp::start(database).await;
    let asked = (0..20).map(|_| {
        let catalog = test.app.catalog().clone();
        tokio::spawn(async move { catalog.ask_for_run(&key(), Cause::Schedule, false, STEPS).await.unwrap() })
    });
    let answers: Vec<_> = futures::future::join_all(asked).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers.iter().filter(|(_, is_new)| *is_new).count(), 1);
    assert!(answers.iter().all(|(run, _)| run.id == answers[0].0.id));
    assert_eq!(test.app.catalog().runs(Some("kitchen"), None, 100).await.unwrap().len(), 1);
    test.stop().await;
}

async fn several_servers_do_each_run_once(database: Database) {
    let test = TestApp::start(database).await;
    let kitchen = Kitchen::default();
    let servers: Vec<Worker> = (0..4).map(|_| worker(&test, &kitchen)).collect();
    for hour in 0..12 {
        let start = an_hour().start + TimeDelta::hours(hour);
        let interval = Interval { start, end: start + TimeDelta::hours(1) };
        servers[0].ask(&kitchen, "", interval, Cause::Backfill, false).await.unwrap();
    }
    let working = servers.into_iter().map(|server| tokio::spawn(async move { work(&server).await }));
    for server in futures::future::join_all(working).await {
        server.unwrap();
    }
    assert_eq!(kitchen.done().len(), 12 * STEPS.len());
    let runs = test.app.catalog().runs(Some("kitchen"), None, 100).await.unwrap();
    assert!(runs.iter().all(|run| run.state == RunState::Succeeded && run.attempts == 1), "{runs:?}");
    test.stop().await;
}

async fn what_failed_is_tried_again_from_the_step_that_failed(database: Database) {
    let test = TestApp::start(database).await;
    for act in [Act::Fail, Act::Panic] {
        let kitchen = Kitchen::told(&[("sort", act)]);
        let worker = worker(&test, &kitchen);
        let asked = ask(&worker, &kitchen).await;
        assert!(worker.turn(&CancellationToken::new()).await.unwrap());
        let failed = read(test.app.catalog(), &asked).await;
        assert_eq!(failed.state, RunState::Waiting, "it waits for its next try");
        assert_eq!(states(&failed), [RunState::Succeeded, RunState::Failed, RunState::Waiting]);
        assert!(failed.error.is_some() && failed.due_at.is_some());
        work(&worker).await;
        let run = read(test.app.catalog(), &asked).await;
        assert_eq!((run.state, run.attempts, run.error), (RunState::Succeeded, 2, None));
        assert_eq!(kitchen.done(), STEPS, "what had succeeded was not done again");
        assert!(run.log.iter().any(|line| line.level == "error" && line.text.starts_with("sort: ")));
    }
    test.stop().await;
}

async fn a_run_that_failed_waits_for_as_long_as_it_is_told_to(database: Database) {
    let test = TestApp::start(database).await;
    let kitchen = Kitchen::told(&[("fetch", Act::Fail); 3]);
    let retries = test.app.settings().pipelines.retries();
    let worker = Worker::new(test.app.catalog().clone(), Uuid::now_v7(), vec![Box::new(kitchen.clone())], retries);
    let asked = ask(&worker, &kitchen).await;
    let before = gourmetgram::catalog::now();
    assert!(worker.turn(&CancellationToken::new()).await.unwrap());
    let after = Utc::now();
    let failed = read(test.app.catalog(), &asked).await;
    let five_minutes = TimeDelta::minutes(5);
    let due = failed.due_at.unwrap();
    assert!((before + five_minutes..=after + five_minutes).contains(&due), "{before} {due} {after}");
    assert!(!worker.turn(&CancellationToken::new()).await.unwrap(), "it is not due yet");
    assert_eq!(read(test.app.catalog(), &asked).await, failed);
    test.stop().await;
}

async fn after_its_last_try_a_run_is_given_up(database: Database) {
    let test = TestApp::start(database).await;
    for (acts, attempts) in [(vec![("fetch", Act::Fail); 3], 2), (vec![("fetch", Act::FailForGood)], 1)] {
        let kitchen = Kitchen::told(&acts);
        let worker = worker(&test, &kitchen);
        let asked = ask(&worker, &kitchen).await;
        work(&worker).await;
        let run = read(test.app.catalog(), &asked).await;
        assert_eq!((run.state, run.attempts), (RunState::Failed, attempts));
        assert!(run.error.unwrap().contains("stove"));
        assert_eq!(kitchen.done(), Vec::<&str>::new());
    }
    test.stop().await;
}

async fn waiting_for_others_is_no_failure(database: Database) {
    let test = TestApp::start(database).await;
    let kitchen = Kitchen::told(&[("sort", Act::Wait); 6]);
    let worker = worker(&test, &kitchen);
    let asked = ask(&worker, &kitchen).await;
    work(&worker).await;
    let run = read(test.app.catalog(), &asked).await;
    assert_eq!((run.state, run.attempts), (RunState::Succeeded, 1));
    assert_eq!(kitchen.done(), STEPS);
    test.stop().await;
}

async fn a_server_that_dies_leaves_its_run_to_another(database: Database) {
    let test = TestApp::start(database).await;
    let catalog = test.app.catalog();
    let kitchen = Kitchen::default();
    let heir = worker(&test, &kitchen);
    let asked = ask(&heir, &kitchen).await;
    // This one begins a step, and is never heard of again.
    let short = Duration::from_millis(300);
    let (_, lease) = catalog.claim_run(Uuid::now_v7(), &["kitchen"], short).await.unwrap().unwrap();
    catalog.begin_step(lease, 0).await.unwrap();
    assert!(!heir.turn(&CancellationToken::new()).await.unwrap(), "the lease still holds");
    tokio::time::sleep(short + Duration::from_millis(50)).await;
    work(&heir).await;
    let run = read(catalog, &asked).await;
    assert_eq!((run.state, run.attempts), (RunState::Succeeded, 2));
    // Back from the dead, it changes nothing.
    for late in [
        catalog.end_step(lease, 0, RunState::Failed, &BTreeMap::new()).await,
        catalog.end_run(lease, &RunEnd::Failed("late".to_owned())).await,
        catalog.renew_run(lease, short).await,
    ] {
        assert!(matches!(late, Err(RunError::Lost(_))), "{late:?}");
    }
    assert_eq!(read(catalog, &asked).await, run);
    test.stop().await;
}

/// A server takes the run up, begins a step of it, and is never heard of again.
async fn dies_over(catalog: &Catalog) {
    let node = Uuid::now_v7();
    let (_, lease) = catalog.claim_run(node, &["kitchen"], Duration::from_secs(3600)).await.unwrap().unwrap();
    catalog.begin_step(lease, 0).await.unwrap();
    catalog.release_runs(node).await.unwrap();
}

async fn a_servers_death_is_no_failure_of_its_run(database: Database) {
    let test = TestApp::start(database).await;
    let catalog = test.app.catalog();
    for (failures, end) in [(1, RunState::Succeeded), (2, RunState::Failed)] {
        let kitchen = Kitchen::told(&vec![("fetch", Act::Fail); failures]);
        let heir = worker(&test, &kitchen);
        let asked = ask(&heir, &kitchen).await;
        dies_over(catalog).await;
        assert!(heir.turn(&CancellationToken::new()).await.unwrap());
        let run = read(catalog, &asked).await;
        assert_eq!((run.state, run.attempts), (RunState::Waiting, 2), "it has failed once, and is tried again");
        assert!(run.error.is_some());
        // And so does another, before the next try.
        dies_over(catalog).await;
        work(&heir).await;
        let run = read(catalog, &asked).await;
        assert_eq!((run.state, run.attempts), (end, 4), "{run:?}");
    }
    test.stop().await;
}

async fn a_run_that_kills_every_server_comes_to_an_end(database: Database) {
    let test = TestApp::start(database).await;
    let catalog = test.app.catalog();
    let kitchen = Kitchen::default();
    let heir = worker(&test, &kitchen);
    let asked = ask(&heir, &kitchen).await;
    for _ in 0..10 {
        dies_over(catalog).await;
    }
    work(&heir).await;
    let run = read(catalog, &asked).await;
    assert_eq!(run.state, RunState::Failed);
    assert!(run.error.unwrap().contains("10 servers ended"));
    assert_eq!(kitchen.done(), Vec::<&str>::new(), "it is not begun again");
    // Whoever asks for it again begins anew; nine deaths are survived.
    assert_eq!(ask(&heir, &kitchen).await.id, asked.id);
    for _ in 0..9 {
        dies_over(catalog).await;
    }
    work(&heir).await;
    assert_eq!(read(catalog, &asked).await.state, RunState::Succeeded);
    assert_eq!(kitchen.done(), STEPS);
    test.stop().await;
}

async fn what_a_server_held_is_free_when_it_starts_again(database: Database) {
    let test = TestApp::start(database).await;
    let catalog = test.app.catalog();
    let kitchen = Kitchen::default();
    let other = worker(&test, &kitchen);
    ask(&other, &kitchen).await;
    let node = Uuid::now_v7();
    catalog.claim_run(node, &["kitchen"], Duration::from_secs(3600)).await.unwrap().unwrap();
    assert!(!other.turn(&CancellationToken::new()).await.unwrap());
    catalog.release_runs(node).await.unwrap();
    assert!(other.turn(&CancellationToken::new()).await.unwrap());
    test.stop().await;
}

async fn a_long_step_keeps_its_lease(database: Database) {
    let test = TestApp::start(database).await;
    let lease = Duration::from_millis(400);
    let kitchen = Kitchen::told(&[("fetch", Act::TakeTime(lease * 4))]);
    let slow = worker(&test, &kitchen).with_lease(lease);
    let eager = worker(&test, &kitchen).with_lease(lease);
    let asked = ask(&slow, &kitchen).await;
    let working = tokio::spawn(async move { work(&slow).await });
    while read(test.app.catalog(), &asked).await.state == RunState::Waiting {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    while read(test.app.catalog(), &asked).await.state == RunState::Running {
        assert!(!eager.turn(&CancellationToken::new()).await.unwrap(), "it was taken away");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    working.await.unwrap();
    assert_eq!(kitchen.done(), STEPS);
    test.stop().await;
}

async fn a_run_that_is_called_off_stops(database: Database) {
    let test = TestApp::start(database).await;
    let catalog = test.app.catalog();
    let kitchen = Kitchen::told(&[("sort", Act::TakeTime(Duration::from_secs(600)))]);
    let lease = Duration::from_millis(400);
    let server = worker(&test, &kitchen).with_lease(lease);
    let asked = ask(&server, &kitchen).await;
    let working = tokio::spawn(async move { server.turn(&CancellationToken::new()).await.unwrap() });
    while read(catalog, &asked).await.steps[1].state != RunState::Running {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(catalog.cancel_run(asked.id).await.unwrap());
    assert!(working.await.unwrap());
    let run = read(catalog, &asked).await;
    assert_eq!(run.state, RunState::Cancelled);
    assert_eq!(states(&run), [RunState::Succeeded, RunState::Cancelled, RunState::Cancelled]);
    assert!(!catalog.cancel_run(asked.id).await.unwrap(), "it is over");
    assert!(matches!(catalog.cancel_run(Uuid::now_v7()).await, Err(CatalogError::NotFound)));
    test.stop().await;
}

async fn asked_for_again_by_hand_a_run_is_done_again_and_a_schedule_leaves_it(database: Database) {
    let test = TestApp::start(database).await;
    let catalog = test.app.catalog();
    let kitchen = Kitchen::default();
    let server = worker(&test, &kitchen);
    let first = ask(&server, &kitchen).await;
    assert_eq!(ask(&server, &kitchen).await.id, first.id);
    work(&server).await;
    catalog.ask_for_run(&key(), Cause::Schedule, false, STEPS).await.unwrap();
    assert!(!server.turn(&CancellationToken::new()).await.unwrap(), "it was done");
    let again = ask(&server, &kitchen).await;
    assert_eq!((again.id, again.state, again.counts), (first.id, RunState::Waiting, BTreeMap::new()));
    work(&server).await;
    assert_eq!(kitchen.done().len(), 2 * STEPS.len());
    // Dry runs are their own.
    let (dry, is_new) = server.ask(&kitchen, "", an_hour(), Cause::Manual, true).await.unwrap();
    assert!(is_new && dry.dry_run && dry.id != first.id);
    test.stop().await;
}

async fn runs_of_a_backfill_let_others_pass_and_go_oldest_first(database: Database) {
    let test = TestApp::start(database).await;
    let kitchen = Kitchen::default();
    let server = worker(&test, &kitchen);
    let hour = |hour: i64| {
        let start = an_hour().start + TimeDelta::hours(hour);
        Interval { start, end: start + TimeDelta::hours(1) }
    };
    let intervals: Vec<Interval> = (1..4).map(hour).collect();
    assert_eq!(server.backfill(&kitchen, "", &intervals, false).await.unwrap(), 3);
    let mut order = Vec::new();
    let mut turn = async || {
        assert!(server.turn(&CancellationToken::new()).await.unwrap());
        let mut over = test.app.catalog().runs(Some("kitchen"), None, 100).await.unwrap();
        over.retain(|run| run.state == RunState::Succeeded && !order.contains(&run.start));
        assert_eq!(over.len(), 1);
        order.push(over[0].start);
    };
    turn().await;
    ask(&server, &kitchen).await;
    for _ in 0..3 {
        turn().await;
    }
    assert_eq!(order, [hour(1), hour(0), hour(2), hour(3)].map(|interval| interval.start));
    test.stop().await;
}

async fn a_schedule_looks_back_where_it_is_told_to(database: Database) {
    let test = TestApp::start(database).await;
    let scheduled = Scheduled {
        subject: String::new(),
        schedule: "0 * * * *".parse().unwrap(),
        since: Utc::now() - TimeDelta::hours(3),
        catch_up: false,
        looks_back: TimeDelta::days(7),
        overlap: TimeDelta::zero(),
    };
    let kitchen = Kitchen::scheduled(scheduled);
    work(&worker(&test, &kitchen)).await;
    work(&worker(&test, &kitchen)).await;
    let runs = test.app.catalog().runs(Some("kitchen"), None, 100).await.unwrap();
    assert_eq!(runs.len(), 1, "once for each time: {runs:?}");
    assert_eq!(runs[0].end - runs[0].start, TimeDelta::days(7));
    test.stop().await;
}

async fn a_schedule_asks_for_every_interval_that_has_ended(database: Database) {
    let test = TestApp::start(database).await;
    let since = Utc::now() - TimeDelta::hours(5);
    for (catch_up, expected) in [(true, 5..=6), (false, 1..=1)] {
        let subject = Uuid::now_v7().to_string();
        let schedule = "0 * * * *".parse().unwrap();
        let kitchen = Kitchen::scheduled(Scheduled {
            subject: subject.clone(),
            schedule,
            since,
            catch_up,
            looks_back: TimeDelta::zero(),
            overlap: TimeDelta::zero(),
        });
        let servers = [worker(&test, &kitchen), worker(&test, &kitchen)];
        for server in &servers {
            work(server).await;
        }
        let runs = test.app.catalog().runs(Some("kitchen"), None, 100).await.unwrap();
        let mut runs: Vec<Run> = runs.into_iter().filter(|run| run.campaign.unwrap().to_string() == subject).collect();
        runs.sort_by_key(|run| run.start);
        assert!(expected.contains(&runs.len()), "{}", runs.len());
        assert!(runs.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert!(runs.iter().all(|run| run.state == RunState::Succeeded && run.cause == Cause::Schedule));
        assert!(Utc::now() - runs.last().unwrap().end < TimeDelta::hours(1) + TimeDelta::minutes(1));
    }
    test.stop().await;
}

async fn a_scheduled_interval_reaches_back_into_the_one_before_where_it_is_told_to(database: Database) {
    let test = TestApp::start(database).await;
    let (since, overlap) = (gourmetgram::catalog::now() - TimeDelta::hours(4), TimeDelta::minutes(90));
    let scheduled = Scheduled {
        subject: String::new(),
        schedule: "0 * * * *".parse().unwrap(),
        since,
        catch_up: true,
        looks_back: TimeDelta::zero(),
        overlap,
    };
    let kitchen = Kitchen::scheduled(scheduled);
    work(&worker(&test, &kitchen)).await;
    work(&worker(&test, &kitchen)).await;
    let mut runs = test.app.catalog().runs(Some("kitchen"), None, 100).await.unwrap();
    runs.sort_by_key(|run| run.end);
    assert!((4..=5).contains(&runs.len()), "once for each time: {runs:?}");
    assert_eq!(runs[0].start, since);
    for pair in runs.windows(2) {
        assert_eq!(pair[1].start, (pair[0].end - overlap).max(since), "not before it began");
        assert_eq!(pair[1].end - pair[0].end, TimeDelta::hours(1));
    }
    test.stop().await;
}

on_both_databases! {
    a_run_does_its_steps => a_run_does_its_steps_in_order_and_says_what_it_did;
    one_run_an_interval => an_interval_has_one_run_however_many_servers_ask;
    each_run_once => several_servers_do_each_run_once;
    tried_again => what_failed_is_tried_again_from_the_step_that_failed;
    waits_five_minutes => a_run_that_failed_waits_for_as_long_as_it_is_told_to;
    given_up => after_its_last_try_a_run_is_given_up;
    waiting => waiting_for_others_is_no_failure;
    taken_over => a_server_that_dies_leaves_its_run_to_another;
    death_is_no_failure => a_servers_death_is_no_failure_of_its_run;
    deaths_end_it => a_run_that_kills_every_server_comes_to_an_end;
    free_at_start => what_a_server_held_is_free_when_it_starts_again;
    long_step => a_long_step_keeps_its_lease;
    called_off => a_run_that_is_called_off_stops;
    again => asked_for_again_by_hand_a_run_is_done_again_and_a_schedule_leaves_it;
    backfilled => runs_of_a_backfill_let_others_pass_and_go_oldest_first;
    looks_back => a_schedule_looks_back_where_it_is_told_to;
    overlaps => a_scheduled_interval_reaches_back_into_the_one_before_where_it_is_told_to;
    scheduled => a_schedule_asks_for_every_interval_that_has_ended;
}

//! Pipelines from the outside: by API, by the page's forms, and by schedule.

use gourmetgram::{
    accounts::Scope,
    catalog::{RunEnd, RunKey},
};
use gourmetgram_api::{
    Backfill, Campaign, CampaignRule, Cause, Counts, NewCampaign, Pipelines, Role, Run, RunPage, RunState,
};
use sea_orm::ConnectionTrait;
use secrecy::ExposeSecret;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::{
    on_both_databases,
    photos::{asked, campaign, minute, photo, photos, received, tasks},
    support::{Browser, BuiltApp, TestApp, eventually, problem},
};

async fn a_campaign(test: &TestApp, token: &str, asked: serde_json::Value) -> Campaign {
    let made = test.post("/api/v1/campaigns").bearer_auth(token).json(&asked).send().await.unwrap();
    assert_eq!(made.status(), 201);
    made.json().await.unwrap()
}

/// The run, as SQL of either database finds it.
fn of_run(run: &Run) -> String {
    format!("interval_start = '{}' AND NOT dry_run", run.start.format("%Y-%m-%dT%H:%M:%S+00:00"))
}

/// Waits until a run is over.
async fn over(test: &TestApp, token: &str, run: &Run) -> Run {
    let path = format!("/api/v1/pipelines/select/runs/{}", run.id);
    let mut latest = run.clone();
    eventually("the run is over", async || {
        latest = test.get(&path).bearer_auth(token).send().await.unwrap().json().await.unwrap();
        latest.state.is_over()
    })
    .await;
    latest
}

on_both_databases! {
    select_runs_for_an_interval_and_says_what_it_did => async |database| {
        let test = TestApp::start(database).await;
        for number in 0..20 {
            photo(&test.app, 5, number, 0.9).await;
        }
        let token = test.token(&[Scope::CampaignsWrite, Scope::PipelinesRead, Scope::PipelinesRun]).await;
        let campaign = a_campaign(&test, &token, json!({ "preset": "production" })).await;
        let asked = json!({ "campaign": campaign.id, "start": minute(0), "end": minute(30) });
        let runs = "/api/v1/pipelines/select/runs";

        let mut dry = asked.clone();
        dry["dry_run"] = true.into();
        let answer = test.post(runs).bearer_auth(&token).json(&dry).send().await.unwrap();
        assert_eq!(answer.status(), 202);
        let dry = over(&test, &token, &answer.json().await.unwrap()).await;
        assert_eq!((dry.state, dry.dry_run), (RunState::Succeeded, true));
        assert_eq!((dry.counts["considered"], dry.counts["chosen"]), (20, 20));
        assert_eq!(test.count("tasks").await, 0, "a dry run changes nothing");

        let first: Run = test.post(runs).bearer_auth(&token).json(&asked).send().await.unwrap().json().await.unwrap();
        let done = over(&test, &token, &first).await;
        assert_eq!((done.state, done.counts["chosen"]), (RunState::Succeeded, 20));
        assert!(done.log.iter().any(|line| line.text == "20 of 20 photos chosen"), "{:?}", done.log);
        assert_eq!(test.count("tasks").await, 20);

        // Asked for again, it is the same run, done again, and chooses nothing twice.
        let again: Run = test.post(runs).bearer_auth(&token).json(&asked).send().await.unwrap().json().await.unwrap();
        assert_eq!(again.id, first.id);
        assert_eq!(over(&test, &token, &again).await.counts["chosen"], 20);
        assert_eq!(test.count("tasks").await, 20);

        let list: RunPage = test.get(runs).bearer_auth(&token).send().await.unwrap().json().await.unwrap();
        assert_eq!(list.items.len(), 2);
        let known: Pipelines =
            test.get("/api/v1/pipelines").bearer_auth(&token).send().await.unwrap().json().await.unwrap();
        assert_eq!(known.items[0].steps, ["choose", "copy", "project", "tasks"]);
        assert_eq!(known.items[1].steps, ["pull", "erase", "move", "record"]);
        assert!(known.items[0].last_run.is_some());
        let tags = &known.items[2];
        assert_eq!((tags.name.as_str(), tags.needs_campaign, tags.schedules), ("tags", false, 1));
        assert!(tags.next_run.is_some_and(|next| next > chrono::Utc::now()), "{tags:?}");
        test.stop().await;
    };

    what_cannot_be_run_is_refused_and_makes_no_run => async |database| {
        let test = TestApp::start(database).await;
        let token = test.operator().await;
        let campaign = a_campaign(&test, &token, json!({ "preset": "production" })).await;
        let select = "/api/v1/pipelines/select/runs";
        let unknown = "01890a5d-ac96-774b-bcce-b302099a8057";
        for (path, body, status, named) in [
            ("/api/v1/pipelines/cook/runs", json!({ "campaign": campaign.id }), 404, "select"),
            (select, json!({}), 400, "campaign"),
            (select, json!({ "campaign": unknown }), 400, "no campaign"),
            (select, json!({ "campaign": campaign.id, "start": minute(5), "end": minute(5) }), 400, "end"),
            (select, json!({ "campaign": campaign.id, "when": "now" }), 400, "when"),
        ] {
            let refused = test.post(path).bearer_auth(&token).json(&body).send().await.unwrap();
            let refused = problem(refused, status).await;
            assert!(refused.detail.contains(named), "{path} {body}: {}", refused.detail);
        }
        for path in [format!("{select}/{unknown}"), format!("{select}/x")] {
            problem(test.get(&path).bearer_auth(&token).send().await.unwrap(), 404).await;
            problem(test.delete(&path).bearer_auth(&token).send().await.unwrap(), 404).await;
        }
        for query in ["limit=0", "limit=201", "before=x", "page=2"] {
            problem(test.get(&format!("{select}?{query}")).bearer_auth(&token).send().await.unwrap(), 400).await;
        }
        assert_eq!(test.count("runs").await, 0);
        for never in ["0 0 31 2 *", "61 * * * *", "often"] {
            let body = json!({ "name": never, "rule": { "kind": "everything" }, "schedule": never });
            let refused = test.post("/api/v1/campaigns").bearer_auth(&token).json(&body).send().await.unwrap();
            assert!(refused.status().is_client_error(), "{never}");
            assert!(refused.text().await.unwrap().contains("five fields of cron"), "{never}");
        }
        let reader = test.token(&[Scope::PipelinesRead]).await;
        let body = json!({ "campaign": campaign.id });
        problem(test.post(select).bearer_auth(&reader).json(&body).send().await.unwrap(), 403).await;
        test.stop().await;
    };

    a_backfill_runs_each_interval_once_and_goes_on_where_it_failed => async |database| {
        let test = TestApp::start(database).await;
        for (at, number) in [(5, 0), (5, 1), (15, 2), (25, 3)] {
            photo(&test.app, at, number, 0.9).await;
        }
        let token = test.token(&[Scope::CampaignsWrite, Scope::PipelinesRead, Scope::PipelinesRun]).await;
        let campaign = a_campaign(&test, &token, json!({ "preset": "production" })).await;
        let path = "/api/v1/pipelines/select/backfills";
        let asked = json!({
            "campaign": campaign.id, "start": minute(0), "end": minute(25), "schedule": "*/10 * * * *",
        });
        let fill = async |asked: &serde_json::Value| -> Backfill {
            let answer = test.post(path).bearer_auth(&token).json(asked).send().await.unwrap();
            assert_eq!(answer.status(), 202);
            answer.json().await.unwrap()
        };
        let runs = async || {
            let mut runs = test.app.catalog().runs(Some("select"), None, 100).await.unwrap();
            runs.sort_by_key(|run| (run.dry_run, run.start));
            runs
        };
        let all_over = async || {
            eventually("all runs are over", async || runs().await.iter().all(|run| run.state.is_over())).await;
        };

        let dry = fill(&json!({ "campaign": campaign.id, "start": minute(0), "end": minute(25),
            "schedule": "*/10 * * * *", "dry_run": true })).await;
        assert_eq!((dry.intervals, dry.asked), (3, 3));
        all_over().await;
        let of_dry = runs().await;
        assert!(of_dry.iter().all(|run| run.dry_run && run.state == RunState::Succeeded), "{of_dry:?}");
        assert_eq!(test.count("tasks").await, 0);

        let first = fill(&asked).await;
        assert_eq!((first.intervals, first.asked, first.kept), (3, 3, 0));
        assert_eq!((first.first.start, first.first.end), (minute(0), minute(10)));
        assert_eq!((first.last.start, first.last.end), (minute(20), minute(25)), "what is left over");
        all_over().await;
        let done: Vec<Run> = runs().await.into_iter().filter(|run| !run.dry_run).collect();
        assert_eq!(done.iter().map(|run| run.counts["chosen"]).collect::<Vec<_>>(), [2, 1, 0]);
        assert!(done.iter().all(|run| run.cause == Cause::Backfill && run.campaign == Some(campaign.id)));

        // What went well stays; what failed is done again, with the steps it begins with.
        test.sql(&format!("UPDATE runs SET state = 'failed', error = 'no plates' WHERE {}", of_run(&done[1]))).await;
        let again = fill(&asked).await;
        assert_eq!((again.intervals, again.asked, again.kept), (3, 1, 2));
        all_over().await;
        let once_more: Vec<Run> = runs().await.into_iter().filter(|run| !run.dry_run).collect();
        assert_eq!(once_more.iter().map(|run| run.id).collect::<Vec<_>>(), done.iter().map(|run| run.id).collect::<Vec<_>>());
        assert!(once_more.iter().all(|run| run.state == RunState::Succeeded && run.error.is_none()), "{once_more:?}");
        let repeated = test.app.catalog().run(done[1].id).await.unwrap().unwrap();
        assert_eq!(repeated.steps.len(), 4);
        assert!(repeated.log.iter().any(|line| line.text == "asked for again"));
        assert_eq!(fill(&asked).await.asked, 0);
        // Others in the same stretch of time are not touched.
        let wider = json!({ "campaign": campaign.id, "start": minute(0), "end": minute(30), "schedule": "*/10 * * * *" });
        let wider = fill(&wider).await;
        assert_eq!((wider.intervals, wider.asked, wider.kept), (3, 1, 2));
        all_over().await;
        assert_eq!(test.count("tasks").await, 4);

        // The campaign's own schedule, and a run for each of more intervals than are asked for in one transaction.
        let hourly = json!({ "name": "Often", "rule": { "kind": "everything" }, "schedule": "* * * * *",
            "starts_at": "2999-01-01T00:00:00Z" });
        let often = a_campaign(&test, &token, hourly).await;
        let day = json!({ "campaign": often.id, "start": "2026-11-23T00:00:00Z", "end": "2026-11-23T20:00:00Z" });
        assert_eq!(fill(&day).await.asked, 1200);
        assert_eq!(fill(&day).await.asked, 0);
        test.sql("UPDATE runs SET state = 'cancelled' WHERE state = 'waiting'").await;
        test.stop().await;
    };

    a_backfill_that_cannot_be_is_refused_and_makes_no_run => async |database| {
        let test = TestApp::start(database).await;
        let token = test.operator().await;
        let campaign = a_campaign(&test, &token, json!({ "preset": "production" })).await;
        let path = "/api/v1/pipelines/select/backfills";
        let (start, end) = ("2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z");
        let hours = "0 * * * *";
        for (path, body, status, named) in [
            ("/api/v1/pipelines/cook/backfills", json!({ "start": start, "end": end }), 404, "select"),
            (path, json!({ "campaign": campaign.id, "start": start }), 400, "end"),
            (path, json!({ "start": start, "end": end, "schedule": hours }), 400, "campaign"),
            (path, json!({ "campaign": campaign.id, "start": end, "end": start, "schedule": hours }), 400, "after start"),
            (path, json!({ "campaign": campaign.id, "start": start, "end": end }), 400, "say where intervals end"),
            (path, json!({ "campaign": campaign.id, "start": start, "end": end, "schedule": "often" }), 400, "five fields"),
            (path, json!({ "campaign": campaign.id, "start": "2020-01-01T00:00:00Z", "end": end, "schedule": hours }),
                400, "more than 10000 intervals"),
            (path, json!({ "campaign": campaign.id, "start": start, "end": end, "schedule": hours, "when": 1 }), 400, "when"),
        ] {
            let refused = test.post(path).bearer_auth(&token).json(&body).send().await.unwrap();
            let refused = problem(refused, status).await;
            assert!(refused.detail.contains(named), "{path} {body}: {}", refused.detail);
        }
        let reader = test.token(&[Scope::PipelinesRead]).await;
        let body = json!({ "campaign": campaign.id, "start": start, "end": end, "schedule": hours });
        problem(test.post(path).bearer_auth(&reader).json(&body).send().await.unwrap(), 403).await;
        assert_eq!(test.count("runs").await, 0);
        test.stop().await;
    };

    copies_that_never_come_fail_the_run_and_say_why => async |database| {
        // Rows without objects: what the outbox is to copy is not there.
        let adjust = |settings: &mut gourmetgram::config::Settings| settings.pipelines.retries = 0;
        let test = TestApp::start_with(database, adjust).await;
        photos(&test.app, 5, 0..2).await;
        let token = test.operator().await;
        let campaign = a_campaign(&test, &token, json!({ "preset": "production" })).await;
        let asked = json!({ "campaign": campaign.id, "start": minute(0), "end": minute(30) });
        let runs = "/api/v1/pipelines/select/runs";
        let asked: Run = test.post(runs).bearer_auth(&token).json(&asked).send().await.unwrap().json().await.unwrap();
        eventually("the outbox has tried", async || test.count("outbox").await == 2).await;
        test.sql("UPDATE outbox SET attempts = 6, last_error = 'no such photo'").await;
        let failed = over(&test, &token, &asked).await;
        assert_eq!(failed.state, RunState::Failed);
        assert!(failed.error.as_ref().unwrap().contains("photos cannot be copied"), "{failed:?}");
        assert_eq!(failed.counts["chosen"], 2, "what was chosen stays");
        test.stop().await;
    };

    the_pages_tell_each_runs_steps_history_and_trouble => async |database| {
        // No server works, so that runs stay as they are left.
        let test = TestApp::start_with(database, |settings| settings.pipelines.enabled = false).await;
        let token = test.operator().await;
        let ann = Browser::signed_in(&test, "ann", Role::Operator).await;
        let page = async |path: &str| ann.get(path).send().await.unwrap().text().await.unwrap();
        let campaign = a_campaign(&test, &token, json!({ "preset": "production", "name": "Week 48" })).await;
        use RunState::{Failed, Running, Succeeded};
        let steps_of = |page: &str| pieces(page, "<li class=\"chain__step", "</li>");

        let done = left(&test, &campaign, 10, &[Succeeded; 4], Some(RunEnd::Succeeded)).await;
        let shown = page("/pipelines").await;
        let graph = steps_of(&shown);
        for (step, name) in graph.iter().zip(["Choose done", "Copy done", "Project done", "Tasks done"]) {
            assert!(step.ends_with(name), "{step}, not {name}");
        }
        assert!(!shown.contains("data-live"), "nothing moves");
        let why = "3 photos cannot be copied for labelling";
        let failed = left(&test, &campaign, 11, &[Succeeded, Failed], Some(RunEnd::Failed(why.to_owned()))).await;
        let graph = steps_of(&page("/pipelines").await);
        for (step, name) in graph.iter().zip(["Choose done", "Copy failed", "Project waiting", "Tasks waiting"]) {
            assert!(step.ends_with(name), "{step}, not {name}");
        }
        let running = left(&test, &campaign, 12, &[Succeeded, Running], None).await;
        let shown = page("/pipelines").await;
        let graph = steps_of(&shown);
        for (step, name) in graph.iter().zip(["Choose done", "Copy running", "Project waiting", "Tasks waiting"]) {
            assert!(step.ends_with(name), "{step}, not {name}");
        }
        assert!(shown.contains("data-live"), "it moves");

        // The history: interval, pipeline, campaign, state, result, duration, attempts, and a link to the rest.
        let rows = pieces(&shown, "<tr>", "</tr>");
        let row_of = |run: &Run| {
            let day = run.start.format("%Y-%m-%d %H:%M").to_string();
            rows.iter().find(|row| row.contains(&day)).unwrap_or_else(|| panic!("{day} in {rows:?}")).clone()
        };
        let to = |run: &Run| run.end.format("to %H:%M UTC").to_string();
        let row = row_of(&done);
        assert!(row.contains(&to(&done)) && row.contains("select Week 48 done 3 chosen, 5 considered 75 s 1 "), "{row}");
        let row = row_of(&failed);
        assert!(row.contains(&to(&failed)) && row.contains("select Week 48 failed 3 chosen, 5 considered 75 s 1 "), "{row}");
        let row = row_of(&running);
        assert!(row.contains(&to(&running)) && row.contains("select Week 48 running – 1 "), "{row}");
        for run in [&done, &failed, &running] {
            assert!(shown.contains(&format!("href=\"/pipelines/{}\"", run.id)), "there is no way to what {} did", run.id);
        }

        // Each run's own page: steps with what they did and how long it took, the error, the log, and what can be done.
        let own = page(&format!("/pipelines/{}", done.id)).await;
        assert!(steps_of(&own)[0].ends_with("Choose done 75 s, 3 chosen, 5 considered"), "{:?}", steps_of(&own));
        assert!(own.contains("Run again") && !own.contains("data-live") && !own.contains("<dt>Error</dt>"));
        let own = page(&format!("/pipelines/{}", failed.id)).await;
        assert!(steps_of(&own)[1].ends_with("Copy failed 75 s"), "{:?}", steps_of(&own));
        assert!(words(&own).contains(&format!("Error {why}")), "{own}");
        assert!(words(&own).contains(&format!("error: copy: {why}")), "{own}");
        assert!(own.contains("Run again") && !own.contains("data-live"));
        let own = page(&format!("/pipelines/{}", running.id)).await;
        assert!(steps_of(&own)[1].ends_with("Copy running") && steps_of(&own)[2].ends_with("Project waiting"));
        assert!(own.contains("Cancel run") && own.contains("data-live") && own.contains("It has not said anything yet."));
        test.stop().await;
    };

    a_photo_that_is_stored_after_its_interval_was_run_is_considered_by_a_later_run_once => async |database| {
        let built = BuiltApp::build(database, |_| {}).await;
        let (catalog, worker) = (built.app.catalog(), built.app.pipelines());
        let stop = CancellationToken::new();
        let url = built.app.settings().catalog_url();
        let connection = sea_orm::Database::connect(url.expose_secret()).await.unwrap();
        let now = gourmetgram::catalog::now().timestamp() / 60 * 60;
        let ago = |minutes: i64| chrono::DateTime::from_timestamp(now - minutes * 60, 0).unwrap();
        let received_at = ago(3) + chrono::TimeDelta::seconds(30);
        let (in_time, late) = (received(received_at, 0, 0.9), received(received_at, 1, 0.9));
        for photo in [&in_time, &late] {
            let patience = chrono::Utc::now() + chrono::TimeDelta::hours(1);
            catalog.record(photo, None, Some(patience)).await.unwrap();
        }
        catalog.mark_stored(in_time.id).await.unwrap();
        // One whose window ends with the interval that the photos are of, and one that goes on.
        let mut campaigns = Vec::new();
        for (name, ends_at) in [("Goes on", None), ("Has ended", Some(ago(2)))] {
            let schedule = Some("* * * * *".to_owned());
            let asked = NewCampaign { schedule, ends_at, ..asked(name, CampaignRule::Everything) };
            campaigns.push(campaign(&built.app, &asked).await);
        }
        let made = ago(40).format("%Y-%m-%dT%H:%M:%S+00:00");
        let sql = format!("UPDATE campaigns SET created_at = '{made}'");
        connection.execute_unprepared(&sql).await.unwrap();
        // The interval is run as soon as it has ended, and one of them is still on its way to S3.
        let steps = worker.pipeline("select").unwrap().steps();
        for campaign in &campaigns {
            let subject = campaign.id.to_string();
            let key = RunKey { pipeline: "select".to_owned(), subject, start: ago(23), end: ago(2) };
            let (first, _) = catalog.ask_for_run(&key, Cause::Schedule, false, steps).await.unwrap();
            assert!(worker.work_on(first.id, &stop).await.unwrap());
            assert_eq!(tasks(&connection, campaign.id).await.len(), 1);
        }
        catalog.mark_stored(late.id).await.unwrap();
        for _ in 0..40 {
            worker.turn(&stop).await.unwrap();
        }
        for campaign in &campaigns {
            let mut runs = catalog.runs(Some("select"), None, 100).await.unwrap();
            runs.retain(|run| run.campaign == Some(campaign.id));
            runs.sort_by_key(|run| run.end);
            assert!(runs.len() >= 3 && runs.iter().all(|run| run.cause == Cause::Schedule), "{runs:?}");
            let considered: Vec<u64> = runs.iter().map(|run| run.counts["considered"]).collect();
            assert_eq!(considered[..3], [1, 1, 0], "each once, by the run that found it: {runs:?}");
            assert_eq!((runs[1].start, runs[1].end), (ago(22), ago(1)), "it reaches back");
            let known: Vec<_> = tasks(&connection, campaign.id).await.iter().map(|task| task.prediction_id).collect();
            assert_eq!(known.len(), 2);
            assert!(known.contains(&late.id.as_uuid()));
        }
        connection.close().await.unwrap();
        built.close().await;
    };

    what_was_missed_is_caught_up_or_given_up_as_the_settings_say => async |database| {
        for catch_up in [true, false] {
            let built = BuiltApp::build(database, |settings| settings.pipelines.catch_up = catch_up).await;
            let schedule = Some("* * * * *".to_owned());
            let asked = NewCampaign { schedule, ..asked("Missed", CampaignRule::Everything) };
            let campaign = campaign(&built.app, &asked).await;
            let url = built.app.settings().catalog_url();
            let connection = sea_orm::Database::connect(url.expose_secret()).await.unwrap();
            let made = (chrono::Utc::now() - chrono::TimeDelta::minutes(50)).format("%Y-%m-%dT%H:%M:%S+00:00");
            let sql = format!("UPDATE campaigns SET created_at = '{made}'");
            connection.execute_unprepared(&sql).await.unwrap();
            connection.close().await.unwrap();
            built.app.pipelines().turn(&CancellationToken::new()).await.unwrap();
            let mut runs = built.app.catalog().runs(Some("select"), None, 100).await.unwrap();
            runs.sort_by_key(|run| run.end);
            let is_its = |run: &Run| run.campaign == Some(campaign.id) && run.cause == Cause::Schedule;
            assert!(runs.iter().all(is_its), "{runs:?}");
            // One more, if a minute ended meanwhile.
            let expected = if catch_up { 50..=51 } else { 1..=1 };
            assert!(expected.contains(&runs.len()), "{catch_up}: {}", runs.len());
            let last = runs.pop().unwrap();
            assert!(chrono::Utc::now() - last.end < chrono::TimeDelta::minutes(2), "{last:?}");
            assert_eq!(last.end - last.start, chrono::TimeDelta::minutes(21), "its minute, and what comes late");
            built.close().await;
        }
    };

    a_run_is_called_off_by_api_and_stays_so => async |database| {
        // No server works, so that it waits.
        let test = TestApp::start_with(database, |settings| settings.pipelines.enabled = false).await;
        let token = test.token(&[Scope::CampaignsWrite, Scope::PipelinesRead, Scope::PipelinesRun]).await;
        let campaign = a_campaign(&test, &token, json!({ "preset": "production" })).await;
        let asked = json!({ "campaign": campaign.id, "start": minute(0), "end": minute(30) });
        let runs = "/api/v1/pipelines/select/runs";
        let asked: Run = test.post(runs).bearer_auth(&token).json(&asked).send().await.unwrap().json().await.unwrap();
        assert_eq!(asked.state, RunState::Waiting);
        let path = format!("{runs}/{}", asked.id);
        let reader = test.token(&[Scope::PipelinesRead]).await;
        problem(test.delete(&path).bearer_auth(&reader).send().await.unwrap(), 403).await;
        let mut answers = Vec::new();
        for _ in 0..2 {
            let answer = test.delete(&path).bearer_auth(&token).send().await.unwrap();
            assert_eq!(answer.status(), 200);
            answers.push(answer.json::<Run>().await.unwrap());
        }
        let first = &answers[0];
        assert_eq!((first.id, first.state, first.due_at), (asked.id, RunState::Cancelled, None));
        assert!(first.ended_at.is_some() && first.error.is_none());
        assert!(first.steps.iter().all(|step| step.state == RunState::Cancelled), "{first:?}");
        assert!(first.log.iter().any(|line| line.text == "called off"), "{first:?}");
        assert_eq!(answers[1], answers[0], "twice is no error and changes nothing");
        assert!(!test.app.pipelines().turn(&CancellationToken::new()).await.unwrap(), "nobody does it");
        test.stop().await;
    };

    a_campaign_with_a_schedule_selects_by_itself => async |database| {
        let test = TestApp::start(database).await;
        let token = test.operator().await;
        let asked = json!({ "name": "By itself", "rule": { "kind": "everything" }, "schedule": "* * * * *" });
        let campaign = a_campaign(&test, &token, asked).await;
        photo(&test.app, 5, 1, 0.9).await;
        // Made a while ago, it has intervals that are over.
        let past = chrono::Utc::now() - chrono::TimeDelta::minutes(3);
        let past = past.format("%Y-%m-%dT%H:%M:%S+00:00").to_string();
        test.sql(&format!("UPDATE campaigns SET created_at = '{past}'")).await;
        eventually("intervals that ended have been run", async || {
            let runs = test.app.catalog().runs(Some("select"), None, 10).await.unwrap();
            runs.len() >= 2 && runs.iter().all(|run| run.state == RunState::Succeeded)
        })
        .await;
        let runs = test.app.catalog().runs(Some("select"), None, 10).await.unwrap();
        assert!(runs.iter().all(|run| run.campaign == Some(campaign.id)));
        test.stop().await;
    };
}

#[tokio::test]
async fn the_page_runs_a_pipeline_by_a_plain_form_and_shows_what_became_of_it() {
    let test = TestApp::start(crate::support::Database::Sqlite).await;
    for number in 0..3 {
        photo(&test.app, 5, number, 0.9).await;
    }
    let token = test.operator().await;
    let ann = Browser::signed_in(&test, "ann", Role::Operator).await;
    let empty = ann.get("/pipelines").send().await.unwrap().text().await.unwrap();
    assert!(empty.contains("No pipeline has run yet.") && empty.contains("Make a campaign"), "{empty}");

    let campaign = a_campaign(&test, &token, json!({ "preset": "production", "name": "Week <48>" })).await;
    let id = campaign.id.to_string();
    let fields =
        |start| [("pipeline", "select"), ("campaign", id.as_str()), ("start", start), ("end", "2999-01-01T00:00")];
    let refused = ann.send_form("/pipelines/runs", &fields("yesterday")).await;
    assert_eq!(refused.status(), 400);
    assert!(refused.text().await.unwrap().contains("write it as 2026-11-24 10:00"));

    let box_ticked = [&fields("2020-01-01 00:00")[..], &[("dry_run", "true")]].concat();
    let sent = ann.send_form("/pipelines/runs", &box_ticked).await;
    assert_eq!(sent.status(), 303);
    let dry = test.app.catalog().runs(None, None, 1).await.unwrap().remove(0);
    assert!(dry.dry_run);
    let dry = over(&test, &token, &dry).await;
    assert_eq!((dry.state, dry.counts["chosen"]), (RunState::Succeeded, 3));
    assert_eq!((test.count("tasks").await, test.count("selections").await), (0, 0), "nothing was changed");
    let shown = ann.get(sent.headers()["location"].to_str().unwrap()).send().await.unwrap().text().await.unwrap();
    assert!(shown.contains("3 of 3 photos would be chosen"), "{shown}");
    assert!(ann.get("/pipelines").send().await.unwrap().text().await.unwrap().contains("name=\"dry_run\""));

    let sent = ann.send_form("/pipelines/runs", &fields("2020-01-01 00:00")).await;
    assert_eq!(sent.status(), 303);
    let page = sent.headers()["location"].to_str().unwrap().to_owned();
    let run = test.app.catalog().runs(None, None, 1).await.unwrap().remove(0);
    assert_eq!(page, format!("/pipelines/{}", run.id));
    over(&test, &token, &run).await;
    let shown = ann.get(&page).send().await.unwrap();
    assert_eq!(shown.status(), 200);
    let shown = shown.text().await.unwrap();
    for word in ["3 of 3 photos chosen", "Week &lt;48&gt;", "Choose", "Copy", "Run again"] {
        assert!(shown.contains(word), "{word} in {shown}");
    }
    assert!(!shown.contains("data-live"), "what is over does not move");
    let again = ann.send_form(&format!("{page}/again"), &[]).await;
    assert_eq!((again.status().as_u16(), again.headers()["location"].to_str().unwrap()), (303, page.as_str()));
    over(&test, &token, &run).await;
    assert_eq!(ann.get("/pipelines/01890a5d-ac96-774b-bcce-b302099a8057").send().await.unwrap().status(), 404);
    test.stop().await;
}

/// What a piece of a page says, without its marks.
fn words(html: &str) -> String {
    let mut text = String::new();
    let mut is_mark = false;
    for letter in html.chars() {
        match letter {
            '<' => {
                is_mark = true;
                text.push(' ');
            }
            '>' => is_mark = false,
            letter if !is_mark => text.push(letter),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The words of the pieces of a page that begin and end so.
fn pieces(page: &str, begin: &str, end: &str) -> Vec<String> {
    page.split(begin).skip(1).map(|rest| words(&format!("<{}", rest.split(end).next().unwrap_or_default()))).collect()
}

/// The steps of a run as a server leaves them that works on it: how each ended, or that it is still at it.
async fn left(test: &TestApp, campaign: &Campaign, hour: i64, steps: &[RunState], end: Option<RunEnd>) -> Run {
    let catalog = test.app.catalog();
    let start = minute(hour * 60);
    let key = RunKey {
        pipeline: "select".to_owned(),
        subject: campaign.id.to_string(),
        start,
        end: start + chrono::TimeDelta::minutes(30),
    };
    let names = ["choose", "copy", "project", "tasks"];
    let (row, _) = catalog.ask_for_run(&key, Cause::Manual, false, &names).await.unwrap();
    let hour = std::time::Duration::from_secs(3600);
    let (_, lease) = catalog.claim_this_run(uuid::Uuid::now_v7(), row.id, hour).await.unwrap().unwrap();
    for (position, state) in steps.iter().enumerate() {
        catalog.begin_step(lease, position).await.unwrap();
        if *state != RunState::Running {
            let counts = Counts::from([("chosen".to_owned(), 3), ("considered".to_owned(), 5)]);
            let counts = if position == 0 { counts } else { Counts::new() };
            catalog.end_step(lease, position, *state, &counts).await.unwrap();
        }
    }
    if let Some(end) = &end {
        if let RunEnd::Failed(error) = end {
            catalog.log_run(row.id, "error", &format!("copy: {error}")).await.unwrap();
        }
        catalog.end_run(lease, end).await.unwrap();
    }
    // What took how long is not the clock's to say here.
    for table in ["runs", "run_steps"] {
        let id = if table == "runs" { "id" } else { "run_id" };
        let by = if test.app.settings().catalog_url().expose_secret().starts_with("sqlite") {
            format!("hex({id}) = '{}'", row.id.simple().to_string().to_uppercase())
        } else {
            format!("{id} = '{}'", row.id)
        };
        for (ended, time) in [("IS NOT NULL", "2026-11-24T11:01:15+00:00"), ("IS NULL", "")] {
            let ended_at = if time.is_empty() { String::new() } else { format!(", ended_at = '{time}'") };
            let started = "2026-11-24T11:00:00+00:00";
            let sql = format!(
                "UPDATE {table} SET started_at = '{started}'{ended_at} \
                 WHERE {by} AND started_at IS NOT NULL AND ended_at {ended}"
            );
            test.sql(&sql).await;
        }
    }
    catalog.run(row.id).await.unwrap().unwrap()
}

#[tokio::test]
async fn the_page_asks_for_a_backfill_by_a_plain_form_and_says_what_came_of_it() {
    let test = TestApp::start(crate::support::Database::Sqlite).await;
    let token = test.operator().await;
    let ann = Browser::signed_in(&test, "ann", Role::Operator).await;
    let campaign = a_campaign(&test, &token, json!({ "preset": "production" })).await.id.to_string();
    let form = |pipeline, start, schedule| {
        [
            ("pipeline", pipeline),
            ("campaign", campaign.as_str()),
            ("start", start),
            ("end", "2026-11-24 00:00"),
            ("schedule", schedule),
        ]
    };
    for (fields, named) in [
        (form("select", "", "0 */8 * * *"), "From is empty"),
        (form("select", "2026-11-23 00:00", ""), "Say where intervals end"),
        (form("select", "2026-11-23 00:00", "often"), "five fields of cron"),
    ] {
        let refused = ann.send_form("/pipelines/backfills", &fields).await;
        assert_eq!(refused.status(), 400);
        let refused = refused.text().await.unwrap();
        assert!(refused.contains(named), "{named} in {refused}");
    }
    assert_eq!(test.count("runs").await, 0);
    // The campaign goes along with a pipeline that has none.
    for pipeline in ["select", "tags"] {
        let sent = ann.send_form("/pipelines/backfills", &form(pipeline, "2026-11-23 00:00", "0 */8 * * *")).await;
        assert_eq!(sent.status(), 303);
        let page = sent.headers()["location"].to_str().unwrap().to_owned();
        assert_eq!(page, "/pipelines?asked=3&kept=0");
        // A run that selects may have something to collect by now.
        assert_eq!(test.count(&format!("runs WHERE pipeline = '{pipeline}'")).await, 3);
        let shown = ann.get(&page).send().await.unwrap().text().await.unwrap();
        assert!(shown.contains("3 runs wait for their turn") && shown.contains("backfill"), "{shown}");
    }
    let nights = ann.get("/pipelines").send().await.unwrap().text().await.unwrap();
    assert!(nights.contains("Next run by itself"), "tags has a schedule of its own: {nights}");
    test.stop().await;
}

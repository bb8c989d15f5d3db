//! Simulated photos: who may send them, and that nobody can take them for real ones.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use gourmetgram::accounts::Scope;
use gourmetgram_api::{NewPrediction, Prediction, ProblemKind};
use reqwest::{RequestBuilder, multipart::Form};
use serde_json::json;
use uuid::{NoContext, Timestamp, Uuid};

use crate::{
    on_both_databases,
    support::{Browser, Database, TestApp, a_photo, created, form, problem},
};

/// A visitor token as a replay makes them.
const VISITOR: &str = "gourmetgram_visitor=simulated-visitor-0000000000000000000000001";

fn three_days_ago() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3) - TimeDelta::days(3)
}

fn of(photo: Vec<u8>, created_at: &str) -> Form {
    form(photo).text("source", "replay/test").text("created_at", created_at.to_owned())
}

impl TestApp {
    fn simulate(&self, operator: &str, form: Form) -> RequestBuilder {
        self.post("/api/v1/predictions").bearer_auth(operator).header("cookie", VISITOR).multipart(form)
    }

    async fn listed(&self, operator: &str) -> usize {
        let page: serde_json::Value =
            self.get("/api/v1/predictions").bearer_auth(operator).send().await.unwrap().json().await.unwrap();
        page["items"].as_array().unwrap().len()
    }
}

on_both_databases! {
    a_simulated_photo_is_of_its_time_of_its_visitor_and_marked => async |database| {
        let test = TestApp::start(database).await;
        let operator = test.operator().await;
        let at = three_days_ago();
        let new: NewPrediction = created(test.simulate(&operator, of(a_photo(1), &at.to_rfc3339())).send().await.unwrap()).await;
        let (seconds, _) = new.id.as_uuid().get_timestamp().unwrap().to_unix();
        assert_eq!(i64::try_from(seconds).unwrap(), at.timestamp(), "the id sorts where the photo belongs");

        let path = format!("/api/v1/predictions/{}", new.id);
        let seen = test.get(&path).header("cookie", VISITOR).send().await.unwrap().json::<Prediction>().await.unwrap();
        assert_eq!((seen.created_at, seen.source.as_deref()), (at, Some("replay/test")));
        let real = test.upload(a_photo(2)).await;
        assert_eq!(test.prediction(real.id, &operator).await.source, None);

        test.settle().await;
        assert_eq!(test.tag(&new.key, "timestamp").await.unwrap(), at.format("%Y-%m-%dT%H:%M:%SZ").to_string());
        assert_eq!(test.tag(&new.key, "source").await.as_deref(), Some("replay/test"));
        assert_eq!(test.tag(&real.key, "source").await, None);
        test.stop().await;
    };

    feedback_on_a_simulated_photo_is_its_visitors_at_its_time => async |database| {
        let test = TestApp::start(database).await;
        let operator = test.operator().await;
        let at = three_days_ago();
        let new = created(test.simulate(&operator, of(a_photo(1), &at.to_rfc3339())).send().await.unwrap()).await;
        let path = format!("/api/v1/predictions/{}/flag", new.id);
        let flag = |at: DateTime<Utc>| {
            let request = test.put(&path).bearer_auth(&operator).header("cookie", VISITOR);
            request.header("gourmetgram-created-at", at.to_rfc3339()).json(&json!({"reason": "wrong_label"})).send()
        };
        problem(flag(at - TimeDelta::seconds(1)).await.unwrap(), 422).await;
        problem(flag(Utc::now() + TimeDelta::hours(1)).await.unwrap(), 422).await;
        let later = at + TimeDelta::minutes(2);
        let seen: Prediction = flag(later).await.unwrap().json().await.unwrap();
        assert_eq!(seen.history.len(), 1, "what was refused changed nothing");
        assert_eq!((seen.history[0].at, seen.history[0].by.as_str()), (later, "visitor"));
        test.stop().await;
    };

    whoever_may_not_simulate_is_refused_and_nothing_is_recorded => async |database| {
        let test = TestApp::start(database).await;
        let operator = test.operator().await;
        let at = three_days_ago().to_rfc3339();
        let browser = Browser::open(&test).await;
        let real = browser.upload(a_photo(1)).await;
        let machine = test.token(&[Scope::PredictionsWrite, Scope::PredictionsRead, Scope::FeedbackWrite]).await;
        let senders = [
            test.post("/api/v1/predictions"),
            browser.post("/api/v1/predictions"),
            test.post("/api/v1/predictions").bearer_auth(&machine),
        ];
        for sender in senders {
            let refused = problem(sender.multipart(of(a_photo(2), &at)).send().await.unwrap(), 403).await;
            assert_eq!(refused.kind, ProblemKind::Forbidden);
        }
        problem(browser.post("/api/v1/predictions").multipart(form(a_photo(2)).text("source", "me")).send().await.unwrap(), 403).await;
        // The page's form knows no such parts at all.
        let by_form = Form::new().text("source", "replay/test").text("created_at", at.clone());
        assert_eq!(browser.post("/photos").multipart(by_form).send().await.unwrap().status(), 400);
        let flag = browser.put(&format!("/api/v1/predictions/{}/flag", real.id)).header("gourmetgram-created-at", &at);
        problem(flag.json(&json!({"reason": "other"})).send().await.unwrap(), 403).await;
        assert_eq!(test.listed(&operator).await, 1);
        test.stop().await;
    };
}

#[tokio::test]
async fn times_that_cannot_be_are_refused_and_nothing_is_recorded() {
    let test = TestApp::start(Database::Sqlite).await;
    let operator = test.operator().await;
    let at = three_days_ago();
    let tomorrow = (Utc::now() + TimeDelta::days(1)).to_rfc3339();
    for (created_at, status) in [(tomorrow.as_str(), 422), ("2019-12-31T23:59:59Z", 422), ("yesterday", 400)] {
        problem(test.simulate(&operator, of(a_photo(1), created_at)).send().await.unwrap(), status).await;
    }
    let no_source = form(a_photo(1)).text("created_at", at.to_rfc3339());
    problem(test.simulate(&operator, no_source).send().await.unwrap(), 422).await;
    let bad_source = form(a_photo(1)).text("created_at", at.to_rfc3339()).text("source", "<b>Bold</b>");
    problem(test.simulate(&operator, bad_source).send().await.unwrap(), 422).await;
    let of_now = of(a_photo(1), &at.to_rfc3339()).text("id", Uuid::now_v7().to_string());
    problem(test.simulate(&operator, of_now).send().await.unwrap(), 422).await;
    assert_eq!(test.listed(&operator).await, 0);

    let time = Timestamp::from_unix(NoContext, at.timestamp().unsigned_abs(), at.timestamp_subsec_nanos());
    let id = Uuid::new_v7(time).to_string();
    let of_then = of(a_photo(1), &at.to_rfc3339()).text("id", id.clone());
    assert_eq!(created(test.simulate(&operator, of_then).send().await.unwrap()).await.id.to_string(), id);
    test.stop().await;
}

#[tokio::test]
async fn feedback_of_another_time_is_taken_on_simulated_photos_only() {
    let test = TestApp::start(Database::Sqlite).await;
    let operator = test.operator().await;
    let real = test.upload(a_photo(1)).await;
    let request = test.delete(&format!("/api/v1/predictions/{}/flag", real.id)).bearer_auth(&operator);
    let request = request.header("gourmetgram-created-at", three_days_ago().to_rfc3339());
    assert!(problem(request.send().await.unwrap(), 422).await.detail.contains("real"));
    test.stop().await;
}

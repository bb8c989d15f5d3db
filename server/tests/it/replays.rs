//! Requests sent again make one prediction, for whoever sent them first, and for nobody else.

use gourmetgram_api::{NewPrediction, PredictionPage};
use reqwest::Response;
use uuid::Uuid;

use crate::{
    on_both_databases,
    support::{Browser, TestApp, a_photo, created, eventually, form, problem},
};

async fn count(test: &TestApp) -> usize {
    let operator = test.operator().await;
    let page: PredictionPage =
        test.get("/api/v1/predictions").bearer_auth(&operator).send().await.unwrap().json().await.unwrap();
    page.items.len()
}

/// Sends until the answer is no longer "being answered just now".
async fn patiently(mut send: impl AsyncFnMut() -> Response) -> Response {
    let mut last = None;
    eventually("an answer", async || {
        let answer = send().await;
        let done = answer.status() != 503;
        last = Some(answer);
        done
    })
    .await;
    last.unwrap()
}

on_both_databases! {
    the_same_id_makes_one_prediction => async |database| {
        let test = TestApp::start(database).await;
        let id = Uuid::now_v7().to_string();
        let send = || test.post("/api/v1/predictions").multipart(form(a_photo(1)).text("id", id.clone())).send();
        let first = created(send().await.unwrap()).await;
        assert_eq!(first.id.to_string(), id);
        let again = send().await.unwrap();
        assert_eq!(again.headers()["idempotency-replayed"], "true");
        assert_eq!(created(again).await, first);
        assert_eq!(count(&test).await, 1);
        test.stop().await;
    };

    the_same_idempotency_key_makes_one_prediction => async |database| {
        let test = TestApp::start(database).await;
        let key = Uuid::now_v7().to_string();
        let send = |photo| test.post("/api/v1/predictions").header("idempotency-key", &key).multipart(form(photo)).send();
        let first = created(send(a_photo(1)).await.unwrap()).await;
        assert_eq!(created(send(a_photo(1)).await.unwrap()).await, first);
        problem(send(a_photo(2)).await.unwrap(), 409).await;
        assert_eq!(count(&test).await, 1);
        test.stop().await;
    };

    the_same_request_many_times_at_once_makes_one_prediction => async |database| {
        let test = TestApp::start(database).await;
        let (id, key) = (Uuid::now_v7().to_string(), Uuid::now_v7().to_string());
        let send = async || {
            patiently(async || {
                let form = form(a_photo(1)).text("id", id.clone());
                test.post("/api/v1/predictions").header("idempotency-key", &key).multipart(form).send().await.unwrap()
            })
            .await
        };
        let answers = futures::future::join_all((0..12).map(|_| send())).await;
        let mut seen: Vec<NewPrediction> = Vec::new();
        for answer in answers {
            seen.push(created(answer).await);
        }
        assert!(seen.iter().all(|answer| *answer == seen[0]));
        assert_eq!(count(&test).await, 1);
        test.settle().await;
        assert_eq!(test.tags(&seen[0].key).await.unwrap().len(), 4);
        assert_eq!(std::fs::read_dir(test.data.path().join("spool")).unwrap().count(), 0);
        test.stop().await;
    };

    somebody_elses_id_is_taken_even_with_the_same_photo => async |database| {
        let test = TestApp::start(database).await;
        let (ann, bob) = (Browser::open(&test).await, Browser::open(&test).await);
        let id = Uuid::now_v7().to_string();
        let photo = || form(a_photo(1)).text("id", id.clone());
        let of_ann = created(ann.post("/api/v1/predictions").multipart(photo()).send().await.unwrap()).await;
        problem(bob.post("/api/v1/predictions").multipart(photo()).send().await.unwrap(), 409).await;
        problem(test.post("/api/v1/predictions").multipart(photo()).send().await.unwrap(), 409).await;
        let other = form(a_photo(2)).text("id", id.clone());
        problem(ann.post("/api/v1/predictions").multipart(other).send().await.unwrap(), 409).await;
        assert_eq!(created(ann.post("/api/v1/predictions").multipart(photo()).send().await.unwrap()).await, of_ann);
        test.stop().await;
    };

    one_key_of_two_visitors_makes_two_predictions => async |database| {
        let test = TestApp::start(database).await;
        let (ann, bob) = (Browser::open(&test).await, Browser::open(&test).await);
        let send = |browser: &Browser| {
            browser.post("/api/v1/predictions").header("idempotency-key", "1").multipart(form(a_photo(1))).send()
        };
        let of_ann = created(send(&ann).await.unwrap()).await;
        let of_bob = created(send(&bob).await.unwrap()).await;
        assert_ne!(of_ann.id, of_bob.id);
        test.stop().await;
    };
}

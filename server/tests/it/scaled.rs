//! A photo that was made smaller to be sent: what is said of it is checked, and recorded.

use gourmetgram_api::{NewPrediction, Prediction, Problem};
use reqwest::Response;

use crate::{
    on_both_databases,
    support::{Database, TestApp, a_photo, created, form, problem},
};

/// Sends a photo of 96 × 96 pixels, of which is said that it was this large.
async fn send(test: &TestApp, scaled_from: &str) -> Response {
    let form = form(a_photo(1)).text("scaled_from", scaled_from.to_owned());
    test.post("/api/v1/predictions").multipart(form).send().await.unwrap()
}

on_both_databases! {
    how_large_a_photo_was_is_recorded_shown_and_erased_with_it => async |database| {
        let test = TestApp::start(database).await;
        let operator = test.operator().await;
        let new: NewPrediction = created(send(&test, "4000x4000").await).await;
        let seen: Prediction = test.prediction(new.id, &new.feedback_token).await;
        assert_eq!(seen.scaled_from.unwrap().to_string(), "4000x4000");
        assert_eq!((seen.width, seen.height), (96, 96));
        let page = test.get(&format!("/photos/{}", new.id)).bearer_auth(&operator).send().await.unwrap();
        let page = page.text().await.unwrap();
        assert!(page.contains("Sent smaller: 4000 × 4000 → 96 × 96"), "{page}");
        let table = test.get("/api/v1/export?format=csv").bearer_auth(&operator).send().await.unwrap();
        let table = table.text().await.unwrap();
        assert!(table.lines().next().unwrap().ends_with(",scaled_from"), "{table}");
        assert!(table.lines().nth(1).unwrap().ends_with(",4000x4000"), "{table}");

        let path = format!("/api/v1/predictions/{}", new.id);
        assert_eq!(test.delete(&path).bearer_auth(&operator).send().await.unwrap().status(), 204);
        let row = test.app.catalog().prediction(new.id).await.unwrap().unwrap();
        assert_eq!(row.scaled_from, None);
        test.stop().await;
    };
}

#[tokio::test]
async fn what_cannot_have_been_its_size_is_refused_and_nothing_is_recorded() {
    let test = TestApp::start(Database::Sqlite).await;
    for nonsense in ["", "large", "4000", "4000x", "-4000x4000", "4000x4000px", "70000x70000", "0x0"] {
        let refused: Problem = problem(send(&test, nonsense).await, 400).await;
        assert!(refused.detail.contains("scaled_from") && refused.detail.contains("4032x3024"), "{}", refused.detail);
    }
    for impossible in ["96x96", "48x48", "4000x3000", "4000x96"] {
        let refused: Problem = problem(send(&test, impossible).await, 422).await;
        assert!(refused.detail.contains(impossible) && refused.detail.contains("96x96"), "{}", refused.detail);
    }
    let twice = form(a_photo(1)).text("scaled_from", "192x192").text("scaled_from", "192x192");
    problem(test.post("/api/v1/predictions").multipart(twice).send().await.unwrap(), 400).await;
    assert_eq!(test.count("predictions").await, 0);
    assert_eq!(std::fs::read_dir(test.data.path().join("spool")).unwrap().count(), 0);
    test.stop().await;
}

//! Coming in.

use gourmetgram_label_studio::{ApiToken, LabelStudio, LabelStudioError, Settings};

use crate::studio::Studio;

fn client(studio: &Studio, token: &str) -> LabelStudio {
    LabelStudio::new(Settings::new(studio.url.parse().unwrap(), ApiToken::new(&token.into()).unwrap())).unwrap()
}

#[tokio::test]
async fn both_kinds_of_tokens_open_it() {
    let Some(studio) = Studio::find("both_kinds_of_tokens_open_it") else { return };
    assert!(matches!(ApiToken::new(&studio.legacy_token.as_str().into()), Ok(ApiToken::Legacy(_))));
    assert!(matches!(ApiToken::new(&studio.personal_token.as_str().into()), Ok(ApiToken::PersonalAccess(_))));
    let legacy = client(&studio, &studio.legacy_token);
    let personal = client(&studio, &studio.personal_token);
    let user = legacy.whoami().await.unwrap();
    assert_eq!(user, personal.whoami().await.unwrap());
    // What was bought is used again.
    personal.projects().await.unwrap();
    assert!(personal.users().await.unwrap().contains(&user));
    assert_eq!(personal.version().await.unwrap(), "1.23.2");
}

#[tokio::test]
async fn a_wrong_token_of_either_kind_is_named_as_the_trouble() {
    let Some(studio) = Studio::find("a_wrong_token_of_either_kind_is_named_as_the_trouble") else { return };
    let (claims, _) = studio.personal_token.rsplit_once('.').unwrap();
    for wrong in ["05fecceb97d6ed10bc73209bc2d6367dd819e1d0".to_owned(), format!("{claims}.d3Jvbmc")] {
        let error = client(&studio, &wrong).whoami().await.unwrap_err();
        assert!(matches!(error, LabelStudioError::TokenRefused { .. }), "{error}");
        assert!(error.to_string().contains("Account & Settings"), "{error}");
        assert!(!error.to_string().contains(&wrong) && !format!("{error:?}").contains(&wrong));
    }
}

/// Why an access token is bought anew after a 401 and not by the clock.
#[tokio::test]
async fn an_access_token_that_is_no_longer_good_is_answered_with_401() {
    let Some(studio) = Studio::find("an_access_token_that_is_no_longer_good_is_answered_with_401") else { return };
    let ask = reqwest::Client::new().get(format!("{}/api/projects/", studio.url));
    let answer = ask.bearer_auth("eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl90eXBlIjoiYWNjZXNzIn0.c2ln").send().await.unwrap();
    assert_eq!(answer.status(), 401);
}

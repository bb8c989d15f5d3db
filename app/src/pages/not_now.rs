//! For whoever asks for a page that the server does not give now, and may give later.

use gourmetgram_api::{Problem, ProblemKind};
use leptos::{either::Either, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::NotFoundPage;
use crate::{
    backend::{PageStatus, PostedProblem},
    trouble::Trouble,
};

/// Says what keeps the page from being shown, and until when. It stands at the address that was asked for, so that trying
/// again is to ask for that address again. A form's address alone is no page: then it leads back to the start.
#[component]
pub fn NotNowPage() -> impl IntoView {
    match use_context::<PostedProblem>() {
        Some(PostedProblem(problem)) => Either::Left(view! { <NotNow problem/> }),
        None => Either::Right(view! { <NotFoundPage/> }),
    }
}

#[component]
fn NotNow(problem: Problem) -> impl IntoView {
    if let Some(status) = use_context::<PageStatus>() {
        status.set(problem.status);
    }
    let heading = match problem.kind {
        ProblemKind::RateLimited => "One plate at a time.",
        ProblemKind::Unavailable => "The kitchen is busy.",
        ProblemKind::Timeout => "That took too long.",
        ProblemKind::StorageFull => "The larder is full.",
        _ => "Something went wrong in our kitchen.",
    };
    let sign = problem.status.to_string();
    let request_id = problem.request_id.clone();
    let (way, words) = match use_query_map().read_untracked().get("posted") {
        None => ("", "Try again"),
        Some(_) => ("/", "To the kitchen"),
    };
    view! {
        <Title text="Not now"/>
        <div class="lost">
            <div class="plate" aria-hidden="true">
                <div class="plate__well">
                    <p class="plaque lost__plaque">{sign}</p>
                </div>
            </div>
            <div class="lost__words">
                <h1>{heading}</h1>
                <p>{Trouble::from(problem).server_words()}</p>
                <a class="button button--primary" href=way rel="external">{words}</a>
                {request_id.map(|id| view! { <p class="lost__id">"Request " <code>{id}</code></p> })}
            </div>
        </div>
    }
}

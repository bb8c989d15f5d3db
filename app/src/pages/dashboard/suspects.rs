//! The page `/dashboard/suspects`: labels that the model contradicts, for a second look.

use gourmetgram_api::{Evaluation, SuspectLabel, SuspectLabels};
use leptos::{either::EitherOf3, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::{
    asked::{Asked, photos_of},
    terms::{Term, named, term},
};
use crate::{
    components::TroubleNotice,
    forms,
    pages::loading,
    trouble::Trouble,
    wording::{count, grouped, moment, share},
};

/// The page's path.
const PAGE: &str = "/dashboard/suspects";

/// The way to the page, for the window and the model of an evaluation.
pub(super) fn way(evaluation: &Evaluation) -> Option<AnyView> {
    let wrong: u64 =
        evaluation.confusion.cells.iter().filter(|cell| cell.truth != cell.answer).map(|cell| cell.labels).sum();
    (wrong > 0).then(|| {
        let href = photos_of(evaluation).search();
        let label = count(usize::try_from(wrong).unwrap_or(usize::MAX), "label", "labels");
        view! {
            <p class="board__note">
                {named(Term::Suspects, "Suspect labels")} ": the model says something else than "
                <a href=format!("{PAGE}{href}") rel="external">{label}</a>
                ". Those of which it is surest are worth a second look."
            </p>
        }
        .into_any()
    })
}

/// The page.
#[component]
pub fn SuspectsPage() -> impl IntoView {
    let asked = Asked::read(&use_query_map().get_untracked());
    let back = asked.address();
    let question = asked.query();
    let found = Resource::new_blocking(|| (), move |()| loading::suspects(question.clone()));
    view! {
        <Title text="Suspect labels"/>
        <div class="board">
            <p class="board__back"><a href=back rel="external">"Back to the dashboard"</a></p>
            <header class="board__top">
                <div class="board__words">
                    <h1 class="board__title">"Labels the model contradicts"</h1>
                    <p class="board__lead">
                        {term(Term::Suspects)}
                        ": those that the model believes in least, beside what it believes in most. Where a person was wrong, the label stands here; where the model is sure and wrong, too."
                    </p>
                </div>
            </header>
            <Suspense fallback=|| view! { <p class="loading" role="status">"Reading the labels…"</p> }>
                {move || Suspend::new(async move { shown(found.await) })}
            </Suspense>
        </div>
    }
}

fn shown(found: Result<SuspectLabels, Trouble>) -> impl IntoView {
    match found {
        Err(trouble) => EitherOf3::A(view! { <TroubleNotice trouble/> }),
        Ok(found) if found.items.is_empty() => EitherOf3::B(view! {
            <p class="board__empty">{format!("Of {} no label says something else than the model.", about(&found))}</p>
        }),
        Ok(found) => EitherOf3::C(table(&found)),
    }
}

fn about(found: &SuspectLabels) -> String {
    let window = &found.window;
    format!("{}’s photos from {} to {}", found.model, moment(window.from), moment(window.to))
}

fn table(found: &SuspectLabels) -> AnyView {
    let all = format!(
        "{} of {} that it contradicts, of {}.",
        grouped(found.items.len() as u64),
        count(usize::try_from(found.contradicted).unwrap_or(usize::MAX), "label", "labels"),
        about(found)
    );
    let rows = found.items.iter().map(row);
    view! {
        <div class="board__section">
            <p class="board__note" id="suspects-title">{all}</p>
            <div class="table-scroll" tabindex="0" role="region" aria-labelledby="suspects-title">
                <table class="data-table data-table--dense suspects">
                    <thead>
                        <tr>
                            <th scope="col">"Photo"</th>
                            <th scope="col">"Label"</th>
                            <th scope="col">{named(Term::Suspects, "The model’s answer")}</th>
                            <th scope="col" class="number">{named(Term::Suspects, "Self-confidence")}</th>
                            <th scope="col" class="number">{named(Term::Suspects, "Margin")}</th>
                        </tr>
                    </thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </div>
        </div>
    }
    .into_any()
}

fn row(suspect: &SuspectLabel) -> AnyView {
    let photo = format!("/photos/{}", suspect.prediction);
    let words = format!("Photo labelled {}, answered {}", suspect.label, suspect.answer);
    view! {
        <tr>
            <td class="suspects__picture">
                <a href=photo rel="external">
                    <img src=forms::thumbnail(suspect.prediction, 96) alt=words width="48" height="48" loading="lazy" decoding="async"/>
                </a>
            </td>
            <th scope="row">{suspect.label.clone()}</th>
            <td>{suspect.answer.clone()} " " <span class="measure__range">{share(suspect.confidence)}</span></td>
            <td class="number">{share(suspect.self_confidence)}</td>
            <td class="number">{format!("−{:.3}", suspect.margin.abs())}</td>
        </tr>
    }
    .into_any()
}

//! The page `/dashboard`: how accurate the model really is on what production sends it, and what to do about it.
//!
//! A document without the product's scripts. `public/live.js` asks for it again every half minute and takes over the
//! parts that changed. What a number means is a link to `/dashboard/statistics`, which is docs/statistics.md.

mod asked;
mod classes;
mod confidence;
mod decision;
mod devices;
mod drift;
mod form;
mod headline;
mod labelling;
mod measures;
mod over_time;
mod people;
mod service;
mod statistics;
mod suspects;
mod terms;

use gourmetgram_api::{Evaluation, EvaluationWindow};
use leptos::{either::EitherOf3, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use self::asked::Asked;
pub use self::{statistics::StatisticsPage, suspects::SuspectsPage};
use super::loading;
use crate::{
    components::{EmptyState, Icon, Reason, TroubleNotice},
    measured::Measured,
    trouble::Trouble,
    wording::{moment, photos},
};

/// The page.
#[component]
pub fn DashboardPage() -> impl IntoView {
    let asked = Asked::read(&use_query_map().get_untracked());
    let question = asked.query();
    let found = Resource::new_blocking(|| (), move |()| loading::measured(question.clone()));
    view! {
        <Suspense fallback=|| view! { <p class="loading" role="status">"Reading the scale…"</p> }>
            {move || {
                let asked = asked.clone();
                Suspend::new(async move {
                    match found.await {
                        Ok(found) if found.is_empty() => EitherOf3::A(view! { <Nothing/> }),
                        Ok(found) => EitherOf3::B(board(&found, &asked)),
                        Err(trouble) => EitherOf3::C(refused(trouble, &asked)),
                    }
                })
            }}
        </Suspense>
    }
}

impl Measured {
    /// No photo has ever come in.
    fn is_empty(&self) -> bool {
        self.evaluation.headline.photos == 0 && self.evaluation.models.iter().all(|model| model.photos == 0)
    }
}

#[component]
fn Nothing() -> impl IntoView {
    view! {
        <EmptyState
            title="Dashboard"
            icon=Icon::Gauge
            heading="Nothing measured yet."
            lead="Here you will read how often the model is right, with the margin of that figure, and for which classes it is wrong."
        >
            <div class="empty__reasons">
                <Reason heading="Why it is empty">"No photo has come in yet, so there is nothing to measure."</Reason>
                <Reason heading="What happens then">
                    "A campaign draws photos by a known rule, people label them without seeing the answer, and from those labels this page works out how accurate the model is on all photos."
                </Reason>
            </div>
            <p class="empty__actions"><a class="button button--primary" href="/">"Send the first photo"</a></p>
        </EmptyState>
    }
}

/// The question has no answer, or the catalog cannot be asked.
fn refused(trouble: Trouble, asked: &Asked) -> AnyView {
    view! {
        <Title text="Dashboard"/>
        <div class="board">
            <header class="board__top">
                <h1 class="board__title">"How accurate is it really?"</h1>
                {form::form(asked, &[], "")}
            </header>
            <TroubleNotice trouble/>
        </div>
    }
    .into_any()
}

fn board(found: &Measured, asked: &Asked) -> AnyView {
    let evaluation = &found.evaluation;
    let now = evaluation.computed_at;
    let nothing_here = (evaluation.headline.photos == 0).then(|| {
        view! {
            <p class="board__empty">
                {format!("{} received no photo in this window. ", evaluation.model)}
                <a href=asked.clone().with("from", "").with("to", "").with("window", EvaluationWindow::All.as_str()).address() rel="external">
                    "Look at everything there is"
                </a>
            </p>
        }
    });
    view! {
        <Title text="Dashboard"/>
        <div class="board">
            <header class="board__top">
                <div class="board__words">
                    <h1 class="board__title">"How accurate is it really?"</h1>
                    <p class="board__lead">{about(evaluation)}</p>
                </div>
                {form::form(asked, &evaluation.models, &evaluation.model)}
            </header>
            {nothing_here}
            <div class="board__first">
                {headline::headline(evaluation)}
                {decision::decision(&evaluation.decision)}
                {headline::beside(&evaluation.headline)}
            </div>
            {ways()}
            {over_time::over_time(evaluation, asked)}
            {classes::classes(evaluation)}
            {confidence::confidence(evaluation)}
            {drift::drift(evaluation)}
            {devices::devices(evaluation)}
            {people::people(evaluation)}
            {labelling::labelling(evaluation)}
            {service::service(&found.work, &found.operation, evaluation.uncounted, now)}
            {audit(evaluation)}
        </div>
        <script type="module" src="/live.js"></script>
    }
    .into_any()
}

/// The way to each part of the page.
fn ways() -> AnyView {
    let ways = [
        ("over-time", "Over time"),
        ("classes", "By class"),
        ("confidence", "Confidence"),
        ("drift", "Drift"),
        ("devices", "Devices"),
        ("people", "People"),
        ("labelling", "Labelling"),
        ("service", "Work"),
        ("audit", "Audit"),
    ];
    let ways = ways.map(|(part, name)| view! { <li><a href=format!("#{part}") rel="external">{name}</a></li> });
    view! { <nav class="board__ways" aria-label="On this page"><ul>{ways.collect_view()}</ul></nav> }.into_any()
}

fn about(evaluation: &Evaluation) -> String {
    let window = &evaluation.window;
    let photos = photos(evaluation.headline.photos);
    format!("{}, {photos} from {} to {}.", evaluation.model, moment(window.from), moment(window.to))
}

/// From what anybody computes it again.
fn audit(evaluation: &Evaluation) -> AnyView {
    let manifest = evaluation.manifest.clone();
    view! {
        <section class="board__section board__audit" aria-labelledby="audit-title" id="audit" data-live="30">
            <header class="board__head">
                <h2 id="audit-title">"Do not take our word for it"</h2>
            </header>
            <p class="board__text">
                "Computed " {moment(evaluation.computed_at)} ". The " <a href=manifest rel="external">"manifest"</a>
                " names the records from which anybody computes the same digits without this server: "
                <code class="board__code">"gourmetgram evaluate --from records"</code>
            </p>
        </section>
    }
    .into_any()
}

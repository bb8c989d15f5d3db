//! The pages `/pipelines` and `/pipelines/{run}`: what goes on by itself, what became of it, and asking for more.
//!
//! They are documents without the product's scripts; what moves on them is brought up to date by `public/live.js`, which
//! asks for the page again and takes over the parts marked `data-live`.

mod history;
mod run;
pub(super) mod wording;

use gourmetgram_api::{PipelineInfo, ProblemKind, RunState};
use leptos::{either::Either, prelude::*};
use leptos_meta::Title;

pub use self::run::RunPage;
use self::{
    history::History,
    wording::{interval, state_word, step_word},
};
use super::loading;
use crate::{
    backend::{PageStatus, PostedProblem},
    components::{EmptyState, Icon, Reason, TroubleNotice},
    trouble::Trouble,
    wording::moment,
    work::WorkShown,
};

/// The pipelines, and what became of their runs.
#[component]
pub fn PipelinesPage() -> impl IntoView {
    let shown = Resource::new_blocking(|| (), |()| loading::work());
    view! {
        <Title text="Pipelines"/>
        <Suspense fallback=|| view! { <p class="loading" role="status">"Asking what goes on…"</p> }>
            {move || Suspend::new(async move {
                match shown.await {
                    Ok(shown) => Either::Left(view! { <Work shown/> }),
                    Err(trouble) => Either::Right(view! { <Closed trouble/> }),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Work(shown: WorkShown) -> impl IntoView {
    let moves = shown.is_moving().then_some("");
    let pipelines = shown.pipelines.items.iter().map(|pipeline| view! { <Pipeline pipeline=pipeline.clone()/> });
    let pipelines = pipelines.collect_view();
    let has_runs = !shown.runs.items.is_empty();
    view! {
        <div class="work">
            <header class="work__head">
                <h1 class="work__title">"Pipelines"</h1>
                <p class="work__lead">"From photos to labels, interval by interval. Each interval is done once, on whichever server is free."</p>
            </header>
            <PostedTrouble/>
            <ul class="work__pipelines" id="pipelines" data-live=moves>{pipelines}</ul>
            <Ask shown=shown.clone()/>
            {match has_runs {
                true => Either::Left(view! { <History shown/> }),
                false => Either::Right(view! { <NothingYet/> }),
            }}
        </div>
        <script type="module" src="/live.js"></script>
    }
}

/// One pipeline: its steps as a chain, and how its last run ended.
#[component]
fn Pipeline(pipeline: PipelineInfo) -> impl IntoView {
    let last = pipeline.last_run.clone();
    let steps = pipeline.steps.iter().map(|step| {
        view! { <li class="chain__step">{step_word(step)}</li> }
    });
    let steps = steps.collect_view();
    let next = match pipeline.next_run {
        Some(at) => format!("Next run by itself: {}.", moment(at)),
        None if pipeline.needs_campaign => "It does not run by itself: no campaign has a schedule.".to_owned(),
        None => "It runs when asked.".to_owned(),
    };
    view! {
        <li class="card">
            <h2 class="card__title">{pipeline.name.clone()}</h2>
            <p>{pipeline.about.clone()}</p>
            <ol class="chain" role="list" aria-label=format!("Steps of {}", pipeline.name)>{steps}</ol>
            <p class="work__note">{next}</p>
            {last.map(|run| view! {
                <p class="work__note">
                    "Last run: " <a href=format!("/pipelines/{}", run.id) rel="external">{interval(run.start, run.end)}</a> ", "
                    <span class=format!("run-state run-state--{}", run.state)>{state_word(run.state)}</span>
                </p>
            })}
        </li>
    }
}

/// The form that asks for a run.
#[component]
fn Ask(shown: WorkShown) -> impl IntoView {
    let campaigns: Vec<_> = shown.campaigns.into_iter().filter(|campaign| !campaign.archived).collect();
    let choices = shown.pipelines.items.iter().map(|pipeline| {
        let name = pipeline.name.clone();
        view! { <option value=name.clone()>{name.clone()}</option> }
    });
    let choices = choices.collect_view();
    if campaigns.is_empty() {
        return Either::Left(view! {
            <section class="work__ask" aria-labelledby="ask-title">
                <h2 id="ask-title">"Run a pipeline"</h2>
                <p>"A run is about a campaign, and there is none yet. " <a href="/campaigns" rel="external">"Make a campaign"</a></p>
            </section>
        });
    }
    let campaigns = campaigns.into_iter().map(|campaign| {
        view! { <option value=campaign.id.to_string()>{campaign.name}</option> }
    });
    let campaigns = campaigns.collect_view();
    Either::Right(view! {
        <section class="work__ask" aria-labelledby="ask-title">
            <h2 id="ask-title">"Run a pipeline"</h2>
            <form class="work__form" method="post" action="/pipelines/runs">
                <div class="field">
                    <label class="field__label" for="ask-pipeline">"Pipeline"</label>
                    <select class="select" id="ask-pipeline" name="pipeline">{choices}</select>
                </div>
                <div class="field">
                    <label class="field__label" for="ask-campaign">"Campaign"</label>
                    <select class="select" id="ask-campaign" name="campaign">{campaigns}</select>
                </div>
                <div class="field">
                    <label class="field__label" for="ask-start">"From, in UTC"</label>
                    <input class="input" id="ask-start" name="start" type="text" inputmode="numeric" autocomplete="off" placeholder="2026-11-24 10:00" aria-describedby="ask-hint"/>
                </div>
                <div class="field">
                    <label class="field__label" for="ask-end">"Up to, in UTC"</label>
                    <input class="input" id="ask-end" name="end" type="text" inputmode="numeric" autocomplete="off" placeholder="2026-11-24 10:00" aria-describedby="ask-hint"/>
                </div>
                <label class="work__dry">
                    <input type="checkbox" name="dry_run" value="true"/> "Dry run: only say what would be done"
                </label>
                <button class="button button--primary" type="submit">"Run"</button>
            </form>
            <p class="field__hint" id="ask-hint">"Written like 2026-11-24 10:00. Left empty, it is the last half hour."</p>
        </section>
    })
}

#[component]
fn NothingYet() -> impl IntoView {
    view! {
        <section class="work__none">
            <h2>"No pipeline has run yet."</h2>
            <p>"A campaign with a schedule runs by itself. Or run one above."</p>
        </section>
    }
}

/// Why the form just posted was refused.
#[component]
fn PostedTrouble() -> impl IntoView {
    let posted = use_context::<PostedProblem>().map(|posted| posted.0);
    if let (Some(status), Some(problem)) = (use_context::<PageStatus>(), &posted) {
        status.set(problem.status);
    }
    posted.map(Trouble::from).map(|trouble| view! { <TroubleNotice trouble/> })
}

/// Why there is no page, and what to do about it.
#[component]
fn Closed(trouble: Trouble) -> impl IntoView {
    let is_absent = matches!(&trouble, Trouble::Refused(problem) if problem.kind == ProblemKind::NotFound);
    let reason = if is_absent { "There is no such run" } else { "It cannot be shown just now" };
    view! {
        <EmptyState title="Pipelines" icon=Icon::Flow heading="Nothing to follow." lead="Runs of pipelines are kept with their steps and their log.">
            <TroubleNotice trouble/>
            <div class="empty__reasons"><Reason heading="Why">{reason}</Reason></div>
            <p class="empty__actions"><a class="button" href="/pipelines" rel="external">"All pipelines"</a></p>
        </EmptyState>
    }
}

/// The mark and the word for how far something is: never colour alone.
#[component]
pub(in crate::pages) fn State(
    /// How far something is.
    state: RunState,
) -> impl IntoView {
    let icon = match state {
        RunState::Waiting => Icon::Clock,
        RunState::Running => Icon::Again,
        RunState::Succeeded => Icon::Check,
        RunState::Failed => Icon::Warning,
        RunState::Cancelled => Icon::Cross,
    };
    view! { <span class=format!("run-state run-state--{state}")>{icon.view()}<span>{state_word(state)}</span></span> }
}

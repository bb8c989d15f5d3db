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
use leptos_router::hooks::use_query_map;

pub use self::run::RunPage;
use self::{
    history::History,
    wording::{asked_words, interval, state_word, step_word},
};
use super::loading;
use crate::{
    backend::{PageStatus, PostedProblem},
    components::{EmptyState, Icon, Notice, Reason, TroubleNotice},
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
            <Asked/>
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

/// One pipeline: its steps as a chain, how far each is in its last run, and how that ended.
#[component]
fn Pipeline(pipeline: PipelineInfo) -> impl IntoView {
    let last = pipeline.last_run.clone();
    let state_of = |step: &str| {
        let known = last.as_ref().and_then(|run| run.steps.iter().find(|known| known.name == step));
        known.map(|known| known.state)
    };
    let steps = pipeline.steps.iter().map(|step| {
        let state = state_of(step);
        view! {
            <li class="chain__step" class:chain__step--now=state == Some(RunState::Running)>
                {step_word(step)} {state.map(|state| view! { <State state/> })}
            </li>
        }
    });
    let steps = steps.collect_view();
    let label = match &last {
        Some(_) => format!("Steps of {}, and how far its last run is", pipeline.name),
        None => format!("Steps of {}", pipeline.name),
    };
    let next = match pipeline.next_run {
        Some(at) => format!("Next run by itself: {}.", moment(at)),
        None if pipeline.needs_campaign => "It does not run by itself: no campaign has a schedule.".to_owned(),
        None => "It runs when asked.".to_owned(),
    };
    view! {
        <li class="card">
            <h2 class="card__title">{pipeline.name.clone()}</h2>
            <p>{pipeline.about.clone()}</p>
            <ol class="chain" role="list" aria-label=label>{steps}</ol>
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

/// The forms that ask for a run, and for a backfill.
#[component]
fn Ask(shown: WorkShown) -> impl IntoView {
    let campaigns: Vec<_> = shown.campaigns.into_iter().filter(|campaign| !campaign.archived).collect();
    let has_none = campaigns.is_empty();
    let pipelines = shown.pipelines.items.into_iter().filter(|pipeline| !(has_none && pipeline.needs_campaign));
    let pipelines: Vec<String> = pipelines.map(|pipeline| pipeline.name).collect();
    let about = |id: &'static str| {
        let choices = pipelines.iter().map(|name| view! { <option value=name.clone()>{name.clone()}</option> });
        let choices = choices.collect_view();
        let campaigns = campaigns.iter().map(|campaign| {
            view! { <option value=campaign.id.to_string()>{campaign.name.clone()}</option> }
        });
        let campaigns = campaigns.collect_view();
        view! {
            <div class="field">
                <label class="field__label" for=format!("{id}-pipeline")>"Pipeline"</label>
                <select class="select" id=format!("{id}-pipeline") name="pipeline">{choices}</select>
            </div>
            {(!has_none).then(|| view! {
                <div class="field">
                    <label class="field__label" for=format!("{id}-campaign")>"Campaign"</label>
                    <select class="select" id=format!("{id}-campaign") name="campaign">{campaigns}</select>
                </div>
            })}
        }
    };
    view! {
        <section class="work__ask" aria-labelledby="ask-title">
            <h2 id="ask-title">"Run a pipeline"</h2>
            {has_none.then(|| view! {
                <p>"Most runs are about a campaign, and there is none yet. " <a href="/campaigns" rel="external">"Make a campaign"</a></p>
            })}
            <form class="work__form" method="post" action="/pipelines/runs">
                {about("ask")}
                <Moment id="ask-start" name="start" label="From, in UTC" hint="ask-hint" is_required=false/>
                <Moment id="ask-end" name="end" label="Up to, in UTC" hint="ask-hint" is_required=false/>
                <DryRun/>
                <button class="button button--primary" type="submit">"Run"</button>
            </form>
            <p class="field__hint" id="ask-hint">"Written like 2026-11-24 10:00. Left empty, it is the last half hour."</p>
            <details class="work__backfill">
                <summary>"Backfill: a run for each interval of a longer time"</summary>
                <form class="work__form" method="post" action="/pipelines/backfills">
                    {about("fill")}
                    <Moment id="fill-start" name="start" label="From, in UTC" hint="fill-hint" is_required=true/>
                    <Moment id="fill-end" name="end" label="Up to, in UTC" hint="fill-hint" is_required=true/>
                    <div class="field">
                        <label class="field__label" for="fill-schedule">"Intervals end at"</label>
                        <input class="input" id="fill-schedule" name="schedule" type="text" autocomplete="off" spellcheck="false" placeholder="0 * * * *" aria-describedby="fill-hint"/>
                    </div>
                    <DryRun/>
                    <button class="button" type="submit">"Backfill"</button>
                </form>
                <p class="field__hint" id="fill-hint">
                    "Intervals end as the five fields of cron say, in UTC; left empty, as the pipeline runs by itself. What went well before is not done again. At most 10,000 intervals."
                </p>
            </details>
        </section>
    }
}

/// A field for a moment.
#[component]
fn Moment(
    /// Its id.
    id: &'static str,
    /// Its name in the form.
    name: &'static str,
    /// What it is.
    label: &'static str,
    /// Id of what explains how it is written.
    hint: &'static str,
    /// Whether it must not be empty.
    is_required: bool,
) -> impl IntoView {
    view! {
        <div class="field">
            <label class="field__label" for=id>{label}</label>
            <input class="input" id=id name=name type="text" inputmode="numeric" autocomplete="off" placeholder="2026-11-24 10:00" aria-describedby=hint required=is_required/>
        </div>
    }
}

#[component]
fn DryRun() -> impl IntoView {
    view! {
        <label class="work__dry">
            <input type="checkbox" name="dry_run" value="true"/> "Dry run: only say what would be done"
        </label>
    }
}

/// What came of the backfill just asked for.
#[component]
fn Asked() -> impl IntoView {
    let query = use_query_map().read_untracked();
    let number = |name: &str| query.get(name).and_then(|number| number.parse::<u64>().ok());
    number("asked").zip(number("kept")).map(|(asked, kept)| {
        view! { <Notice title="Backfill" text=asked_words(asked, kept)/> }
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

//! One run: its steps, what each did, and what it said.

use gourmetgram_api::{LogLine, RunState, RunStep};
use leptos::{either::Either, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use super::{
    Closed, PostedTrouble, State,
    wording::{cause_word, counted, duration, interval, step_word},
};
use crate::{pages::loading, wording::moment, work::RunShown};

/// The page.
#[component]
pub fn RunPage() -> impl IntoView {
    let parameters = use_params_map();
    let id = parameters.read_untracked().get("run").and_then(|id| id.parse().ok());
    let shown = Resource::new_blocking(|| (), move |()| loading::run(id));
    view! {
        <Suspense fallback=|| view! { <p class="loading" role="status">"Looking the run up…"</p> }>
            {move || Suspend::new(async move {
                match shown.await {
                    Ok(shown) => Either::Left(view! { <Shown shown/> }),
                    Err(trouble) => Either::Right(view! { <Closed trouble/> }),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Shown(shown: RunShown) -> impl IntoView {
    let RunShown { run, campaign } = shown;
    let moves = (!run.state.is_over()).then_some("");
    let title = format!("{}, {}", run.pipeline, interval(run.start, run.end));
    let steps = run.steps.iter().map(step).collect_view();
    let lines = run.log.iter().map(line).collect_view();
    let says_nothing = run.log.is_empty();
    let is_over = run.state.is_over();
    let id = run.id;
    view! {
        <Title text=title/>
        <div class="work">
            <p class="work__back"><a href="/pipelines" rel="external">"All pipelines"</a></p>
            <PostedTrouble/>
            <div class="work__run" id="run" data-live=moves>
                <header class="work__head">
                    <h1 class="work__title">{interval(run.start, run.end)}</h1>
                    <p class="work__lead"><State state=run.state/></p>
                </header>
                <dl class="pairs">
                    <div><dt>"Pipeline"</dt><dd>{run.pipeline.clone()}</dd></div>
                    {campaign.map(|name| view! { <div><dt>"Campaign"</dt><dd>{name}</dd></div> })}
                    <div><dt>"Started"</dt><dd>{moment(run.created_at)} ", " {cause_word(run.cause)}</dd></div>
                    {run.dry_run.then(|| view! { <div><dt>"Dry run"</dt><dd>"It changes nothing."</dd></div> })}
                    <div><dt>"Attempts"</dt><dd>{run.attempts}</dd></div>
                    {run.due_at.map(|at| view! { <div><dt>"Not before"</dt><dd>{moment(at)}</dd></div> })}
                    {(!run.counts.is_empty()).then(|| view! { <div><dt>"Result"</dt><dd>{counted(&run.counts)}</dd></div> })}
                    {run.error.clone().map(|error| view! { <div><dt>"Error"</dt><dd>{error}</dd></div> })}
                </dl>
                <h2>"Steps"</h2>
                <ol class="chain chain--told" role="list">{steps}</ol>
                <h2 id="log-title">"Log"</h2>
                {match says_nothing {
                    true => Either::Left(view! { <p class="work__note">"It has not said anything yet."</p> }),
                    false => Either::Right(view! {
                        <div class="work__log" tabindex="0" role="region" aria-labelledby="log-title"><ol role="list">{lines}</ol></div>
                    }),
                }}
            </div>
            {match is_over {
                true => Either::Left(view! {
                    <form method="post" action=format!("/pipelines/{id}/again")>
                        <button class="button" type="submit">"Run again"</button>
                    </form>
                }),
                false => Either::Right(view! {
                    <form method="post" action=format!("/pipelines/{id}/cancel")>
                        <button class="button" type="submit">"Cancel run"</button>
                    </form>
                }),
            }}
        </div>
        <script type="module" src="/live.js"></script>
    }
}

fn step(step: &RunStep) -> impl IntoView + use<> {
    let took = step.started_at.zip(step.ended_at).map(|(from, to)| duration(to - from));
    let did = (!step.counts.is_empty()).then(|| counted(&step.counts));
    let told: Vec<String> = took.into_iter().chain(did).collect();
    view! {
        <li class="chain__step" class:chain__step--now=step.state == RunState::Running>
            <span class="chain__name">{step_word(&step.name)}</span>
            <State state=step.state/>
            <span class="work__note">{told.join(", ")}</span>
        </li>
    }
}

fn line(line: &LogLine) -> impl IntoView + use<> {
    view! {
        <li class=format!("work__line work__line--{}", line.level)>
            <time datetime=line.at.to_rfc3339()>{line.at.format("%H:%M:%S").to_string()}</time>
            " " {(line.level != "info").then(|| format!("{}: ", line.level))} {line.text.clone()}
        </li>
    }
}

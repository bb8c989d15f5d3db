//! Which window, which model, taken apart by what: a form that asks for an address.

use gourmetgram_api::{EvaluationWindow, ModelPeriod, SeriesStep, SliceBy};
use leptos::prelude::*;

use super::{
    asked::{Asked, PAGE},
    terms::{PAGE as TERMS, Term},
};

/// The form. Without a first day the named window counts.
pub(super) fn form(asked: &Asked, models: &[ModelPeriod], shown: &str) -> AnyView {
    let window = asked.query().ok().and_then(|query| query.window).unwrap_or_default();
    let windows = EvaluationWindow::ALL.map(|each| (each.as_str().to_owned(), window_word(each).to_owned()));
    let steps = SeriesStep::ALL.map(|each| (each.as_str().to_owned(), step_word(each).to_owned()));
    let slices = SliceBy::ALL.map(|each| (each.as_str().to_owned(), slice_word(each).to_owned()));
    let mut versions: Vec<(String, String)> = models
        .iter()
        .map(|model| {
            let name = if model.live { format!("{} (live)", model.version) } else { model.version.clone() };
            (model.version.clone(), name)
        })
        .collect();
    if !shown.is_empty() && models.iter().all(|model| model.version != shown) {
        versions.push((shown.to_owned(), shown.to_owned()));
    }
    let chosen = if asked.get("model").is_empty() { shown } else { asked.get("model") };
    let between = !asked.get("from").is_empty() || !asked.get("to").is_empty();
    view! {
        <form class="board__form" method="get" action=PAGE aria-label="What to look at">
            {choice("window", "Window", None, windows.to_vec(), window.as_str())}
            {choice("model", "Model", None, versions, chosen)}
            {choice("step", "Over time, by", Some("What suits"), steps.to_vec(), asked.get("step"))}
            {choice("slice", "Taken apart by", Some("Nothing"), slices.to_vec(), asked.get("slice"))}
            <details class="board__dates" open=between>
                <summary>"Other days"</summary>
                <div class="board__range">
                    {date("from", "First day, UTC", asked)}
                    {date("to", "Last day, UTC", asked)}
                    <p class="field__hint">"A first day counts instead of the window."</p>
                </div>
            </details>
            <div class="board__go">
                <button class="button button--primary button--small" type="submit">"Show"</button>
                <a class="board__help" href=format!("{TERMS}#{}", Term::Slices.anchor()) rel="external">"What can be chosen"</a>
            </div>
        </form>
    }
    .into_any()
}

fn choice(
    name: &'static str,
    label: &'static str,
    none: Option<&'static str>,
    options: Vec<(String, String)>,
    chosen: &str,
) -> impl IntoView + use<> {
    let id = format!("ask-{name}");
    let none = none.map(|words| view! { <option value="">{words}</option> });
    let options = options.into_iter().map(|(value, words)| {
        let selected = value == chosen;
        view! { <option value=value selected=selected>{words}</option> }
    });
    view! {
        <div class="field">
            <label class="field__label" for=id.clone()>{label}</label>
            <select class="select" id=id name=name>{none} {options.collect_view()}</select>
        </div>
    }
}

fn date(name: &'static str, label: &'static str, asked: &Asked) -> impl IntoView + use<> {
    let id = format!("ask-{name}");
    view! {
        <div class="field">
            <label class="field__label" for=id.clone()>{label}</label>
            <input class="input" type="date" id=id name=name value=asked.day(name)/>
        </div>
    }
}

/// A window as people say it.
pub(super) fn window_word(window: EvaluationWindow) -> &'static str {
    match window {
        EvaluationWindow::Day => "The last day",
        EvaluationWindow::Week => "The last 7 days",
        EvaluationWindow::Month => "The last 30 days",
        EvaluationWindow::All => "Everything",
    }
}

fn step_word(step: SeriesStep) -> &'static str {
    match step {
        SeriesStep::Hour => "Hours",
        SeriesStep::Day => "Days",
        SeriesStep::Month => "Months",
    }
}

/// By what photos are taken apart.
pub(super) fn slice_word(by: SliceBy) -> &'static str {
    match by {
        SliceBy::Class => "The answer’s class",
        SliceBy::Confidence => "Confidence",
        SliceBy::Model => "Model version",
        SliceBy::Source => "Source",
        SliceBy::Hour => "Hour of the day, UTC",
        SliceBy::Tag => "Tags of feedback",
    }
}

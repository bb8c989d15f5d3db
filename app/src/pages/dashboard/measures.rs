//! How a measured share is said: the number, its interval, or that there are too few labels to say it.

use gourmetgram_api::{Measure, MeasureMethod};
use leptos::prelude::*;

use super::terms::{Term, named};
use crate::{
    components::charts::{Estimate, Scale, whisker},
    wording::{grouped, share},
};

/// The estimate with its interval, where there is one.
pub(super) fn estimate(measure: &Measure) -> Option<Estimate> {
    let Measure { value, lower, upper, .. } = *measure;
    value.map(|value| Estimate { value, lower, upper })
}

/// The same, where labels are enough to say it.
pub(super) fn said(measure: &Measure) -> Option<Estimate> {
    estimate(measure).filter(|_| measure.enough)
}

/// "80.1% to 86.3%".
pub(super) fn range(measure: &Measure) -> String {
    format!("{} to {}", share(measure.lower), share(measure.upper))
}

/// A table's cell: drawn and written, or "n too small" with the number there is.
pub(super) fn cell(measure: &Measure, scale: Scale) -> AnyView {
    match said(measure) {
        Some(it) => view! {
            <td class="measure">
                <span class="measure__value">{share(it.value)}</span> " "
                <span class="measure__range">{range(measure)}</span>
                {whisker(it, scale)}
            </td>
        }
        .into_any(),
        None => view! { <td class="measure measure--small">{too_small(measure.labels)}</td> }.into_any(),
    }
}

/// "n too small (12)", with the way to what that means.
pub(super) fn too_small(labels: u64) -> AnyView {
    view! { <span class="too-small">{named(Term::TooSmall, "n too small")} {format!(" ({})", grouped(labels))}</span> }
        .into_any()
}

/// How a number was made, in words.
pub(super) fn method(method: MeasureMethod) -> &'static str {
    match method {
        MeasureMethod::Poststratified => {
            "Every label counts for the photos it was drawn from, stratum by stratum; the strata’s Wilson intervals are \
             combined (MOVER)."
        }
        MeasureMethod::Census => "Every photo has a label, so nothing is estimated.",
        MeasureMethod::RandomSample => "The random sample of all photos alone, with Wilson’s interval.",
        MeasureMethod::TutorialPooled => "Right answers divided by labels, wherever the labels came from.",
        MeasureMethod::Difference => "The confidence of every photo, corrected by the labels.",
    }
}

/// A figure: a name, a number, and a line below it.
pub(super) fn figure(name: AnyView, value: String, note: impl IntoView + 'static) -> AnyView {
    view! {
        <div class="figure">
            <dt class="figure__name">{name}</dt>
            <dd class="figure__value">{value}</dd>
            <dd class="figure__note">{note}</dd>
        </div>
    }
    .into_any()
}

/// A figure of a measured share.
pub(super) fn measured_figure(name: AnyView, measure: &Measure, of: &'static str) -> AnyView {
    match said(measure) {
        Some(it) => {
            let note = format!("{}, from {} labels of {of}", range(measure), grouped(measure.labels));
            figure(name, share(it.value), note)
        }
        None => {
            let labels = measure.labels;
            figure(name, "–".to_owned(), view! { {too_small(labels)} {format!(": labels of {of}")} }.into_any())
        }
    }
}

//! Retrain? The verdict, what led to it, its rule, and what was said before.

use gourmetgram_api::{Decision, Verdict};
use leptos::{either::Either, prelude::*};

use super::{
    measures::said,
    terms::{Term, named, term},
};
use crate::{
    components::Icon,
    wording::{moment, share},
};

/// The box.
pub(super) fn decision(decision: &Decision) -> AnyView {
    let verdict = decision.verdict;
    let reasons = decision.reasons.iter().cloned().map(|reason| view! { <li>{reason}</li> });
    let history = decision.history.iter().map(|past| {
        let accuracy = said(&past.accuracy).map_or_else(|| "–".to_owned(), |it| share(it.value));
        view! {
            <tr>
                <th scope="row">{moment(past.computed_at)}</th>
                <td>{word(past.verdict)}</td>
                <td class="number">{accuracy}</td>
                <td>
                    <a
                        href=format!("/api/v1/evaluation/published/{}/manifest", past.number)
                        rel="external"
                        aria-label=format!("Manifest of the verdict of {}", moment(past.computed_at))
                    >
                        "manifest"
                    </a>
                </td>
            </tr>
        }
    });
    let history = match decision.history.is_empty() {
        true => Either::Left(view! { <p class="board__note">"Nothing was published yet."</p> }),
        false => Either::Right(view! {
            <div class="table-scroll" tabindex="0" role="region" aria-label="Earlier verdicts">
                <table class="data-table data-table--dense">
                    <thead><tr><th scope="col">"When"</th><th scope="col">"Verdict"</th><th scope="col" class="number">{term(Term::Accuracy)}</th><th scope="col">"Audit"</th></tr></thead>
                    <tbody>{history.collect_view()}</tbody>
                </table>
            </div>
        }),
    };
    view! {
        <section class=format!("verdict verdict--{} card", verdict.as_str()) aria-labelledby="decision-title" id="decision" data-live="30">
            <h2 class="verdict__name" id="decision-title">{term(Term::Decision)}</h2>
            <p class="verdict__word">{icon(verdict).view()} <span>{word(verdict)}</span></p>
            <ul class="verdict__reasons">{reasons.collect_view()}</ul>
            <details class="board__more" id="decision-rule">
                <summary>"The rule"</summary>
                <p>{decision.rule.clone()}</p>
                <p>
                    "Read " {named(Term::Alarm, "what the alarm is")} " and "
                    {named(Term::BadWindows, "what two bad windows are")} "."
                </p>
            </details>
            <details class="board__more" id="decision-history">
                <summary>"Earlier verdicts"</summary>
                {history}
            </details>
        </section>
    }
    .into_any()
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Unknown => "Cannot be said yet",
        Verdict::Keep => "No, keep it",
        Verdict::Watch => "Not yet, watch it",
        Verdict::Retrain => "Yes, retrain",
    }
}

fn icon(verdict: Verdict) -> Icon {
    match verdict {
        Verdict::Unknown => Icon::Clock,
        Verdict::Keep => Icon::Check,
        Verdict::Watch => Icon::Gauge,
        Verdict::Retrain => Icon::Warning,
    }
}

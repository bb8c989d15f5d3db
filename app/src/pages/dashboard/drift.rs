//! Whether photos are still those the model began with.

use gourmetgram_api::{Drift, DriftFinding, DriftWord, Evaluation};
use leptos::{either::EitherOf3, prelude::*};

use super::terms::{Term, named, term};
use crate::{
    components::{Icon, charts::bar},
    wording::{grouped, moment, photos, share},
};

/// The section.
pub(super) fn drift(evaluation: &Evaluation) -> AnyView {
    let drift = &evaluation.drift;
    let body = match (drift.reference_from.zip(drift.reference_to), drift.findings.is_empty()) {
        (None, _) => EitherOf3::A(view! {
            <p class="board__note">
                {format!(
                    "The first {} photos of a version become what later ones are held against; {} are there.",
                    grouped(drift.photos_for_reference),
                    grouped(drift.reference_photos)
                )}
            </p>
        }),
        (Some(_), true) => EitherOf3::B(view! {
            <p class="board__note">"No photo in this window is later than those the version began with, so there is nothing to compare."</p>
        }),
        (Some(_), false) => EitherOf3::C((findings(drift), mix(evaluation))),
    };
    let against = drift.reference_from.zip(drift.reference_to).map(|(from, to)| {
        format!(
            "{} against the first {}, of {} to {}.",
            photos(drift.photos),
            grouped(drift.reference_photos),
            moment(from),
            moment(to)
        )
    });
    view! {
        <section class="board__section" aria-labelledby="drift-title" id="drift" data-live="30">
            <header class="board__head">
                <h2 id="drift-title">{named(Term::DriftVerdict, "Whether photos have changed")}</h2>
                <p class="board__lead">{against.unwrap_or_else(|| "Held against the first photos of the version.".to_owned())}</p>
            </header>
            {body}
            {not_tested(drift)}
        </section>
    }
    .into_any()
}

/// What is not looked at, and why.
fn not_tested(drift: &Drift) -> AnyView {
    let each = drift.not_tested.iter().map(|missing| {
        let name = match missing.what.as_str() {
            "embedding" => term(Term::EmbeddingDrift),
            other => other.to_owned().into_any(),
        };
        view! { <p class="board__note">{name} {format!(": not tested, {}.", missing.why)}</p> }
    });
    each.collect_view().into_any()
}

fn findings(drift: &Drift) -> AnyView {
    let findings = drift.findings.iter().map(finding);
    view! { <ul class="findings">{findings.collect_view()}</ul> }.into_any()
}

fn finding(finding: &DriftFinding) -> AnyView {
    let (what, by) = match finding.what.as_str() {
        "class_mix" => (Term::ClassMix, Term::ClassMix.name()),
        "embedding" => (Term::EmbeddingDrift, Term::EmbeddingDrift.name()),
        _ => (Term::ConfidenceDrift, Term::ConfidenceDrift.name()),
    };
    let test = match finding.test.as_str() {
        "chi_square" => "by chi-square and Cramér’s V",
        "psi" => "by population stability index",
        "kolmogorov_smirnov" => "by Kolmogorov–Smirnov",
        other => other,
    };
    let (icon, word, state) = match finding.verdict {
        DriftWord::TooFew => (Icon::Clock, "too few photos", "unknown"),
        DriftWord::Stable => (Icon::Check, "as before", "good"),
        DriftWord::Negligible => (Icon::Check, "real, too small to matter", "good"),
        DriftWord::Drifted => (Icon::Warning, "changed", "bad"),
    };
    let p_value = if finding.p_value < 0.001 { "p < 0.001".to_owned() } else { format!("p = {:.3}", finding.p_value) };
    // Twice what matters fills the bar: what matters is its middle. What so few photos show is no number to be shown.
    let numbers = (finding.verdict != DriftWord::TooFew).then(|| {
        let part = finding.effect / (2.0 * finding.effect_that_matters);
        let (effect, matters) = (finding.effect, finding.effect_that_matters);
        view! {
            {bar(part, "bar--half")}
            <p class="finding__numbers">{format!("{effect:.3}; from {matters:.2} on, the mark, it matters; {p_value}")}</p>
        }
    });
    view! {
        <li class="finding">
            <p class="finding__what">{named(what, by)}</p>
            <p class="finding__test">{test.to_owned()}</p>
            <p class=format!("state state--{state}")>{icon.view()} <span>{word}</span></p>
            {numbers}
        </li>
    }
    .into_any()
}

/// Which classes are answered, now and in the reference.
fn mix(evaluation: &Evaluation) -> AnyView {
    let now: u64 = evaluation.traffic.iter().map(|class| class.photos).sum();
    let before: u64 = evaluation.traffic.iter().map(|class| class.reference).sum();
    let part = |photos: u64, all: u64| photos as f64 / all.max(1) as f64;
    let most = evaluation.traffic.iter().flat_map(|class| [part(class.photos, now), part(class.reference, before)]);
    let most = most.fold(0.0, f64::max).max(f64::EPSILON);
    let rows = evaluation.traffic.iter().map(|class| {
        let (photos, reference) = (part(class.photos, now), part(class.reference, before));
        view! {
            <tr>
                <th scope="row">{class.class.clone()}</th>
                <td class="mix__bars">{bar(photos / most, "bar--plain")} {bar(reference / most, "bar--pale")}</td>
                <td class="number">{share(photos)}</td>
                <td class="number">{share(reference)}</td>
            </tr>
        }
    });
    view! {
        <div class="board__block">
            <h3 class="chart__title" id="mix-title">{named(Term::ClassMix, "Which classes are answered")}</h3>
            <div class="table-scroll" tabindex="0" role="region" aria-labelledby="mix-title">
                <table class="data-table data-table--dense mix">
                    <thead>
                        <tr>
                            <th scope="col">"Class"</th>
                            <th scope="col">"Now, above; at the beginning, below"</th>
                            <th scope="col" class="number">{named(Term::ClassMix, "Now")}</th>
                            <th scope="col" class="number">{named(Term::ClassMix, "Beginning")}</th>
                        </tr>
                    </thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </div>
        </div>
    }
    .into_any()
}

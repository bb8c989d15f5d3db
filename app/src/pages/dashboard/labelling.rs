//! From photos to labels, and what more labels would buy.

use gourmetgram_api::{AnnotatorAgreement, AnnotatorErrors, Evaluation, KappaMeasure, LabelPlan, PlanPoint};
use leptos::{either::Either, prelude::*};

use super::{
    measures::{figure, too_small},
    suspects,
    terms::{Term, named, term},
};
use crate::{
    components::charts::bar,
    wording::{age, grouped, plus_minus, share},
};

/// The section.
pub(super) fn labelling(evaluation: &Evaluation) -> AnyView {
    let funnel = &evaluation.funnel;
    let part = |number: u64| number as f64 / funnel.photos.max(1) as f64;
    let steps = [
        ("Photos of this window", funnel.photos, "bar--pale"),
        ("Considered by the campaign", funnel.considered, "bar--plain"),
        ("Drawn for a label", funnel.drawn, "bar--plain"),
        ("Labelled", funnel.labelled, "bar--done"),
        ("with a class", funnel.classed, "bar--done"),
        ("as not food", funnel.not_food, "bar--done"),
        ("as unreadable", funnel.unreadable, "bar--done"),
    ];
    let steps = steps.map(|(name, number, class)| {
        view! {
            <li class="funnel__step">
                <span class="funnel__name">{named(Term::Funnel, name)}</span>
                <strong class="funnel__number">{grouped(number)}</strong>
                {bar(part(number), class)}
            </li>
        }
    });
    let waits = match (funnel.backlog, funnel.oldest_seconds) {
        (0, _) => "No photo waits for a label.".to_owned(),
        (1, Some(seconds)) => format!("1 photo waits for a label, for {}.", age(seconds)),
        (many, Some(seconds)) => format!("{} photos wait for a label, the oldest for {}.", grouped(many), age(seconds)),
        (many, None) => format!("{} photos wait for a label.", grouped(many)),
    };
    let review = (funnel.backlog > 0).then(|| {
        view! { <p><a class="button button--small" href="/review" rel="external">"Label photos"</a></p> }
    });
    view! {
        <section class="board__section" aria-labelledby="labelling-title" id="labelling" data-live="30">
            <header class="board__head">
                <h2 id="labelling-title">{term(Term::Funnel)}</h2>
                <p class="board__lead">{waits}</p>
            </header>
            <div class="board__pair">
                <div class="board__block">
                    <h3 class="chart__title">{named(Term::Funnel, "From photo to label")}</h3>
                    <ol class="funnel">{steps.collect_view()}</ol>
                    {review}
                </div>
                {planner(&evaluation.plan)}
            </div>
            {agreement(&evaluation.agreement)}
            {suspects::way(evaluation)}
        </section>
    }
    .into_any()
}

/// How far two people who label the same photo agree.
fn agreement(agreement: &AnnotatorAgreement) -> AnyView {
    let fleiss = &agreement.fleiss;
    if fleiss.photos == 0 {
        return view! {
            <div class="board__block">
                <h3 class="chart__title">{term(Term::Agreement)}</h3>
                <p class="board__note">
                    "No photo of this window was labelled by two people. A campaign can have a share of its photos labelled twice; it shows how far the labels themselves can be trusted."
                </p>
            </div>
        }
        .into_any();
    }
    let of = format!("{} of {} photos: two people said the same", grouped(agreement.agreed), grouped(fleiss.photos));
    let rows = agreement.pairs.iter().map(|pair| {
        view! {
            <tr>
                <th scope="row">{format!("{} and {}", pair.first, pair.second)}</th>
                <td>{kappa(&pair.kappa)}</td>
                <td class="number">{grouped(pair.agreed)}</td>
                <td class="number">{grouped(pair.kappa.photos)}</td>
            </tr>
        }
    });
    view! {
        <div class="board__block">
            <h3 class="chart__title" id="agreement-title">{term(Term::Agreement)}</h3>
            <dl class="figures">
                {figure(
                    named(Term::Agreement, "Fleiss’ kappa"),
                    if fleiss.enough { fleiss.value.map_or_else(|| "–".to_owned(), decimals) } else { "–".to_owned() },
                    kappa_note(fleiss),
                )}
                {figure(
                    named(Term::Agreement, "Agreed"),
                    if fleiss.enough { share(agreement.agreed as f64 / fleiss.photos as f64) } else { "–".to_owned() },
                    of,
                )}
                {agreement.errors.as_ref().map(errors)}
            </dl>
            <div class="table-scroll" tabindex="0" role="region" aria-labelledby="agreement-title">
                <table class="data-table data-table--dense">
                    <thead>
                        <tr>
                            <th scope="col">"Annotators"</th>
                            <th scope="col">{named(Term::Agreement, "Cohen’s kappa")}</th>
                            <th scope="col" class="number">{named(Term::Agreement, "Agreed")}</th>
                            <th scope="col" class="number">{named(Term::Agreement, "Photos")}</th>
                        </tr>
                    </thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </div>
        </div>
    }
    .into_any()
}

/// From where to where accuracy would move if people err as often as these two disagree.
fn errors(errors: &AnnotatorErrors) -> AnyView {
    let AnnotatorErrors { rate, lower, upper, photos, enough } = *errors;
    if !enough {
        return figure(term(Term::AnnotatorErrors), "–".to_owned(), too_small(photos));
    }
    let note = format!(
        "if {} of labels are wrong, as these disagreements suggest; the headline is not corrected",
        share(rate)
    );
    figure(term(Term::AnnotatorErrors), format!("{} to {}", share(lower), share(upper)), note)
}

fn decimals(value: f64) -> String {
    format!("{value:.2}")
}

fn kappa_note(kappa: &KappaMeasure) -> AnyView {
    match kappa.value {
        _ if !kappa.enough => too_small(kappa.photos),
        Some(_) => format!("{} to {}", decimals(kappa.lower), decimals(kappa.upper)).into_any(),
        None => "all say the same one thing".into_any(),
    }
}

fn kappa(kappa: &KappaMeasure) -> AnyView {
    match kappa.value {
        Some(value) if kappa.enough => {
            view! { {decimals(value)} " " <span class="measure__range">{kappa_note(kappa)}</span> }.into_any()
        }
        _ => kappa_note(kappa),
    }
}

fn planner(plan: &LabelPlan) -> AnyView {
    let widest = plan.curve.iter().map(|point| point.half_width).fold(0.0, f64::max).max(f64::EPSILON);
    let steps = plan.curve.iter().map(|PlanPoint { labels, half_width }| {
        let name = if *labels == 0 { "As it is".to_owned() } else { format!("{} labels more", grouped(*labels)) };
        view! {
            <li class="funnel__step">
                <span class="funnel__name">{name}</span>
                <strong class="funnel__number">{plus_minus(*half_width)}</strong>
                {bar(half_width / widest, "bar--plain")}
            </li>
        }
    });
    let rows = plan.allocation.iter().map(|stratum| {
        view! {
            <tr>
                <th scope="row">{stratum.stratum.to_string()}</th>
                <td class="number">{grouped(stratum.photos)}</td>
                <td class="number">{grouped(stratum.labelled)}</td>
                <td class="number">{share(stratum.accuracy)}</td>
                <td class="number"><strong>{grouped(stratum.labels)}</strong></td>
            </tr>
        }
    });
    let spend = (!plan.allocation.is_empty()).then(|| {
        view! {
            <h4 class="board__small" id="spend-title">{format!("Where the next {} labels teach most", grouped(plan.budget))}</h4>
            <div class="table-scroll" tabindex="0" role="region" aria-labelledby="spend-title">
                <table class="data-table data-table--dense">
                    <thead>
                        <tr>
                            <th scope="col">"Stratum"</th>
                            <th scope="col" class="number">{term(Term::Photos)}</th>
                            <th scope="col" class="number">{term(Term::Labels)}</th>
                            <th scope="col" class="number">{named(Term::Planner, "Right, to expect")}</th>
                            <th scope="col" class="number">{named(Term::Planner, "Spend")}</th>
                        </tr>
                    </thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </div>
        }
    });
    let body = match plan.curve.is_empty() {
        true => Either::Left(
            view! { <p class="board__note">"Once photos are considered, it stands here how narrow the interval gets with more labels."</p> },
        ),
        false => Either::Right(view! { <ol class="funnel">{steps.collect_view()}</ol> {spend} }),
    };
    view! {
        <div class="board__block">
            <h3 class="chart__title">{term(Term::Planner)}</h3>
            {body}
        </div>
    }
    .into_any()
}

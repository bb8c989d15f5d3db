//! The number at the top: how often the model is right, with its interval, and what stands beside it.

use gourmetgram_api::{Bounds, Evaluation, Headline, Measure};
use leptos::prelude::*;

use super::{
    measures::{estimate, method, range, too_small},
    terms::{Term, named, term},
};
use crate::{
    components::{
        Icon,
        charts::{Lane, LaneMark, Lanes},
    },
    wording::{count, grouped, photos, plus_minus, share},
};

/// The number, how sure it is, and from what.
pub(super) fn headline(evaluation: &Evaluation) -> AnyView {
    let head = &evaluation.headline;
    let provisional = head.provisional.then(|| {
        view! { <span class="state state--provisional">{Icon::Clock.view()} {term(Term::Provisional)}</span> }
    });
    view! {
        <section class="headline card" aria-labelledby="headline-title" id="headline" data-live="30">
            <h2 class="headline__name" id="headline-title">{term(Term::Accuracy)} {provisional}</h2>
            {number(&head.accuracy)}
            {basis(evaluation)}
        </section>
    }
    .into_any()
}

/// What the number stands beside: what was promised, wanted, guessed, and what is wrong.
pub(super) fn beside(head: &Headline) -> AnyView {
    view! {
        <section class="beside-it card" aria-labelledby="beside-title" id="beside" data-live="30">
            <h2 class="headline__name" id="beside-title">"Beside it"</h2>
            {lanes(head)}
            {missing(head)}
        </section>
    }
    .into_any()
}

fn number(accuracy: &Measure) -> AnyView {
    let Some(it) = estimate(accuracy) else {
        return view! { <p class="headline__value headline__value--none">"Not known yet"</p> }.into_any();
    };
    if !accuracy.enough {
        return view! {
            <p class="headline__value headline__value--none">"Too early to say"</p>
            <p class="headline__interval">{format!("Between {} and {} so far. ", share(it.lower), share(it.upper))} {too_small(accuracy.labels)}</p>
        }
        .into_any();
    }
    let written = share(it.value);
    let (figures, sign) = written.strip_suffix('%').map_or((written.clone(), ""), |figures| (figures.to_owned(), "%"));
    view! {
        <p class="headline__value">{figures}<span class="headline__sign">{sign}</span></p>
        <p class="headline__interval">
            <strong>{range(accuracy)}</strong> {format!(", {}", plus_minus(accuracy.half_width()))}
            <span class="headline__level">" with 95% confidence"</span>
        </p>
    }
    .into_any()
}

/// n of N, and the method in words; where there is no number, why and what to do.
fn basis(evaluation: &Evaluation) -> AnyView {
    let head = &evaluation.headline;
    let accuracy = &head.accuracy;
    if let Some(trouble) = &evaluation.campaign_trouble {
        return view! {
            <p class="headline__basis">{format!("No labels count: {trouble}.")}</p>
            <p><a class="button button--primary" href="/campaigns" rel="external">"Look at the campaigns"</a></p>
        }
        .into_any();
    }
    let Some(campaign) = &evaluation.campaign else {
        return view! {
            <p class="headline__basis">
                "Only labels by people who did not see the answer, of photos drawn by a known rule, say how accurate the model is. No campaign collects them yet."
            </p>
            <p><a class="button button--primary" href="/campaigns?preset=continuous" rel="external">"Start measuring"</a></p>
        }
        .into_any();
    };
    if accuracy.labels == 0 {
        let to_do = if evaluation.funnel.backlog > 0 {
            view! { <a class="button button--primary" href="/review" rel="external">{format!("Label {}", photos(evaluation.funnel.backlog))}</a> }.into_any()
        } else {
            view! { <a class="button button--primary" href="/campaigns" rel="external">"Select photos to label"</a> }
                .into_any()
        };
        return view! {
            <p class="headline__basis">{format!("“{}” has no label for photos of this window yet.", campaign.name)}</p>
            <p>{to_do}</p>
        }
        .into_any();
    }
    let rests = format!("{} of {} labelled", grouped(accuracy.labels), photos(accuracy.photos));
    let rest = (head.not_considered > 0).then(|| {
        format!(
            " {} of this window are not considered yet; the number does not speak for them.",
            photos(head.not_considered)
        )
    });
    view! {
        <p class="headline__basis"><strong>{rests}</strong> {format!(", by “{}”.", campaign.name)} {rest}</p>
        <p class="headline__method">{method(accuracy.method)}</p>
    }
    .into_any()
}

fn lanes(head: &Headline) -> AnyView {
    let measured = |measure: &Measure, none: &'static str| match estimate(measure) {
        Some(it) if measure.enough => LaneMark::Interval(it),
        Some(_) => LaneMark::Nothing("n too small"),
        None => LaneMark::Nothing(none),
    };
    let top = match measured(&head.accuracy, "no labels") {
        LaneMark::Interval(it) => LaneMark::Headline(it),
        nothing => nothing,
    };
    let labels = |measure: &Measure| count(measure.labels as usize, "label", "labels");
    let mut lanes = vec![
        Lane { name: named(Term::Accuracy, "Measured in production"), note: labels(&head.accuracy), mark: top },
        Lane { name: term(Term::RandomSample), note: labels(&head.check), mark: measured(&head.check, "no labels") },
    ];
    if let Some(difference) = &head.difference {
        let mark = measured(difference, "no labels");
        lanes.push(Lane { name: term(Term::Difference), note: labels(difference), mark });
    }
    lanes.push(match &head.expected {
        Some(expected) => Lane {
            name: term(Term::Expected),
            note: "from the model's own confidences, no evidence".to_owned(),
            mark: LaneMark::Point(expected.value),
        },
        None => Lane { name: term(Term::Expected), note: String::new(), mark: LaneMark::Nothing("no photos") },
    });
    lanes.push(match &head.offline {
        Some(offline) => Lane {
            name: term(Term::Offline),
            note: format!("{}, {}", photos(offline.photos), offline.on),
            mark: LaneMark::Point(offline.value),
        },
        None => Lane { name: term(Term::Offline), note: String::new(), mark: LaneMark::Nothing("the card says none") },
    });
    lanes.push(Lane {
        name: term(Term::Pooled),
        note: "wrong: labels are of the doubtful photos".to_owned(),
        mark: match measured(&head.tutorial_pooled, "no labels") {
            LaneMark::Interval(it) => LaneMark::Wrong(it.value),
            nothing => nothing,
        },
    });
    Lanes {
        lanes,
        target: head.target.map(|target| (term(Term::Target), target)),
        caption: "Accuracy, measured and guessed, on one scale",
    }
    .view()
}

/// What the number does not know: labels that are missing, and photos without a true class.
fn missing(head: &Headline) -> AnyView {
    let drawn: u64 = head.strata.iter().map(|stratum| stratum.drawn).sum();
    let labelled: u64 = head.strata.iter().map(|stratum| stratum.labelled).sum();
    let mut facts = Vec::new();
    if drawn > 0 {
        let still = format!("{} of {} drawn photos have a label", grouped(labelled), grouped(drawn));
        let text = match head.nonresponse {
            Some(Bounds { lower, upper }) if labelled < drawn && head.accuracy.enough => format!(
                "{still}. Were every missing one wrong, accuracy would be {}; were all right, {}.",
                share(lower),
                share(upper)
            ),
            _ => format!("{still}."),
        };
        facts.push(fact(term(Term::Missing), text));
    }
    if !head.unlabelled.is_empty() {
        let names: Vec<String> = head.unlabelled.iter().map(ToString::to_string).collect();
        let text = format!("Without any label: {}. The interval is wider by their share.", names.join(", "));
        facts.push(fact(named(Term::Missing, "Strata"), text));
    }
    if head.not_food.enough {
        let text = format!("{} of photos ({}).", share(head.not_food.value.unwrap_or_default()), range(&head.not_food));
        facts.push(fact(term(Term::NotFood), text));
        let text =
            format!("{} of photos ({}).", share(head.unreadable.value.unwrap_or_default()), range(&head.unreadable));
        facts.push(fact(term(Term::Unreadable), text));
    }
    view! { <dl class="headline__facts">{facts.collect_view()}</dl> }.into_any()
}

fn fact(name: AnyView, text: String) -> AnyView {
    view! { <div><dt>{name}</dt><dd>{text}</dd></div> }.into_any()
}

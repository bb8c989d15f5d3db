//! What visitors said and did.

use gourmetgram_api::Evaluation;
use leptos::prelude::*;

use super::{
    measures::{figure, measured_figure},
    terms::{Term, term},
};
use crate::{
    explore::Field,
    pages::dashboard::asked::photos_of,
    wording::{count, grouped, share},
};

/// The section.
pub(super) fn people(evaluation: &Evaluation) -> AnyView {
    let feedback = &evaluation.feedback;
    let rate = |rate: Option<f64>| rate.map_or_else(|| "–".to_owned(), share);
    let photos = photos_of(evaluation);
    let linked = |number: u64, field: Field| {
        let href = photos.with(field, "yes").list();
        let words = count(usize::try_from(number).unwrap_or(usize::MAX), "photo", "photos");
        view! { <a href=href rel="external">{words}</a> {format!(" of {}", grouped(feedback.photos))} }
    };
    let returning = feedback.visitors.map(|visitors| {
        let part = if visitors.visits == 0 { None } else { Some(visitors.returning as f64 / visitors.visits as f64) };
        let note = format!("{} of {} visits", grouped(visitors.returning), grouped(visitors.visits));
        figure(term(Term::Returning), rate(part), note)
    });
    let figures = [
        figure(
            term(Term::Accepted),
            rate(feedback.accepted_rate),
            "counted; most who get a wrong answer say nothing".to_owned(),
        ),
        figure(term(Term::FlagRate), rate(feedback.flag_rate), linked(feedback.flagged, Field::Flag).into_any()),
        figure(
            term(Term::CorrectionRate),
            rate(feedback.correction_rate),
            linked(feedback.corrected, Field::Corrected).into_any(),
        ),
        measured_figure(term(Term::FlagPrecision), &feedback.flag_precision, "flagged photos"),
        measured_figure(term(Term::FlagRecall), &feedback.flag_recall, "wrong answers"),
        measured_figure(term(Term::CorrectionPrecision), &feedback.correction_precision, "corrected photos"),
    ];
    view! {
        <section class="board__section" aria-labelledby="people-title" id="people" data-live="30">
            <header class="board__head">
                <h2 id="people-title">"What people say"</h2>
                <p class="board__lead">"Visitors show where to look. They do not say how accurate the model is."</p>
            </header>
            <dl class="figures">{figures.collect_view()} {returning}</dl>
        </section>
    }
    .into_any()
}

//! Accuracy over time.

use gourmetgram_api::Evaluation;
use leptos::{either::Either, prelude::*};

use super::{
    asked::Asked,
    measures::estimate,
    terms::{Term, named, term},
};
use crate::components::charts::{Bound, ModelChange, Timeline, TimelineWindow};

/// The chart, or that there is nothing to draw.
pub(super) fn over_time(evaluation: &Evaluation, asked: &Asked) -> AnyView {
    let windows = evaluation.series.iter().map(|point| TimelineWindow {
        from: point.from,
        to: point.to,
        accuracy: estimate(&point.accuracy),
        is_small: !point.accuracy.enough,
        check: estimate(&point.check).filter(|_| point.check.enough),
        expected: point.expected.as_ref().map(|expected| expected.value),
        is_provisional: point.provisional,
        photos: point.photos,
        labels: point.accuracy.labels,
        href: asked.between(point.from, point.to),
    });
    let windows: Vec<TimelineWindow> = windows.collect();
    let within = |at| windows.first().zip(windows.last()).is_some_and(|(first, last)| first.from < at && at < last.to);
    // A version's first photo, to the hour; and its return or promotion, to the point of the series.
    let began = evaluation.models.iter().map(|model| (model.first, &model.version));
    let took_over = evaluation.takeovers.iter().map(|takeover| (takeover.at, &takeover.version));
    let changes = began.chain(took_over).filter(|(at, _)| within(*at));
    let changes = changes.map(|(at, version)| ModelChange { at, version: version.clone() }).collect();
    let heads = [
        term(Term::Accuracy),
        named(Term::RandomSample, "Random sample"),
        named(Term::Expected, "Expected"),
        term(Term::Labels),
        term(Term::Photos),
    ];
    let timeline = Timeline { windows, changes, target: evaluation.headline.target.map(Bound) };
    view! {
        <section class="board__section" aria-labelledby="over-time-title" id="over-time" data-live="30">
            <header class="board__head">
                <h2 id="over-time-title">"Whether it stays that way"</h2>
                <p class="board__lead">"Window by window. Where labels still come, the last of them will move."</p>
            </header>
            {match timeline.figure("timeline", term(Term::OverTime), heads) {
                Some(figure) => Either::Left(figure),
                None => Either::Right(view! {
                    <h3 class="chart__title">{term(Term::OverTime)}</h3>
                    <p class="board__note">"No photo in this window, so there is nothing to draw."</p>
                }),
            }}
        </section>
    }
    .into_any()
}

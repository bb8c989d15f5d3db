//! Whether confidence is honest, and how confident answers are.

use gourmetgram_api::{Evaluation, ReliabilityPoint};
use leptos::{either::Either, prelude::*};

use super::{
    measures::{estimate, figure, too_small},
    terms::{Term, named, term},
};
use crate::{
    components::charts::{Histogram, HistogramBin, Reliability, ReliabilityPoint as Point},
    wording::{count, share},
};

/// The section.
pub(super) fn confidence(evaluation: &Evaluation) -> AnyView {
    let calibration = &evaluation.calibration;
    let points: Vec<Point> = calibration.reliability.iter().filter_map(point).collect();
    let of_reference: u64 = evaluation.confidence.iter().filter_map(|bin| bin.reference).sum();
    let reference = |photos: u64| photos as f64 / of_reference.max(1) as f64;
    let bins = evaluation.confidence.iter().map(|bin| HistogramBin {
        from: bin.from,
        to: bin.to,
        photos: bin.photos,
        reference: bin.reference.map(reference),
    });
    let histogram = Histogram(bins.collect());
    let decimals = |value: f64| format!("{value:.3}");
    let score = |of: Term, value: Option<String>, best: &str| match value.filter(|_| calibration.enough) {
        Some(value) => {
            let labels = count(calibration.labels as usize, "label", "labels");
            figure(term(of), value, format!("from {labels}; {best}"))
        }
        None => figure(term(of), "–".to_owned(), too_small(calibration.labels)),
    };
    let scores = [
        score(Term::CalibrationError, calibration.expected_error.map(share), "0 is best"),
        score(Term::Brier, calibration.brier.map(decimals), "0 is best"),
        score(Term::LogLoss, calibration.log_loss.map(decimals), "0 is best; in nats"),
    ];
    let of_curve = [named(Term::Reliability, "Mean"), named(Term::Reliability, "Right answers"), term(Term::Labels)];
    let of_bars = [term(Term::Photos), named(Term::Histogram, "Share"), named(Term::Histogram, "First photos")];
    view! {
        <section class="board__section" aria-labelledby="confidence-title" id="confidence" data-live="30">
            <header class="board__head">
                <h2 id="confidence-title">"Whether its confidence can be believed"</h2>
                <p class="board__lead">"80% should mean right in 80 of 100 cases."</p>
            </header>
            <div class="board__pair">
                {if points.is_empty() {
                    Either::Left(view! {
                        <div class="chart chart--none">
                            <h3 class="chart__title">{term(Term::Reliability)}</h3>
                            <p class="board__note">"No labels, so nothing to hold confidence against."</p>
                        </div>
                    })
                } else {
                    Either::Right(Reliability(points).figure("reliability", term(Term::Reliability), of_curve))
                }}
                {histogram.figure("histogram", term(Term::Histogram), of_bars)}
            </div>
            <dl class="figures">{scores.collect_view()}</dl>
        </section>
    }
    .into_any()
}

fn point(point: &ReliabilityPoint) -> Option<Point> {
    Some(Point {
        from: point.from,
        to: point.to,
        confidence: point.confidence,
        accuracy: estimate(&point.accuracy)?,
        labels: point.accuracy.labels,
        is_small: !point.accuracy.enough,
    })
}

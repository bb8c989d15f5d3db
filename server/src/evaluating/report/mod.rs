//! An evaluation for people: as lines of text, and as one HTML file that needs no other.

mod html;
mod text;

use gourmetgram_api::{AnnotatorErrors, Evaluation, KappaMeasure, Measure};

pub use html::html;
pub use text::text;

/// A share in percent with one decimal.
fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn optional(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), percent)
}

/// A measure with its interval and what it rests on.
fn told(measure: &Measure) -> String {
    match measure.value {
        None => format!("unknown ({} labels)", measure.labels),
        Some(value) => {
            let small = if measure.enough { "" } else { ", n too small" };
            format!(
                "{} [{} to {}], n = {} of {}{small}",
                percent(value),
                percent(measure.lower),
                percent(measure.upper),
                measure.labels,
                measure.photos
            )
        }
    }
}

/// A kappa with its interval and what it rests on.
fn told_kappa(kappa: &KappaMeasure) -> String {
    let KappaMeasure { lower, upper, photos, .. } = kappa;
    match kappa.value {
        None => format!("unknown ({photos} photos labelled twice)"),
        Some(value) => {
            let small = if kappa.enough { "" } else { ", n too small" };
            format!("{value:.3} [{lower:.3} to {upper:.3}], n = {photos} photos labelled twice{small}")
        }
    }
}

/// What annotators' mistakes would do to accuracy.
fn told_errors(errors: &AnnotatorErrors) -> String {
    let AnnotatorErrors { rate, lower, upper, photos, enough } = *errors;
    let small = if enough { "" } else { ", n too small" };
    let range = format!("{} to {}", percent(lower), percent(upper));
    format!("{range}, with {} of labels wrong; n = {photos} photos labelled twice{small}", percent(rate))
}

/// The number in a line.
pub fn headline(evaluation: &Evaluation) -> String {
    format!("accuracy of {}: {}", evaluation.model, told(&evaluation.headline.accuracy))
}

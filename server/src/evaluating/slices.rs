//! A window's photos, taken apart. How many photos each part has is known, so each is a window of its own.

use std::collections::BTreeMap;

use chrono::Timelike;
use gourmetgram_api::{Slice, SliceBy, Slices};

use super::{EvaluationError, Fact, counts::Counts, numbers};

/// Most parts that are shown; sources may be many.
const MOST: usize = 200;

/// Takes photos apart. `classes` gives the order of classes.
pub(super) fn slices(by: SliceBy, facts: &[Fact], classes: &[String]) -> Result<Slices, EvaluationError> {
    let mut parts: BTreeMap<(u32, String), Counts> = BTreeMap::new();
    for fact in facts {
        parts.entry(part_of(by, fact, classes)).or_default().add(fact);
    }
    let items = parts.into_iter().take(MOST).map(|((_, name), counts)| slice(name, counts));
    Ok(Slices { by, items: items.collect::<Result<_, EvaluationError>>()?, too_many: false })
}

/// One part.
pub(super) fn slice(name: String, counts: Counts) -> Result<Slice, EvaluationError> {
    let counts = counts.without_batches();
    let accuracy = numbers::measure(&numbers::accuracy(&counts)?);
    Ok(Slice { name, photos: counts.traffic.photos, accuracy })
}

/// The part's place and its name.
fn part_of(by: SliceBy, fact: &Fact, classes: &[String]) -> (u32, String) {
    match by {
        SliceBy::Class => {
            let place = classes.iter().position(|class| *class == fact.class);
            (place.and_then(|place| u32::try_from(place).ok()).unwrap_or(u32::MAX), fact.class.clone())
        }
        SliceBy::Confidence => {
            // In 32 bits, so that 0.9 is not below 0.9.
            let tenth = ((fact.confidence * 10.0) as u32).min(9);
            (tenth, format!("{:.1}–{:.1}", f64::from(tenth) / 10.0, f64::from(tenth + 1) / 10.0))
        }
        SliceBy::Model => (0, fact.model.clone()),
        SliceBy::Source => (0, fact.source.clone().unwrap_or_default()),
        SliceBy::Hour => (fact.at.hour(), fact.at.hour().to_string()),
        SliceBy::Tag => {
            let tags = [(fact.flagged, "flagged"), (fact.corrected, "corrected_class")];
            let place = u32::from(fact.flagged) + 2 * u32::from(fact.corrected);
            let names: Vec<&str> = tags.into_iter().filter(|(stands, _)| *stands).map(|(_, name)| name).collect();
            (place, names.join(", "))
        }
    }
}

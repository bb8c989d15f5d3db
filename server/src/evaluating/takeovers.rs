//! When another version took over, seen by who answered the photos: the catalog keeps no history of what was live.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use gourmetgram_api::{SeriesStep, Takeover};

use super::window::start_of;
use crate::catalog::ServedModel;

/// Photos of a period below which it says nothing of who answers: of ten photos split evenly one version gets all in
/// one of 500 periods.
const LEAST_PHOTOS: u64 = 10;
/// Where traffic is split each has more than one in so many of the other's photos, and neither has taken over.
const NEARLY_ALL: u64 = 10;

/// Versions that took over after they had answered before: after a trial, or by a rollback. Where a version answers its
/// first photo is told by [`ServedModel::first`]. `photos` are those of every version by period, in any order.
///
/// In a period in which some version answers ten photos and the one that led before not one in ten of these, it has
/// taken over.
pub(super) fn takeovers(
    photos: impl IntoIterator<Item = (DateTime<Utc>, String, u64)>,
    step: SeriesStep,
    models: &[ServedModel],
) -> Vec<Takeover> {
    let mut periods: BTreeMap<DateTime<Utc>, BTreeMap<String, u64>> = BTreeMap::new();
    for (start, model, photos) in photos {
        *periods.entry(start_of(step, start)).or_default().entry(model).or_default() += photos;
    }
    let mut takeovers = Vec::new();
    // Who leads, and the last period in which that was so.
    let mut leads: Option<(String, DateTime<Utc>)> = None;
    for (start, by_model) in periods {
        let Some((model, most)) = by_model.iter().max_by_key(|(_, photos)| **photos) else { continue };
        if *most < LEAST_PHOTOS {
            continue;
        }
        let Some((leader, last)) = &mut leads else {
            leads = Some((model.clone(), start));
            continue;
        };
        if *leader == *model {
            *last = start;
        } else if by_model.get(&*leader).is_none_or(|own| own * NEARLY_ALL < *most) {
            let began_before = models.iter().any(|served| served.version == *model && served.first < *last);
            if began_before {
                takeovers.push(Takeover { at: start, version: model.clone() });
            }
            leads = Some((model.clone(), start));
        }
    }
    takeovers
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn day(number: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(number)
    }

    /// Photos of "old" and "new" by day; whose first photos were an hour into these days.
    fn found(days: &[(u64, u64)], first: (i64, i64)) -> Vec<(i64, String)> {
        let served = |version: &str, first: i64| ServedModel {
            version: version.to_owned(),
            photos: 0,
            first: day(first) + TimeDelta::hours(1),
            last: day(100),
            random_right: 0,
            random_wrong: 0,
        };
        let photos = days.iter().zip(0..).flat_map(|(&(old, new), number)| {
            [("old", old), ("new", new)]
                .into_iter()
                .filter(|(_, photos)| *photos > 0)
                .map(move |(model, photos)| (day(number), model.to_owned(), photos))
        });
        let models = [served("old", first.0), served("new", first.1)];
        let found = takeovers(photos, SeriesStep::Day, &models);
        found.into_iter().map(|it| ((it.at - DateTime::UNIX_EPOCH).num_days(), it.version)).collect()
    }

    fn at(takeovers: &[(i64, &str)]) -> Vec<(i64, String)> {
        takeovers.iter().map(|(day, version)| (*day, (*version).to_owned())).collect()
    }

    #[test]
    fn a_rollback_is_found_and_a_beginning_is_told_elsewhere() {
        let there_and_back = [(90, 0), (50, 40), (0, 80), (0, 90), (30, 60), (90, 0), (80, 0), (0, 90)];
        assert_eq!(found(&there_and_back, (-9, 1)), at(&[(5, "old"), (7, "new")]));
        assert_eq!(found(&[(90, 0), (0, 90)], (-9, 1)), []);
    }

    #[test]
    fn a_trial_that_is_promoted_takes_over_when_it_answers_nearly_everything() {
        let trial = [(90, 0), (85, 5), (80, 10), (50, 50), (3, 90)];
        assert_eq!(found(&trial, (-9, 1)), at(&[(4, "new")]));
    }

    #[test]
    fn neither_split_traffic_nor_a_few_photos_are_a_takeover() {
        assert_eq!(found(&[(50, 50), (45, 55), (60, 40), (49, 51), (52, 48)], (-9, -9)), []);
        assert_eq!(found(&[(90, 0), (0, 9), (0, 9), (90, 0)], (-9, -9)), []);
        assert_eq!(found(&[], (-9, -9)), []);
        assert_eq!(found(&[(90, 0), (0, 0), (90, 0)], (-9, -9)), []);
    }
}

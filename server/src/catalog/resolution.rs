//! Which of several labels stands. Pure: what it is given decides.
//!
//! The answer that most gave; of a tie, the latest. A task resolves its annotations like this, a photo the labels of
//! its tasks: those of blind campaigns where there is one, all others only where there is none.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use gourmetgram_api::Seen;
use uuid::Uuid;

/// An annotation that stands, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    /// Names the annotation; a UUID version 7, so it also says which of two at the same millisecond came later.
    pub id: Uuid,
    /// Who says so.
    pub annotator: String,
    /// What they saw.
    pub seen: Seen,
    /// When they said it.
    pub at: DateTime<Utc>,
}

/// The votes on one task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskVotes {
    /// Its campaign is blind.
    pub blind: bool,
    /// One an annotator at most.
    pub votes: Vec<Vote>,
}

/// The latest vote for the answer that stands; `None` where there is no vote.
pub fn resolve<'a>(votes: impl IntoIterator<Item = &'a Vote>) -> Option<&'a Vote> {
    let mut answers: HashMap<&Seen, (usize, &Vote)> = HashMap::new();
    for vote in votes {
        let (count, latest) = answers.entry(&vote.seen).or_insert((0, vote));
        *count += 1;
        if (vote.at, vote.id) > (latest.at, latest.id) {
            *latest = vote;
        }
    }
    answers.into_values().max_by_key(|(count, latest)| (*count, latest.at, latest.id)).map(|(_, latest)| latest)
}

/// The vote that speaks for a photo.
pub fn resolve_photo(tasks: &[TaskVotes]) -> Option<&Vote> {
    let labels =
        |blind: bool| tasks.iter().filter(move |task| task.blind == blind).filter_map(|task| resolve(&task.votes));
    resolve(labels(true)).or_else(|| resolve(labels(false)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn vote(number: u32, seen: Seen) -> Vote {
        Vote {
            id: Uuid::from_u128(u128::from(number)),
            annotator: format!("annotator {number}"),
            seen,
            at: DateTime::from_timestamp(i64::from(number), 0).unwrap(),
        }
    }

    fn class(label: &str) -> Seen {
        Seen::Class { label: label.to_owned() }
    }

    #[test]
    fn most_votes_win_and_the_latest_of_them_speaks() {
        let votes = [vote(1, class("Soup")), vote(2, class("Soup")), vote(3, class("Egg"))];
        assert_eq!(resolve(&votes), Some(&votes[1]));
    }

    #[test]
    fn of_a_tie_the_latest_wins_even_if_it_is_no_class() {
        let votes = [vote(2, Seen::NotFood), vote(1, class("Soup"))];
        assert_eq!(resolve(&votes), Some(&votes[0]));
        let votes = [vote(2, class("Soup")), vote(1, Seen::Unreadable)];
        assert_eq!(resolve(&votes), Some(&votes[0]));
    }

    #[test]
    fn at_the_same_moment_the_later_id_is_later() {
        let at = DateTime::from_timestamp(0, 0).unwrap();
        let votes = [Vote { at, ..vote(1, class("Soup")) }, Vote { at, ..vote(2, class("Egg")) }];
        assert_eq!(resolve(&votes), Some(&votes[1]));
    }

    #[test]
    fn nobody_said_anything() {
        assert_eq!(resolve(&[]), None);
        assert_eq!(resolve_photo(&[]), None);
        assert_eq!(resolve_photo(&[TaskVotes { blind: true, votes: Vec::new() }]), None);
    }

    #[test]
    fn blind_labels_come_before_all_others_however_many_and_late() {
        let blind = TaskVotes { blind: true, votes: vec![vote(1, class("Soup"))] };
        let shown = |number| TaskVotes { blind: false, votes: vec![vote(number, class("Egg"))] };
        let tasks = [shown(2), blind.clone(), shown(3)];
        assert_eq!(resolve_photo(&tasks), Some(&blind.votes[0]));
        let unanswered = TaskVotes { blind: true, votes: Vec::new() };
        let tasks = [unanswered, shown(2)];
        assert_eq!(resolve_photo(&tasks), Some(&tasks[1].votes[0]));
    }

    #[test]
    fn a_task_has_one_voice_in_its_photo_however_many_labelled_it() {
        let task = |votes| TaskVotes { blind: true, votes };
        let soup = task(vec![vote(1, class("Soup")), vote(2, class("Soup")), vote(3, class("Soup"))]);
        let egg = |number| task(vec![vote(number, class("Egg"))]);
        assert_eq!(resolve_photo(&[soup, egg(4), egg(5)]).map(|vote| vote.seen.clone()), Some(class("Egg")));
    }

    fn some_votes() -> impl Strategy<Value = Vec<Vote>> {
        let seen = prop_oneof![
            Just(class("Soup")),
            Just(class("Egg")),
            Just(class("Rice")),
            Just(Seen::NotFood),
            Just(Seen::Unreadable)
        ];
        proptest::collection::vec((0_i64..6, seen), 0..9).prop_map(|votes| {
            let votes = votes.into_iter().zip(0..);
            votes
                .map(|((second, seen), number)| Vote {
                    at: DateTime::from_timestamp(second, 0).unwrap(),
                    ..vote(number, seen)
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn the_order_in_which_rows_are_read_does_not_matter(votes in some_votes(), shift in 0_usize..9) {
            let mut turned = votes.clone();
            turned.rotate_left(shift.min(votes.len()));
            turned.reverse();
            prop_assert_eq!(resolve(&votes).cloned(), resolve(&turned).cloned());
        }

        #[test]
        fn no_answer_has_more_votes_than_the_one_that_stands(votes in some_votes()) {
            let count = |seen: &Seen| votes.iter().filter(|vote| vote.seen == *seen).count();
            match resolve(&votes) {
                None => prop_assert!(votes.is_empty()),
                Some(standing) => for other in &votes {
                    prop_assert!(count(&other.seen) <= count(&standing.seen));
                    if other.seen == standing.seen || count(&other.seen) == count(&standing.seen) {
                        prop_assert!((other.at, other.id) <= (standing.at, standing.id));
                    }
                },
            }
        }
    }
}

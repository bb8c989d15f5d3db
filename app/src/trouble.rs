//! What can go wrong between the browser and the API, and what to tell the visitor about it.

use gourmetgram_api::{LiveModel, Problem, ProblemKind};
use serde::{Deserialize, Serialize};

use crate::wording::file_size;

/// Why a call did not do what it was asked to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trouble {
    /// The server (or our own check before sending) refused, and says why.
    Refused(Problem),
    /// No answer came: offline, or the connection broke.
    Unreachable,
    /// An answer came that is none of ours, from a proxy for example.
    Unexpected {
        /// Its HTTP status.
        status: u16,
    },
}

impl Trouble {
    /// The photo is larger than the server would take, so it is not sent at all.
    pub fn too_large(bytes: u64, model: &LiveModel) -> Self {
        let (size, limit) = (file_size(bytes), file_size(model.limits.max_bytes));
        Self::Refused(Problem::new(
            ProblemKind::TooLarge,
            format!(
                "This file has {size}; at most {limit} fit. Choose a smaller one, or take the photo at a lower resolution."
            ),
        ))
    }

    /// The file says of itself that it is no picture, so it is not sent at all.
    pub fn not_a_picture(name: &str) -> Self {
        Self::Refused(Problem::new(
            ProblemKind::NotAPicture,
            format!("“{name}” is not a picture. Send a photo as JPEG, PNG, WebP or GIF."),
        ))
    }

    /// One short line: what happened.
    pub fn title(&self) -> String {
        match self {
            Self::Refused(problem) => match problem.kind {
                ProblemKind::TooLarge => "That photo is too large".to_owned(),
                ProblemKind::TooManyPixels => "That photo has too many pixels".to_owned(),
                ProblemKind::NotAPicture | ProblemKind::UnsupportedMediaType => {
                    "That is not a photo we can read".to_owned()
                }
                ProblemKind::RateLimited => "That was a lot of photos at once".to_owned(),
                ProblemKind::Unavailable => "The kitchen is busy".to_owned(),
                ProblemKind::StorageFull => "There is no room for new photos right now".to_owned(),
                ProblemKind::NotFound => "That photo is not here".to_owned(),
                ProblemKind::Erased => "That photo has been erased".to_owned(),
                _ => problem.title.clone(),
            },
            Self::Unreachable => "No connection".to_owned(),
            Self::Unexpected { .. } => "The answer could not be read".to_owned(),
        }
    }

    /// A sentence or two: what to do about it.
    pub fn advice(&self) -> String {
        match self {
            Self::Refused(problem) => as_sentence(&problem.detail),
            Self::Unreachable => {
                "The server could not be reached. Check your connection and try again; nothing is sent twice."
                    .to_owned()
            }
            Self::Unexpected { status } => {
                format!(
                    "Something between you and the server answered instead of it (status {status}). Try again in a moment."
                )
            }
        }
    }

    /// Whether the same request may succeed later.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Refused(problem) => matches!(
                problem.kind,
                ProblemKind::RateLimited
                    | ProblemKind::Unavailable
                    | ProblemKind::Timeout
                    | ProblemKind::Internal
                    | ProblemKind::StorageFull
            ),
            Self::Unreachable | Self::Unexpected { .. } => true,
        }
    }

    /// Seconds after which the server asks to be tried again, if it said so.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Refused(problem) => problem.retry_after,
            Self::Unreachable | Self::Unexpected { .. } => None,
        }
    }
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

/// A problem's detail begins and ends as an API writes it; on a page it is a sentence.
fn as_sentence(detail: &str) -> String {
    let mut letters = detail.chars();
    let mut sentence: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    if sentence.ends_with(char::is_alphanumeric) || sentence.ends_with(')') {
        sentence.push('.');
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_offered_again() {
        let refused = |kind| Trouble::Refused(Problem::new(kind, "…"));
        assert!(refused(ProblemKind::Unavailable).may_pass());
        assert!(refused(ProblemKind::RateLimited).may_pass());
        assert!(Trouble::Unreachable.may_pass());
        assert!(!refused(ProblemKind::NotAPicture).may_pass(), "the same file stays no picture");
        assert!(!refused(ProblemKind::TooLarge).may_pass());
        assert!(!refused(ProblemKind::Forbidden).may_pass());
    }

    #[test]
    fn what_the_server_says_reads_as_a_sentence() {
        let advice = |detail: &str| Trouble::Refused(Problem::new(ProblemKind::NotAPicture, detail)).advice();
        assert_eq!(advice("the JPEG is cut off: send it again"), "The JPEG is cut off: send it again.");
        assert_eq!(advice("Send another one."), "Send another one.");
        assert_eq!(advice(""), "");
    }
}

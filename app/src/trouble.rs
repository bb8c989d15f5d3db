//! What can go wrong between the browser and the API, and what to tell the visitor about it.

use gourmetgram_api::{LiveModel, Problem, ProblemKind};
use serde::{Deserialize, Serialize};

use crate::wording::file_size;

/// How often an upload is tried again by itself.
const MOST_TRIES: u32 = 8;

/// The longest wait, in seconds, that is worth showing a countdown for.
const LONGEST_COUNTDOWN: u64 = 120;

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

    /// The file holds nothing, so it is not sent at all.
    pub fn empty(name: &str) -> Self {
        Self::Refused(Problem::new(
            ProblemKind::NotAPicture,
            format!("“{name}” is empty: nothing was saved in it. Choose another one, or take the photo again."),
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
                ProblemKind::Unauthenticated => "This page has lost its session".to_owned(),
                ProblemKind::NotFound => "That photo is not here".to_owned(),
                ProblemKind::Erased => "That photo has been erased".to_owned(),
                _ => problem.title.clone(),
            },
            Self::Unreachable => "No connection".to_owned(),
            Self::Unexpected { .. } => "The answer could not be read".to_owned(),
        }
    }

    /// A sentence or two in the server's own words, for pages where nobody is a visitor with photos.
    pub fn server_words(&self) -> String {
        match self {
            Self::Refused(problem) => as_sentence(&problem.detail),
            Self::Unreachable | Self::Unexpected { .. } => self.advice(),
        }
    }

    /// A sentence or two: what to do about it.
    pub fn advice(&self) -> String {
        match self {
            Self::Refused(problem) if problem.kind == ProblemKind::Unauthenticated => {
                "The cookie that says which photos are yours was deleted or has run out. Load the page again to go on; \
                 photos sent before stay with the old cookie."
                    .to_owned()
            }
            Self::Refused(_) => self.server_words(),
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

    /// Whether it is the way to the server, or the server for a while: what was to be sent can wait for it to pass.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Refused(problem) => {
                matches!(problem.kind, ProblemKind::RateLimited | ProblemKind::Unavailable | ProblemKind::Timeout)
            }
            Self::Unreachable => true,
            Self::Unexpected { status } => matches!(status, 502..=504),
        }
    }

    /// Whether only loading the page anew helps.
    pub fn needs_reload(&self) -> bool {
        matches!(self, Self::Refused(problem) if problem.kind == ProblemKind::Unauthenticated)
    }

    /// Seconds to wait before an upload is tried again by itself, after so many tries. `None` where that would not
    /// help, would take too long to watch, or was done often enough.
    pub fn next_try(&self, tries: u32) -> Option<u64> {
        let back_off = || 2_u64.checked_pow(tries).map(|seconds| seconds.min(LONGEST_COUNTDOWN));
        let wait = match self {
            Self::Refused(problem) => match problem.kind {
                ProblemKind::Unavailable | ProblemKind::RateLimited => problem.retry_after.or_else(back_off),
                ProblemKind::Timeout => back_off(),
                _ => None,
            },
            Self::Unreachable | Self::Unexpected { status: 502..=504 } => back_off(),
            Self::Unexpected { .. } => None,
        };
        wait.filter(|seconds| tries <= MOST_TRIES && *seconds <= LONGEST_COUNTDOWN)
    }
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

/// A problem's detail begins and ends as an API writes it; on a page it is a sentence.
fn as_sentence(detail: &str) -> String {
    let mut sentence = detail.to_owned();
    if let Some(first) = sentence.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    if sentence.ends_with(|last: char| last.is_ascii_alphanumeric() || last == ')') {
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
    fn what_passes_by_itself_is_tried_again_and_not_for_ever() {
        let refused = |kind| Trouble::Refused(Problem::new(kind, "…"));
        let soon = Trouble::Refused(Problem::new(ProblemKind::RateLimited, "…").retry_after(7));
        assert_eq!(soon.next_try(1), Some(7), "when the server said");
        let late = Trouble::Refused(Problem::new(ProblemKind::RateLimited, "…").retry_after(3600));
        assert_eq!(late.next_try(1), None, "nobody watches a countdown of an hour");
        assert_eq!(Trouble::Unreachable.next_try(1), Some(2));
        assert_eq!(Trouble::Unreachable.next_try(3), Some(8));
        assert_eq!(Trouble::Unreachable.next_try(MOST_TRIES + 1), None);
        assert_eq!(refused(ProblemKind::Unavailable).next_try(1), Some(2));
        for stays in [ProblemKind::StorageFull, ProblemKind::NotAPicture, ProblemKind::Unauthenticated] {
            assert_eq!(refused(stays).next_try(1), None, "{stays:?}");
        }
    }

    #[test]
    fn what_passes_can_be_waited_for_without_the_page() {
        let refused = |kind| Trouble::Refused(Problem::new(kind, "…"));
        for passes in [
            Trouble::Unreachable,
            Trouble::Unexpected { status: 502 },
            refused(ProblemKind::Unavailable),
            refused(ProblemKind::RateLimited),
        ] {
            assert!(passes.is_passing(), "{passes:?}");
        }
        for stays in [
            Trouble::Unexpected { status: 418 },
            refused(ProblemKind::NotFound),
            refused(ProblemKind::Unprocessable),
            refused(ProblemKind::Unauthenticated),
        ] {
            assert!(!stays.is_passing(), "{stays:?}");
        }
    }

    #[test]
    fn what_the_server_says_reads_as_a_sentence() {
        let advice = |detail: &str| Trouble::Refused(Problem::new(ProblemKind::NotAPicture, detail)).advice();
        assert_eq!(advice("the JPEG is cut off: send it again"), "The JPEG is cut off: send it again.");
        assert_eq!(advice("Send another one."), "Send another one.");
        assert_eq!(advice(""), "");
    }
}

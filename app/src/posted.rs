//! What became of several photos sent by one plain form: carried in the address the server redirects to.

use gourmetgram_api::ProblemKind;
use leptos_router::params::ParamsMap;
use serde::{Deserialize, de::value::StrDeserializer};

use crate::wording::count;

/// The most photos that one plain form may send.
pub const MOST_PHOTOS: usize = 20;

/// How many photos of a form were taken, and why the others were not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Posted {
    /// So many are answered.
    pub taken: usize,
    /// One kind for each that was not taken.
    pub refused: Vec<ProblemKind>,
}

impl Posted {
    /// The address of the page that says so, scrolled to the photos.
    pub fn address(&self) -> String {
        let kinds: Vec<String> = self.refused.iter().filter_map(|kind| word(*kind)).collect();
        let refused = if kinds.is_empty() { String::new() } else { format!("&refused={}", kinds.join(",")) };
        format!("/?sent={}{refused}#my-photos", self.taken)
    }

    /// Reads it from the page's address. Nothing where the address says nothing of it, or nonsense.
    pub fn read(query: &ParamsMap) -> Option<Self> {
        let taken = query.get("sent")?.parse().ok().filter(|taken| *taken <= MOST_PHOTOS)?;
        let refused = query.get("refused").unwrap_or_default();
        let refused = refused.split(',').take(MOST_PHOTOS).filter_map(kind).collect();
        Some(Self { taken, refused })
    }

    /// What happened, in one line.
    pub fn title(&self) -> String {
        match (self.taken, self.refused.len()) {
            (taken, 0) => format!("{} answered.", count(taken, "photo is", "photos are")),
            (taken, refused) => {
                format!(
                    "{} answered, {} not taken.",
                    count(taken, "photo is", "photos are"),
                    count(refused, "was", "were")
                )
            }
        }
    }

    /// Why the others were not taken, and what to do.
    pub fn advice(&self) -> String {
        if self.refused.is_empty() {
            return "Open one to read its answer, and to say whether it is right.".to_owned();
        }
        let mut seen: Vec<ProblemKind> = Vec::new();
        let mut reasons = Vec::new();
        for kind in &self.refused {
            if !seen.contains(kind) {
                seen.push(*kind);
                let number = self.refused.iter().filter(|other| *other == kind).count();
                reasons.push(format!("{number} {}", reason(*kind)));
            }
        }
        let again = seen.iter().any(|kind| matches!(kind, ProblemKind::Unavailable | ProblemKind::RateLimited));
        let advice = if again { " Send those again in a moment." } else { "" };
        format!("Not taken: {}.{advice}", reasons.join(", "))
    }
}

fn reason(kind: ProblemKind) -> &'static str {
    match kind {
        ProblemKind::NotAPicture => "that we cannot read as a photo",
        ProblemKind::TooLarge => "too large",
        ProblemKind::TooManyPixels => "with too many pixels",
        ProblemKind::Unavailable | ProblemKind::RateLimited => "that came while the server was busy",
        ProblemKind::StorageFull => "for which the server has no room",
        _ => "that did not arrive well",
    }
}

/// The kind as it stands in the API.
fn word(kind: ProblemKind) -> Option<String> {
    serde_json::to_value(kind).ok()?.as_str().map(str::to_owned)
}

fn kind(word: &str) -> Option<ProblemKind> {
    ProblemKind::deserialize(StrDeserializer::<serde::de::value::Error>::new(word)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(address: &str) -> Option<Posted> {
        let query = address.split_once('?').map_or("", |(_, query)| query);
        let query = query.split('#').next().unwrap_or_default();
        let mut map = ParamsMap::new();
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            map.insert(name.to_owned(), value.to_owned());
        }
        Posted::read(&map)
    }

    #[test]
    fn what_the_address_says_is_what_happened() {
        let refused = vec![ProblemKind::NotAPicture, ProblemKind::TooLarge, ProblemKind::NotAPicture];
        for posted in [Posted { taken: 3, refused: vec![] }, Posted { taken: 1, refused }] {
            assert_eq!(read(&posted.address()), Some(posted));
        }
        assert_eq!(read("/"), None);
        assert_eq!(read("/?sent=lots"), None);
        assert_eq!(read("/?sent=9999999"), None);
    }

    #[test]
    fn it_is_said_how_many_were_not_taken_and_why() {
        let refused = vec![ProblemKind::NotAPicture, ProblemKind::Unavailable, ProblemKind::NotAPicture];
        let posted = Posted { taken: 1, refused };
        assert_eq!(posted.title(), "1 photo is answered, 3 were not taken.");
        assert_eq!(
            posted.advice(),
            "Not taken: 2 that we cannot read as a photo, 1 that came while the server was busy. Send those again in a moment."
        );
    }
}

//! Object tags, some of which are ours and some of which are not.
//!
//! Others (a notebook, a console, a pipeline) may put tags on our objects, and S3 can only write all tags of an object
//! at once. So what we write is always what stands there, with our own keys changed: [`Tags::merge`]. S3 allows ten
//! tags; where others' and ours do not fit together we say so and change nothing.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// At most so many tags an object.
pub const MAX_TAGS: usize = 10;
/// Longest key of a tag, in characters.
const MAX_KEY_LENGTH: usize = 128;
/// Longest value of a tag, in characters.
const MAX_VALUE_LENGTH: usize = 256;

/// Why tags cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagsError {
    /// S3 allows any script, but stores differ beyond ASCII, so we stay within it.
    #[error(
        "{0:?} cannot be the key of a tag: use 1 to {MAX_KEY_LENGTH} ASCII letters, digits, spaces or + - = . _ : / @, \
         without spaces at the ends, and not starting with aws:"
    )]
    Key(String),
    /// As for keys; a value may be empty.
    #[error(
        "{value:?} cannot be the value of tag {key}: use at most {MAX_VALUE_LENGTH} ASCII letters, digits, spaces or \
         + - = . _ : / @, without spaces at the ends"
    )]
    Value {
        /// The tag's key.
        key: String,
        /// What it cannot be.
        value: String,
    },
    /// Nothing was written. Somebody has to remove some of the others' tags.
    #[error(
        "an object has at most {MAX_TAGS} tags: {others} set by others ({}) and {own} of ours do not fit together; \
         remove some of the others",
        .names_of_others.join(", ")
    )]
    TooMany {
        /// How many tags we want to stand there.
        own: usize,
        /// How many others stand there.
        others: usize,
        /// Their keys.
        names_of_others: Vec<String>,
    },
}

/// All tags of one object, by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(BTreeMap<String, String>);

impl Tags {
    /// The value of one tag.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Key and value of every tag, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These tags with our own changed: what is set is set, what is removed is gone, all others stay as they are.
    pub fn merge(&self, own: &TagChanges) -> Result<Self, TagsError> {
        let mut merged = self.0.clone();
        for (key, value) in &own.0 {
            check_key(key)?;
            match value {
                Some(value) => {
                    check_value(key, value)?;
                    merged.insert(key.clone(), value.clone());
                }
                None => {
                    merged.remove(key);
                }
            }
        }
        if merged.len() > MAX_TAGS {
            let is_others = |key: &&String| !own.0.contains_key(*key);
            let names_of_others: Vec<String> = merged.keys().filter(is_others).cloned().collect();
            let others = names_of_others.len();
            return Err(TagsError::TooMany { own: merged.len() - others, others, names_of_others });
        }
        Ok(Self(merged))
    }

    /// As [`Tags::merge`], for a copy: where others' tags and ours do not fit together, the copy goes without the last
    /// of the others', by key. Nothing is lost by that, they stand with the original.
    pub fn merge_as_fits(&self, own: &TagChanges) -> Result<Self, TagsError> {
        let mut ours = Self::default().merge(own)?;
        let others = self.0.iter().filter(|(key, _)| !own.0.contains_key(*key));
        let room = MAX_TAGS.saturating_sub(ours.len());
        ours.0.extend(others.take(room).map(|(key, value)| (key.clone(), value.clone())));
        Ok(ours)
    }

    /// What stands in a store, whoever wrote it: taken as it is, so that it can be written back as it was.
    pub(crate) fn from_store(tags: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(tags.into_iter().collect())
    }

    /// As the header `x-amz-tagging`: `key=value&key=value`, percent-encoded; `None` for no tags.
    pub(crate) fn to_header(&self) -> Option<String> {
        const KEPT: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
        let encode = |text| utf8_percent_encode(text, &KEPT);
        let pairs: Vec<String> = self.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect();
        (!pairs.is_empty()).then(|| pairs.join("&"))
    }
}

/// Changes to our own tags: each key is set to a value, or removed. Checked when it is merged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagChanges(BTreeMap<String, Option<String>>);

impl TagChanges {
    /// No changes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a tag to a text of others' making, with what no tag can hold replaced by `_` and cut to a tag's length.
    #[must_use]
    pub fn set_text(self, key: &str, text: &str) -> Self {
        let plain = |character: char| if is_tag_character(character) { character } else { '_' };
        let value: String = text.trim().chars().map(plain).take(MAX_VALUE_LENGTH).collect();
        self.set(key, Some(value.trim()))
    }

    /// Sets a tag, or with `None` removes it. The last word on a key counts.
    #[must_use]
    pub fn set(mut self, key: &str, value: Option<&str>) -> Self {
        self.0.insert(key.to_owned(), value.map(str::to_owned));
        self
    }
}

fn check_key(key: &str) -> Result<(), TagsError> {
    let is_allowed = !key.is_empty() && is_text(key, MAX_KEY_LENGTH) && !key.starts_with("aws:");
    if is_allowed { Ok(()) } else { Err(TagsError::Key(key.to_owned())) }
}

fn check_value(key: &str, value: &str) -> Result<(), TagsError> {
    let is_allowed = is_text(value, MAX_VALUE_LENGTH);
    if is_allowed { Ok(()) } else { Err(TagsError::Value { key: key.to_owned(), value: value.to_owned() }) }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/tagging-managing.html>; spaces at the ends get lost in some
/// stores.
fn is_text(text: &str, longest: usize) -> bool {
    text.len() <= longest && text.trim() == text && text.chars().all(is_tag_character)
}

fn is_tag_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || " +-=._:/@".contains(character)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn standing(pairs: &[(&str, &str)]) -> Tags {
        Tags::from_store(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn a_flag_keeps_the_others_tags() {
        let before = standing(&[("predicted_class", "Bread"), ("notebook", "run 7, ä")]);
        let after = before.merge(&TagChanges::new().set("flagged", Some("true"))).unwrap();
        assert_eq!(after, standing(&[("predicted_class", "Bread"), ("notebook", "run 7, ä"), ("flagged", "true")]));
        assert_eq!(after.merge(&TagChanges::new().set("flagged", None)).unwrap(), before);
    }

    #[test]
    fn too_many_tags_are_refused_and_named() {
        let others: Vec<(String, String)> = (0..8).map(|n| (format!("other{n}"), String::new())).collect();
        let before = Tags::from_store(others);
        let own = TagChanges::new().set("a", Some("1")).set("b", Some("2")).set("gone", None);
        assert_eq!(before.merge(&own).unwrap().len(), 10);
        let error = before.merge(&own.set("c", Some("3"))).unwrap_err();
        assert!(matches!(error, TagsError::TooMany { own: 3, others: 8, .. }), "{error:?}");
        assert!(error.to_string().contains("other0, other1"), "{error}");
    }

    #[test]
    fn a_copy_has_all_of_our_tags_and_of_the_others_what_fits() {
        let others = (0..8).map(|n| (format!("other{n}"), format!("{n}")));
        let before = Tags::from_store(others.chain([("flagged".to_owned(), "true".to_owned())]));
        let own = TagChanges::new().set("a", Some("1")).set("b", Some("2")).set("z", Some("3")).set("flagged", None);
        let copy = before.merge_as_fits(&own).unwrap();
        assert_eq!(copy.len(), 10);
        assert_eq!((copy.get("z"), copy.get("other6"), copy.get("other7")), (Some("3"), Some("6"), None));
        assert_eq!(copy.get("flagged"), None);
        let eleven = (0..11).fold(TagChanges::new(), |all, n| all.set(&format!("own{n}"), Some("")));
        assert!(before.merge_as_fits(&eleven).is_err());
    }

    #[test]
    fn a_name_that_no_tag_can_hold_is_spelt_as_far_as_it_can_be() {
        let own = TagChanges::new().set_text("annotator", " Zoë & Bob\n").set_text("long", &"x ".repeat(500));
        let tags = Tags::default().merge(&own).unwrap();
        assert_eq!(tags.get("annotator"), Some("Zo_ _ Bob"));
        assert_eq!(tags.get("long").map(str::len), Some(255));
    }

    #[test]
    fn tags_that_s3_would_refuse_are_refused_here() {
        for key in ["", " a", "aws:x", "ä", "a\nb", "a&b", &"k".repeat(129)] {
            let error = Tags::default().merge(&TagChanges::new().set(key, Some("v"))).unwrap_err();
            assert_eq!(error, TagsError::Key(key.to_owned()));
        }
        for value in ["v ", "<v>", "ä", &"v".repeat(257)] {
            let error = Tags::default().merge(&TagChanges::new().set("k", Some(value))).unwrap_err();
            assert_eq!(error, TagsError::Value { key: "k".to_owned(), value: value.to_owned() });
        }
    }

    #[test]
    fn the_header_escapes_what_has_a_meaning_in_it() {
        let tags = standing(&[("a b", "c&d=e+f"), ("class", "Noodles/Pasta")]);
        assert_eq!(tags.to_header().as_deref(), Some("a%20b=c%26d%3De%2Bf&class=Noodles%2FPasta"));
        assert_eq!(Tags::default().to_header(), None);
    }

    proptest! {
        /// Whatever others wrote and we change: their tags are as they were, or nothing is written.
        #[test]
        fn others_tags_survive(
            others in prop::collection::btree_map("other_\\PC{0,5}", "\\PC{0,9}", 0..12),
            own in prop::collection::btree_map("own_[a-z]", prop::option::of("[a-z]{0,4}"), 0..12),
            before in prop::collection::btree_map("own_[a-z]", "[a-z]{0,4}", 0..4),
        ) {
            let standing = Tags::from_store(others.clone().into_iter().chain(before));
            let changes = own.iter().fold(TagChanges::new(), |all, (key, value)| all.set(key, value.as_deref()));
            match standing.merge(&changes) {
                Ok(merged) => {
                    prop_assert!(merged.len() <= MAX_TAGS);
                    for (key, value) in &others {
                        prop_assert_eq!(merged.get(key), Some(value.as_str()));
                    }
                    for (key, value) in &own {
                        prop_assert_eq!(merged.get(key), value.as_deref());
                    }
                }
                Err(error) => {
                    let is_too_many = matches!(error, TagsError::TooMany { .. });
                    prop_assert!(is_too_many);
                }
            }
        }
    }
}

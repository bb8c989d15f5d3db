//! Object tags: what S3 allows, and how they come in.

use s3s::{S3Result, dto, s3_error};
use serde::{Deserialize, Serialize};

/// At most so many tags an object.
const MAX_TAGS: usize = 10;
/// Longest key of a tag, in characters.
const MAX_KEY_LENGTH: usize = 128;
/// Longest value of a tag, in characters.
const MAX_VALUE_LENGTH: usize = 256;

/// One tag as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tag {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// The tags of one object, checked: at most ten, keys distinct, lengths and characters as S3 has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Tags(Vec<Tag>);

impl Tags {
    /// Tags from the header `x-amz-tagging`: `key=value&key=value`, form-encoded. No header means no tags.
    pub(crate) fn from_header(header: Option<&str>) -> S3Result<Self> {
        let pairs = url::form_urlencoded::parse(header.unwrap_or_default().as_bytes());
        Self::new(pairs.map(|(key, value)| Tag { key: key.into_owned(), value: value.into_owned() }).collect())
    }

    /// Tags from the body of a tagging request.
    pub(crate) fn from_request(tagging: dto::Tagging) -> S3Result<Self> {
        let read = |tag: dto::Tag| match (tag.key, tag.value) {
            (Some(key), Some(value)) => Ok(Tag { key, value }),
            _ => Err(s3_error!(MalformedXML, "a tag needs a Key and a Value")),
        };
        Self::new(tagging.tag_set.into_iter().map(read).collect::<S3Result<_>>()?)
    }

    fn new(tags: Vec<Tag>) -> S3Result<Self> {
        if tags.len() > MAX_TAGS {
            return Err(s3_error!(InvalidTag, "Object tags cannot be greater than {MAX_TAGS}"));
        }
        for (position, tag) in tags.iter().enumerate() {
            if tag.key.is_empty() || tag.key.chars().count() > MAX_KEY_LENGTH || !tag.key.chars().all(is_allowed) {
                return Err(s3_error!(InvalidTag, "The TagKey you have provided is invalid"));
            }
            if tag.key.starts_with("aws:") {
                return Err(s3_error!(InvalidTag, "System tags cannot be added/updated by requester"));
            }
            if tag.value.chars().count() > MAX_VALUE_LENGTH || !tag.value.chars().all(is_allowed) {
                return Err(s3_error!(InvalidTag, "The TagValue you have provided is invalid"));
            }
            if tags[..position].iter().any(|earlier| earlier.key == tag.key) {
                return Err(s3_error!(InvalidTag, "Cannot provide multiple Tags with the same key"));
            }
        }
        Ok(Self(tags))
    }

    /// How many there are; `None` for none, which S3 does not mention.
    pub(crate) fn count(&self) -> Option<dto::TagCount> {
        i32::try_from(self.0.len()).ok().filter(|&count| count > 0)
    }

    /// As the answer of a tagging request.
    pub(crate) fn to_answer(&self) -> dto::TagSet {
        let answer = |tag: &Tag| dto::Tag { key: Some(tag.key.clone()), value: Some(tag.value.clone()) };
        self.0.iter().map(answer).collect()
    }
}

/// Letters, digits and spaces of any script, and these signs
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/tagging-managing.html>).
fn is_allowed(character: char) -> bool {
    character.is_alphanumeric() || character == ' ' || "+-=._:/@".contains(character)
}

#[cfg(test)]
mod tests {
    use s3s::S3ErrorCode;

    use super::*;

    fn code(header: &str) -> S3ErrorCode {
        Tags::from_header(Some(header)).unwrap_err().code().clone()
    }

    #[test]
    fn a_header_is_form_encoded() {
        let tags = Tags::from_header(Some("predicted_class=Noodles%2FPasta&corrected+class=Egg+%26=")).unwrap_err();
        assert_eq!(*tags.code(), S3ErrorCode::InvalidTag, "& is not allowed in a value");
        let tags = Tags::from_header(Some("predicted_class=Noodles%2FPasta&a+b=c%20d&empty=")).unwrap();
        let pairs: Vec<(&str, &str)> = tags.0.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())).collect();
        assert_eq!(pairs, [("predicted_class", "Noodles/Pasta"), ("a b", "c d"), ("empty", "")]);
    }

    #[test]
    fn no_header_means_no_tags() {
        assert_eq!(Tags::from_header(None).unwrap().count(), None);
        assert_eq!(Tags::from_header(Some("")).unwrap().count(), None);
    }

    #[test]
    fn ten_tags_are_allowed_and_eleven_are_not() {
        let header = |count: usize| (0..count).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join("&");
        assert_eq!(Tags::from_header(Some(&header(10))).unwrap().count(), Some(10));
        assert_eq!(code(&header(11)), S3ErrorCode::InvalidTag);
    }

    #[test]
    fn limits_are_counted_in_characters() {
        assert!(Tags::from_header(Some(&format!("{}={}", "ä".repeat(128), "ö".repeat(256)))).is_ok());
        assert_eq!(code(&format!("{}=v", "k".repeat(129))), S3ErrorCode::InvalidTag);
        assert_eq!(code(&format!("k={}", "v".repeat(257))), S3ErrorCode::InvalidTag);
    }

    #[test]
    fn foreign_characters_doubles_and_reserved_keys_are_refused() {
        for header in ["k=<b>", "k=a%0Ab", "k%00=v", "=v", "k=1&k=2", "aws:x=1"] {
            assert_eq!(code(header), S3ErrorCode::InvalidTag, "{header:?}");
        }
    }
}

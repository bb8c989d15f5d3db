//! Object keys, and the layout of the bucket `production`.

use std::{fmt, str::FromStr};

use gourmetgram_api::{ClassIndex, PredictionId};

/// Longest key S3 allows, in bytes.
const MAX_LENGTH: usize = 1024;

/// The key of an object: 1 to 1,024 bytes, without control characters, which not every client can say.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey(String);

/// A text that is no [`ObjectKey`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no object key: use 1 to {MAX_LENGTH} bytes without control characters")]
pub struct InvalidObjectKey(pub String);

impl ObjectKey {
    /// Checks a key.
    pub fn new(key: impl Into<String>) -> Result<Self, InvalidObjectKey> {
        let key = key.into();
        let is_allowed = (1..=MAX_LENGTH).contains(&key.len()) && !key.chars().any(char::is_control);
        if is_allowed { Ok(Self(key)) } else { Err(InvalidObjectKey(key.chars().take(100).collect())) }
    }

    /// The key of a photo in the bucket `production`: `class_03/01890a5d-ac96-774b-bcce-b302099a8057.jpg`.
    ///
    /// The extension may come with its dot or without; only its ASCII letters and digits are taken, and where none are left the key
    /// has no extension.
    pub fn production(class: ClassIndex, id: PredictionId, extension: &str) -> Self {
        let extension: String = extension.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
        let dot = if extension.is_empty() { "" } else { "." };
        Self(format!("{}/{id}{dot}{}", class.folder(), extension.to_ascii_lowercase()))
    }

    /// What a key of the bucket `production` says of its photo; `None` where it is not one of ours.
    pub fn as_production(&self) -> Option<ProductionKey<'_>> {
        let (folder, file) = self.0.split_once('/')?;
        let class = ClassIndex(folder.strip_prefix("class_")?.parse().ok()?);
        let (id, extension) = file.split_once('.').map_or((file, None), |(id, extension)| (id, Some(extension)));
        let id = id.parse().ok()?;
        // Numbers have more than one spelling (`class_3`, `class_+03`), keys have one.
        let is_ours = Self::production(class, id, extension.unwrap_or_default()) == *self;
        is_ours.then_some(ProductionKey { class, id, extension })
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the key of a photo in the bucket `production` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProductionKey<'a> {
    /// The class the model gave.
    pub class: ClassIndex,
    /// The prediction.
    pub id: PredictionId,
    /// Without a dot, in small letters.
    pub extension: Option<&'a str>,
}

impl FromStr for ObjectKey {
    type Err = InvalidObjectKey;

    fn from_str(key: &str) -> Result<Self, Self::Err> {
        Self::new(key)
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

    fn production(class: u16, extension: &str) -> ObjectKey {
        ObjectKey::production(ClassIndex(class), ID.parse().unwrap(), extension)
    }

    #[test]
    fn the_layout_is_the_tutorials() {
        assert_eq!(production(3, "jpg").as_str(), format!("class_03/{ID}.jpg"));
        assert_eq!(production(10, "png").as_str(), format!("class_10/{ID}.png"));
        assert_eq!(production(0, "").as_str(), format!("class_00/{ID}"));
    }

    #[test]
    fn an_extension_cannot_change_the_layout() {
        assert_eq!(production(3, ".JPG").as_str(), format!("class_03/{ID}.jpg"));
        assert_eq!(production(3, "../x").as_str(), format!("class_03/{ID}.x"));
    }

    #[test]
    fn a_key_of_ours_is_read_back() {
        for (class, extension) in [(0, "jpg"), (10, "webp"), (123, "")] {
            let key = production(class, extension);
            let read = key.as_production().unwrap();
            assert_eq!((read.class, read.id.to_string().as_str()), (ClassIndex(class), ID));
            assert_eq!(read.extension.unwrap_or_default(), extension);
        }
    }

    #[test]
    fn other_keys_are_not_mistaken_for_ours() {
        for key in [
            format!("class_3/{ID}.jpg"),
            format!("class_+3/{ID}.jpg"),
            format!("class_03/{ID}.JPG"),
            format!("class_03/{ID}.tar.gz"),
            format!("class_03/{ID}."),
            format!("class_03/x/{ID}.jpg"),
            "class_03/photo.jpg".to_owned(),
            "class_03/f47ac10b-58cc-4372-a567-0e02b2c3d479.jpg".to_owned(),
            ID.to_owned(),
        ] {
            assert_eq!(ObjectKey::new(key.clone()).unwrap().as_production(), None, "{key}");
        }
    }

    #[test]
    fn keys_that_s3_refuses_are_refused_here() {
        for key in [String::new(), "x".repeat(1025), "a\0b".to_owned(), "a\nb".to_owned()] {
            assert!(ObjectKey::new(key).is_err());
        }
        assert!(ObjectKey::new("ä".repeat(512)).is_ok());
    }
}

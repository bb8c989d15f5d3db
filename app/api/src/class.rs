//! Food classes: an index into a model's ordered list of labels.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Position of a class in its model's list, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct ClassIndex(pub u16);

impl ClassIndex {
    /// The folder of this class in a bucket: `class_00`, `class_01`, …
    pub fn folder(self) -> String {
        format!("class_{:02}", self.0)
    }
}

impl fmt::Display for ClassIndex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Why a list of labels cannot be a model's classes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClassesError {
    /// Fewer than two labels: nothing to tell apart.
    #[error("a classifier needs at least two classes, this list has {0}")]
    TooFew(usize),
    /// More labels than an index can count.
    #[error("a classifier may have at most 1,000 classes, this list has {0}")]
    TooMany(usize),
    /// The same label twice: a correction to it would be ambiguous.
    #[error("the class {0:?} is listed twice")]
    Duplicate(String),
    /// A label that cannot be written as the value of an S3 object tag.
    #[error(
        "the class {0:?} cannot be an S3 tag: use 1 to 100 letters, digits, spaces or + - = . _ : / @, \
         without spaces at the ends"
    )]
    NotATag(String),
}

/// The ordered labels of a model: at least two, distinct, each usable as the value of an S3 object tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
#[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
pub struct Classes(Vec<String>);

impl Classes {
    /// Checks the labels; see [`ClassesError`] for what is refused.
    pub fn new(labels: Vec<String>) -> Result<Self, ClassesError> {
        if labels.len() < 2 {
            return Err(ClassesError::TooFew(labels.len()));
        }
        if labels.len() > 1000 {
            return Err(ClassesError::TooMany(labels.len()));
        }
        for (index, label) in labels.iter().enumerate() {
            if !is_tag_value(label) {
                return Err(ClassesError::NotATag(label.clone()));
            }
            if labels[..index].contains(label) {
                return Err(ClassesError::Duplicate(label.clone()));
            }
        }
        Ok(Self(labels))
    }

    /// How many classes there are.
    #[expect(clippy::len_without_is_empty, reason = "never empty by construction")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The label at `index`, if there is one.
    pub fn label(&self, index: ClassIndex) -> Option<&str> {
        self.0.get(usize::from(index.0)).map(String::as_str)
    }

    /// The index of the class called `label`, to the letter.
    pub fn index_of(&self, label: &str) -> Option<ClassIndex> {
        let position = self.0.iter().position(|known| known == label)?;
        u16::try_from(position).ok().map(ClassIndex)
    }

    /// Index and label of every class, in the model's order.
    pub fn iter(&self) -> impl Iterator<Item = (ClassIndex, &str)> {
        (0..).map(ClassIndex).zip(self.0.iter().map(String::as_str))
    }
}

impl TryFrom<Vec<String>> for Classes {
    type Error = ClassesError;

    fn try_from(labels: Vec<String>) -> Result<Self, Self::Error> {
        Self::new(labels)
    }
}

impl From<Classes> for Vec<String> {
    fn from(classes: Classes) -> Self {
        classes.0
    }
}

/// S3 allows letters, digits and spaces "representable in UTF-8" and these signs; stores differ beyond ASCII, so we
/// stay within it.
fn is_tag_value(label: &str) -> bool {
    (1..=100).contains(&label.len())
        && label.trim() == label
        && label.chars().all(|c| c.is_ascii_alphanumeric() || " +-=._:/@".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn folders_are_the_tutorials() {
        assert_eq!(ClassIndex(3).folder(), "class_03");
        assert_eq!(ClassIndex(10).folder(), "class_10");
        assert_eq!(ClassIndex(123).folder(), "class_123");
    }

    #[test]
    fn labels_that_s3_would_refuse_are_refused_here() {
        for bad in ["", " Bread", "Bread ", "Brötchen", "<b>", "a\nb"] {
            assert_eq!(Classes::new(labels(&["Soup", bad])), Err(ClassesError::NotATag(bad.to_owned())), "{bad:?}");
        }
        assert!(Classes::new(labels(&["Noodles/Pasta", "Dairy product"])).is_ok());
    }

    #[test]
    fn too_few_and_twice_are_refused() {
        assert_eq!(Classes::new(labels(&["Soup"])), Err(ClassesError::TooFew(1)));
        assert_eq!(Classes::new(labels(&["Soup", "Soup"])), Err(ClassesError::Duplicate("Soup".into())));
    }

    #[test]
    fn a_label_and_its_index_belong_together() {
        let classes = Classes::new(labels(&["Bread", "Soup"])).unwrap();
        assert_eq!(classes.index_of("Soup"), Some(ClassIndex(1)));
        assert_eq!(classes.label(ClassIndex(1)), Some("Soup"));
        assert_eq!(classes.label(ClassIndex(2)), None);
        assert_eq!(classes.index_of("soup"), None);
    }
}

//! What can be taken out of the service: which form, and where photos go in a folder.

use serde::{Deserialize, Serialize};

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// One prediction a line, as the API shows it.
    Jsonl,
    /// A table for spreadsheets.
    Csv,
    /// A table for pandas, DuckDB and Spark.
    Parquet,
    /// The photos, in an archive with a folder a class, and a manifest.
    Photos,
}

/// What decides in which folder a photo lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FolderBy {
    /// The model's answer.
    #[default]
    Predicted,
    /// The annotators' label; photos without one are left out.
    Annotated,
    /// The user's correction; photos without one are left out.
    Corrected,
}

/// A word that is no form of an export, or names no folder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{word:?} is unknown: use {known}")]
pub struct UnknownExport {
    /// The word.
    pub word: String,
    /// Those there are.
    pub known: String,
}

impl ExportFormat {
    /// Every form.
    pub const ALL: [Self; 4] = [Self::Jsonl, Self::Csv, Self::Parquet, Self::Photos];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Photos => "photos",
        }
    }

    /// What a file of it is called behind the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Photos => "zip",
            other => other.as_str(),
        }
    }

    /// The type of such a file.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Jsonl => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Parquet => "application/vnd.apache.parquet",
            Self::Photos => "application/zip",
        }
    }
}

impl FolderBy {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Predicted, Self::Annotated, Self::Corrected];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Predicted => "predicted",
            Self::Annotated => "annotated",
            Self::Corrected => "corrected",
        }
    }
}

impl std::str::FromStr for ExportFormat {
    type Err = UnknownExport;

    fn from_str(word: &str) -> Result<Self, UnknownExport> {
        Self::ALL
            .into_iter()
            .find(|known| known.as_str() == word)
            .ok_or_else(|| UnknownExport { word: word.to_owned(), known: Self::ALL.map(Self::as_str).join(", ") })
    }
}

impl std::str::FromStr for FolderBy {
    type Err = UnknownExport;

    fn from_str(word: &str) -> Result<Self, UnknownExport> {
        Self::ALL
            .into_iter()
            .find(|known| known.as_str() == word)
            .ok_or_else(|| UnknownExport { word: word.to_owned(), known: Self::ALL.map(Self::as_str).join(", ") })
    }
}

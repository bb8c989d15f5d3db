//! Errors as [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) problem documents.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What kind of thing went wrong. Stable: clients branch on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// 400: the request itself is malformed.
    BadRequest,
    /// 401: no credentials, or none that are known.
    Unauthenticated,
    /// 403: known, but not allowed.
    Forbidden,
    /// 404: nothing there.
    NotFound,
    /// 405: the path exists, the method does not.
    MethodNotAllowed,
    /// 408: the request took too long to arrive.
    Timeout,
    /// 409: the id or key is in use for something else.
    Conflict,
    /// 410: erased by its owner.
    Erased,
    /// 413: too many bytes.
    TooLarge,
    /// 415: a type we do not read.
    UnsupportedMediaType,
    /// 422: well-formed, but it cannot be done as asked.
    Unprocessable,
    /// 422: the file is no picture we can read.
    NotAPicture,
    /// 422: too many pixels.
    TooManyPixels,
    /// 429: too often.
    RateLimited,
    /// 500: our fault.
    Internal,
    /// 503: busy or a part is down; try again.
    Unavailable,
    /// 507: the server's disk is full.
    StorageFull,
}

impl ProblemKind {
    /// The HTTP status that goes with it.
    pub fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Timeout => 408,
            Self::Conflict => 409,
            Self::Erased => 410,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::Unprocessable | Self::NotAPicture | Self::TooManyPixels => 422,
            Self::RateLimited => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
            Self::StorageFull => 507,
        }
    }

    /// A title fit for people, the same for every problem of the kind.
    pub fn title(self) -> &'static str {
        match self {
            Self::BadRequest => "The request is malformed",
            Self::Unauthenticated => "Credentials are missing or unknown",
            Self::Forbidden => "Not allowed",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "Method not allowed",
            Self::Timeout => "The request took too long",
            Self::Conflict => "Already in use",
            Self::Erased => "Erased",
            Self::TooLarge => "Too large",
            Self::UnsupportedMediaType => "Unsupported type",
            Self::Unprocessable => "Cannot be done as asked",
            Self::NotAPicture => "Not a picture we can read",
            Self::TooManyPixels => "Too many pixels",
            Self::RateLimited => "Too many requests",
            Self::Internal => "Something went wrong on our side",
            Self::Unavailable => "Busy, please try again",
            Self::StorageFull => "The server's disk is full",
        }
    }
}

/// A problem document, served as `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// The kind, as a word that stays the same.
    #[serde(rename = "type")]
    pub kind: ProblemKind,
    /// The kind's title.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What was wrong with this request, and what to do.
    pub detail: String,
    /// Id of the request, as in the server's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Seconds to wait before the next try, where waiting helps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// Which of the request's fields is meant, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub field: Option<Box<str>>,
}

impl Problem {
    /// A problem of `kind`; `detail` says what was wrong and what to do.
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            title: kind.title().to_owned(),
            status: kind.status(),
            detail: detail.into(),
            request_id: None,
            retry_after: None,
            field: None,
        }
    }

    /// Says which of the request's fields is meant.
    #[must_use]
    pub fn of_field(mut self, field: &str) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.title, self.detail)
    }
}

impl std::error::Error for Problem {}

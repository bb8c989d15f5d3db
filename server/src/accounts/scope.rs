//! What a machine's token may do.

use std::{collections::BTreeSet, fmt, str::FromStr};

/// One thing a token may do. Which route needs which is in one table, `http::rules`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Send photos.
    PredictionsWrite,
    /// Send photos with a time in the past: what somebody replays is not what happened.
    PredictionsBackdate,
    /// See everybody's predictions and photos.
    PredictionsRead,
    /// Erase everybody's photos.
    PredictionsErase,
    /// Flag and relabel everybody's predictions.
    FeedbackWrite,
    /// See labelling campaigns, and what they would choose.
    CampaignsRead,
    /// Make and archive labelling campaigns, and have them select.
    CampaignsWrite,
    /// See pipelines and what became of their runs.
    PipelinesRead,
    /// Ask for runs of pipelines, and call them off.
    PipelinesRun,
    /// See how accurate the model is.
    EvaluationRead,
    /// Read metrics, where they need a token.
    MetricsRead,
    /// Everything an operator may do, now and in later versions.
    Admin,
}

/// A word that is no scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no scope: use {known}", known = Scope::ALL.map(Scope::as_str).join(", "))]
pub struct UnknownScope(pub String);

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 12] = [
        Self::PredictionsWrite,
        Self::PredictionsBackdate,
        Self::PredictionsRead,
        Self::PredictionsErase,
        Self::FeedbackWrite,
        Self::CampaignsRead,
        Self::CampaignsWrite,
        Self::PipelinesRead,
        Self::PipelinesRun,
        Self::EvaluationRead,
        Self::MetricsRead,
        Self::Admin,
    ];

    /// The word it is stored and written as.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PredictionsWrite => "predictions:write",
            Self::PredictionsBackdate => "predictions:backdate",
            Self::PredictionsRead => "predictions:read",
            Self::PredictionsErase => "predictions:erase",
            Self::FeedbackWrite => "feedback:write",
            Self::CampaignsRead => "campaigns:read",
            Self::CampaignsWrite => "campaigns:write",
            Self::PipelinesRead => "pipelines:read",
            Self::PipelinesRun => "pipelines:run",
            Self::EvaluationRead => "evaluation:read",
            Self::MetricsRead => "metrics:read",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text).ok_or_else(|| UnknownScope(text.to_owned()))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Everything a token may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Reads words separated by spaces, leaving out those it does not know.
    pub fn read_known(text: &str) -> Self {
        text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
    }

    /// Whether they allow what needs `scope`.
    pub fn allow(&self, scope: Scope) -> bool {
        self.are_everything() || self.0.contains(&scope)
    }

    /// Whether they allow everything.
    pub fn are_everything(&self) -> bool {
        self.0.contains(&Scope::Admin)
    }

    /// The scopes, in their order.
    pub fn iter(&self) -> impl Iterator<Item = Scope> + '_ {
        self.0.iter().copied()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.iter().map(Scope::as_str).collect();
        formatter.write_str(&words.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_is_read_back_from_its_word() {
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(scope));
        }
        let error = "everything".parse::<Scope>().unwrap_err().to_string();
        assert!(error.contains("predictions:read"), "{error}");
    }

    #[test]
    fn scopes_allow_what_they_name_and_admin_everything() {
        let scopes: Scopes = [Scope::FeedbackWrite, Scope::MetricsRead].into_iter().collect();
        assert_eq!(Scopes::read_known(&scopes.to_string()), scopes);
        assert!(scopes.allow(Scope::MetricsRead) && !scopes.allow(Scope::PredictionsRead));
        let admin = Scopes::read_known("admin and:more");
        assert!(Scope::ALL.into_iter().all(|scope| admin.allow(scope)));
        assert!(!Scope::ALL.into_iter().any(|scope| Scopes::read_known("nonsense").allow(scope)));
    }
}

//! What a visitor may say about an answer, and take back.

use gourmetgram_api::{CorrectionRequest, FlagReason, FlagRequest, Prediction, PredictionId};

use crate::{client, trouble::Trouble, wording};

/// One thing a visitor says about one prediction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Something is wrong with it.
    Flag(FlagReason),
    /// Nothing is, after all.
    Unflag,
    /// It is this class.
    Correct(String),
    /// No opinion on the class, after all.
    Uncorrect,
}

impl Judgement {
    /// Tells the server.
    ///
    /// # Errors
    /// Every [`Trouble`]; each judgement may be sent again.
    pub async fn send(&self, id: PredictionId) -> Result<(), Trouble> {
        match self {
            Self::Flag(reason) => client::flag(id, *reason).await,
            Self::Unflag => client::unflag(id).await,
            Self::Correct(label) => client::correct(id, label.clone()).await,
            Self::Uncorrect => client::uncorrect(id).await,
        }
    }

    /// Makes the page's copy say the same.
    pub fn apply(&self, prediction: &mut Prediction) {
        match self {
            Self::Flag(reason) => prediction.flag = Some(*reason),
            Self::Unflag => prediction.flag = None,
            Self::Correct(label) => prediction.corrected_class = Some(label.clone()),
            Self::Uncorrect => prediction.corrected_class = None,
        }
    }

    /// The request that tells it: its method, its part of the prediction's address, and its body.
    pub fn request(&self) -> (&'static str, &'static str, String) {
        // Words only: they can always be written.
        match self {
            Self::Flag(reason) => {
                ("PUT", "flag", serde_json::to_string(&FlagRequest { reason: *reason }).unwrap_or_default())
            }
            Self::Unflag => ("DELETE", "flag", String::new()),
            Self::Correct(label) => {
                let request = CorrectionRequest { label: label.clone() };
                ("PUT", "correction", serde_json::to_string(&request).unwrap_or_default())
            }
            Self::Uncorrect => ("DELETE", "correction", String::new()),
        }
    }

    /// What it says, while it waits to be sent.
    pub fn words(&self) -> String {
        match self {
            Self::Flag(reason) => format!("Flag: {}", wording::flag_reason(*reason).to_ascii_lowercase()),
            Self::Unflag => "Take a flag back".to_owned(),
            Self::Correct(label) => format!("Your label: {label}"),
            Self::Uncorrect => "Take your label back".to_owned(),
        }
    }

    /// What to confirm to the visitor.
    pub fn confirmation(&self) -> String {
        match self {
            Self::Flag(reason) => {
                format!("Flagged: {}. Thank you.", wording::flag_reason(*reason).to_ascii_lowercase())
            }
            Self::Unflag => "Flag taken back.".to_owned(),
            Self::Correct(label) => format!("Noted: you say it is {label}. Thank you."),
            Self::Uncorrect => "Your label is taken back.".to_owned(),
        }
    }
}

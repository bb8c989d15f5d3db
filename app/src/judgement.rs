//! What a visitor may say about an answer, and take back.

use gourmetgram_api::{FlagReason, Prediction, PredictionId};

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

    /// What to confirm to the visitor.
    pub fn confirmation(&self) -> String {
        match self {
            Self::Flag(reason) => format!("Flagged: {}. Thank you.", wording::flag_reason(*reason).to_lowercase()),
            Self::Unflag => "Flag taken back.".to_owned(),
            Self::Correct(label) => format!("Noted: you say it is {label}. Thank you."),
            Self::Uncorrect => "Your label is taken back.".to_owned(),
        }
    }
}

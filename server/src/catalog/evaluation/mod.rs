//! Counts for evaluations: kept as photos, labels and erasures come, so that no page reads every photo.

mod counting;
mod facts;
mod reading;
mod results;
mod suspects;

pub use facts::MAX_FACTS;
pub use reading::{CountedPeriod, ServedModel};
pub use suspects::ContradictedLabel;

use gourmetgram_api::CampaignName;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use super::{Catalog, CatalogError, campaigns::asked, entity::campaign};
use crate::labelling::Plan;

/// The campaign whose labels say how accurate the model is; or why there is none.
#[derive(Clone, Debug, PartialEq)]
pub enum EvaluationDesign {
    /// This one.
    Campaign(Box<campaign::Model>),
    /// There is none yet.
    None,
    /// The one that the settings name cannot be it.
    Unusable(String),
}

impl EvaluationDesign {
    /// The campaign, where there is one.
    pub fn campaign(&self) -> Option<&campaign::Model> {
        match self {
            Self::Campaign(row) => Some(row),
            Self::None | Self::Unusable(_) => None,
        }
    }
}

impl Catalog {
    /// Why labels of the campaign that the settings name cannot say how accurate the model is, if they cannot.
    pub async fn unusable_design(&self, named: &str) -> Result<Option<String>, CatalogError> {
        Ok(match design(&self.read, Some(named)).await? {
            EvaluationDesign::Unusable(why) => Some(why),
            EvaluationDesign::Campaign(_) | EvaluationDesign::None => None,
        })
    }
}

/// The campaign that `named` names. Where nothing does: of the blind campaigns that mix everything special with a random
/// sample, the oldest that still selects; where none does, the one that was archived last.
pub(super) async fn design<C: ConnectionTrait>(
    connection: &C,
    named: Option<&str>,
) -> Result<EvaluationDesign, CatalogError> {
    if let Some(named) = named {
        let select = match CampaignName::from(named) {
            CampaignName::Id(id) => campaign::Entity::find_by_id(id),
            CampaignName::Name(name) => campaign::Entity::find().filter(campaign::Column::Name.eq(name)),
        };
        let Some(row) = select.one(connection).await? else {
            return Ok(EvaluationDesign::Unusable(format!("there is no campaign {named:?} (evaluation.campaign)")));
        };
        return Ok(match (row.blind, takes_a_random_sample(&row)?) {
            (true, true) => EvaluationDesign::Campaign(Box::new(row)),
            (false, _) => EvaluationDesign::Unusable(format!(
                "the campaign {named:?} (evaluation.campaign) shows annotators the model's answer: only blind labels count"
            )),
            (true, false) => EvaluationDesign::Unusable(format!(
                "the campaign {named:?} (evaluation.campaign) takes no random sample of all photos: its labels cannot \
                 speak for them"
            )),
        });
    }
    let rows = campaign::Entity::find()
        .filter(campaign::Column::Blind.eq(true))
        .order_by_asc(campaign::Column::CreatedAt)
        .order_by_asc(campaign::Column::Id)
        .all(connection)
        .await?;
    let mut last_archived: Option<campaign::Model> = None;
    for row in rows {
        if !matches!(asked(&row)?.rule, gourmetgram_api::CampaignRule::Continuous { .. }) {
            continue;
        }
        if row.archived_at.is_none() {
            return Ok(EvaluationDesign::Campaign(Box::new(row)));
        }
        if last_archived.as_ref().is_none_or(|last| last.archived_at < row.archived_at) {
            last_archived = Some(row);
        }
    }
    Ok(last_archived.map_or(EvaluationDesign::None, |row| EvaluationDesign::Campaign(Box::new(row))))
}

fn takes_a_random_sample(row: &campaign::Model) -> Result<bool, CatalogError> {
    let plan = Plan::new(&asked(row)?.rule).map_err(|error| CatalogError::Corrupt(error.to_string()))?;
    Ok(plan.design().is_some())
}

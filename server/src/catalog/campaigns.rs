//! Campaigns: which photos people label, and how far they are.

use std::collections::HashMap;

use gourmetgram_api::{Campaign, CampaignName, CampaignProgress, LabelledIn, NewCampaign};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder,
    QuerySelect, sea_query::Expr,
};
use uuid::Uuid;

use super::{
    Catalog, CatalogError,
    entity::{batch, campaign, task},
    is_unique_violation, now,
};

/// Most campaigns that are listed, the newest first.
const MAX_LISTED: u64 = 1000;

impl Catalog {
    /// Makes a campaign; `None` where its name is taken. What was asked for is expected to have passed
    /// [`NewCampaign::check`].
    pub async fn add_campaign(&self, asked: &NewCampaign) -> Result<Option<Campaign>, CatalogError> {
        let corrupt = |error: serde_json::Error| CatalogError::Corrupt(error.to_string());
        let row = campaign::ActiveModel {
            id: Set(Uuid::now_v7()),
            name: Set(asked.name.trim().to_owned()),
            rule: Set(serde_json::to_value(&asked.rule).map_err(corrupt)?),
            blind: Set(asked.blind),
            labelled_in: Set(asked.labelled_in.as_str().to_owned()),
            double_share: Set(asked.double_share),
            starts_at: Set(asked.starts_at),
            ends_at: Set(asked.ends_at),
            seed: Set(i64::from(asked.seed.unwrap_or_else(rand::random))),
            schedule: Set(asked.schedule.clone()),
            project: Set(None),
            created_at: Set(now()),
            archived_at: Set(None),
        };
        match row.insert(&self.write).await {
            Ok(row) => Ok(Some(to_api(row, CampaignProgress::default())?)),
            Err(error) if is_unique_violation(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Every campaign with its progress, the newest first; archived ones too.
    pub async fn campaigns(&self) -> Result<Vec<Campaign>, CatalogError> {
        let rows = campaign::Entity::find()
            .order_by_desc(campaign::Column::CreatedAt)
            .order_by_desc(campaign::Column::Id)
            .limit(MAX_LISTED)
            .all(&self.read)
            .await?;
        let progress = self.progress(None).await?;
        rows.into_iter()
            .map(|row| {
                let progress = progress.get(&row.id).copied().unwrap_or_default();
                to_api(row, progress)
            })
            .collect()
    }

    /// Id, name and whether it is archived, of every campaign, the newest first: what a page needs that only names them. How
    /// far each is takes a look at all of its tasks.
    pub async fn campaign_names(&self) -> Result<Vec<(Uuid, String, bool)>, CatalogError> {
        let rows = campaign::Entity::find()
            .order_by_desc(campaign::Column::CreatedAt)
            .order_by_desc(campaign::Column::Id)
            .limit(MAX_LISTED)
            .all(&self.read)
            .await?;
        Ok(rows.into_iter().map(|row| (row.id, row.name, row.archived_at.is_some())).collect())
    }

    /// The rows of campaigns that are to select by themselves.
    pub async fn scheduled_campaigns(&self) -> Result<Vec<campaign::Model>, CatalogError> {
        Ok(campaign::Entity::find()
            .filter(campaign::Column::Schedule.is_not_null())
            .filter(campaign::Column::ArchivedAt.is_null())
            .order_by_asc(campaign::Column::Id)
            .all(&self.read)
            .await?)
    }

    /// The campaign of this id or name, with its progress.
    pub async fn campaign(&self, name: &CampaignName) -> Result<Option<Campaign>, CatalogError> {
        let select = match name {
            CampaignName::Id(id) => campaign::Entity::find_by_id(*id),
            CampaignName::Name(name) => campaign::Entity::find().filter(campaign::Column::Name.eq(name)),
        };
        let Some(row) = select.one(&self.read).await? else { return Ok(None) };
        let progress = self.progress(Some(row.id)).await?.remove(&row.id).unwrap_or_default();
        Ok(Some(to_api(row, progress)?))
    }

    /// Lets a campaign select nothing more; its tasks can still be labelled. Archiving twice is no error. Answers whether
    /// there is such a campaign.
    pub async fn archive_campaign(&self, id: Uuid) -> Result<bool, CatalogError> {
        campaign::Entity::update_many()
            .set(campaign::ActiveModel { archived_at: Set(Some(now())), ..Default::default() })
            .filter(campaign::Column::Id.eq(id))
            .filter(campaign::Column::ArchivedAt.is_null())
            .exec(&self.write)
            .await?;
        Ok(campaign::Entity::find_by_id(id).one(&self.write).await?.is_some())
    }

    async fn progress(&self, of: Option<Uuid>) -> Result<HashMap<Uuid, CampaignProgress>, CatalogError> {
        let mut progress: HashMap<Uuid, CampaignProgress> = HashMap::new();
        let considered = batch::Entity::find()
            .select_only()
            .column(batch::Column::CampaignId)
            .expr_as(as_integer(batch::Column::Considered.sum()), "photos")
            .filter(only(batch::Column::CampaignId, of))
            .group_by(batch::Column::CampaignId);
        for (id, photos) in considered.into_tuple::<(Uuid, i64)>().all(&self.read).await? {
            progress.entry(id).or_default().considered = photos.unsigned_abs();
        }
        // A withdrawn task is closed without an answer.
        for (labelled, condition) in [
            (false, Condition::any().add(task::Column::ClosedAt.is_null()).add(task::Column::Resolved.is_not_null())),
            (
                true,
                Condition::all().add(task::Column::ClosedAt.is_not_null()).add(task::Column::Resolved.is_not_null()),
            ),
        ] {
            let tasks = task::Entity::find()
                .select_only()
                .column(task::Column::CampaignId)
                .column_as(task::Column::Id.count(), "tasks")
                .filter(only(task::Column::CampaignId, of))
                .filter(condition)
                .group_by(task::Column::CampaignId);
            for (id, tasks) in tasks.into_tuple::<(Uuid, i64)>().all(&self.read).await? {
                let progress = progress.entry(id).or_default();
                *(if labelled { &mut progress.labelled } else { &mut progress.chosen }) = tasks.unsigned_abs();
            }
        }
        Ok(progress)
    }
}

fn only(column: impl ColumnTrait, campaign: Option<Uuid>) -> Condition {
    Condition::all().add_option(campaign.map(|id| column.eq(id)))
}

/// PostgreSQL sums integers to a decimal number.
fn as_integer(sum: Expr) -> Expr {
    sum.cast_as("bigint")
}

/// A row as the API shows it.
pub(super) fn to_api(row: campaign::Model, progress: CampaignProgress) -> Result<Campaign, CatalogError> {
    let asked = asked(&row)?;
    Ok(Campaign { id: row.id, asked, created_at: row.created_at, archived_at: row.archived_at, progress })
}

/// What a campaign was asked to be.
pub(super) fn asked(row: &campaign::Model) -> Result<NewCampaign, CatalogError> {
    let corrupt = |what: &str| CatalogError::Corrupt(format!("campaign {}: {what}", row.id));
    let labelled_in = [LabelledIn::Review, LabelledIn::LabelStudio];
    Ok(NewCampaign {
        name: row.name.clone(),
        rule: serde_json::from_value(row.rule.clone()).map_err(|_| corrupt("rule"))?,
        blind: row.blind,
        labelled_in: labelled_in
            .into_iter()
            .find(|known| known.as_str() == row.labelled_in)
            .ok_or_else(|| corrupt("labelled_in"))?,
        double_share: row.double_share,
        starts_at: row.starts_at,
        ends_at: row.ends_at,
        seed: Some(u32::try_from(row.seed).map_err(|_| corrupt("seed"))?),
        schedule: row.schedule.clone(),
    })
}

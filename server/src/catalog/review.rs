//! Who looks at which task: leases, and tasks that somebody did not want.
//!
//! A lease keeps a task for one annotator. It is renewed with every look at the next tasks; once it has run out the
//! task goes to somebody else, and what its holder says after all still counts while the task lacks a label. The row of
//! a lease that ran out stays until it is answered, because it also says who was given the photo and may see it.

use chrono::{DateTime, TimeDelta, Utc};
use gourmetgram_api::{LabelledIn, ReviewCampaign};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, ExprTrait, JoinType, QueryFilter, QueryOrder,
    QuerySelect, Select,
    prelude::{DateTimeUtc, Uuid},
    sea_query::{CaseStatement, Expr, LockType, OnConflict, Query, SelectStatement, SimpleExpr},
};

use super::{
    Catalog, CatalogError,
    entity::{
        annotation, campaign, lease, prediction, skip,
        task::{self, Column},
    },
    now,
};

/// How long a task is kept for who looks at it.
pub const LEASE: TimeDelta = TimeDelta::minutes(10);
/// So long after it ran out, the lease of a task that others have labelled is forgotten.
const FORGET_AFTER: TimeDelta = TimeDelta::days(1);
/// Most campaigns that are told of; nobody chooses among more.
const MAX_CAMPAIGNS: u64 = 200;

/// A task with what it is about.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The task.
    pub task: task::Model,
    /// The photo.
    pub prediction: prediction::Model,
    /// The campaign.
    pub campaign: campaign::Model,
}

/// A task that somebody may label until its lease runs out.
#[derive(Clone, Debug)]
pub struct Leased {
    /// What it is.
    pub assignment: Assignment,
    /// Until when.
    pub until: DateTime<Utc>,
}

impl Catalog {
    /// Gives `annotator` up to `count` tasks: first those they hold already, whose leases are renewed, then the next
    /// ones in order that lack a label for which nobody else has a lease. Never one they have labelled or skipped.
    ///
    /// With a campaign only of that one, otherwise of all that are labelled in our own review, the oldest first.
    pub async fn next_tasks(
        &self,
        annotator: &str,
        campaign: Option<Uuid>,
        count: u64,
    ) -> Result<Vec<Leased>, CatalogError> {
        let mut given = Vec::new();
        for campaign in self.campaigns_in_review(campaign).await? {
            let wanted = count.saturating_sub(given.len() as u64);
            if wanted == 0 {
                break;
            }
            let (tasks, until) = self.lease_tasks(annotator, campaign.id, wanted).await?;
            for assignment in self.assignments(tasks, &campaign).await? {
                given.push(Leased { assignment, until });
            }
        }
        Ok(given)
    }

    /// The tasks that `annotator` holds, in order; nothing is leased or renewed.
    pub async fn held_tasks(
        &self,
        annotator: &str,
        campaign: Option<Uuid>,
        count: u64,
    ) -> Result<Vec<Leased>, CatalogError> {
        let at = now();
        let mut found = Vec::new();
        for campaign in self.campaigns_in_review(campaign).await? {
            let wanted = count.saturating_sub(found.len() as u64);
            if wanted == 0 {
                break;
            }
            let tasks = held(annotator, campaign.id, at).limit(wanted).all(&self.read).await?;
            let ids: Vec<Uuid> = tasks.iter().map(|task| task.id).collect();
            let leases = lease::Entity::find()
                .filter(lease::Column::Annotator.eq(annotator))
                .filter(lease::Column::TaskId.is_in(ids))
                .all(&self.read)
                .await?;
            for assignment in self.assignments(tasks, &campaign).await? {
                let until = leases.iter().find(|lease| lease.task_id == assignment.task.id).map(|lease| lease.until);
                found.push(Leased { assignment, until: until.unwrap_or(at) });
            }
        }
        Ok(found)
    }

    /// Whether there is such a campaign, and it is labelled in our own review.
    pub async fn is_in_review(&self, campaign: Uuid) -> Result<bool, CatalogError> {
        Ok(!self.campaigns_in_review(Some(campaign)).await?.is_empty())
    }

    async fn campaigns_in_review(&self, only: Option<Uuid>) -> Result<Vec<campaign::Model>, CatalogError> {
        let mut select = campaign::Entity::find().filter(campaign::Column::LabelledIn.eq(LabelledIn::Review.as_str()));
        if let Some(id) = only {
            select = select.filter(campaign::Column::Id.eq(id));
        }
        let in_order = select.order_by_asc(campaign::Column::CreatedAt).order_by_asc(campaign::Column::Id);
        Ok(in_order.limit(MAX_CAMPAIGNS).all(&self.read).await?)
    }

    async fn lease_tasks(
        &self,
        annotator: &str,
        campaign: Uuid,
        count: u64,
    ) -> Result<(Vec<task::Model>, DateTime<Utc>), CatalogError> {
        let transaction = self.begin().await?;
        // Who leases of a campaign takes turns: what one transaction leases the next one sees. Photos that come into
        // the campaign meanwhile only need its key to stay.
        campaign::Entity::find_by_id(campaign).lock(LockType::NoKeyUpdate).one(&transaction).await?;
        let at = now();
        forget_old_leases(&transaction, annotator, at).await?;
        let mut tasks = held(annotator, campaign, at).limit(count).all(&transaction).await?;
        if (tasks.len() as u64) < count {
            let more = count - tasks.len() as u64;
            tasks.extend(free(annotator, campaign, at).limit(more).all(&transaction).await?);
        }
        let until = at + LEASE;
        if !tasks.is_empty() {
            let leases = tasks.iter().map(|task| lease::ActiveModel {
                task_id: Set(task.id),
                annotator: Set(annotator.to_owned()),
                until: Set(until),
            });
            let renew = OnConflict::columns([lease::Column::TaskId, lease::Column::Annotator])
                .update_column(lease::Column::Until)
                .to_owned();
            lease::Entity::insert_many(leases).on_conflict(renew).exec_without_returning(&transaction).await?;
        }
        transaction.commit().await?;
        Ok((tasks, until))
    }

    /// Puts tasks together with their photos, in the same order. Without those whose photo was erased meanwhile.
    async fn assignments(
        &self,
        tasks: Vec<task::Model>,
        campaign: &campaign::Model,
    ) -> Result<Vec<Assignment>, CatalogError> {
        let ids: Vec<Uuid> = tasks.iter().map(|task| task.prediction_id).collect();
        let photos = prediction::Entity::find()
            .filter(prediction::Column::Id.is_in(ids))
            .filter(prediction::Column::ErasedAt.is_null())
            .all(&self.read)
            .await?;
        let assignment = |task: task::Model| {
            let prediction = photos.iter().find(|photo| photo.id == task.prediction_id)?.clone();
            Some(Assignment { task, prediction, campaign: campaign.clone() })
        };
        Ok(tasks.into_iter().filter_map(assignment).collect())
    }

    /// A task with what it is about, erased photos too.
    pub async fn assignment(&self, task: Uuid) -> Result<Option<Assignment>, CatalogError> {
        let Some(task) = task::Entity::find_by_id(task).one(&self.read).await? else { return Ok(None) };
        let prediction = prediction::Entity::find_by_id(task.prediction_id).one(&self.read).await?;
        let campaign = campaign::Entity::find_by_id(task.campaign_id).one(&self.read).await?;
        let missing = || CatalogError::Corrupt(format!("task {} has no photo or no campaign", task.id));
        let (prediction, campaign) = prediction.zip(campaign).ok_or_else(missing)?;
        Ok(Some(Assignment { task, prediction, campaign }))
    }

    /// Whether `annotator` was ever given a task: holds it, held it until the time ran out, or labelled or skipped it.
    pub async fn was_given(&self, task: Uuid, annotator: &str) -> Result<bool, CatalogError> {
        if lease::Entity::find_by_id((task, annotator.to_owned())).one(&self.read).await?.is_some() {
            return Ok(true);
        }
        if skip::Entity::find_by_id((task, annotator.to_owned())).one(&self.read).await?.is_some() {
            return Ok(true);
        }
        let labelled = annotation::Entity::find()
            .filter(annotation::Column::TaskId.eq(task))
            .filter(annotation::Column::Annotator.eq(annotator))
            .limit(1);
        Ok(labelled.one(&self.read).await?.is_some())
    }

    /// Notes that `annotator` does not want to say anything about a task: they do not get it again. Doing it twice is
    /// no error.
    pub async fn skip_task(&self, task: Uuid, annotator: &str) -> Result<(), CatalogError> {
        let transaction = self.begin().await?;
        let row = skip::ActiveModel { task_id: Set(task), annotator: Set(annotator.to_owned()), at: Set(now()) };
        let once = OnConflict::columns([skip::Column::TaskId, skip::Column::Annotator]).do_nothing().to_owned();
        skip::Entity::insert(row).on_conflict(once).exec_without_returning(&transaction).await?;
        lease::Entity::delete_by_id((task, annotator.to_owned())).exec(&transaction).await?;
        Ok(transaction.commit().await?)
    }

    /// Takes a skip back: the task is theirs again, if it still lacks a label and nobody else looks at it.
    pub async fn unskip_task(&self, task: Uuid, annotator: &str) -> Result<(), CatalogError> {
        let transaction = self.begin().await?;
        let row = task::Entity::find_by_id(task).one(&transaction).await?.ok_or(CatalogError::NotFound)?;
        campaign::Entity::find_by_id(row.campaign_id).lock(LockType::NoKeyUpdate).one(&transaction).await?;
        let at = now();
        skip::Entity::delete_by_id((task, annotator.to_owned())).exec(&transaction).await?;
        let is_free = free(annotator, row.campaign_id, at).filter(Column::Id.eq(task)).one(&transaction).await?;
        if is_free.is_some() {
            give_back(&transaction, task, annotator, at).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Campaigns that are labelled in our own review and have tasks, the oldest first, with how far they are. Archived
    /// ones only while something is left.
    pub async fn review_campaigns(&self) -> Result<Vec<ReviewCampaign>, CatalogError> {
        let campaigns = self.campaigns_in_review(None).await?;
        // Closed without its labels: withdrawn, because the photo was erased.
        let is_withdrawn =
            Expr::col(Column::ClosedAt).is_not_null().and(Expr::col(Column::Given).lt(Expr::col(Column::Wanted)));
        let withdrawn: SimpleExpr = CaseStatement::new().case(is_withdrawn, 1_i32).finally(0_i32).into();
        let counted: Vec<(Uuid, i64, i64, i64)> = task::Entity::find()
            .select_only()
            .column(Column::CampaignId)
            .column_as(Column::Id.count(), "photos")
            .column_as(Column::ClosedAt.count(), "closed")
            .column_as(withdrawn.sum(), "withdrawn")
            .filter(Column::CampaignId.is_in(campaigns.iter().map(|campaign| campaign.id)))
            .group_by(Column::CampaignId)
            .into_tuple()
            .all(&self.read)
            .await?;
        let unsigned = |number: i64| u64::try_from(number).unwrap_or(0);
        Ok(campaigns
            .into_iter()
            .filter_map(|campaign| {
                let (_, photos, closed, withdrawn) = *counted.iter().find(|(id, ..)| *id == campaign.id)?;
                let told = ReviewCampaign {
                    id: campaign.id,
                    name: campaign.name,
                    blind: campaign.blind,
                    photos: unsigned(photos - withdrawn),
                    labelled: unsigned(closed - withdrawn),
                };
                (campaign.archived_at.is_none() || told.left() > 0).then_some(told)
            })
            .collect())
    }
}

/// Leases a task to who has just taken their word about it back.
pub(super) async fn give_back(
    transaction: &DatabaseTransaction,
    task: Uuid,
    annotator: &str,
    at: DateTimeUtc,
) -> Result<(), CatalogError> {
    let row = lease::ActiveModel { task_id: Set(task), annotator: Set(annotator.to_owned()), until: Set(at + LEASE) };
    let renew = OnConflict::columns([lease::Column::TaskId, lease::Column::Annotator])
        .update_column(lease::Column::Until)
        .to_owned();
    lease::Entity::insert(row).on_conflict(renew).exec_without_returning(transaction).await?;
    Ok(())
}

/// Leases of tasks that others have labelled meanwhile would stay for ever.
async fn forget_old_leases(
    transaction: &DatabaseTransaction,
    annotator: &str,
    at: DateTimeUtc,
) -> Result<(), CatalogError> {
    let closed = Query::select()
        .expr(Expr::val(1))
        .from(task::Entity)
        .and_where(Expr::col((task::Entity, Column::Id)).equals((lease::Entity, lease::Column::TaskId)))
        .and_where(Expr::col((task::Entity, Column::ClosedAt)).is_not_null())
        .to_owned();
    lease::Entity::delete_many()
        .filter(lease::Column::Annotator.eq(annotator))
        .filter(lease::Column::Until.lt(at - FORGET_AFTER))
        .filter(Expr::exists(closed))
        .exec(transaction)
        .await?;
    Ok(())
}

/// Open tasks of a campaign whose photo is there, in the order to show them.
fn open(campaign: Uuid) -> Select<task::Entity> {
    task::Entity::find()
        .join(JoinType::InnerJoin, photo_of_task())
        .filter(Column::CampaignId.eq(campaign))
        .filter(Column::ClosedAt.is_null())
        .filter(prediction::Column::ErasedAt.is_null())
        .order_by_asc(Column::Position)
        .order_by_asc(Column::Id)
}

fn photo_of_task() -> sea_orm::RelationDef {
    task::Entity::belongs_to(prediction::Entity).from(Column::PredictionId).to(prediction::Column::Id).into()
}

fn held(annotator: &str, campaign: Uuid, at: DateTimeUtc) -> Select<task::Entity> {
    open(campaign).filter(Expr::exists(own_lease(annotator, at)))
}

/// Tasks that `annotator` does not hold and may be given.
fn free(annotator: &str, campaign: Uuid, at: DateTimeUtc) -> Select<task::Entity> {
    let skipped = of_task(skip::Entity, skip::Column::TaskId)
        .and_where(Expr::col((skip::Entity, skip::Column::Annotator)).eq(annotator))
        .to_owned();
    let labelled = of_task(annotation::Entity, annotation::Column::TaskId)
        .and_where(Expr::col((annotation::Entity, annotation::Column::Annotator)).eq(annotator))
        .and_where(Expr::col((annotation::Entity, annotation::Column::ReplacedAt)).is_null())
        .to_owned();
    let others = Query::select()
        .expr(Expr::col((lease::Entity, lease::Column::TaskId)).count())
        .from(lease::Entity)
        .and_where(Expr::col((lease::Entity, lease::Column::TaskId)).equals((task::Entity, Column::Id)))
        .and_where(Expr::col((lease::Entity, lease::Column::Annotator)).ne(annotator))
        .and_where(Expr::col((lease::Entity, lease::Column::Until)).gt(at))
        .to_owned();
    let lacking = Expr::col((task::Entity, Column::Wanted)).sub(Expr::col((task::Entity, Column::Given)));
    open(campaign).filter(
        Condition::all()
            .add(Expr::exists(own_lease(annotator, at)).not())
            .add(Expr::exists(skipped).not())
            .add(Expr::exists(labelled).not())
            .add(lacking.gt(others)),
    )
}

fn own_lease(annotator: &str, at: DateTimeUtc) -> SelectStatement {
    of_task(lease::Entity, lease::Column::TaskId)
        .and_where(Expr::col((lease::Entity, lease::Column::Annotator)).eq(annotator))
        .and_where(Expr::col((lease::Entity, lease::Column::Until)).gt(at))
        .to_owned()
}

/// Rows of another table that name the task at hand.
fn of_task<E: EntityTrait>(entity: E, names_it: E::Column) -> SelectStatement {
    Query::select()
        .expr(Expr::val(1))
        .from(entity)
        .and_where(Expr::col((entity, names_it)).equals((task::Entity, Column::Id)))
        .to_owned()
}

//! The outbox's table: which predictions' objects are not yet what the catalog says.
//!
//! A row is a standing order to make the object like the catalog, not a list of operations. However many changes
//! arrive while S3 is away, one visit brings the last state over, and doing it twice does no harm.

use std::time::Duration;

use chrono::{DateTime, Utc};
use gourmetgram_api::PredictionId;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

use super::{
    Catalog, CatalogError,
    entity::{
        outbox::{self, Column},
        prediction,
    },
    now,
};

/// A prediction that this node may carry over until its lease ends.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The prediction as it was when claimed.
    pub prediction: prediction::Model,
    /// Its outbox row as it was when claimed, `lease` set.
    pub order: outbox::Model,
}

impl Claim {
    /// The prediction's id.
    pub fn id(&self) -> Uuid {
        self.prediction.id
    }
}

/// What came of carrying a claim over.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The object is what the catalog said when claimed.
    Done,
    /// The objects of an erased prediction were removed, and are to be removed once more later: a write that was under
    /// way meanwhile may have brought them back.
    RemovedOnce {
        /// When to look again.
        again_after: Duration,
    },
    /// It failed and is to be tried again.
    Failed {
        /// Why, for people.
        error: String,
        /// How long to wait.
        retry_after: Duration,
    },
}

/// How much waits to be carried over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// Rows.
    pub count: u64,
    /// When the oldest was made.
    pub oldest: Option<DateTime<Utc>>,
}

/// Orders the object of a prediction to be made like the catalog; part of the transaction that changed the catalog.
pub(super) async fn enqueue(transaction: &DatabaseTransaction, id: Uuid) -> Result<(), CatalogError> {
    let row = new_row(id, now());
    outbox::Entity::insert(row).on_conflict(one_more_change()).exec_without_returning(transaction).await?;
    Ok(())
}

/// Orders many at once; part of the transaction that changed the catalog, which has locked the predictions.
pub(super) async fn enqueue_many(
    transaction: &DatabaseTransaction,
    ids: impl Iterator<Item = Uuid>,
) -> Result<(), CatalogError> {
    let at = now();
    let rows: Vec<_> = ids.map(|id| new_row(id, at)).collect();
    if rows.is_empty() {
        return Ok(());
    }
    outbox::Entity::insert_many(rows).on_conflict(one_more_change()).exec_without_returning(transaction).await?;
    Ok(())
}

fn new_row(id: Uuid, at: DateTime<Utc>) -> outbox::ActiveModel {
    outbox::ActiveModel {
        prediction_id: Set(id),
        revision: Set(1),
        attempts: Set(0),
        due_at: Set(at),
        lease: Set(None),
        leased_by: Set(None),
        leased_until: Set(None),
        erase_passes: Set(0),
        last_error: Set(None),
        created_at: Set(at),
    }
}

fn one_more_change() -> OnConflict {
    let bump = Expr::col((outbox::Entity, Column::Revision)).add(1);
    OnConflict::column(Column::PredictionId).value(Column::Revision, bump).to_owned()
}

/// Every transaction that writes both rows locks the prediction first, so that no two wait for each other.
pub(super) async fn lock_prediction(transaction: &DatabaseTransaction, id: Uuid) -> Result<(), CatalogError> {
    prediction::Entity::find_by_id(id).lock_exclusive().one(transaction).await?;
    Ok(())
}

impl Catalog {
    /// Frees what this node had claimed when it died. To be called at start, by the only process of that node.
    pub async fn release_claims(&self, node: Uuid) -> Result<(), CatalogError> {
        outbox::Entity::update_many()
            .set(outbox::ActiveModel {
                lease: Set(None),
                leased_by: Set(None),
                leased_until: Set(None),
                ..Default::default()
            })
            .filter(Column::LeasedBy.eq(node))
            .exec(&self.write)
            .await?;
        Ok(())
    }

    /// Claims up to `most` due rows for `lease_for`, oldest due first. Photos that lie in another node's spool are
    /// left to that node.
    pub async fn claim_outbox(&self, node: Uuid, most: u64, lease_for: Duration) -> Result<Vec<Claim>, CatalogError> {
        let at = now();
        let free = Condition::any().add(Column::LeasedUntil.is_null()).add(Column::LeasedUntil.lt(at));
        let reachable =
            Condition::any().add(prediction::Column::SpoolNode.is_null()).add(prediction::Column::SpoolNode.eq(node));
        let mut due = outbox::Entity::find()
            .inner_join_prediction()
            .filter(Column::DueAt.lte(at))
            .filter(free.clone())
            .filter(reachable)
            .order_by_asc(Column::DueAt)
            .limit(most)
            .all(&self.read)
            .await?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        // In the order in which whoever changes many photos writes their rows, so that none waits for another in a ring.
        due.sort_unstable_by_key(|row| row.prediction_id);
        let until = at + lease_for;
        let transaction = self.begin().await?;
        let mut claims = Vec::with_capacity(due.len());
        for candidate in due {
            let lease = Uuid::now_v7();
            let won = outbox::Entity::update_many()
                .set(outbox::ActiveModel {
                    lease: Set(Some(lease)),
                    leased_by: Set(Some(node)),
                    leased_until: Set(Some(until)),
                    ..Default::default()
                })
                .filter(Column::PredictionId.eq(candidate.prediction_id))
                .filter(free.clone())
                .exec(&transaction)
                .await?;
            if won.rows_affected == 1 {
                let order = outbox::Entity::find_by_id(candidate.prediction_id).one(&transaction).await?;
                let row = prediction::Entity::find_by_id(candidate.prediction_id).one(&transaction).await?;
                if let (Some(order), Some(prediction)) = (order, row) {
                    claims.push(Claim { prediction, order });
                }
            }
        }
        transaction.commit().await?;
        Ok(claims)
    }

    /// Keeps claims for longer. Those that are finished, or that another server has taken over, stay as they are.
    pub async fn renew_outbox(&self, held: &[(Uuid, Option<Uuid>)], lease_for: Duration) -> Result<(), CatalogError> {
        outbox::Entity::update_many()
            .set(outbox::ActiveModel { leased_until: Set(Some(now() + lease_for)), ..Default::default() })
            .filter(Column::PredictionId.is_in(held.iter().map(|(prediction, _)| *prediction)))
            .filter(Column::Lease.is_in(held.iter().filter_map(|(_, lease)| *lease)))
            .exec(&self.write)
            .await?;
        Ok(())
    }

    /// Ends a claim. A claim whose lease was taken over meanwhile changes nothing. Answers the spool file that is no
    /// longer needed, if any.
    pub async fn finish_outbox(&self, claim: &Claim, outcome: &Outcome) -> Result<Option<String>, CatalogError> {
        let held = Condition::all().add(Column::PredictionId.eq(claim.id())).add(Column::Lease.eq(claim.order.lease));
        let transaction = self.begin().await?;
        lock_prediction(&transaction, claim.id()).await?;
        let released = outbox::ActiveModel {
            lease: Set(None),
            leased_by: Set(None),
            leased_until: Set(None),
            attempts: Set(0),
            ..Default::default()
        };
        let released = match outcome {
            Outcome::Done => outbox::ActiveModel { last_error: Set(None), ..released },
            Outcome::RemovedOnce { again_after } => outbox::ActiveModel {
                erase_passes: Set(claim.order.erase_passes + 1),
                due_at: Set(now() + *again_after),
                last_error: Set(None),
                ..released
            },
            Outcome::Failed { error, retry_after } => outbox::ActiveModel {
                attempts: Set(claim.order.attempts.saturating_add(1)),
                due_at: Set(now() + *retry_after),
                last_error: Set(Some(error.clone())),
                ..released
            },
        };
        let still_ours = outbox::Entity::update_many().set(released).filter(held).exec(&transaction).await?;
        if still_ours.rows_affected == 0 {
            transaction.rollback().await?;
            return Ok(None);
        }
        let mut unneeded = None;
        if matches!(outcome, Outcome::Done) {
            outbox::Entity::delete_many()
                .filter(Column::PredictionId.eq(claim.id()))
                .filter(Column::Revision.eq(claim.order.revision))
                .exec(&transaction)
                .await?;
            if claim.prediction.erased_at.is_none() && claim.prediction.stored_at.is_none() {
                let marked = prediction::Entity::update_many()
                    .set(prediction::ActiveModel {
                        stored_at: Set(Some(now())),
                        spool_file: Set(None),
                        spool_node: Set(None),
                        ..Default::default()
                    })
                    .filter(prediction::Column::Id.eq(claim.id()))
                    .filter(prediction::Column::ErasedAt.is_null())
                    .exec(&transaction)
                    .await?;
                if marked.rows_affected == 1 {
                    unneeded = claim.prediction.spool_file.clone();
                }
            }
        }
        transaction.commit().await?;
        Ok(unneeded)
    }

    /// How much waits, and since when. Erased photos that only wait for their second look do not count.
    pub async fn backlog(&self) -> Result<Backlog, CatalogError> {
        let waiting = outbox::Entity::find().filter(Column::ErasePasses.eq(0));
        let count = waiting.clone().count(&self.read).await?;
        let oldest = waiting.order_by_asc(Column::CreatedAt).limit(1).one(&self.read).await?;
        Ok(Backlog { count, oldest: oldest.map(|row| row.created_at) })
    }

    /// Makes every waiting row due now: after the object store came back.
    pub async fn hurry_outbox(&self) -> Result<(), CatalogError> {
        outbox::Entity::update_many()
            .set(outbox::ActiveModel { due_at: Set(now()), ..Default::default() })
            .filter(Column::Attempts.gt(0))
            .filter(Column::DueAt.gt(now()))
            .exec(&self.write)
            .await?;
        Ok(())
    }

    /// The waiting row of a prediction, for tests and operators.
    pub async fn outbox_row(&self, id: PredictionId) -> Result<Option<outbox::Model>, CatalogError> {
        Ok(outbox::Entity::find_by_id(id.as_uuid()).one(&self.read).await?)
    }
}

/// Joins an outbox query with its prediction.
trait JoinPrediction {
    fn inner_join_prediction(self) -> Self;
}

impl JoinPrediction for sea_orm::Select<outbox::Entity> {
    fn inner_join_prediction(self) -> Self {
        self.join(
            sea_orm::JoinType::InnerJoin,
            outbox::Entity::belongs_to(prediction::Entity).from(Column::PredictionId).to(prediction::Column::Id).into(),
        )
    }
}

//! Browsers that are signed in.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use gourmetgram_api::Role;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, IntoActiveModel,
    QueryFilter, QuerySelect,
};
use uuid::Uuid;

use crate::catalog::{
    Catalog, CatalogError,
    entity::{
        session::{self, Column},
        user,
    },
    now,
};

/// Being seen is written down at most this often (oftener where sessions go idle sooner): reading a page should not cost
/// a commit each time.
const SEEN_EVERY: TimeDelta = TimeDelta::minutes(1);
/// A session by one-time link is for making an account; whoever does not make one has to come again.
const WITHOUT_ACCOUNT: Duration = Duration::from_secs(60 * 60);

/// How long sessions live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// A session that is not used for so long ends.
    pub idle: Duration,
    /// However busy it is, it ends after so long.
    pub lifetime: Duration,
}

/// A session that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of its token: what it is known by here.
    pub token_sha256: String,
    /// Whose it is: id and name. `None` for an operator who came by a one-time link and has no account yet.
    pub account: Option<(Uuid, String)>,
    /// What they may do.
    pub role: Role,
}

impl Catalog {
    /// Signs `user` in. Answers `false`, and does nothing, where the account was disabled or got another password
    /// since `user` was read: whoever knows the old password must not slip in beside the change.
    pub async fn open_session(
        &self,
        user: &user::Model,
        token_sha256: &str,
        limits: SessionLimits,
    ) -> Result<bool, CatalogError> {
        let transaction = self.begin().await?;
        let stored = user::Entity::find_by_id(user.id).lock_exclusive().one(&transaction).await?;
        let unchanged = stored.is_some_and(|stored| {
            stored.disabled_at.is_none() && stored.password_hash == user.password_hash && stored.role == user.role
        });
        if unchanged {
            insert(&transaction, Some(user.id), token_sha256, limits.lifetime).await?;
            transaction.commit().await?;
        }
        Ok(unchanged)
    }

    /// Signs an operator in who holds a one-time link and uses it up. Answers `false` where it was used or is too old.
    pub async fn open_session_by_link(
        &self,
        link_sha256: &str,
        token_sha256: &str,
        limits: SessionLimits,
    ) -> Result<bool, CatalogError> {
        let transaction = self.begin().await?;
        let is_good = super::links::use_up(&transaction, link_sha256).await?;
        if is_good {
            insert(&transaction, None, token_sha256, limits.lifetime.min(WITHOUT_ACCOUNT)).await?;
            transaction.commit().await?;
        }
        Ok(is_good)
    }

    /// The session of this token, if it stands; being seen keeps it from going idle.
    pub async fn session(&self, token_sha256: &str, limits: SessionLimits) -> Result<Option<Session>, CatalogError> {
        let Some(row) = session::Entity::find_by_id(token_sha256).one(&self.read).await? else { return Ok(None) };
        let at = now();
        if row.expires_at <= at || row.last_seen_at <= before(at, limits.idle) {
            return Ok(None);
        }
        let (account, role) = match row.user_id {
            None => (None, Role::Operator),
            Some(id) => match self.user_by_id(id).await? {
                Some(user) if user.disabled_at.is_none() => {
                    let role = user.role()?;
                    (Some((id, user.name)), role)
                }
                _ => return Ok(None),
            },
        };
        let seen_every = SEEN_EVERY.min(TimeDelta::from_std(limits.idle / 4).unwrap_or(SEEN_EVERY));
        if at - row.last_seen_at > seen_every {
            session::Entity::update_many()
                .set(session::ActiveModel { last_seen_at: Set(at), ..Default::default() })
                .filter(Column::TokenSha256.eq(token_sha256))
                .exec(&self.write)
                .await?;
        }
        Ok(Some(Session { token_sha256: row.token_sha256, account, role }))
    }

    /// Signs out.
    pub async fn close_session(&self, token_sha256: &str) -> Result<(), CatalogError> {
        session::Entity::delete_by_id(token_sha256).exec(&self.write).await?;
        Ok(())
    }

    /// Removes the rows of sessions that have ended and of links that nobody used in time. Answers how many.
    pub async fn remove_ended_sessions(&self, limits: SessionLimits) -> Result<u64, CatalogError> {
        let at = now();
        let ended =
            Condition::any().add(Column::ExpiresAt.lte(at)).add(Column::LastSeenAt.lte(before(at, limits.idle)));
        let sessions = session::Entity::delete_many().filter(ended).exec(&self.write).await?;
        Ok(sessions.rows_affected + self.remove_old_operator_links().await?)
    }
}

async fn insert(
    transaction: &DatabaseTransaction,
    user_id: Option<Uuid>,
    token_sha256: &str,
    lifetime: Duration,
) -> Result<(), CatalogError> {
    let at = now();
    let row = session::Model {
        token_sha256: token_sha256.to_owned(),
        user_id,
        created_at: at,
        last_seen_at: at,
        expires_at: at + TimeDelta::from_std(lifetime).unwrap_or(TimeDelta::days(400)),
    };
    row.into_active_model().insert(transaction).await?;
    Ok(())
}

fn before(at: DateTime<Utc>, idle: Duration) -> DateTime<Utc> {
    at - TimeDelta::from_std(idle).unwrap_or(TimeDelta::days(400))
}

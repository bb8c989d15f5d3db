//! Simulated traffic: who may send it, and what is recorded of it.
//!
//! A replay sends photos as visitors would, at times that have passed. It needs an access token that allows it, says
//! where the photos come from, and gets that recorded with every one of them: what is simulated can never be taken for
//! what people did. The cookie that comes along is the simulated visitor's.

use axum::http::{HeaderMap, HeaderName};
use chrono::{DateTime, SubsecRound, TimeZone, Utc};
use gourmetgram_api::{PredictionId, ProblemKind};
use uuid::{NoContext, Timestamp, Uuid};

use super::{Caller, Refusal};
use crate::{
    accounts::Scope,
    catalog::{self, entity::prediction},
};

/// When feedback on a simulated prediction is said to have been given.
pub const CREATED_AT: HeaderName = HeaderName::from_static("gourmetgram-created-at");
/// Longest name of a source.
const MAX_SOURCE: usize = 64;
/// Nothing of ours is older.
const FIRST_YEAR: i32 = 2020;

/// What an upload claims about itself, not yet believed.
#[derive(Debug, Default)]
pub struct Claims {
    /// The part `created_at`.
    pub created_at: Option<String>,
    /// The part `source`.
    pub source: Option<String>,
}

/// A simulation whose sender may send it.
#[derive(Clone, Debug)]
pub struct Simulation {
    /// Where it comes from: kept with the prediction.
    pub source: String,
    /// When it is said to have happened; now, where it does not say.
    pub created_at: Option<DateTime<Utc>>,
}

impl Claims {
    /// Whether the upload claims nothing, as visitors' uploads do.
    pub fn is_empty(&self) -> bool {
        self.created_at.is_none() && self.source.is_none()
    }

    /// Checks the claims of an upload: first whether its sender may make any, then whether they can be true.
    pub fn check(&self, caller: &Caller, id: Option<PredictionId>) -> Result<Option<Simulation>, Refusal> {
        if self.is_empty() {
            return Ok(None);
        }
        require_permission(caller, "the parts `created_at` and `source`")?;
        let source = self.source.as_deref().ok_or_else(|| {
            Refusal::new(
                ProblemKind::Unprocessable,
                "`created_at` without `source`: say where the simulated photo comes from, for example `replay/1`",
            )
        })?;
        let is_named = (1..=MAX_SOURCE).contains(&source.len())
            && source.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_./".contains(&byte));
        if !is_named {
            return Err(Refusal::new(
                ProblemKind::Unprocessable,
                format!("`source` must be 1 to {MAX_SOURCE} of a-z, 0-9 and - _ . /, for example `replay/1`"),
            ));
        }
        let created_at = self.created_at.as_deref().map(|text| past_time("`created_at`", text)).transpose()?;
        if let (Some(created_at), Some(id)) = (created_at, id)
            && id_time(id) != Some(created_at)
        {
            return Err(Refusal::new(
                ProblemKind::Unprocessable,
                "the time in `id` is not `created_at`: make the id, a UUID version 7, from that time to the millisecond",
            ));
        }
        Ok(Some(Simulation { source: source.to_owned(), created_at }))
    }
}

impl Simulation {
    /// A new id that sorts where the simulated time belongs.
    pub fn new_id(&self) -> Uuid {
        match self.created_at {
            None => Uuid::now_v7(),
            Some(at) => Uuid::new_v7(Timestamp::from_unix(
                NoContext,
                u64::try_from(at.timestamp()).unwrap_or_default(),
                at.timestamp_subsec_nanos(),
            )),
        }
    }
}

/// When feedback on `row` is given: as the header says, where the sender may say so.
pub fn feedback_given(caller: &Caller, headers: &HeaderMap, row: &prediction::Model) -> Result<DateTime<Utc>, Refusal> {
    let Some(value) = headers.get(CREATED_AT) else { return Ok(catalog::now()) };
    require_permission(caller, "the header Gourmetgram-Created-At")?;
    if row.source.is_none() {
        return Err(Refusal::new(
            ProblemKind::Unprocessable,
            "this photo is real: only simulated ones take feedback at another time than now",
        ));
    }
    let at = past_time("the header Gourmetgram-Created-At", value.to_str().unwrap_or_default())?;
    if at < row.created_at {
        return Err(Refusal::new(
            ProblemKind::Unprocessable,
            format!("the feedback is older than its photo, which is of {}", row.created_at.to_rfc3339()),
        ));
    }
    Ok(at)
}

fn require_permission(caller: &Caller, what: &str) -> Result<(), Refusal> {
    if caller.may(Scope::PredictionsBackdate) {
        return Ok(());
    }
    Err(Refusal::new(
        ProblemKind::Forbidden,
        format!(
            "{what} may be sent only with an access token that may simulate (scope {})",
            Scope::PredictionsBackdate
        ),
    ))
}

/// A time that has passed, to the millisecond.
fn past_time(what: &str, text: &str) -> Result<DateTime<Utc>, Refusal> {
    let at = DateTime::parse_from_rfc3339(text).map_err(|_| {
        Refusal::new(ProblemKind::BadRequest, format!("{what} is no time like 2026-11-23T12:00:00.000Z (RFC 3339)"))
    })?;
    let at = at.with_timezone(&Utc).trunc_subsecs(3);
    let first = Utc.with_ymd_and_hms(FIRST_YEAR, 1, 1, 0, 0, 0).earliest();
    if at > catalog::now() || first.is_some_and(|first| at < first) {
        return Err(Refusal::new(
            ProblemKind::Unprocessable,
            format!("{what} must lie between the year {FIRST_YEAR} and now; is this machine's clock right?"),
        ));
    }
    Ok(at)
}

fn id_time(id: PredictionId) -> Option<DateTime<Utc>> {
    let (seconds, nanos) = id.as_uuid().get_timestamp()?.to_unix();
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanos)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn claims(created_at: Option<String>, source: Option<&str>) -> Claims {
        Claims { created_at, source: source.map(str::to_owned) }
    }

    #[test]
    fn an_id_made_for_a_time_carries_it() {
        let at = catalog::now() - TimeDelta::days(3);
        let simulation = Simulation { source: "replay/1".to_owned(), created_at: Some(at) };
        assert_eq!(id_time(simulation.new_id().try_into().unwrap()), Some(at));
    }

    #[test]
    fn whoever_may_not_simulate_is_refused_before_anything_is_looked_at() {
        let refused = claims(Some("nonsense".to_owned()), Some("?!")).check(&Caller::default(), None).unwrap_err();
        assert_eq!(refused.0.kind, ProblemKind::Forbidden);
        assert!(claims(None, None).check(&Caller::default(), None).unwrap().is_none());
    }
}

//! Conditional requests (RFC 9110 §13): `If-Match` and its relatives.

use s3s::{
    S3Result,
    dto::{ETagCondition, Timestamp},
    s3_error,
};

use crate::records::{Record, time_of};

/// The conditions of a read.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadConditions {
    pub(crate) if_match: Option<ETagCondition>,
    pub(crate) if_none_match: Option<ETagCondition>,
    pub(crate) if_modified_since: Option<Timestamp>,
    pub(crate) if_unmodified_since: Option<Timestamp>,
}

impl ReadConditions {
    /// Refuses with `PreconditionFailed` or `NotModified` where the object is not as asked. Conditions on entity tags
    /// overrule those on time.
    pub(crate) fn check(&self, record: &Record) -> S3Result<()> {
        let modified = whole_seconds(record);
        match (&self.if_match, &self.if_unmodified_since) {
            (Some(condition), _) if !is_met(condition, record) => return Err(s3_error!(PreconditionFailed)),
            (None, Some(since)) if modified > *since => return Err(s3_error!(PreconditionFailed)),
            _ => {}
        }
        match (&self.if_none_match, &self.if_modified_since) {
            (Some(condition), _) if is_met(condition, record) => Err(s3_error!(NotModified)),
            (None, Some(since)) if modified <= *since => Err(s3_error!(NotModified)),
            _ => Ok(()),
        }
    }
}

/// The conditions of a write.
#[derive(Clone, Debug, Default)]
pub(crate) struct WriteConditions {
    pub(crate) if_match: Option<ETagCondition>,
    pub(crate) if_none_match: Option<ETagCondition>,
}

impl WriteConditions {
    /// Refuses where the object that would be replaced is not as asked.
    pub(crate) fn check(&self, replaced: Option<&Record>) -> S3Result<()> {
        if let Some(condition) = &self.if_match {
            let record = replaced.ok_or_else(|| s3_error!(NoSuchKey))?;
            if !is_met(condition, record) {
                return Err(s3_error!(PreconditionFailed));
            }
        }
        if let (Some(condition), Some(record)) = (&self.if_none_match, replaced)
            && is_met(condition, record)
        {
            return Err(s3_error!(PreconditionFailed));
        }
        Ok(())
    }
}

fn is_met(condition: &ETagCondition, record: &Record) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(wanted) => wanted.weak_cmp(&record.e_tag()),
    }
}

/// HTTP dates know no parts of a second.
fn whole_seconds(record: &Record) -> Timestamp {
    time_of(record.modified_ms / 1000 * 1000)
}

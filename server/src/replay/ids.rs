//! Names that follow from the plan: the run's, every visit's, every simulated visitor's.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use gourmetgram_api::PredictionId;
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use uuid::Builder;

/// Names a replay: the same photos, seed and settings have the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunKey([u8; 8]);

impl RunKey {
    /// The key of what was hashed.
    pub fn new(hash: Sha256) -> Self {
        let digest = hash.finalize();
        Self(std::array::from_fn(|index| digest[index]))
    }

    /// What is recorded with every photo of this replay.
    pub fn source(self) -> String {
        format!("replay/{self}")
    }

    /// The id of a visit at a time: a UUID version 7 that carries the time.
    pub fn visit_id(self, number: u32, at: DateTime<Utc>) -> Option<PredictionId> {
        let digest =
            Sha256::new().chain_update(b"visit\0").chain_update(self.0).chain_update(number.to_be_bytes()).finalize();
        let random: [u8; 10] = std::array::from_fn(|index| digest[index]);
        let milliseconds = u64::try_from(at.timestamp_millis()).ok()?;
        PredictionId::try_from(Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid()).ok()
    }

    /// The cookie of a simulated visitor. It depends on the access token, so that knowing a seed opens nothing.
    pub fn visitor_token(self, visitor: u32, access_token: &SecretString) -> String {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(access_token.expose_secret().as_bytes()).expect("any key length");
        mac.update(b"simulated visitor\0");
        mac.update(&self.0);
        mac.update(&visitor.to_be_bytes());
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }
}

impl fmt::Display for RunKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex::encode(self.0))
    }
}

/// The time an id carries.
pub fn time_of(id: PredictionId) -> Option<DateTime<Utc>> {
    let (seconds, nanoseconds) = id.as_uuid().get_timestamp()?.to_unix();
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_same_for_the_same_visit_and_carry_its_time() {
        let key = RunKey::new(Sha256::new_with_prefix(b"a run"));
        let at = DateTime::from_timestamp_millis(1_763_999_999_123).unwrap();
        let id = key.visit_id(7, at).unwrap();
        assert_eq!(key.visit_id(7, at), Some(id));
        assert_eq!(time_of(id), Some(at));
        assert_ne!(key.visit_id(8, at), Some(id));
        assert_ne!(RunKey::new(Sha256::new_with_prefix(b"another")).visit_id(7, at), Some(id));
    }

    #[test]
    fn visitors_have_cookies_of_their_own() {
        let key = RunKey::new(Sha256::new());
        let token: SecretString = "ggo_1".into();
        assert_eq!(key.visitor_token(1, &token).len(), 43);
        assert_ne!(key.visitor_token(1, &token), key.visitor_token(2, &token));
        assert_ne!(key.visitor_token(1, &token), key.visitor_token(1, &"ggo_2".into()));
    }
}

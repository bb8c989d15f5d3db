//! Passwords: which are strong enough, and how they are hashed without blocking the server or drowning it.

use std::sync::{Arc, OnceLock};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString},
};
use rand::Rng;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use super::AccountName;

const MIN_CHARACTERS: usize = 12;
const MAX_CHARACTERS: usize = 256;
/// OWASP's recommendation for argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Hashes at once: each takes a core and 19 MiB for some tens of milliseconds.
const AT_ONCE: usize = 2;
/// Hashes that run or wait; one more is told to come back.
const PLACES: usize = 16;

/// A password that is strong enough to be set.
#[derive(Clone, Debug)]
pub struct Password(SecretString);

/// Why a password cannot be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Too short.
    #[error("the password is too short: use at least {MIN_CHARACTERS} characters, a few words for example")]
    TooShort,
    /// Too long.
    #[error("the password is too long: use at most {MAX_CHARACTERS} characters")]
    TooLong,
    /// The name, or little more.
    #[error("the password is the name: choose one that nobody can guess")]
    IsName,
    /// One character over and over.
    #[error("the password is one character over and over: choose one that nobody can guess")]
    Monotonous,
}

impl Password {
    /// `text` as the password of the account `name`.
    pub fn new(text: SecretString, name: &AccountName) -> Result<Self, WeakPassword> {
        let plain = text.expose_secret();
        let length = plain.chars().count();
        let mut letters = plain.chars();
        let first = letters.next();
        if length < MIN_CHARACTERS {
            Err(WeakPassword::TooShort)
        } else if length > MAX_CHARACTERS {
            Err(WeakPassword::TooLong)
        } else if plain.to_lowercase().replace(&name.key(), "").is_empty() {
            Err(WeakPassword::IsName)
        } else if letters.all(|letter| Some(letter) == first) {
            Err(WeakPassword::Monotonous)
        } else {
            Ok(Self(text))
        }
    }

    /// Hashes it here and now, which takes some tens of milliseconds: for the command line.
    pub fn hash(&self) -> Result<SecretString, PasswordError> {
        let mut salt = [0_u8; 16];
        rand::rng().fill(&mut salt);
        let failed = |error: argon2::password_hash::Error| PasswordError::Failed(error.to_string());
        let salt = SaltString::encode_b64(&salt).map_err(failed)?;
        let hash = hasher()?.hash_password(self.0.expose_secret().as_bytes(), &salt).map_err(failed)?;
        Ok(hash.to_string().into())
    }
}

/// Why a password was neither hashed nor checked.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too many at once.
    #[error("too many people are signing in just now")]
    Busy,
    /// A hash that we did not write, or no memory.
    #[error("hashing a password failed: {0}")]
    Failed(String),
}

/// Hashes and checks passwords beside the server's own work. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Passwords {
    places: Arc<Semaphore>,
    running: Arc<Semaphore>,
    /// Hash of a password nobody has: checked where there is no account, so that both take the same time.
    decoy: Arc<OnceLock<String>>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(PLACES)),
            running: Arc::new(Semaphore::new(AT_ONCE)),
            decoy: Arc::new(OnceLock::new()),
        }
    }
}

impl Passwords {
    /// Hashes a new password.
    pub async fn hash(&self, password: Password) -> Result<SecretString, PasswordError> {
        self.work(move || password.hash()).await
    }

    /// Whether `password` is the one behind `hash`. Without a hash the answer is no, after the same work.
    pub async fn verify(&self, password: SecretString, hash: Option<String>) -> Result<bool, PasswordError> {
        let decoy = Arc::clone(&self.decoy);
        self.work(move || {
            let known = hash.is_some();
            let hash = match hash {
                Some(hash) => hash,
                None => match decoy.get() {
                    Some(decoy) => decoy.clone(),
                    None => decoy.get_or_init(|| decoy_hash().unwrap_or_default()).clone(),
                },
            };
            let hash = PasswordHash::new(&hash).map_err(|error| PasswordError::Failed(error.to_string()))?;
            let fits = hasher()?.verify_password(password.expose_secret().as_bytes(), &hash).is_ok();
            Ok(known && fits)
        })
        .await
    }

    /// Makes the decoy, so that the first sign-in with an unknown name takes no longer than the others.
    pub async fn prepare(&self) {
        let decoy = Arc::clone(&self.decoy);
        let prepared = self.work(move || {
            decoy.get_or_init(|| decoy_hash().unwrap_or_default());
            Ok(())
        });
        if let Err(error) = prepared.await {
            tracing::warn!(%error, "sign-ins cannot be prepared");
        }
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| PasswordError::Busy)?;
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(|_| PasswordError::Busy)?;
        // Both are held by the work itself: a client that hangs up does not make room for another hash.
        let task = tokio::task::spawn_blocking(move || {
            let outcome = work();
            drop((place, running));
            outcome
        });
        task.await.map_err(|error| PasswordError::Failed(error.to_string()))?
    }
}

fn hasher() -> Result<Argon2<'static>, PasswordError> {
    let parameters =
        Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| PasswordError::Failed(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters))
}

fn decoy_hash() -> Result<String, PasswordError> {
    let nobodys = Password(crate::keys::random_token(32).into());
    Ok(nobodys.hash()?.expose_secret().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ann() -> AccountName {
        "Ann-Kathrin1".parse().unwrap()
    }

    #[test]
    fn weak_passwords_are_refused_and_say_why() {
        let weakness = |text: &str| Password::new(text.into(), &ann()).err();
        assert_eq!(weakness("elevenchars"), Some(WeakPassword::TooShort));
        assert_eq!(weakness(&"ab".repeat(129)), Some(WeakPassword::TooLong));
        assert_eq!(weakness("ann-kathrin1"), Some(WeakPassword::IsName));
        assert_eq!(weakness("ANN-KATHRIN1ann-kathrin1"), Some(WeakPassword::IsName));
        assert_eq!(weakness("aaaaaaaaaaaaaaaa"), Some(WeakPassword::Monotonous));
        assert_eq!(weakness("süßsauer12äö"), None, "characters are counted, not bytes");
        assert_eq!(weakness(&"ab".repeat(128)), None);
    }

    #[tokio::test]
    async fn only_the_password_itself_fits_its_hash() {
        let passwords = Passwords::default();
        let password = Password::new("correct horse battery".into(), &ann()).unwrap();
        let hash = passwords.hash(password.clone()).await.unwrap().expose_secret().to_owned();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(password.hash().unwrap().expose_secret(), hash, "salted");
        for (typed, fits) in [("correct horse battery", true), ("correct horse batterY", false), ("", false)] {
            assert_eq!(passwords.verify(typed.into(), Some(hash.clone())).await.unwrap(), fits, "{typed}");
            assert!(!passwords.verify(typed.into(), None).await.unwrap(), "there is no account");
        }
    }

    #[tokio::test]
    async fn a_crowd_at_the_door_is_told_to_come_back() {
        let passwords = Passwords::default();
        let tries = (0..PLACES * 2).map(|_| passwords.verify("wrong wrong wrong".into(), None));
        let outcomes = futures::future::join_all(tries).await;
        let busy = outcomes.iter().filter(|outcome| matches!(outcome, Err(PasswordError::Busy))).count();
        assert_eq!(busy, PLACES, "as many as there are places are served, the others are not made to wait");
    }
}

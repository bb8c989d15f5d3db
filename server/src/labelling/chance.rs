//! Chance that can be had again: numbers that follow from a campaign's seed and a photo's id.

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha12Rng;
use uuid::Uuid;

/// The numbers of one photo in one campaign. Each decides one thing, so that none of them says anything about another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chance {
    /// Of the random sample of all photos.
    pub random_sample: u64,
    /// Of what a capped stratum takes.
    pub stratum: u64,
    /// Of the task's place in the order in which tasks are shown.
    pub place: u64,
    /// Of whether two people label it.
    pub double: u64,
}

impl Chance {
    /// The numbers of a photo: four words of ChaCha's stream, keyed by seed and id.
    pub fn of(seed: u32, photo: Uuid) -> Self {
        let mut key = [0_u8; 32];
        key[..16].copy_from_slice(photo.as_bytes());
        key[16..20].copy_from_slice(&seed.to_le_bytes());
        let mut stream = ChaCha12Rng::from_seed(key);
        Self {
            random_sample: stream.next_u64(),
            stratum: stream.next_u64(),
            place: stream.next_u64(),
            double: stream.next_u64(),
        }
    }
}

/// A number as one from 0 to below 1: every one below a share of 1, none below a share of 0.
pub fn unit(number: u64) -> f64 {
    // 53 bits are what such a number holds.
    (number >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_photos_numbers_are_the_same_on_every_server_and_in_every_version() {
        let photo = Uuid::from_u128(0x0189_0a5d_ac96_774b_bcce_b302_099a_8057);
        let numbers = Chance::of(7, photo);
        assert_eq!(numbers, Chance::of(7, photo));
        assert_ne!(numbers, Chance::of(8, photo));
        assert_ne!(numbers.random_sample, numbers.stratum);
        // Frozen: batches that were drawn must be found again.
        assert_eq!(numbers.random_sample, 8_327_796_998_557_722_552);
    }

    #[test]
    fn a_unit_number_lies_below_one() {
        assert_eq!(unit(0), 0.0);
        assert!(unit(u64::MAX) < 1.0);
    }
}

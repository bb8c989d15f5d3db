//! Drift of embeddings: maximum mean discrepancy with a permutation test.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};
use serde::{Deserialize, Serialize};

/// Why embeddings cannot be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiscrepancyError {
    /// Fewer than two photos on one side.
    #[error("the discrepancy of embeddings needs at least two photos on each side")]
    TooFew,
    /// More photos than the test should be given.
    #[error("{0} embeddings are too many for a test that compares each with each: draw at most 2,000")]
    TooMany(usize),
    /// An embedding of another length than the first, or with what is no number.
    #[error("embedding {0} has another length than the first one, or a value that is not finite")]
    Malformed(usize),
    /// No permutation, no p-value.
    #[error("a permutation test needs at least one permutation")]
    NoPermutations,
}

/// How different two sets of embeddings are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeanDiscrepancy {
    /// The unbiased estimate of MMD²: about 0, also below, if both come from one distribution.
    pub squared: f64,
    /// Standard deviation σ of the Gaussian kernel: the median distance between two embeddings.
    pub bandwidth: f64,
    /// (1 + permutations with as great an MMD²)/(1 + permutations): never 0.
    pub p_value: f64,
}

/// Embeddings of both sides together, at most.
const MOST: usize = 2000;

/// Unbiased MMD² with a Gaussian kernel whose σ is the median distance. Gretton et al. 2012, JMLR 13, equation (3) and
/// section 8. The p-value comes from `permutations` random ways to part all embeddings into sides of the same sizes, drawn
/// from `seed`: the same seed gives the same p-value on every machine.
///
/// Memory and time go with the square of the number of embeddings; that is why it is limited.
pub fn mean_discrepancy(
    reference: &[Vec<f64>],
    current: &[Vec<f64>],
    permutations: u32,
    seed: u64,
) -> Result<MeanDiscrepancy, DiscrepancyError> {
    let all: Vec<&Vec<f64>> = reference.iter().chain(current).collect();
    if reference.len() < 2 || current.len() < 2 {
        return Err(DiscrepancyError::TooFew);
    }
    if all.len() > MOST {
        return Err(DiscrepancyError::TooMany(all.len()));
    }
    if permutations == 0 {
        return Err(DiscrepancyError::NoPermutations);
    }
    let malformed = |it: &&Vec<f64>| it.len() != all[0].len() || it.iter().any(|value| !value.is_finite());
    if let Some(position) = all.iter().position(malformed) {
        return Err(DiscrepancyError::Malformed(position));
    }
    let (bandwidth, kernel) = gaussian_kernel(&all);
    let mut order: Vec<usize> = (0..all.len()).collect();
    let squared = unbiased(&kernel, &order, reference.len());
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut as_great = 0_u32;
    for _ in 0..permutations {
        shuffle(&mut order, &mut random);
        // Two parts that differ by rounding alone are as great as each other.
        as_great += u32::from(unbiased(&kernel, &order, reference.len()) >= squared - 1e-12);
    }
    let p_value = f64::from(1 + as_great) / (1.0 + f64::from(permutations));
    Ok(MeanDiscrepancy { squared, bandwidth, p_value })
}

/// The median distance σ (1 where all are equal) and exp(−d²/2σ²) of each pair, row by row.
fn gaussian_kernel(all: &[&Vec<f64>]) -> (f64, Vec<Vec<f64>>) {
    let squared = |left: &[f64], right: &[f64]| -> f64 {
        left.iter().zip(right).map(|(left, right)| (left - right).powi(2)).sum()
    };
    let mut kernel: Vec<Vec<f64>> =
        all.iter().map(|left| all.iter().map(|right| squared(left, right)).collect()).collect();
    let mut distances: Vec<f64> =
        (0..all.len()).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| kernel[i][j].sqrt()).collect();
    distances.sort_by(f64::total_cmp);
    let (low, high) = (distances[(distances.len() - 1) / 2], distances[distances.len() / 2]);
    let median = f64::midpoint(low, high);
    let bandwidth = if median > 0.0 { median } else { 1.0 };
    kernel.iter_mut().flatten().for_each(|it| *it = (-*it / (2.0 * bandwidth * bandwidth)).exp());
    (bandwidth, kernel)
}

/// MMD² of the first `n` of `order` against the rest.
fn unbiased(kernel: &[Vec<f64>], order: &[usize], n: usize) -> f64 {
    let (mut within_first, mut within_rest, mut between) = (0.0, 0.0, 0.0);
    for (position, &i) in order.iter().enumerate() {
        for (earlier, &j) in order[..position].iter().enumerate() {
            match (position < n, earlier < n) {
                (true, true) => within_first += kernel[i][j],
                (false, false) => within_rest += kernel[i][j],
                _ => between += kernel[i][j],
            }
        }
    }
    let (first, rest) = (n as f64, (order.len() - n) as f64);
    2.0 * within_first / (first * (first - 1.0)) + 2.0 * within_rest / (rest * (rest - 1.0))
        - 2.0 * between / (first * rest)
}

/// Fisher and Yates. The multiplication keeps the high bits of 64, whose unevenness is beneath 2⁻⁵⁰ here.
fn shuffle(order: &mut [usize], random: &mut ChaCha8Rng) {
    for last in (1..order.len()).rev() {
        let pick = (u128::from(random.next_u64()) * (last as u128 + 1)) >> 64;
        order.swap(last, pick as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cloud(seed: u64, count: usize, shift: f64) -> Vec<Vec<f64>> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut number = || random.next_u32() as f64 / f64::from(u32::MAX);
        (0..count).map(|_| (0..4).map(|_| number() + shift).collect()).collect()
    }

    #[test]
    fn a_shifted_cloud_is_seen_and_the_same_seed_says_the_same() {
        let reference = cloud(1, 60, 0.0);
        let shifted = mean_discrepancy(&reference, &cloud(2, 50, 0.3), 200, 7).unwrap();
        assert!(shifted.p_value < 0.01 && shifted.squared > 0.05, "{shifted:?}");
        assert_eq!(shifted, mean_discrepancy(&reference, &cloud(2, 50, 0.3), 200, 7).unwrap());
        assert!(mean_discrepancy(&reference, &cloud(3, 50, 0.0), 200, 7).unwrap().p_value > 0.05);
    }

    #[test]
    fn without_drift_small_p_values_come_as_rarely_as_they_should() {
        let small = (0..300)
            .filter(|index| {
                let (reference, current) = (cloud(100 + index, 15, 0.0), cloud(9000 + index, 15, 0.0));
                mean_discrepancy(&reference, &current, 99, *index).unwrap().p_value <= 0.1
            })
            .count();
        assert!((12..=50).contains(&small), "{small} of 300 at a level of 10 %");
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        let two = cloud(1, 2, 0.0);
        assert_eq!(mean_discrepancy(&two, &two[..1], 9, 0), Err(DiscrepancyError::TooFew));
        assert_eq!(mean_discrepancy(&two, &two, 0, 0), Err(DiscrepancyError::NoPermutations));
        assert_eq!(mean_discrepancy(&two, &[vec![0.0], vec![1.0]], 9, 0), Err(DiscrepancyError::Malformed(2)));
        assert_eq!(mean_discrepancy(&cloud(1, 1999, 0.0), &two, 9, 0), Err(DiscrepancyError::TooMany(2001)));
    }
}

//! Labels worth a second look: the model is sure of something else.

use gourmetgram_api::ClassIndex;
use serde::{Deserialize, Serialize};

use crate::Probability;

/// How well the model's probabilities support a label; the lower, the more suspect. Northcutt, Jiang and Chuang 2021,
/// arXiv:1911.00068; Kuan and Mueller 2022.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelSupport {
    /// The probability the model gives the label, from 0 to 1.
    pub self_confidence: f64,
    /// That, minus the greatest probability of any other class: from −1 to 1, below 0 where the model says otherwise.
    pub margin: f64,
}

/// Support of `label` by one photo's probabilities; `None` where the model does not have that class.
pub fn label_support(probabilities: &[Probability], label: ClassIndex) -> Option<LabelSupport> {
    let position = usize::from(label.0);
    let self_confidence = probabilities.get(position)?.get();
    let others = probabilities.iter().enumerate().filter(|(class, _)| *class != position);
    let greatest = others.map(|(_, probability)| probability.get()).fold(0.0, f64::max);
    Some(LabelSupport { self_confidence, margin: self_confidence - greatest })
}

/// Positions of the labels, the most suspect first: by margin, then by self-confidence, then as they came.
pub fn most_suspect_first(supports: &[LabelSupport]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..supports.len()).collect();
    order.sort_by(|left, right| {
        let (left, right) = (supports[*left], supports[*right]);
        left.margin.total_cmp(&right.margin).then(left.self_confidence.total_cmp(&right.self_confidence))
    });
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_the_model_contradicts_comes_first() {
        let probabilities = [0.1, 0.7, 0.2].map(|value| Probability::new(value).unwrap());
        let support = |class| label_support(&probabilities, ClassIndex(class)).unwrap();
        assert!((support(1).margin - 0.5).abs() < 1e-12);
        assert!((support(0).margin + 0.6).abs() < 1e-12);
        assert_eq!(label_support(&probabilities, ClassIndex(3)), None);
        assert_eq!(most_suspect_first(&[support(1), support(0), support(2)]), [1, 2, 0]);
    }
}

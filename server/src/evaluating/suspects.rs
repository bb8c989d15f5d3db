//! Labels worth a second look: the model is sure of something else.

use gourmetgram_api::{ClassIndex, SuspectLabel};
use gourmetgram_evaluation::{LabelSupport, Probability, label_support, most_suspect_first};

use crate::catalog::ContradictedLabel;

/// Most that are told of.
pub(super) const MOST: usize = 50;
/// As many are read at once.
pub(super) const CHUNK: u64 = 200;

/// The most suspect of labels that come with those first of which the model was surest of something else.
#[derive(Debug, Default)]
pub(super) struct Suspects(Vec<(LabelSupport, SuspectLabel)>);

impl Suspects {
    /// Looks at some more. Answers whether later ones may still be among the most suspect: what the model is less sure of
    /// than `c` has a margin above −c.
    pub(super) fn look_at(&mut self, labels: Vec<ContradictedLabel>) -> bool {
        let Some(surest_to_come) = labels.last().map(|label| f64::from(label.confidence)) else { return false };
        self.0.extend(labels.into_iter().filter_map(suspect));
        let supports: Vec<LabelSupport> = self.0.iter().map(|(support, _)| *support).collect();
        let order = most_suspect_first(&supports);
        self.0 = order.into_iter().take(MOST).filter_map(|place| self.0.get(place).cloned()).collect();
        self.0.get(MOST - 1).is_none_or(|(last, _)| last.margin > -surest_to_come)
    }

    pub(super) fn into_labels(self) -> Vec<SuspectLabel> {
        self.0.into_iter().map(|(_, label)| label).collect()
    }
}

/// Nothing of a class that the model does not have: it could not contradict it.
fn suspect(found: ContradictedLabel) -> Option<(LabelSupport, SuspectLabel)> {
    let place = found.probabilities.iter().position(|class| class.label == found.label)?;
    let probabilities: Result<Vec<Probability>, _> =
        found.probabilities.iter().map(|class| Probability::new(f64::from(class.probability))).collect();
    let support = label_support(&probabilities.ok()?, ClassIndex(u16::try_from(place).ok()?))?;
    let label = SuspectLabel {
        prediction: found.id.try_into().ok()?,
        label: found.label,
        answer: found.answer,
        confidence: f64::from(found.confidence),
        self_confidence: support.self_confidence,
        margin: support.margin,
    };
    Some((support, label))
}

#[cfg(test)]
mod tests {
    use gourmetgram_api::ClassProbability;
    use uuid::Uuid;

    use super::*;

    /// The model says Soup with `soup`, and the label's class gets `rice`.
    fn label(soup: f32, rice: f32) -> ContradictedLabel {
        let class = |label: &str, probability| ClassProbability { label: label.to_owned(), probability };
        ContradictedLabel {
            id: Uuid::now_v7(),
            label: "Rice".to_owned(),
            answer: "Soup".to_owned(),
            confidence: soup,
            probabilities: vec![class("Soup", soup), class("Rice", rice), class("Egg", 1.0 - soup - rice)],
        }
    }

    #[test]
    fn what_comes_later_is_looked_at_as_long_as_it_may_be_more_suspect() {
        let mut all: Vec<ContradictedLabel> =
            (0..400).map(|number| label(0.99 - number as f32 / 1000.0, (number % 7) as f32 / 1000.0)).collect();
        // The last but one is of a class nobody knows.
        all[398].label = "Pizza".to_owned();
        let mut exact: Vec<f64> = all
            .iter()
            .filter(|it| it.label == "Rice")
            .map(|it| f64::from(it.probabilities[1].probability) - f64::from(it.confidence))
            .collect();
        exact.sort_by(f64::total_cmp);
        let mut suspects = Suspects::default();
        let mut chunks = all.chunks(20);
        let mut looks = 0;
        while chunks.next().is_some_and(|chunk| suspects.look_at(chunk.to_vec())) {
            looks += 1;
        }
        let found: Vec<f64> = suspects.into_labels().iter().map(|it| it.margin).collect();
        assert_eq!(found, exact[..MOST]);
        assert!((2..19).contains(&looks), "{looks} of 20 looks");
        assert!(!Suspects::default().look_at(Vec::new()));
    }
}

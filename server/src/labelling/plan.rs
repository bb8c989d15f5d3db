//! A campaign's rule, read: what makes a photo special, and how much of what is taken.

use std::num::NonZeroU64;

use gourmetgram_api::{
    CampaignRule, DeviceComparison, FlagReason, LowConfidence, RandomDraw, Uncertainty, UnusableCampaign,
};
use gourmetgram_evaluation::{BatchDesign, InclusionProbability, Oversampling, RandomSample, Signals, Stratum};

use super::Candidate;

/// Which signals a rule looks at. A rule for one kind of photo looks for that kind alone: a photo that is unsure and
/// flagged is, to a rule for flagged photos, a flagged one.
#[derive(Clone, Debug, PartialEq, Eq)]
enum LooksAt {
    Everything,
    Unsure,
    Flags(Vec<FlagReason>),
    Corrections,
    /// Also where the device ran another model version.
    Devices {
        other_versions: bool,
    },
}

/// How a batch is drawn by a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    looks_at: LooksAt,
    unsure: LowConfidence,
    low_confidence: Oversampling,
    flagged: Oversampling,
    corrected: Oversampling,
    device_disagrees: Oversampling,
    random: Option<RandomSample>,
}

impl Plan {
    /// Reads a rule.
    ///
    /// # Errors
    /// What [`CampaignRule::check`] finds.
    pub fn new(rule: &CampaignRule) -> Result<Self, UnusableCampaign> {
        rule.check()?;
        let nothing = Self {
            looks_at: LooksAt::Everything,
            unsure: LowConfidence::default(),
            low_confidence: Oversampling::Nothing,
            flagged: Oversampling::Nothing,
            corrected: Oversampling::Nothing,
            device_disagrees: Oversampling::Nothing,
            random: None,
        };
        Ok(match rule {
            CampaignRule::Everything => {
                Self { random: Some(RandomSample::Rate(InclusionProbability::CERTAIN)), ..nothing }
            }
            CampaignRule::Random { draw } => Self { random: Some(sample(*draw)?), ..nothing },
            CampaignRule::LowConfidence { unsure, at_most } => {
                Self { looks_at: LooksAt::Unsure, unsure: *unsure, low_confidence: capped(*at_most), ..nothing }
            }
            CampaignRule::Flagged { reasons, at_most } => {
                Self { looks_at: LooksAt::Flags(reasons.clone()), flagged: capped(*at_most), ..nothing }
            }
            CampaignRule::Corrected { at_most } => {
                Self { looks_at: LooksAt::Corrections, corrected: capped(*at_most), ..nothing }
            }
            CampaignRule::DeviceDisagrees { other_versions, at_most } => Self {
                looks_at: LooksAt::Devices { other_versions: *other_versions },
                device_disagrees: capped(*at_most),
                ..nothing
            },
            CampaignRule::Continuous { unsure, low_confidence_at_most, flagged_at_most, corrected_at_most, random } => {
                Self {
                    unsure: *unsure,
                    low_confidence: capped(*low_confidence_at_most),
                    flagged: capped(*flagged_at_most),
                    corrected: capped(*corrected_at_most),
                    random: Some(sample(*random)?),
                    ..nothing
                }
            }
        })
    }

    /// What counts as unsure; rules that do not say take the usual.
    pub fn measures(&self) -> Uncertainty {
        self.unsure.measure
    }

    /// Whether an answer counts as unsure. `probabilities` are looked at only where margin or entropy is measured; where
    /// there are none then, nothing is known, and that is unsure.
    pub fn is_unsure(&self, confidence: f32, probabilities: &[f32]) -> bool {
        let threshold = self.unsure.threshold;
        match self.unsure.measure {
            // As the model wrote it: 0.7 in 32 bits is not below 0.7.
            Uncertainty::Confidence => confidence < threshold as f32,
            Uncertainty::Margin => margin(probabilities).is_none_or(|margin| margin < threshold),
            Uncertainty::Entropy => entropy(probabilities).is_none_or(|entropy| entropy > threshold),
        }
    }

    /// How much of a stratum is taken beside the random sample.
    pub(super) fn oversampling(&self, stratum: Stratum) -> Oversampling {
        match stratum {
            Stratum::LowConfidence => self.low_confidence,
            Stratum::Flagged => self.flagged,
            Stratum::Corrected => self.corrected,
            Stratum::DeviceDisagrees => self.device_disagrees,
            Stratum::Others => Oversampling::Nothing,
        }
    }

    /// The random sample of all photos, where the rule takes one.
    pub(super) fn random(&self) -> Option<RandomSample> {
        self.random
    }

    /// The design of evaluation, where every photo has a way into the sample.
    pub fn design(&self) -> Option<BatchDesign> {
        Some(BatchDesign {
            low_confidence: self.low_confidence,
            flagged: self.flagged,
            corrected: self.corrected,
            random: self.random?,
        })
    }

    /// The stratum of a photo with these signals.
    pub(super) fn stratum(&self, photo: &Candidate) -> Stratum {
        let Candidate { unsure, flag, corrected, device, .. } = *photo;
        let nothing = Signals::default();
        Stratum::of(match &self.looks_at {
            LooksAt::Everything => Signals { low_confidence: unsure, flagged: flag.is_some(), corrected, ..nothing },
            LooksAt::Unsure => Signals { low_confidence: unsure, ..nothing },
            LooksAt::Flags(reasons) => {
                let flagged = flag.is_some_and(|flag| reasons.is_empty() || reasons.contains(&flag));
                Signals { flagged, ..nothing }
            }
            LooksAt::Corrections => Signals { corrected, ..nothing },
            LooksAt::Devices { other_versions } => {
                let device_disagrees = match device {
                    Some(DeviceComparison::Disagrees) => true,
                    Some(DeviceComparison::OtherVersionDisagrees) => *other_versions,
                    _ => false,
                };
                Signals { device_disagrees, ..nothing }
            }
        })
    }
}

fn capped(at_most: Option<u64>) -> Oversampling {
    match at_most.and_then(NonZeroU64::new) {
        Some(cap) => Oversampling::AtMost(cap),
        None => Oversampling::Everything,
    }
}

fn sample(draw: RandomDraw) -> Result<RandomSample, UnusableCampaign> {
    match draw {
        RandomDraw::Rate(value) => InclusionProbability::new(value)
            .map(RandomSample::Rate)
            .map_err(|_| UnusableCampaign::Share { what: "rate", value }),
        RandomDraw::PerInterval(count) => {
            NonZeroU64::new(count).map(RandomSample::Count).ok_or(UnusableCampaign::Nothing("per_interval"))
        }
    }
}

/// The distance between the two greatest.
fn margin(probabilities: &[f32]) -> Option<f64> {
    let (mut first, mut second) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
    for &probability in probabilities {
        let probability = f64::from(probability);
        if probability > first {
            (first, second) = (probability, first);
        } else if probability > second {
            second = probability;
        }
    }
    second.is_finite().then_some(first - second)
}

/// Shannon's, as a share of what equal probabilities have.
fn entropy(probabilities: &[f32]) -> Option<f64> {
    if probabilities.len() < 2 {
        return None;
    }
    let sum: f64 = probabilities.iter().map(|&p| f64::from(p)).filter(|p| *p > 0.0).map(|p| -p * p.ln()).sum();
    Some(sum / (probabilities.len() as f64).ln())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn unsure(measure: Uncertainty, threshold: f64) -> Plan {
        Plan::new(&CampaignRule::LowConfidence { unsure: LowConfidence { measure, threshold }, at_most: None }).unwrap()
    }

    #[test]
    fn the_threshold_itself_is_sure() {
        let plan = unsure(Uncertainty::Confidence, 0.7);
        assert!(!plan.is_unsure(0.7, &[]) && plan.is_unsure(0.699, &[]));
    }

    #[test]
    fn margin_and_entropy_are_those_of_the_textbook() {
        let plan = unsure(Uncertainty::Margin, 0.2);
        assert!(plan.is_unsure(0.5, &[0.1, 0.5, 0.4]), "a margin of 0.1");
        assert!(!plan.is_unsure(0.5, &[0.25, 0.5, 0.25]), "a margin of 0.25");
        let plan = unsure(Uncertainty::Entropy, 0.5);
        assert!(plan.is_unsure(0.25, &[0.25; 4]), "equal probabilities have an entropy of 1");
        assert!(!plan.is_unsure(1.0, &[1.0, 0.0, 0.0]), "certainty has none");
        assert!((entropy(&[0.5, 0.5, 0.0, 0.0]).unwrap() - 0.5).abs() < 1e-12);
    }

    #[test]
    fn an_answer_without_probabilities_is_not_taken_for_sure() {
        for measure in [Uncertainty::Margin, Uncertainty::Entropy] {
            assert!(unsure(measure, 0.3).is_unsure(0.99, &[]));
        }
    }

    #[test]
    fn a_rule_for_one_kind_of_photo_looks_for_that_kind_alone() {
        let plan = |rule: CampaignRule| Plan::new(&rule).unwrap();
        let only = |reasons: Vec<FlagReason>| plan(CampaignRule::Flagged { reasons, at_most: None });
        let photo = Candidate {
            id: Uuid::nil(),
            unsure: true,
            flag: Some(FlagReason::NotFood),
            corrected: true,
            device: Some(DeviceComparison::Disagrees),
        };
        assert_eq!(only(Vec::new()).stratum(&photo), Stratum::Flagged);
        assert_eq!(only(vec![FlagReason::BadPhoto]).stratum(&photo), Stratum::Others);
        let mix = plan(CampaignRule::Random { draw: RandomDraw::Rate(0.1) });
        assert_eq!(mix.stratum(&photo), Stratum::LowConfidence);
        let corrected = plan(CampaignRule::Corrected { at_most: None });
        assert_eq!(corrected.stratum(&photo), Stratum::Corrected);
        assert_eq!(corrected.stratum(&Candidate { corrected: false, ..photo }), Stratum::Others);
        let devices = plan(CampaignRule::DeviceDisagrees { other_versions: false, at_most: None });
        assert_eq!(devices.stratum(&photo), Stratum::DeviceDisagrees);
        // To the others it is no signal.
        let nothing_else = Candidate { unsure: false, flag: None, corrected: false, ..photo };
        assert_eq!(mix.stratum(&nothing_else), Stratum::Others);
    }

    #[test]
    fn a_device_with_another_model_version_disagrees_only_where_the_rule_says_so() {
        let rule = |other_versions| CampaignRule::DeviceDisagrees { other_versions, at_most: None };
        let stratum = |other_versions, device| {
            let photo = Candidate { id: Uuid::nil(), unsure: false, flag: None, corrected: false, device };
            Plan::new(&rule(other_versions)).unwrap().stratum(&photo)
        };
        for (device, same_version, any_version) in [
            (None, Stratum::Others, Stratum::Others),
            (Some(DeviceComparison::Agrees), Stratum::Others, Stratum::Others),
            (Some(DeviceComparison::OtherVersionAgrees), Stratum::Others, Stratum::Others),
            (Some(DeviceComparison::Disagrees), Stratum::DeviceDisagrees, Stratum::DeviceDisagrees),
            (Some(DeviceComparison::OtherVersionDisagrees), Stratum::Others, Stratum::DeviceDisagrees),
        ] {
            assert_eq!((stratum(false, device), stratum(true, device)), (same_version, any_version), "{device:?}");
        }
    }

    #[test]
    fn a_rule_with_impossible_numbers_is_no_plan() {
        let rule = CampaignRule::Random { draw: RandomDraw::Rate(0.0) };
        assert_eq!(Plan::new(&rule).unwrap_err(), UnusableCampaign::Share { what: "rate", value: 0.0 });
    }
}

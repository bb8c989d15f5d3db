//! What people say of an answer, and how often they are wrong themselves.

use gourmetgram_api::{ClassIndex, Classes, FlagReason};
use rand::Rng;

use super::Truth;
use crate::catalog::Change;

/// Longest wait between seeing an answer and the last word about it, in milliseconds.
pub const LONGEST_WAIT: i64 = 150_000;

/// How often people say something, as probabilities.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shares {
    /// A wrong answer is flagged.
    pub flag: f64,
    /// A wrong answer is corrected.
    pub correct: f64,
    /// Such a correction names a wrong class.
    pub wrong: f64,
    /// A right answer is flagged or corrected all the same.
    pub mistaken: f64,
    /// A flag is taken back.
    pub undo: f64,
}

impl Default for Shares {
    fn default() -> Self {
        Self { flag: 0.5, correct: 0.35, wrong: 0.1, mistaken: 0.02, undo: 0.05 }
    }
}

/// What a visitor will do, whatever the answer: drawn once, before it is known. Numbers from 0 to 1, and waits in
/// milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mood {
    flags: f64,
    reason: f64,
    corrects: f64,
    errs: f64,
    picks: f64,
    regrets: f64,
    waits: [i64; 3],
}

impl Mood {
    /// Draws one.
    pub fn draw(random: &mut impl Rng) -> Self {
        let mut wait = |mean: f64| (-mean * (1.0 - random.random::<f64>()).ln()).min(45_000.0) as i64 + 1000;
        let waits = [wait(6_000.0), wait(5_000.0), wait(15_000.0)];
        Self {
            flags: random.random(),
            reason: random.random(),
            corrects: random.random(),
            errs: random.random(),
            picks: random.random(),
            regrets: random.random(),
            waits,
        }
    }
}

/// One thing a visitor says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// How long after the answer, in milliseconds.
    pub after: i64,
    /// What.
    pub change: Change,
}

/// What a visitor in this mood says when the model answers `predicted` to a photo that shows `truth`, in order.
pub fn react(mood: &Mood, shares: &Shares, truth: Truth, predicted: &str, classes: &Classes) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut after = 0;
    let mut say = |wait: i64, change: Change| {
        after += wait;
        steps.push(Step { after, change });
    };
    let [flag_wait, correct_wait, regret_wait] = mood.waits;
    let class = match truth {
        Truth::Unknown => return Vec::new(),
        Truth::NotFood => {
            if mood.flags < shares.flag {
                say(flag_wait, Change::Flag(FlagReason::NotFood));
            }
            return steps;
        }
        Truth::Class(class) => class,
    };
    let Some(label) = classes.label(class) else { return Vec::new() };
    if predicted == label {
        if mood.flags < shares.mistaken {
            let change = match another(mood.picks, classes, class, predicted) {
                Some(wrong) if mood.corrects < 0.5 => Change::Correct(wrong.to_owned()),
                _ => Change::Flag(FlagReason::WrongLabel),
            };
            say(flag_wait, change);
        }
        return steps;
    }
    let flags = mood.flags < shares.flag;
    if flags {
        let reason = match mood.reason {
            share if share < 0.84 => FlagReason::WrongLabel,
            share if share < 0.94 => FlagReason::BadPhoto,
            _ => FlagReason::Other,
        };
        say(flag_wait, Change::Flag(reason));
    }
    if mood.corrects < shares.correct {
        let wrong = another(mood.picks, classes, class, predicted).filter(|_| mood.errs < shares.wrong);
        say(correct_wait, Change::Correct(wrong.unwrap_or(label).to_owned()));
    }
    if flags && mood.regrets < shares.undo {
        say(regret_wait, Change::Unflag);
    }
    steps
}

/// A class that is neither the truth nor what the model said.
pub(super) fn another<'a>(pick: f64, classes: &'a Classes, truth: ClassIndex, predicted: &str) -> Option<&'a str> {
    let others: Vec<&str> = classes
        .iter()
        .filter(|(index, label)| *index != truth && *label != predicted)
        .map(|(_, label)| label)
        .collect();
    others.get((pick * others.len() as f64) as usize).copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha12Rng;

    use super::*;

    fn classes() -> Classes {
        Classes::new(["Bread", "Egg", "Rice", "Soup"].map(str::to_owned).to_vec()).unwrap()
    }

    fn moods(count: usize, seed: u64) -> Vec<Mood> {
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        (0..count).map(|_| Mood::draw(&mut random)).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn people_speak_and_err_as_often_as_the_shares_say(
            flag in 0.0..=1.0f64, correct in 0.0..=1.0f64, wrong in 0.0..=1.0f64, mistaken in 0.0..=1.0f64,
            undo in 0.0..=1.0f64, seed: u64,
        ) {
            let shares = Shares { flag, correct, wrong, mistaken, undo };
            let (truth, count) = (Truth::Class(ClassIndex(1)), 4000);
            let (mut flagged, mut corrected, mut wrongly, mut undone, mut doubted) = (0, 0, 0, 0, 0);
            for mood in moods(count, seed) {
                for step in react(&mood, &shares, truth, "Soup", &classes()) {
                    prop_assert!(step.after <= LONGEST_WAIT);
                    match step.change {
                        Change::Flag(_) => flagged += 1,
                        Change::Unflag => undone += 1,
                        Change::Correct(label) => {
                            corrected += 1;
                            prop_assert_ne!(&label, "Soup", "nobody corrects to what the model said");
                            wrongly += usize::from(label != "Egg");
                        }
                        Change::Uncorrect => prop_assert!(false, "nobody takes a correction back"),
                    }
                }
                doubted += react(&mood, &shares, truth, "Egg", &classes()).len();
            }
            // Five standard deviations of a share of so many.
            let near = |share: f64, of: usize, expected: f64| {
                (share - expected).abs() <= 5.0 * (expected * (1.0 - expected) / of.max(1) as f64).sqrt() + 1e-9
            };
            prop_assert!(near(flagged as f64 / count as f64, count, flag));
            prop_assert!(near(corrected as f64 / count as f64, count, correct));
            prop_assert!(near(doubted as f64 / count as f64, count, mistaken));
            if corrected > 0 { prop_assert!(near(f64::from(wrongly as u32) / f64::from(corrected), corrected as usize, wrong)); }
            if flagged > 0 { prop_assert!(near(f64::from(undone) / f64::from(flagged), flagged as usize, undo)); }
        }
    }

    #[test]
    fn nobody_speaks_of_what_nobody_knows() {
        let shares = Shares { flag: 1.0, correct: 1.0, wrong: 1.0, mistaken: 1.0, undo: 1.0 };
        for mood in moods(50, 1) {
            assert_eq!(react(&mood, &shares, Truth::Unknown, "Soup", &classes()), []);
            let steps = react(&mood, &shares, Truth::NotFood, "Soup", &classes());
            assert!(matches!(&steps[..], [Step { change: Change::Flag(FlagReason::NotFood), .. }]));
        }
    }
}

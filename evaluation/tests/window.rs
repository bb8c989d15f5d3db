//! What a window refuses, and what its neighbours make of one that is small enough to check by hand.

use gourmetgram_api::{ClassIndex, Confidence, PredictionId};
use gourmetgram_evaluation::{
    BatchId, Cell, CompleteWindow, ConfidenceLevel, ConfusionMatrix, GuessMean, InclusionProbability,
    LabelledPrediction, Method, Outcome, Probability, Selection, Stratum, UnknownClass, Window, WindowError, accuracy,
    accuracy_where, difference_accuracy, nonresponse_bounds, outcome_share, paired_difference, random_sample_accuracy,
    random_sample_mcnemar, tutorial_pooled, two_bad_windows,
};

const LEVEL: ConfidenceLevel = ConfidenceLevel::NINETY_FIVE;
const BREAD: ClassIndex = ClassIndex(0);
const SOUP: ClassIndex = ClassIndex(1);

fn cell(stratum: Stratum, inclusion: f64, size: u64, selected: u64) -> Cell {
    let inclusion = InclusionProbability::new(inclusion).unwrap();
    Cell { batch: BatchId(1), stratum, inclusion, size, selected }
}

fn label(number: u64, cell: &Cell, outcome: Outcome) -> LabelledPrediction {
    let id = uuid::Builder::from_unix_timestamp_millis(number, &[0; 10]).into_uuid();
    let random = cell.stratum == Stratum::Others;
    let id = PredictionId::try_from(id).unwrap();
    LabelledPrediction {
        selection: Selection::new(id, cell.batch, cell.stratum, cell.inclusion, cell.size, random).unwrap(),
        predicted: BREAD,
        confidence: Confidence::new(0.75).unwrap(),
        flagged: false,
        correction: None,
        outcome,
    }
}

/// `right` of `labels` labels of a cell are right.
fn labels(from: u64, cell: &Cell, labels: u64, right: u64) -> Vec<LabelledPrediction> {
    let outcome = |number| Outcome::Class(if number < right { BREAD } else { SOUP });
    (0..labels).map(|number| label(from + number, cell, outcome(number))).collect()
}

/// All 100 unsure photos, 40 of them right, and 50 of 900 others, 45 of them right: truly 0.1·0.4 + 0.9·0.9 = 0.85.
fn mixed() -> Window {
    let cells = [cell(Stratum::LowConfidence, 1.0, 100, 100), cell(Stratum::Others, 1.0 / 18.0, 900, 50)];
    let all = [labels(0, &cells[0], 100, 40), labels(1000, &cells[1], 50, 45)].concat();
    Window::new(cells.to_vec(), all).unwrap()
}

#[test]
fn what_does_not_belong_together_is_refused_by_name() {
    let others = cell(Stratum::Others, 0.5, 10, 5);
    let low = cell(Stratum::LowConfidence, 1.0, 3, 3);
    let window = |cells: &[Cell], labels: Vec<LabelledPrediction>| Window::new(cells.to_vec(), labels).unwrap_err();
    let batch = BatchId(1);
    assert_eq!(window(&[others, low, others], vec![]), WindowError::DuplicateCell { batch, stratum: Stratum::Others });
    let too_many = WindowError::MoreSelectedThanPhotos { batch, stratum: Stratum::Others, selected: 11, size: 10 };
    assert_eq!(window(&[Cell { selected: 11, ..others }], vec![]), too_many);
    let incomplete = WindowError::IncompleteCensus { batch, stratum: Stratum::LowConfidence, selected: 2, size: 3 };
    assert_eq!(window(&[Cell { selected: 2, ..low }], vec![]), incomplete);
    let crowded = WindowError::MoreLabelsThanSelected { batch, stratum: Stratum::Others, labelled: 6, selected: 5 };
    assert_eq!(window(&[others], labels(0, &others, 6, 0)), crowded);
    let stray = label(7, &low, Outcome::NotFood);
    let prediction = stray.selection.prediction();
    let unknown = WindowError::UnknownCell { prediction, batch, stratum: Stratum::LowConfidence };
    assert_eq!(window(&[others], vec![stray]), unknown);
    let other_rate = label(7, &cell(Stratum::Others, 0.25, 10, 5), Outcome::NotFood);
    let differs = WindowError::InclusionDiffers { prediction, label: 0.25, cell: 0.5 };
    assert_eq!(window(&[others], vec![other_rate]), differs);
    let twice = vec![label(7, &others, Outcome::NotFood); 2];
    assert_eq!(window(&[others], twice), WindowError::DuplicateLabel(prediction));
}

#[test]
fn numbers_out_of_range_do_not_come_in_as_json_either() {
    assert!(serde_json::from_str::<InclusionProbability>("0.0").is_err());
    assert!(serde_json::from_str::<InclusionProbability>("1.0").is_ok());
    assert!(serde_json::from_str::<Probability>("1.1").is_err());
    assert!(serde_json::from_str::<ConfidenceLevel>("1.0").is_err());
    let selection = serde_json::to_string(&label(1, &cell(Stratum::Others, 0.5, 10, 5), Outcome::NotFood).selection);
    let selection = selection.unwrap();
    assert!(serde_json::from_str::<Selection>(&selection).is_ok());
    assert!(
        serde_json::from_str::<Selection>(&selection.replace("\"stratum_size\":10", "\"stratum_size\":0")).is_err()
    );
}

#[test]
fn accuracy_weighs_strata_by_their_photos_and_the_tutorial_s_number_by_their_labels() {
    let estimate = accuracy(&mixed(), LEVEL);
    assert!((estimate.value.unwrap() - 0.85).abs() < 1e-12);
    assert!(estimate.interval.contains(0.85) && estimate.interval.width() < 0.2);
    assert_eq!((estimate.labelled, estimate.population), (150, 1000));
    assert!(estimate.missing.is_nothing());
    assert!((tutorial_pooled(&mixed(), LEVEL).value.unwrap() - 85.0 / 150.0).abs() < 1e-12);
    let slice = accuracy_where(&mixed(), |label| label.selection.stratum() == Stratum::LowConfidence, LEVEL);
    assert!((slice.value.unwrap() - 0.4).abs() < 1e-12);
    assert_eq!(random_sample_accuracy(&mixed(), LEVEL).labelled, 50);
}

#[test]
fn photos_without_a_true_class_count_beside_accuracy_not_within() {
    let others = cell(Stratum::Others, 1.0, 10, 10);
    let mut all = labels(0, &others, 8, 6);
    all.extend([label(100, &others, Outcome::NotFood), label(101, &others, Outcome::Unreadable)]);
    let window = Window::new(vec![others], all).unwrap();
    let estimate = accuracy(&window, LEVEL);
    assert_eq!((estimate.value, estimate.labelled, estimate.method), (Some(0.75), 8, Method::Census));
    assert!(estimate.interval.width() < 1e-12);
    assert_eq!(outcome_share(&window, Outcome::NotFood, LEVEL).value, Some(0.1));
    assert_eq!(nonresponse_bounds(&window).unwrap().width(), 0.0);
    let unknown = UnknownClass { class: SOUP, classes: 1 };
    assert_eq!(ConfusionMatrix::of(&window, 1), Err(unknown));
}

#[test]
fn missing_labels_are_shown_and_bounded() {
    let others = cell(Stratum::Others, 1.0, 100, 100);
    let window = Window::new(vec![others], labels(0, &others, 60, 45)).unwrap();
    let estimate = accuracy(&window, LEVEL);
    assert_eq!((estimate.value, estimate.method), (Some(0.75), Method::Poststratified));
    assert_eq!(estimate.missing.response[0].rate(), Some(0.6));
    let bounds = nonresponse_bounds(&window).unwrap();
    assert!((bounds.lower() - 0.45).abs() < 1e-12 && (bounds.upper() - 0.85).abs() < 1e-12);
    assert!(bounds.contains(estimate.interval.lower()) && bounds.contains(estimate.interval.upper()));
}

#[test]
fn a_guess_that_is_always_true_leaves_nothing_to_doubt() {
    let guess = |label: &LabelledPrediction| f64::from(u8::from(label.correct() == Some(true)));
    let means = [(Stratum::LowConfidence, 0.4), (Stratum::Others, 0.88)];
    let means = means.map(|(stratum, mean)| GuessMean { stratum, mean });
    let estimate = difference_accuracy(&mixed(), &means, guess, LEVEL).unwrap();
    assert!((estimate.value.unwrap() - 0.832).abs() < 1e-12, "the guesses' mean over all photos is the answer");
    assert!(estimate.interval.width() < 1e-12);
    assert_eq!(difference_accuracy(&mixed(), &means[..1], guess, LEVEL), None);
}

#[test]
fn photos_without_a_true_class_do_not_take_the_difference_estimate_away() {
    // The first of every ten photos is no food, whatever the model says of it.
    let mut all = mixed().labels().to_vec();
    let classless = |number: usize| number.is_multiple_of(10);
    for (number, label) in all.iter_mut().enumerate().filter(|(number, _)| classless(*number)) {
        label.outcome = if number.is_multiple_of(20) { Outcome::NotFood } else { Outcome::Unreadable };
    }
    let window = Window::new(mixed().cells().to_vec(), all).unwrap();
    // A guess of nothing says nothing: what is left is the headline's own number.
    let nothing = Stratum::ALL.map(|stratum| GuessMean { stratum, mean: 0.0 });
    let plain = difference_accuracy(&window, &nothing, |_| 0.0, LEVEL).unwrap();
    let headline = accuracy(&window, LEVEL);
    assert!((plain.value.unwrap() - headline.value.unwrap()).abs() < 1e-12, "{plain:?} {headline:?}");
    assert_eq!((plain.labelled, plain.population), (headline.labelled, headline.population));
    let ratio = plain.interval.width() / headline.interval.width();
    assert!((0.9..1.1).contains(&ratio), "a normal interval beside Wilson's: {plain:?} {headline:?}");
    // Guesses that are wrong everywhere by the same number change nothing either.
    let constant = Stratum::ALL.map(|stratum| GuessMean { stratum, mean: 0.3 });
    let constant = difference_accuracy(&window, &constant, |_| 0.3, LEVEL).unwrap();
    assert!((constant.value.unwrap() - plain.value.unwrap()).abs() < 1e-12);
    assert!((constant.interval.width() - plain.interval.width()).abs() < 1e-12);
    // Where nothing but such photos is labelled, nothing is known.
    let others = cell(Stratum::Others, 0.5, 10, 5);
    let classless = (0..5).map(|number| label(number, &others, Outcome::NotFood)).collect();
    let none = Window::new(vec![others], classless).unwrap();
    assert_eq!(difference_accuracy(&none, &nothing, |_| 0.0, LEVEL), None);
}

#[test]
fn a_challenger_is_compared_on_all_photos_not_on_the_champion_s_mistakes() {
    // It mends half of the champion's 60 mistakes among the unsure and breaks 4 of 45 right answers among the others.
    let challenger = |label: &LabelledPrediction| {
        let number = label.selection.prediction().as_uuid().get_timestamp()?.to_unix();
        let millis = number.0 * 1000 + u64::from(number.1) / 1_000_000;
        Some(match label.selection.stratum() {
            Stratum::LowConfidence => millis < 70,
            _ => (1004..1045).contains(&millis),
        })
    };
    let window = mixed();
    let estimate = paired_difference(&window, challenger, LEVEL);
    assert!((estimate.value.unwrap() - (0.1 * 0.3 - 0.9 * 4.0 / 50.0)).abs() < 1e-12, "worse, {estimate:?}");
    assert!(estimate.interval.contains(estimate.value.unwrap()) && estimate.interval.width() > 0.05);
    let mcnemar = random_sample_mcnemar(&window, challenger);
    assert_eq!((mcnemar.only_champion, mcnemar.only_challenger), (4, 0));
    assert!((mcnemar.p_value - 0.125).abs() < 1e-12);
}

#[test]
fn one_bad_window_is_no_alarm_and_two_in_a_row_are() {
    let of = |upper: f64| CompleteWindow { accuracy: upper - 0.05, upper, labels: 200, photos: 1_000_000 };
    let (bad, good) = (of(0.85), of(0.95));
    let is_bad =
        |windows: &[CompleteWindow], target| two_bad_windows(windows, Probability::new(target).unwrap(), LEVEL);
    assert!(is_bad(&[good, bad, bad], 0.9));
    assert!(!is_bad(&[bad], 0.9) && !is_bad(&[], 0.9));
    assert!(!is_bad(&[bad, bad, good], 0.9), "the last one counts");
    assert!(!is_bad(&[bad, good, bad], 0.9), "in a row");
    assert!(!is_bad(&[bad, bad], 0.85), "below, not at it");
    // What has too few labels is as if it were not there, however bad or good it looks.
    let few = |upper| CompleteWindow { labels: 29, ..of(upper) };
    assert!(!is_bad(&[bad, few(0.5)], 0.9) && !is_bad(&[few(0.5), few(0.5)], 0.9));
    assert!(is_bad(&[bad, few(1.0), bad, few(0.95)], 0.9));
    // Every photo labelled, nine in ten right: that is exact of 50 photos, and no proof about the model.
    let counted = |photos| CompleteWindow { accuracy: 0.88, upper: 0.88, labels: photos, photos };
    assert!(!is_bad(&[counted(50), counted(50)], 0.9));
    assert!(is_bad(&[counted(5000), counted(5000)], 0.9));
}

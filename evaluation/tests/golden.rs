//! Our numbers beside scikit-learn's, statsmodels', scipy's, ppi_py's, Evidently's and NannyML's.
//!
//! The values were computed once by `golden/make.py`, which also says where definitions differ and why.

use gourmetgram_api::{ClassIndex, Confidence, PredictionId};
use gourmetgram_evaluation::{
    BatchId, Cell, ClassReport, ConfidenceLevel, ConfusionMatrix, InclusionProbability, LabelledPrediction, Outcome,
    Probability, Reliability, ScaledExample, Selection, Stratum, Window, accuracy, brier, cohen_kappa,
    confidence_sequence,
    drift::{benjamini_hochberg, chi_square, kolmogorov_smirnov, mean_discrepancy, population_stability_index},
    expected_accuracy, fit_temperature, fleiss_kappa, log_loss, macro_f1, mcnemar, prediction_powered_mean, wilson,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

const LEVEL: ConfidenceLevel = ConfidenceLevel::NINETY_FIVE;

fn base() -> Value {
    serde_json::from_str(include_str!("golden/base.json")).unwrap()
}

fn read<T: DeserializeOwned>(value: &Value, key: &str) -> T {
    serde_json::from_value(value[key].clone()).unwrap_or_else(|error| panic!("{key}: {error}"))
}

#[track_caller]
fn close(ours: f64, theirs: f64) {
    assert!((ours - theirs).abs() < 1e-6, "ours is {ours}, theirs {theirs}");
}

#[test]
fn wilson_intervals_are_those_of_statsmodels() {
    for case in base()["wilson"].as_array().unwrap() {
        let (successes, n): (f64, f64) = (read(case, "successes"), read(case, "n"));
        let interval = wilson(successes / n, n, ConfidenceLevel::new(read(case, "level")).unwrap());
        close(interval.lower(), read(case, "lower"));
        close(interval.upper(), read(case, "upper"));
    }
}

fn label(index: usize, cell: &Cell, predicted: u16, truth: u16, confidence: f64) -> LabelledPrediction {
    let id = uuid::Builder::from_unix_timestamp_millis(index as u64, &[0; 10]).into_uuid();
    let selection = Selection::new(
        PredictionId::try_from(id).unwrap(),
        cell.batch,
        cell.stratum,
        cell.inclusion,
        cell.size,
        cell.stratum == Stratum::Others,
    );
    LabelledPrediction {
        selection: selection.unwrap(),
        predicted: ClassIndex(predicted),
        confidence: Confidence::new(confidence as f32).unwrap(),
        flagged: false,
        correction: None,
        outcome: Outcome::Class(ClassIndex(truth)),
    }
}

/// A census of low confidence beside a sample of the others.
fn designed_window(golden: &Value) -> Window {
    let (truth, predicted): (Vec<u16>, Vec<u16>) = (read(golden, "truth"), read(golden, "predicted"));
    let (confidence, census): (Vec<f64>, usize) = (read(golden, "confidence"), read(golden, "census"));
    let cell = |stratum, inclusion, size, selected| Cell {
        batch: BatchId(1),
        stratum,
        inclusion: InclusionProbability::new(inclusion).unwrap(),
        size,
        selected,
    };
    let sampled = (truth.len() - census) as u64;
    let others: u64 = read(golden, "others");
    let cells = [
        cell(Stratum::LowConfidence, 1.0, census as u64, census as u64),
        cell(Stratum::Others, sampled as f64 / others as f64, others, sampled),
    ];
    let labels = (0..truth.len()).map(|index| {
        label(index, &cells[usize::from(index >= census)], predicted[index], truth[index], confidence[index])
    });
    Window::new(cells.to_vec(), labels.collect()).unwrap()
}

#[test]
fn weighted_scores_are_those_of_scikit_learn() {
    let golden = &base()["designed"];
    let window = designed_window(golden);
    close(accuracy(&window, LEVEL).value.unwrap(), read(golden, "accuracy"));
    let matrix = ConfusionMatrix::of(&window, 3).unwrap();
    let theirs: Vec<Vec<f64>> = read(golden, "confusion");
    let (precision, recall, f1): (Vec<f64>, Vec<f64>, Vec<f64>) =
        (read(golden, "precision"), read(golden, "recall"), read(golden, "f1"));
    let reports: Vec<_> = (0..3).map(|class| ClassReport::of(&window, ClassIndex(class), LEVEL)).collect();
    for (class, report) in reports.iter().enumerate() {
        for predicted in 0..3 {
            let cell = matrix.cell(ClassIndex(class as u16), ClassIndex(predicted)).unwrap();
            close(cell.photos, theirs[class][usize::from(predicted)]);
        }
        close(report.precision.value.unwrap(), precision[class]);
        close(report.recall.value.unwrap(), recall[class]);
        close(report.f1.value.unwrap(), f1[class]);
    }
    close(macro_f1(&reports).unwrap(), read(golden, "macro_f1"));
    close(brier(&window).unwrap().value, read(golden, "brier"));
    close(brier(&window).unwrap().standard_error, read(golden, "brier_standard_error"));
    close(log_loss(&window).unwrap().value, read(golden, "log_loss"));
}

#[test]
fn the_reliability_curve_is_that_of_scikit_learn() {
    let golden = &base()["reliability"];
    let (confidence, correct): (Vec<f64>, Vec<bool>) = (read(golden, "confidence"), read(golden, "correct"));
    let size = confidence.len() as u64;
    let cell = Cell {
        batch: BatchId(1),
        stratum: Stratum::Others,
        inclusion: InclusionProbability::CERTAIN,
        size,
        selected: size,
    };
    let labels = confidence.iter().zip(&correct).enumerate();
    let labels = labels.map(|(index, (confidence, correct))| label(index, &cell, 0, u16::from(!correct), *confidence));
    let curve = Reliability::of(&Window::new(vec![cell], labels.collect()).unwrap(), 10, LEVEL);
    let (accuracy, mean): (Vec<f64>, Vec<f64>) = (read(golden, "bin_accuracy"), read(golden, "bin_confidence"));
    assert_eq!(curve.bins.len(), accuracy.len());
    for (bin, (accuracy, mean)) in curve.bins.iter().zip(accuracy.iter().zip(&mean)) {
        close(bin.accuracy.value.unwrap(), *accuracy);
        close(bin.confidence, *mean);
    }
    close(curve.expected_calibration_error().unwrap(), read(golden, "expected_calibration_error"));
}

#[test]
fn the_temperature_is_that_of_scipy_s_root_finder() {
    let golden = &base()["temperature"];
    let (logits, truth): (Vec<Vec<f64>>, Vec<usize>) = (read(golden, "logits"), read(golden, "truth"));
    let weight: Vec<f64> = read(golden, "weight");
    let examples = logits.into_iter().zip(truth).zip(weight);
    let examples: Vec<_> = examples.map(|((logits, truth), weight)| ScaledExample { logits, truth, weight }).collect();
    close(fit_temperature(&examples).unwrap(), read(golden, "temperature"));
}

#[test]
fn kappas_are_those_of_scikit_learn_and_statsmodels() {
    let golden = &base()["agreement"];
    let (first, second): (Vec<u8>, Vec<u8>) = (read(golden, "first"), read(golden, "second"));
    let pairs: Vec<_> = first.into_iter().zip(second).collect();
    close(cohen_kappa(&pairs).unwrap(), read(golden, "cohen"));
    close(fleiss_kappa(&read::<Vec<Vec<u64>>>(golden, "ratings")).unwrap(), read(golden, "fleiss"));
}

#[test]
fn mcnemar_and_benjamini_hochberg_are_those_of_statsmodels() {
    for case in base()["mcnemar"].as_array().unwrap() {
        close(mcnemar(read(case, "only_champion"), read(case, "only_challenger")).p_value, read(case, "p_value"));
    }
    let golden = &base()["benjamini_hochberg"];
    let adjusted = benjamini_hochberg(&read::<Vec<f64>>(golden, "p_values"));
    for (ours, theirs) in adjusted.iter().zip(read::<Vec<f64>>(golden, "adjusted")) {
        close(*ours, theirs);
    }
}

#[test]
fn drift_tests_are_those_of_scipy() {
    for case in base()["chi_square"].as_array().unwrap() {
        let ours = chi_square(&read::<Vec<u64>>(case, "reference"), &read::<Vec<u64>>(case, "current")).unwrap();
        close(ours.statistic, read(case, "statistic"));
        close(ours.p_value, read(case, "p_value"));
        close(ours.cramers_v, read(case, "cramers_v"));
        assert_eq!(ours.degrees_of_freedom, read::<u64>(case, "degrees_of_freedom"));
    }
    for case in base()["kolmogorov"].as_array().unwrap() {
        let ours =
            kolmogorov_smirnov(&read::<Vec<f64>>(case, "reference"), &read::<Vec<f64>>(case, "current")).unwrap();
        close(ours.statistic, read(case, "statistic"));
        close(ours.p_value, read(case, "p_value"));
        assert!(ours.is_exact);
    }
    for case in base()["kolmogorov_limit"].as_array().unwrap() {
        let shift: f64 = read(case, "shift");
        let reference: Vec<f64> = (0..2500).map(|index| f64::from(index) / 2500.0).collect();
        let current: Vec<f64> = (0..2000).map(|index| f64::from(index) / 2000.0 * (1.0 - shift) + shift).collect();
        let ours = kolmogorov_smirnov(&reference, &current).unwrap();
        close(ours.statistic, read(case, "statistic"));
        close(ours.p_value, read(case, "p_value"));
        assert!(!ours.is_exact);
    }
    let golden = &base()["discrepancy"];
    let (reference, current): (Vec<Vec<f64>>, Vec<Vec<f64>>) = (read(golden, "reference"), read(golden, "current"));
    let ours = mean_discrepancy(&reference, &current, 1, 0).unwrap();
    close(ours.bandwidth, read(golden, "bandwidth"));
    close(ours.squared, read(golden, "squared"));
}

#[test]
fn the_confidence_sequence_is_where_scipy_finds_the_mixture_s_roots() {
    for case in base()["sequence"].as_array().unwrap() {
        let interval = confidence_sequence(read(case, "successes"), read(case, "failures"), LEVEL);
        close(interval.lower(), read(case, "lower"));
        close(interval.upper(), read(case, "upper"));
    }
}

#[test]
fn prediction_powered_means_are_those_of_ppi_py() {
    let golden: Value = serde_json::from_str(include_str!("golden/ppi.json")).unwrap();
    for case in golden["cases"].as_array().unwrap() {
        let lists = ["labels", "guesses", "unlabelled_guesses"].map(|key| read::<Vec<f64>>(case, key));
        for (name, lambda) in [("plain", Some(1.0)), ("tuned", None)] {
            let ours = prediction_powered_mean(&lists[0], &lists[1], &lists[2], lambda).unwrap();
            close(ours.value, read(&case[name], "value"));
            close(ours.value - LEVEL.z() * ours.standard_error, read(&case[name], "lower"));
            close(ours.value + LEVEL.z() * ours.standard_error, read(&case[name], "upper"));
        }
    }
}

#[test]
fn stability_index_and_distance_are_those_of_evidently() {
    let golden: Value = serde_json::from_str(include_str!("golden/evidently.json")).unwrap();
    for case in golden["categories"].as_array().unwrap() {
        let (reference, current): (Vec<u64>, Vec<u64>) = (read(case, "reference"), read(case, "current"));
        close(population_stability_index(&reference, &current).unwrap(), read(case, "psi"));
        // Evidently takes the reference for the truth itself, so it is surer than we are.
        if let Some(one_sample) = case["one_sample_p_value"].as_f64() {
            assert!(chi_square(&reference, &current).unwrap().p_value >= one_sample);
        }
    }
    for case in golden["numbers"].as_array().unwrap() {
        let (reference, current): (Vec<f64>, Vec<f64>) = (read(case, "reference"), read(case, "current"));
        close(kolmogorov_smirnov(&reference, &current).unwrap().p_value, read(case, "p_value"));
    }
}

#[test]
fn expected_accuracy_is_that_of_nannyml() {
    let golden: Value = serde_json::from_str(include_str!("golden/nannyml.json")).unwrap();
    let confidences = read::<Vec<f64>>(&golden, "confidence").into_iter().map(|it| Probability::new(it).unwrap());
    close(expected_accuracy(confidences).unwrap().value, read(&golden, "accuracy"));
}

//! Our numbers beside what `evaluation/peers/answers.py` had other people's tools say about the same inputs.

use gourmetgram_api::{ClassIndex, Confidence, PredictionId};
use gourmetgram_evaluation::{
    BatchId, Cell, ClassReport, ConfidenceLevel, ConfusionMatrix, GuessMean, InclusionProbability, LabelledPrediction,
    Outcome, Probability, Reliability, ScaledExample, Selection, Stratum, Window, accuracy, brier, cohen, cohen_kappa,
    confidence_sequence, difference_accuracy,
    drift::{benjamini_hochberg, chi_square, kolmogorov_smirnov, mean_discrepancy, population_stability_index},
    expected_accuracy, fit_temperature, fleiss, fleiss_kappa, log_loss, macro_f1, mcnemar, prediction_powered_mean,
    tutorial_pooled, wilson, wilson_finite,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// How far two numbers of one definition may be apart.
pub const TOLERANCE: f64 = 1e-6;

const LEVEL: ConfidenceLevel = ConfidenceLevel::NINETY_FIVE;

/// One number, twice.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// What it is.
    pub number: &'static str,
    /// Which function of theirs says it.
    pub with: &'static str,
    pub ours: f64,
    pub theirs: f64,
}

impl Compared {
    pub fn distance(&self) -> f64 {
        (self.ours - self.theirs).abs()
    }

    pub fn agrees(&self) -> bool {
        // Also false where one of them is not a number.
        self.distance() < TOLERANCE
    }
}

/// All comparisons with one peer.
struct Table(Vec<Compared>);

impl Table {
    fn add(&mut self, number: &'static str, with: &'static str, ours: f64, theirs: f64) {
        self.0.push(Compared { number, with, ours, theirs });
    }

    /// Lists of one length, number by number.
    fn add_all(&mut self, number: &'static str, with: &'static str, ours: &[f64], theirs: &[f64]) {
        assert_eq!(ours.len(), theirs.len(), "{number} of {with}");
        for (ours, theirs) in ours.iter().zip(theirs) {
            self.add(number, with, *ours, *theirs);
        }
    }
}

/// The peers, by the names of their files.
pub const PEERS: [&str; 6] = ["scikit-learn", "statsmodels", "irrcac", "ppi-py", "evidently", "nannyml"];

/// Computes ours from a peer's inputs and sets it beside the peer's answers.
///
/// # Panics
/// For a peer there is not, and for answers in which something is missing.
pub fn compare(peer: &str, answers: &Value) -> Vec<Compared> {
    let mut table = Table(Vec::new());
    match peer {
        "scikit-learn" => scikit_learn(answers, &mut table),
        "statsmodels" => statsmodels(answers, &mut table),
        "irrcac" => irrcac(answers, &mut table),
        "ppi-py" => ppi_py(answers, &mut table),
        "evidently" => evidently(answers, &mut table),
        "nannyml" => nannyml(answers, &mut table),
        _ => panic!("there is no peer {peer}"),
    }
    table.0
}

fn read<T: DeserializeOwned>(value: &Value, key: &str) -> T {
    serde_json::from_value(value[key].clone()).unwrap_or_else(|error| panic!("{key}: {error}"))
}

fn cases<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("{key} is no list"))
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

fn cell(stratum: Stratum, inclusion: f64, size: u64, selected: u64) -> Cell {
    Cell { batch: BatchId(1), stratum, inclusion: InclusionProbability::new(inclusion).unwrap(), size, selected }
}

/// A random sample of a window with one stratum; the first `successes` labels are right.
fn one_stratum(successes: usize, labels: usize, size: u64) -> Window {
    let cell = cell(Stratum::Others, labels as f64 / size as f64, size, labels as u64);
    let labels = (0..labels).map(|index| label(index, &cell, 0, u16::from(index >= successes), 0.5));
    Window::new(vec![cell], labels.collect()).unwrap()
}

/// A census of low confidence beside a sample of the others.
fn designed_window(golden: &Value) -> Window {
    let (truth, predicted): (Vec<u16>, Vec<u16>) = (read(golden, "truth"), read(golden, "predicted"));
    let (confidence, census): (Vec<f64>, usize) = (read(golden, "confidence"), read(golden, "census"));
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

fn scikit_learn(answers: &Value, table: &mut Table) {
    let golden = &answers["designed"];
    let window = designed_window(golden);
    table.add(
        "accuracy",
        "accuracy_score, weighted",
        accuracy(&window, LEVEL).value.unwrap(),
        read(golden, "accuracy"),
    );
    let pooled = tutorial_pooled(&window, LEVEL).value.unwrap();
    table.add("pooled accuracy", "accuracy_score", pooled, read(golden, "pooled"));
    let matrix = ConfusionMatrix::of(&window, 3).unwrap();
    let theirs: Vec<Vec<f64>> = read(golden, "confusion");
    let (precision, recall, f1): (Vec<f64>, Vec<f64>, Vec<f64>) =
        (read(golden, "precision"), read(golden, "recall"), read(golden, "f1"));
    let reports: Vec<_> = (0..3).map(|class| ClassReport::of(&window, ClassIndex(class), LEVEL)).collect();
    for (class, report) in reports.iter().enumerate() {
        let row = (0..3).map(|predicted| {
            matrix.cell(ClassIndex(class as u16), ClassIndex(predicted)).expect("a class of the three").photos
        });
        table.add_all("confusion matrix", "confusion_matrix, weighted", &row.collect::<Vec<_>>(), &theirs[class]);
        table.add("precision", "precision_score, weighted", report.precision.value.unwrap(), precision[class]);
        table.add("recall", "recall_score, weighted", report.recall.value.unwrap(), recall[class]);
        table.add("F1", "f1_score, weighted", report.f1.value.unwrap(), f1[class]);
    }
    table.add("macro F1", "f1_score, macro", macro_f1(&reports).unwrap(), read(golden, "macro_f1"));
    let brier = brier(&window).unwrap();
    table.add("Brier score", "brier_score_loss, weighted", brier.value, read(golden, "brier"));
    let theirs = read(golden, "brier_standard_error");
    table.add("its standard error", "the textbook's formula in numpy", brier.standard_error, theirs);
    table.add("log loss", "log_loss, weighted", log_loss(&window).unwrap().value, read(golden, "log_loss"));

    reliability(&answers["reliability"], table);

    let golden = &answers["cohen"];
    let (first, second): (Vec<u8>, Vec<u8>) = (read(golden, "first"), read(golden, "second"));
    let pairs: Vec<_> = first.into_iter().zip(second).collect();
    table.add("Cohen's kappa", "cohen_kappa_score", cohen_kappa(&pairs).unwrap(), read(golden, "kappa"));

    let golden = &answers["discrepancy"];
    let (reference, current): (Vec<Vec<f64>>, Vec<Vec<f64>>) = (read(golden, "reference"), read(golden, "current"));
    let ours = mean_discrepancy(&reference, &current, 1, 0).unwrap();
    table.add("MMD's bandwidth", "numpy's median of distances", ours.bandwidth, read(golden, "bandwidth"));
    table.add("MMD², unbiased", "rbf_kernel, summed", ours.squared, read(golden, "squared"));
}

fn reliability(golden: &Value, table: &mut Table) {
    let (confidence, correct): (Vec<f64>, Vec<bool>) = (read(golden, "confidence"), read(golden, "correct"));
    let size = confidence.len() as u64;
    let cell = cell(Stratum::Others, 1.0, size, size);
    let labels = confidence.iter().zip(&correct).enumerate();
    let labels = labels.map(|(index, (confidence, correct))| label(index, &cell, 0, u16::from(!correct), *confidence));
    let curve = Reliability::of(&Window::new(vec![cell], labels.collect()).unwrap(), 10, LEVEL);
    let with = "calibration_curve, quantile";
    let accuracy: Vec<f64> = curve.bins.iter().map(|bin| bin.accuracy.value.unwrap()).collect();
    table.add_all("reliability curve, accuracy", with, &accuracy, &read::<Vec<f64>>(golden, "bin_accuracy"));
    let mean: Vec<f64> = curve.bins.iter().map(|bin| bin.confidence).collect();
    table.add_all("reliability curve, confidence", with, &mean, &read::<Vec<f64>>(golden, "bin_confidence"));
    let ours = curve.expected_calibration_error().unwrap();
    table.add("expected calibration error", "over that curve", ours, read(golden, "expected_calibration_error"));
}

fn statsmodels(answers: &Value, table: &mut Table) {
    for case in cases(answers, "wilson") {
        let (successes, n): (f64, f64) = (read(case, "successes"), read(case, "n"));
        let interval = wilson(successes / n, n, ConfidenceLevel::new(read(case, "level")).unwrap());
        let theirs = [read(case, "lower"), read(case, "upper")];
        let ours = [interval.lower(), interval.upper()];
        table.add_all("Wilson's interval", "proportion_confint, wilson", &ours, &theirs);
    }
    for case in cases(answers, "one_stratum") {
        let (successes, n, size): (usize, usize, u64) = (read(case, "successes"), read(case, "n"), read(case, "size"));
        let theirs = [read(case, "lower"), read(case, "upper")];
        let headline = accuracy(&one_stratum(successes, n, size), LEVEL).interval;
        let finite = wilson_finite(successes as u64, n as u64, size, LEVEL);
        let with = "proportion_confint of n(N − 1)/(N − n) labels";
        table.add_all("accuracy's interval, one stratum", with, &[headline.lower(), headline.upper()], &theirs);
        table.add_all("Wilson's interval, finite", with, &[finite.lower(), finite.upper()], &theirs);
    }
    let golden = &answers["temperature"];
    let (logits, truth): (Vec<Vec<f64>>, Vec<usize>) = (read(golden, "logits"), read(golden, "truth"));
    let weight: Vec<f64> = read(golden, "weight");
    let examples = logits.into_iter().zip(truth).zip(weight);
    let examples: Vec<_> = examples.map(|((logits, truth), weight)| ScaledExample { logits, truth, weight }).collect();
    let ours = fit_temperature(&examples).unwrap();
    table.add("temperature", "scipy's brentq on the loss's slope", ours, read(golden, "temperature"));
    for case in cases(answers, "cohen") {
        let counts: Vec<Vec<usize>> = read(case, "table");
        let cells = counts.iter().zip(0..).flat_map(|(row, first)| row.iter().zip(0..).map(move |it| (first, it)));
        let pairs = cells.flat_map(|(first, (count, second))| vec![(first, second); *count]);
        let ours = cohen(&pairs.collect::<Vec<(i32, i32)>>()).unwrap();
        table.add("Cohen's kappa", "cohens_kappa", ours.value, read(case, "kappa"));
        table.add("its standard error", "cohens_kappa", ours.standard_error, read(case, "standard_error"));
    }
    let golden = &answers["fleiss"];
    let ours = fleiss_kappa(&read::<Vec<Vec<u64>>>(golden, "ratings")).unwrap();
    table.add("Fleiss' kappa", "fleiss_kappa", ours, read(golden, "kappa"));
    for case in cases(answers, "mcnemar") {
        let ours = mcnemar(read(case, "only_champion"), read(case, "only_challenger")).p_value;
        table.add("McNemar's p", "mcnemar, exact", ours, read(case, "p_value"));
    }
    let golden = &answers["benjamini_hochberg"];
    let ours = benjamini_hochberg(&read::<Vec<f64>>(golden, "p_values"));
    let theirs: Vec<f64> = read(golden, "adjusted");
    table.add_all("Benjamini and Hochberg", "multipletests, fdr_bh", &ours, &theirs);
    drift(answers, table);
    for case in cases(answers, "sequence") {
        let interval = confidence_sequence(read(case, "successes"), read(case, "failures"), LEVEL);
        let theirs = [read(case, "lower"), read(case, "upper")];
        let ours = [interval.lower(), interval.upper()];
        table.add_all("confidence sequence", "scipy's brentq on the mixture", &ours, &theirs);
    }
}

/// scipy's tests, which come with statsmodels.
fn drift(answers: &Value, table: &mut Table) {
    for case in cases(answers, "chi_square") {
        let ours = chi_square(&read::<Vec<u64>>(case, "reference"), &read::<Vec<u64>>(case, "current")).unwrap();
        let with = "scipy's chi2_contingency";
        table.add("chi-square", with, ours.statistic, read(case, "statistic"));
        table.add("its p", with, ours.p_value, read(case, "p_value"));
        table.add("its degrees of freedom", with, ours.degrees_of_freedom as f64, read(case, "degrees_of_freedom"));
        table.add("Cramér's V", "scipy's association", ours.cramers_v, read(case, "cramers_v"));
    }
    for case in cases(answers, "kolmogorov") {
        let ours =
            kolmogorov_smirnov(&read::<Vec<f64>>(case, "reference"), &read::<Vec<f64>>(case, "current")).unwrap();
        assert!(ours.is_exact, "small samples are counted out");
        table.add("Kolmogorov–Smirnov's distance", "scipy's ks_2samp", ours.statistic, read(case, "statistic"));
        table.add("its p, exact", "scipy's ks_2samp, exact", ours.p_value, read(case, "p_value"));
    }
    for case in cases(answers, "kolmogorov_limit") {
        let shift: f64 = read(case, "shift");
        let reference: Vec<f64> = (0..2500).map(|index| f64::from(index) / 2500.0).collect();
        let current: Vec<f64> = (0..2000).map(|index| f64::from(index) / 2000.0 * (1.0 - shift) + shift).collect();
        let ours = kolmogorov_smirnov(&reference, &current).unwrap();
        assert!(!ours.is_exact, "large samples are not");
        table.add("Kolmogorov–Smirnov's distance", "scipy's ks_2samp", ours.statistic, read(case, "statistic"));
        table.add("its p, in the limit", "scipy's kstwobign", ours.p_value, read(case, "p_value"));
    }
}

fn irrcac(answers: &Value, table: &mut Table) {
    for case in cases(answers, "fleiss") {
        let ours = fleiss(&read::<Vec<Vec<u64>>>(case, "counts")).unwrap();
        table.add("Fleiss' kappa", "CAC.fleiss", ours.value, read(case, "kappa"));
        table.add("its standard error", "CAC.fleiss", ours.standard_error, read(case, "standard_error"));
    }
}

fn ppi_py(answers: &Value, table: &mut Table) {
    for case in cases(answers, "cases") {
        let [labels, guesses, rest] =
            ["labels", "guesses", "unlabelled_guesses"].map(|key| read::<Vec<f64>>(case, key));
        for (name, lambda, number) in
            [("plain", Some(1.0), "prediction-powered mean, plain"), ("tuned", None, "prediction-powered mean, tuned")]
        {
            let ours = prediction_powered_mean(&labels, &guesses, &rest, lambda).unwrap();
            table.add(number, "ppi_mean_pointestimate", ours.value, read(&case[name], "value"));
            let half = LEVEL.z() * ours.standard_error;
            let theirs = [read(&case[name], "lower"), read(&case[name], "upper")];
            table.add_all("its interval", "ppi_mean_ci", &[ours.value - half, ours.value + half], &theirs);
        }
        let right = labels.iter().filter(|label| **label == 1.0).count();
        let mut sorted: Vec<(f64, f64)> = labels.iter().copied().zip(guesses.iter().copied()).collect();
        // The window's first labels are the right ones.
        sorted.sort_by(|left, right| right.0.total_cmp(&left.0));
        let size = labels.len() + rest.len();
        let window = one_stratum(right, labels.len(), size as u64);
        let mean = guesses.iter().chain(&rest).sum::<f64>() / size as f64;
        let means = [GuessMean { stratum: Stratum::Others, mean }];
        let guess = |label: &LabelledPrediction| {
            let position = window.labels().iter().position(|it| it == label);
            sorted[position.expect("a label of the window")].1
        };
        let ours = difference_accuracy(&window, &means, guess, LEVEL).unwrap().value.unwrap();
        table.add("difference estimate, one stratum", "ppi_mean_pointestimate", ours, read(case, "finite"));
    }
}

fn evidently(answers: &Value, table: &mut Table) {
    for case in cases(answers, "categories") {
        let (reference, current): (Vec<u64>, Vec<u64>) = (read(case, "reference"), read(case, "current"));
        let ours = population_stability_index(&reference, &current).unwrap();
        table.add("PSI of categories", "psi", ours, read(case, "psi"));
        if let Some(one_sample) = case["one_sample_p_value"].as_f64() {
            // It takes the reference's mix as known. So do we, as good as, of a reference a billion times the size.
            let known: Vec<u64> = reference.iter().map(|count| count * 1_000_000_000).collect();
            let ours = chi_square(&known, &current).unwrap().p_value;
            table.add("chi-square's p, reference known", "chisquare", ours, one_sample);
            let two_samples = chi_square(&reference, &current).unwrap().p_value;
            assert!(two_samples >= one_sample, "who takes the reference as known is surer");
        }
    }
    for case in cases(answers, "numbers") {
        let (reference, current): (Vec<f64>, Vec<f64>) = (read(case, "reference"), read(case, "current"));
        let ours = kolmogorov_smirnov(&reference, &current).unwrap().p_value;
        table.add("Kolmogorov–Smirnov's p", "ks", ours, read(case, "p_value"));
        let (reference, current): (Vec<u64>, Vec<u64>) = (read(case, "reference_counts"), read(case, "current_counts"));
        let ours = population_stability_index(&reference, &current).unwrap();
        table.add("PSI of numbers, in its bins", "psi", ours, read(case, "psi"));
    }
}

fn nannyml(answers: &Value, table: &mut Table) {
    let confidences = read::<Vec<f64>>(answers, "confidence").into_iter().map(|it| Probability::new(it).unwrap());
    let ours = expected_accuracy(confidences).unwrap().value;
    table.add("expected accuracy", "CBPE, accuracy", ours, read(answers, "accuracy"));
}

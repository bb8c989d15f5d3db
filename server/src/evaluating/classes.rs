//! By class and by confidence: the confusion matrix, each class's measures, calibration.

use std::collections::BTreeMap;

use gourmetgram_api::{
    Calibration, ClassIndex, ClassMeasures, ConfidenceBin, Confusion, ConfusionCount, ReliabilityPoint, TrafficClass,
};
use gourmetgram_evaluation::{ClassReport, NoneInside, Reliability, ReliabilityBin, macro_f1, proportion};

use super::{
    EvaluationError,
    counts::{BINS, BinCounts, CellCounts, Counts, PARTS, Traffic},
    numbers::{LEVEL, measure, tallies, weighted_cells},
};

/// Bins of the reliability curve, at most.
const RELIABILITY_BINS: f64 = 10.0;
/// Bins of the histogram.
const HISTOGRAM_BINS: u8 = 20;

/// Every class that counts speak of and `known` lacks goes behind the known ones, by the alphabet.
pub(super) fn complete(known: Vec<String>, counts: &Counts) -> Vec<String> {
    let mut classes = known;
    let answers = counts.traffic.classes.keys();
    let labels =
        counts.cells.values().flat_map(|cell| cell.confusion.keys().flat_map(|(answer, truth)| [answer, truth]));
    let mut further: Vec<&String> = answers.chain(labels).filter(|class| !classes.contains(class)).collect();
    further.sort_unstable();
    further.dedup();
    let further: Vec<String> = further.into_iter().cloned().collect();
    classes.extend(further);
    classes
}

/// Labels of a cell for which `of` holds, given the answer and the true class.
fn labels(cell: &CellCounts, of: impl Fn(&str, &str) -> bool) -> u64 {
    cell.confusion.iter().filter(|((answer, truth), _)| of(answer, truth)).map(|(_, count)| count).sum()
}

/// One a class, and macro F1.
pub(super) fn per_class(
    classes: &[String],
    counts: &Counts,
) -> Result<(Vec<ClassMeasures>, Option<f64>), EvaluationError> {
    let mut reports = Vec::with_capacity(classes.len());
    let mut measures = Vec::with_capacity(classes.len());
    for (class, index) in classes.iter().zip(0..) {
        let hits = |cell: &CellCounts| labels(cell, |answer, truth| answer == class && truth == class);
        let called = tallies(counts, |cell| (labels(cell, |answer, _| answer == class), hits(cell)))?;
        let are = tallies(counts, |cell| (labels(cell, |_, truth| truth == class), hits(cell)))?;
        let either =
            tallies(counts, |cell| (labels(cell, |answer, truth| answer == class || truth == class), hits(cell)))?;
        let report = ClassReport::of_tallies(ClassIndex(index), &called, &are, &either, LEVEL);
        measures.push(ClassMeasures {
            class: class.clone(),
            answered: counts.traffic.classes.get(class).copied().unwrap_or_default(),
            labels: report.recall.labelled,
            precision: measure(&report.precision),
            recall: measure(&report.recall),
            f1: measure(&report.f1),
        });
        reports.push(report);
    }
    Ok((measures, macro_f1(&reports)))
}

/// True classes against answers, weighted.
pub(super) fn confusion(
    classes: &[String],
    counts: &Counts,
    (per_class, macro_f1): (&[ClassMeasures], Option<f64>),
) -> Result<Confusion, EvaluationError> {
    let index = |class: &str| classes.iter().position(|known| known == class).and_then(|at| u16::try_from(at).ok());
    let mut cells: BTreeMap<(u16, u16), (u64, f64)> = BTreeMap::new();
    for (weight, cell) in weighted_cells(counts)? {
        for ((answer, truth), count) in &cell.confusion {
            let Some(place) = index(truth).zip(index(answer)) else { continue };
            let (labels, photos) = cells.entry(place).or_default();
            *labels += count;
            *photos += weight * *count as f64;
        }
    }
    let cells = cells
        .into_iter()
        .map(|((truth, answer), (labels, photos))| ConfusionCount { truth, answer, labels, photos })
        .collect();
    let macro_f1_enough = macro_f1.is_some() && per_class.iter().all(|class| class.f1.enough);
    Ok(Confusion { cells, macro_f1, macro_f1_enough })
}

/// Whether confidence means what it says.
pub(super) fn calibration(counts: &Counts) -> Result<Calibration, EvaluationError> {
    let cells = weighted_cells(counts)?;
    let photos: f64 = cells.iter().map(|(weight, cell)| weight * cell.classed as f64).sum();
    let mean = |of: fn(&CellCounts) -> i64| {
        let sum: f64 = cells.iter().map(|(weight, cell)| weight * of(cell) as f64 / PARTS).sum();
        (photos > 0.0).then(|| sum / photos)
    };
    let reliability = reliability(counts, &cells, photos)?;
    let labels = counts.sum(|cell| cell.classed);
    Ok(Calibration {
        expected_error: reliability.expected_calibration_error(),
        brier: mean(|cell| cell.squares),
        log_loss: mean(|cell| cell.log_loss),
        labels,
        enough: labels >= gourmetgram_api::ENOUGH_LABELS,
        reliability: reliability
            .bins
            .iter()
            .map(|bin| ReliabilityPoint {
                from: bin.from,
                to: bin.to,
                photos: bin.photos,
                confidence: bin.confidence,
                accuracy: measure(&bin.accuracy),
            })
            .collect(),
    })
}

/// The reliability curve from bins of equal width, taken together until each stands for about as many photos.
fn reliability(counts: &Counts, cells: &[(f64, &CellCounts)], photos: f64) -> Result<Reliability, EvaluationError> {
    let bin_of = |cell: &CellCounts, bin: u8| cell.bins.get(&bin).copied().unwrap_or_default();
    let weighted = |bin: u8, of: fn(BinCounts) -> f64| -> f64 {
        cells.iter().map(|(weight, cell)| weight * of(bin_of(cell, bin))).sum()
    };
    let (mut groups, mut group, mut mass) = (Vec::new(), Vec::new(), 0.0);
    for bin in 0..BINS {
        let own = weighted(bin, |it| it.labels as f64);
        if own == 0.0 {
            continue;
        }
        group.push(bin);
        mass += own;
        if mass * RELIABILITY_BINS >= photos * (groups.len() + 1) as f64 * (1.0 - 1e-12) {
            groups.push(std::mem::take(&mut group));
        }
    }
    if !group.is_empty() {
        groups.push(group);
    }
    let edge = |bin: u8| f64::from(bin) / f64::from(BINS);
    let bins = groups.into_iter().map(|group| {
        let sum = |of: fn(BinCounts) -> f64| group.iter().map(|bin| weighted(*bin, of)).sum::<f64>();
        let photos = sum(|it| it.labels as f64);
        let count = |cell: &CellCounts, of: fn(BinCounts) -> u64| group.iter().map(|bin| of(bin_of(cell, *bin))).sum();
        let tallies = tallies(counts, |cell| (count(cell, |it| it.labels), count(cell, |it| it.right)))?;
        Ok(ReliabilityBin {
            from: edge(group[0]),
            to: edge(group[group.len() - 1] + 1),
            photos,
            confidence: sum(|it| it.confidence as f64 / PARTS) / photos,
            accuracy: proportion(&tallies, NoneInside::Ignored, LEVEL),
        })
    });
    Ok(Reliability { bins: bins.collect::<Result<_, EvaluationError>>()? })
}

/// How sure the model was, and how sure it was of the photos of the reference.
pub(super) fn histogram(traffic: &Traffic, reference: Option<&Traffic>) -> Vec<ConfidenceBin> {
    let width = BINS / HISTOGRAM_BINS;
    let edge = |bin: u8| f64::from(bin) / f64::from(HISTOGRAM_BINS);
    let photos =
        |traffic: &Traffic, bin: u8| traffic.bins.range(bin * width..(bin + 1) * width).map(|(_, count)| count).sum();
    (0..HISTOGRAM_BINS)
        .map(|bin| ConfidenceBin {
            from: edge(bin),
            to: edge(bin + 1),
            photos: photos(traffic, bin),
            reference: reference.map(|reference| photos(reference, bin)),
        })
        .collect()
}

/// Answers by class.
pub(super) fn traffic(classes: &[String], window: &Traffic, reference: Option<&Traffic>) -> Vec<TrafficClass> {
    let count = |traffic: &Traffic, class: &str| traffic.classes.get(class).copied().unwrap_or_default();
    let row = |class: &String| TrafficClass {
        class: class.clone(),
        photos: count(window, class),
        reference: reference.map_or(0, |reference| count(reference, class)),
    };
    classes.iter().map(row).collect()
}

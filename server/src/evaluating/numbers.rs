//! From counts to numbers with intervals: what `gourmetgram_evaluation` computes from a window of labels, from counts alone.

use std::collections::BTreeMap;

use gourmetgram_api::{
    Bounds, DeviceComparison, DeviceFigures, DeviceShare, Expected, FeedbackFigures, Measure, MeasureMethod,
    PhotoStratum, Returning, StratumResponse,
};
use gourmetgram_evaluation::{
    BatchId, Cell, ConfidenceLevel, Estimate, FeedbackCounts, GuessMean, InclusionProbability, Method, NoneInside,
    ResidualSums, Stratum, Tallies, Tally, Weights, difference_accuracy_of, nonresponse_bounds_of, proportion, wilson,
};

use super::{
    EvaluationError,
    counts::{CellCounts, CellKey, Counts, PARTS},
};

/// The level of every interval.
pub const LEVEL: ConfidenceLevel = ConfidenceLevel::NINETY_FIVE;

fn inconsistent(error: impl ToString) -> EvaluationError {
    EvaluationError::Inconsistent(error.to_string())
}

pub(super) fn cell_of(key: &CellKey, number: u64, counts: &CellCounts) -> Result<Cell, EvaluationError> {
    let stratum = Stratum::ALL.get(usize::from(key.stratum)).copied();
    Ok(Cell {
        batch: BatchId(number),
        stratum: stratum.ok_or_else(|| inconsistent(format!("there is no stratum {}", key.stratum)))?,
        inclusion: InclusionProbability::new(f64::from_bits(key.inclusion)).map_err(inconsistent)?,
        size: counts.size,
        selected: counts.drawn,
    })
}

/// Counts of labels by cell; `of` answers how many are inside and how many of these are successes.
pub(super) fn tallies(counts: &Counts, of: impl Fn(&CellCounts) -> (u64, u64)) -> Result<Tallies, EvaluationError> {
    let tallies = counts.cells.iter().zip(1..).map(|((key, counts), number)| {
        let (inside, successes) = of(counts);
        Ok(Tally { cell: cell_of(key, number, counts)?, labelled: counts.labelled, inside, successes })
    });
    Tallies::new(tallies.collect::<Result<_, EvaluationError>>()?).map_err(inconsistent)
}

/// An estimate as the API has it.
pub(super) fn measure(estimate: &Estimate) -> Measure {
    Measure {
        value: estimate.value,
        lower: estimate.interval.lower(),
        upper: estimate.interval.upper(),
        labels: estimate.labelled,
        photos: estimate.population,
        method: match estimate.method {
            Method::Census => MeasureMethod::Census,
            Method::RandomSample => MeasureMethod::RandomSample,
            Method::TutorialPooled => MeasureMethod::TutorialPooled,
            Method::Difference => MeasureMethod::Difference,
            Method::Poststratified | Method::Paired | Method::WeightedMean => MeasureMethod::Poststratified,
        },
        enough: estimate.is_enough(),
    }
}

/// A share over all photos.
fn share(counts: &Counts, of: impl Fn(&CellCounts) -> (u64, u64)) -> Result<Measure, EvaluationError> {
    Ok(measure(&proportion(&tallies(counts, of)?, NoneInside::Possible, LEVEL)))
}

/// A share over few of them.
fn share_of_some(counts: &Counts, of: impl Fn(&CellCounts) -> (u64, u64)) -> Result<Measure, EvaluationError> {
    Ok(measure(&proportion(&tallies(counts, of)?, NoneInside::Ignored, LEVEL)))
}

/// Labels with a true class, and right answers.
pub(super) fn correctness(counts: &Counts) -> Result<Tallies, EvaluationError> {
    tallies(counts, |cell| (cell.classed, cell.right))
}

/// How often the model is right.
pub(super) fn accuracy(counts: &Counts) -> Result<Estimate, EvaluationError> {
    Ok(proportion(&correctness(counts)?, NoneInside::Possible, LEVEL))
}

/// The same from the random sample alone. Batches that were sampled alike are one, as they would be when estimated.
pub(super) fn check(counts: &Counts) -> Result<Measure, EvaluationError> {
    let mut rates: BTreeMap<u64, Tally> = BTreeMap::new();
    for (key, cell) in &counts.cells {
        let rate = f64::from_bits(key.rate);
        if rate == 0.0 {
            continue;
        }
        let inclusion = InclusionProbability::new(rate).map_err(inconsistent)?;
        let number = rates.len() as u64 + 1;
        let tally = rates.entry(key.rate).or_insert_with(|| Tally {
            cell: Cell { batch: BatchId(number), stratum: Stratum::Others, inclusion, size: 0, selected: 0 },
            labelled: 0,
            inside: 0,
            successes: 0,
        });
        tally.cell.size += cell.size;
        // Who was drawn by it and has no label yet is missing at random, like everywhere.
        tally.cell.selected += cell.random_labelled;
        tally.labelled += cell.random_labelled;
        tally.inside += cell.random_classed;
        tally.successes += cell.random_right;
    }
    let tallies = Tallies::new(rates.into_values().collect()).map_err(inconsistent)?;
    let estimate = proportion(&tallies, NoneInside::Possible, LEVEL);
    Ok(measure(&Estimate { method: Method::RandomSample, ..estimate }))
}

/// Right answers divided by labels.
pub(super) fn tutorial_pooled(counts: &Counts) -> Measure {
    let (labels, right) = (counts.sum(|cell| cell.classed), counts.sum(|cell| cell.right));
    let value = (labels > 0).then(|| right as f64 / labels as f64);
    let interval = value.map(|value| wilson(value, labels as f64, LEVEL));
    Measure {
        value,
        lower: interval.map_or(0.0, |it| it.lower()),
        upper: interval.map_or(1.0, |it| it.upper()),
        labels,
        photos: counts.sum(|cell| cell.size),
        method: MeasureMethod::TutorialPooled,
        enough: labels >= gourmetgram_api::ENOUGH_LABELS,
    }
}

/// The difference estimator, where some label has a true class.
pub(super) fn difference(counts: &Counts) -> Result<Option<Measure>, EvaluationError> {
    let tallies = correctness(counts)?;
    let mut strata: BTreeMap<Stratum, (u64, i64)> = BTreeMap::new();
    let mut sums = Vec::new();
    for ((key, cell), number) in counts.cells.iter().zip(1..) {
        let Cell { stratum, inclusion, .. } = cell_of(key, number, cell)?;
        let (photos, confidence) = strata.entry(stratum).or_default();
        *photos += cell.size;
        *confidence += cell.confidence;
        let whole = |parts: i64| parts as f64 / PARTS;
        sums.push(ResidualSums {
            stratum,
            inclusion,
            labels: cell.labelled,
            classless: cell.labelled - cell.classed,
            // No answer is right about a photo without a true class: right − confidence is −confidence.
            sum: whole(cell.residual - cell.classless),
            squares: whole(cell.squares + cell.classless_squares),
            classless_sum: whole(-cell.classless),
        });
    }
    let means: Vec<GuessMean> = strata
        .into_iter()
        .filter(|(_, (photos, _))| *photos > 0)
        .map(|(stratum, (photos, sum))| GuessMean { stratum, mean: sum as f64 / PARTS / photos as f64 })
        .collect();
    Ok(difference_accuracy_of(&tallies, &means, &sums, LEVEL).as_ref().map(measure))
}

/// What the model's own confidences promise, calibrated or not: the service takes them as the model gives them.
pub(super) fn expected(counts: &Counts) -> Option<Expected> {
    let photos = counts.traffic.photos;
    (photos > 0).then(|| Expected {
        value: counts.traffic.confidence as f64 / PARTS / photos as f64,
        deviation: (counts.traffic.spread as f64 / PARTS).max(0.0).sqrt() / photos as f64,
        photos,
    })
}

/// What accuracy could be if missing labels were not missing at random; nothing where none is missing.
pub(super) fn nonresponse(counts: &Counts) -> Result<Option<Bounds>, EvaluationError> {
    if counts.sum(|cell| cell.drawn) == counts.sum(|cell| cell.labelled) {
        return Ok(None);
    }
    let bounds = nonresponse_bounds_of(&correctness(counts)?);
    Ok(bounds.map(|bounds| Bounds { lower: bounds.lower(), upper: bounds.upper() }))
}

/// The share of all photos that are no food.
pub(super) fn not_food(counts: &Counts) -> Result<Measure, EvaluationError> {
    share(counts, |cell| (cell.labelled, cell.not_food))
}

/// The share of all photos that nobody can make out.
pub(super) fn unreadable(counts: &Counts) -> Result<Measure, EvaluationError> {
    share(counts, |cell| (cell.labelled, cell.unreadable))
}

/// The API's word for a stratum.
pub(super) fn stratum(stratum: Stratum) -> PhotoStratum {
    match stratum {
        Stratum::LowConfidence => PhotoStratum::LowConfidence,
        Stratum::Flagged => PhotoStratum::Flagged,
        Stratum::Corrected => PhotoStratum::Corrected,
        Stratum::Others => PhotoStratum::Others,
        Stratum::DeviceDisagrees => PhotoStratum::DeviceDisagrees,
    }
}

/// Labelling by stratum, and strata without any.
pub(super) fn responses(estimate: &Estimate) -> (Vec<StratumResponse>, Vec<PhotoStratum>) {
    let photos: u64 = estimate.missing.response.iter().map(|it| it.size).sum();
    let strata = estimate.missing.response.iter().map(|it| StratumResponse {
        stratum: stratum(it.stratum),
        photos: it.size,
        drawn: it.selected,
        labelled: it.labelled,
        share: it.size as f64 / photos.max(1) as f64,
    });
    (strata.collect(), estimate.missing.unlabelled.iter().map(|it| stratum(it.stratum)).collect())
}

/// For how many photos each label stands, by cell.
pub(super) fn weighted_cells(counts: &Counts) -> Result<Vec<(f64, &CellCounts)>, EvaluationError> {
    let weights = Weights::of_tallies(&correctness(counts)?);
    counts
        .cells
        .iter()
        .zip(1..)
        .filter(|((_, cell), _)| cell.labelled > 0)
        .map(|((key, cell), number)| {
            let Cell { stratum, inclusion, .. } = cell_of(key, number, cell)?;
            Ok((weights.in_cell(stratum, inclusion).unwrap_or_default(), cell))
        })
        .collect()
}

/// What visitors' devices answered beside the server.
pub(super) fn devices(counts: &Counts) -> DeviceFigures {
    let traffic = &counts.traffic;
    let number = |outcome: DeviceComparison| traffic.devices.get(&outcome).copied().unwrap_or_default();
    let share = |agreed: DeviceComparison, disagreed: DeviceComparison| {
        let disagreed = number(disagreed);
        let answered = number(agreed) + disagreed;
        let share = (answered > 0).then(|| disagreed as f64 / answered as f64);
        let interval = share.map(|share| wilson(share, answered as f64, LEVEL));
        DeviceShare {
            answered,
            disagreed,
            share,
            lower: interval.map_or(0.0, |it| it.lower()),
            upper: interval.map_or(1.0, |it| it.upper()),
        }
    };
    DeviceFigures {
        photos: traffic.photos,
        same_version: share(DeviceComparison::Agrees, DeviceComparison::Disagrees),
        other_versions: share(DeviceComparison::OtherVersionAgrees, DeviceComparison::OtherVersionDisagrees),
    }
}

/// What people said and did.
pub(super) fn feedback(counts: &Counts) -> Result<FeedbackFigures, EvaluationError> {
    let traffic = &counts.traffic;
    let rates = FeedbackCounts::new(traffic.photos, traffic.flagged, traffic.corrected, traffic.complained);
    let rates = rates.map_err(inconsistent)?;
    Ok(FeedbackFigures {
        photos: traffic.photos,
        flagged: traffic.flagged,
        corrected: traffic.corrected,
        complained: traffic.complained,
        flag_rate: rates.flag_rate(),
        correction_rate: rates.correction_rate(),
        accepted_rate: rates.accepted_rate(),
        flag_precision: share_of_some(counts, |cell| (cell.flagged, cell.flagged_wrong))?,
        flag_recall: share_of_some(counts, |cell| (cell.classed - cell.right, cell.flagged_wrong))?,
        correction_precision: share_of_some(counts, |cell| (cell.corrected, cell.corrected_right))?,
        visitors: (traffic.visits > 0).then_some(Returning { visits: traffic.visits, returning: traffic.returning }),
    })
}

//! A window: the photos a model served in some time, what was drawn of them, and what was labelled so far.

use std::collections::BTreeSet;

use gourmetgram_api::PredictionId;
use serde::{Deserialize, Serialize};

use crate::{BatchId, InclusionProbability, LabelledPrediction, Stratum};

/// The photos of one stratum of one batch that fall into the window (and slice, and model version) looked at.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// The batch.
    pub batch: BatchId,
    /// The stratum, frozen with the batch.
    pub stratum: Stratum,
    /// The probability with which each of these photos was drawn.
    pub inclusion: InclusionProbability,
    /// N: photos here, drawn or not.
    pub size: u64,
    /// Photos here that were drawn, labelled or not.
    pub selected: u64,
}

/// Why cells and labels do not belong together.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum WindowError {
    /// The same stratum of the same batch, twice.
    #[error("batch {} has two entries for its stratum {stratum:?}", batch.0)]
    DuplicateCell {
        /// The batch.
        batch: BatchId,
        /// The stratum.
        stratum: Stratum,
    },
    /// More photos drawn than there were.
    #[error("batch {} cannot have drawn {selected} of the {size} photos of its stratum {stratum:?}", batch.0)]
    MoreSelectedThanPhotos {
        /// The batch.
        batch: BatchId,
        /// The stratum.
        stratum: Stratum,
        /// Photos drawn.
        selected: u64,
        /// Photos there.
        size: u64,
    },
    /// Photos drawn for certain, and yet not all of them.
    #[error("batch {} draws stratum {stratum:?} for certain, but has drawn {selected} of {size} photos", batch.0)]
    IncompleteCensus {
        /// The batch.
        batch: BatchId,
        /// The stratum.
        stratum: Stratum,
        /// Photos drawn.
        selected: u64,
        /// Photos there.
        size: u64,
    },
    /// More labels than photos drawn.
    #[error("batch {} has {labelled} labels for the {selected} photos drawn of its stratum {stratum:?}", batch.0)]
    MoreLabelsThanSelected {
        /// The batch.
        batch: BatchId,
        /// The stratum.
        stratum: Stratum,
        /// Labels given.
        labelled: u64,
        /// Photos drawn.
        selected: u64,
    },
    /// A label of a photo that the window does not have.
    #[error("prediction {prediction} is labelled, but batch {} has no stratum {stratum:?} in this window", batch.0)]
    UnknownCell {
        /// The labelled photo.
        prediction: PredictionId,
        /// Its batch.
        batch: BatchId,
        /// Its stratum.
        stratum: Stratum,
    },
    /// A label whose selection was frozen with another probability than its cell.
    #[error("prediction {prediction} was drawn with probability {label}, but its batch's stratum says {cell}")]
    InclusionDiffers {
        /// The labelled photo.
        prediction: PredictionId,
        /// By its own record.
        label: f64,
        /// By the cell's.
        cell: f64,
    },
    /// A photo considered twice by one campaign.
    #[error("prediction {0} is labelled twice; several annotations of a photo resolve to one label first")]
    DuplicateLabel(PredictionId),
}

/// Cells and labels that belong together: what every estimator starts from.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    cells: Vec<Cell>,
    labels: Vec<LabelledPrediction>,
    /// Position of each label's cell.
    places: Vec<usize>,
}

/// Where a label stands with regard to a proportion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    /// Not one of those the proportion is over.
    Outside,
    /// One of them, without what is counted.
    Failure,
    /// One of them, with what is counted.
    Success,
}

impl Membership {
    /// Inside, with or without what is counted.
    pub fn inside(success: bool) -> Self {
        if success { Self::Success } else { Self::Failure }
    }
}

/// A cell with its counts: all that a proportion needs to know of it, and what an hourly aggregate can keep.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Where.
    pub cell: Cell,
    /// Labels, whatever they say.
    pub labelled: u64,
    /// Labels that the proportion is over; at most `labelled`.
    pub inside: u64,
    /// Labels counted; at most `inside`.
    pub successes: u64,
}

impl Window {
    /// Checks that the cells are possible and that each label belongs to one of them.
    pub fn new(mut cells: Vec<Cell>, labels: Vec<LabelledPrediction>) -> Result<Self, WindowError> {
        cells.sort_by_key(|cell| (cell.batch, cell.stratum));
        for cell in &cells {
            let Cell { batch, stratum, size, selected, .. } = *cell;
            if selected > size {
                return Err(WindowError::MoreSelectedThanPhotos { batch, stratum, selected, size });
            }
            if cell.inclusion == InclusionProbability::CERTAIN && selected < size {
                return Err(WindowError::IncompleteCensus { batch, stratum, selected, size });
            }
        }
        let same = |pair: &[Cell]| (pair[0].batch, pair[0].stratum) == (pair[1].batch, pair[1].stratum);
        if let Some(&[Cell { batch, stratum, .. }, _]) = cells.windows(2).find(|pair| same(pair)) {
            return Err(WindowError::DuplicateCell { batch, stratum });
        }
        let mut places = Vec::with_capacity(labels.len());
        let mut labelled = vec![0; cells.len()];
        for label in &labels {
            let (prediction, batch, stratum) =
                (label.selection.prediction(), label.selection.batch(), label.selection.stratum());
            let Ok(place) = cells.binary_search_by_key(&(batch, stratum), |cell| (cell.batch, cell.stratum)) else {
                return Err(WindowError::UnknownCell { prediction, batch, stratum });
            };
            let (own, frozen) = (label.selection.inclusion().get(), cells[place].inclusion.get());
            if own != frozen {
                return Err(WindowError::InclusionDiffers { prediction, label: own, cell: frozen });
            }
            places.push(place);
            labelled[place] += 1;
        }
        for (cell, &labelled) in cells.iter().zip(&labelled) {
            let Cell { batch, stratum, selected, .. } = *cell;
            if labelled > selected {
                return Err(WindowError::MoreLabelsThanSelected { batch, stratum, labelled, selected });
            }
        }
        let mut ids: Vec<PredictionId> = labels.iter().map(|label| label.selection.prediction()).collect();
        ids.sort_unstable();
        if let Some(pair) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(WindowError::DuplicateLabel(pair[0]));
        }
        Ok(Self { cells, labels, places })
    }

    /// The cells, by batch and stratum.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The labels, in the order they were given.
    pub fn labels(&self) -> &[LabelledPrediction] {
        &self.labels
    }

    /// N: photos of the window.
    pub fn population(&self) -> u64 {
        self.cells.iter().map(|cell| cell.size).sum()
    }

    /// Counts labels by cell.
    pub fn tally(&self, membership: impl Fn(&LabelledPrediction) -> Membership) -> Tallies {
        let none = |cell: &Cell| Tally { cell: *cell, labelled: 0, inside: 0, successes: 0 };
        let mut tallies: Vec<Tally> = self.cells.iter().map(none).collect();
        for (label, &place) in self.labels.iter().zip(&self.places) {
            let (membership, tally) = (membership(label), &mut tallies[place]);
            tally.labelled += 1;
            tally.inside += u64::from(membership != Membership::Outside);
            tally.successes += u64::from(membership == Membership::Success);
        }
        Tallies(tallies)
    }
}

/// Counts that are possible: successes ≤ inside ≤ labelled ≤ selected ≤ size in every cell, each cell once.
#[derive(Clone, Debug, PartialEq)]
pub struct Tallies(pub(crate) Vec<Tally>);

/// Counts that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum TallyError {
    /// A count greater than the one it is part of.
    #[error("a tally must have successes ≤ inside ≤ labelled ≤ selected ≤ size, this has not: {0:?}")]
    NotNested(Tally),
    /// The same stratum of the same batch, twice.
    #[error("this cell is tallied twice: {0:?}")]
    Duplicate(Cell),
}

impl Tallies {
    /// Checks counts that were kept, for example by hour; cells of the same batch and stratum must be added up first.
    pub fn new(tallies: Vec<Tally>) -> Result<Self, TallyError> {
        let mut seen = BTreeSet::new();
        for tally in &tallies {
            let counts = [tally.successes, tally.inside, tally.labelled, tally.cell.selected, tally.cell.size];
            if !counts.is_sorted() {
                return Err(TallyError::NotNested(*tally));
            }
            if !seen.insert((tally.cell.batch, tally.cell.stratum)) {
                return Err(TallyError::Duplicate(tally.cell));
            }
        }
        Ok(Self(tallies))
    }

    /// One a cell.
    pub fn as_slice(&self) -> &[Tally] {
        &self.0
    }

    /// N: photos of all cells.
    pub fn population(&self) -> u64 {
        self.0.iter().map(|tally| tally.cell.size).sum()
    }
}

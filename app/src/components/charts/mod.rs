//! Charts, drawn on the server as SVG: only there, so that none of this goes to the browser.
//!
//! One idea carries them all: a drawing has no `viewBox`. Places along it are percentages, sizes of marks and letters are
//! the page's own, so that a chart is as wide as its column and its words are as large on a phone as on a desk. Colours
//! come from `style/charts.css`, which has them from the tokens; the page's policy lets no style stand in the markup. Every
//! chart has a heading, a sentence that says what is to be seen, and its numbers as a table behind it.

mod bar;
#[cfg(test)]
mod drawn;
mod figure;
mod histogram;
mod lanes;
mod matrix;
mod reliability;
mod scale;
mod timeline;
mod whisker;

pub use self::{
    bar::bar,
    figure::{Figure, Key, Swatch},
    histogram::{Histogram, HistogramBin},
    lanes::{Lane, LaneMark, Lanes},
    matrix::{Matrix, MatrixCell},
    reliability::{Reliability, ReliabilityPoint},
    scale::Scale,
    timeline::{Bound, ModelChange, Timeline, TimelineWindow},
    whisker::whisker,
};

/// A share with its interval, each from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// The interval's lower end.
    pub lower: f64,
    /// The interval's upper end.
    pub upper: f64,
}

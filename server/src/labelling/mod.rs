//! Which photos a campaign has labelled: the draw, without any input or output.
//!
//! A [`Plan`] is a campaign's rule, read: what makes a photo special, and how much of what is taken. [`Plan::draw`]
//! decides over the photos of one interval. What it decides follows from the rule, the seed and the photos alone, so that
//! any server that is asked again answers the same.

mod chance;
mod draw;
mod plan;

pub use draw::{Candidate, Decision, Draw, Tally};
pub use plan::Plan;

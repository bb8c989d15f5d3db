//! `gourmetgram replay`: photos as simulated visitors would send them.
//!
//! A [`Source`] knows the photos and, from their folders' names, what they show. A [`Plan`] says, as a function of a
//! seed, who sends which of them when and what they think of the answer; it does no input or output. `run` carries
//! the plan out against a server, and a [`Report`] says what came of it. [`Annotators`] label what a campaign then chooses of
//! the photos.
//!
//! Every visit's id follows from the plan and its start. The same command again finds the start of its first run in
//! the ids the server already has, so a replay that was stopped goes on where it was, and sends nothing twice.

mod annotators;
mod folder_names;
mod ids;
mod people;
mod plan;
mod progress;
mod report;
mod rhythm;
mod run;
mod server;
mod source;

pub use annotators::{Annotators, Labels, label};
pub use folder_names::Truth;
pub use ids::RunKey;
pub use people::{Mood, Shares, Step, react};
pub use plan::{Arrivals, Plan, Traffic, Visit};
pub use progress::Progress;
pub use report::{Latency, Report};
pub use run::{Pace, run};
pub use server::{Server, Trouble};
pub use source::{Source, Unreadable};

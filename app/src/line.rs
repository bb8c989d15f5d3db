//! The line of photos on their way: a few at a time, the others wait.

use gourmetgram_api::PredictionId;
use leptos::prelude::*;

use crate::{
    trouble::Trouble,
    upload::{Phase, Upload},
};

/// How many photos may be on their way at once, those that wait included.
pub const LONGEST: usize = 50;

/// How many of them are sent at the same time: enough to hide the way there and back, few enough to leave a phone's
/// connection and the server room for others.
const AT_ONCE: usize = 3;

/// The photos on their way, and those just answered. Copies are handles to the same line.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    uploads: RwSignal<Vec<Upload>>,
    /// The one whose answer the visitor asked for last, until its answer takes its place.
    pub on_stage: RwSignal<Option<Upload>>,
}

/// What stands in the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All of them.
    pub total: usize,
    /// With an answer.
    pub answered: usize,
    /// That will not go on by themselves.
    pub failed: usize,
}

impl Tally {
    /// Whether nothing more happens by itself.
    pub fn is_over(self) -> bool {
        self.answered + self.failed == self.total
    }
}

impl Line {
    /// Nobody waits.
    pub fn new() -> Self {
        Self { uploads: RwSignal::new(Vec::new()), on_stage: RwSignal::new(None) }
    }

    /// Everything in the line, first come first.
    pub fn uploads(self) -> Vec<Upload> {
        self.uploads.get()
    }

    /// How it stands.
    pub fn tally(self) -> Tally {
        self.uploads.with(|uploads| {
            uploads.iter().fold(Tally::default(), |tally, upload| {
                upload.phase.with(|phase| Tally {
                    total: tally.total + 1,
                    answered: tally.answered + usize::from(matches!(phase, Phase::Answered { .. })),
                    failed: tally.failed + usize::from(matches!(phase, Phase::Failed(_))),
                })
            })
        })
    }

    /// Whether the line needs a place of its own on the page. One photo alone has the stage.
    pub fn is_seen(self) -> bool {
        self.uploads.with(|uploads| match uploads.as_slice() {
            [] => false,
            [only] => self.on_stage.with(|staged| staged.as_ref() != Some(only)),
            _ => true,
        })
    }

    /// Whether this one stands in it.
    pub fn holds(self, upload: &Upload) -> bool {
        self.uploads.with_untracked(|uploads| uploads.contains(upload))
    }

    /// Whether there is more than one in it.
    pub fn is_crowd(self) -> bool {
        self.uploads.with_untracked(|uploads| uploads.len() > 1)
    }

    /// Whether something is still to come.
    pub fn is_under_way(self) -> bool {
        self.uploads.with_untracked(|uploads| uploads.iter().any(|upload| !upload.phase.with_untracked(Phase::is_over)))
    }

    /// Whether something would be lost if the page went away: what is kept on the device would not.
    pub fn would_be_lost(self) -> bool {
        let is_at_risk =
            |upload: &Upload| !upload.phase.with_untracked(Phase::is_over) && !upload.is_kept.get_untracked();
        self.uploads.with_untracked(|uploads| uploads.iter().any(is_at_risk))
    }

    /// How many more photos may join.
    pub fn room(self) -> usize {
        let waiting = self.uploads.with_untracked(|uploads| {
            uploads.iter().filter(|upload| !upload.phase.with_untracked(Phase::is_over)).count()
        });
        LONGEST.saturating_sub(waiting)
    }

    /// Uploads join; one with a trouble has failed already and is there to say why. A line that is over makes way. The
    /// first of them takes the stage.
    pub fn join(self, joining: Vec<(Upload, Option<Trouble>)>) {
        if !self.is_under_way() {
            self.clear();
        }
        let joining = joining.into_iter().map(|(upload, trouble)| {
            if let Some(trouble) = trouble {
                upload.phase.set(Phase::Failed(trouble));
            }
            upload
        });
        let joining: Vec<Upload> = joining.collect();
        if let Some(first) = joining.first() {
            self.on_stage.set(Some(first.clone()));
        }
        self.uploads.update(|uploads| uploads.extend(joining));
    }

    /// The next to be sent, where there is a place for it: the one on stage before the others.
    pub fn next_to_start(self) -> Option<Upload> {
        let is_queued = |upload: &&Upload| upload.phase.with_untracked(|phase| *phase == Phase::Queued);
        self.uploads.with_untracked(|uploads| {
            let under_way = uploads.iter().filter(|upload| upload.phase.with_untracked(Phase::is_under_way)).count();
            if under_way >= AT_ONCE {
                return None;
            }
            let staged = self.on_stage.get_untracked();
            let staged = uploads.iter().find(|upload| Some(*upload) == staged.as_ref()).filter(is_queued);
            staged.or_else(|| uploads.iter().find(is_queued)).cloned()
        })
    }

    /// The one of this id that the page will not send by itself any more.
    pub fn given_up(self, id: PredictionId) -> Option<Upload> {
        let is_meant = |upload: &&Upload| {
            upload.id == id && upload.phase.with_untracked(|phase| matches!(phase, Phase::Failed(_)))
        };
        self.uploads.with_untracked(|uploads| uploads.iter().find(is_meant).cloned())
    }

    /// Those that a connection coming back may help.
    pub fn waiting_for_connection(self) -> Vec<Upload> {
        let waits = |upload: &&Upload| {
            upload.phase.with_untracked(|phase| match phase {
                Phase::Offline => true,
                Phase::Waiting { trouble, .. } | Phase::Failed(trouble) => *trouble == Trouble::Unreachable,
                _ => false,
            })
        };
        self.uploads.with_untracked(|uploads| uploads.iter().filter(waits).cloned().collect())
    }

    /// Whether this one is on stage.
    pub fn is_on_stage(self, upload: &Upload) -> bool {
        self.on_stage.with_untracked(|staged| staged.as_ref() == Some(upload))
    }

    /// Takes one out. The next that is not over takes its place on stage.
    pub fn remove(self, upload: &Upload) {
        let was_on_stage = self.is_on_stage(upload);
        if !upload.phase.with_untracked(|phase| matches!(phase, Phase::Answered { .. })) {
            upload.discard();
        }
        self.uploads.update(|uploads| uploads.retain(|other| other != upload));
        if was_on_stage {
            let next = self.uploads.with_untracked(|uploads| {
                uploads.iter().find(|upload| !upload.phase.with_untracked(Phase::is_over)).cloned()
            });
            self.on_stage.set(next);
        }
        self.settle();
    }

    /// Gives up on all that is not answered yet.
    pub fn cancel_unanswered(self) {
        self.uploads.with_untracked(|uploads| {
            let is_answered =
                |upload: &&Upload| upload.phase.with_untracked(|phase| matches!(phase, Phase::Answered { .. }));
            uploads.iter().filter(|upload| !is_answered(upload)).for_each(Upload::give_up);
        });
        self.remove_unanswered();
    }

    /// Takes out what is not answered yet.
    fn remove_unanswered(self) {
        let is_answered =
            |upload: &Upload| upload.phase.with_untracked(|phase| matches!(phase, Phase::Answered { .. }));
        self.on_stage.update(|staged| {
            staged.take_if(|upload| !is_answered(upload));
        });
        self.uploads.update(|uploads| {
            uploads.iter().filter(|upload| !is_answered(upload)).for_each(Upload::discard);
            uploads.retain(is_answered);
        });
        self.settle();
    }

    /// Leaves the line empty. The previews of answered photos belong to the album by now.
    pub fn clear(self) {
        self.remove_unanswered();
        self.uploads.update(Vec::clear);
    }

    /// An erased photo leaves the line too.
    pub fn forget(self, id: PredictionId) {
        self.uploads.update(|uploads| uploads.retain(|upload| upload.id != id));
    }

    /// One photo that is answered needs no line.
    pub fn settle(self) {
        let is_done = self.uploads.with_untracked(|uploads| match uploads.as_slice() {
            [only] => only.phase.with_untracked(|phase| matches!(phase, Phase::Answered { .. })),
            _ => false,
        });
        if is_done {
            self.uploads.update(Vec::clear);
        }
    }
}

impl Default for Line {
    fn default() -> Self {
        Self::new()
    }
}

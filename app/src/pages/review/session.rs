//! Labelling one photo after another: what is before the annotator, what they said, and what the server knows of it.
//!
//! An answer shows the next photo at once. It joins a line whose steps go to the server one after the other; what may
//! pass by itself is tried again, and what cannot be sent waits, is seen to wait, and keeps the page from being left.
//! Photos are fetched ahead.

use std::collections::HashMap;

use gourmetgram_api::{ProblemKind, ReviewCampaign, ReviewTask, Seen};
use leptos::{prelude::*, task::spawn_local};
use uuid::Uuid;

use crate::{
    client,
    trouble::Trouble,
    upload::{is_offline, one_second},
};

/// So many photos lie ready behind the one that is looked at.
pub(super) const AHEAD: usize = 5;

/// A step that the server has not confirmed.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    Say { task: Uuid, seen: Seen, took_ms: u32 },
    TakeBack { task: Uuid },
    Skip { task: Uuid },
    Unskip { task: Uuid },
}

impl Step {
    fn task(&self) -> Uuid {
        match self {
            Self::Say { task, .. } | Self::TakeBack { task } | Self::Skip { task } | Self::Unskip { task } => *task,
        }
    }
}

/// What was known when photos were asked for.
struct Asked {
    /// So many were asked for, those at hand and those unsent among them.
    count: usize,
    /// Those at hand.
    before: Vec<Uuid>,
    /// Those whose answers the server did not have.
    unsent: Vec<Uuid>,
}

/// What was done about a photo in this session.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Done {
    /// This was said.
    Said(Seen),
    /// It was passed over.
    Skipped,
}

/// How the line of unsent steps stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Sending {
    /// It goes on.
    #[default]
    Well,
    /// The next try comes by itself.
    Waiting {
        /// Seconds left.
        seconds: u64,
        /// Why.
        trouble: Trouble,
    },
    /// It goes on when somebody says so.
    Stopped(Trouble),
}

/// The session. Copies are handles to the same one.
#[derive(Clone, Copy)]
pub(super) struct Session {
    campaign: Uuid,
    /// Photos to label, the one that is looked at first.
    pub tasks: RwSignal<Vec<ReviewTask>>,
    /// What was done, the latest last.
    pub past: RwSignal<Vec<(ReviewTask, Done)>>,
    line: RwSignal<Vec<Step>>,
    /// How the line stands.
    pub sending: RwSignal<Sending>,
    /// The server had no more photos.
    pub is_dry: RwSignal<bool>,
    /// Why photos could not be fetched.
    pub fetching_failed: RwSignal<Option<Trouble>>,
    /// Photos that went to others before they were answered, in words.
    pub lost: RwSignal<Option<&'static str>>,
    /// The campaign, as it was last looked at.
    pub progress: RwSignal<ReviewCampaign>,
    /// Answers of this session that were counted when the campaign was last looked at.
    counted: RwSignal<usize>,
    is_running: StoredValue<bool>,
    is_fetching: StoredValue<bool>,
    hurry: StoredValue<bool>,
    given: StoredValue<HashMap<Uuid, Uuid>>,
    shown_at: StoredValue<f64>,
    /// Milliseconds spent on answered photos.
    pub spent: RwSignal<f64>,
}

/// Nobody looks at one photo longer; then they went away, and the time says nothing of their pace.
const LONGEST_LOOK: f64 = 60_000.0;

impl Session {
    pub(super) fn new(campaign: ReviewCampaign, tasks: Vec<ReviewTask>) -> Self {
        Self {
            campaign: campaign.id,
            tasks: RwSignal::new(tasks),
            past: RwSignal::new(Vec::new()),
            line: RwSignal::new(Vec::new()),
            sending: RwSignal::new(Sending::Well),
            is_dry: RwSignal::new(false),
            fetching_failed: RwSignal::new(None),
            lost: RwSignal::new(None),
            progress: RwSignal::new(campaign),
            counted: RwSignal::new(0),
            is_running: StoredValue::new(false),
            is_fetching: StoredValue::new(false),
            hurry: StoredValue::new(false),
            given: StoredValue::new(HashMap::new()),
            shown_at: StoredValue::new(0.0),
            spent: RwSignal::new(0.0),
        }
    }

    /// The photo that is looked at.
    pub(super) fn current(self) -> Option<Uuid> {
        self.tasks.with(|tasks| tasks.first().map(|task| task.id))
    }

    /// Answers of this session that stand.
    pub(super) fn answers(self) -> usize {
        self.past.with(|past| past.iter().filter(|(_, done)| matches!(done, Done::Said(_))).count())
    }

    /// Photos of the campaign that have their labels, with those of this session.
    pub(super) fn labelled(self) -> u64 {
        let since = self.answers().saturating_sub(self.counted.get()) as u64;
        self.progress.with(|progress| (progress.labelled + since).min(progress.photos))
    }

    /// How many steps the server has not confirmed.
    pub(super) fn unsent(self) -> usize {
        self.line.with(Vec::len)
    }

    /// The clock of the photo that is looked at starts anew.
    pub(super) fn look(self) {
        self.shown_at.set_value(js_sys::Date::now());
    }

    /// Says what the photo shows, and goes on to the next.
    pub(super) fn say(self, seen: Seen) {
        let took = (js_sys::Date::now() - self.shown_at.get_value()).max(0.0);
        let Some(task) = self.turn(Done::Said(seen.clone())) else { return };
        self.spent.update(|spent| *spent += took.min(LONGEST_LOOK));
        self.add(Step::Say { task, seen, took_ms: took as u32 });
    }

    /// Passes the photo over.
    pub(super) fn skip(self) {
        if let Some(task) = self.turn(Done::Skipped) {
            self.add(Step::Skip { task });
        }
    }

    fn turn(self, done: Done) -> Option<Uuid> {
        let task = self.tasks.try_update(|tasks| (!tasks.is_empty()).then(|| tasks.remove(0))).flatten()?;
        let id = task.id;
        self.past.update(|past| past.push((task, done)));
        self.lost.set(None);
        self.look();
        Some(id)
    }

    /// Takes the last step back: its photo is looked at again.
    pub(super) fn undo(self) {
        let Some((task, done)) = self.past.try_update(Vec::pop).flatten() else { return };
        let id = task.id;
        self.tasks.update(|tasks| tasks.insert(0, task));
        self.lost.set(None);
        self.look();
        // The first of the line may be on its way already.
        let on_its_way = usize::from(self.is_running.get_value());
        let unsent = self.line.try_update(|line| {
            let place = line.iter().rposition(|step| step.task() == id).filter(|place| *place >= on_its_way)?;
            Some(line.remove(place))
        });
        if unsent.flatten().is_some() {
            return;
        }
        self.add(match done {
            Done::Said(_) => Step::TakeBack { task: id },
            Done::Skipped => Step::Unskip { task: id },
        });
    }

    fn add(self, step: Step) {
        self.line.update(|line| line.push(step));
        self.go_on();
        self.fetch(false);
    }

    /// Sends what waits, at once.
    pub(super) fn go_on(self) {
        self.hurry.set_value(true);
        if self.is_running.get_value() {
            return;
        }
        self.is_running.set_value(true);
        spawn_local(async move {
            self.send_all().await;
            self.is_running.try_set_value(false);
        });
    }

    async fn send_all(self) {
        let mut tries = 0;
        while let Some(step) = self.line.try_with_untracked(|line| line.first().cloned()).flatten() {
            let trouble = match self.send(&step).await {
                Ok(()) => {
                    self.confirmed();
                    tries = 0;
                    continue;
                }
                Err(trouble) => trouble,
            };
            if let Trouble::Refused(problem) = &trouble
                && let Some(words) = gone(problem.kind)
            {
                // It cannot be said any more, and nobody needs it.
                self.past.try_update(|past| past.retain(|(task, _)| task.id != step.task()));
                self.lost.try_set(Some(words));
                self.confirmed();
                continue;
            }
            tries += 1;
            let wait = if is_offline() { Some(5) } else { trouble.next_try(tries) };
            let Some(wait) = wait else {
                self.sending.try_set(Sending::Stopped(trouble));
                return;
            };
            self.hurry.try_set_value(false);
            for seconds in (1..=wait).rev() {
                if self.hurry.try_get_value().unwrap_or(true) {
                    break;
                }
                self.sending.try_set(Sending::Waiting { seconds, trouble: trouble.clone() });
                one_second().await;
            }
        }
    }

    fn confirmed(self) {
        self.line.try_update(|line| line.remove(0));
        self.sending.try_update(|sending| {
            if *sending != Sending::Well {
                *sending = Sending::Well;
            }
        });
        // A fetch brings nothing new while as much is unsent as the server gives at once; nobody may be left without a photo
        // for that, with no key to press.
        if self.is_dry.try_get_untracked() == Some(false) {
            self.fetch(false);
        }
        let is_over = self.line.try_with_untracked(Vec::is_empty) == Some(true)
            && self.tasks.try_with_untracked(Vec::is_empty) == Some(true);
        if is_over {
            // Others have labelled meanwhile: the end says how far all of them are.
            self.look_at_progress();
        }
    }

    async fn send(self, step: &Step) -> Result<(), Trouble> {
        match step {
            Step::Say { task, seen, took_ms } => {
                let given = client::annotate(*task, seen, *took_ms).await?;
                self.given.try_update_value(|known| known.insert(*task, given.id));
                Ok(())
            }
            Step::TakeBack { task } => match self.given.try_update_value(|known| known.remove(task)).flatten() {
                Some(annotation) => {
                    let taken = client::take_back(annotation).await;
                    if taken.is_err() {
                        self.given.try_update_value(|known| known.insert(*task, annotation));
                    }
                    taken
                }
                // It was refused, so there is nothing to take back.
                None => Ok(()),
            },
            Step::Skip { task } => client::skip(*task).await,
            Step::Unskip { task } => client::unskip(*task).await,
        }
    }

    /// Fetches photos until enough lie ready, and says that those at hand are still looked at. `anyway`: even where
    /// enough are there.
    pub(super) fn fetch(self, anyway: bool) {
        let ready = self.tasks.with_untracked(Vec::len);
        let needed = anyway || (ready <= AHEAD && !self.is_dry.get_untracked());
        if !needed || self.is_fetching.get_value() {
            return;
        }
        self.is_fetching.set_value(true);
        // What is unsent counts as given; it comes back and is passed over.
        let unsent: Vec<Uuid> = self.line.with_untracked(|line| line.iter().map(Step::task).collect());
        let before: Vec<Uuid> = self.tasks.with_untracked(|tasks| tasks.iter().map(|task| task.id).collect());
        let most = usize::from(gourmetgram_api::MAX_TASKS);
        let asked = Asked { count: (unsent.len() + ready.max(AHEAD + 1)).min(most), before, unsent };
        spawn_local(async move {
            let fetched = client::next_tasks(self.campaign, asked.count as u16).await;
            self.is_fetching.try_set_value(false);
            match fetched {
                Ok(fetched) => self.take_in(fetched.tasks, &asked),
                Err(trouble) => {
                    self.fetching_failed.try_set(Some(trouble));
                }
            }
        });
    }

    fn take_in(self, fetched: Vec<ReviewTask>, asked: &Asked) {
        let Asked { count, before, unsent } = asked;
        let was_empty = self.tasks.try_with_untracked(Vec::is_empty).unwrap_or(true);
        let looked_at = before.first().copied();
        let kept: Vec<Uuid> = fetched.iter().map(|task| task.id).collect();
        let is_full = fetched.len() >= *count;
        // An answer that was cut off says nothing of what was not asked for.
        let is_cut_off = is_full && *count < unsent.len() + before.len();
        let is_lost = |id: Uuid| !is_cut_off && before.contains(&id) && !unsent.contains(&id) && !kept.contains(&id);
        let lost_it = self.tasks.try_with_untracked(|tasks| tasks.first().map(|task| task.id)).flatten();
        if lost_it.is_some_and(|id| looked_at == Some(id) && is_lost(id)) {
            self.lost.try_set(Some(WENT_ON));
        }
        let past: Vec<Uuid> =
            self.past.try_with_untracked(|past| past.iter().map(|(task, _)| task.id).collect()).unwrap_or_default();
        self.tasks.try_update(|tasks| {
            tasks.retain(|task| !is_lost(task.id));
            for task in fetched {
                if !past.contains(&task.id) && tasks.iter().all(|known| known.id != task.id) {
                    tasks.push(task);
                }
            }
        });
        self.fetching_failed.try_set(None);
        self.is_dry.try_set(!is_full);
        if was_empty {
            self.look();
        }
        if self.tasks.try_with_untracked(Vec::is_empty) == Some(true) {
            self.look_at_progress();
            // All that came was answered while it was on its way, and there is more. Once: the next fetch knows of nothing.
            if is_full && !(before.is_empty() && unsent.is_empty()) {
                self.fetch(false);
            }
        }
    }

    /// Asks anew how far the campaign is.
    fn look_at_progress(self) {
        let campaign = self.campaign;
        spawn_local(async move {
            let Ok(desk) = client::review_desk(campaign).await else { return };
            let Some(found) = desk.campaigns.into_iter().find(|found| found.id == campaign) else { return };
            self.counted.try_set(untrack(|| self.answers()));
            self.progress.try_set(found);
        });
    }
}

const WENT_ON: &str = "You were away, and the photo went to somebody else. Here is the next one.";

/// What to say where a photo cannot be labelled any more; `None` where the trouble is another.
fn gone(kind: ProblemKind) -> Option<&'static str> {
    match kind {
        ProblemKind::Conflict => Some("Others have labelled your last photo meanwhile, so your answer was not needed."),
        ProblemKind::Erased => Some("Your last photo was erased by its owner, and your answer with it."),
        ProblemKind::NotFound => Some("Your last photo is not to be labelled any more."),
        ProblemKind::BadRequest | ProblemKind::Unprocessable => {
            Some("The server did not take your last answer: its classes have changed. Load the page again to see them.")
        }
        _ => None,
    }
}

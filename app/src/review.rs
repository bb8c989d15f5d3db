//! What the page `/review` is asked for, and the answers it offers.

use gourmetgram_api::{ReviewCampaign, Seen};
use leptos_router::params::ParamsMap;
use uuid::Uuid;

/// The page.
pub const REVIEW: &str = "/review";
/// Says what a photo shows: fields `campaign`, `task`, `answer` (see [`write_answer`]).
pub const ANSWER: &str = "/review/answer";
/// Passes a photo over: fields `campaign`, `task`.
pub const SKIP: &str = "/review/skip";
/// Takes the last step back: fields `campaign` and `said` (an annotation) or `skipped` (a task).
pub const UNDO: &str = "/review/undo";

/// The last step, where the page was reached by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Last {
    /// This annotation was given.
    Said(Uuid),
    /// This task was passed over.
    Skipped(Uuid),
}

/// What the address asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The campaign to label.
    pub campaign: Option<Uuid>,
    /// The step that led here.
    pub last: Option<Last>,
}

impl Asked {
    /// Reads an address. A campaign that is no id is none that exists.
    pub fn read(query: &ParamsMap) -> Self {
        let id = |name: &str| query.get(name).map(|text| text.parse::<Uuid>());
        let said = id("said").and_then(Result::ok).map(Last::Said);
        let skipped = id("skipped").and_then(Result::ok).map(Last::Skipped);
        Self { campaign: id("campaign").map(Result::unwrap_or_default), last: said.or(skipped) }
    }

    /// The address of this.
    pub fn address(&self) -> String {
        let campaign = self.campaign.map(|id| format!("campaign={id}"));
        let last = self.last.map(|last| match last {
            Last::Said(id) => format!("said={id}"),
            Last::Skipped(id) => format!("skipped={id}"),
        });
        let parts: Vec<String> = campaign.into_iter().chain(last).collect();
        if parts.is_empty() { REVIEW.to_owned() } else { format!("{REVIEW}?{}", parts.join("&")) }
    }
}

/// What is to be labelled, of what there is and what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// There is no campaign.
    Nothing,
    /// There are several, and nobody said which.
    Several,
    /// There is none of this id.
    Unknown,
    /// This one.
    Campaign(ReviewCampaign),
}

/// Chooses the campaign that was asked for; where none was, the only one, or the only one that still lacks labels.
pub fn choose(campaigns: &[ReviewCampaign], asked: Option<Uuid>) -> Chosen {
    if let Some(id) = asked {
        return campaigns.iter().find(|campaign| campaign.id == id).cloned().map_or(Chosen::Unknown, Chosen::Campaign);
    }
    let mut open = campaigns.iter().filter(|campaign| campaign.left() > 0);
    match (campaigns, open.next(), open.next()) {
        ([], ..) => Chosen::Nothing,
        ([only], ..) | (_, Some(only), None) => Chosen::Campaign(only.clone()),
        _ => Chosen::Several,
    }
}

/// An answer as a form's field.
pub fn write_answer(seen: &Seen) -> String {
    match seen {
        Seen::Class { label } => format!("class:{label}"),
        Seen::NotFood => "not_food".to_owned(),
        Seen::Unreadable => "unreadable".to_owned(),
    }
}

/// A form's field as an answer.
pub fn read_answer(field: &str) -> Option<Seen> {
    match field {
        "not_food" => Some(Seen::NotFood),
        "unreadable" => Some(Seen::Unreadable),
        _ => field.strip_prefix("class:").map(|label| Seen::Class { label: label.to_owned() }),
    }
}

/// What an answer says on its button.
pub fn name_of(seen: &Seen) -> String {
    match seen {
        Seen::Class { label } => label.clone(),
        Seen::NotFood => "Not food".to_owned(),
        Seen::Unreadable => "Unreadable".to_owned(),
    }
}

/// What a key does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Press {
    /// Answers.
    Answer(Seen),
    /// Passes the photo over.
    Skip,
    /// Takes the last step back.
    Undo,
    /// Tells about the keys.
    Help,
}

/// An answer to choose, and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What it says.
    pub seen: Seen,
    /// The key, as it is written on the button; the thirty-second class is the last that has one.
    pub key: Option<char>,
}

/// Keys of classes, in their order: figures, then letters that mean nothing else here.
const KEYS: &str = "1234567890qwertyiopadfghjklzcvbm";

/// The classes and the two answers that are none.
pub fn choices(classes: &[String]) -> Vec<Choice> {
    let mut keys = KEYS.chars();
    let classes = classes.iter().map(|label| Choice { seen: Seen::Class { label: label.clone() }, key: keys.next() });
    let others = [(Seen::NotFood, 'n'), (Seen::Unreadable, 'x')];
    classes.chain(others.into_iter().map(|(seen, key)| Choice { seen, key: Some(key) })).collect()
}

/// What a key does, as the browser names it.
pub fn press(key: &str, choices: &[Choice]) -> Option<Press> {
    match key {
        "Backspace" => return Some(Press::Undo),
        "?" => return Some(Press::Help),
        _ => {}
    }
    let mut letters = key.chars();
    let (Some(letter), None) = (letters.next(), letters.next()) else { return None };
    match letter.to_ascii_lowercase() {
        's' => Some(Press::Skip),
        'u' => Some(Press::Undo),
        letter => {
            choices.iter().find(|choice| choice.key == Some(letter)).map(|choice| Press::Answer(choice.seen.clone()))
        }
    }
}

/// Photos a minute, once there is enough to speak of a pace.
pub fn pace(answers: usize, milliseconds: f64) -> Option<u32> {
    let minutes = milliseconds / 60_000.0;
    (answers >= 5 && minutes > 0.0).then(|| (answers as f64 / minutes).round() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn campaign(number: u128, photos: u64, labelled: u64) -> ReviewCampaign {
        ReviewCampaign { id: Uuid::from_u128(number), name: number.to_string(), blind: true, photos, labelled }
    }

    fn labels(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("class {number}")).collect()
    }

    #[test]
    fn nobody_is_asked_where_there_is_nothing_to_choose() {
        let (open, done, other) = (campaign(1, 5, 2), campaign(2, 5, 5), campaign(3, 9, 0));
        assert_eq!(choose(&[], None), Chosen::Nothing);
        assert_eq!(choose(std::slice::from_ref(&done), None), Chosen::Campaign(done.clone()));
        assert_eq!(choose(&[open.clone(), done.clone()], None), Chosen::Campaign(open.clone()));
        assert_eq!(choose(&[open.clone(), done.clone(), other.clone()], None), Chosen::Several);
        assert_eq!(choose(&[open.clone(), done.clone()], Some(done.id)), Chosen::Campaign(done));
        assert_eq!(choose(&[open], Some(other.id)), Chosen::Unknown);
    }

    #[test]
    fn every_key_means_one_thing() {
        let choices = choices(&labels(40));
        let mut keys: Vec<char> = choices.iter().filter_map(|choice| choice.key).collect();
        assert_eq!(keys.len(), 34);
        keys.extend(['s', 'u']);
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 36);
        assert_eq!(press("0", &choices), Some(Press::Answer(Seen::Class { label: "class 9".to_owned() })));
        assert_eq!(press("Q", &choices), Some(Press::Answer(Seen::Class { label: "class 10".to_owned() })));
        assert_eq!(press("n", &choices), Some(Press::Answer(Seen::NotFood)));
        assert_eq!(press("S", &choices), Some(Press::Skip));
        for undo in ["u", "Backspace"] {
            assert_eq!(press(undo, &choices), Some(Press::Undo));
        }
        for nothing in ["Enter", "F1", "", " ", "ArrowLeft", "é"] {
            assert_eq!(press(nothing, &choices), None, "{nothing:?}");
        }
        assert_eq!(press("3", &super::choices(&labels(2))), None, "no class has this key");
    }

    #[test]
    fn answers_come_back_from_a_form_as_they_went() {
        for seen in [Seen::Class { label: "Noodles/Pasta".to_owned() }, Seen::NotFood, Seen::Unreadable] {
            assert_eq!(read_answer(&write_answer(&seen)), Some(seen));
        }
        assert_eq!(read_answer("soup"), None);
    }

    #[test]
    fn an_address_says_what_it_asks_for() {
        let id = Uuid::from_u128(7);
        let asked = Asked { campaign: Some(id), last: Some(Last::Skipped(id)) };
        assert_eq!(asked.address(), format!("/review?campaign={id}&skipped={id}"));
        let mut query = ParamsMap::new();
        query.insert("campaign", id.to_string());
        query.insert("skipped", id.to_string());
        assert_eq!(Asked::read(&query), asked);
        query.replace("campaign", "nonsense".to_owned());
        assert_eq!(Asked::read(&query).campaign, Some(Uuid::nil()), "not taken for a wish for any");
        assert_eq!(Asked::read(&ParamsMap::new()).address(), "/review");
    }

    #[test]
    fn a_pace_is_told_once_there_is_one() {
        assert_eq!(pace(4, 1000.0), None);
        assert_eq!(pace(10, 20_000.0), Some(30));
        assert_eq!(pace(10, 0.0), None);
    }
}

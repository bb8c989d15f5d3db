//! The page `/campaigns`, as its address and its form have it: what a campaign is to be, in words and percent.

use std::{collections::BTreeMap, num::NonZeroU64};

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use gourmetgram_api::{
    Campaign, CampaignPreset, CampaignPreview, CampaignRule, FlagReason, Interval, LabelledIn, LowConfidence,
    NewCampaign, Problem, ProblemKind, RandomDraw, Run, Uncertainty, UnusableCampaign,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The page's path, and where its form posts to.
pub const PAGE: &str = "/campaigns";

/// Characters of the longest name there is.
pub const LONGEST_NAME: usize = 80;

/// Characters of the longest schedule there is.
pub const LONGEST_SCHEDULE: usize = 100;

/// Where a campaign is asked to select; field `hours`.
pub fn select(campaign: &Campaign) -> String {
    format!("{PAGE}/{}/select", campaign.id)
}

/// Where a campaign is archived; no fields.
pub fn archive(campaign: &Campaign) -> String {
    format!("{PAGE}/{}/archive", campaign.id)
}

/// What the page shows.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Campaigns {
    /// Every campaign, the newest first.
    pub campaigns: Vec<Campaign>,
    /// Runs about them that went wrong, and nothing went well since: one each and pipeline.
    pub troubles: Vec<Run>,
    /// Where those that are labelled in Label Studio are labelled, by campaign.
    pub projects: Vec<(Uuid, String)>,
    /// What the form's campaign would choose, where that was asked.
    pub preview: Option<Result<CampaignPreview, Problem>>,
}

/// What the form says. Every value is the text of its field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CampaignForm(BTreeMap<String, String>);

/// How far back a look or a run may go, in hours, with the words for it.
pub const SPANS: [(&str, &str); 5] =
    [("0.5", "30 minutes"), ("6", "6 hours"), ("24", "day"), ("168", "week"), ("720", "30 days")];

/// Schedules that are offered, with what a person calls them.
pub const SCHEDULES: [(&str, &str); 3] =
    [("0 * * * *", "every hour"), ("0 3 * * *", "every day at 3"), ("0 3 * * 1", "every Monday at 3")];

/// The kinds of rule, as they stand in the form, with what a person calls them.
pub const KINDS: [(&str, &str); 7] = [
    ("everything", "Everything"),
    ("random", "A random sample"),
    ("low_confidence", "What the model was unsure of"),
    ("flagged", "What somebody flagged"),
    ("corrected", "What somebody relabelled"),
    ("device_disagrees", "What the visitor’s device took for another class"),
    ("continuous", "Everything special, and a random sample of all"),
];

impl CampaignForm {
    /// Longest value of a field that is looked at, in characters.
    const LONGEST: usize = 200;

    /// The fields of an address or a posted form; what the form does not have is left out.
    pub fn read<K: AsRef<str>, V: AsRef<str>>(fields: impl IntoIterator<Item = (K, V)>) -> Self {
        const KNOWN: [&str; 18] = [
            "preset",
            "name",
            "kind",
            "draw",
            "rate",
            "per_interval",
            "measure",
            "threshold",
            "at_most",
            "reason",
            "other_versions",
            "shown",
            "labelled_in",
            "double",
            "schedule",
            "starts_at",
            "ends_at",
            "hours",
        ];
        let mut known = BTreeMap::<String, String>::new();
        for (name, value) in fields {
            let (name, value) = (name.as_ref(), value.as_ref().trim());
            if value.is_empty() || !KNOWN.contains(&name) {
                continue;
            }
            let value: String = value.chars().take(Self::LONGEST).collect();
            let field = known.entry(name.to_owned()).or_default();
            // Each box that is ticked says its reason.
            *field = if name == "reason" { format!("{field} {value}") } else { value };
        }
        let form = Self(known);
        match form.get("preset").parse::<CampaignPreset>() {
            Ok(preset) => form.filled_by(preset),
            Err(_) => form,
        }
    }

    /// The text of a field; empty where it has none.
    pub fn get(&self, field: &str) -> &str {
        self.0.get(field).map(String::as_str).unwrap_or_default()
    }

    /// Whether the form says anything at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The kind of rule; a random sample where none is said.
    pub fn kind(&self) -> &str {
        KINDS.iter().map(|(kind, _)| *kind).find(|kind| *kind == self.get("kind")).unwrap_or("random")
    }

    /// Whether the box of a reason is ticked.
    pub fn is_for(&self, reason: FlagReason) -> bool {
        self.get("reason").split_whitespace().any(|word| word == reason.as_str())
    }

    /// The interval that a look ahead is about, where one was asked for.
    pub fn interval(&self, now: DateTime<Utc>) -> Option<Interval> {
        span(self.get("hours"), now)
    }

    /// What a preset sets, under what was said already.
    fn filled_by(mut self, preset: CampaignPreset) -> Self {
        let asked = preset.campaign(preset.title());
        let mut set = |field: &str, value: &str| {
            self.0.entry(field.to_owned()).or_insert_with(|| value.to_owned());
        };
        set("name", &asked.name);
        set(
            "kind",
            match preset {
                CampaignPreset::Production => "everything",
                CampaignPreset::RandomSample => "random",
                CampaignPreset::LowConfidence => "low_confidence",
                CampaignPreset::UserFlagged => "flagged",
                CampaignPreset::Continuous => "continuous",
            },
        );
        set("rate", "10");
        set("threshold", "70");
        set("double", &(asked.double_share * 100.0).to_string());
        if !asked.blind {
            set("shown", "yes");
        }
        self.0.remove("preset");
        self
    }

    /// The campaign that is meant.
    ///
    /// # Errors
    /// What a person wrote that is no time, no reason or no such number; the rest is [`NewCampaign::check`]'s.
    pub fn campaign(&self) -> Result<NewCampaign, Problem> {
        let at_most = || self.count("at_most").map(|count| count.map(NonZeroU64::get));
        let unsure = || {
            let measure = match self.get("measure") {
                "margin" => Uncertainty::Margin,
                "entropy" => Uncertainty::Entropy,
                _ => Uncertainty::Confidence,
            };
            Ok::<_, Problem>(LowConfidence { measure, threshold: self.share("threshold", 70.0)? })
        };
        let schedule = self.get("schedule").split_whitespace().collect::<Vec<_>>().join(" ");
        let rule = match self.kind() {
            "everything" => CampaignRule::Everything,
            "low_confidence" => CampaignRule::LowConfidence { unsure: unsure()?, at_most: at_most()? },
            "flagged" => CampaignRule::Flagged { reasons: self.reasons()?, at_most: at_most()? },
            "corrected" => CampaignRule::Corrected { at_most: at_most()? },
            "device_disagrees" => CampaignRule::DeviceDisagrees {
                other_versions: !self.get("other_versions").is_empty(),
                at_most: at_most()?,
            },
            "continuous" => CampaignRule::Continuous {
                unsure: unsure()?,
                low_confidence_at_most: at_most()?,
                flagged_at_most: at_most()?,
                corrected_at_most: at_most()?,
                random: self.draw()?,
            },
            _ => CampaignRule::Random { draw: self.draw()? },
        };
        Ok(NewCampaign {
            name: self.get("name").to_owned(),
            rule,
            blind: self.get("shown").is_empty(),
            labelled_in: match self.get("labelled_in") {
                "label_studio" => LabelledIn::LabelStudio,
                _ => LabelledIn::Review,
            },
            double_share: self.share("double", 5.0)?,
            starts_at: self.moment("starts_at")?,
            ends_at: self.moment("ends_at")?,
            seed: None,
            schedule: Some(schedule).filter(|schedule| !schedule.is_empty()),
        })
    }

    /// How the random sample is drawn. What stands in the box that is not chosen does not count.
    fn draw(&self) -> Result<RandomDraw, Problem> {
        if self.get("draw") == "per_interval" {
            let nothing = || bad("say how many photos of each interval are to be drawn").of_field("per_interval");
            return self.count("per_interval")?.map(|count| RandomDraw::PerInterval(count.get())).ok_or_else(nothing);
        }
        match self.number("rate", 10.0)? / 100.0 {
            rate if rate > 0.0 && rate <= 1.0 => Ok(RandomDraw::Rate(rate)),
            _ => Err(self.outside("rate", "a number greater than 0, at most 100")),
        }
    }

    fn reasons(&self) -> Result<Vec<FlagReason>, Problem> {
        let read = |word: &str| {
            let unknown = || bad(format!("{} is none of the reasons: tick those that count", quoted(word)));
            word.parse::<FlagReason>().map_err(|_| unknown().of_field("reason"))
        };
        self.get("reason").split_whitespace().map(read).collect()
    }

    /// A share that is written in percent.
    fn share(&self, field: &str, usual: f64) -> Result<f64, Problem> {
        match self.number(field, usual)? {
            percent if (0.0..=100.0).contains(&percent) => Ok(percent / 100.0),
            _ => Err(self.outside(field, "a number from 0 to 100")),
        }
    }

    fn outside(&self, field: &str, wanted: &str) -> Problem {
        bad(format!("{} percent cannot be: write {wanted}", quoted(self.get(field)))).of_field(field)
    }

    /// A moment as browsers send it, and as people write it.
    fn moment(&self, field: &str) -> Result<Option<DateTime<Utc>>, Problem> {
        let text = self.get(field);
        if text.is_empty() {
            return Ok(None);
        }
        let read = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]
            .into_iter()
            .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
        let unusable =
            || bad(format!("{} is no time: write it as 2026-11-24T10:00, in UTC", quoted(text))).of_field(field);
        read.map(|moment| Some(moment.and_utc())).ok_or_else(unusable)
    }

    fn number(&self, field: &str, usual: f64) -> Result<f64, Problem> {
        match self.get(field) {
            "" => Ok(usual),
            text => {
                let unusable = || bad(format!("{} is no number of percent: write 5, or 0.5", quoted(text)));
                let number = text.replace(',', ".").parse().ok().filter(|number: &f64| number.is_finite());
                number.ok_or_else(|| unusable().of_field(field))
            }
        }
    }

    fn count(&self, field: &str) -> Result<Option<NonZeroU64>, Problem> {
        match self.get(field) {
            "" => Ok(None),
            text => {
                let unusable = || bad(format!("{} is no number of photos: write 1 or more", quoted(text)));
                text.parse().map(Some).map_err(|_| unusable().of_field(field))
            }
        }
    }
}

/// So many hours until now; `None` where that is none of [`SPANS`].
pub fn span(hours: &str, now: DateTime<Utc>) -> Option<Interval> {
    let (known, _) = SPANS.into_iter().find(|(known, _)| *known == hours)?;
    let minutes = known.parse::<f64>().ok()? * 60.0;
    let start = now.checked_sub_signed(TimeDelta::minutes(minutes as i64))?;
    Interval::between(Some(start), Some(now), now).ok()
}

/// A refusal in the words of the form, where it has the API's.
pub fn in_its_words(mut problem: Problem) -> Problem {
    let words = [
        (UnusableCampaign::Window, "“Photos received before” must be later than “Photos received from”"),
        (
            UnusableCampaign::NoLabelStudio,
            "no Label Studio is set up: name it in the settings (label_studio.url and label_studio.token), or choose \
             “GourmetGram’s review”",
        ),
    ];
    if let Some((_, words)) = words.into_iter().find(|(fault, _)| problem.detail == fault.to_string()) {
        problem.detail = words.to_owned();
    }
    problem
}

fn bad(why: impl Into<String>) -> Problem {
    Problem::new(ProblemKind::BadRequest, why)
}

/// What was written, shortened where it is long.
fn quoted(text: &str) -> String {
    const SHOWN: usize = 40;
    let shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() { format!("{:?}", shown + "…") } else { format!("{text:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_preset_fills_the_form_with_the_campaign_it_is() {
        for preset in CampaignPreset::ALL {
            let form = CampaignForm::read([("preset", preset.as_str())]);
            assert_eq!(form.campaign(), Ok(preset.campaign(preset.title())), "{preset}");
        }
    }

    #[test]
    fn what_a_person_changes_in_a_preset_counts() {
        let form = CampaignForm::read([("preset", "continuous"), ("name", " Week 48 "), ("rate", "2,5")]);
        let campaign = form.campaign().unwrap();
        assert_eq!(campaign.name, "Week 48");
        assert!(
            matches!(campaign.rule, CampaignRule::Continuous { random: RandomDraw::Rate(rate), .. } if rate == 0.025)
        );
    }

    #[test]
    fn reasons_a_schedule_and_a_window_are_read_and_all_of_them_may_be_left_out() {
        let form = CampaignForm::read([
            ("kind", "flagged"),
            ("reason", "not_food"),
            ("reason", "bad_photo"),
            ("schedule", " */30  * * * * "),
            ("starts_at", "2026-11-24T10:00"),
            ("ends_at", "2026-11-25 10:00"),
        ]);
        let campaign = form.campaign().unwrap();
        let reasons = vec![FlagReason::NotFood, FlagReason::BadPhoto];
        assert_eq!(campaign.rule, CampaignRule::Flagged { reasons, at_most: None });
        assert_eq!(campaign.schedule.as_deref(), Some("*/30 * * * *"));
        assert_eq!(campaign.starts_at, "2026-11-24T10:00:00Z".parse().ok());
        assert_eq!(campaign.ends_at, "2026-11-25T10:00:00Z".parse().ok());
        assert!(form.is_for(FlagReason::NotFood) && !form.is_for(FlagReason::Other));
        let campaign =
            CampaignForm::read([("kind", "flagged"), ("schedule", ""), ("ends_at", " ")]).campaign().unwrap();
        assert_eq!(campaign.rule, CampaignRule::Flagged { reasons: Vec::new(), at_most: None });
        assert_eq!((campaign.schedule, campaign.starts_at, campaign.ends_at), (None, None, None));
        for (field, value) in [("starts_at", "soon"), ("ends_at", "2026-11-31T10:00"), ("reason", "cold")] {
            let problem = CampaignForm::read([("kind", "flagged"), (field, value)]).campaign().unwrap_err();
            assert!(problem.detail.contains(value) && problem.field.as_deref() == Some(field), "{problem:?}");
        }
    }

    #[test]
    fn what_is_no_such_number_is_said_in_the_words_of_the_form() {
        let cases = [
            ("rate", "many", "\"many\" is no number of percent: write 5, or 0.5"),
            ("rate", "NaN", "\"NaN\" is no number of percent: write 5, or 0.5"),
            ("rate", "0", "\"0\" percent cannot be: write a number greater than 0, at most 100"),
            ("rate", "-5", "\"-5\" percent cannot be: write a number greater than 0, at most 100"),
            ("rate", "100,5", "\"100,5\" percent cannot be: write a number greater than 0, at most 100"),
            ("rate", "1e300", "\"1e300\" percent cannot be: write a number greater than 0, at most 100"),
            // A hundredth of it is 0.
            ("rate", "1e-323", "\"1e-323\" percent cannot be: write a number greater than 0, at most 100"),
            ("double", "x", "\"x\" is no number of percent: write 5, or 0.5"),
            ("double", "-1", "\"-1\" percent cannot be: write a number from 0 to 100"),
            ("double", "1e300", "\"1e300\" percent cannot be: write a number from 0 to 100"),
        ];
        for (field, value, words) in cases {
            let problem = CampaignForm::read([("kind", "random"), (field, value)]).campaign().unwrap_err();
            assert_eq!((problem.detail.as_str(), problem.field.as_deref()), (words, Some(field)));
        }
        let long = "9".repeat(150);
        let problem = CampaignForm::read([("rate", long.as_str())]).campaign().unwrap_err();
        let words = format!("\"{}…\" percent cannot be: write a number greater than 0, at most 100", &long[..40]);
        assert_eq!(problem.detail, words);
        let problem = CampaignForm::read([("kind", "flagged"), ("at_most", "0")]).campaign().unwrap_err();
        assert_eq!(problem.detail, "\"0\" is no number of photos: write 1 or more");
        let problem = CampaignForm::read([("kind", "flagged"), ("reason", "cold")]).campaign().unwrap_err();
        assert_eq!(problem.detail, "\"cold\" is none of the reasons: tick those that count");
    }

    #[test]
    fn every_rate_that_the_hint_names_is_taken_by_the_api() {
        for (written, percent) in [("1e-9", 1e-9), ("0.001", 0.001), ("0,01", 0.01), ("100", 100.0)] {
            let campaign = CampaignForm::read([("name", "Some"), ("rate", written)]).campaign().unwrap();
            assert_eq!(campaign.rule, CampaignRule::Random { draw: RandomDraw::Rate(percent / 100.0) });
            assert_eq!(campaign.check(), Ok(()), "{written}");
        }
    }

    #[test]
    fn only_the_box_of_the_draw_that_is_chosen_counts() {
        let drawn = |draw, rate, count| {
            let form = [("kind", "random"), ("draw", draw), ("rate", rate), ("per_interval", count)];
            CampaignForm::read(form).campaign().map(|campaign| campaign.rule)
        };
        let by = |draw| Ok(CampaignRule::Random { draw });
        assert_eq!(drawn("rate", "50", "none"), by(RandomDraw::Rate(0.5)));
        assert_eq!(drawn("", "50", "0"), by(RandomDraw::Rate(0.5)));
        assert_eq!(drawn("per_interval", "many", "7"), by(RandomDraw::PerInterval(7)));
        assert_eq!(drawn("per_interval", "50", "0").unwrap_err().field.as_deref(), Some("per_interval"));
        assert_eq!(drawn("per_interval", "50", "").unwrap_err().field.as_deref(), Some("per_interval"));
    }

    #[test]
    fn what_the_api_refuses_is_said_in_the_words_of_the_form() {
        for (fault, words) in [
            (UnusableCampaign::Window, "“Photos received before” must be later than “Photos received from”"),
            (
                UnusableCampaign::NoLabelStudio,
                "no Label Studio is set up: name it in the settings (label_studio.url and label_studio.token), or \
                 choose “GourmetGram’s review”",
            ),
        ] {
            let problem = in_its_words(bad(fault.to_string()).of_field(fault.field()));
            assert_eq!((problem.detail.as_str(), problem.field.as_deref()), (words, Some(fault.field())));
        }
        let other = bad(UnusableCampaign::Name.to_string()).of_field("name");
        assert_eq!(in_its_words(other.clone()), other);
    }

    #[test]
    fn fields_are_as_long_as_what_the_api_takes() {
        let campaign = CampaignPreset::Production.campaign("All");
        let named = |length: usize| NewCampaign { name: "a".repeat(length), ..campaign.clone() }.check();
        let scheduled = |length: usize| {
            let schedule = Some(format!("{} * * * *", "1".repeat(length - 8)));
            NewCampaign { schedule, ..campaign.clone() }.check()
        };
        assert_eq!((named(LONGEST_NAME), scheduled(LONGEST_SCHEDULE)), (Ok(()), Ok(())));
        assert!(named(LONGEST_NAME + 1).is_err() && scheduled(LONGEST_SCHEDULE + 1).is_err());
    }

    #[test]
    fn only_the_spans_that_are_offered_are_looked_at() {
        let now = DateTime::from_timestamp(1_000_000, 0).unwrap();
        assert_eq!(span("0.5", now).map(|it| it.end - it.start), Some(TimeDelta::minutes(30)));
        for (hours, _) in SPANS {
            assert!(span(hours, now).is_some());
        }
        for other in ["", "-1", "1e300", "NaN"] {
            assert_eq!(span(other, now), None);
        }
    }
}

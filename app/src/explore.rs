//! What `/photos` is asked for by its address, and what it is made of.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use gourmetgram_api::{
    Confidence, Cursor, DeviceComparison, ExportFormat, Facets, FlagReason, FolderBy, Neighbours, Place, Prediction,
    PredictionId, PredictionPage, PredictionQuery, Problem, ProblemKind, SortKey, SortOrder, StoredObjects, Total,
};
use leptos_router::params::ParamsMap;
use serde::{Deserialize, Serialize};

/// Where the list is.
pub const LIST: &str = "/photos";
/// Where it can be taken out.
const EXPORT: &str = "/api/v1/export";
/// Photos on a page of the list, and how many each stretch of scrolling adds.
pub const PHOTOS_PER_SHELF: u16 = 60;

/// One part of the list's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// A predicted class.
    Class,
    /// Least confidence, in whole percent.
    Min,
    /// Most confidence, in whole percent.
    Max,
    /// `yes`, `no`, or a reason.
    Flag,
    /// `yes` or `no`.
    Corrected,
    /// A [`DeviceComparison`].
    Device,
    /// `yes` or `no`.
    Annotated,
    /// A name.
    Annotator,
    /// The class that annotators saw.
    Label,
    /// A campaign's name.
    Campaign,
    /// A model version.
    ModelVersion,
    /// Where simulated photos come from: a replay's name.
    Source,
    /// A [`Place`].
    Place,
    /// The first day, in UTC; or a moment: received from then on.
    From,
    /// The last day, in UTC; or a moment: received before.
    To,
    /// A [`SortKey`].
    Sort,
    /// A [`SortOrder`].
    Order,
    /// `table`; a grid where it is not said.
    View,
    /// Where the page before ended; only where scripts are off.
    After,
}

impl Field {
    /// Every part.
    pub const ALL: [Self; 19] = [
        Self::Class,
        Self::Min,
        Self::Max,
        Self::Flag,
        Self::Corrected,
        Self::Device,
        Self::Annotated,
        Self::Annotator,
        Self::Label,
        Self::Campaign,
        Self::ModelVersion,
        Self::Source,
        Self::Place,
        Self::From,
        Self::To,
        Self::Sort,
        Self::Order,
        Self::View,
        Self::After,
    ];

    /// Those that leave photos out.
    pub fn filters() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|field| !matches!(field, Self::Sort | Self::Order | Self::View | Self::After))
    }

    /// Its name in the address and in the form.
    pub fn name(self) -> &'static str {
        match self {
            Self::Class => "class",
            Self::Min => "min",
            Self::Max => "max",
            Self::Flag => "flag",
            Self::Corrected => "corrected",
            Self::Device => "device",
            Self::Annotated => "annotated",
            Self::Annotator => "annotator",
            Self::Label => "label",
            Self::Campaign => "campaign",
            Self::ModelVersion => "model",
            Self::Source => "source",
            Self::Place => "place",
            Self::From => "from",
            Self::To => "to",
            Self::Sort => "sort",
            Self::Order => "order",
            Self::View => "view",
            Self::After => "after",
        }
    }
}

/// What the address asks for, as it is written there: a form that was filled in wrongly is shown as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Browse(BTreeMap<Field, String>);

impl Browse {
    /// Reads an address. What nobody knows is left alone, what is empty (a form sends that) is not asked for.
    pub fn read(params: &ParamsMap) -> Self {
        let known = Field::ALL.into_iter().filter_map(|field| Some((field, params.get(field.name())?)));
        Self(known.filter(|(_, value)| !value.is_empty()).collect())
    }

    /// One part; empty where it is not asked for.
    pub fn get(&self, field: Field) -> &str {
        self.0.get(&field).map(String::as_str).unwrap_or_default()
    }

    /// The same with one part changed, and from the first page again.
    #[must_use]
    pub fn with(&self, field: Field, value: impl Into<String>) -> Self {
        let mut changed = self.clone();
        changed.0.remove(&Field::After);
        match value.into() {
            value if value.is_empty() => changed.0.remove(&field),
            value => changed.0.insert(field, value),
        };
        changed
    }

    /// The same order and view, without filters.
    #[must_use]
    pub fn unfiltered(&self) -> Self {
        Field::filters().fold(self.clone(), |browse, field| browse.with(field, ""))
    }

    /// How many filters there are.
    pub fn filters(&self) -> usize {
        Field::filters().filter(|field| self.0.contains_key(field)).count()
    }

    /// Whether a table is asked for.
    pub fn is_table(&self) -> bool {
        self.get(Field::View) == "table"
    }

    /// The part of the address after the path, with its question mark; empty where nothing is asked for.
    pub fn search(&self) -> String {
        let pairs: Vec<(&str, &str)> = self.0.iter().map(|(field, value)| (field.name(), value.as_str())).collect();
        match serde_urlencoded::to_string(pairs) {
            Ok(search) if !search.is_empty() => format!("?{search}"),
            _ => String::new(),
        }
    }

    /// The address of the list.
    pub fn list(&self) -> String {
        format!("{LIST}{}", self.search())
    }

    /// The address of one photo, which keeps the list it was found in.
    pub fn photo(&self, id: PredictionId) -> String {
        format!("{LIST}/{id}{}", self.with(Field::After, "").search())
    }

    /// The address of everything that the list shows, as a file.
    pub fn export(&self, format: ExportFormat, by: FolderBy) -> String {
        // A filter that cannot be meant has nothing in it to take out; the answer says what is wrong with it.
        let query = PredictionQuery { limit: None, cursor: None, ..self.query().unwrap_or_default() };
        let by = (by != FolderBy::default()).then_some(("by", by.as_str()));
        let form: Vec<(&str, &str)> = [("format", format.as_str())].into_iter().chain(by).collect();
        let parts = [serde_urlencoded::to_string(form), serde_urlencoded::to_string(&query)];
        let parts: Vec<String> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
        format!("{EXPORT}?{}", parts.join("&"))
    }

    /// What the sorting is by now.
    pub fn sorted_by(&self) -> (SortKey, SortOrder) {
        self.query().unwrap_or_default().sorted_by()
    }

    /// The address of the list sorted by `key`: pressed again, it turns the order.
    #[must_use]
    pub fn sort(&self, key: SortKey) -> Self {
        let (now, order) = self.sorted_by();
        let order = if now == key { order.reversed() } else { key.usual_order() };
        let sorted = self.with(Field::Sort, if key == SortKey::default() { "" } else { key.as_str() });
        sorted.with(Field::Order, if order == key.usual_order() { "" } else { order.as_str() })
    }

    /// The question to the API.
    ///
    /// # Errors
    /// A problem that names the part that cannot be meant.
    pub fn query(&self) -> Result<PredictionQuery, Problem> {
        let bad = |text: String| Problem::new(ProblemKind::BadRequest, text);
        let text = |field: Field| self.0.get(&field).cloned();
        let yes_no = |field: Field| match self.get(field) {
            "" => Ok(None),
            "yes" => Ok(Some(true)),
            "no" => Ok(Some(false)),
            other => Err(bad(format!("{} is {other:?}: it must be yes or no", field.name()))),
        };
        // A day, whose beginning or (`later` a day) end is meant, or a moment.
        let time = |field: Field, later: Days| match self.get(field) {
            "" => Ok(None),
            text => match (text.parse::<DateTime<Utc>>(), NaiveDate::parse_from_str(text, "%Y-%m-%d")) {
                (Ok(moment), _) => Ok(Some(moment)),
                (_, Ok(day)) => Ok(day.checked_add_days(later).map(|day| day.and_time(NaiveTime::MIN).and_utc())),
                _ => Err(bad(format!(
                    "{} is {text:?}: it must be a day like 2026-11-24, or a moment like 2026-11-24T10:00:00Z",
                    field.name()
                ))),
            },
        };
        let percent = |field: Field| match self.get(field) {
            "" => Ok(None),
            text => {
                let number = text.parse::<u8>().ok().filter(|number| *number <= 100);
                let confidence = number.and_then(|number| Confidence::new(f32::from(number) / 100.0).ok());
                confidence.map(Some).ok_or_else(|| {
                    bad(format!("{} is {text:?}: it must be a whole number from 0 to 100", field.name()))
                })
            }
        };
        let word =
            |field: Field, known: &[&str]| match self.get(field) {
                "" => Ok(None),
                text => known.iter().position(|word| *word == text).map(Some).ok_or_else(|| {
                    bad(format!("{} is {text:?}: it must be one of {}", field.name(), known.join(", ")))
                }),
            };
        let (flagged, reason) = match self.get(Field::Flag) {
            "yes" | "no" | "" => (yes_no(Field::Flag)?, None),
            reason => (
                Some(true),
                Some(reason.parse::<FlagReason>().map_err(|error| bad(format!("flag: {error}, yes or no")))?),
            ),
        };
        let query = PredictionQuery {
            mine: None,
            class: text(Field::Class),
            confidence_min: percent(Field::Min)?,
            confidence_max: percent(Field::Max)?,
            flagged,
            reason,
            corrected: yes_no(Field::Corrected)?,
            device: word(Field::Device, &DeviceComparison::ALL.map(DeviceComparison::as_str))?
                .map(|index| DeviceComparison::ALL[index]),
            annotated: yes_no(Field::Annotated)?,
            annotator: text(Field::Annotator),
            label: text(Field::Label),
            campaign: text(Field::Campaign),
            model_version: text(Field::ModelVersion),
            source: text(Field::Source),
            from: time(Field::From, Days::new(0))?,
            // The last day is meant to its end.
            to: time(Field::To, Days::new(1))?,
            place: word(Field::Place, &Place::ALL.map(Place::as_str))?.map(|index| Place::ALL[index]),
            sort: word(Field::Sort, &SortKey::ALL.map(SortKey::as_str))?.map(|index| SortKey::ALL[index]),
            order: word(Field::Order, &["asc", "desc"])?
                .map(|index| [SortOrder::Ascending, SortOrder::Descending][index]),
            limit: Some(PHOTOS_PER_SHELF),
            cursor: text(Field::After).map(Cursor),
            count: None,
        };
        query.check().map_err(|error| bad(error.to_string()))?;
        Ok(query)
    }
}

/// Everything the list shows at first. A browser reads it before the page comes alive, so it is no more than is shown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Explored {
    /// What the filters offer.
    pub facets: Facets,
    /// The first page, with its total.
    pub page: CardPage,
    /// Why the page is empty, where the address asks for what cannot be.
    pub unusable: Option<Problem>,
}

/// Everything the page of one photo shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhotoDetails {
    /// What is recorded of it, with its history.
    pub prediction: Prediction,
    /// What can be said it really is.
    pub classes: Vec<String>,
    /// What the object store has.
    pub objects: StoredObjects,
    /// What stands beside it in the list it was found in.
    pub neighbours: Neighbours,
}

/// One page of the list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CardPage {
    /// Its photos, in the list's order.
    pub cards: Vec<Card>,
    /// Where the next page begins.
    pub next_cursor: Option<Cursor>,
    /// How many photos there are on all pages, where that was asked for.
    pub total: Option<Total>,
}

impl From<PredictionPage> for CardPage {
    fn from(page: PredictionPage) -> Self {
        let cards = page.items.into_iter().map(Card::from).collect();
        Self { cards, next_cursor: page.next_cursor, total: page.total }
    }
}

/// What the list needs to know of a photo; everything else would only fill the browser's memory while scrolling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// Names it.
    pub id: PredictionId,
    /// The answer.
    pub label: String,
    /// How sure it was.
    pub confidence: Confidence,
    /// When it came.
    // As a number a browser reads it without the code that reads RFC 3339.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub at: DateTime<Utc>,
    /// The model that answered.
    pub model_version: String,
    /// The standing flag.
    pub flag: Option<FlagReason>,
    /// The standing correction.
    pub corrected: Option<String>,
    /// The annotators' label, and who gave it.
    pub annotated: Option<(String, String)>,
    /// The buckets that hold it.
    pub places: Vec<Place>,
}

impl From<Prediction> for Card {
    fn from(prediction: Prediction) -> Self {
        Self {
            id: prediction.id,
            label: prediction.predicted_class,
            confidence: prediction.confidence,
            at: prediction.created_at,
            model_version: prediction.model_version,
            flag: prediction.flag,
            corrected: prediction.corrected_class,
            annotated: prediction.annotation.map(|annotation| (annotation.label, annotation.by)),
            places: prediction.places,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn browse(search: &str) -> Browse {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(search).unwrap();
        Browse::read(&pairs.into_iter().collect())
    }

    #[test]
    fn what_is_taken_out_is_what_is_shown_and_no_page_of_it() {
        let asked = browse("class=Noodles%2FPasta&flag=wrong_label&to=2026-11-24&view=table&after=x");
        assert_eq!(
            asked.export(ExportFormat::Csv, FolderBy::Predicted),
            "/api/v1/export?format=csv&class=Noodles%2FPasta&flagged=true&reason=wrong_label&to=2026-11-25T00%3A00%3A00Z"
        );
        let all = browse("").export(ExportFormat::Photos, FolderBy::Annotated);
        assert_eq!(all, "/api/v1/export?format=photos&by=annotated");
    }

    #[test]
    fn an_address_reads_back_as_it_was_written() {
        let asked =
            browse("class=Noodles%2FPasta&flag=wrong_label&min=10&max=90&sort=confidence&view=table&x=1&place=");
        assert_eq!(asked.get(Field::Class), "Noodles/Pasta");
        assert_eq!(asked.filters(), 4);
        assert_eq!(browse(asked.search().trim_start_matches('?')), asked);
        let query = asked.query().unwrap();
        assert_eq!((query.flagged, query.reason), (Some(true), Some(FlagReason::WrongLabel)));
        assert_eq!(query.confidence_max.unwrap().get(), 0.9);
        assert_eq!(asked.unfiltered().search(), "?sort=confidence&view=table");
        let disputed = browse("device=other_version_disagrees");
        assert_eq!(disputed.query().unwrap().device, Some(DeviceComparison::OtherVersionDisagrees));
        assert_eq!(browse(disputed.search().trim_start_matches('?')), disputed);
        let of_a_replay = browse("source=replay%2F0d3f6a1c");
        assert_eq!(of_a_replay.query().unwrap().source.as_deref(), Some("replay/0d3f6a1c"));
        assert_eq!(browse(of_a_replay.search().trim_start_matches('?')), of_a_replay);
    }

    #[test]
    fn the_last_day_is_meant_to_its_end() {
        let query = browse("from=2026-11-24&to=2026-11-24").query().unwrap();
        assert_eq!(query.to.unwrap() - query.from.unwrap(), chrono::TimeDelta::days(1));
    }

    #[test]
    fn a_moment_is_meant_as_it_is() {
        let asked = browse("from=2026-11-24T10%3A00%3A00Z&to=2026-11-24T11%3A00%3A00Z&label=Soup&campaign=Mix");
        let query = asked.query().unwrap();
        assert_eq!(query.to.unwrap() - query.from.unwrap(), chrono::TimeDelta::hours(1));
        assert_eq!((query.label.as_deref(), query.campaign.as_deref()), (Some("Soup"), Some("Mix")));
        assert_eq!(browse(asked.search().trim_start_matches('?')), asked);
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        for (search, named) in [
            ("min=101", "min"),
            ("min=ten", "min"),
            ("min=90&max=10", "confidence_min"),
            ("flag=boring", "flag"),
            ("corrected=maybe", "corrected"),
            ("from=yesterday", "from"),
            ("from=2026-11-25&to=2026-11-24", "from"),
            ("place=attic", "place"),
            ("device=yes", "device"),
            ("sort=beauty", "sort"),
            ("annotated=no&annotator=ann", "annotator"),
            ("annotated=no&label=Soup", "label"),
            ("source=replay%00", "source"),
        ] {
            let problem = browse(search).query().unwrap_err();
            assert!(problem.detail.contains(named), "{search}: {}", problem.detail);
        }
    }

    #[test]
    fn pressing_a_column_twice_turns_its_order() {
        let once = browse("view=table").sort(SortKey::Confidence);
        assert_eq!(once.sorted_by(), (SortKey::Confidence, SortOrder::Ascending));
        let twice = once.sort(SortKey::Confidence);
        assert_eq!(twice.sorted_by(), (SortKey::Confidence, SortOrder::Descending));
        assert_eq!(twice.sort(SortKey::Time).search(), "?view=table");
    }

    #[test]
    fn another_filter_begins_at_the_first_page() {
        let deep = browse("after=abc&class=Soup");
        assert_eq!(deep.with(Field::Class, "Egg").search(), "?class=Egg");
        let id = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        assert_eq!(deep.photo(id), format!("/photos/{id}?class=Soup"));
    }
}

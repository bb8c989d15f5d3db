//! What the dashboard is asked for by its address: a plain form writes it, links change a part of it.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, SecondsFormat, Utc};
use gourmetgram_api::{Evaluation, EvaluationQuery, EvaluationWindow, Problem, ProblemKind, SeriesStep, SliceBy};
use leptos_router::params::ParamsMap;

use crate::explore::{Browse, Field};

/// The page's path.
pub(super) const PAGE: &str = "/dashboard";

/// The parts of the address, in the order in which links write them.
const PARTS: [&str; 6] = ["window", "from", "to", "model", "step", "slice"];

/// The address as it is written: a form that was filled in wrongly is shown as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked([String; PARTS.len()]);

impl Asked {
    /// Longest part that is looked at, in characters: what is longer is refused, as no name of ours is.
    const LONGEST: usize = 200;

    /// Reads an address. What nobody knows is left alone, what is empty (a form sends that) is not asked for.
    pub(super) fn read(params: &ParamsMap) -> Self {
        Self(PARTS.map(|part| params.get(part).unwrap_or_default().trim().chars().take(Self::LONGEST).collect()))
    }

    /// One part; empty where it is not asked for.
    pub(super) fn get(&self, part: &str) -> &str {
        let known = PARTS.iter().position(|known| *known == part);
        known.and_then(|at| self.0.get(at)).map_or("", String::as_str)
    }

    /// The same with one part changed.
    #[must_use]
    pub(super) fn with(mut self, part: &str, value: impl Into<String>) -> Self {
        if let Some(at) = PARTS.iter().position(|known| *known == part)
            && let Some(place) = self.0.get_mut(at)
        {
            *place = value.into();
        }
        self
    }

    /// The address that asks for it.
    pub(super) fn address(&self) -> String {
        let parts = PARTS.iter().zip(&self.0).filter(|(_, value)| !value.is_empty()).collect::<Vec<_>>();
        match serde_urlencoded::to_string(parts) {
            Ok(search) if !search.is_empty() => format!("{PAGE}?{search}"),
            _ => PAGE.to_owned(),
        }
    }

    /// The address of the same for one stretch of time.
    pub(super) fn between(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> String {
        let asked = self.clone().with("window", "").with("step", "");
        asked.with("from", written(from)).with("to", written(to)).address()
    }

    /// The question to the evaluation. Days are whole days in UTC; where a first day is said, the named window is not
    /// meant, because a form always sends that.
    ///
    /// # Errors
    /// A problem that names the part that cannot be meant.
    pub(super) fn query(&self) -> Result<EvaluationQuery, Problem> {
        let bad = |text: String| Problem::new(ProblemKind::BadRequest, text);
        let from = self.time("from", NaiveTime::MIN, 0)?;
        let to = self.time("to", NaiveTime::MIN, 1)?;
        let window = match self.get("window") {
            _ if from.is_some() => None,
            "" => None,
            text => Some(
                text.parse::<EvaluationWindow>()
                    .map_err(|_| bad(format!("window is {text:?}: it can be 1d, 7d, 30d or all")))?,
            ),
        };
        let step = match self.get("step") {
            "" => None,
            text => Some(
                text.parse::<SeriesStep>()
                    .map_err(|_| bad(format!("step is {text:?}: it can be hour, day or month")))?,
            ),
        };
        let slice = match self.get("slice") {
            "" => None,
            text => Some(text.parse::<SliceBy>().map_err(|_| {
                bad(format!("slice is {text:?}: it can be class, confidence, model, source, hour or tag"))
            })?),
        };
        let model = Some(self.get("model").to_owned()).filter(|model| !model.is_empty());
        Ok(EvaluationQuery { from, to, window, model, step, slice })
    }

    /// A day or a moment; of a day `days` later.
    fn time(&self, part: &str, at: NaiveTime, days: u64) -> Result<Option<DateTime<Utc>>, Problem> {
        let text = self.get(part);
        if text.is_empty() {
            return Ok(None);
        }
        if let Ok(moment) = text.parse::<DateTime<Utc>>() {
            return Ok(Some(moment));
        }
        let day = text.parse::<NaiveDate>().ok().and_then(|day| day.checked_add_days(Days::new(days)));
        match day {
            Some(day) => Ok(Some(day.and_time(at).and_utc())),
            None => Err(Problem::new(
                ProblemKind::BadRequest,
                format!("{part} is {text:?}: write a day like 2026-11-24, or a moment like 2026-11-24T10:00:00Z"),
            )),
        }
    }

    /// A part as the field of a date has it: a field that is given anything else stays empty and complains.
    pub(super) fn day(&self, part: &str) -> Option<String> {
        let day: String = self.get(part).chars().take(10).collect();
        day.parse::<NaiveDate>().is_ok().then_some(day)
    }
}

/// The list of exactly the photos an evaluation is about, but for those that were erased since.
pub(super) fn photos_of(evaluation: &Evaluation) -> Browse {
    let window = &evaluation.window;
    let browse = Browse::default().with(Field::ModelVersion, evaluation.model.clone());
    browse.with(Field::From, written(window.from)).with(Field::To, written(window.to))
}

/// A moment as addresses have it.
fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(parts: &[(&str, &str)]) -> Asked {
        let mut params = ParamsMap::new();
        for (name, value) in parts {
            params.insert((*name).to_owned(), (*value).to_owned());
        }
        Asked::read(&params)
    }

    #[test]
    fn a_form_that_was_left_as_it_is_asks_for_nothing() {
        let query = asked(&[("window", ""), ("from", ""), ("model", ""), ("step", ""), ("slice", "")]).query();
        assert_eq!(query, Ok(EvaluationQuery::default()));
    }

    #[test]
    fn days_are_whole_and_win_over_the_named_window() {
        let query = asked(&[("window", "7d"), ("from", "2026-11-23"), ("to", "2026-11-24")]).query().unwrap();
        assert_eq!(query.window, None);
        assert_eq!(query.from, "2026-11-23T00:00:00Z".parse().ok());
        assert_eq!(query.to, "2026-11-25T00:00:00Z".parse().ok());
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        for (part, value) in [("window", "2w"), ("from", "soon"), ("to", "31.12."), ("step", "week"), ("slice", "dish")]
        {
            let problem = asked(&[(part, value)]).query().unwrap_err();
            assert!(problem.detail.contains(part) && problem.detail.contains(value), "{problem}");
        }
    }

    #[test]
    fn a_stretch_of_time_keeps_the_model_and_the_slice() {
        let asked = asked(&[("window", "30d"), ("model", "v2"), ("slice", "class")]);
        let (from, to) = ("2026-11-23T10:00:00Z".parse().unwrap(), "2026-11-23T11:00:00Z".parse().unwrap());
        let address = asked.between(from, to);
        assert_eq!(
            address,
            "/dashboard?from=2026-11-23T10%3A00%3A00Z&to=2026-11-23T11%3A00%3A00Z&model=v2&slice=class"
        );
    }
}

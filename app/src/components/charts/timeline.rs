//! Accuracy over time.

use chrono::{DateTime, TimeDelta, Utc};
use leptos::prelude::*;

use super::{
    Estimate, Figure, Key, Scale, Swatch,
    figure::{DIAMOND, columns},
    scale::place,
};
use crate::wording::{grouped, photos, share};

/// One window of the chart.
#[derive(Clone, Debug, PartialEq)]
pub struct TimelineWindow {
    /// Its start.
    pub from: DateTime<Utc>,
    /// Its end, without it.
    pub to: DateTime<Utc>,
    /// Accuracy with its interval; absent without a label.
    pub accuracy: Option<Estimate>,
    /// Too few labels to say anything by.
    pub is_small: bool,
    /// The random sample alone.
    pub check: Option<Estimate>,
    /// What the model itself expects, without labels.
    pub expected: Option<f64>,
    /// Labels are still to come.
    pub is_provisional: bool,
    /// Photos.
    pub photos: u64,
    /// Labels.
    pub labels: u64,
    /// Where the window is looked at by itself.
    pub href: String,
}

/// A moment from which another version answered, for the first time or again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelChange {
    /// When.
    pub at: DateTime<Utc>,
    /// Which.
    pub version: String,
}

/// A value that accuracy is held against.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound(pub f64);

/// The chart: a band and a dot each window, in the order of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    /// The windows, the oldest first.
    pub windows: Vec<TimelineWindow>,
    /// Versions that began or took over within them.
    pub changes: Vec<ModelChange>,
    /// The accuracy that is wanted.
    pub target: Option<Bound>,
}

/// Most dates written along the axis.
const DATES: usize = 6;

impl Timeline {
    /// The figure; `None` without a window. `heads` name the columns of the table behind it: accuracy, random sample,
    /// expected, labels, photos.
    pub fn figure(&self, id: &'static str, title: AnyView, heads: [AnyView; 5]) -> Option<AnyView> {
        let (first, last) = (self.windows.first()?, self.windows.last()?);
        let along = Scale::new(first.from.timestamp() as f64, last.to.timestamp() as f64);
        let up = Scale::around(self.values());
        Some(
            Figure {
                id,
                title,
                description: self.description(),
                legend: self.legend(),
                shape: "time",
                up: "right answers",
                along: "",
                drawing: self.drawing(along, up),
                table: self.table(heads),
            }
            .view(),
        )
    }

    fn values(&self) -> impl Iterator<Item = f64> {
        let windows = self.windows.iter().flat_map(|window| {
            let measured = window.accuracy.filter(|_| !window.is_small);
            // What is too small to say anything by must not make the scale coarse either.
            let check = window.check.filter(|_| !window.is_small).map(|check| check.value);
            measured.into_iter().flat_map(|it| [it.lower, it.upper]).chain(check).chain(window.expected)
        });
        windows.chain(self.target.map(|Bound(target)| target))
    }

    fn legend(&self) -> Vec<Key> {
        let any = |has: fn(&TimelineWindow) -> bool| self.windows.iter().any(has);
        let target = self.target.map(|Bound(target)| format!("target {}", share(target))).unwrap_or_default();
        let keys = [
            (true, Swatch::Estimate, "accuracy"),
            (true, Swatch::Interval, "95% interval"),
            (any(|window| window.check.is_some()), Swatch::Check, "random sample alone"),
            (any(|window| window.expected.is_some()), Swatch::Expected, "expected without labels"),
            (self.target.is_some(), Swatch::Target, target.as_str()),
            (any(|window| window.is_provisional), Swatch::Provisional, "provisional: labels still come"),
            (!self.changes.is_empty(), Swatch::Change, "another model"),
        ];
        keys.into_iter().filter(|(there, ..)| *there).map(|(_, swatch, name)| Key::new(swatch, name)).collect()
    }

    fn description(&self) -> String {
        let said = self
            .windows
            .iter()
            .filter(|window| !window.is_small)
            .filter_map(|window| window.accuracy.map(|accuracy| (window, accuracy)));
        let said: Vec<_> = said.collect();
        let windows = grouped(self.windows.len() as u64);
        let least = said.iter().min_by(|a, b| a.1.value.total_cmp(&b.1.value));
        let most = said.iter().max_by(|a, b| a.1.value.total_cmp(&b.1.value));
        let (Some((low, least)), Some((high, most))) = (least, most) else {
            return format!("{windows} windows, none with labels enough to say how accurate the model was.");
        };
        match said.len() {
            1 => format!("One of {windows} windows has labels enough: {}, {}.", span(low), share(least.value)),
            number => format!(
                "{number} of {windows} windows have labels enough: from {} ({}) to {} ({}).",
                share(least.value),
                span(low),
                share(most.value),
                span(high)
            ),
        }
    }

    fn drawing(&self, along: Scale, up: Scale) -> AnyView {
        let x = move |at: DateTime<Utc>| along.at(at.timestamp() as f64);
        let middle = move |window: &TimelineWindow| x(window.from + (window.to - window.from) / 2);
        let y = move |value: f64| place(up.down(value));

        let lines = up.ticks(5).into_iter().map(|tick| {
            view! {
                <line class="chart__line" x1="0%" x2="100%" y1=y(tick) y2=y(tick)/>
                <text class="chart__label chart__label--up" x="-8" y=y(tick)>{format!("{:.0}%", tick * 100.0)}</text>
            }
        });
        let every = self.windows.len().div_ceil(DATES);
        let brief = self.windows.first().is_some_and(|window| window.to - window.from < TimeDelta::days(1));
        let dates = self.windows.iter().step_by(every).enumerate().map(|(number, window)| {
            let class = if number % 2 == 0 { "chart__label" } else { "chart__label chart__label--if-wide" };
            let text = window.from.format(if brief { "%-d %b %H:%M" } else { "%-d %b" }).to_string();
            view! {
                <line class="chart__tick" x1=place(x(window.from)) x2=place(x(window.from)) y1="100%" y2="100%"/>
                <text class=class x=place(x(window.from)) y="100%" dy="1.5em">{text}</text>
            }
        });
        let grounds = self.windows.iter().filter(|window| window.is_provisional).map(|window| {
            let width = x(window.to) - x(window.from);
            view! { <rect class="chart__provisional" fill="url(#hatch)" x=place(x(window.from)) width=place(width) y="0" height="100%"/> }
        });
        let bands = self.windows.iter().filter_map(|window| window.accuracy.map(|it| (window, it))).map(|(window, it)| {
            let (width, height) = (x(window.to) - x(window.from), up.down(it.lower) - up.down(it.upper));
            let class = if window.is_small { "chart__band chart__band--small" } else { "chart__band" };
            view! { <rect class=class x=place(x(window.from)) width=place(width) y=y(it.upper) height=place(height)/> }
        });
        let joins = |value: fn(&TimelineWindow) -> Option<f64>, class: &'static str| {
            let pairs = self.windows.windows(2).filter_map(move |pair| {
                let [from, to] = pair else { return None };
                // What was not measured is not bridged.
                (from.to == to.from).then_some(())?;
                Some((middle(from), value(from)?, middle(to), value(to)?))
            });
            let lines = pairs.map(move |(x1, y1, x2, y2)| {
                view! { <line class=class x1=place(x1) y1=y(y1) x2=place(x2) y2=y(y2)/> }
            });
            lines.collect_view()
        };
        let expected = joins(|window| window.expected, "chart__expected");
        // A single window has nothing to be joined with: its expectation is a line across it.
        let lone = self.windows.iter().filter(|_| self.windows.len() == 1).filter_map(|window| {
            let value = window.expected?;
            Some(view! { <line class="chart__expected" x1="0%" x2="100%" y1=y(value) y2=y(value)/> })
        });
        let joined = joins(|window| window.accuracy.filter(|_| !window.is_small).map(|it| it.value), "chart__join");
        let checks = self.windows.iter().filter(|window| !window.is_small).filter_map(|window| {
            let check = window.check?;
            Some(view! { <svg class="chart__mark" x=place(middle(window)) y=y(check.value)><path class="chart__check" d=DIAMOND/></svg> })
        });
        let dots = self.windows.iter().filter(|window| !window.is_small).filter_map(|window| {
            let it = window.accuracy?;
            Some(view! { <circle class="chart__dot" cx=place(middle(window)) cy=y(it.value) r="4.5"/> })
        });
        let target = self.target.map(|Bound(target)| {
            view! { <line class="chart__target" x1="0%" x2="100%" y1=y(target) y2=y(target)/> }
        });
        let changes = self.changes.iter().map(|change| {
            let at = x(change.at);
            let class =
                if at > 60.0 { "chart__label chart__label--before" } else { "chart__label chart__label--after" };
            let shift = if at > 60.0 { -6 } else { 6 };
            view! {
                <line class="chart__change" x1=place(at) x2=place(at) y1="0%" y2="100%"/>
                <text class=class x=place(at) dx=shift y="0" dy="1em">{change.version.clone()}</text>
            }
        });
        let touched = self.windows.iter().map(|window| {
            let width = x(window.to) - x(window.from);
            view! {
                <rect class="chart__touch" x=place(x(window.from)) width=place(width) y="0" height="100%">
                    <title>{format!("{}: {}", span(window), told(window))}</title>
                </rect>
            }
        });
        view! {
            <defs>
                <pattern id="hatch" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                    <line class="chart__hatch" x1="0" x2="0" y1="0" y2="8"/>
                </pattern>
            </defs>
            {grounds.collect_view()}
            {lines.collect_view()}
            {dates.collect_view()}
            {bands.collect_view()}
            {changes.collect_view()}
            {target}
            {expected}
            {lone.collect_view()}
            {joined}
            {checks.collect_view()}
            {dots.collect_view()}
            {touched.collect_view()}
        }
        .into_any()
    }

    fn table(&self, heads: [AnyView; 5]) -> AnyView {
        let rows = self.windows.iter().rev().map(|window| {
            let accuracy = match (window.accuracy, window.is_small) {
                (None, _) => "no labels".to_owned(),
                (Some(_), true) => "n too small".to_owned(),
                (Some(it), false) => format!("{} ({} to {})", share(it.value), share(it.lower), share(it.upper)),
            };
            let check = window.check.filter(|_| !window.is_small).map_or_else(|| "–".to_owned(), |it| share(it.value));
            let notes = if window.is_provisional { "provisional" } else { "" };
            view! {
                <tr>
                    <th scope="row"><a href=window.href.clone() rel="external">{span(window)}</a></th>
                    <td class="number">{accuracy}</td>
                    <td class="number">{check}</td>
                    <td class="number">{window.expected.map_or_else(|| "–".to_owned(), share)}</td>
                    <td class="number">{grouped(window.labels)}</td>
                    <td class="number">{grouped(window.photos)}</td>
                    <td>{notes}</td>
                </tr>
            }
        });
        view! {
            <thead>
                <tr>
                    <th scope="col">"Window, UTC"</th>
                    {columns(heads)}
                    <th scope="col">"State"</th>
                </tr>
            </thead>
            <tbody>{rows.collect_view()}</tbody>
        }
        .into_any()
    }
}

/// When the window was, as briefly as can be.
fn span(window: &TimelineWindow) -> String {
    let TimelineWindow { from, to, .. } = window;
    let length = *to - *from;
    if length == TimeDelta::days(1) && from.time() == chrono::NaiveTime::MIN {
        return from.format("%-d %b").to_string();
    }
    let end = if from.date_naive() == to.date_naive() { "%H:%M" } else { "%-d %b %H:%M" };
    format!("{} to {}", from.format("%-d %b %H:%M"), to.format(end))
}

/// What the pointer is told.
fn told(window: &TimelineWindow) -> String {
    let of = format!("{} of {} labelled", grouped(window.labels), photos(window.photos));
    match (window.accuracy, window.is_small) {
        (None, _) => of,
        (Some(_), true) => format!("n too small; {of}"),
        (Some(it), false) => format!("{} ({} to {}); {of}", share(it.value), share(it.lower), share(it.upper)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::charts::drawn::{self, has, tags};

    fn day(number: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(20_000 + number)
    }

    fn around(value: f64) -> Estimate {
        Estimate { value, lower: value - 0.1, upper: value + 0.1 }
    }

    fn window(number: i64, accuracy: Option<f64>) -> TimelineWindow {
        TimelineWindow {
            from: day(number),
            to: day(number + 1),
            accuracy: accuracy.map(around),
            is_small: false,
            check: accuracy.map(|value| around(value - 0.05)),
            expected: Some(0.9),
            is_provisional: false,
            photos: 400,
            labels: 40,
            href: "/dashboard".to_owned(),
        }
    }

    /// Four days: another version from the third on, labels of the fourth still come.
    fn four_days() -> Timeline {
        let mut windows: Vec<TimelineWindow> =
            [0.8, 0.75, 0.75, 0.7].into_iter().zip(0..).map(|(value, number)| window(number, Some(value))).collect();
        windows[3].is_provisional = true;
        let changes = vec![ModelChange { at: day(2), version: "food64-2".to_owned() }];
        Timeline { windows, changes, target: Some(Bound(0.8)) }
    }

    /// The figure, without the table behind it.
    fn figure(timeline: &Timeline) -> String {
        let heads = [(); 5].map(|()| "Head".into_any());
        drawn::figure(timeline.figure("timeline", "Over time".into_any(), heads).unwrap())
    }

    fn drawing(timeline: &Timeline) -> String {
        drawn::drawing(&figure(timeline))
    }

    #[test]
    fn every_window_has_a_band_a_dot_and_a_diamond_in_its_place() {
        let drawing = drawing(&four_days());
        // From 60 % to 90 %, what bands, expectation and target need.
        let bands = tags(&drawing, "chart__band");
        assert_eq!(bands.len(), 4);
        has(bands[0], &["x=\"0.00%\"", "width=\"25.00%\"", "y=\"0.00%\"", "height=\"66.67%\""]);
        has(bands[3], &["x=\"75.00%\"", "width=\"25.00%\"", "y=\"33.33%\"", "height=\"66.67%\""]);
        let dots = tags(&drawing, "chart__dot");
        assert_eq!(dots.len(), 4);
        has(dots[0], &["cx=\"12.50%\"", "cy=\"33.33%\""]);
        let marks = tags(&drawing, "chart__mark");
        assert_eq!((marks.len(), tags(&drawing, "chart__check").len()), (4, 4));
        has(marks[0], &["x=\"12.50%\"", "y=\"50.00%\""]);
        assert_eq!(tags(&drawing, "chart__join").len(), 3, "a line from dot to dot");
    }

    #[test]
    fn a_window_whose_labels_still_come_is_hatched_and_no_other() {
        let timeline = four_days();
        let drawn = drawing(&timeline);
        let grounds = tags(&drawn, "chart__provisional");
        assert_eq!(grounds.len(), 1);
        has(grounds[0], &["fill=\"url(#hatch)\"", "x=\"75.00%\"", "width=\"25.00%\"", "height=\"100%\""]);
        assert!(drawn.contains("<pattern id=\"hatch\"") && tags(&drawn, "chart__hatch").len() == 1, "{drawn}");
        assert!(figure(&timeline).contains("provisional: labels still come"));
        let mut complete = timeline;
        complete.windows[3].is_provisional = false;
        assert!(tags(&drawing(&complete), "chart__provisional").is_empty());
        assert!(!figure(&complete).contains("provisional"), "nor does the legend speak of it");
    }

    #[test]
    fn another_version_is_marked_where_it_began_and_named() {
        let drawing = drawing(&four_days());
        let changes = tags(&drawing, "chart__change");
        assert_eq!(changes.len(), 1);
        has(changes[0], &["x1=\"50.00%\"", "x2=\"50.00%\"", "y1=\"0%\"", "y2=\"100%\""]);
        let names = tags(&drawing, "chart__label chart__label--after");
        has(names[0], &["x=\"50.00%\""]);
        assert!(drawing.contains(">food64-2<"), "{drawing}");
        let mut alone = four_days();
        alone.changes.clear();
        assert!(!figure(&alone).contains("chart__change"));
    }

    #[test]
    fn the_target_is_a_line_across_and_what_needs_no_label_a_line_of_its_own() {
        let timeline = four_days();
        let drawn = drawing(&timeline);
        let target = tags(&drawn, "chart__target");
        assert_eq!(target.len(), 1);
        has(target[0], &["x1=\"0%\"", "x2=\"100%\"", "y1=\"33.33%\"", "y2=\"33.33%\""]);
        let expected = tags(&drawn, "chart__expected");
        assert_eq!(expected.len(), 3, "from middle to middle");
        has(expected[0], &["x1=\"12.50%\"", "x2=\"37.50%\"", "y1=\"0.00%\"", "y2=\"0.00%\""]);
        assert!(figure(&timeline).contains("target 80.0%"));
        let mut none = four_days();
        none.target = None;
        assert!(!figure(&none).contains("chart__target"));
    }

    #[test]
    fn what_was_not_measured_is_neither_drawn_nor_bridged() {
        let mut timeline = four_days();
        // The second day is missing, the third has few labels, the fourth none.
        timeline.windows.remove(1);
        timeline.windows[1].is_small = true;
        timeline.windows[2] = window(3, None);
        let drawing = drawing(&timeline);
        assert_eq!(tags(&drawing, "chart__dot").len(), 1);
        assert_eq!(tags(&drawing, "chart__check").len(), 1);
        assert_eq!(
            (tags(&drawing, "chart__band").len(), tags(&drawing, "chart__band chart__band--small").len()),
            (1, 1)
        );
        assert!(tags(&drawing, "chart__join").is_empty());
        assert_eq!(tags(&drawing, "chart__expected").len(), 1, "the first day is not joined with the third");
        assert!(drawing.contains("n too small; 40 of 400 photos labelled"), "{drawing}");
        // One alone has its expectation as a line across.
        timeline.windows.truncate(1);
        let lone = self::drawing(&timeline);
        has(tags(&lone, "chart__expected")[0], &["x1=\"0%\"", "x2=\"100%\""]);
        assert!(
            Timeline { windows: Vec::new(), ..timeline }
                .figure("t", ().into_any(), [(); 5].map(|()| ().into_any()))
                .is_none()
        );
    }
}

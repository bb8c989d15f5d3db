//! How confident answers are, and how confident they were.

use leptos::prelude::*;

use super::{Figure, Key, Scale, Swatch, figure::columns, scale::place};
use crate::wording::{grouped, photos, share};

/// One bin of confidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HistogramBin {
    /// Least confidence in it.
    pub from: f64,
    /// Most confidence in it.
    pub to: f64,
    /// Photos of the window.
    pub photos: u64,
    /// The share of photos of the reference that lay in it, from 0 to 1; absent without a reference.
    pub reference: Option<f64>,
}

/// The distribution of confidence.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram(pub Vec<HistogramBin>);

impl Histogram {
    /// The figure. `heads` name the columns of the table behind it: photos, their share, the share of the first photos.
    pub fn figure(&self, id: &'static str, title: AnyView, heads: [AnyView; 3]) -> AnyView {
        let mut legend = vec![Key::new(Swatch::Bars, "photos of this window")];
        if self.0.iter().any(|bin| bin.reference.is_some()) {
            legend.push(Key::new(Swatch::Outline, "the version’s first photos"));
        }
        Figure {
            id,
            title,
            description: self.description(),
            legend,
            shape: "square",
            up: "share of photos",
            along: "confidence",
            drawing: self.drawing(),
            table: self.table(heads),
        }
        .view()
    }

    fn photos(&self) -> u64 {
        self.0.iter().map(|bin| bin.photos).sum()
    }

    fn share_of(&self, bin: &HistogramBin) -> f64 {
        bin.photos as f64 / self.photos().max(1) as f64
    }

    fn description(&self) -> String {
        match self.0.iter().max_by_key(|bin| bin.photos).filter(|bin| bin.photos > 0) {
            None => "No photo in this window.".to_owned(),
            Some(bin) => format!(
                "{}. Most of them, {}, were answered with a confidence between {} and {}.",
                photos(self.photos()),
                share(self.share_of(bin)),
                share(bin.from),
                share(bin.to)
            ),
        }
    }

    fn drawing(&self) -> AnyView {
        let highest = self.0.iter().flat_map(|bin| [self.share_of(bin), bin.reference.unwrap_or_default()]);
        let highest = highest.fold(0.0, f64::max);
        let up = Scale::new(0.0, ((highest * 10.0).ceil() / 10.0).clamp(0.1, 1.0));
        let along = Scale::SHARES;
        let (x, y) = (move |value| place(along.at(value)), move |value| place(up.down(value)));
        let lines = up.ticks(5).into_iter().map(|tick| {
            view! {
                <line class="chart__line" x1="0%" x2="100%" y1=y(tick) y2=y(tick)/>
                <text class="chart__label chart__label--up" x="-8" y=y(tick)>{format!("{:.0}%", tick * 100.0)}</text>
            }
        });
        let ticks = along.ticks(5).into_iter().map(|tick| {
            view! { <text class="chart__label chart__label--middle" x=x(tick) y="100%" dy="1.5em">{format!("{:.0}%", tick * 100.0)}</text> }
        });
        let bars = self.0.iter().map(|bin| {
            let height = up.at(self.share_of(bin));
            view! {
                <rect class="chart__bar" x=x(bin.from) width=place(along.at(bin.to) - along.at(bin.from)) y=place(100.0 - height) height=place(height)>
                    <title>{format!("{} to {}: {}", share(bin.from), share(bin.to), photos(bin.photos))}</title>
                </rect>
            }
        });
        let outline = self.0.iter().enumerate().filter_map(|(number, bin)| {
            let here = bin.reference?;
            let before = number.checked_sub(1).and_then(|before| self.0.get(before)?.reference).unwrap_or_default();
            Some(view! {
                <line class="chart__outline" x1=x(bin.from) x2=x(bin.from) y1=y(before) y2=y(here)/>
                <line class="chart__outline" x1=x(bin.from) x2=x(bin.to) y1=y(here) y2=y(here)/>
            })
        });
        view! {
            {lines.collect_view()}
            {ticks.collect_view()}
            {bars.collect_view()}
            {outline.collect_view()}
        }
        .into_any()
    }

    fn table(&self, heads: [AnyView; 3]) -> AnyView {
        let rows = self.0.iter().map(|bin| {
            view! {
                <tr>
                    <th scope="row">{format!("{} to {}", share(bin.from), share(bin.to))}</th>
                    <td class="number">{grouped(bin.photos)}</td>
                    <td class="number">{share(self.share_of(bin))}</td>
                    <td class="number">{bin.reference.map_or_else(|| "–".to_owned(), share)}</td>
                </tr>
            }
        });
        view! {
            <thead>
                <tr>
                    <th scope="col">"Confidence"</th>
                    {columns(heads)}
                </tr>
            </thead>
            <tbody>{rows.collect_view()}</tbody>
        }
        .into_any()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::charts::drawn::{self, has, tags};

    /// Two halves of the scale with so many photos, and what part of the reference lay in each.
    fn figure(halves: [(u64, Option<f64>); 2]) -> String {
        let bin = |(photos, reference), from| HistogramBin { from, to: from + 0.5, photos, reference };
        let heads = [(); 3].map(|()| "Head".into_any());
        let histogram = Histogram(vec![bin(halves[0], 0.0), bin(halves[1], 0.5)]);
        drawn::figure(histogram.figure("histogram", "How sure".into_any(), heads))
    }

    #[test]
    fn bars_stand_on_the_ground_as_high_as_their_share_and_the_outline_goes_over_them() {
        let figure = figure([(25, Some(0.5)), (75, Some(0.4))]);
        let drawing = drawn::drawing(&figure);
        // The scale ends at the tenth above the highest: 80 %.
        let bars = tags(&drawing, "chart__bar");
        assert_eq!(bars.len(), 2);
        has(bars[0], &["x=\"0.00%\"", "width=\"50.00%\"", "y=\"68.75%\"", "height=\"31.25%\""]);
        has(bars[1], &["x=\"50.00%\"", "width=\"50.00%\"", "y=\"6.25%\"", "height=\"93.75%\""]);
        let outline = tags(&drawing, "chart__outline");
        assert_eq!(outline.len(), 4, "up, along, down, along");
        has(outline[0], &["x1=\"0.00%\"", "x2=\"0.00%\"", "y1=\"100.00%\"", "y2=\"37.50%\""]);
        has(outline[1], &["x1=\"0.00%\"", "x2=\"50.00%\"", "y1=\"37.50%\"", "y2=\"37.50%\""]);
        has(outline[2], &["x1=\"50.00%\"", "x2=\"50.00%\"", "y1=\"37.50%\"", "y2=\"50.00%\""]);
        has(outline[3], &["x1=\"50.00%\"", "x2=\"100.00%\"", "y1=\"50.00%\"", "y2=\"50.00%\""]);
        assert!(
            figure.contains("100 photos. Most of them, 75.0%, were answered with a confidence between 50.0% and 100%.")
        );
        assert!(figure.contains("the version’s first photos"), "{figure}");
    }

    #[test]
    fn without_a_reference_there_is_no_outline_and_without_photos_nothing_stands() {
        let alone = figure([(0, None), (1, None)]);
        assert!(!alone.contains("chart__outline") && !alone.contains("first photos"), "{alone}");
        assert!(alone.contains("1 photo. Most of them, 100%"), "{alone}");
        has(tags(&drawn::drawing(&alone), "chart__bar")[1], &["y=\"0.00%\"", "height=\"100.00%\""]);
        let nothing = figure([(0, None), (0, None)]);
        assert!(nothing.contains("No photo in this window."), "{nothing}");
        for bar in tags(&drawn::drawing(&nothing), "chart__bar") {
            has(bar, &["y=\"100.00%\"", "height=\"0.00%\""]);
        }
    }
}

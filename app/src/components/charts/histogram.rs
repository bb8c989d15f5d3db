//! How confident answers are, and how confident they were.

use leptos::prelude::*;

use super::{Figure, Key, Scale, Swatch, figure::columns, scale::place};
use crate::wording::{grouped, share};

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
                "{} photos. Most of them, {}, were answered with a confidence between {} and {}.",
                grouped(self.photos()),
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
                    <title>{format!("{} to {}: {} photos", share(bin.from), share(bin.to), grouped(bin.photos))}</title>
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

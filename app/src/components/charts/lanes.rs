//! Several ways to say how accurate the model is, on one scale below each other.

use leptos::prelude::*;

use super::{Estimate, Scale, figure::DIAMOND, scale::place};
use crate::wording::share;

/// What a lane shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LaneMark {
    /// The headline: a thick interval with its estimate.
    Headline(Estimate),
    /// An interval with its estimate.
    Interval(Estimate),
    /// A value without an interval.
    Point(f64),
    /// A value that is wrong.
    Wrong(f64),
    /// Nothing: in place of the value stands why.
    Nothing(&'static str),
}

/// One lane.
pub struct Lane {
    /// What it is called.
    pub name: AnyView,
    /// A few words more.
    pub note: String,
    /// What it shows.
    pub mark: LaneMark,
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Lane").field("mark", &self.mark).finish_non_exhaustive()
    }
}

/// The lanes, a table that is drawn.
pub struct Lanes {
    /// From the top.
    pub lanes: Vec<Lane>,
    /// The accuracy that is wanted, and what it is called: a line through all of them.
    pub target: Option<(AnyView, f64)>,
    /// What the table is called.
    pub caption: &'static str,
}

impl std::fmt::Debug for Lanes {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Lanes")
            .field("lanes", &self.lanes)
            .field("caption", &self.caption)
            .finish_non_exhaustive()
    }
}

impl Lanes {
    /// The table.
    pub fn view(self) -> AnyView {
        let values = self.lanes.iter().flat_map(|lane| match lane.mark {
            LaneMark::Headline(it) | LaneMark::Interval(it) => vec![it.lower, it.upper],
            LaneMark::Point(value) | LaneMark::Wrong(value) => vec![value],
            LaneMark::Nothing(_) => Vec::new(),
        });
        let target = self.target.as_ref().map(|(_, target)| *target);
        let scale = Scale::around(values.chain(target));
        let rows = self.lanes.into_iter().map(|lane| {
            view! {
                <tr class="lane">
                    <th scope="row" class="lane__name">{lane.name} <span class="lane__note">{lane.note}</span></th>
                    <td class="lane__drawing">
                        <svg class="lane__svg" aria-hidden="true" focusable="false">
                            {ground(scale, target)}
                            {mark(lane.mark, scale)}
                        </svg>
                    </td>
                    <td class="lane__value">{value(lane.mark)}</td>
                </tr>
            }
        });
        let ticks = scale.ticks(5).into_iter().map(|tick| {
            view! { <text class="chart__label chart__label--middle" x=place(scale.at(tick)) y="1em">{format!("{:.0}%", tick * 100.0)}</text> }
        });
        let wanted = self.target.map(|(name, target)| {
            view! {
                <tr class="lane lane--target">
                    <th scope="row" class="lane__name">{name} <span class="lane__note">"the line through all of them"</span></th>
                    <td class="lane__drawing">
                        <svg class="lane__svg" aria-hidden="true" focusable="false">{ground(scale, Some(target))}</svg>
                    </td>
                    <td class="lane__value">{share(target)}</td>
                </tr>
            }
        });
        view! {
            <table class="lanes">
                <caption class="visually-hidden">{self.caption}</caption>
                <thead class="visually-hidden">
                    <tr><th scope="col">"What"</th><th scope="col">"Drawn"</th><th scope="col">"Right answers"</th></tr>
                </thead>
                <tbody>{rows.collect_view()} {wanted}</tbody>
                <tfoot aria-hidden="true">
                    <tr class="lane lane--axis">
                        <td></td>
                        <td class="lane__drawing"><svg class="lane__axis" focusable="false">{ticks.collect_view()}</svg></td>
                        <td></td>
                    </tr>
                </tfoot>
            </table>
        }
        .into_any()
    }
}

fn ground(scale: Scale, target: Option<f64>) -> impl IntoView {
    let lines = scale.ticks(5).into_iter().map(|tick| {
        let x = place(scale.at(tick));
        view! { <line class="chart__line" x1=x.clone() x2=x y1="0%" y2="100%"/> }
    });
    let target = target.map(|target| {
        let x = place(scale.at(target));
        view! { <line class="chart__target" x1=x.clone() x2=x y1="0%" y2="100%"/> }
    });
    (lines.collect_view(), target)
}

fn mark(mark: LaneMark, scale: Scale) -> AnyView {
    let x = |value| place(scale.at(value));
    match mark {
        LaneMark::Headline(it) => view! {
            <line class="lane__headline" x1=x(it.lower) x2=x(it.upper) y1="50%" y2="50%"/>
            <line class="lane__needle" x1=x(it.value) x2=x(it.value) y1="18%" y2="82%"/>
        }
        .into_any(),
        LaneMark::Interval(it) => view! {
            <line class="whisker__interval" x1=x(it.lower) x2=x(it.upper) y1="50%" y2="50%"/>
            <circle class="chart__dot" cx=x(it.value) cy="50%" r="4.5"/>
        }
        .into_any(),
        LaneMark::Point(value) => {
            view! { <svg class="chart__mark" x=x(value) y="50%"><path class="chart__check" d=DIAMOND/></svg> }.into_any()
        }
        LaneMark::Wrong(value) => view! {
            <svg class="chart__mark" x=x(value) y="50%"><path class="lane__wrong" d="M-5.500 -5.500L5.500 5.500M-5.500 5.500L5.500 -5.500"/></svg>
        }
        .into_any(),
        LaneMark::Nothing(_) => ().into_any(),
    }
}

fn value(mark: LaneMark) -> AnyView {
    match mark {
        LaneMark::Headline(it) | LaneMark::Interval(it) => view! {
            {share(it.value)} <span class="lane__range">{format!("{} to {}", share(it.lower), share(it.upper))}</span>
        }
        .into_any(),
        LaneMark::Point(value) => share(value).into_any(),
        LaneMark::Wrong(value) => {
            view! { <del class="lane__struck">{share(value)}</del> <span class="lane__range">"wrong"</span> }.into_any()
        }
        LaneMark::Nothing(why) => view! { <span class="lane__range">{why}</span> }.into_any(),
    }
}

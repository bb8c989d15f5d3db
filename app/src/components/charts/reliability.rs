//! Whether a confidence of 80 % means 80 %.

use leptos::prelude::*;

use super::{Estimate, Figure, Key, Scale, Swatch, figure::columns, scale::place};
use crate::wording::{grouped, share};

/// One bin of confidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReliabilityPoint {
    /// Least confidence in it.
    pub from: f64,
    /// Most confidence in it.
    pub to: f64,
    /// Mean confidence.
    pub confidence: f64,
    /// How many of its answers are right.
    pub accuracy: Estimate,
    /// Labels.
    pub labels: u64,
    /// Too few labels to say anything by.
    pub is_small: bool,
}

/// The reliability curve, from the least confident bin to the most.
#[derive(Clone, Debug, PartialEq)]
pub struct Reliability(pub Vec<ReliabilityPoint>);

impl Reliability {
    /// The figure. `heads` name the columns of the table behind it: mean confidence, right answers, labels.
    pub fn figure(&self, id: &'static str, title: AnyView, heads: [AnyView; 3]) -> AnyView {
        Figure {
            id,
            title,
            description: self.description(),
            legend: vec![
                Key::new(Swatch::Estimate, "right answers"),
                Key::new(Swatch::Interval, "95% interval"),
                Key::new(Swatch::Diagonal, "as sure as right"),
            ],
            shape: "square",
            up: "right answers",
            along: "confidence",
            drawing: self.drawing(),
            table: self.table(heads),
        }
        .view()
    }

    fn description(&self) -> String {
        let said = self.0.iter().filter(|point| !point.is_small);
        let furthest = said.max_by(|a, b| a.distance().abs().total_cmp(&b.distance().abs()));
        match furthest {
            None => "No bin has labels enough yet to say whether confidence is honest.".to_owned(),
            Some(point) => format!(
                "Furthest from the diagonal: answers with a confidence around {} are right in {} of cases.",
                share(point.confidence),
                share(point.accuracy.value)
            ),
        }
    }

    fn drawing(&self) -> AnyView {
        let scale = Scale::SHARES;
        let (x, y) = (move |value| place(scale.at(value)), move |value| place(scale.down(value)));
        let lines = scale.ticks(5).into_iter().map(|tick| {
            let text = format!("{:.0}%", tick * 100.0);
            view! {
                <line class="chart__line" x1="0%" x2="100%" y1=y(tick) y2=y(tick)/>
                <text class="chart__label chart__label--up" x="-8" y=y(tick)>{text.clone()}</text>
                <text class="chart__label chart__label--middle" x=x(tick) y="100%" dy="1.5em">{text}</text>
            }
        });
        let joins = self.0.windows(2).filter_map(|pair| {
            let [from, to] = pair else { return None };
            if from.is_small || to.is_small {
                return None;
            }
            Some(view! {
                <line class="chart__join" x1=x(from.confidence) y1=y(from.accuracy.value) x2=x(to.confidence) y2=y(to.accuracy.value)/>
            })
        });
        let points = self.0.iter().map(|point| {
            let ReliabilityPoint { confidence, accuracy, .. } = *point;
            let small = if point.is_small { " chart__interval--small" } else { "" };
            let dot = (!point.is_small).then(|| view! { <circle class="chart__dot" cx=x(confidence) cy=y(accuracy.value) r="4.5"/> });
            view! {
                <g>
                    <line class=format!("chart__interval{small}") x1=x(confidence) x2=x(confidence) y1=y(accuracy.lower) y2=y(accuracy.upper)/>
                    {dot}
                    <title>{format!("Confidence {}: {}, {} labels", share(confidence), point.told(), grouped(point.labels))}</title>
                </g>
            }
        });
        view! {
            {lines.collect_view()}
            <line class="chart__diagonal" x1="0%" x2="100%" y1="100%" y2="0%"/>
            {joins.collect_view()}
            {points.collect_view()}
        }
        .into_any()
    }

    fn table(&self, heads: [AnyView; 3]) -> AnyView {
        let rows = self.0.iter().map(|point| {
            view! {
                <tr>
                    <th scope="row">{format!("{} to {}", share(point.from), share(point.to))}</th>
                    <td class="number">{share(point.confidence)}</td>
                    <td class="number">{point.told()}</td>
                    <td class="number">{grouped(point.labels)}</td>
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

impl ReliabilityPoint {
    fn distance(&self) -> f64 {
        self.accuracy.value - self.confidence
    }

    fn told(&self) -> String {
        let Estimate { value, lower, upper } = self.accuracy;
        match self.is_small {
            true => "n too small".to_owned(),
            false => format!("{} ({} to {})", share(value), share(lower), share(upper)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::charts::drawn::{self, has, tags};

    fn point(confidence: f64, value: f64, is_small: bool) -> ReliabilityPoint {
        ReliabilityPoint {
            from: confidence - 0.05,
            to: confidence + 0.05,
            confidence,
            accuracy: Estimate { value, lower: value - 0.125, upper: value + 0.125 },
            labels: if is_small { 12 } else { 40 },
            is_small,
        }
    }

    fn figure(points: &[ReliabilityPoint]) -> String {
        let heads = [(); 3].map(|()| "Head".into_any());
        drawn::figure(Reliability(points.to_vec()).figure("reliability", "Honest?".into_any(), heads))
    }

    #[test]
    fn each_bin_has_a_dot_and_an_interval_in_its_place_and_the_diagonal_is_where_it_should_be() {
        let figure = figure(&[point(0.5, 0.625, false), point(0.75, 0.5, false), point(0.875, 0.25, true)]);
        let drawing = drawn::drawing(&figure);
        let dots = tags(&drawing, "chart__dot");
        assert_eq!(dots.len(), 2, "none of too few labels");
        has(dots[0], &["cx=\"50.00%\"", "cy=\"37.50%\""]);
        has(dots[1], &["cx=\"75.00%\"", "cy=\"50.00%\""]);
        let intervals = tags(&drawing, "chart__interval");
        assert_eq!(intervals.len(), 2);
        has(intervals[0], &["x1=\"50.00%\"", "x2=\"50.00%\"", "y1=\"50.00%\"", "y2=\"25.00%\""]);
        let small = tags(&drawing, "chart__interval chart__interval--small");
        assert_eq!(small.len(), 1);
        has(small[0], &["x1=\"87.50%\"", "y1=\"87.50%\"", "y2=\"62.50%\""]);
        // On it, as sure is as right: from the lower left to the upper right.
        has(tags(&drawing, "chart__diagonal")[0], &["x1=\"0%\"", "x2=\"100%\"", "y1=\"100%\"", "y2=\"0%\""]);
        let joins = tags(&drawing, "chart__join");
        assert_eq!(joins.len(), 1, "nothing leads to what has too few labels");
        has(joins[0], &["x1=\"50.00%\"", "y1=\"37.50%\"", "x2=\"75.00%\"", "y2=\"50.00%\""]);
        assert!(drawing.contains("Confidence 87.5%: n too small, 12 labels"), "{drawing}");
    }

    #[test]
    fn what_is_furthest_from_the_diagonal_is_said() {
        let said = figure(&[point(0.5, 0.625, false), point(0.75, 0.5, false), point(0.875, 0.25, true)]);
        assert!(said.contains("a confidence around 75.0% are right in 50.0% of cases."), "{said}");
        let few = figure(&[point(0.5, 0.625, true)]);
        assert!(few.contains("No bin has labels enough yet"), "{few}");
    }
}

//! An evaluation as one HTML file: no script, no other file, legible in print.

use std::fmt::{self, Write};

use gourmetgram_api::{Evaluation, WindowPoint};

use super::{headline, optional, percent, told, told_errors, told_kappa};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;\
    color:#16202c;background:#fff}h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}\
    .number{font-size:2.5rem;margin:0}table{border-collapse:collapse;width:100%}caption{text-align:left;font-weight:600}\
    th,td{border-bottom:1px solid #c8d2de;padding:.3rem .6rem;text-align:left;vertical-align:top}svg{width:100%;height:auto}\
    @media(prefers-color-scheme:dark){body{color:#e8eef6;background:#0b1020}th,td{border-color:#3a465a}}";

/// A text within HTML.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => formatter.write_str("&amp;")?,
                '<' => formatter.write_str("&lt;")?,
                '>' => formatter.write_str("&gt;")?,
                '"' => formatter.write_str("&quot;")?,
                '\'' => formatter.write_str("&#39;")?,
                other => formatter.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// The report.
pub fn html(evaluation: &Evaluation) -> String {
    let mut page = String::new();
    let Evaluation { headline: top, window, .. } = evaluation;
    let title = format!("How accurate {} really is", evaluation.model);
    let mut add = |words: String| page.push_str(&words);
    add(format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{0}</title><style>{STYLE}</style></head><body><h1>{0}</h1>",
        Escaped(&title)
    ));
    let number = optional(top.accuracy.value.filter(|_| top.accuracy.enough));
    add(format!("<p class=\"number\">{number}</p>"));
    add(format!(
        "<p>{}. Photos received from {} up to {}, computed {}. Intervals hold the truth in 95 of 100 cases.</p>",
        Escaped(&headline(evaluation)),
        window.from.format("%Y-%m-%d %H:%M"),
        window.to.format("%Y-%m-%d %H:%M UTC"),
        evaluation.computed_at.format("%Y-%m-%d %H:%M UTC")
    ));
    let mut rows = vec![
        ("Method".to_owned(), top.accuracy.method.to_string()),
        ("Photos".to_owned(), format!("{}, {} of them not considered", top.photos, top.not_considered)),
        ("Random sample alone".to_owned(), told(&top.check)),
        ("Expected without labels".to_owned(), optional(top.expected.map(|it| it.value))),
        ("What the tutorial would print".to_owned(), told(&top.tutorial_pooled)),
        ("Not food".to_owned(), told(&top.not_food)),
        ("Unreadable".to_owned(), told(&top.unreadable)),
        ("Target".to_owned(), optional(top.target)),
        ("Annotators' agreement (Fleiss' kappa)".to_owned(), told_kappa(&evaluation.agreement.fleiss)),
    ];
    if let Some(errors) = &evaluation.agreement.errors {
        rows.push(("Accuracy, if people err".to_owned(), told_errors(errors)));
    }
    if let Some(difference) = &top.difference {
        rows.push(("Difference estimator".to_owned(), told(difference)));
    }
    for pair in &evaluation.agreement.pairs {
        rows.push((format!("Cohen's kappa of {} and {}", pair.first, pair.second), told_kappa(&pair.kappa)));
    }
    if let Some(offline) = &top.offline {
        rows.push(("Offline, by its card".to_owned(), format!("{} ({})", percent(offline.value), offline.on)));
    }
    for stratum in &top.strata {
        let words = format!("{} photos, {} drawn, {} labelled", stratum.photos, stratum.drawn, stratum.labelled);
        rows.push((format!("Stratum {}", stratum.stratum), words));
    }
    rows.push(("Retrain?".to_owned(), evaluation.decision.verdict.as_str().to_owned()));
    rows.extend(evaluation.decision.reasons.iter().map(|reason| (String::new(), reason.clone())));
    add(table("The number", &["What", "How much"], rows.into_iter().map(|(what, how)| vec![what, how])));
    add("<h2>Over time</h2>".to_owned());
    add(chart(&evaluation.series));
    add(table(
        "Accuracy over time",
        &["From (UTC)", "Photos", "Accuracy", "Random sample", "Expected"],
        evaluation.series.iter().map(|point| {
            vec![
                point.from.format("%Y-%m-%d %H:%M").to_string(),
                point.photos.to_string(),
                format!("{}{}", told(&point.accuracy), if point.provisional { ", provisional" } else { "" }),
                told(&point.check),
                optional(point.expected.map(|it| it.value)),
            ]
        }),
    ));
    add(table(
        "By class",
        &["Class", "Precision", "Recall", "F1"],
        evaluation
            .per_class
            .iter()
            .map(|class| vec![class.class.clone(), told(&class.precision), told(&class.recall), told(&class.f1)]),
    ));
    let name = |index: u16| evaluation.classes.get(usize::from(index)).cloned().unwrap_or_default();
    add(table(
        "True classes against answers",
        &["True class", "Answer", "Labels", "Photos they stand for"],
        evaluation.confusion.cells.iter().map(|cell| {
            vec![name(cell.truth), name(cell.answer), cell.labels.to_string(), format!("{:.1}", cell.photos)]
        }),
    ));
    add(table(
        "Reliability",
        &["Confidence", "Photos", "Mean confidence", "Right"],
        evaluation.calibration.reliability.iter().map(|bin| {
            vec![
                format!("{} to {}", percent(bin.from), percent(bin.to)),
                format!("{:.1}", bin.photos),
                percent(bin.confidence),
                told(&bin.accuracy),
            ]
        }),
    ));
    add(table(
        "Drift",
        &["What", "Test", "Effect", "It matters from", "Probability by chance"],
        evaluation.drift.findings.iter().map(|finding| {
            vec![
                finding.what.clone(),
                finding.test.clone(),
                format!("{:.3}", finding.effect),
                format!("{:.3}", finding.effect_that_matters),
                format!("{:.4}", finding.p_value),
            ]
        }),
    ));
    for missing in &evaluation.drift.not_tested {
        add(format!("<p>Drift of {}: not tested, {}.</p>", Escaped(&missing.what), Escaped(&missing.why)));
    }
    if let Some(slices) = &evaluation.slices {
        add(table(
            &format!("Taken apart by {}", slices.by.as_str()),
            &["Part", "Photos", "Accuracy"],
            slices.items.iter().map(|slice| {
                let name = if slice.name.is_empty() { "–" } else { &slice.name };
                vec![name.to_owned(), slice.photos.to_string(), told(&slice.accuracy)]
            }),
        ));
    }
    add("</body></html>\n".to_owned());
    page
}

fn table(caption: &str, heads: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut text = format!("<table><caption>{}</caption><thead><tr>", Escaped(caption));
    for head in heads {
        let _ = write!(text, "<th scope=\"col\">{}</th>", Escaped(head));
    }
    text.push_str("</tr></thead><tbody>");
    for row in rows {
        text.push_str("<tr>");
        for cell in row {
            let _ = write!(text, "<td>{}</td>", Escaped(&cell));
        }
        text.push_str("</tr>");
    }
    text.push_str("</tbody></table>");
    text
}

/// The series as a picture: bands as bars from bound to bound, the estimate as a dot; where labels are too few to say
/// anything by, a pale band alone, as on the dashboard. The table below says the same.
fn chart(series: &[WindowPoint]) -> String {
    // Around the drawing is room for the scale and the dates.
    const LEFT: f64 = 56.0;
    const TOP: f64 = 12.0;
    const WIDTH: f64 = 744.0;
    const HEIGHT: f64 = 240.0;
    let known: Vec<&WindowPoint> = series.iter().filter(|point| point.accuracy.value.is_some()).collect();
    let (Some(first), Some(last)) = (known.first(), known.last()) else {
        return "<p>No label says anything yet.</p>".to_owned();
    };
    let between = WIDTH / known.len() as f64;
    let y = |share: f64| TOP + HEIGHT - share * HEIGHT;
    let (right, bottom) = (LEFT + WIDTH, TOP + HEIGHT);
    let mut text = format!(
        "<svg viewBox=\"0 0 {right} {}\" role=\"img\" fill=\"currentColor\" font-size=\"14\" aria-label=\"Accuracy over time \
         with its intervals, from 0 to 100 %\">",
        bottom + 24.0
    );
    for share in [0.0, 0.5, 1.0] {
        let _ = write!(
            text,
            "<line x1=\"{LEFT}\" y1=\"{0}\" x2=\"{right}\" y2=\"{0}\" stroke=\"currentColor\" stroke-opacity=\"0.3\"/>\
             <text x=\"{1}\" y=\"{0}\" dy=\"5\" text-anchor=\"end\">{2:.0} %</text>",
            y(share),
            LEFT - 8.0,
            share * 100.0
        );
    }
    for (x, anchor, at) in [(LEFT, "start", first.from), (right, "end", last.to)] {
        let at = at.format("%Y-%m-%d %H:%M");
        let _ = write!(text, "<text x=\"{x}\" y=\"{}\" text-anchor=\"{anchor}\">{at}</text>", bottom + 20.0);
    }
    for (place, point) in known.into_iter().enumerate() {
        let (x, accuracy) = (LEFT + (place as f64 + 0.5) * between, &point.accuracy);
        let dash = if point.provisional { " stroke-dasharray=\"3 3\"" } else { "" };
        let pale = if accuracy.enough { "" } else { " stroke-opacity=\"0.3\"" };
        let _ = write!(
            text,
            "<line x1=\"{x:.1}\" y1=\"{:.1}\" x2=\"{x:.1}\" y2=\"{:.1}\" stroke=\"#3b6ea5\" stroke-width=\"4\"{dash}{pale}/>",
            y(accuracy.lower),
            y(accuracy.upper)
        );
        if let Some(value) = accuracy.value.filter(|_| accuracy.enough) {
            let _ = write!(text, "<circle cx=\"{x:.1}\" cy=\"{:.1}\" r=\"4\"/>", y(value));
        }
    }
    text.push_str("</svg>");
    text
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use gourmetgram_api::{Measure, MeasureMethod};

    use super::*;

    /// A day of November 2026 with accuracy from so many labels.
    fn day(number: i64, labels: u64) -> WindowPoint {
        let from = DateTime::from_timestamp(1_793_491_200, 0).unwrap() + TimeDelta::days(number - 1);
        let accuracy = Measure {
            value: (labels > 0).then_some(0.75),
            lower: 0.5,
            upper: 1.0,
            labels,
            photos: 400,
            method: MeasureMethod::Poststratified,
            enough: labels >= gourmetgram_api::ENOUGH_LABELS,
        };
        WindowPoint {
            from,
            to: from + TimeDelta::days(1),
            photos: 400,
            accuracy,
            check: Measure::UNKNOWN,
            expected: None,
            provisional: false,
        }
    }

    #[test]
    fn what_others_named_cannot_become_markup() {
        assert_eq!(Escaped("<b a='\"&\">").to_string(), "&lt;b a=&#39;&quot;&amp;&quot;&gt;");
    }

    #[test]
    fn the_picture_has_no_dot_where_labels_are_too_few() {
        let picture = chart(&[day(1, 30), day(2, 29), day(3, 0), day(4, 200)]);
        assert_eq!(picture.matches("<circle").count(), 2, "{picture}");
        assert_eq!(picture.matches("stroke=\"#3b6ea5\"").count(), 3, "a day without a label has no band: {picture}");
        assert_eq!(picture.matches("stroke-width=\"4\" stroke-opacity=\"0.3\"/>").count(), 1, "{picture}");
        // Three quarters of the way up: the third of four rooms, 240 high, beginning at 12.
        assert!(picture.contains("cy=\"72.0\""), "{picture}");
        assert!(chart(&[day(1, 0)]).contains("No label says anything yet."));
    }

    #[test]
    fn the_picture_has_a_scale_and_its_first_and_last_date() {
        let picture = chart(&[day(1, 30), day(2, 30), day(9, 30)]);
        for said in [">0 %<", ">50 %<", ">100 %<", ">2026-11-01 00:00<", ">2026-11-10 00:00<"] {
            assert!(picture.contains(said), "{said}: {picture}");
        }
    }
}

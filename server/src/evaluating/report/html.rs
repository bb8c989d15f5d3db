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

/// The series as a picture: bands as bars from bound to bound, the estimate as a dot. The table below says the same.
fn chart(series: &[WindowPoint]) -> String {
    let known: Vec<&WindowPoint> = series.iter().filter(|point| point.accuracy.value.is_some()).collect();
    if known.is_empty() {
        return "<p>No label says anything yet.</p>".to_owned();
    }
    let (width, height) = (800.0, 240.0);
    let between = width / known.len() as f64;
    let x = |place: usize| (place as f64 + 0.5) * between;
    let y = |share: f64| height - share * height;
    let mut text = format!(
        "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"Accuracy over time with its intervals, from 0 to \
         100 %\"><line x1=\"0\" y1=\"{height}\" x2=\"{width}\" y2=\"{height}\" stroke=\"currentColor\"/>"
    );
    for (place, point) in known.into_iter().enumerate() {
        let (x, value) = (x(place), point.accuracy.value.unwrap_or_default());
        let dash = if point.provisional { " stroke-dasharray=\"3 3\"" } else { "" };
        let _ = write!(
            text,
            "<line x1=\"{x:.1}\" y1=\"{:.1}\" x2=\"{x:.1}\" y2=\"{:.1}\" stroke=\"#3b6ea5\" stroke-width=\"4\"{dash}/>\
             <circle cx=\"{x:.1}\" cy=\"{:.1}\" r=\"4\" fill=\"currentColor\"/>",
            y(point.accuracy.lower),
            y(point.accuracy.upper),
            y(value)
        );
    }
    text.push_str("</svg>");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_named_cannot_become_markup() {
        assert_eq!(Escaped("<b a='\"&\">").to_string(), "&lt;b a=&#39;&quot;&amp;&quot;&gt;");
    }
}

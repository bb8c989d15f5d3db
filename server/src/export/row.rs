//! A prediction as a row of a table.

use chrono::{DateTime, SecondsFormat, Utc};
use gourmetgram_api::Prediction;
use serde::Serialize;

/// The columns, in their order. docs/api.md describes them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) created_at: DateTime<Utc>,
    pub(super) key: String,
    pub(super) predicted_class: String,
    pub(super) class_index: u16,
    pub(super) confidence: f32,
    pub(super) model_version: String,
    pub(super) flag: Option<String>,
    pub(super) corrected_class: Option<String>,
    pub(super) annotated_class: Option<String>,
    pub(super) annotated_by: Option<String>,
    pub(super) annotated_at: Option<DateTime<Utc>>,
    pub(super) places: String,
    pub(super) source: Option<String>,
    pub(super) content_type: String,
    pub(super) bytes: u64,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) device_comparison: Option<String>,
    pub(super) scaled_from: Option<String>,
}

impl From<Prediction> for Row {
    fn from(prediction: Prediction) -> Self {
        let annotation = prediction.annotation;
        let places: Vec<&str> = prediction.places.iter().map(|place| place.as_str()).collect();
        Self {
            id: prediction.id.to_string(),
            created_at: prediction.created_at,
            key: prediction.key,
            predicted_class: prediction.predicted_class,
            class_index: prediction.class_index.0,
            confidence: prediction.confidence.get(),
            model_version: prediction.model_version,
            flag: prediction.flag.map(|reason| reason.as_str().to_owned()),
            corrected_class: prediction.corrected_class,
            annotated_class: annotation.as_ref().map(|annotation| annotation.label.clone()),
            annotated_by: annotation.as_ref().map(|annotation| annotation.by.clone()),
            annotated_at: annotation.map(|annotation| annotation.at),
            places: places.join(" "),
            source: prediction.source,
            content_type: prediction.content_type,
            bytes: prediction.bytes,
            width: prediction.width,
            height: prediction.height,
            device_comparison: prediction.device_comparison.map(|it| it.as_str().to_owned()),
            scaled_from: prediction.scaled_from.map(|size| size.to_string()),
        }
    }
}

impl Row {
    /// Names of the columns.
    pub(super) const COLUMNS: [&str; 20] = [
        "id",
        "created_at",
        "key",
        "predicted_class",
        "class_index",
        "confidence",
        "model_version",
        "flag",
        "corrected_class",
        "annotated_class",
        "annotated_by",
        "annotated_at",
        "places",
        "source",
        "content_type",
        "bytes",
        "width",
        "height",
        "device_comparison",
        "scaled_from",
    ];

    /// What stands in each column, for programs that take some texts for formulas.
    pub(super) fn cells(&self) -> [String; 20] {
        let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
        let text = |text: &str| defused(text);
        let optional = |value: &Option<String>| value.as_deref().map(defused).unwrap_or_default();
        [
            text(&self.id),
            time(self.created_at),
            text(&self.key),
            text(&self.predicted_class),
            self.class_index.to_string(),
            self.confidence.to_string(),
            text(&self.model_version),
            optional(&self.flag),
            optional(&self.corrected_class),
            optional(&self.annotated_class),
            optional(&self.annotated_by),
            self.annotated_at.map(time).unwrap_or_default(),
            text(&self.places),
            optional(&self.source),
            text(&self.content_type),
            self.bytes.to_string(),
            self.width.to_string(),
            self.height.to_string(),
            optional(&self.device_comparison),
            optional(&self.scaled_from),
        ]
    }
}

/// A text that no spreadsheet takes for a formula: an apostrophe before what could begin one, as OWASP advises.
fn defused(text: &str) -> String {
    let begins_formula = text.trim_start_matches([' ', '\u{a0}']).starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    // Full-width signs are formulas to some.
    let is_wide = text.trim_start().starts_with(['＝', '＋', '－', '＠']);
    if begins_formula || is_wide { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_a_formula_is_a_text() {
        for formula in ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"] {
            assert_eq!(defused(formula), format!("'{formula}"));
        }
        for plain in ["Noodles/Pasta", "", "a=b", "food64-1", "user@example.org", "'quoted"] {
            assert_eq!(defused(plain), plain);
        }
    }
}

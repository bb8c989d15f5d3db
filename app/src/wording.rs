//! The product's voice where it must say a number or a word of the contract to a person.

use chrono::{DateTime, Datelike, Timelike, Utc};
use gourmetgram_api::{Confidence, DeviceComparison, FlagReason, Place, Prediction};

/// How sure the model is, in words. The steps follow what people mean by such words, not quantiles of the model.
pub fn certainty(confidence: Confidence) -> &'static str {
    match confidence.get() {
        p if p >= 0.95 => "Almost certain",
        p if p >= 0.80 => "Quite sure",
        p if p >= 0.60 => "Fairly sure",
        p if p >= 0.40 => "Not so sure",
        _ => "Only a guess",
    }
}

/// A probability from 0 to 1 as whole percent. Never "100%" or "0%" for what is not exactly that: a model that is
/// almost certain is not certain.
pub fn percent(probability: f32) -> String {
    match probability {
        p if p >= 1.0 => "100%".to_owned(),
        p if p > 0.99 => ">99%".to_owned(),
        p if p <= 0.0 => "0%".to_owned(),
        p if p < 0.01 => "<1%".to_owned(),
        p => format!("{}%", (p * 100.0).round_ties_even() as u8),
    }
}

/// A share from 0 to 1 as percent with one decimal, for what is measured: `83.4%`. Never "100.0%" or "0.0%" for what is
/// not exactly that.
pub fn share(share: f64) -> String {
    match share {
        s if !s.is_finite() => "–".to_owned(),
        s if s < 1.0 && s > 0.9995 => ">99.9%".to_owned(),
        s if s > 0.0 && s < 0.0005 => "<0.1%".to_owned(),
        s if s == 0.0 || s == 1.0 => format!("{:.0}%", s * 100.0),
        s => format!("{:.1}%", s * 100.0),
    }
}

/// Half an interval's width as points of percent: `±3.1 points`.
pub fn plus_minus(half_width: f64) -> String {
    format!("±{:.1} points", half_width * 100.0)
}

/// How long ago something was, or how long it waits, in the unit people would take.
pub fn age(seconds: u64) -> String {
    match seconds {
        s if s < 120 => count(s as usize, "second", "seconds"),
        s if s < 2 * 3600 => format!("{} minutes", s / 60),
        s if s < 2 * 86_400 => format!("{} hours", s / 3600),
        s => format!("{} days", s / 86_400),
    }
}

/// A number with its thousands apart: `1,204,553`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 photo`, `12,034 photos`.
pub fn photos(number: u64) -> String {
    if number == 1 { "1 photo".to_owned() } else { format!("{} photos", grouped(number)) }
}

/// What a flag's reason says on its button.
pub fn flag_reason(reason: FlagReason) -> &'static str {
    match reason {
        FlagReason::WrongLabel => "Wrong label",
        FlagReason::NotFood => "Not food",
        FlagReason::BadPhoto => "Bad photo",
        FlagReason::Other => "Something else",
    }
}

/// What a device's answer was beside the server's.
pub fn device_comparison(outcome: DeviceComparison) -> &'static str {
    match outcome {
        DeviceComparison::Agrees => "Agreed",
        DeviceComparison::Disagrees => "Disagreed",
        DeviceComparison::OtherVersionAgrees => "Agreed, with another version",
        DeviceComparison::OtherVersionDisagrees => "Disagreed, with another version",
    }
}

/// What a bucket is called on a page.
pub fn place(place: Place) -> &'static str {
    match place {
        Place::Production => "Production",
        Place::LabelWait => "Label-wait",
        Place::Noisy => "Noisy",
        Place::Clean => "Clean",
    }
}

/// That a photo was made smaller to be sent; nothing where it was not.
pub fn sent_smaller(prediction: &Prediction) -> Option<String> {
    let before = prediction.scaled_from?;
    let (width, height) = (prediction.width, prediction.height);
    Some(format!("Sent smaller: {} × {} → {width} × {height}", before.width, before.height))
}

/// A number of bytes as people say it: `740 kB`, `2.4 MB`, `20 MB`.
pub fn file_size(bytes: u64) -> String {
    if bytes < 1_000_000 {
        return format!("{} kB", bytes.div_ceil(1000));
    }
    // Rounded up, so that a file just above a limit never reads as being the limit.
    let tenths = bytes.div_ceil(100_000);
    if tenths.is_multiple_of(10) {
        format!("{} MB", tenths / 10)
    } else {
        format!("{}.{} MB", tenths / 10, tenths % 10)
    }
}

/// A moment as both sides write it before the browser knows the visitor's clock: `23 Nov 2026, 10:28 UTC`.
pub fn moment(at: DateTime<Utc>) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = MONTHS[at.month0() as usize % MONTHS.len()];
    format!("{} {month} {}, {:02}:{:02} UTC", at.day(), at.year(), at.hour(), at.minute())
}

/// `1 photo`, `2 photos`.
pub fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_uncertain_model_is_never_called_certain() {
        assert_eq!(percent(0.9999), ">99%");
        assert_eq!(percent(0.0001), "<1%");
        assert_eq!(percent(0.873), "87%");
        assert_eq!(percent(1.0), "100%");
    }

    #[test]
    fn a_measured_share_is_rounded_but_never_to_certainty() {
        assert_eq!(share(0.8342), "83.4%");
        assert_eq!((share(1.0), share(0.0)), ("100%".to_owned(), "0%".to_owned()));
        assert_eq!((share(0.99999), share(0.00001)), (">99.9%".to_owned(), "<0.1%".to_owned()));
        assert_eq!(share(f64::NAN), "–");
    }

    #[test]
    fn what_waits_is_said_in_a_unit_that_people_would_take() {
        assert_eq!(
            [1, 90, 3600, 90_000, 864_000].map(age),
            ["1 second", "90 seconds", "60 minutes", "25 hours", "10 days"]
        );
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!([0, 999, 1000, 1_204_553].map(grouped), ["0", "999", "1,000", "1,204,553"]);
        assert_eq!([0, 1, 12_034].map(photos), ["0 photos", "1 photo", "12,034 photos"]);
    }

    #[test]
    fn words_never_grow_weaker_as_confidence_grows() {
        let ranks = ["Only a guess", "Not so sure", "Fairly sure", "Quite sure", "Almost certain"];
        let rank = |p: f32| {
            let words = certainty(Confidence::new(p).unwrap());
            ranks.iter().position(|known| *known == words).unwrap()
        };
        let along_the_scale: Vec<usize> = (0..=100_u8).map(|p| rank(f32::from(p) / 100.0)).collect();
        assert!(along_the_scale.is_sorted());
        assert_eq!(along_the_scale.first(), Some(&0));
        assert_eq!(along_the_scale.last(), Some(&4));
    }

    #[test]
    fn a_file_just_over_the_limit_does_not_read_as_the_limit() {
        assert_eq!(file_size(20_000_000), "20 MB");
        assert_eq!(file_size(20_000_001), "20.1 MB");
        assert_eq!(file_size(740_000), "740 kB");
    }

    #[test]
    fn moments_are_written_in_utc() {
        let at = DateTime::from_timestamp(1_795_429_680, 0).unwrap();
        assert_eq!(moment(at), "23 Nov 2026, 10:28 UTC");
    }
}

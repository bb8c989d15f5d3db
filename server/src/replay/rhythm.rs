//! Day and night: how busy each hour of a day is, and what becomes of evenly spread times.

use chrono::{DateTime, Utc};

/// How busy each hour (UTC) is, the mean hour being 1: quiet nights, a lunch and a longer dinner.
const HOURS: [f64; 24] = [
    0.20, 0.10, 0.06, 0.06, 0.10, 0.24, 0.55, 0.90, 0.95, 0.80, 0.95, 1.55, 2.15, 1.75, 1.05, 0.85, 0.95, 1.40, 2.10,
    2.40, 2.00, 1.45, 0.94, 0.50,
];
const HOUR: f64 = 3_600_000.0;
const DAY: f64 = 24.0 * HOUR;

/// Busy time, in milliseconds, from the beginning of a day until so many milliseconds into it.
fn busy_until(into_day: f64) -> f64 {
    let hour = ((into_day / HOUR) as usize).min(23);
    let before: f64 = HOURS[..hour].iter().sum();
    let scale = DAY / HOURS.iter().sum::<f64>();
    (before + HOURS[hour] * (into_day / HOUR - hour as f64)) * scale
}

/// The other way round.
fn day_time(busy: f64) -> f64 {
    let scale = DAY / HOURS.iter().sum::<f64>();
    let mut left = busy / scale;
    for (hour, weight) in HOURS.iter().enumerate() {
        if left <= *weight {
            return (hour as f64 + left / weight) * HOUR;
        }
        left -= weight;
    }
    DAY
}

fn busy_since_epoch(milliseconds: f64) -> f64 {
    let day = (milliseconds / DAY).floor();
    day * DAY + busy_until(milliseconds - day * DAY)
}

/// Busy milliseconds between two times: on average as many as there are.
pub fn busy_between(start: DateTime<Utc>, end: DateTime<Utc>) -> f64 {
    busy_since_epoch(end.timestamp_millis() as f64) - busy_since_epoch(start.timestamp_millis() as f64)
}

/// The time at which so many busy milliseconds have passed since `start`, in milliseconds after it.
pub fn after_busy(start: DateTime<Utc>, busy: f64) -> i64 {
    let from = start.timestamp_millis();
    let total = busy_since_epoch(from as f64) + busy;
    let day = (total / DAY).floor();
    (day * DAY + day_time(total - day * DAY)) as i64 - from
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_whole_day_has_as_much_busy_time_as_time() {
        let start = at("2026-11-23T07:31:00Z");
        assert!((busy_between(start, at("2026-11-26T07:31:00Z")) - 3.0 * DAY).abs() < 1.0);
        assert!((after_busy(start, DAY) - DAY as i64).abs() <= 1);
    }

    #[test]
    fn times_gather_where_people_eat() {
        let start = at("2026-11-23T00:00:00Z");
        let hours: Vec<i64> = (0..1000).map(|n| after_busy(start, DAY * f64::from(n) / 1000.0) / HOUR as i64).collect();
        let within = |from: i64, to: i64| hours.iter().filter(|hour| (from..to).contains(*hour)).count();
        assert!(within(18, 21) > 3 * within(2, 5), "{} {}", within(18, 21), within(2, 5));
        assert!(hours.is_sorted());
    }
}

//! From values to places along a drawing.

/// A straight scale: its first value lies at 0 %, its last at 100 % of the drawing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    first: f64,
    last: f64,
}

/// The least part of the whole that a scale of shares shows: less would make much of nothing.
const LEAST: f64 = 0.2;
/// Where scales of shares begin and end: at whole tenths.
const STEP: f64 = 0.1;

impl Scale {
    /// All shares.
    pub const SHARES: Self = Self { first: 0.0, last: 1.0 };

    /// From `first` to `last`; where they are the same, or no numbers, one further.
    pub fn new(first: f64, last: f64) -> Self {
        let first = if first.is_finite() { first } else { 0.0 };
        let last = if last.is_finite() && last > first { last } else { first + 1.0 };
        Self { first, last }
    }

    /// The part of the shares from 0 to 1 that has all `values` in it, from tenth to tenth, a fifth at least.
    pub fn around(values: impl IntoIterator<Item = f64>) -> Self {
        let values = values.into_iter().filter(|value| value.is_finite());
        let span = values.fold(None, |span: Option<(f64, f64)>, value| {
            let value = value.clamp(0.0, 1.0);
            Some(span.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
        });
        let Some((low, high)) = span else { return Self::SHARES };
        // A hair, so that what lies on a tenth does not begin another one.
        let hair = 1e-9;
        let mut first = ((low + hair) / STEP).floor() * STEP;
        let mut last = ((high - hair) / STEP).ceil() * STEP;
        if last - first < LEAST - hair {
            let wider = (LEAST - (last - first)) / STEP;
            first -= (wider / 2.0).ceil() * STEP;
            last = first + LEAST;
        }
        if last > 1.0 {
            (first, last) = (first - (last - 1.0), 1.0);
        }
        Self { first: first.max(0.0), last: last.clamp(LEAST, 1.0) }
    }

    /// Where a value lies, in percent of the drawing, from 0 to 100; what is outside lies on the edge.
    pub fn at(self, value: f64) -> f64 {
        let share = (value - self.first) / (self.last - self.first);
        if share.is_finite() { share.clamp(0.0, 1.0) * 100.0 } else { 0.0 }
    }

    /// The same from the other end: for heights, which SVG counts downwards.
    pub fn down(self, value: f64) -> f64 {
        100.0 - self.at(value)
    }

    /// Round values along the scale, `at_most` of them: 1, 2 or 5 times a power of ten apart.
    pub fn ticks(self, at_most: usize) -> Vec<f64> {
        let span = self.last - self.first;
        let rough = span / at_most.max(2) as f64;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|times| times * power).into_iter().find(|step| *step >= rough * 0.999);
        let step = step.unwrap_or(span);
        let first = (self.first / step - 1e-9).ceil();
        (0..=at_most)
            .map(|number| (first + number as f64) * step)
            .take_while(|tick| *tick <= self.last + step * 1e-9)
            .collect()
    }
}

/// A place along a drawing as SVG wants it.
pub(super) fn place(percent: f64) -> String {
    format!("{percent:.2}%")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(scale: Scale) -> (f64, f64) {
        ((scale.first * 1e6).round() / 1e6, (scale.last * 1e6).round() / 1e6)
    }

    #[test]
    fn shares_are_shown_from_tenth_to_tenth() {
        assert_eq!(ends(Scale::around([0.62, 0.871])), (0.6, 0.9));
        assert_eq!(ends(Scale::around([0.6, 0.9])), (0.6, 0.9));
        assert_eq!(ends(Scale::around([])), (0.0, 1.0));
    }

    #[test]
    fn little_is_not_made_much_of() {
        for values in [[0.95, 0.99], [1.0, 1.0], [0.0, 0.0], [0.5, 0.5], [0.51, 0.52]] {
            let (first, last) = ends(Scale::around(values));
            assert!(last - first >= LEAST - 1e-9, "{values:?}: {first} to {last}");
            assert!(first >= 0.0 && last <= 1.0, "{values:?}: {first} to {last}");
            assert!(values.iter().all(|value| (first..=last).contains(value)), "{values:?}: {first} to {last}");
        }
    }

    #[test]
    fn what_is_no_number_lies_on_the_edge() {
        for value in [f64::NAN, f64::INFINITY, -5.0, 7.0] {
            assert!((0.0..=100.0).contains(&Scale::SHARES.at(value)), "{value}");
        }
        assert_eq!(ends(Scale::new(3.0, 3.0)), (3.0, 4.0));
    }

    #[test]
    fn ticks_are_round_and_within() {
        let rounded =
            |scale: Scale| scale.ticks(5).iter().map(|tick| (tick * 100.0).round() as i64).collect::<Vec<_>>();
        assert_eq!(rounded(Scale::around([0.62, 0.87])), [60, 70, 80, 90]);
        assert_eq!(rounded(Scale::SHARES), [0, 20, 40, 60, 80, 100]);
        assert_eq!(Scale::new(0.0, 1400.0).ticks(4), [0.0, 500.0, 1000.0]);
    }
}

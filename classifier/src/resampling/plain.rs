//! The published algorithm of Pillow (Resample.c) with the other way's fixed point, weights of 16 bits: a rounding more or
//! less moves probabilities by more than they may be apart. It is used where nothing else can be, and so is short before
//! it is fast.

use std::ops::Range;

use super::{Filter, Part, ResamplingError};
use crate::RgbPhoto;

/// Bits of a weight, without its sign.
const WEIGHT_BITS: u32 = 15;
/// Bits that are left beside a sum of weighed bytes and its sign.
const MOST_PRECISE: u32 = 22;

/// A part of `photo` at another size: `height` rows of `width` times R, G, B. First along columns, then along rows, in 8
/// bits, rounded after each.
pub(crate) fn resampled(
    photo: &RgbPhoto,
    part: Part,
    (width, height): (u32, u32),
    filter: Filter,
) -> Result<Vec<u8>, ResamplingError> {
    let columns = Weights::new(part.left, part.width, photo.width(), width, filter);
    let rows = Weights::new(part.top, part.height, photo.height(), height, filter);
    let line = photo.width() as usize * 3;
    let mut pixels = Vec::with_capacity(width as usize * height as usize * 3);
    let mut sums = vec![0; line];
    for (lines, weights) in &rows.of {
        sums.fill(rows.half());
        for (values, weight) in photo.pixels()[lines.start * line..lines.end * line].chunks_exact(line).zip(weights) {
            for (sum, &value) in sums.iter_mut().zip(values) {
                *sum += i32::from(value) * weight;
            }
        }
        for (places, weights) in &columns.of {
            pixels.extend((0..3).map(|channel| {
                let values = places.clone().map(|at| rows.whole(sums[at * 3 + channel]));
                columns.whole(
                    values.zip(weights).map(|(value, weight)| i32::from(value) * weight).sum::<i32>() + columns.half(),
                )
            }));
        }
    }
    Ok(pixels)
}

/// For each pixel of one side of the new picture, the pixels it is made of and how much each counts, of `1 << precision`.
struct Weights {
    of: Vec<(Range<usize>, Vec<i32>)>,
    precision: u32,
}

impl Weights {
    /// Of `to` pixels from the `length` from `begin` on; what is around them, up to `side`, counts at the edges.
    fn new(begin: u32, length: u32, side: u32, to: u32, filter: Filter) -> Self {
        let scale = f64::from(length) / f64::from(to);
        let stretch = scale.max(1.0);
        let radius = filter.radius() * stretch;
        let shares: Vec<(Range<usize>, Vec<f64>)> = (0..to)
            .map(|pixel| {
                let centre = f64::from(begin) + (f64::from(pixel) + 0.5) * scale;
                let first = (centre - radius).floor().max(0.0) as usize;
                let end = (centre + radius).ceil().min(f64::from(side)) as usize;
                let weigh = |at: usize| filter.weight((at as f64 - (centre - 0.5)) / stretch);
                let sum: f64 = (first..end).map(weigh).sum();
                (first..end, (first..end).map(|at| weigh(at) / sum).collect())
            })
            .collect();
        let largest = shares.iter().flat_map(|(_, weights)| weights).copied().fold(0.0, f64::max);
        let fits = |bits: &u32| (largest * f64::from(1_u32 << bits)).round() < f64::from(1_u32 << WEIGHT_BITS);
        let precision = (1..MOST_PRECISE).take_while(fits).last().unwrap_or(1);
        let whole = |weight: f64| (weight * f64::from(1_u32 << precision)).round() as i32;
        let of = shares.into_iter().map(|(at, weights)| (at, weights.into_iter().map(whole).collect())).collect();
        Self { of, precision }
    }

    fn half(&self) -> i32 {
        1 << (self.precision - 1)
    }

    /// A sum of weighed bytes and a half as a byte.
    fn whole(&self, sum: i32) -> u8 {
        (sum >> self.precision).clamp(0, 255) as u8
    }
}

impl Filter {
    fn radius(self) -> f64 {
        match self {
            Self::Triangle => 1.0,
            Self::CatmullRom => 2.0,
        }
    }

    fn weight(self, distance: f64) -> f64 {
        let x = distance.abs();
        match self {
            Self::Triangle => (1.0 - x).max(0.0),
            // Keys 1981, with a = -1/2.
            Self::CatmullRom if x < 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
            Self::CatmullRom if x < 2.0 => ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0,
            Self::CatmullRom => 0.0,
        }
    }
}

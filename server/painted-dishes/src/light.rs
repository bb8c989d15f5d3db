//! Light: one lamp or window from the side, the sky from everywhere, shadows where heights stand in the way.

use rand::Rng;

use crate::{canvas::Canvas, color::Color};

/// How far shadows are followed, in steps that grow.
const SHADOW_STEPS: usize = 26;

/// Lights the landscape. Answers the light that reaches the camera, pixel by pixel.
pub fn shine(canvas: Canvas, random: &mut impl Rng) -> Lit {
    let (width, height) = canvas.view.size;
    let direction = random.random_range(0.0..std::f32::consts::TAU);
    let elevation = random.random_range(0.75..1.15f32);
    let softness = random.random_range(0.35..0.65f32);
    let (sine, cosine) = direction.sin_cos();
    let light = [cosine * elevation.cos(), sine * elevation.cos(), elevation.sin()];
    // Halfway between the light and the eye, which looks straight down.
    let half = {
        let toward = [light[0], light[1], light[2] + 1.0];
        let length = toward.iter().map(|part| part * part).sum::<f32>().sqrt();
        toward.map(|part| part / length)
    };
    let heights: Vec<f32> = canvas.heights.iter().map(|height| height * canvas.view.radius).collect();
    let around = blurred(&heights, width, height, (canvas.view.radius * 0.06) as usize + 1);
    let at = |x: isize, y: isize| {
        let x = x.clamp(0, width as isize - 1) as usize;
        let y = y.clamp(0, height as isize - 1) as usize;
        heights[y * width + x]
    };
    let mut pixels = Vec::with_capacity(width * height);
    for y in 0..height {
        for x in 0..width {
            let pixel = y * width + x;
            let (column, row) = (x as isize, y as isize);
            let (slope_x, slope_y) =
                ((at(column + 1, row) - at(column - 1, row)) / 2.0, (at(column, row + 1) - at(column, row - 1)) / 2.0);
            let length = (slope_x * slope_x + slope_y * slope_y + 1.0).sqrt();
            let normal = [-slope_x / length, -slope_y / length, 1.0 / length];
            let facing = dot(normal, light).max(0.0);
            let here = heights[pixel];
            let mut shadow = 0.0f32;
            let mut distance = 1.5;
            for _ in 0..SHADOW_STEPS {
                let (sx, sy) = (column + (cosine * distance) as isize, row + (sine * distance) as isize);
                let over = at(sx, sy) - here - distance * elevation.tan();
                shadow = shadow.max((over / (1.0 + distance * 0.35)).min(1.0));
                distance *= 1.16;
            }
            // Hollows see less of the sky.
            let hollow = ((around[pixel] - here) / (canvas.view.radius * 0.07)).clamp(0.0, 1.0);
            let sky = softness * (0.55 + 0.45 * normal[2]) * (1.0 - 0.55 * hollow);
            let lamp = (1.25 - softness) * facing * (1.0 - 0.85 * shadow);
            let gloss = canvas.gloss[pixel];
            let glance = dot(normal, half).max(0.0).powi(if gloss > 0.5 { 60 } else { 22 });
            let glint = gloss * glance * (1.0 - shadow) * 0.75;
            let Color(color) = canvas.colors[pixel];
            pixels.push(color.map(|channel| channel * (sky + lamp) + glint));
        }
    }
    Lit { size: (width, height), pixels }
}

/// Light that reaches the camera.
pub struct Lit {
    /// Width and height in pixels.
    pub size: (usize, usize),
    /// Red, green and blue of every pixel, row by row.
    pub pixels: Vec<[f32; 3]>,
}

fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// The mean over a square around every pixel, by sliding sums.
fn blurred(values: &[f32], width: usize, height: usize, radius: usize) -> Vec<f32> {
    let slide = |values: &[f32], lines: usize, length: usize, place: &dyn Fn(usize, usize) -> usize| {
        let mut out = vec![0.0; values.len()];
        for line in 0..lines {
            let value = |position: usize| values[place(line, position.min(length - 1))];
            let mut sum: f32 = (0..=radius).map(value).sum::<f32>() + value(0) * radius as f32;
            for position in 0..length {
                out[place(line, position)] = sum / (2 * radius + 1) as f32;
                sum += value(position + radius + 1) - value(position.saturating_sub(radius));
            }
        }
        out
    };
    let rows = slide(values, height, width, &|line, position| line * width + position);
    slide(&rows, width, height, &|line, position| position * width + line)
}

/// A picture whose every pixel is the mean of its surroundings, twice over: a lens out of focus.
pub fn out_of_focus(lit: &mut Lit, radius: usize) {
    let (width, height) = lit.size;
    for channel in 0..3 {
        let values: Vec<f32> = lit.pixels.iter().map(|pixel| pixel[channel]).collect();
        let once = blurred(&values, width, height, radius);
        for (pixel, value) in lit.pixels.iter_mut().zip(blurred(&once, width, height, radius)) {
            pixel[channel] = value;
        }
    }
}

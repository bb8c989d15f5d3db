//! Smooth noise: the same for the same place and seed.

/// A number from 0 to 1 for a lattice point.
fn lattice(seed: u32, x: i32, y: i32) -> f32 {
    let mut bits = seed ^ (x as u32).wrapping_mul(0x9E37_79B1) ^ (y as u32).wrapping_mul(0x85EB_CA77);
    bits = (bits ^ (bits >> 16)).wrapping_mul(0x7FEB_352D);
    bits = (bits ^ (bits >> 15)).wrapping_mul(0x846C_A68B);
    ((bits ^ (bits >> 16)) >> 8) as f32 / (1 << 24) as f32
}

/// One octave, from 0 to 1; changes over a distance of about 1.
pub fn smooth(seed: u32, x: f32, y: f32) -> f32 {
    let (column, row) = (x.floor(), y.floor());
    let ease = |t: f32| t * t * (3.0 - 2.0 * t);
    let (right, down) = (ease(x - column), ease(y - row));
    let (column, row) = (column as i32, row as i32);
    let above = lerp(lattice(seed, column, row), lattice(seed, column + 1, row), right);
    let below = lerp(lattice(seed, column, row + 1), lattice(seed, column + 1, row + 1), right);
    lerp(above, below, down)
}

/// Several octaves, each half as strong and twice as fine, from 0 to 1.
pub fn rough(seed: u32, x: f32, y: f32, octaves: u32) -> f32 {
    let (mut sum, mut weight, mut strength, mut scale) = (0.0, 0.0, 1.0, 1.0);
    for octave in 0..octaves {
        sum += strength * smooth(seed.wrapping_add(octave * 101), x * scale, y * scale);
        weight += strength;
        strength *= 0.5;
        scale *= 2.0;
    }
    sum / weight
}

/// From `a` at 0 to `b` at 1.
pub fn lerp(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// 0 below `low`, 1 above `high`, smooth between.
pub fn step(low: f32, high: f32, x: f32) -> f32 {
    let t = ((x - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

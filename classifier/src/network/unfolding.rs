//! From planes of pixels to a blocked map, for the first layer.
//!
//! Three channels would leave thirteen of a line's sixteen numbers empty. So a line holds what one row of the first
//! convolution's kernel sees: for a 3 x 3 kernel, nine numbers. The columns of the kernel become channels, and the
//! convolution that is left has a kernel of one column.

use super::{
    blocked::{BLOCK, Line, Shape},
    convolution::Window,
};

#[derive(Debug)]
pub(super) struct Unfolding {
    channels: usize,
    height: usize,
    width: usize,
    columns: usize,
    stride: usize,
    left: usize,
    /// Of the map that comes out.
    pub(super) shape: Shape,
}

impl Unfolding {
    /// For an image of `channels` planes, whose first layer has this `window`; `None` where nothing would come out.
    pub(super) fn new(channels: usize, height: usize, width: usize, window: &Window) -> Option<Self> {
        let [_, positions] = window.output([height, width])?;
        let columns = window.kernel[1];
        let border = window.before[0].max(window.after[0]);
        let shape = Shape { channels: channels.checked_mul(columns)?, height, width: positions, border };
        Some(Self { channels, height, width, columns, stride: window.strides[1], left: window.before[1], shape })
    }

    /// What is left of the first layer's window.
    pub(super) fn window(&self, window: &Window) -> Window {
        Window {
            kernel: [window.kernel[0], 1],
            strides: [window.strides[0], 1],
            before: [window.before[0], 0],
            after: [window.after[0], 0],
        }
    }

    /// The first layer's weights `[output, channel, row, column]`, as `[output, column and channel, row, 1]`.
    pub(super) fn weights(&self, weights: &[f32], window: &Window) -> Vec<f32> {
        let [rows, columns] = window.kernel;
        let mut unfolded = Vec::with_capacity(weights.len());
        for output in weights.chunks_exact(self.channels * rows * columns) {
            for column in 0..columns {
                for channel in 0..self.channels {
                    unfolded.extend((0..rows).map(|row| output[(channel * rows + row) * columns + column]));
                }
            }
        }
        unfolded
    }

    /// `image` is one plane of rows after the other.
    pub(super) fn run(&self, image: &[f32], map: &mut [Line]) {
        let plane = self.height * self.width;
        for (channel, plane) in image.chunks_exact(plane).take(self.channels).enumerate() {
            for (y, row) in plane.chunks_exact(self.width).enumerate() {
                let first = self.shape.pixel(y, 0);
                for column in 0..self.columns {
                    let place = column * self.channels + channel;
                    let lines = &mut map[place / BLOCK * self.shape.plane() + first..][..self.shape.width];
                    for (x, line) in lines.iter_mut().enumerate() {
                        let seen = (x * self.stride + column).checked_sub(self.left).and_then(|x| row.get(x));
                        line.0[place % BLOCK] = seen.copied().unwrap_or(0.0);
                    }
                }
            }
        }
    }
}

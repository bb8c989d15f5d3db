//! Feature maps in blocks of sixteen channels, as vector units take them.
//!
//! A [`Line`] is one pixel of one block: sixteen neighbouring channels, one cache line, one AVX-512 register. A map is
//! its blocks one after the other, each of them rows of lines, with a border of zeros around it that convolutions may
//! read instead of asking at every pixel whether they are still inside.

/// Channels in a block.
pub(super) const BLOCK: usize = 16;

/// Sixteen channels of a pixel, or sixteen weights.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C, align(64))]
pub(super) struct Line(pub(super) [f32; BLOCK]);

/// The size of a feature map, and of the border of zeros around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) channels: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    /// Rows and columns of zeros on each side.
    pub(super) border: usize,
}

impl Shape {
    pub(super) fn blocks(&self) -> usize {
        self.channels.div_ceil(BLOCK)
    }

    /// Lines in a row, border included.
    pub(super) fn row(&self) -> usize {
        self.width + 2 * self.border
    }

    /// Lines in a block, border included.
    pub(super) fn plane(&self) -> usize {
        self.row() * (self.height + 2 * self.border)
    }

    pub(super) fn lines(&self) -> usize {
        self.blocks() * self.plane()
    }

    /// Where in its block the pixel in row `y` and column `x` lies.
    pub(super) fn pixel(&self, y: usize, x: usize) -> usize {
        (y + self.border) * self.row() + x + self.border
    }
}

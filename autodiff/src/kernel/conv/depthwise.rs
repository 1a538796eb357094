//! Kernels of 3 x 3 taps from one channel to one, of stride one: what depthwise convolutions mostly are.
//!
//! There is little arithmetic to a number, so loading is the limit: vectors of [`ROWS`] rows of the output are made
//! together, for which each vector of the image is loaded once for all the rows that see it, and the weights stay in
//! registers. They go straight to the output. For 4096 planes of 28 x 28, that is 1.4 ms instead of the 1.9 ms of general
//! tiles of one row, which load a vector for each tap and whose results are copied (Zen 5, AVX-512, one thread).

use super::lattice::ask;
use super::mix::Mix;
use crate::float::Float;
use crate::kernel::vector::Vector;

/// Rows of the output that are made together.
const ROWS: usize = 4;

#[allow(clippy::inline_always)]
impl<T: Float> Mix<'_, T> {
    /// The weights by their places, and how far from an output's pixel the first place is, if this is such a kernel.
    #[inline(always)]
    pub(super) fn square(&self) -> Option<([[T; 3]; 3], usize)> {
        let [class] = self.classes else { return None };
        if self.rows != 1 || self.lattice.channels != 1 || class.offsets.len() != 9 {
            return None;
        }
        let first = *class.offsets.iter().min()?;
        let mut places = [[None; 3]; 3];
        for (offset, &weight) in class.offsets.iter().zip(&class.weights[self.group * 9..]) {
            let (down, across) =
                ((offset - first) / self.lattice.pitch, (offset - first) % self.lattice.pitch);
            *places.get_mut(down)?.get_mut(across)? = Some(weight);
        }
        let mut weights = [[T::ZERO; 3]; 3];
        for (weight, place) in weights.iter_mut().flatten().zip(places.iter().flatten()) {
            *weight = (*place)?;
        }
        Some((weights, first))
    }

    /// Convolves the band with such a kernel.
    #[inline(always)]
    pub(super) fn convolve_square<V: Vector<T>>(&self, weights: [[T; 3]; 3], first: usize, image: &[T]) {
        let [high, wide] = &self.lattice.axes;
        let pitch = self.lattice.pitch;
        let [top, bottom] = high.inside(0);
        let [top, bottom] = [self.band[0].max(top), self.band[1].min(bottom)];
        let [left, right] = wide.inside(0);
        let width = right - left;
        if top >= bottom || width == 0 {
            return;
        }
        let mut w = [[V::zero(); 3]; 3];
        for (w, weight) in w.iter_mut().flatten().zip(weights.iter().flatten()) {
            // SAFETY: a number can be read.
            *w = unsafe { V::splat(weight) };
        }
        let plane = (self.first * high.out_len + high.output(0, top)) * wide.out_len + wide.output(0, left);
        // SAFETY: a number can be read.
        let bias = unsafe { V::splat(self.bias.as_ptr()) };
        let rows = bottom - top;
        let out = self.y.place(plane, (rows - 1) * wide.out_len + width);
        let place = first + (top - self.band[0]) * pitch + left;
        // What a vector of the last row reads beyond the taps of its pixels is slack, or belongs to rows above.
        assert!(place + (rows + 1) * pitch + width.next_multiple_of(V::LANES) + 2 <= image.len());
        let mut row = 0;
        while row < rows {
            let here = (image[place + row * pitch..].as_ptr(), pitch);
            let to = (out.wrapping_add(row * wide.out_len), wide.out_len);
            let group = if rows - row >= ROWS { ROWS } else { 1 };
            // SAFETY: the image reaches as far as was just checked; the output has these rows, which no other thread writes.
            unsafe {
                if group == ROWS {
                    convolve_rows::<T, V, ROWS>(w, bias, here, to, width);
                } else {
                    convolve_rows::<T, V, 1>(w, bias, here, to, width);
                }
            }
            ask(self.next.as_ptr(), self.next.len(), [row, row + group], rows);
            row += group;
        }
    }
}

/// `out[r][x] ← bias + Σ_ij w[i][j] image[r + i][x + j]` for `R` rows `r` and `width` places `x`; both are given by the
/// address and the distance of rows.
///
/// # Safety
/// The numbers of the output must be writable; those of the image that the formula names must be readable, for `width`
/// rounded up to whole vectors.
#[inline(always)]
#[allow(clippy::inline_always)]
unsafe fn convolve_rows<T: Float, V: Vector<T>, const R: usize>(
    w: [[V; 3]; 3],
    bias: V,
    (image, pitch): (*const T, usize),
    (out, distance): (*mut T, usize),
    width: usize,
) {
    for x in (0..width).step_by(V::LANES) {
        let mut sums = [bias; R];
        for row in 0..R + 2 {
            for j in 0..3 {
                // SAFETY: the caller's promise.
                let pixels = unsafe { V::load(image.add(row * pitch + x + j)) };
                for (i, w) in w.iter().enumerate() {
                    if i <= row && row - i < R {
                        sums[row - i] = w[j].fused(pixels, sums[row - i]);
                    }
                }
            }
        }
        for (r, sum) in sums.into_iter().enumerate() {
            // SAFETY: as above.
            unsafe {
                let to = out.add(r * distance + x);
                if x + V::LANES <= width { sum.store(to) } else { sum.store_first(to, width - x) }
            }
        }
    }
}

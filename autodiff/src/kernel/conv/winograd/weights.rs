//! The weights of the products, made once for all units.

use super::PLACES;
use super::transform::spread_weights;
use crate::float::Float;
use crate::kernel::dispatch::Kernel;

/// The six places of the weights of a tile: each for all channels and columns, and for these the rows one after the other;
/// those from `count` on are zero.
pub(super) struct Weights<'a, T, F> {
    pub(super) out: &'a mut [T],
    pub(super) count: usize,
    pub(super) rows: usize,
    /// The three taps of each column of the kernel.
    pub(super) taps: Vec<[usize; 3]>,
    /// The weight of a row for a channel and a tap.
    pub(super) weight: F,
}

#[allow(clippy::inline_always)]
impl<T: Float, F: Fn(usize, usize, usize) -> f64> Kernel for Weights<'_, T, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        /// The most rows of a tile.
        const ROWS: usize = 8;
        let Self { out, count, rows, taps, weight } = self;
        let place = out.len() / PLACES;
        let columns = taps.len();
        for channel in 0..place / (columns * rows) {
            for (column, taps) in taps.iter().enumerate() {
                let mut g = [[0.0; ROWS]; 3];
                for (g, &tap) in g.iter_mut().zip(taps) {
                    for (row, g) in g[..count].iter_mut().enumerate() {
                        *g = weight(row, channel, tap);
                    }
                }
                let mut u = [[T::ZERO; ROWS]; PLACES];
                for row in 0..ROWS {
                    for (u, place) in u.iter_mut().zip(spread_weights([g[0][row], g[1][row], g[2][row]])) {
                        u[row] = T::from_f64(place);
                    }
                }
                let at = (channel * columns + column) * rows;
                for (p, u) in u.iter().enumerate() {
                    out[p * place + at..][..rows].copy_from_slice(&u[..rows]);
                }
            }
        }
    }
}

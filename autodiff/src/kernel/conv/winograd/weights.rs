//! The weights of the products, made once for all units.

use super::PLACES;
use super::transform::spread_weights;
use crate::float::Float;
use crate::kernel::dispatch::Kernel;

/// The six places of the weights of a tile of `ROWS` rows: each for all channels and columns, and for these the rows one after
/// the other; those from `count` on are zero.
pub(super) struct Weights<'a, T, F, const ROWS: usize> {
    pub(super) out: &'a mut [T],
    pub(super) count: usize,
    /// The three taps of each column of the kernel.
    pub(super) taps: &'a [[usize; 3]],
    /// The weight of a row for a channel and a tap.
    pub(super) weight: F,
}

#[allow(clippy::inline_always)]
impl<T: Float, F: Fn(usize, usize, usize) -> f64, const ROWS: usize> Kernel for Weights<'_, T, F, ROWS> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Self { out, count, taps, weight } = self;
        let place = out.len() / PLACES;
        let columns = taps.len();
        for at in 0..place / ROWS {
            let (channel, taps) = (at / columns, taps[at % columns]);
            let mut g = [[0.0; ROWS]; 3];
            for (g, tap) in g.iter_mut().zip(taps) {
                for (row, g) in g.iter_mut().enumerate().take(count) {
                    *g = weight(row, channel, tap);
                }
            }
            let mut u = [[T::ZERO; ROWS]; PLACES];
            for row in 0..ROWS {
                for (u, place) in u.iter_mut().zip(spread_weights([g[0][row], g[1][row], g[2][row]])) {
                    u[row] = T::from_f64(place);
                }
            }
            for (p, u) in u.iter().enumerate() {
                out[p * place + at * ROWS..][..ROWS].copy_from_slice(u);
            }
        }
    }
}

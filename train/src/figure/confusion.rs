//! Which class was taken for which.

use super::svg::{Anchor, INK, MUTED, Svg, text_width};
use super::{Area, Entry, Panel};

/// A panel with a confusion matrix: a row for each class, a column for what it was taken for, and in each cell the count. A
/// cell is the darker the larger its share of the row: green on the diagonal, red beside it.
///
/// ```
/// use train::figure::{Confusion, Figure};
/// let panel = Confusion::new("", &["cat", "dog"], &[9, 1, 2, 8]);
/// let svg = Figure::new("Two classes").panel(panel).to_svg();
/// assert!(svg.contains(">9</text>") && svg.contains(">dog</text>"));
/// ```
pub struct Confusion {
    title: String,
    names: Vec<String>,
    counts: Vec<u64>,
}

const SIZE: f64 = 12.0;
/// The height of a cell, and of the names above.
const ROW: f64 = 28.0;
const RIGHT: &str = "#2c8c3c";
const WRONG: &str = "#c8381e";

impl Confusion {
    /// The counts row by row: `counts[label · classes + taken for]`. The title may be empty.
    ///
    /// # Panics
    /// If there are not as many counts as pairs of names.
    pub fn new<N: AsRef<str>>(title: impl Into<String>, names: &[N], counts: &[u64]) -> Self {
        assert_eq!(counts.len(), names.len() * names.len(), "a count is needed for each pair of classes");
        let names = names.iter().map(|name| name.as_ref().to_owned()).collect();
        Self { title: title.into(), names, counts: counts.to_vec() }
    }

    /// The width of the names of the classes, and of a cell.
    fn widths(&self) -> (f64, f64) {
        let name = self.names.iter().map(|name| text_width(name, SIZE)).fold(0.0, f64::max);
        let count = self.counts.iter().map(|count| text_width(&count.to_string(), SIZE)).fold(0.0, f64::max);
        (name + 32.0, (name.max(count) + 12.0).max(34.0))
    }
}

impl Panel for Confusion {
    fn title(&self) -> &str {
        &self.title
    }

    fn legend(&self) -> Vec<Entry> {
        Vec::new()
    }

    fn size(&self, _: usize) -> (f64, f64) {
        let (name, cell) = self.widths();
        let count = self.names.len() as f64;
        (name + count * cell + 2.0, 20.0 + ROW * (count + 1.0) + 2.0)
    }

    fn draw(&self, svg: &mut Svg, area: Area, _: usize) {
        let (name_width, cell) = self.widths();
        let classes = self.names.len();
        let (left, top) = (area.left + name_width, area.top + 20.0 + ROW);
        let x = |column: usize| left + column as f64 * cell;
        let middle = f64::midpoint(left, x(classes));
        svg.text(middle, area.top + 12.0, 13.0, Anchor::Middle, MUTED, "taken for");
        svg.upright(area.left + 12.0, top + classes as f64 * ROW / 2.0, 13.0, "is");
        for (i, name) in self.names.iter().enumerate() {
            svg.text(x(i) + cell / 2.0, top - 9.0, SIZE, Anchor::Middle, INK, name);
            svg.text(left - 8.0, top + (i as f64 + 0.65) * ROW, SIZE, Anchor::End, INK, name);
        }
        for (row, counts) in self.counts.chunks(classes.max(1)).enumerate() {
            let total = counts.iter().sum::<u64>().max(1) as f64;
            for (column, &count) in counts.iter().enumerate() {
                let place = Area { left: x(column), top: top + row as f64 * ROW, width: cell, height: ROW };
                // A mistake is rare, and is to be seen all the same; black is read on every shade.
                let share = count as f64 / total;
                let (colour, opacity) =
                    if row == column { (RIGHT, 0.45 * share) } else { (WRONG, 0.6 * share.sqrt()) };
                svg.fill(place, colour, (opacity * 100.0).round() / 100.0);
                let ink = if count == 0 { "#767676" } else { INK };
                let baseline = place.top + 0.65 * ROW;
                svg.text(place.left + cell / 2.0, baseline, SIZE, Anchor::Middle, ink, &count.to_string());
            }
        }
        svg.outline(Area { left, top, width: classes as f64 * cell, height: classes as f64 * ROW }, MUTED);
    }
}

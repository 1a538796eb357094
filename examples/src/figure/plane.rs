//! Pictures of the plane: who decides what where, how high a function is, and the ways across it.

use super::axes::{Axis, Frame};
use super::svg::Svg;
use super::{Area, COLOURS, Entry, Mark, Panel, Point, colour, panel_width};
use autodiff::{Result, Tensor};

/// A panel with a piece of the plane: in order from the ground up, regions of classes, contours of a function, arrows,
/// paths, and points.
pub struct Plane {
    title: String,
    x: Axis,
    y: Axis,
    regions: Vec<usize>,
    contours: Vec<(Point, Point)>,
    arrows: Vec<(Point, Point)>,
    paths: Vec<(String, Vec<Point>)>,
    points: Vec<(String, usize, Vec<Point>)>,
}

/// The ground is coloured in so many cells a side.
const CELLS: usize = 120;
/// Contours are straight within each of so many cells a side.
const CONTOUR_CELLS: usize = 60;

impl Plane {
    /// The piece of the plane from `x.0` to `x.1` and from `y.0` to `y.1`, empty. The title may be empty.
    pub fn new(title: impl Into<String>, x: Point, y: Point) -> Self {
        let axis = |name: &str, (low, high): Point| Axis { name: name.into(), low, high, log: false };
        Self {
            title: title.into(),
            x: axis("x", x),
            y: axis("y", y),
            regions: Vec::new(),
            contours: Vec::new(),
            arrows: Vec::new(),
            paths: Vec::new(),
            points: Vec::new(),
        }
    }

    /// The same panel with other names of its axes than x and y.
    #[must_use]
    pub fn axes(mut self, x: &str, y: &str) -> Self {
        (self.x.name, self.y.name) = (x.into(), y.into());
        self
    }

    /// The same panel with the ground in the colours of the classes that `classify` gives for a batch of points, `[n, 2]`.
    ///
    /// # Errors
    /// Those of `classify`.
    ///
    /// # Panics
    /// If it does not give a class for each point.
    pub fn regions(mut self, classify: impl FnOnce(&Tensor) -> Result<Vec<usize>>) -> Result<Self> {
        // From above, row by row, as it is drawn.
        let at = |axis: &Axis, i: usize| axis.low + (axis.high - axis.low) * (i as f64 + 0.5) / CELLS as f64;
        let points: Vec<f32> = (0..CELLS * CELLS)
            .flat_map(|i| [at(&self.x, i % CELLS), at(&self.y, CELLS - 1 - i / CELLS)])
            .map(|coordinate| coordinate as f32)
            .collect();
        self.regions = classify(&Tensor::from_vec(points, [CELLS * CELLS, 2])?)?;
        assert_eq!(self.regions.len(), CELLS * CELLS, "each point needs a class");
        Ok(self)
    }

    /// The same panel with the lines on which `f(x, y)` is one of the levels.
    #[must_use]
    pub fn contours(mut self, levels: &[f64], f: impl Fn(f64, f64) -> f64) -> Self {
        let at = |axis: &Axis, i: usize| axis.low + (axis.high - axis.low) * i as f64 / CONTOUR_CELLS as f64;
        let corner = |column, row| (at(&self.x, column), at(&self.y, row));
        let heights: Vec<f64> = (0..(CONTOUR_CELLS + 1) * (CONTOUR_CELLS + 1))
            .map(|i| corner(i % (CONTOUR_CELLS + 1), i / (CONTOUR_CELLS + 1)))
            .map(|(x, y)| f(x, y))
            .collect();
        let height = |column: usize, row: usize| heights[row * (CONTOUR_CELLS + 1) + column];
        for &level in levels {
            for (column, row) in
                (0..CONTOUR_CELLS * CONTOUR_CELLS).map(|i| (i % CONTOUR_CELLS, i / CONTOUR_CELLS))
            {
                let corners = [(0, 0), (1, 0), (1, 1), (0, 1)].map(|(right, up)| (column + right, row + up));
                // Where the level is crossed along the four edges, an edge after the other.
                let crossings = (0..4).filter_map(|edge| {
                    let (from, to) = (corners[edge], corners[(edge + 1) % 4]);
                    let (low, high) = (height(from.0, from.1) - level, height(to.0, to.1) - level);
                    if (low < 0.0) == (high < 0.0) {
                        return None;
                    }
                    let (share, from, to) = (low / (low - high), corner(from.0, from.1), corner(to.0, to.1));
                    Some((from.0 + share * (to.0 - from.0), from.1 + share * (to.1 - from.1)))
                });
                let crossings: Vec<Point> = crossings.collect();
                self.contours.extend(crossings.chunks_exact(2).map(|pair| (pair[0], pair[1])));
            }
        }
        self
    }

    /// The same panel with the vectors `f(x, y)` as arrows, at the middles of `count` by `count` cells. The longest is as
    /// long as a cell, the others in proportion.
    #[must_use]
    pub fn field(mut self, count: usize, f: impl Fn(f64, f64) -> Point) -> Self {
        let cell = |axis: &Axis| (axis.high - axis.low) / count as f64;
        let (wide, high) = (cell(&self.x), cell(&self.y));
        let at = |axis: &Axis, i: usize| axis.low + (axis.high - axis.low) * (i as f64 + 0.5) / count as f64;
        let vectors: Vec<(Point, Point)> = (0..count * count)
            .map(|i| (at(&self.x, i % count), at(&self.y, i / count)))
            .map(|(x, y)| ((x, y), f(x, y)))
            .collect();
        let longest = vectors.iter().map(|(_, (dx, dy))| (dx / wide).hypot(dy / high)).fold(0.0, f64::max);
        if longest > 0.0 {
            let arrow = |((x, y), (dx, dy)): (Point, Point)| ((x, y), (dx / longest, dy / longest));
            self.arrows.extend(vectors.into_iter().map(arrow));
        }
        self
    }

    /// The same panel with a path from point to point, a small dot at each.
    #[must_use]
    pub fn path(mut self, name: impl Into<String>, points: impl AsRef<[Point]>) -> Self {
        self.paths.push((name.into(), points.as_ref().to_vec()));
        self
    }

    /// The same panel with points, in the colour of a class.
    #[must_use]
    pub fn points(mut self, name: impl Into<String>, class: usize, points: impl AsRef<[Point]>) -> Self {
        self.points.push((name.into(), class, points.as_ref().to_vec()));
        self
    }

    /// Draws an arrow: a shaft, and a head if it is long enough to be seen.
    fn arrow(from: Point, to: Point) -> Vec<(Point, Point)> {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = dx.hypot(dy);
        let mut parts = vec![(from, (dx, dy))];
        if length > 3.0 {
            let size = (0.35 * length).min(5.0) / length;
            for side in [-0.5, 0.5] {
                parts.push((to, (-size * (dx + side * dy), -size * (dy - side * dx))));
            }
        }
        parts
    }
}

/// The tint of a class: its colour, mostly white.
fn tint(class: usize) -> String {
    let colour = colour(class);
    let part = |i: usize| u8::from_str_radix(&colour[i..i + 2], 16).expect("a colour is three bytes");
    let [r, g, b] = [1, 3, 5].map(|i| 255 - (255 - part(i)) / 4);
    format!("#{r:02x}{g:02x}{b:02x}")
}

impl Panel for Plane {
    fn title(&self) -> &str {
        &self.title
    }

    fn legend(&self) -> Vec<Entry> {
        let paths = self.paths.iter().enumerate().map(|(i, (name, _))| (name, i, Mark::Line));
        let points = self.points.iter().map(|(name, class, _)| (name, *class, Mark::Dot));
        paths
            .chain(points)
            .filter(|(name, ..)| !name.is_empty())
            .map(|(name, i, mark)| Entry { name: name.clone(), colour: colour(i), mark })
            .collect()
    }

    fn size(&self, columns: usize) -> (f64, f64) {
        let width = panel_width(columns).min(COLOURS.len() as f64 * 70.0);
        let ratio = (self.y.high - self.y.low) / (self.x.high - self.x.low);
        (width, ((width - 60.0) * ratio.clamp(0.45, 1.0) + 46.0).round())
    }

    fn draw(&self, svg: &mut Svg, area: Area, columns: usize) {
        let (width, height) = self.size(columns);
        let area = Area { width, height, ..area };
        let frame = Frame::draw(svg, area, self.x.clone(), self.y.clone());
        svg.clipped(frame.plot, |svg| {
            if !self.regions.is_empty() {
                let tints: Vec<String> = self.regions.iter().map(|&class| tint(class)).collect();
                svg.cells(frame.plot, CELLS, &tints);
            }
            let between = |&(from, to): &(Point, Point)| {
                let (from, to) = (frame.at(from), frame.at(to));
                (from, (to.0 - from.0, to.1 - from.1))
            };
            let contours: Vec<_> = self.contours.iter().map(between).collect();
            svg.segments(&contours, "#9aa4ae", 1.0);
            let arrows: Vec<_> = self
                .arrows
                .iter()
                .flat_map(|&((x, y), (dx, dy))| Self::arrow(frame.at((x, y)), frame.at((x + dx, y + dy))))
                .collect();
            svg.segments(&arrows, "#586069", 1.2);
            for (i, (_, points)) in self.paths.iter().enumerate() {
                let points: Vec<Point> = points.iter().map(|&point| frame.at(point)).collect();
                svg.polyline(&points, colour(i), 1.8, "");
                for at in points {
                    svg.dot(at, 2.6, colour(i));
                }
            }
            for (_, class, points) in &self.points {
                for &point in points {
                    svg.dot(frame.at(point), 5.5, colour(*class));
                }
            }
        });
    }
}

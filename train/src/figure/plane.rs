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
    ///
    /// # Panics
    /// If a range is reversed or an end not finite.
    #[track_caller]
    pub fn new(title: impl Into<String>, x: Point, y: Point) -> Self {
        Self {
            title: title.into(),
            x: Axis::new("x", x, false),
            y: Axis::new("y", y, false),
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

    /// The same panel with the ground in the colours of the classes that `classify` gives for points `[n, 2]`.
    ///
    /// # Errors
    /// Those of `classify`.
    ///
    /// # Panics
    /// If it does not give a class for each point.
    pub fn regions(mut self, classify: impl FnOnce(&Tensor) -> Result<Vec<usize>>) -> Result<Self> {
        // From above, row by row, as it is drawn.
        let cells: Vec<Point> = self.middles(CELLS).collect();
        let rows = cells.chunks(CELLS).rev().flatten().copied();
        self.regions = classify(&batch(rows.collect())?)?;
        assert_eq!(self.regions.len(), cells.len(), "each point needs a class");
        Ok(self)
    }

    /// The same panel with the lines on which `f`, which maps points `[n, 2]` to numbers `[n]`, is one of the levels.
    ///
    /// # Errors
    /// Those of `f`.
    ///
    /// # Panics
    /// If it does not give a number for each point.
    pub fn contours(mut self, levels: &[f64], f: impl FnOnce(&Tensor) -> Result<Tensor>) -> Result<Self> {
        const SIDE: usize = CONTOUR_CELLS + 1;
        let at = |axis: &Axis, i: usize| axis.at(i as f64 / CONTOUR_CELLS as f64);
        let corners: Vec<Point> =
            (0..SIDE * SIDE).map(|i| (at(&self.x, i % SIDE), at(&self.y, i / SIDE))).collect();
        let heights = f(&batch(corners.clone())?)?.to_vec();
        assert_eq!(heights.len(), corners.len(), "each point needs a number");
        let cells = (0..CONTOUR_CELLS * CONTOUR_CELLS)
            .map(|i| i / CONTOUR_CELLS * SIDE + i % CONTOUR_CELLS)
            .map(|first| [first, first + 1, first + SIDE + 1, first + SIDE]);
        for (cell, &level) in cells.flat_map(|cell| levels.iter().map(move |level| (cell, level))) {
            // Where the level is crossed along the four edges, an edge after the other.
            let crossings = (0..4).filter_map(|edge| {
                let (from, to) = (cell[edge], cell[(edge + 1) % 4]);
                let [low, high] = [from, to].map(|corner| f64::from(heights[corner]) - level);
                let share = low / (low - high);
                let between = |from: f64, to: f64| from + share * (to - from);
                let ((x0, y0), (x1, y1)) = (corners[from], corners[to]);
                ((low < 0.0) != (high < 0.0)).then(|| (between(x0, x1), between(y0, y1)))
            });
            let crossings: Vec<Point> = crossings.collect();
            self.contours.extend(crossings.chunks_exact(2).map(|pair| (pair[0], pair[1])));
        }
        Ok(self)
    }

    /// The same panel with arrows in the middles of `count` by `count` cells: the vectors `[n, 2]` that `f` gives for points
    /// `[n, 2]`. The longest is as long as a cell, the others in proportion.
    ///
    /// # Errors
    /// Those of `f`.
    ///
    /// # Panics
    /// If it does not give a vector for each point.
    pub fn field(mut self, count: usize, f: impl FnOnce(&Tensor) -> Result<Tensor>) -> Result<Self> {
        let points: Vec<Point> = self.middles(count).collect();
        let vectors = f(&batch(points.clone())?)?.to_vec();
        assert_eq!(vectors.len(), 2 * points.len(), "each point needs a vector");
        let cell = |axis: &Axis| (axis.high - axis.low) / count as f64;
        let (wide, high) = (cell(&self.x), cell(&self.y));
        let vectors = vectors.chunks_exact(2).map(|vector| (f64::from(vector[0]), f64::from(vector[1])));
        let longest = vectors.clone().map(|(dx, dy)| (dx / wide).hypot(dy / high)).fold(0.0, f64::max);
        if longest > 0.0 {
            let scaled = vectors.map(|(dx, dy)| (dx / longest, dy / longest));
            self.arrows.extend(points.into_iter().zip(scaled));
        }
        Ok(self)
    }

    /// The middles of `count` by `count` cells, row by row, from below.
    fn middles(&self, count: usize) -> impl Iterator<Item = Point> {
        let at = move |axis: &Axis, i: usize| axis.at((i as f64 + 0.5) / count as f64);
        (0..count * count).map(move |i| (at(&self.x, i % count), at(&self.y, i / count)))
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

/// Points as a tensor `[n, 2]`.
fn batch(points: Vec<Point>) -> Result<Tensor> {
    let count = points.len();
    let coordinates: Vec<f32> = points.into_iter().flat_map(|(x, y)| [x as f32, y as f32]).collect();
    Tensor::from_vec(coordinates, [count, 2])
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
                svg.polyline(&points, colour(i), 1.5, "");
                svg.marks(&points, colour(i));
            }
            for (_, class, points) in &self.points {
                for &point in points {
                    svg.dot(frame.at(point), 5.5, colour(*class));
                }
            }
        });
    }
}

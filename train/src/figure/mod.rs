//! Pictures as SVG under `target/figures/`: panels in a grid, each with its title and legend.
//!
//! They stand on a white ground of their own, so that they are readable on light and on dark pages alike, and are a few
//! kilobytes each. A legend stands above its panel, where it covers nothing; if all panels have the same, it is drawn
//! once.

mod axes;
pub mod confusion;
pub mod diagram;
pub mod heat;
pub mod histograms;
pub mod images;
pub mod lines;
pub mod plane;
mod svg;

pub use confusion::Confusion;
pub use diagram::Diagram;
pub use heat::Heat;
pub use histograms::Histogram;
pub use images::Image;
pub use lines::Lines;
pub use plane::Plane;

use autodiff::{Float, Tensor};
use std::io;
use std::path::{Path, PathBuf};
use svg::{Anchor, INK, MUTED, Svg, text_width};

/// A point of the plane, or of the picture.
type Point = (f64, f64);

/// The colours of lines and classes, in order.
const COLOURS: [&str; 8] =
    ["#1f77b4", "#d66014", "#2c8c3c", "#9450aa", "#8c564b", "#178a94", "#c2438c", "#6b6b6b"];

/// The colour of line or class `i`.
fn colour(i: usize) -> &'static str {
    COLOURS[i % COLOURS.len()]
}

/// A rectangle in pixels, `y` downwards.
#[derive(Clone, Copy)]
pub struct Area {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

/// How a legend shows what it names.
#[derive(Clone, Copy, PartialEq)]
enum Mark {
    Line,
    Dashes,
    Dot,
}

/// A line of a legend.
#[derive(Clone, PartialEq)]
pub struct Entry {
    name: String,
    colour: &'static str,
    mark: Mark,
}

/// Something that has a place in the grid of a [`Figure`].
pub trait Panel {
    /// What stands above it; may be empty.
    fn title(&self) -> &str;
    /// What its legend says; may be empty.
    fn legend(&self) -> Vec<Entry>;
    /// Width and height in pixels, in a grid of so many columns, without title and legend.
    fn size(&self, columns: usize) -> (f64, f64);
    /// Draws it, without title and legend. The area is as wide as [`size`](Self::size) says, and as high as the highest
    /// panel of the row.
    fn draw(&self, svg: &mut Svg, area: Area, columns: usize);
}

/// The width of a panel with axes, in pixels.
fn panel_width(columns: usize) -> f64 {
    match columns {
        0 | 1 => 720.0,
        2 => 460.0,
        3 => 340.0,
        _ => 270.0,
    }
}

/// Panels in a grid.
pub struct Figure {
    title: String,
    columns: usize,
    panels: Vec<Box<dyn Panel>>,
}

const MARGIN: f64 = 16.0;
const GAP: f64 = 18.0;
const LINE: f64 = 20.0;

impl Figure {
    /// A figure without panels, of one column. The title may be empty.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), columns: 1, panels: Vec::new() }
    }

    /// A figure with each image `[height, width]` of a tensor `[.., height, width]`, in rows: the filters of a convolution, or
    /// what a layer makes of an image. If a number is negative, blue is below 0, white 0 and red above; else 0 is white and
    /// the largest black. Each image has its own scale.
    ///
    /// ```
    /// use autodiff::Rng;
    /// use nn::Conv2d;
    /// use train::figure::Figure;
    /// let conv: Conv2d = Conv2d::new(1, 6, 5, &mut Rng::seed(1));
    /// let svg = Figure::images("The filters of the first convolution", &conv.weight).to_svg();
    /// assert!(svg.contains("The filters"));
    /// ```
    ///
    /// # Panics
    /// If the tensor has fewer than two axes.
    pub fn images<T: Float>(title: impl Into<String>, images: &Tensor<T>) -> Self {
        let shape = images.shape();
        assert!(shape.rank() >= 2, "{shape} has no images: it must be [.., height, width]");
        let (height, width) = (shape.dim(shape.rank() - 2), shape.dim(shape.rank() - 1));
        let pixels: Vec<f32> = images.to_vec().into_iter().map(|x| x.to_f64() as f32).collect();
        let signed = pixels.iter().any(|&x| x < 0.0);
        let figure = Self::new(title).columns(8);
        pixels.chunks((height * width).max(1)).fold(figure, |figure, pixels| {
            let largest = pixels.iter().fold(f32::MIN_POSITIVE, |largest, &x| largest.max(x));
            figure.panel(if signed {
                Image::new(width, pixels).signed()
            } else {
                Image::new(width, &pixels.iter().map(|x| x / largest).collect::<Vec<_>>())
            })
        })
    }

    /// The same figure with so many panels side by side.
    #[must_use]
    pub fn columns(self, columns: usize) -> Self {
        Self { columns: columns.max(1), ..self }
    }

    /// The same figure with one more panel, row by row.
    #[must_use]
    pub fn panel(mut self, panel: impl Panel + 'static) -> Self {
        self.panels.push(Box::new(panel));
        self
    }

    /// Writes `target/figures/name.svg`, and says so on standard error.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, name: &str) -> io::Result<PathBuf> {
        let folder = Path::new("target").join("figures");
        std::fs::create_dir_all(&folder)?;
        let file = folder.join(format!("{name}.svg"));
        std::fs::write(&file, self.to_svg())?;
        eprintln!("drawn: {}", file.display());
        Ok(file)
    }

    /// The figure as a file of SVG.
    pub fn to_svg(&self) -> String {
        let columns = self.columns.min(self.panels.len()).max(1);
        let cell = self.panels.iter().map(|panel| panel.size(columns).0).fold(0.0, f64::max);
        let width = columns as f64 * (cell + GAP) - GAP;
        let total = (width + 2.0 * MARGIN).max(text_width(&self.title, 18.0) + 2.0 * MARGIN);

        let mut svg = Svg::default();
        let mut top = MARGIN;
        if !self.title.is_empty() {
            svg.text(MARGIN, top + 16.0, 18.0, Anchor::Start, INK, &self.title);
            top += 34.0;
        }
        let legends: Vec<Vec<Entry>> = self.panels.iter().map(|panel| panel.legend()).collect();
        let shared = legends.len() > 1 && legends.windows(2).all(|pair| pair[0] == pair[1]);
        if shared {
            top += legend(&mut svg, MARGIN, top, width, &legends[0]);
        }
        for (row, panels) in self.panels.chunks(columns).enumerate() {
            let legends = &legends[row * columns..];
            let titled = panels.iter().any(|panel| !panel.title().is_empty());
            let left = |column: usize| MARGIN + column as f64 * (cell + GAP);
            for (column, panel) in panels.iter().enumerate().filter(|_| titled) {
                let middle = left(column) + cell / 2.0;
                svg.text(middle, top + 13.0, 14.0, Anchor::Middle, INK, panel.title());
            }
            top += if titled { 24.0 } else { 0.0 };
            if !shared {
                let heights = (0..panels.len())
                    .map(|column| legend(&mut svg, left(column), top, cell, &legends[column]));
                top += heights.fold(0.0, f64::max);
            }
            let height = panels.iter().map(|panel| panel.size(columns).1).fold(0.0, f64::max);
            for (column, panel) in panels.iter().enumerate() {
                let (width, _) = panel.size(columns);
                panel.draw(&mut svg, Area { left: left(column), top, width, height }, columns);
            }
            top += height + GAP;
        }
        svg.finish(total, top - GAP + MARGIN)
    }
}

/// Draws a legend in rows as wide as there is room; returns its height.
fn legend(svg: &mut Svg, left: f64, top: f64, width: f64, entries: &[Entry]) -> f64 {
    const SWATCH: f64 = 22.0;
    if entries.is_empty() {
        return 0.0;
    }
    let (mut x, mut y) = (0.0, 10.0);
    for entry in entries {
        let needed = SWATCH + 6.0 + text_width(&entry.name, 12.0) + 16.0;
        if x > 0.0 && x + needed > width {
            (x, y) = (0.0, y + LINE);
        }
        let (at, middle) = (left + x, top + y);
        match entry.mark {
            Mark::Line => svg.polyline(&[(at, middle), (at + SWATCH, middle)], entry.colour, 2.0, ""),
            Mark::Dashes => svg.polyline(&[(at, middle), (at + SWATCH, middle)], entry.colour, 2.0, "5 4"),
            Mark::Dot => svg.dot((at + SWATCH / 2.0, middle), 4.5, entry.colour),
        }
        svg.text(at + SWATCH + 6.0, middle + 4.0, 12.0, Anchor::Start, MUTED, &entry.name);
        x += needed;
    }
    y + 16.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_legend_is_drawn_once_if_all_panels_have_the_same() {
        let panel = |name: &str| Lines::new("", "x", "y").line(name, [(0.0, 0.0), (1.0, 1.0)]);
        let legends = |names: [&str; 2]| {
            let figure =
                names.iter().fold(Figure::new("").columns(2), |figure, name| figure.panel(panel(name)));
            let text = figure.to_svg();
            names.map(|name| text.matches(&format!(">{name}</text>")).count())
        };
        assert_eq!(legends(["loss", "loss"]), [1, 1]);
        assert_eq!(legends(["loss", "accuracy"]), [1, 1]);
    }

    #[test]
    fn a_file_is_well_formed_and_has_a_ground_of_its_own() {
        let lines =
            Lines::new("a < b & c", "x", "y").line("up", [(0.0, 1.0), (f64::NAN, 1.0), (2.0, f64::INFINITY)]);
        let image = Image::new(2, &[0.0, 1.0, 0.5, 0.0]).caption("<2>");
        let plane = Plane::new("", (0.0, 1.0), (0.0, 1.0))
            .contours(&[0.5], |points| points.square().sum_axes(1))
            .expect("a function of points")
            .points("p", 0, [(0.5, 0.5)]);
        let histogram = Histogram::new("h", "x", &[0.1, 0.9, 5.0], (0.0, 1.0), 4);
        let text = Figure::new("").panel(lines).panel(image).panel(plane).panel(histogram).to_svg();
        let third = text.lines().nth(2).expect("the ground");
        assert_eq!(third, "<rect width=\"100%\" height=\"100%\" class=\"ground\" fill=\"#fff\"/>");
        assert!(text.contains("a &lt; b &amp; c") && text.contains("&lt;2&gt;"));
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
        for tag in ["g", "text", "clipPath", "svg"] {
            let count = |mark: String| text.matches(&mark).count();
            let opened = count(format!("<{tag} ")) + count(format!("<{tag}>"));
            assert_eq!(opened, count(format!("</{tag}>")), "{tag}");
        }
    }

    #[test]
    fn a_range_without_room_and_one_without_end_are_drawn() {
        let line = |points: &[Point]| Lines::new("", "x", "y").line("a", points).dots("b", points);
        let histogram = |values: &[f32], range| Histogram::new("", "", values, range, 3);
        let flat = (1.0, 1.0);
        let panels: Vec<Box<dyn Panel>> = vec![
            Box::new(histogram(&[1.0], flat)),
            Box::new(histogram(&[5.0], (0.0, 1.0))),
            Box::new(line(&[(0.0, 1.0), (1.0, 1.0)]).y_range(1.0, 1.0)),
            Box::new(line(&[(0.0, -1e17), (1.0, -1e17)])),
            Box::new(line(&[(1.7e18, 0.5)])),
            Box::new(line(&[(0.0, -1e308), (1.0, 1e308)])),
            Box::new(line(&[(1e-308, 1e-308), (1e308, 1e308)]).log_x().log_y()),
            Box::new(line(&[(f64::MAX, f64::MAX)]).log_x().log_y()),
            Box::new(Heat::new("", ["x", "y"], flat, flat, 1, &[1.0])),
            Box::new(Plane::new("", flat, flat).points("a", 0, [flat])),
        ];
        for (i, panel) in panels.into_iter().enumerate() {
            let figure = Figure { panels: vec![panel], ..Figure::new("") };
            let text = figure.to_svg();
            let wrong = ["NaN", "inf", "width=\"-", "height=\"-"].iter().find(|wrong| text.contains(**wrong));
            assert_eq!(wrong, None, "panel {i}: {text}");
        }
        // The value stands in the middle of what the range has become.
        assert!(Figure::new("").panel(histogram(&[1.0], flat)).to_svg().contains(">1.0</text>"));
    }

    #[test]
    fn a_range_that_is_none_is_refused_where_it_is_given() {
        let refused = |build: fn()| {
            let panic = std::panic::catch_unwind(build).expect_err("it is no range");
            panic.downcast_ref::<String>().expect("a message").clone()
        };
        let reversed = "no axis goes from 1 to 0";
        assert_eq!(refused(|| drop(Lines::new("", "x", "y").y_range(1.0, 0.0))), reversed);
        assert_eq!(refused(|| drop(Histogram::new("", "", &[], (1.0, 0.0), 3))), reversed);
        assert_eq!(refused(|| drop(Plane::new("", (0.0, 1.0), (1.0, 0.0)))), reversed);
        assert_eq!(refused(|| drop(Heat::new("", ["x", "y"], (1.0, 0.0), (0.0, 1.0), 1, &[]))), reversed);
        let endless = "no axis goes from 0 to inf";
        assert_eq!(refused(|| drop(Lines::new("", "x", "y").y_range(0.0, f64::INFINITY))), endless);
        let logarithmic = "no logarithmic axis begins at 0";
        assert_eq!(refused(|| drop(Lines::new("", "x", "y").y_range(0.0, 1.0).log_y())), logarithmic);
        assert_eq!(refused(|| drop(Lines::new("", "x", "y").log_y().y_range(0.0, 1.0))), logarithmic);
    }
}

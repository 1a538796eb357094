//! Pictures of a training run, as SVG under `target/figures/`.

use plotters::coord::Shift;
use plotters::prelude::*;
use std::error::Error;
use std::path::{Path, PathBuf};

/// Ink that is readable on light and on dark pages alike, on a white ground of its own.
const INK: RGBColor = RGBColor(40, 40, 40);
const GRID: RGBColor = RGBColor(225, 225, 225);
const COLOURS: [RGBColor; 4] =
    [RGBColor(31, 119, 180), RGBColor(214, 96, 20), RGBColor(44, 140, 60), RGBColor(148, 80, 170)];

/// A named line of a plot.
pub struct Line<'a> {
    /// What the legend says.
    pub name: &'a str,
    /// Points, from left to right.
    pub points: &'a [(f64, f64)],
}

/// An image of one channel with its caption.
pub struct Digit<'a> {
    /// Ink from 0 to 1, row by row.
    pub pixels: &'a [f32],
    /// What stands below it, a line each.
    pub caption: [String; 2],
}

/// The file `target/figures/name.svg`, whose folder is made if need be.
///
/// # Errors
/// If the folder cannot be made.
pub fn path(name: &str) -> std::io::Result<PathBuf> {
    let folder = Path::new("target").join("figures");
    std::fs::create_dir_all(&folder)?;
    Ok(folder.join(format!("{name}.svg")))
}

/// Draws lines over two axes.
///
/// # Errors
/// If the file cannot be written.
pub fn lines(file: &Path, title: &str, axes: [&str; 2], lines: &[Line<'_>]) -> Result<(), Box<dyn Error>> {
    let points = || lines.iter().flat_map(|line| line.points);
    let right = points().map(|p| p.0).fold(1.0, f64::max);
    let top = points().map(|p| p.1).fold(0.0, f64::max) * 1.05;
    let root = SVGBackend::new(file, (760, 420)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(title, ("sans-serif", 20).into_font().color(&INK))
        .margin(16)
        .x_label_area_size(44)
        .y_label_area_size(60)
        .build_cartesian_2d(0.0..right, 0.0..top.max(1e-9))?;
    chart
        .configure_mesh()
        .bold_line_style(GRID)
        .light_line_style(WHITE)
        .axis_style(INK)
        .label_style(("sans-serif", 14).into_font().color(&INK))
        .x_label_formatter(&|x| format!("{x:.0}"))
        .x_desc(axes[0])
        .y_desc(axes[1])
        .draw()?;
    for (i, line) in lines.iter().enumerate() {
        let colour = COLOURS[i % COLOURS.len()];
        let series = LineSeries::new(line.points.iter().copied(), colour.stroke_width(2));
        chart
            .draw_series(series)?
            .label(line.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 22, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE)
        .border_style(GRID)
        .label_font(("sans-serif", 14).into_font().color(&INK))
        .draw()?;
    root.present()?;
    Ok(())
}

/// Draws images of `side` by `side` pixels in rows of five, each with its caption.
///
/// # Errors
/// If the file cannot be written.
pub fn digits(file: &Path, title: &str, side: usize, digits: &[Digit<'_>]) -> Result<(), Box<dyn Error>> {
    const CELL: (i32, i32) = (140, 168);
    let rows = digits.len().div_ceil(5).max(1) as i32;
    let root =
        SVGBackend::new(file, (5 * CELL.0 as u32 + 20, (rows * CELL.1) as u32 + 56)).into_drawing_area();
    root.fill(&WHITE)?;
    root.draw(&Text::new(title, (16, 14), ("sans-serif", 20).into_font().color(&INK)))?;
    for (i, digit) in digits.iter().enumerate() {
        let corner = (16 + (i as i32 % 5) * CELL.0, 48 + (i as i32 / 5) * CELL.1);
        image(&root, corner, 112, side, digit.pixels)?;
        for (line, text) in digit.caption.iter().enumerate() {
            let at = (corner.0, corner.1 + 116 + 18 * line as i32);
            root.draw(&Text::new(text.as_str(), at, ("sans-serif", 14).into_font().color(&INK)))?;
        }
    }
    root.present()?;
    Ok(())
}

/// Draws the pixels of an image as squares, dark where there is ink.
fn image(
    root: &DrawingArea<SVGBackend<'_>, Shift>,
    (x, y): (i32, i32),
    width: i32,
    side: usize,
    pixels: &[f32],
) -> Result<(), Box<dyn Error>> {
    let at = |k: usize| k as i32 * width / side as i32;
    root.draw(&Rectangle::new([(x, y), (x + width, y + width)], RGBColor(247, 247, 247).filled()))?;
    for (k, &ink) in pixels.iter().enumerate() {
        if ink > 0.0 {
            let (row, column) = (k / side, k % side);
            let grey = (247.0 * (1.0 - ink)) as u8;
            let corners = [(x + at(column), y + at(row)), (x + at(column + 1), y + at(row + 1))];
            root.draw(&Rectangle::new(corners, RGBColor(grey, grey, grey).filled()))?;
        }
    }
    Ok(())
}

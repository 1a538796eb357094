//! Images of one channel: digits, photographs, filters.

use super::svg::{Anchor, MUTED, Svg, text_width};
use super::{Area, Entry, Panel};

/// A panel with an image and a caption of any number of lines below.
pub struct Image {
    width: usize,
    pixels: Vec<f32>,
    caption: Vec<String>,
    shade: Shade,
}

#[derive(Clone, Copy)]
enum Shade {
    /// 0 is white, 1 is black.
    Ink,
    /// 0 is black, 1 is white.
    Light,
    /// Blue below 0, white at 0, red above; full at the largest absolute value.
    Signed,
}

const CAPTION_SIZE: f64 = 12.0;
const CAPTION_LINE: f64 = 16.0;

impl Image {
    /// An image of `width` pixels a row, from above: 0 is white, 1 is black, as in a data set of handwriting.
    pub fn new(width: usize, pixels: &[f32]) -> Self {
        Self { width: width.max(1), pixels: pixels.to_vec(), caption: Vec::new(), shade: Shade::Ink }
    }

    /// The same image with 0 as black and 1 as white, as in a photograph.
    #[must_use]
    pub fn light(self) -> Self {
        Self { shade: Shade::Light, ..self }
    }

    /// The same image for numbers of both signs, as those of a filter: blue below 0, white at 0, red above, and full
    /// colour at the largest absolute value.
    #[must_use]
    pub fn signed(self) -> Self {
        Self { shade: Shade::Signed, ..self }
    }

    /// The same image with one more line below it.
    #[must_use]
    pub fn caption(mut self, line: impl Into<String>) -> Self {
        self.caption.push(line.into());
        self
    }

    /// The colour of a pixel, of 32 for each sign: finer steps are not seen, and make the file larger.
    fn colour(&self, pixel: f32, largest: f32) -> String {
        let level = |x: f32| (x.clamp(0.0, 1.0) * 31.0).round() / 31.0;
        // White is a little grey, so that the edge of an image is seen.
        let mix = |x: f32, full: [f32; 3]| {
            let [r, g, b] = full.map(|full| (247.0 + (full - 247.0) * level(x)) as u8);
            format!("#{r:02x}{g:02x}{b:02x}")
        };
        match self.shade {
            Shade::Ink => mix(pixel, [0.0; 3]),
            Shade::Light => mix(1.0 - pixel, [0.0; 3]),
            Shade::Signed if pixel < 0.0 => mix(-pixel / largest, [31.0, 90.0, 180.0]),
            Shade::Signed => mix(pixel / largest, [190.0, 50.0, 20.0]),
        }
    }

    /// Width and height of the image without its caption: the longer one depends on the columns alone.
    fn picture(&self, columns: usize) -> (f64, f64) {
        let side = match columns {
            0..=2 => 260.0,
            3 => 200.0,
            4 => 150.0,
            _ => 112.0,
        };
        let (width, height) = (self.width as f64, (self.pixels.len() / self.width) as f64);
        (side * width / width.max(height), side * height / width.max(height))
    }
}

impl Panel for Image {
    fn title(&self) -> &'static str {
        ""
    }

    fn legend(&self) -> Vec<Entry> {
        Vec::new()
    }

    fn size(&self, columns: usize) -> (f64, f64) {
        let caption = self.caption.iter().map(|line| text_width(line, CAPTION_SIZE)).fold(0.0, f64::max);
        let (width, height) = self.picture(columns);
        (width.max(caption), height + CAPTION_LINE * self.caption.len() as f64 + 4.0)
    }

    fn draw(&self, svg: &mut Svg, area: Area, columns: usize) {
        let largest = self.pixels.iter().fold(f32::MIN_POSITIVE, |largest, pixel| largest.max(pixel.abs()));
        let colours: Vec<String> = self.pixels.iter().map(|&pixel| self.colour(pixel, largest)).collect();
        let (width, height) = self.picture(columns);
        let area_of_cells = Area { width, height, ..area };
        match self.shade {
            Shade::Light => svg.unchanged(|svg| svg.cells(area_of_cells, self.width, &colours)),
            Shade::Ink | Shade::Signed => svg.cells(area_of_cells, self.width, &colours),
        }
        for (i, line) in self.caption.iter().enumerate() {
            let y = area.top + height + CAPTION_LINE * (i + 1) as f64;
            svg.text(area.left, y, CAPTION_SIZE, Anchor::Start, MUTED, line);
        }
    }
}

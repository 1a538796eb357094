//! The page to draw on, drawn on in headless Chromium: `cargo test -p examples --features browser --test browser`.

#[path = "../../train/tests/browser/driver.rs"]
mod driver;

use autodiff::Rng;
use datasets::{Loader, mnist};
use driver::Browser;
use examples::classifier;
use examples::cnn::Cnn;
use examples::digits_server::DigitsServer;
use serde_json::json;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Draws through points of the board, in hundredths of its width and height.
fn draw(browser: &Browser, points: &[(f64, f64)]) {
    let script = "const box = document.getElementById('ink').getBoundingClientRect(); \
                  return [box.left, box.top, box.width]";
    let [left, top, width]: [f64; 3] = serde_json::from_value(browser.run(script)).expect("three numbers");
    let at = |&(x, y): &(f64, f64)| ((left + width * x / 100.0) as i32, (top + width * y / 100.0) as i32);
    browser.drag(&points.iter().map(at).collect::<Vec<_>>());
}

/// Waits until the page says what it is to say.
fn wait_for(browser: &Browser, what: &str, holds: impl Fn(&str) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let said = browser.text("#said");
        if holds(&said) {
            return;
        }
        assert!(Instant::now() < deadline, "{what} is not said, but: {said}");
        sleep(Duration::from_millis(20));
    }
}

/// How many of the little pictures of each convolution, and of the network's image, have ink.
fn inked(browser: &Browser) -> [usize; 3] {
    let script = "const inked = (canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height) \
                  .data.some((byte) => byte > 0); \
                  const count = (all) => [...all].filter(inked).length; \
                  return [...[...document.querySelectorAll('.maps')].map((maps) => count(maps.children)), \
                  count([document.getElementById('image')])]";
    serde_json::from_value(browser.run(script)).expect("three numbers")
}

#[test]
fn a_digit_that_is_drawn_is_recognised_and_wiped_off() {
    let data = mnist::shipped().unwrap();
    let mut model = Cnn::new(&mut Rng::seed(1));
    let train = data.train.take(3_000);
    classifier::train(&mut model, Loader::new(&train, 64).shuffle(1), 1, 0.002, None).unwrap();
    let server = DigitsServer::start(model, 0).unwrap();
    let browser = Browser::start();
    browser.resize(1400, 900);
    browser.open(&server.address());
    assert!(browser.text("#said").starts_with("Nothing is drawn"));
    assert_eq!(inked(&browser), [0, 0, 0]);

    let stroke = [(50.0, 15.0), (50.0, 35.0), (50.0, 60.0), (50.0, 85.0)];
    let circle: Vec<(f64, f64)> = (0..=24)
        .map(|i| f64::from(i) * std::f64::consts::TAU / 24.0)
        .map(|angle| (50.0 + 22.0 * angle.sin(), 50.0 - 35.0 * angle.cos()))
        .collect();
    for dark in [false, true] {
        browser.dark(dark);
        for (width, height) in [(360, 740), (1400, 900)] {
            browser.resize(width, height);
            let form = format!("dark: {dark}, {width} pixels wide");
            for (digit, points) in [("1", &stroke[..]), ("0", &circle)] {
                draw(&browser, points);
                wait_for(&browser, digit, |said| said.starts_with(digit));
                let [first, second, image] = inked(&browser);
                assert!(
                    first >= 8 && second >= 16 && image == 1,
                    "{form}: {first} and {second} maps, {image}"
                );
                let best = browser.text(".best > span");
                assert_eq!(best, digit, "{form}");
                assert!(browser.text(".best > :last-child").ends_with(" %"));
                assert!(browser.overflow() <= 0, "{form}: {} pixels too wide", browser.overflow());
                let faint = browser.faint_texts();
                assert!(faint.is_empty(), "{form}: {faint:?}");
                if let Some(folder) = std::env::var_os("SCREENSHOTS") {
                    let mode = if dark { "dark" } else { "light" };
                    browser.screenshot(&Path::new(&folder).join(format!("digit_{digit}_{width}_{mode}.png")));
                }
                // By the button, and by the key.
                if digit == "1" {
                    browser.click("#clear");
                } else {
                    browser.press(&['c']);
                }
                wait_for(&browser, "nothing", |said| said.starts_with("Nothing is drawn"));
                assert_eq!(inked(&browser), [0, 0, 0], "{form}");
            }
        }
    }

    // A finger draws too, and the page does not scroll away under it.
    let touch = |kind: &str, points: &[(f64, f64)]| {
        let points: Vec<_> = points.iter().map(|(x, y)| json!({ "x": x, "y": y })).collect();
        browser.devtools("Input.dispatchTouchEvent", &json!({ "type": kind, "touchPoints": points }));
    };
    let script = "const box = document.getElementById('ink').getBoundingClientRect(); \
                  return [box.left + box.width / 2, box.top, box.width]";
    let [x, top, width]: [f64; 3] = serde_json::from_value(browser.run(script)).unwrap();
    touch("touchStart", &[(x, top + 0.15 * width)]);
    for step in 2..=8 {
        touch("touchMove", &[(x, top + 0.1 * f64::from(step) * width)]);
    }
    touch("touchEnd", &[]);
    wait_for(&browser, "1", |said| said.starts_with('1'));
    assert_eq!(browser.run("return window.scrollY"), 0);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

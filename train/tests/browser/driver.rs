//! A client of `chromedriver`: pages opened in headless Chromium, clicked, drawn on and read (`WebDriver` of the W3C, and
//! the `DevTools` protocol of Chrome where that has no command).

// What the tests of one crate leave unused, those of another use.
#![allow(dead_code)]

use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;
use ureq::http::Response;
use ureq::{Agent, Body};

/// A browser with one window; it ends with this value, also if a test panics.
pub(crate) struct Browser {
    driver: Child,
    agent: Agent,
    /// The address of the session.
    session: String,
    /// The browser's own folder; removed at the end.
    profile: TempDir,
}

/// The keys that have no character.
pub(crate) mod key {
    pub(crate) const HOME: char = '\u{E011}';
    pub(crate) const END: char = '\u{E010}';
    pub(crate) const LEFT: char = '\u{E012}';
    pub(crate) const RIGHT: char = '\u{E014}';
    pub(crate) const TAB: char = '\u{E004}';
    pub(crate) const ENTER: char = '\u{E007}';
}

impl Browser {
    /// Starts `chromedriver` on a free port, and a browser without a window on the screen.
    pub(crate) fn start() -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program `chromedriver` (Debian: `apt-get install chromium chromium-driver`)");
        let mut lines = BufReader::new(driver.stdout.take().expect("it is piped")).lines();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        // What it says later is read and dropped, so that it never waits for a reader.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        let port = port.expect("`chromedriver` names its port");
        let profile = tempfile::tempdir().expect("a folder for the browser");
        let agent = Agent::new_with_config(Agent::config_builder().http_status_as_error(false).build());
        let mut browser =
            Self { driver, agent, session: format!("http://127.0.0.1:{port}/session"), profile };
        let folder = browser.profile.path().display();
        let arguments = json!([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--force-device-scale-factor=1",
            format!("--user-data-dir={folder}"),
        ]);
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        } } });
        let session = browser.post("", &wanted)["sessionId"].as_str().map(str::to_owned);
        let session = session.expect("a session has an id");
        browser.session = format!("{}/{session}", browser.session);
        browser
    }

    /// Sends a command; its result.
    fn post(&self, command: &str, body: &Value) -> Value {
        let request = self.agent.post(format!("{}{command}", self.session));
        let response = request.header("content-type", "application/json").send(body.to_string());
        Self::result(command, response)
    }

    fn result(command: &str, response: Result<Response<Body>, ureq::Error>) -> Value {
        let mut response = response.expect("the driver answers");
        // A picture is larger than what the client takes unasked.
        let body = response.body_mut().with_config().limit(1 << 28);
        let text = body.read_to_string().expect("the answer is text");
        let mut answer: Value = serde_json::from_str(&text).expect("the answer is JSON");
        assert!(response.status().is_success(), "{command}: {}", answer["value"]);
        answer["value"].take()
    }

    /// A command of the `DevTools` protocol.
    pub(crate) fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// Opens an address, and waits until it is loaded and drawn.
    ///
    /// An empty page lies between: what is asked of a page would otherwise at times be answered by the one before it, if
    /// both have the same address. Keys that are pressed before a page is drawn are lost.
    pub(crate) fn open(&self, address: &str) {
        self.post("/url", &json!({ "url": "about:blank" }));
        self.post("/url", &json!({ "url": address }));
        let drawn =
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()));";
        self.post("/execute/async", &json!({ "script": drawn, "args": [] }));
    }

    /// Opens a file.
    pub(crate) fn open_file(&self, file: &Path) {
        let file = file.canonicalize().expect("a file that exists");
        self.open(&format!("file://{}", file.display()));
    }

    /// Makes the page so wide and high, in pixels.
    pub(crate) fn resize(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Has the system prefer dark pages, or light ones.
    pub(crate) fn dark(&self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": value }]);
        self.devtools("Emulation.setEmulatedMedia", &json!({ "features": features }));
    }

    /// Runs the body of a function on the page; what it returns.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// The text of the element that a CSS selector finds first.
    pub(crate) fn text(&self, selector: &str) -> String {
        let text = self.run(&format!("return document.querySelector({}).textContent", json!(selector)));
        text.as_str().expect("a text").to_owned()
    }

    /// Clicks in the middle of an element, as a hand would: it must be in sight and not covered.
    pub(crate) fn click(&self, selector: &str) {
        let found = self.post("/element", &json!({ "using": "css selector", "value": selector }));
        let id = found.as_object().and_then(|found| found.values().next()?.as_str()).expect("an element");
        self.post(&format!("/element/{id}/click"), &json!({}));
    }

    /// Presses keys, one after the other, wherever the focus is.
    pub(crate) fn press(&self, keys: &[char]) {
        let action = |kind: &str, key: &char| json!({ "type": kind, "value": key });
        let actions: Vec<_> =
            keys.iter().flat_map(|key| ["keyDown", "keyUp"].map(|kind| action(kind, key))).collect();
        self.actions(&json!({ "type": "key", "id": "keyboard", "actions": actions }));
    }

    /// Draws with the mouse: pressed at the first point, moved to the others, released at the last. In pixels of the page
    /// as it is in sight.
    pub(crate) fn drag(&self, points: &[(i32, i32)]) {
        let to = |&(x, y): &(i32, i32)| json!({ "type": "pointerMove", "x": x, "y": y, "duration": 10 });
        let mut actions: Vec<_> = points.iter().map(to).collect();
        actions.insert(1, json!({ "type": "pointerDown", "button": 0 }));
        actions.push(json!({ "type": "pointerUp", "button": 0 }));
        self.actions(&json!({ "type": "pointer", "id": "mouse", "actions": actions }));
    }

    /// Writes a picture of the page, also of what is below the window's end, as PNG.
    pub(crate) fn screenshot(&self, file: &Path) {
        let shot = json!({ "captureBeyondViewport": true });
        let encoded = self.devtools("Page.captureScreenshot", &shot)["data"].take();
        let bytes = base64(encoded.as_str().expect("a text"));
        std::fs::write(file, bytes).expect("the file can be written");
    }

    fn actions(&self, device: &Value) {
        self.post("/actions", &json!({ "actions": [device] }));
    }

    /// What the console says of errors and warnings since the last call.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = self.post("/se/log", &json!({ "type": "browser" }));
        let entries = log.as_array().expect("a list of entries").iter();
        let bad = entries.filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING");
        bad.map(|entry| entry["message"].to_string()).collect()
    }

    /// How much wider the page is than the window, in pixels.
    pub(crate) fn overflow(&self) -> i64 {
        let script = "const root = document.documentElement; return Math.max(root.scrollWidth, \
                      document.body.scrollWidth) - root.clientWidth";
        self.run(script).as_i64().expect("a number")
    }

    /// The texts in sight whose contrast with their ground is below 4.5 (WCAG 2.2, 1.4.3; 3 for large ones), each with
    /// the contrast. Texts of controls that are switched off, and those in drawings, are left out.
    pub(crate) fn faint_texts(&self) -> Vec<String> {
        let faint = self.run(include_str!("contrast.js"));
        faint.as_array().expect("a list").iter().map(|text| text.as_str().unwrap_or("?").to_owned()).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The session's end is the browser's. There is nothing to do about an error while a test may be failing.
        let _ = self.agent.delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// The bytes that a text in base 64 stands for (RFC 4648).
fn base64(text: &str) -> Vec<u8> {
    let digit = |c: u8| match c {
        b'A'..=b'Z' => Some(c - b'A'),
        b'a'..=b'z' => Some(c - b'a' + 26),
        b'0'..=b'9' => Some(c - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let digits: Vec<u8> = text.bytes().filter_map(digit).collect();
    let group = |digits: &[u8]| {
        let all = digits.iter().fold(0u32, |all, &digit| all << 6 | u32::from(digit));
        let all = all << (6 * (4 - digits.len()));
        all.to_be_bytes()[1..digits.len()].to_vec()
    };
    digits.chunks(4).flat_map(group).collect()
}

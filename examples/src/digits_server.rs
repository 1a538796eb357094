//! A server of the page on which a digit is drawn and classified: for this machine only.

use crate::cnn::Cnn;
use crate::drawing;
use autodiff::Tensor;
use serde_json::{Value, json};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use tiny_http::{Header, Method, Request, Response};

/// The largest drawing has so many pixels a side.
pub const MAX_SIDE: usize = 512;

/// Answers at once to so many requests; the others wait.
const WORKERS: usize = 4;

/// A running server; it ends with this value.
///
/// `GET /` is the page. `POST /classify` takes a drawing, square, one byte a pixel, row by row, 0 where there is no ink and 255
/// where it is full, and answers in JSON: `digit`; `probabilities`, ten of them; `image`, what the network was given, as
/// [`drawing::image`] makes it; `maps`, one entry a convolution, with `count`, `side` and `values`, from 0 to 255 for the largest of
/// the convolution. What is wrong with a request is said in one line of text: with status 400, 404, 405, 413, or 422 if there
/// is no ink.
pub struct DigitsServer {
    http: Arc<tiny_http::Server>,
    workers: Vec<JoinHandle<()>>,
    address: SocketAddr,
}

impl DigitsServer {
    /// Starts to serve on a port of the loopback address, a free one if it is 0.
    ///
    /// # Errors
    /// If the port is taken, or must not be.
    pub fn start(model: Cnn, port: u16) -> io::Result<Self> {
        let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let fail = |error| io::Error::other(format!("cannot serve on {wanted}: {error}"));
        let http = Arc::new(tiny_http::Server::http(wanted).map_err(fail)?);
        let address = http.server_addr().to_ip().expect("an address of the internet protocol was wanted");
        let model = Arc::new(model);
        let worker = |_| {
            let (http, model) = (Arc::clone(&http), Arc::clone(&model));
            // One image is not worth more threads; requests are answered side by side.
            thread::spawn(move || autodiff::with_threads(1, || work(&http, &model)))
        };
        let workers = (0..WORKERS).map(worker).collect();
        Ok(Self { http, workers, address })
    }

    /// Where the page is.
    pub fn address(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Says where the page is, and serves until Ctrl-C; then answers what has been asked by then. Who does not want to wait for
    /// that presses it once more, which ends the process with exit code 130.
    ///
    /// # Errors
    /// If the process waits for Ctrl-C already, or cannot.
    pub fn serve(self) -> io::Result<()> {
        let (sender, receiver) = mpsc::channel();
        let pressed = move || {
            // The first one is received; then nobody is there to do so.
            if sender.send(()).is_err() {
                process::exit(130);
            }
        };
        ctrlc::set_handler(pressed).map_err(io::Error::other)?;
        println!("draw on {} (Ctrl-C ends it)", self.address());
        receiver.recv().map_err(io::Error::other)?;
        drop(receiver);
        println!("ending as soon as all is answered (Ctrl-C: at once)");
        Ok(())
    }
}

impl Drop for DigitsServer {
    fn drop(&mut self) {
        for _ in &self.workers {
            self.http.unblock();
        }
        for worker in self.workers.drain(..) {
            let _ = worker.join();
        }
    }
}

/// Answers one request after the other, until the server ends.
fn work(http: &tiny_http::Server, model: &Cnn) {
    while let Ok(mut request) = http.recv() {
        let (status, kind, body) = match answer(&mut request, model) {
            Ok((kind, body)) => (200, kind, body),
            Err((status, message)) => (status, "text/plain; charset=utf-8", format!("{message}\n")),
        };
        let header = |name: &str, value: &str| Header::from_bytes(name, value).expect("both are plain ASCII");
        let response = Response::from_string(body)
            .with_status_code(status)
            .with_header(header("Content-Type", kind))
            .with_header(header("Cache-Control", "no-store"))
            // The page is in one piece; this holds it to that.
            .with_header(header(
                "Content-Security-Policy",
                "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; \
                 connect-src 'self'",
            ));
        // Who has gone away needs no answer.
        let _ = respond(request, response);
    }
}

/// Sends an answer by one call of the system. Left to the library it would go by several, head and body apart; the second
/// would wait until the first is acknowledged (Nagle's algorithm, RFC 896), which the other side puts off by 40 ms.
fn respond(request: Request, response: Response<impl Read>) -> io::Result<()> {
    let head_only = *request.method() == Method::Head;
    let mut bytes = Vec::new();
    response.raw_print(&mut bytes, request.http_version().clone(), request.headers(), head_only, None)?;
    let mut connection = request.into_writer();
    connection.write_all(&bytes)?;
    connection.flush()
}

type Failure = (u16, String);

/// The type of what is answered, and the text.
fn answer(request: &mut Request, model: &Cnn) -> Result<(&'static str, String), Failure> {
    match (request.method(), request.url()) {
        (Method::Get, "/") => Ok(("text/html; charset=utf-8", page())),
        (Method::Post, "/classify") => {
            let drawing = body(request)?;
            Ok(("application/json", classify(model, &drawing)?.to_string()))
        }
        (method, "/" | "/classify") => {
            Err((405, format!("{method} is not answered here: GET / and POST /classify are")))
        }
        (_, url) => Err((404, format!("there is nothing at {url}: GET / and POST /classify are answered"))),
    }
}

/// The page, in one piece.
fn page() -> String {
    let style = include_str!("digits_server/page.css");
    let body = include_str!("digits_server/page.html");
    train::page::page("Draw a digit", style, body, include_str!("digits_server/page.js"))
}

/// What was sent, if it is not too large.
fn body(request: &mut Request) -> Result<Vec<u8>, Failure> {
    const LIMIT: u64 = (MAX_SIDE * MAX_SIDE) as u64;
    let late = |error| (400, format!("the drawing did not arrive: {error}"));
    let mut body = Vec::new();
    request.as_reader().take(LIMIT + 1).read_to_end(&mut body).map_err(late)?;
    if body.len() as u64 > LIMIT {
        // Who is still sending hears no answer: some more is read, and dropped.
        io::copy(&mut request.as_reader().take(64 * LIMIT), &mut io::sink()).map_err(late)?;
        return Err((413, format!("a drawing of at most {MAX_SIDE}x{MAX_SIDE} bytes is needed")));
    }
    Ok(body)
}

/// What the network says of a drawing.
fn classify(model: &Cnn, ink: &[u8]) -> Result<Value, Failure> {
    let side = ink.len().isqrt();
    if side == 0 || side * side != ink.len() {
        return Err((
            400,
            format!("a square drawing is needed, one byte a pixel: {} bytes are none", ink.len()),
        ));
    }
    let image = drawing::image(ink, side).ok_or((422, "the drawing has no ink".to_owned()))?;
    let asked = Tensor::from_vec(image.as_slice(), [1, 1, drawing::SIDE, drawing::SIDE]).and_then(|input| {
        nn::evaluate(|| {
            let maps = model.maps(&input)?;
            let probabilities = model.classify(&maps[1])?.softmax(-1)?;
            Ok((maps, probabilities.to_vec()))
        })
    });
    let (maps, probabilities) = asked.map_err(|error| (500, error.to_string()))?;
    let digit = (0..probabilities.len())
        .fold(0, |best, i| if probabilities[i] > probabilities[best] { i } else { best });
    let bytes = |values: &[f32]| {
        let largest = values.iter().fold(f32::MIN_POSITIVE, |largest, &value| largest.max(value));
        values.iter().map(|value| (255.0 * value / largest).round() as u8).collect::<Vec<_>>()
    };
    let maps = maps.map(|maps| {
        json!({ "count": maps.shape().dim(1), "side": maps.shape().dim(3), "values": bytes(&maps.to_vec()) })
    });
    Ok(json!({ "digit": digit, "probabilities": probabilities, "image": bytes(&image), "maps": maps }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use autodiff::Rng;
    use ureq::Agent;

    fn agent() -> Agent {
        Agent::new_with_config(Agent::config_builder().http_status_as_error(false).build())
    }

    fn post(agent: &Agent, address: &str, body: &[u8]) -> (u16, String) {
        let mut response = agent.post(address).send(body).unwrap();
        (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
    }

    #[test]
    fn a_drawing_is_answered_with_what_the_network_says_of_it() {
        let image: Vec<u8> =
            (0..784).map(|i| 255 * u8::from((200..600).contains(&i) && i % 28 > 20)).collect();
        let given = drawing::image(&image, 28).unwrap();
        let given = Tensor::from_vec(given.as_slice(), [1, 1, 28, 28]).unwrap();
        let model = Cnn::new(&mut Rng::seed(3));
        let maps = nn::evaluate(|| model.maps(&given)).unwrap();
        let expected = nn::evaluate(|| model.classify(&maps[1])?.softmax(-1)).unwrap().to_vec();

        let server = DigitsServer::start(model, 0).unwrap();
        let address = format!("{}classify", server.address());
        // At once from more than there are workers.
        let answers = thread::scope(|scope| {
            let ask = || scope.spawn(|| post(&agent(), &address, &image));
            let asked: Vec<_> = (0..2 * WORKERS).map(|_| ask()).collect();
            asked.into_iter().map(|asked| asked.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(answers.iter().all(|answer| *answer == answers[0]));
        let (status, text) = &answers[0];
        assert_eq!(*status, 200, "{text}");
        let answer: Value = serde_json::from_str(text).unwrap();
        let said: Vec<f32> = serde_json::from_value(answer["probabilities"].clone()).unwrap();
        assert!(said.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6), "{said:?} {expected:?}");
        let best = answer["digit"].as_u64().unwrap() as usize;
        assert!(said.iter().all(|&p| p <= said[best]));
        for (shown, maps) in answer["maps"].as_array().unwrap().iter().zip(&maps) {
            let (values, shape) = (maps.to_vec(), maps.shape());
            assert_eq!((&shown["count"], &shown["side"]), (&json!(shape.dim(1)), &json!(shape.dim(3))));
            let bytes: Vec<u8> = serde_json::from_value(shown["values"].clone()).unwrap();
            let largest = values.iter().copied().fold(0.0, f32::max);
            assert_eq!(bytes.len(), values.len());
            assert!(
                bytes.iter().zip(&values).all(|(&b, v)| (f32::from(b) - 255.0 * v / largest).abs() < 0.51)
            );
        }
    }

    #[test]
    fn a_wrong_request_is_told_what_is_wrong() {
        let server = DigitsServer::start(Cnn::new(&mut Rng::seed(3)), 0).unwrap();
        let (agent, home) = (agent(), server.address());
        let classify = format!("{home}classify");
        let too_large = vec![9; MAX_SIDE * MAX_SIDE + 1];
        let cases: [(&str, &[u8], u16, &str); 6] = [
            (&classify, &[], 400, "square drawing"),
            (&classify, &[9; 783], 400, "783 bytes"),
            (&classify, &[0; 784], 422, "no ink"),
            (&classify, &too_large, 413, "at most 512x512"),
            (&home, &[9; 784], 405, "POST is not answered here"),
            (&format!("{home}x"), &[9; 784], 404, "nothing at /x"),
        ];
        for (address, body, status, message) in cases {
            let answer = post(&agent, address, body);
            assert!(answer.0 == status && answer.1.contains(message), "{answer:?}, not {status} {message}");
        }
        // The same for one that does not say how long it is.
        let mut long = io::repeat(9).take(2 * (MAX_SIDE * MAX_SIDE) as u64);
        let response = agent.post(&classify).send(ureq::SendBody::from_reader(&mut long)).unwrap();
        assert_eq!(response.status(), 413);
    }

    #[test]
    fn the_page_is_in_one_piece() {
        let server = DigitsServer::start(Cnn::new(&mut Rng::seed(3)), 0).unwrap();
        let mut response = agent().get(server.address()).call().unwrap();
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'"));
        let page = response.body_mut().read_to_string().unwrap();
        assert!(page.contains("<title>Draw a digit</title>"));
        assert!(!page.contains("http:") && !page.contains("https:"));
    }

    /// The variable that tells a process to serve until Ctrl-C.
    const SERVE: &str = "DIGITS_SERVER_TEST_SERVES";

    #[test]
    #[ignore = "the process that the next test interrupts"]
    fn serving() {
        assert!(std::env::var_os(SERVE).is_some(), "the next test says when");
        DigitsServer::start(Cnn::new(&mut Rng::seed(3)), 0).unwrap().serve().unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn ctrl_c_ends_the_process_when_all_is_answered_and_a_second_one_at_once() {
        use std::io::{BufRead, BufReader};
        use std::net::TcpStream;
        use std::process::{Command, Stdio};

        for unfinished in [false, true] {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args(["--exact", "digits_server::tests::serving", "--ignored", "--nocapture"]);
            let mut child = command.env(SERVE, "1").stdout(Stdio::piped()).spawn().unwrap();
            let mut said = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
            let address = said.find(|line| line.starts_with("draw on ")).expect("it says where");
            let host = address.split('/').nth(2).unwrap();
            let interrupt = |child: u32| {
                let kill = Command::new("sh").arg("-c").arg(format!("kill -INT {child}")).status();
                assert!(kill.unwrap().success());
            };
            assert_eq!(agent().get(format!("http://{host}/")).call().unwrap().status(), 200);
            if unfinished {
                // One who is told to go on, and sends no more.
                let mut slow = TcpStream::connect(host).unwrap();
                let head = "POST /classify HTTP/1.1\r\nHost: x\r\nContent-Length: 784\r\nExpect: 100-continue\r\n\r\n";
                slow.write_all(head.as_bytes()).unwrap();
                slow.read_exact(&mut [0; 12]).unwrap();
                interrupt(child.id());
                said.find(|line| line.starts_with("ending")).expect("it says so");
                interrupt(child.id());
                assert_eq!(child.wait().unwrap().code(), Some(130));
            } else {
                interrupt(child.id());
                assert_eq!(child.wait().unwrap().code(), Some(0));
            }
        }
    }

    #[test]
    fn a_port_that_is_taken_is_named_and_free_again_at_the_end() {
        let first = DigitsServer::start(Cnn::new(&mut Rng::seed(3)), 0).unwrap();
        let port = first.address.port();
        let error = DigitsServer::start(Cnn::new(&mut Rng::seed(3)), port).err().unwrap().to_string();
        assert!(error.starts_with(&format!("cannot serve on 127.0.0.1:{port}: ")), "{error}");
        let address = first.address();
        drop(first);
        assert!(agent().get(address).call().is_err());
    }
}

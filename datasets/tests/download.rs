//! Downloads, from a server on the loopback address. No test asks any other host.
#![cfg(feature = "download")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use datasets::download::{self, Remote, RemoteFile};
use datasets::mnist;

const CONTENT: &[u8] = b"the right file";
const FILE: RemoteFile<'static> = RemoteFile {
    name: "data.gz",
    bytes: CONTENT.len() as u64,
    sha256: "2cdd807b8e1f367c3b76a185a4c8d3eea11345477fa44560bbb0db4afa3f1435",
};

/// A server that answers each path with the bytes that go with its start; returns its address and the paths asked for.
fn serve(answers: &'static [(&'static str, &'static str)]) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let request = lines.next().unwrap().unwrap();
            lines.find(|line| line.as_ref().unwrap().is_empty()); // the headers
            let path = request.split(' ').nth(1).unwrap().to_owned();
            let answer = answers.iter().find(|(start, _)| path.starts_with(start)).expect("a known path").1;
            log.lock().unwrap().push(path);
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (address, asked)
}

const ANSWERS: &[(&str, &str)] = &[
    ("/good/", "HTTP/1.1 200 OK\r\nContent-Length: 14\r\nConnection: close\r\n\r\nthe right file"),
    (
        "/chunked/",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n4\r\nthe \r\na\r\nright file\r\n0\r\n\r\n",
    ),
    ("/other/", "HTTP/1.1 200 OK\r\nContent-Length: 14\r\nConnection: close\r\n\r\nthe wrong file"),
    ("/cut/", "HTTP/1.1 200 OK\r\nContent-Length: 14\r\nConnection: close\r\n\r\nthe right"),
    ("/short/", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nthe right"),
    ("/long/", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nthe right file and a virus"),
    ("/missing/", "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nConnection: close\r\n\r\ngone"),
];

/// An address where nobody listens.
fn nobody() -> String {
    format!("http://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap())
}

/// Fetches from these mirrors into a folder; returns the error's text without the addresses that differ each time.
fn fetch(mirrors: &[String], folder: &Path) -> Result<(), String> {
    let mirrors: Vec<&str> = mirrors.iter().map(String::as_str).collect();
    let outcome = Remote { mirrors: &mirrors, files: &[FILE] }.fetch(folder);
    outcome.map_err(|error| error.to_string().replace(&folder.display().to_string(), "FOLDER"))
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_good_file_arrives_once() {
    let (server, asked) = serve(ANSWERS);
    for kind in ["good", "chunked"] {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("made/on the way");
        for _ in 0..2 {
            fetch(&[format!("{server}/{kind}/")], &folder).unwrap();
            assert_eq!(fs::read(folder.join("data.gz")).unwrap(), CONTENT);
            assert_eq!(names(&folder), ["data.gz"]);
        }
    }
    assert_eq!(*asked.lock().unwrap(), ["/good/data.gz", "/chunked/data.gz"]);
}

#[test]
fn a_bad_answer_leaves_nothing_and_says_why() {
    let (server, _) = serve(ANSWERS);
    let folder = tempfile::tempdir().unwrap();
    for (kind, why) in [
        ("other", "SHA-256 a69bc9a7e658"),
        ("cut", "Peer disconnected"),
        ("short", "9 bytes where 14 are expected"),
        ("long", "more bytes where 14 are expected"),
        ("missing", "http status: 404"),
    ] {
        let error = fetch(&[format!("{server}/{kind}/")], folder.path()).unwrap_err();
        let expected = format!("FOLDER/data.gz: no mirror has it\n  {server}/{kind}/data.gz: {why}");
        assert!(error.starts_with(&expected), "{error}");
        assert_eq!(names(folder.path()), [""; 0]);
    }
    let gone = nobody();
    let error = fetch(&[format!("{gone}/")], folder.path()).unwrap_err();
    assert!(error.contains(&format!("{gone}/data.gz: ")), "{error}");
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn the_next_mirror_is_tried() {
    let (server, asked) = serve(ANSWERS);
    let folder = tempfile::tempdir().unwrap();
    let mirrors: Vec<String> = [format!("{}/", nobody())]
        .into_iter()
        .chain(["missing", "cut", "other", "good", "long"].map(|kind| format!("{server}/{kind}/")))
        .collect();
    fetch(&mirrors, folder.path()).unwrap();
    assert_eq!(fs::read(folder.path().join("data.gz")).unwrap(), CONTENT);
    assert_eq!(names(folder.path()), ["data.gz"]);
    assert_eq!(
        *asked.lock().unwrap(),
        ["missing", "cut", "other", "good"].map(|kind| format!("/{kind}/data.gz"))
    );

    fs::remove_file(folder.path().join("data.gz")).unwrap();
    let error = fetch(&mirrors[..3], folder.path()).unwrap_err();
    assert_eq!(error.lines().count(), 4, "{error}");
}

#[test]
fn another_file_of_that_name_is_not_overwritten() {
    let (server, asked) = serve(ANSWERS);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("data.gz"), "mine").unwrap();
    let error = fetch(&[format!("{server}/good/")], folder.path()).unwrap_err();
    assert!(error.starts_with("FOLDER/data.gz: is there already, but its SHA-256 is "), "{error}");
    assert_eq!(fs::read(folder.path().join("data.gz")).unwrap(), b"mine");
    assert!(asked.lock().unwrap().is_empty());
}

/// What is expected of the mirrors are the files that ship; they are there, so that no server is asked.
#[test]
fn the_sums_are_those_of_the_files_that_ship() {
    for (remote, folder) in [(download::MNIST, mnist::SHIPPED), (download::FASHION, mnist::SHIPPED_FASHION)] {
        remote.fetch(folder).unwrap();
        for file in remote.files {
            assert_eq!(fs::metadata(Path::new(folder).join(file.name)).unwrap().len(), file.bytes);
        }
    }
    assert_eq!(download::mnist(mnist::SHIPPED).unwrap().test.len(), 10_000);
}

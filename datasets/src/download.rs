//! Data sets from the network (feature `download`).
//!
//! A file is taken from the first of several mirrors that has it. It goes to a temporary file beside its place, is held to its
//! size and SHA-256, and is renamed only then: under its name there is the right file or none, and nothing is parsed before it is
//! checked. A file that is already there, with the right sum, is not downloaded again.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256};
use ureq::Agent;

use crate::error::Attempt;
use crate::{Error, Result, Split};

/// How long a mirror may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How long it may then send nothing.
const SILENCE: Duration = Duration::from_secs(30);

/// Files that several servers offer.
///
/// # Examples
///
/// ```
/// use datasets::{download, mnist};
///
/// // All files are there, with the right sums: no server is asked.
/// download::MNIST.fetch(mnist::SHIPPED)?;
/// # Ok::<(), datasets::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Remote<'a> {
    /// The addresses that a file's name is appended to, in the order in which they are tried.
    pub mirrors: &'a [&'a str],
    /// The files.
    pub files: &'a [RemoteFile<'a>],
}

/// A file, and how it is told from another. For an example see [`MNIST`].
#[derive(Clone, Copy, Debug)]
pub struct RemoteFile<'a> {
    /// Its name, on the servers and here.
    pub name: &'a str,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, in lower-case hexadecimal digits.
    pub sha256: &'a str,
}

/// The four files of MNIST, at the mirrors of PyTorch and of the Common Visual Data Foundation.
pub const MNIST: Remote<'static> = Remote {
    mirrors: &[
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ],
    files: &[
        RemoteFile {
            name: "train-images-idx3-ubyte.gz",
            bytes: 9_912_422,
            sha256: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        },
        RemoteFile {
            name: "train-labels-idx1-ubyte.gz",
            bytes: 28_881,
            sha256: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        },
        RemoteFile {
            name: "t10k-images-idx3-ubyte.gz",
            bytes: 1_648_877,
            sha256: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        },
        RemoteFile {
            name: "t10k-labels-idx1-ubyte.gz",
            bytes: 4_542,
            sha256: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        },
    ],
};

/// The four files of Fashion-MNIST, at the authors' mirror, which has no HTTPS (the sums are what is trusted), and at that of Keras.
pub const FASHION: Remote<'static> = Remote {
    mirrors: &[
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    ],
    files: &[
        RemoteFile {
            name: "train-images-idx3-ubyte.gz",
            bytes: 26_421_880,
            sha256: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        },
        RemoteFile {
            name: "train-labels-idx1-ubyte.gz",
            bytes: 29_515,
            sha256: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        },
        RemoteFile {
            name: "t10k-images-idx3-ubyte.gz",
            bytes: 4_422_102,
            sha256: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        },
        RemoteFile {
            name: "t10k-labels-idx1-ubyte.gz",
            bytes: 5_148,
            sha256: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        },
    ],
};

/// MNIST, from a folder that its files are downloaded to unless they are there.
///
/// # Errors
/// As [`Remote::fetch`] and [`mnist::load`](crate::mnist::load).
///
/// # Examples
///
/// ```no_run
/// let data = datasets::download::mnist("data/mnist")?;
/// assert_eq!(data.train.len(), 60_000);
/// # Ok::<(), datasets::Error>(())
/// ```
pub fn mnist(folder: impl AsRef<Path>) -> Result<Split> {
    MNIST.fetch(&folder)?;
    crate::mnist::load(folder)
}

/// Fashion-MNIST, likewise. Use another folder: its files have the same names.
///
/// # Errors
/// As [`mnist`].
///
/// # Examples
///
/// ```no_run
/// let data = datasets::download::fashion("data/fashion-mnist")?;
/// assert_eq!(data.train.len(), 60_000);
/// # Ok::<(), datasets::Error>(())
/// ```
pub fn fashion(folder: impl AsRef<Path>) -> Result<Split> {
    FASHION.fetch(&folder)?;
    crate::mnist::load(folder)
}

impl Remote<'_> {
    /// Downloads the files that a folder lacks; makes the folder if need be. A bar on a terminal shows how far it is.
    ///
    /// A mirror that cannot be reached, answers with an error, sends nothing for 30 seconds, or sends other bytes than the file's
    /// is given up for the next. The proxy that the environment names (`HTTPS_PROXY` and the like) is used.
    ///
    /// # Errors
    /// If the folder cannot be written; a file is there with another sum (it is left as it is); or no mirror has a file: the error says
    /// what was wrong with each.
    pub fn fetch(&self, folder: impl AsRef<Path>) -> Result<()> {
        let folder = folder.as_ref();
        fs::create_dir_all(folder)
            .map_err(|error| Error::Io { file: folder.display().to_string(), error })?;
        self.files.iter().try_for_each(|file| self.fetch_file(file, &folder.join(file.name)))
    }

    fn fetch_file(&self, file: &RemoteFile<'_>, path: &Path) -> Result<()> {
        let name = path.display().to_string();
        match File::open(path) {
            Ok(mut there) => {
                let copied = copy(&mut there, &mut io::sink(), |_| ());
                let (_, found) = copied.map_err(|error| Error::Io { file: name.clone(), error })?;
                let expected = file.sha256.to_owned();
                return if found == expected {
                    Ok(())
                } else {
                    Err(Error::Checksum { file: name, found, expected })
                };
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::Io { file: name, error }),
        }
        let mut attempts = Vec::new();
        for mirror in self.mirrors {
            let address = format!("{mirror}{}", file.name);
            let mut partial = Partial::new(path).map_err(|error| Error::Io { file: name.clone(), error })?;
            match receive(&address, file, &mut partial.file) {
                Ok(()) => return partial.keep(path).map_err(|error| Error::Io { file: name, error }),
                Err(why) => attempts.push(Attempt { address, why }),
            }
        }
        Err(Error::Download { file: name, attempts })
    }
}

/// Writes what an address holds, if it is the file; otherwise says why not.
fn receive(address: &str, file: &RemoteFile<'_>, into: &mut File) -> std::result::Result<(), String> {
    let mut config = Agent::config_builder()
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(SILENCE))
        .timeout_per_read(Some(SILENCE));
    if address.starts_with("http://127.0.0.1:") {
        config = config.proxy(None); // no proxy reaches this machine's own address
    }
    let agent: Agent = config.build().into();
    let response = agent.get(address).call().map_err(|error| error.to_string())?;

    let style =
        ProgressStyle::with_template("{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} left");
    let bar = ProgressBar::new(file.bytes).with_style(style.expect("the template is well formed"));
    bar.set_message(file.name.to_owned());
    // One byte more than there should be tells a longer file.
    let mut body = response.into_body().into_reader().take(file.bytes + 1);
    let (bytes, sum) = copy(&mut body, into, |count| bar.inc(count)).map_err(|error| error.to_string())?;
    bar.finish_and_clear();
    if bytes != file.bytes {
        let found = if bytes > file.bytes { "more".to_owned() } else { bytes.to_string() };
        return Err(format!("{found} bytes where {} are expected", file.bytes));
    }
    if sum != file.sha256 {
        return Err(format!("SHA-256 {sum} where {} is expected", file.sha256));
    }
    Ok(())
}

/// Copies everything; returns the number of bytes and their SHA-256.
fn copy(from: &mut impl Read, into: &mut impl Write, tell: impl Fn(u64)) -> io::Result<(u64, String)> {
    let (mut hash, mut total, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 16]);
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        into.write_all(&buffer[..count])?;
        hash.update(&buffer[..count]);
        total += count as u64;
        tell(count as u64);
    }
    let digits = hash.finalize().iter().flat_map(|byte| [byte >> 4, byte & 15]).collect::<Vec<u8>>();
    Ok((
        total,
        digits.into_iter().map(|digit| char::from_digit(digit.into(), 16).expect("below 16")).collect(),
    ))
}

/// A file on its way, beside its place; it is removed unless it is kept.
struct Partial {
    path: PathBuf,
    file: File,
}

impl Partial {
    fn new(place: &Path) -> io::Result<Self> {
        // The number of the process: two that download the same do not write into one file.
        let path = place.with_added_extension(format!("{}.part", process::id()));
        Ok(Self { file: File::create(&path)?, path })
    }

    fn keep(self, place: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, place)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // Once it is renamed there is nothing here. If it cannot be removed, its name says what it is.
        let _ = fs::remove_file(&self.path);
    }
}

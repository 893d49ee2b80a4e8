//! Many files at once into a cache by content: verified, resumable, shared by all builds.

use crate::digest::sha256_of;
use crate::error::ImageError;
use crate::net::http::{FetchError, Http, again};
use crate::net::without_credentials;
use crate::progress::Progress;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};

/// Downloads that run beside each other.
const PARALLEL: usize = 4;

/// A file wanted, by its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Where it may be had, best first.
    pub urls: Vec<String>,
    /// SHA-256 of the content, hex.
    pub sha256: String,
    /// Size in bytes, if known.
    pub size: Option<u64>,
}

/// The folder of downloads.
#[derive(Debug, Clone)]
pub struct Downloads {
    dir: PathBuf,
    http: Http,
}

impl Downloads {
    /// Downloads below `cache`.
    pub fn open(cache: &Path, http: Http) -> Result<Self, ImageError> {
        let dir = cache.join("downloads");
        fs::create_dir_all(&dir).map_err(ImageError::io("create", &dir))?;
        Ok(Self { dir, http })
    }

    /// The client they are made with.
    pub fn http(&self) -> &Http {
        &self.http
    }

    /// Where a file of this content lies once it is here.
    pub fn path(&self, sha256: &str) -> PathBuf {
        self.dir.join(sha256)
    }

    /// Fetches all that is missing, four at a time. One answer each, in order.
    pub fn fetch(&self, wanted: &[Wanted], progress: &mut dyn Progress) -> Vec<Result<PathBuf, FetchError>> {
        let total: Option<u64> = wanted.iter().map(|item| item.size).sum();
        let next = AtomicUsize::new(0);
        let answers: Vec<Mutex<Option<Result<PathBuf, FetchError>>>> =
            wanted.iter().map(|_| Mutex::new(None)).collect();
        let (report, reports) = channel::<u64>();
        std::thread::scope(|scope| {
            for _ in 0..PARALLEL.min(wanted.len()) {
                let report = report.clone();
                let (next, answers) = (&next, &answers);
                scope.spawn(move || {
                    while let Some((index, item)) = pick(next, wanted) {
                        let answer = self.one(item, &report);
                        if let Ok(mut place) = answers[index].lock() {
                            *place = Some(answer);
                        }
                    }
                });
            }
            drop(report);
            let mut done = 0;
            for bytes in reports {
                done += bytes;
                progress.bytes(total.map_or(done, |total| done.min(total)), total);
            }
        });
        answers
            .into_iter()
            .map(|answer| answer.into_inner().ok().flatten())
            .map(|answer| {
                answer
                    .unwrap_or(Err(FetchError::Failed { url: String::new(), why: "a download thread died".to_owned() }))
            })
            .collect()
    }

    fn one(&self, item: &Wanted, report: &Sender<u64>) -> Result<PathBuf, FetchError> {
        let path = self.path(&item.sha256);
        if let Ok(meta) = fs::metadata(&path) {
            let _ = report.send(meta.len());
            return Ok(path);
        }
        let mut last = FetchError::Failed { url: item.sha256.clone(), why: "no address is known for it".to_owned() };
        for url in &item.urls {
            match again(|| self.resume(url, item, report)) {
                Ok(()) => return Ok(path),
                Err(error @ FetchError::Disk { .. }) => return Err(error),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Goes on where an earlier try stopped; what does not verify is thrown away.
    fn resume(&self, url: &str, item: &Wanted, report: &Sender<u64>) -> Result<(), FetchError> {
        let part = self.dir.join(format!("{}.part", item.sha256));
        let disk = |error: std::io::Error| FetchError::Disk { path: part.clone(), why: error.to_string() };
        let have = fs::metadata(&part).map_or(0, |meta| meta.len());
        let complete = item.size.is_some_and(|size| have == size);
        if !complete {
            let mut opened = match self.http.open(url, have, None) {
                Err(FetchError::Failed { .. }) if have > 0 => self.http.open(url, 0, None)?,
                opened => opened?,
            };
            let mut file = OpenOptions::new().create(true).append(true).open(&part).map_err(disk)?;
            file.set_len(opened.start).map_err(disk)?;
            let _ = report.send(opened.start);
            copy(&mut opened.body, &mut file, report).map_err(|error| match error {
                CopyError::Read(why) => FetchError::Failed { url: without_credentials(url), why },
                CopyError::Write(error) => disk(error),
            })?;
            file.sync_all().map_err(disk)?;
        }
        let got = File::open(&part).and_then(|mut file| sha256_of(&mut file)).map_err(disk)?;
        if got != item.sha256 {
            let cut = item.size.is_some_and(|size| fs::metadata(&part).is_ok_and(|meta| meta.len() < size));
            if !cut {
                let _ = fs::remove_file(&part);
            }
            let url = without_credentials(url);
            return Err(if cut {
                FetchError::Failed { url, why: "the connection broke off".to_owned() }
            } else if have > 0 {
                FetchError::Failed { url, why: "the resumed download did not fit together".to_owned() }
            } else {
                FetchError::Wrong { url, promised: item.sha256.clone(), got }
            });
        }
        fs::rename(&part, self.path(&item.sha256)).map_err(disk)
    }
}

fn pick<'a>(next: &AtomicUsize, wanted: &'a [Wanted]) -> Option<(usize, &'a Wanted)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    wanted.get(index).map(|item| (index, item))
}

enum CopyError {
    Read(String),
    Write(std::io::Error),
}

fn copy(from: &mut dyn Read, to: &mut File, report: &Sender<u64>) -> Result<(), CopyError> {
    let mut buffer = vec![0; 256 << 10];
    loop {
        let n = match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => n,
            Err(error) => return Err(CopyError::Read(error.to_string())),
        };
        to.write_all(&buffer[..n]).map_err(CopyError::Write)?;
        let _ = report.send(n as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::sha256;
    use crate::progress::Silent;
    use std::io::{BufRead, BufReader};
    use std::net::{TcpListener, TcpStream};
    use std::sync::Arc;

    /// Serves `content` at `/file`; the first `cuts` answers break off after a third. Notes the ranges asked for.
    fn server(content: Vec<u8>, cuts: usize) -> (String, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let ranges = Arc::new(Mutex::new(Vec::new()));
        let noted = ranges.clone();
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                answer(stream.unwrap(), &content, number < cuts, &noted);
            }
        });
        (base, ranges)
    }

    fn answer(mut stream: TcpStream, content: &[u8], cut: bool, ranges: &Mutex<Vec<String>>) {
        let lines: Vec<String> = BufReader::new(stream.try_clone().unwrap())
            .lines()
            .map_while(Result::ok)
            .take_while(|line| !line.is_empty())
            .collect();
        if !lines[0].starts_with("GET /file ") {
            let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            return;
        }
        let range = lines.iter().find_map(|line| line.to_lowercase().strip_prefix("range: bytes=").map(str::to_owned));
        let from: usize = range.as_deref().and_then(|r| r.trim_end_matches('-').parse().ok()).unwrap_or(0);
        ranges.lock().unwrap().extend(range);
        let body = &content[from..];
        let status = if from > 0 { "206 Partial Content" } else { "200 OK" };
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        let _ = stream.write_all(head.as_bytes());
        let _ = stream.write_all(if cut { &body[..body.len() / 3] } else { body });
    }

    fn downloads(dir: &Path) -> Downloads {
        Downloads::open(dir, Http::new()).unwrap()
    }

    #[test]
    fn goes_on_where_the_connection_broke() {
        let content: Vec<u8> = (0..300_000_u32).map(|i| (i % 251) as u8).collect();
        let (base, ranges) = server(content.clone(), 3);
        let dir = tempfile::tempdir().unwrap();
        let size = Some(content.len() as u64);
        let wanted =
            Wanted { urls: vec![format!("{base}/gone"), format!("{base}/file")], sha256: sha256(&content), size };
        let file = downloads(dir.path()).fetch(&[wanted], &mut Silent).remove(0).unwrap();
        assert_eq!(std::fs::read(file).unwrap(), content);
        let ranges = ranges.lock().unwrap();
        assert!(ranges.len() == 2 && ranges[0] == "100000-", "{ranges:?}");
    }

    #[test]
    fn keeps_nothing_that_does_not_verify() {
        let (base, _) = server(b"other".to_vec(), 0);
        let dir = tempfile::tempdir().unwrap();
        let wrong = Wanted { urls: vec![format!("{base}/file")], sha256: sha256(b"right"), size: Some(5) };
        let gone = Wanted { urls: vec![format!("{base}/no")], sha256: sha256(b"x"), size: None };
        let answers = downloads(dir.path()).fetch(&[wrong, gone], &mut Silent);
        assert!(matches!(answers[0], Err(FetchError::Wrong { .. })), "{answers:?}");
        assert!(matches!(answers[1], Err(FetchError::Gone { .. })), "{answers:?}");
        assert_eq!(std::fs::read_dir(dir.path().join("downloads")).unwrap().count(), 0);
    }
}

//! A disk that loses, at a chosen moment, any part of what was not synced.

use super::{Disk, DiskFile};
use rand::RngExt;
use rand::rngs::StdRng;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

const SECTOR: usize = 512;

#[derive(Default, Clone)]
struct File {
    synced: Vec<u8>,
    now: Vec<u8>,
}

#[derive(Default)]
struct State {
    files: Vec<File>,
    synced_names: BTreeMap<String, usize>,
    names: BTreeMap<String, usize>,
    operations: u64,
    cut_at: Option<u64>,
    full: bool,
}

/// The disk; clones are the same disk.
#[derive(Clone, Default)]
pub struct ModelDisk(Arc<Mutex<State>>);

impl ModelDisk {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// The power goes off at the `after`th operation from now.
    pub fn cut_after(&self, after: u64) {
        let mut state = self.lock();
        state.cut_at = Some(state.operations + after);
    }

    /// Whether writes find no space.
    pub fn set_full(&self, full: bool) {
        self.lock().full = full;
    }

    /// Changes one byte of a file.
    pub fn damage(&self, name: &str, at: usize) {
        let mut state = self.lock();
        let file = state.names[name];
        state.files[file].now[at] ^= 0x20;
        state.files[file].synced[at] ^= 0x20;
    }

    /// What is found after the power cut: of everything unsynced any part may be there, each sector for itself.
    pub fn after_crash(&self, rng: &mut StdRng) -> Self {
        let state = self.lock();
        let mut names = BTreeMap::new();
        for name in state.names.keys().chain(state.synced_names.keys()) {
            let from = if rng.random_bool(0.5) { &state.names } else { &state.synced_names };
            if let Some(file) = from.get(name) {
                names.insert(name.clone(), *file);
            }
        }
        let files: Vec<File> = state
            .files
            .iter()
            .map(|file| {
                let content = survivors(file, rng);
                File { synced: content.clone(), now: content }
            })
            .collect();
        Self(Arc::new(Mutex::new(State { files, synced_names: names.clone(), names, ..State::default() })))
    }

    fn step(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.lock();
        state.operations += 1;
        if state.cut_at.is_some_and(|cut| state.operations > cut) {
            return Err(io::Error::other("the power is off"));
        }
        Ok(state)
    }
}

fn survivors(file: &File, rng: &mut StdRng) -> Vec<u8> {
    let (short, long) = (file.synced.len().min(file.now.len()), file.now.len());
    let length = if long > short { rng.random_range(short..=long) } else { long };
    let mut content = file.now[..length].to_vec();
    let first = file.synced.iter().zip(&file.now).position(|(a, b)| a != b).unwrap_or(short);
    let mut at = first;
    while at < length {
        let end = ((at / SECTOR + 1) * SECTOR).min(length);
        if rng.random_bool(0.4) {
            // The sector was never written: it has what was there before, and zeros beyond that.
            let old = file.synced.get(at..end.min(file.synced.len())).unwrap_or_default();
            content[at..at + old.len()].copy_from_slice(old);
            content[at + old.len()..end].fill(0);
        }
        at = end;
    }
    content
}

impl Disk for ModelDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.step()?.names.keys().cloned().collect())
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let state = self.step()?;
        let file = state.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(state.files[*file].now.clone())
    }

    fn open(&self, name: &str, length: u64) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.step()?;
        let file = match state.names.get(name) {
            Some(file) => *file,
            None => {
                state.files.push(File::default());
                let file = state.files.len() - 1;
                state.names.insert(name.to_owned(), file);
                file
            }
        };
        let content = &mut state.files[file];
        content.now.resize(length as usize, 0);
        content.synced = content.now.clone();
        Ok(Box::new(ModelFile { disk: self.clone(), file }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.step()?;
        let file = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.names.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.step()?.names.remove(name).map(|_| ()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync_folder(&self) -> io::Result<()> {
        let mut state = self.step()?;
        state.synced_names = state.names.clone();
        Ok(())
    }
}

struct ModelFile {
    disk: ModelDisk,
    file: usize,
}

impl DiskFile for ModelFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let cut = self.disk.step().is_err();
        let mut state = self.disk.lock();
        let short = cut || state.full;
        let taken = if short { &bytes[..bytes.len() / 2] } else { bytes };
        state.files[self.file].now.extend_from_slice(taken);
        if state.full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        if cut { Err(io::Error::other("the power is off")) } else { Ok(()) }
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.disk.step()?;
        let file = &mut state.files[self.file];
        file.synced = file.now.clone();
        Ok(())
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        let mut state = self.disk.step()?;
        let file = &mut state.files[self.file];
        file.now.truncate(length as usize);
        file.synced = file.now.clone();
        Ok(())
    }
}

/// Content for a record.
pub fn text(rng: &mut StdRng) -> String {
    let length = if rng.random_bool(0.1) { rng.random_range(0..4000) } else { rng.random_range(0..200) };
    let unit: String = (0..8).map(|_| char::from(rng.random_range(b'a'..=b'z'))).collect();
    unit.repeat(length / 8)
}

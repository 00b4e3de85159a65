//! What a landing needs to be made again after a power cut, in one file that is written from front to back: the *redo log*.
//!
//! A landing whose files are synced one by one waits for the disk three times: for the pack, for the name of its index and
//! for the ref. With a redo log it waits once, for the frame that holds all three; the files themselves follow in their own
//! time. A killed process needs none of it, since the kernel has what it wrote. After a power cut the next owner writes
//! what the frames hold to where it belongs, and takes main along the chain of landings to its end; main at any value that is not
//! of that chain was moved by somebody else and stays. What a frame vouches for is synced before its place is
//! written again (a *checkpoint*), and at the end of the run the file goes away.
//!
//! Knows the files of a pack and one ref; nothing of what the objects mean.
//!
//! The file: a page that begins with [`Head`], then frames, each `lap, number, length, checksum` and its bytes. A frame counts if its
//! lap is that of the head, all frames before it count and its checksum is right. A checkpoint begins a new lap.

use super::disk;
use super::error::{GitError, GitErrorKind};
use super::pack::PackBytes;
use super::packs::{PackFiles, pack_path};
use super::refs::{MAIN, Refs};
use baton_record::Oid;
use flate2::Crc;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Name of a repository's redo log, in it.
pub const NAME: &str = "baton-redo";

const MAGIC: &str = "baton-redo 1\n";
/// Where the first frame begins.
const FRAMES_AT: u64 = 4096;
/// Size of the file. It has it from the start, so that a frame changes nothing but bytes.
const SIZE: u64 = 8 << 20;
/// Lap, number, length and checksum of a frame.
const FRAME_HEAD: usize = 8 + 4 + 4 + 4;
/// So many files are waited for at once.
const SYNCS_AT_ONCE: usize = 8;

/// What one landing did: where main was, where it is, and the pack that was written for it.
pub(super) struct Landed<'p> {
    pub(super) main: (Oid, Oid),
    pub(super) pack: Option<&'p PackBytes>,
}

/// The redo log of one repository, and what it vouches for.
#[derive(Debug)]
pub(super) struct Redo {
    root: PathBuf,
    /// Open for writing; `None`: there is none yet.
    file: Option<File>,
    lap: u64,
    frames: u32,
    at: u64,
    /// Files and directories that nobody has waited for.
    owed: Vec<PathBuf>,
    /// A frame is durable, and what it tells of has not been done: nothing may follow it.
    broken: bool,
    /// There is no room for a log.
    without: bool,
}

impl Redo {
    pub(super) fn new(root: &Path) -> Redo {
        let (root, owed) = (root.to_owned(), Vec::new());
        Redo { root, file: None, lap: 0, frames: 0, at: FRAMES_AT, owed, broken: false, without: false }
    }

    /// Makes a landing durable by one frame. `false`: it is too large for that, or the disk is too small for a log.
    pub(super) fn vouch(&mut self, landed: &Landed<'_>) -> Result<bool, GitError> {
        if self.broken {
            let detail = format!("a landing of {} was broken off half way", self.root.display());
            return Err(GitError::new(GitErrorKind::Io, detail));
        }
        let path = self.root.join(NAME);
        if self.file.is_none() && !self.without {
            self.begin(&path)?;
        }
        if self.without {
            return Ok(false);
        }
        let bytes = self.frame(landed);
        if bytes.len() as u64 > SIZE - FRAMES_AT {
            return Ok(false);
        }
        if self.at + bytes.len() as u64 > SIZE {
            self.checkpoint()?;
            return self.vouch(landed);
        }
        let file = self.file.as_ref().expect("begun");
        let written = file.write_all_at(&bytes, self.at).and_then(|()| file.sync_data());
        written.map_err(|error| GitError::io("write", &path, &error))?;
        self.at += bytes.len() as u64;
        self.frames += 1;
        Ok(true)
    }

    /// What a frame has vouched for, written and not waited for.
    pub(super) fn owe(&mut self, paths: impl IntoIterator<Item = PathBuf>) {
        self.owed.extend(paths);
    }

    /// What the last frame tells of cannot be done.
    pub(super) fn break_off(&mut self) {
        self.broken = true;
    }

    /// Waits for everything that frames vouch for, and forgets them.
    pub(super) fn checkpoint(&mut self) -> Result<(), GitError> {
        if self.frames == 0 {
            return Ok(());
        }
        let mut owed = std::mem::take(&mut self.owed);
        owed.extend([self.root.join("objects/pack"), self.root.join(MAIN)]);
        owed.sort_unstable();
        owed.dedup();
        // A pack that another has replaced since is gone.
        owed.retain(|path| path.exists());
        let paths: Vec<&Path> = owed.iter().map(PathBuf::as_path).collect();
        paths.chunks(SYNCS_AT_ONCE).try_for_each(disk::sync_all)?;
        disk::sync(self.root.join(MAIN).parent().expect("a ref is below the repository"))?;
        self.next_lap()
    }

    /// Waits for everything, and removes the file.
    pub(super) fn end(&mut self) -> Result<(), GitError> {
        self.checkpoint()?;
        self.file = None;
        disk::remove_if_there(&self.root.join(NAME))
    }

    fn frame(&self, landed: &Landed<'_>) -> Vec<u8> {
        let (before, after) = landed.main;
        let none: &[u8] = &[];
        let [name, pack, index] = match landed.pack {
            Some(made) => [made.name.as_bytes(), &made.pack, &made.index],
            None => [none; 3],
        };
        let mut bytes = vec![0; FRAME_HEAD];
        bytes.reserve(pack.len() + index.len() + 128);
        for part in [before.as_bytes(), after.as_bytes(), name, pack, index] {
            bytes.extend_from_slice(&(part.len() as u32).to_le_bytes());
            bytes.extend_from_slice(part);
        }
        let len = (bytes.len() - FRAME_HEAD) as u32;
        bytes[..8].copy_from_slice(&self.lap.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.frames.to_le_bytes());
        bytes[12..16].copy_from_slice(&len.to_le_bytes());
        let check = checksum(&[&bytes[..16], &bytes[FRAME_HEAD..]]);
        bytes[16..FRAME_HEAD].copy_from_slice(&check.to_le_bytes());
        bytes
    }

    /// Makes the file, or takes the one that is there.
    fn begin(&mut self, path: &Path) -> Result<(), GitError> {
        let make = || -> io::Result<File> {
            let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
            if file.metadata()?.len() != SIZE {
                file.set_len(0)?;
                let page = [0; 1 << 16];
                (0..SIZE).step_by(page.len()).try_for_each(|at| file.write_all_at(&page, at))?;
            }
            Ok(file)
        };
        let file = match make() {
            Err(error) if error.kind() == ErrorKind::StorageFull => {
                self.without = true;
                return disk::remove_if_there(path);
            }
            made => made.map_err(|error| GitError::io("make", path, &error))?,
        };
        if let Some(head) = Head::read(&file) {
            self.lap = self.lap.max(head.lap);
        }
        self.file = Some(file);
        self.next_lap()?;
        let file = self.file.as_ref().expect("just opened");
        file.sync_all().map_err(|error| GitError::io("sync", path, &error))?;
        disk::sync(&self.root)
    }

    fn next_lap(&mut self) -> Result<(), GitError> {
        (self.lap, self.frames, self.at) = (self.lap + 1, 0, FRAMES_AT);
        let path = self.root.join(NAME);
        let Some(file) = &self.file else { return Ok(()) };
        let written = file.write_all_at(&Head { lap: self.lap, boot: boot() }.bytes(), 0);
        written.and_then(|()| file.sync_data()).map_err(|error| GitError::io("write", &path, &error))
    }
}

/// Puts a repository in order that a former owner left with a redo log, and removes it: after a power cut it makes
/// the landings again that the log holds, after anything else it only waits for the disk.
pub(super) fn recover(root: &Path, refs: &Refs) -> Result<(), GitError> {
    recover_on(root, refs, boot().as_deref())
}

/// Whether there is a log that this boot of the machine has not written.
pub(super) fn is_of_another_boot(root: &Path) -> bool {
    let head = File::open(root.join(NAME)).ok().and_then(|file| Head::read(&file));
    head.is_some_and(|head| head.boot.is_none() || head.boot != boot())
}

/// The same, on this boot of the machine; `None`: nobody knows.
fn recover_on(root: &Path, refs: &Refs, boot: Option<&str>) -> Result<(), GitError> {
    let path = root.join(NAME);
    let file = match File::open(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        file => file.map_err(|error| GitError::io("read", &path, &error))?,
    };
    let Some(head) = Head::read(&file) else { return disk::remove_if_there(&path) };
    let frames = read_frames(&path, head.lap)?;
    if boot.is_none() || boot != head.boot.as_deref() {
        frames.iter().try_for_each(|frame| frame.store(root))?;
        lead_main(refs, &frames)?;
    }
    disk::sync_below(&root.join("objects/pack"))?;
    disk::sync_below(&root.join("refs"))?;
    disk::remove_if_there(&path)?;
    disk::sync(root)
}

/// Takes main to the end of the chain, unless somebody else has taken it elsewhere.
fn lead_main(refs: &Refs, frames: &[Frame]) -> Result<(), GitError> {
    let Some(last) = frames.last() else { return Ok(()) };
    let found = match refs.read(MAIN) {
        Err(error) if error.kind() == GitErrorKind::Damaged => None,
        found => found?,
    };
    let ours = |main: Oid| frames.iter().any(|frame| frame.main.0 == main || frame.main.1 == main);
    if found == Some(last.main.1) || found.is_some_and(|main| !ours(main)) {
        return Ok(());
    }
    tracing::info!(main = %last.main.1, "main is taken to where it was before the power was cut");
    refs.lock(MAIN)?.set(last.main.1)
}

/// First bytes of the file.
struct Head {
    lap: u64,
    /// Which boot of the machine wrote it.
    boot: Option<String>,
}

impl Head {
    /// A line to know it by, then `lap boot checksum`.
    fn bytes(&self) -> Vec<u8> {
        let said = format!("{MAGIC}{} {}", self.lap, self.boot.as_deref().unwrap_or("-"));
        format!("{said} {:08x}\n", checksum(&[said.as_bytes()])).into_bytes()
    }

    fn read(file: &File) -> Option<Head> {
        let mut page = [0; 256];
        let len = file.read_at(&mut page, 0).ok()?;
        let text = std::str::from_utf8(page[..len].split(|byte| *byte == 0).next()?).ok()?;
        // A new head may be shorter than the one before it.
        let text = text.split_inclusive('\n').take(2).collect::<String>();
        let (said, check) = text.strip_suffix('\n')?.rsplit_once(' ')?;
        if u32::from_str_radix(check, 16).ok()? != checksum(&[said.as_bytes()]) {
            return None;
        }
        let (lap, boot) = said.strip_prefix(MAGIC)?.split_once(' ')?;
        Some(Head { lap: lap.parse().ok()?, boot: (boot != "-").then(|| boot.to_owned()) })
    }
}

/// A landing to be made again.
struct Frame {
    main: (Oid, Oid),
    pack: Option<PackBytes>,
}

impl Frame {
    fn parse(body: &[u8]) -> Option<Frame> {
        let mut rest = body;
        let mut part = || -> Option<&[u8]> {
            let (len, behind) = rest.split_first_chunk::<4>()?;
            let (part, behind) = behind.split_at_checked(u32::from_le_bytes(*len) as usize)?;
            rest = behind;
            Some(part)
        };
        let main = (Oid::from_bytes(part()?)?, Oid::from_bytes(part()?)?);
        let name = part()?;
        if name.is_empty() {
            return Some(Frame { main, pack: None });
        }
        let name = Oid::from_bytes(name)?;
        Some(Frame { main, pack: Some(PackBytes { name, pack: part()?.to_vec(), index: part()?.to_vec() }) })
    }

    /// Writes its pack, unless it is there as it should be.
    fn store(&self, root: &Path) -> Result<(), GitError> {
        let Some(made) = &self.pack else { return Ok(()) };
        let (directory, name) = (root.join("objects/pack"), made.name.to_hex());
        let files = [("pack", &made.pack), ("idx", &made.index)];
        let paths = files.map(|(kind, bytes)| (pack_path(&directory, &name, kind), bytes));
        if paths.iter().all(|(path, bytes)| fs::read(path).is_ok_and(|found| found == **bytes)) {
            return Ok(());
        }
        paths.iter().rev().try_for_each(|(path, _)| disk::remove_if_there(path))?;
        let files = PackFiles::write(&directory, made)?;
        disk::sync_all(&files.paths())?;
        files.show()
    }
}

/// The frames of a lap, as far as they are whole.
fn read_frames(path: &Path, lap: u64) -> Result<Vec<Frame>, GitError> {
    let bytes = fs::read(path).map_err(|error| GitError::io("read", path, &error))?;
    let mut rest = bytes.get(FRAMES_AT as usize..).unwrap_or_default();
    let mut frames = Vec::new();
    while let Some((head, behind)) = rest.split_first_chunk::<FRAME_HEAD>() {
        let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let Some((body, behind)) = behind.split_at_checked(word(12) as usize) else { break };
        let expected = head[..8] == lap.to_le_bytes() && word(8) as usize == frames.len();
        if !expected || checksum(&[&head[..16], body]) != word(16) {
            break;
        }
        let damaged = || GitError::damaged(format!("{} holds a frame that says nothing", path.display()));
        frames.push(Frame::parse(body).ok_or_else(damaged)?);
        rest = behind;
    }
    Ok(frames)
}

fn checksum(parts: &[&[u8]]) -> u32 {
    let mut crc = Crc::new();
    parts.iter().for_each(|part| crc.update(part));
    crc.sum()
}

/// A name of this boot of the machine, where the system has one.
fn boot() -> Option<String> {
    let name = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(name.trim().to_owned())
}

#[cfg(test)]
mod tests;

//! The packs of one repository that this product wrote, and how their number stays small.
//!
//! Each call of `store` makes one pack. When there are [`MERGE_AT`] of one class of size, their entries are
//! copied into one; so an object is copied a few times in its life and the number of packs grows with the
//! logarithm of what is stored. A pack is readable from the moment its index has its name, which is the last step;
//! the packs that a new one replaces are removed only after that. A killed process therefore leaves every
//! object readable, at worst twice. Replaced packs stay for a while, since a git program may be about to read them.
//!
//! Packs that have a `.keep` beside them (those of a copied repository do) or deltas are left alone.

use super::Durability;
use super::disk;
use super::error::GitError;
use super::object::{ObjectFormat, Objects, Packed};
use super::pack::{PackBytes, read_pack, write_pack};
use baton_record::Oid;
use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// So many packs of one class become one.
const MERGE_AT: usize = 32;
/// So many replaced packs stay: the indexes of all are opened by every git program, but one that lists packs first
/// and reads them later, as `git fsck` does, calls those missing that were removed in between. So they are removed
/// seldom, and many at once. Of a run that is synced only at its end, nobody expects to check it in the middle.
const RETIRED_MAX_DURABLE: usize = 256;
const RETIRED_MAX_BUFFERED: usize = 64;

/// The largest size, in bytes, of each class of packs that are copied into one; larger ones stay as they are.
const CLASSES: [u64; 4] = [1 << 16, 1 << 21, 1 << 26, 1 << 29];

/// Prefix of files in the making; git's own clean-up knows such names.
const TEMPORARY: &str = "tmp_baton_";

#[derive(Clone, Debug)]
struct OwnPack {
    name: String,
    bytes: u64,
    /// What is in it, as long as it is small and this process wrote it.
    entries: Option<Arc<Entries>>,
}

/// What is in a pack, by name.
type Entries = BTreeMap<Oid, Packed>;

impl OwnPack {
    fn class(&self) -> usize {
        CLASSES.partition_point(|bytes_max| *bytes_max <= self.bytes)
    }
}

#[derive(Debug)]
pub(super) struct Packs {
    directory: PathBuf,
    format: ObjectFormat,
    durability: Durability,
    own: Vec<OwnPack>,
    retired: VecDeque<String>,
}

impl Packs {
    /// Takes stock of a repository, and removes what a killed process left half done.
    pub(super) fn open(root: &Path, format: ObjectFormat, durability: Durability) -> Result<Packs, GitError> {
        Packs::open_at(&root.join("objects/pack"), format, durability)
    }

    /// The same, of a directory of packs.
    pub(super) fn open_at(directory: &Path, format: ObjectFormat, durability: Durability) -> Result<Packs, GitError> {
        let directory = directory.to_owned();
        disk::make_directories(&directory, durability)?;
        let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for entry in disk::list(&directory)? {
            let Ok(name) = entry.file_name().into_string() else { continue };
            if name.starts_with(TEMPORARY) {
                disk::remove_if_there(&entry.path())?;
            } else if let Some((stem, extension)) = name.split_once('.') {
                files.entry(stem.to_owned()).or_default().push(extension.to_owned());
            }
        }
        let mut packs = Packs { directory, format, durability, own: Vec::new(), retired: VecDeque::new() };
        for (stem, extensions) in files {
            let Some(name) = stem.strip_prefix("pack-") else { continue };
            match extensions.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                ["idx", "pack"] => packs.adopt(name)?,
                [alone @ ("pack" | "idx")] => disk::remove_if_there(&packs.path(name, alone))?,
                _ => {}
            }
        }
        Ok(packs)
    }

    fn adopt(&mut self, name: &str) -> Result<(), GitError> {
        let path = self.path(name, "pack");
        let bytes = fs::metadata(&path).map_err(|error| GitError::io("read", &path, &error))?.len();
        self.own.push(OwnPack { name: name.to_owned(), bytes, entries: None });
        Ok(())
    }

    fn path(&self, name: &str, extension: &str) -> PathBuf {
        pack_path(&self.directory, name, extension)
    }

    /// Writes one pack of these objects. On return it is readable, and durable where that is promised.
    pub(super) fn store(&mut self, objects: &Objects) -> Result<(), GitError> {
        let Some(coming) = self.begin(objects)? else { return Ok(()) };
        self.sync(&coming.paths())?;
        self.finish(coming)
    }

    /// Writes one pack of these objects, which nobody sees before [`Packs::finish`]. `None`: there are none.
    pub(super) fn begin(&mut self, objects: &Objects) -> Result<Option<Coming>, GitError> {
        if objects.is_empty() {
            return Ok(None);
        }
        self.write(objects.iter().map(|(oid, object)| (oid, object.packed.clone())).collect()).map(Some)
    }

    /// Lets a pack be seen whose files are durable already, where that is promised. On return that it is seen is, too.
    pub(super) fn finish(&mut self, coming: Coming) -> Result<(), GitError> {
        let pack = self.show(coming)?;
        self.keep(pack)
    }

    /// Lets a pack be seen that a redo log vouches for; its files, and that it is seen, are still to be waited for.
    pub(super) fn finish_vouched(&mut self, coming: Coming) -> Result<[PathBuf; 2], GitError> {
        let paths = [coming.files.data.clone(), coming.files.index.clone()];
        coming.files.show()?;
        self.keep(coming.pack)?;
        Ok(paths)
    }

    fn show(&self, coming: Coming) -> Result<OwnPack, GitError> {
        coming.files.show()?;
        self.sync(&[&self.directory])?;
        Ok(coming.pack)
    }

    fn keep(&mut self, pack: OwnPack) -> Result<(), GitError> {
        let class = pack.class();
        self.add(pack);
        self.consolidate(class)
    }

    fn add(&mut self, pack: OwnPack) {
        if self.own.iter().all(|own| own.name != pack.name) {
            self.own.push(pack);
        }
    }

    /// The same pack written again is written once.
    fn write(&mut self, entries: Entries) -> Result<Coming, GitError> {
        let made = write_pack(self.format, entries.iter().map(|(oid, packed)| (*oid, packed)));
        let mut pack = OwnPack { name: made.name.to_hex(), bytes: made.pack.len() as u64, entries: None };
        pack.entries = (pack.class() == 0).then(|| Arc::new(entries));
        self.retired.retain(|retired| *retired != pack.name);
        let files = [("pack", &made.pack), ("idx", &made.index)]
            .map(|(kind, bytes)| (self.path(&pack.name, kind), bytes.len()));
        if files.iter().all(|(path, len)| fs::metadata(path).is_ok_and(|found| found.len() == *len as u64)) {
            let [(data, _), (index, _)] = files;
            return Ok(Coming { pack, files: PackFiles { data, index, temporary: None }, bytes: made });
        }
        // Half of it may stand there from a try that failed.
        files.iter().rev().try_for_each(|(path, _)| disk::remove_if_there(path))?;
        let files = PackFiles::write(&self.directory, &made)?;
        Ok(Coming { pack, files, bytes: made })
    }

    fn sync(&self, paths: &[&Path]) -> Result<(), GitError> {
        match self.durability {
            Durability::Durable => disk::sync_all(paths),
            Durability::Buffered => Ok(()),
        }
    }

    /// Copies the packs of one class into one if there are enough of them, and goes on with the class of the result.
    fn consolidate(&mut self, mut class: usize) -> Result<(), GitError> {
        loop {
            let of_class: Vec<_> = self.own.iter().filter(|pack| pack.class() == class).cloned().collect();
            if of_class.len() < MERGE_AT || class >= CLASSES.len() {
                break;
            }
            class = match self.merge(&of_class)? {
                Some(merged) => merged.class(),
                None => break,
            };
        }
        self.remove_retired()
    }

    /// One pack in place of all of `packs`. `None`: none of them is ours, or there, after all.
    fn merge(&mut self, packs: &[OwnPack]) -> Result<Option<OwnPack>, GitError> {
        let (mut entries, mut replaced) = (BTreeMap::new(), Vec::new());
        for pack in packs {
            match self.entries(pack)? {
                Some(read) => {
                    entries.extend(read.iter().map(|(oid, packed)| (*oid, packed.clone())));
                    replaced.push(pack.name.clone());
                }
                None => self.own.retain(|own| own.name != pack.name),
            }
        }
        if replaced.len() < 2 {
            return Ok(None);
        }
        let coming = self.write(entries)?;
        self.sync(&coming.paths())?;
        let merged = self.show(coming)?;
        self.own.retain(|own| !replaced.contains(&own.name));
        self.retired.extend(replaced.into_iter().filter(|name| *name != merged.name));
        self.add(merged.clone());
        Ok(Some(merged))
    }

    fn entries(&self, pack: &OwnPack) -> Result<Option<Arc<Entries>>, GitError> {
        if let Some(entries) = &pack.entries {
            return Ok(Some(entries.clone()));
        }
        let mut files = [Vec::new(), Vec::new()];
        for (file, kind) in files.iter_mut().zip(["pack", "idx"]) {
            let path = self.path(&pack.name, kind);
            *file = match fs::read(&path) {
                Ok(bytes) => bytes,
                // Somebody had git put the repository in order.
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(GitError::io("read", &path, &error)),
            };
        }
        Ok(read_pack(self.format, &files[0], &files[1])?.map(Arc::new))
    }

    /// Once there are too many replaced packs, removes all but those that were replaced last.
    fn remove_retired(&mut self) -> Result<(), GitError> {
        let count_max = match self.durability {
            Durability::Durable => RETIRED_MAX_DURABLE,
            Durability::Buffered => RETIRED_MAX_BUFFERED,
        };
        let keep = if self.retired.len() > count_max { MERGE_AT } else { count_max };
        while self.retired.len() > keep {
            self.remove_oldest_retired()?;
        }
        Ok(())
    }

    fn remove_oldest_retired(&mut self) -> Result<(), GitError> {
        if let Some(name) = self.retired.pop_front() {
            // Without its index nobody looks for the pack.
            disk::remove_if_there(&self.path(&name, "idx"))?;
            disk::remove_if_there(&self.path(&name, "pack"))?;
        }
        Ok(())
    }

    /// Makes one pack of all that are small enough, and removes the replaced ones.
    pub(super) fn consolidate_all(&mut self) -> Result<(), GitError> {
        let small: Vec<_> = self.own.iter().filter(|pack| pack.class() < CLASSES.len()).cloned().collect();
        if small.len() > 1 {
            self.merge(&small)?;
        }
        if self.retired.is_empty() {
            return Ok(());
        }
        // What replaces them has to be on the disk before they are gone.
        disk::sync_below(&self.directory)?;
        while !self.retired.is_empty() {
            self.remove_oldest_retired()?;
        }
        Ok(())
    }
}

/// Where a file of a pack is.
pub(super) fn pack_path(directory: &Path, name: &str, extension: &str) -> PathBuf {
    directory.join(format!("pack-{name}.{extension}"))
}

/// The files of a pack, the index last: without an index nobody looks at a pack, so only that has to appear at once.
pub(super) struct PackFiles {
    data: PathBuf,
    index: PathBuf,
    /// Where the index is until it gets its name; `None`: it has it.
    temporary: Option<PathBuf>,
}

impl PackFiles {
    /// Writes them; nobody sees them yet.
    pub(super) fn write(directory: &Path, made: &PackBytes) -> Result<PackFiles, GitError> {
        let path = |extension: &str| pack_path(directory, &made.name.to_hex(), extension);
        let temporary = directory.join(format!("{TEMPORARY}{}.idx", made.name));
        disk::remove_if_there(&temporary)?;
        disk::write_new(&path("pack"), &made.pack)?;
        disk::write_new(&temporary, &made.index)?;
        Ok(PackFiles { data: path("pack"), index: path("idx"), temporary: Some(temporary) })
    }

    /// What has to be durable before it may be seen.
    pub(super) fn paths(&self) -> [&Path; 2] {
        [&self.data, self.temporary.as_ref().unwrap_or(&self.index)]
    }

    /// Gives the index its name.
    pub(super) fn show(self) -> Result<(), GitError> {
        let Some(temporary) = &self.temporary else { return Ok(()) };
        fs::rename(temporary, &self.index).map_err(|error| GitError::io("write", &self.index, &error))
    }
}

/// A pack that is written and that nobody sees yet.
pub(super) struct Coming {
    pack: OwnPack,
    files: PackFiles,
    bytes: PackBytes,
}

impl Coming {
    /// What has to be durable before it may be seen.
    pub(super) fn paths(&self) -> [&Path; 2] {
        self.files.paths()
    }

    /// What is in them.
    pub(super) fn bytes(&self) -> &PackBytes {
        &self.bytes
    }
}

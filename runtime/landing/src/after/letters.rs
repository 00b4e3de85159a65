//! The texts for owners of refused branches: written to where the branch's agent looks, and taken away again when it has landed.
//!
//! A file of that name that somebody else has written, or that the branch itself has, is nobody's but theirs.

use super::Followed;
use crate::LandError;
use crate::outcome::{LandOutcome, RefusedChange, is_title};
use crate::site::Site;
use baton_world::git::Worktree;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

const FOLDER: &str = ".baton";
const FILE: &str = "refused.md";

/// Writes the text to where the branch's agent looks: its worktree, or else the state directory.
pub(super) fn hand_back(site: &Site, refused: &RefusedChange, worktrees: &[Worktree]) -> Result<PathBuf, LandError> {
    let (directory, file) = match worktree_of(&refused.name, worktrees) {
        Some(worktree) if is_theirs(site, worktree)? || is_other(&worktree.path.join(FOLDER).join(FILE)) => {
            let place = worktree.path.join(FOLDER).join(FILE);
            let path = write(&site.refused_directory(), &file_of(&refused.name), &refused.hand_back)?;
            let (place, path) = (place.display(), path.display());
            return Err(LandError::Disk(format!("{place} is not from here, and stays; the reasons are in {path}")));
        }
        Some(worktree) => {
            exclude(site.repository().common_directory())?;
            (worktree.path.join(FOLDER), FILE.to_owned())
        }
        None => (site.refused_directory(), file_of(&refused.name)),
    };
    write(&directory, &file, &refused.hand_back)
}

/// What such a text says is over when its branch is on main.
pub(super) fn take_back(site: &Site, outcome: &LandOutcome, worktrees: &[Worktree], followed: &mut Followed) {
    let landed = outcome.landed.iter().map(|landed| &landed.name);
    for name in landed.chain(outcome.already.iter().map(|change| &change.name)) {
        let mut places = vec![site.refused_directory().join(file_of(name))];
        if let Some(worktree) = worktree_of(name, worktrees) {
            let place = worktree.path.join(FOLDER).join(FILE);
            // Git is asked only where there is something to ask about.
            if says_of(&place, name) && is_theirs(site, worktree).is_ok_and(|theirs| !theirs) {
                places.push(place);
            }
        }
        for place in places.iter().filter(|place| says_of(place, name)) {
            if let Err(error) = fs::remove_file(place) {
                followed.undone.push(LandError::disk("remove", place, &error).what());
            }
        }
    }
}

fn worktree_of<'w>(name: &str, worktrees: &'w [Worktree]) -> Option<&'w Worktree> {
    let full = format!("refs/heads/{name}");
    worktrees.iter().find(|worktree| worktree.branch.as_ref() == Some(&full))
}

fn file_of(name: &str) -> String {
    format!("{}.md", name.replace('/', "%2F"))
}

/// Whether the branch has a file of that name, or one where its folder is.
fn is_theirs(site: &Site, worktree: &Worktree) -> Result<bool, LandError> {
    Ok(site.repository().tracks(&worktree.path, &[FOLDER, &format!("{FOLDER}/{FILE}")])?)
}

/// Whether there is something that no session has written.
fn is_other(place: &Path) -> bool {
    fs::symlink_metadata(place).is_ok() && !first_line(place).is_some_and(|line| is_title(&line, None))
}

/// Whether it is the text for that branch.
fn says_of(place: &Path, name: &str) -> bool {
    first_line(place).is_some_and(|line| is_title(&line, Some(name)))
}

/// Of a plain file, in a folder that is one.
fn first_line(place: &Path) -> Option<String> {
    let above = fs::symlink_metadata(place.parent()?).ok()?;
    let found = fs::symlink_metadata(place).ok()?;
    let mut start = Vec::new();
    if above.is_dir() && found.is_file() {
        fs::File::open(place).and_then(|file| file.take(4096).read_to_end(&mut start)).ok()?;
    }
    String::from_utf8_lossy(&start).lines().next().map(str::to_owned)
}

fn write(directory: &Path, file: &str, text: &str) -> Result<PathBuf, LandError> {
    if fs::symlink_metadata(directory).is_ok_and(|found| !found.is_dir()) {
        return Err(LandError::Disk(format!("{} is no directory; nothing is written there", directory.display())));
    }
    fs::create_dir_all(directory).map_err(|error| LandError::disk("create", directory, &error))?;
    let (path, beside) = (directory.join(file), directory.join(format!("{file}.tmp")));
    let written = fs::write(&beside, text).and_then(|()| fs::rename(&beside, &path));
    written.map_err(|error| LandError::disk("write", &path, &error))?;
    Ok(path)
}

/// Nobody commits such a text by mistake.
fn exclude(common: &Path) -> Result<(), LandError> {
    const LINE: &str = "/.baton/";
    let (directory, path) = (common.join("info"), common.join("info/exclude"));
    let text = fs::read_to_string(&path).unwrap_or_default();
    if text.lines().any(|line| line == LINE) {
        return Ok(());
    }
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    fs::create_dir_all(&directory).map_err(|error| LandError::disk("create", &directory, &error))?;
    let mut file = fs::OpenOptions::new().create(true).append(true).open(&path);
    let written = file.as_mut().map_err(|error| LandError::disk("open", &path, error))?;
    written.write_all(format!("{gap}{LINE}\n").as_bytes()).map_err(|error| LandError::disk("write", &path, &error))
}

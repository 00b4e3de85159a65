//! What a run folder is made of, by name: whatever else lies in one was put there by somebody, and is not ours to remove.
//!
//! Looks at names and kinds alone; what is in the files is the checker's matter.

use std::fs;
use std::path::{Path, PathBuf};

/// What a run and its checks write into the folder itself.
const FILES: [&str; 5] = ["run.json", "scenario.yaml", "report.json", "report.md", "verified.json"];

/// The first thing in a run folder that no run makes; `None` if everything is known. What cannot be read is not known.
pub(super) fn stranger(run: &Path) -> Option<PathBuf> {
    each(run, |name, path, is_folder| match (name, is_folder) {
        ("journal", true) => each(path, |name, _, is_folder| known(!is_folder && is_segment(name))),
        ("content", true) => each(path, |name, path, is_folder| match is_folder && is_hex(name, 2) {
            true => each(path, |name, _, is_folder| known(!is_folder && is_hex(name, 62))),
            // What is being written, or what a kill has left of that.
            false => known(!is_folder && name.starts_with("new-")),
        }),
        ("policies", true) => each(path, |_, path, is_folder| match is_folder {
            true => each(path, |name, _, is_folder| known(!is_folder && name == "SKILL.md")),
            false => Found::Stranger,
        }),
        (name, true) if name.ends_with(".git") => each(path, of_repository),
        (name, is_folder) => known(!is_folder && FILES.contains(&name.strip_suffix(".new").unwrap_or(name))),
    })
    .path()
}

/// What is in a repository: git's own files, and under `refs` and `logs` whatever a branch may be called.
fn of_repository(name: &str, path: &Path, is_folder: bool) -> Found {
    match (name, is_folder) {
        ("objects", true) => each(path, of_objects),
        // Where git merges: thrown away after each merge, and by whoever opens the repository after a kill.
        ("baton-quarantine", true) => each(path, |name, path, is_folder| {
            let numbered = name.bytes().all(|byte| byte.is_ascii_digit());
            if is_folder && numbered { each(path, of_objects) } else { Found::Stranger }
        }),
        ("refs" | "logs" | "info" | "hooks" | "branches", true) => Found::Known,
        (name, is_folder) => {
            let own = ["HEAD", "config", "description", "packed-refs", "ORIG_HEAD", "FETCH_HEAD", "gc.pid", "gc.log"];
            let own = own.into_iter().chain([baton_world::git::REDO_LOG]).collect::<Vec<_>>();
            known(!is_folder && own.contains(&name.strip_suffix(".lock").unwrap_or(name)))
        }
    }
}

/// What is in a directory of objects, with what is half written.
fn of_objects(name: &str, path: &Path, is_folder: bool) -> Found {
    match (name, is_folder) {
        ("info" | "pack", true) => each(path, |name, _, is_folder| known(!is_folder && is_of_packs(name))),
        (name, true) if is_hex(name, 2) => {
            each(path, |name, _, is_folder| known(!is_folder && (is_object(name) || name.starts_with("tmp_"))))
        }
        (name, _) => known(name.starts_with("tmp_")),
    }
}

/// `000001-000000.jsonl` and the like.
fn is_segment(name: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let numbered = name.strip_suffix(".jsonl").and_then(|name| name.split_once('-'));
    numbered.is_some_and(|(first, second)| digits(first) && digits(second))
}

fn is_object(name: &str) -> bool {
    is_hex(name, 38) || is_hex(name, 62)
}

fn is_of_packs(name: &str) -> bool {
    let known = ["pack-", "tmp_", "multi-pack-index", "packs", "alternates", "commit-graph", ".tmp-"];
    known.iter().any(|known| name.starts_with(known))
}

fn is_hex(name: &str, digits: usize) -> bool {
    name.len() == digits && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// What is found where a name stands.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Known,
    /// What was asked about.
    Stranger,
    /// Something below it.
    Below(PathBuf),
}

impl Found {
    fn path(self) -> Option<PathBuf> {
        match self {
            Found::Below(path) => Some(path),
            Found::Known | Found::Stranger => None,
        }
    }
}

fn known(is_known: bool) -> Found {
    if is_known { Found::Known } else { Found::Stranger }
}

/// Looks at each name in a folder, in order; links are never a run's own.
fn each(folder: &Path, of: impl Fn(&str, &Path, bool) -> Found) -> Found {
    let Ok(entries) = fs::read_dir(folder) else { return Found::Below(folder.to_owned()) };
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in entries {
        let Ok(entry) = entry else { return Found::Below(folder.to_owned()) };
        paths.push(entry.path());
    }
    paths.sort();
    for path in paths {
        let kind = fs::symlink_metadata(&path).map(|found| found.file_type());
        let plain = kind.is_ok_and(|kind| kind.is_dir() || kind.is_file());
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let found = if plain { of(&name, &path, path.is_dir()) } else { Found::Stranger };
        match found {
            Found::Known => {}
            Found::Stranger => return Found::Below(path),
            below @ Found::Below(_) => return below,
        }
    }
    Found::Known
}

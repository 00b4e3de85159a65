//! Fixtures: small repositories that are made, not copied. The same name and size give the same commits everywhere.

use baton_record::Oid;
use baton_world::git::{CommitMeta, Durability, Edit, FileMode, GitError, ObjectFormat, Repository};
use std::path::Path;

/// Seconds since 1970 at which simulated runs begin: 2026-01-01T00:00:00Z.
pub const SIM_START_S: i64 = 1_767_225_600;

/// Makes the fixture `notes` with this many notes, an index, and a counter for each ten notes; gives main.
pub fn notes(path: &Path, files: u32, durability: Durability) -> Result<(Repository, Oid), GitError> {
    let repository = Repository::init(path, ObjectFormat::Sha1, durability)?;
    let edits: Vec<Edit> = contents(files).map(|(path, content)| put(&path, content)).collect();
    let meta = CommitMeta {
        author: "baton".to_owned(),
        email: "baton@baton.invalid".to_owned(),
        time_s: SIM_START_S,
        subject: "The fixture `notes`".to_owned(),
        trailers: Vec::new(),
    };
    let main = repository.begin(&edits, &meta)?;
    Ok((repository, main))
}

/// Every file of the fixture `notes` with its bytes, ascending by path: what [`notes`] makes.
pub fn files_of_notes(files: u32) -> Vec<(String, u64)> {
    let mut all: Vec<(String, u64)> = contents(files).map(|(path, content)| (path, content.len() as u64)).collect();
    all.sort();
    all
}

fn contents(files: u32) -> impl Iterator<Item = (String, String)> {
    let readme = ("README.md".to_owned(), "# Notes\n\nA repository for teams to write into.\n".to_owned());
    let index = ("index/index.md".to_owned(), "# Index\n".to_owned());
    let notes = (0..files).map(move |note| (note_path(note, files), format!("# Note {note}\n\n")));
    let counters =
        (0..files.div_ceil(10)).map(|counter| (format!("counters/counter-{counter:03}.txt"), "0\n".to_owned()));
    [readme, index].into_iter().chain(notes).chain(counters)
}

/// Up to a hundred notes lie together; more are kept on shelves of a hundred.
fn note_path(note: u32, files: u32) -> String {
    if files <= 100 { format!("notes/note-{note:03}.md") } else { format!("notes/{:02}/note-{note:04}.md", note / 100) }
}

fn put(path: &str, content: String) -> Edit {
    Edit::Put { path: path.to_owned(), mode: FileMode::Regular, content: content.into_bytes() }
}

//! Fixtures: small repositories that are made, not copied. The same name and size give the same commits everywhere.

use baton_record::Oid;
use baton_world::git::{CommitMeta, Durability, Edit, FileMode, GitError, ObjectFormat, Repository};
use std::path::Path;

/// Seconds since 1970 at which simulated runs begin: 2026-01-01T00:00:00Z.
pub const SIM_START_S: i64 = 1_767_225_600;

/// Makes the fixture `notes` with this many notes, an index, and a counter for each ten notes; gives main.
pub fn notes(path: &Path, files: u32, durability: Durability) -> Result<(Repository, Oid), GitError> {
    let repository = Repository::init(path, ObjectFormat::Sha1, durability)?;
    let mut edits = vec![put("README.md", "# Notes\n\nA repository for teams to write into.\n".to_owned())];
    edits.push(put("index/index.md", "# Index\n".to_owned()));
    for note in 0..files {
        edits.push(put(&note_path(note, files), format!("# Note {note}\n\n")));
    }
    for counter in 0..files.div_ceil(10) {
        edits.push(put(&format!("counters/counter-{counter:03}.txt"), "0\n".to_owned()));
    }
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

/// Up to a hundred notes lie together; more are kept on shelves of a hundred.
fn note_path(note: u32, files: u32) -> String {
    if files <= 100 { format!("notes/note-{note:03}.md") } else { format!("notes/{:02}/note-{note:04}.md", note / 100) }
}

fn put(path: &str, content: String) -> Edit {
    Edit::Put { path: path.to_owned(), mode: FileMode::Regular, content: content.into_bytes() }
}

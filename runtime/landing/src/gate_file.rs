//! The file that names the gates, as main's own commit has it: a file of a sensible size, or a reason why not.
//!
//! Knows nothing of what stands in it, and looks at no checkout: whoever may change files there may not change gates.

use crate::LandError;
use crate::chain::GATE_FILE;
use baton_record::Oid;
use baton_world::git::{PersonRepository, PlacedFile};

/// It is read up to this many bytes; one more is enough to tell that it is too large.
const BYTES_MAX: u64 = 1 << 20;

/// The content of the file on a commit of `onto`; `None`: there is nothing of that name.
///
/// # Errors
/// If something else has its name there, or if it is larger than such a file can be.
pub fn read(repository: &PersonRepository, onto: &str, main: Oid) -> Result<Option<Vec<u8>>, LandError> {
    let place = format!("{}:{GATE_FILE}", onto.strip_prefix("refs/heads/").unwrap_or(onto));
    let refused = |what: String, cure: &str| Err(LandError::wish(format!("{place} {what}"), cure));
    match repository.placed_at(main, GATE_FILE)? {
        None => Ok(None),
        Some(PlacedFile::File { bytes }) if bytes > BYTES_MAX => {
            let what = format!("has {bytes} bytes; gates are read from a file of {BYTES_MAX} bytes at most");
            refused(what, "keep what is long in a script of its own, and commit the file with its name")
        }
        Some(PlacedFile::File { .. }) => Ok(repository.file_at(main, GATE_FILE)?),
        Some(PlacedFile::Link { to }) => {
            let what =
                format!("is a symbolic link, to {to:?}; links are not followed, so nobody else's file has a say");
            refused(what, "commit the file itself under that name")
        }
        Some(PlacedFile::Folder) => {
            refused("is a folder, and no gates can be read from it".to_owned(), "move it away, and commit a file")
        }
        Some(PlacedFile::Submodule) => {
            refused("is a submodule, and no gates can be read from it".to_owned(), "move it away, and commit a file")
        }
    }
}

//! What a repository holds, without copying it: the files of one commit, and how much its history takes. Only reads.

use super::copy::Source;
use super::error::GitError;
use std::path::Path;

/// What a commit of a repository on this machine holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Its files with their bytes, ascending by path; paths that are not UTF-8 are left out.
    pub files: Vec<(String, u64)>,
    /// Bytes that the commit and all that it comes from take on the disk, as it is packed there now.
    pub history_bytes: u64,
}

/// Looks at `base` (default: `HEAD`) of the repository at `source`, which is judged as a copy of it would be.
pub fn survey(source: &Path, base: Option<&str>) -> Result<Survey, GitError> {
    let source = Source::find(source)?;
    source.check_whole()?;
    let commit = source.commit(base)?.to_hex();
    let listed = source.ask_well("list its files", ["ls-tree", "-r", "-l", "-z", "--full-tree", &commit])?;
    let files = listed.split(|byte| *byte == 0).filter_map(file).collect();
    let sized = source.ask_well("measure its history", ["rev-list", "--objects", "--disk-usage", &commit])?;
    let history_bytes = String::from_utf8_lossy(&sized).trim().parse().unwrap_or(0);
    Ok(Survey { files, history_bytes })
}

/// `mode type oid size TAB path`; a submodule has no size.
fn file(line: &[u8]) -> Option<(String, u64)> {
    let line = std::str::from_utf8(line).ok()?;
    let (about, path) = line.split_once('\t')?;
    let bytes = about.split_ascii_whitespace().nth(3)?.parse().unwrap_or(0);
    Some((path.to_owned(), bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_file_with_its_size() {
        assert_eq!(file(b"100644 blob 06e7      12\tnotes/a b.md"), Some(("notes/a b.md".to_owned(), 12)));
        assert_eq!(file(b"160000 commit 06e7       -\tlib"), Some(("lib".to_owned(), 0)));
        assert_eq!(file(b""), None);
    }
}

//! The content store: whole under its hash, or not there.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use baton_world::content::{CONTENT_BYTES_MAX, ContentStore};
use baton_world::git::Durability;
use std::fs;
use std::path::Path;

const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn store(dir: &Path) -> ContentStore {
    ContentStore::open(&dir.join("content"), Durability::Durable).unwrap()
}

fn files(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut left = vec![dir.to_owned()];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path)
            } else {
                found.push(path.strip_prefix(dir).unwrap().display().to_string())
            }
        }
    }
    found.sort();
    found
}

#[test]
fn what_is_put_is_found_under_its_hash_and_lies_there_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    assert_eq!(files(dir.path()), Vec::<String>::new(), "a store that holds nothing is not there");
    assert_eq!(store.put(b"").unwrap(), EMPTY);
    let digest = store.put(b"notes").unwrap();
    assert_eq!(store.put(b"notes").unwrap(), digest);
    assert_eq!(store.get(&digest).unwrap().as_deref(), Some(&b"notes"[..]));
    let expected = [&digest, EMPTY].map(|digest| format!("content/{}/{}", &digest[..2], &digest[2..]));
    let mut expected = expected.to_vec();
    expected.sort();
    assert_eq!(files(dir.path()), expected, "nothing is left beside");
}

#[test]
fn what_nobody_put_is_not_there_and_what_is_no_digest_leads_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    fs::write(dir.path().join("secret"), "s").unwrap();
    let upwards = format!("..{}", "/".repeat(62));
    for digest in [EMPTY, "", "e3", "../secret", &EMPTY.to_uppercase(), &"é".repeat(32), upwards.as_str()] {
        assert!(store.get(digest).unwrap().is_none(), "{digest}");
    }
}

#[test]
fn damage_is_no_content() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let digest = store.put(b"notes").unwrap();
    let path = dir.path().join("content").join(&digest[..2]).join(&digest[2..]);
    fs::write(&path, "motes").unwrap();
    assert!(store.get(&digest).unwrap_err().to_string().contains("another hash"));
    fs::write(&path, "no").unwrap();
    assert_eq!(store.put(b"notes").unwrap(), digest, "what is torn is written again");
    assert!(store.get(&digest).unwrap().is_some());
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(dir.path().join("elsewhere"), &path).unwrap();
    assert!(store.get(&digest).is_err(), "a link is no content of the run's own");
}

#[test]
fn too_much_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let much = vec![0; CONTENT_BYTES_MAX as usize + 1];
    assert!(store.put(&much).is_err());
    assert_eq!(files(dir.path()), Vec::<String>::new());
    fs::write(dir.path().join("file"), "").unwrap();
    assert!(ContentStore::open(&dir.path().join("file"), Durability::Buffered).is_err());
}

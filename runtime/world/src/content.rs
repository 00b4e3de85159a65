//! Temporary.
#![allow(missing_docs)]
use crate::git::Durability;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
#[derive(Debug)]
pub struct ContentStore {
    dir: PathBuf,
}
#[derive(Debug)]
pub struct ContentError(String);
impl std::fmt::Display for ContentError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
impl ContentStore {
    pub fn open(dir: &Path, _: Durability) -> Result<ContentStore, ContentError> {
        Ok(ContentStore { dir: dir.to_owned() })
    }
    pub fn put(&self, bytes: &[u8]) -> Result<String, ContentError> {
        let d: String = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
        let folder = self.dir.join(&d[..2]);
        std::fs::create_dir_all(&folder).map_err(|e| ContentError(e.to_string()))?;
        std::fs::write(folder.join(&d[2..]), bytes).map_err(|e| ContentError(e.to_string()))?;
        Ok(d)
    }
    pub fn get(&self, d: &str) -> Result<Option<Vec<u8>>, ContentError> {
        Ok(std::fs::read(self.dir.join(&d[..2]).join(&d[2..])).ok())
    }
}

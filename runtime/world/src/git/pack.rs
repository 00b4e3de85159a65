//! The bytes of a pack of undeltified entries and of its index (version 2): written, and read back. Knows no file.

use super::error::GitError;
use super::object::{ObjectFormat, Packed};
use baton_record::Oid;
use flate2::Crc;
use std::collections::BTreeMap;

/// A pack and its index.
pub(super) struct PackBytes {
    /// The hash that ends the pack, and names its files.
    pub(super) name: Oid,
    pub(super) pack: Vec<u8>,
    pub(super) index: Vec<u8>,
}

const INDEX_MAGIC: [u8; 8] = [0xff, b't', b'O', b'c', 0, 0, 0, 2];
const PACK_HEADER_LEN: usize = 12;
const FAR: u32 = 1 << 31;

/// The pack of these entries, in the order of their names.
pub(super) fn write_pack<'p>(format: ObjectFormat, entries: impl Iterator<Item = (Oid, &'p Packed)>) -> PackBytes {
    let entries: Vec<_> = entries.collect();
    let count = u32::try_from(entries.len()).expect("a pack of more than four thousand million objects");
    let size: usize = entries.iter().map(|(_, packed)| packed.bytes.len()).sum();
    let mut pack = Vec::with_capacity(size + PACK_HEADER_LEN + format.hash_len());
    pack.extend_from_slice(b"PACK\0\0\0\x02");
    pack.extend_from_slice(&count.to_be_bytes());
    let mut offsets = Vec::with_capacity(entries.len());
    for (_, packed) in &entries {
        offsets.push(pack.len() as u64);
        pack.extend_from_slice(&packed.bytes);
    }
    let name = format.hash(&[&pack]);
    pack.extend_from_slice(name.as_bytes());
    let index = write_index(format, &entries, &offsets, name);
    PackBytes { name, pack, index }
}

fn write_index(format: ObjectFormat, entries: &[(Oid, &Packed)], offsets: &[u64], pack: Oid) -> Vec<u8> {
    assert!(entries.is_sorted_by(|a, b| a.0 < b.0), "entries come from a map by name");
    let mut index = Vec::with_capacity(8 + 1024 + entries.len() * (format.hash_len() + 8) + 2 * format.hash_len());
    index.extend_from_slice(&INDEX_MAGIC);
    let mut below = 0;
    for first in 0..=255 {
        below += entries[below..].partition_point(|(oid, _)| oid.as_bytes()[0] <= first);
        index.extend_from_slice(&(below as u32).to_be_bytes());
    }
    entries.iter().for_each(|(oid, _)| index.extend_from_slice(oid.as_bytes()));
    entries.iter().for_each(|(_, packed)| index.extend_from_slice(&packed.crc.to_be_bytes()));
    let mut far = Vec::new();
    for offset in offsets {
        let near = u32::try_from(*offset).ok().filter(|near| *near < FAR).unwrap_or_else(|| {
            far.push(*offset);
            FAR | (far.len() - 1) as u32
        });
        index.extend_from_slice(&near.to_be_bytes());
    }
    far.iter().for_each(|offset| index.extend_from_slice(&offset.to_be_bytes()));
    index.extend_from_slice(pack.as_bytes());
    let checksum = format.hash(&[&index]);
    index.extend_from_slice(checksum.as_bytes());
    index
}

/// The entries of a pack, each proven by its checksum. `Ok(None)`: not a pack of this module, since it has deltas, more
/// than two thousand million bytes, or another version.
pub(super) fn read_pack(
    format: ObjectFormat,
    pack: &[u8],
    index: &[u8],
) -> Result<Option<BTreeMap<Oid, Packed>>, GitError> {
    let damaged = || GitError::damaged("a pack and its index do not fit together".to_owned());
    if !index.starts_with(&INDEX_MAGIC) || !pack.starts_with(b"PACK\0\0\0\x02") || pack.len() >= FAR as usize {
        return Ok(None);
    }
    let Some(rows) = index_rows(format, index) else { return Err(damaged()) };
    if pack.get(8..PACK_HEADER_LEN) != Some((rows.len() as u32).to_be_bytes().as_slice()) {
        return Err(damaged());
    }
    let mut entries = BTreeMap::new();
    for (at, (offset, crc, oid)) in rows.iter().enumerate() {
        let end = rows.get(at + 1).map_or(pack.len() - format.hash_len(), |next| next.0);
        let bytes = pack.get(*offset..end).filter(|bytes| !bytes.is_empty()).ok_or_else(damaged)?;
        if !matches!(bytes[0] >> 4 & 7, 1..=4) {
            return Ok(None);
        }
        let mut check = Crc::new();
        check.update(bytes);
        if check.sum() != *crc {
            return Err(GitError::damaged(format!("the packed object {oid} does not have its checksum")));
        }
        entries.insert(*oid, Packed { bytes: bytes.into(), crc: *crc });
    }
    Ok(Some(entries))
}

/// Offset, checksum and name of every entry, by offset.
fn index_rows(format: ObjectFormat, index: &[u8]) -> Option<Vec<(usize, u32, Oid)>> {
    let number = |at: usize| Some(u32::from_be_bytes(index.get(at..at + 4)?.try_into().ok()?));
    let hash_len = format.hash_len();
    let names = INDEX_MAGIC.len() + 1024;
    let count = number(names - 4)? as usize;
    let checksums = names + count * hash_len;
    let offsets = checksums + count * 4;
    let mut rows = Vec::with_capacity(count);
    for at in 0..count {
        let oid = Oid::from_bytes(index.get(names + at * hash_len..names + (at + 1) * hash_len)?)?;
        let offset = number(offsets + at * 4).filter(|offset| *offset < FAR)?;
        rows.push((offset as usize, number(checksums + at * 4)?, oid));
    }
    rows.sort_unstable();
    Some(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::object::Objects;

    #[test]
    fn a_pack_is_read_back_and_a_flipped_bit_is_seen() {
        for format in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
            let mut objects = Objects::default();
            for text in ["", "one", &"long ".repeat(5_000)] {
                objects.add_blob(format, text.as_bytes());
            }
            let made = write_pack(format, objects.iter().map(|(oid, object)| (oid, &object.packed)));
            let back = read_pack(format, &made.pack, &made.index).unwrap().unwrap();
            assert!(back.keys().copied().eq(objects.oids()));
            for at in PACK_HEADER_LEN..made.pack.len() - format.hash_len() {
                let mut flipped = made.pack.clone();
                flipped[at] ^= 4;
                assert!(read_pack(format, &flipped, &made.index).is_err(), "{at}");
            }
        }
    }
}

//! What an object is called and how it is packed: names by hash, one undeltified pack entry each.
//!
//! A pack entry of this kind means the same at every offset, so it is made once, beside the object,
//! and copied from then on. Knows no file.

use super::commit::Commit;
use super::tree::Tree;
use baton_record::Oid;
use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Which hash names the objects of a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectFormat {
    /// 20 bytes; git's default.
    Sha1,
    /// 32 bytes.
    Sha256,
}

impl ObjectFormat {
    /// As git's configuration spells it.
    pub fn name(self) -> &'static str {
        match self {
            ObjectFormat::Sha1 => "sha1",
            ObjectFormat::Sha256 => "sha256",
        }
    }

    /// Bytes of an object's name.
    pub fn hash_len(self) -> usize {
        match self {
            ObjectFormat::Sha1 => 20,
            ObjectFormat::Sha256 => 32,
        }
    }

    pub(super) fn of_name(name: &str) -> Option<ObjectFormat> {
        [ObjectFormat::Sha1, ObjectFormat::Sha256].into_iter().find(|format| format.name() == name)
    }

    /// Hash of all `parts`, one after the other.
    pub(super) fn hash(self, parts: &[&[u8]]) -> Oid {
        fn digest<D: Digest>(parts: &[&[u8]]) -> Oid {
            let mut hasher = D::new();
            parts.iter().for_each(|part| hasher.update(part));
            Oid::from_bytes(&hasher.finalize()).expect("both hashes have the length of an object name")
        }
        match self {
            ObjectFormat::Sha1 => digest::<Sha1>(parts),
            ObjectFormat::Sha256 => digest::<Sha256>(parts),
        }
    }

    /// Name of the object.
    pub(super) fn name_of(self, kind: Kind, data: &[u8]) -> Oid {
        self.hash(&[format!("{} {}\0", kind.name(), data.len()).as_bytes(), data])
    }
}

/// The kinds of objects that a tree or a history is made of. (A tag object is none of them.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Commit,
    Tree,
    Blob,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Commit => "commit",
            Kind::Tree => "tree",
            Kind::Blob => "blob",
        }
    }

    pub(super) fn of_name(name: &str) -> Option<Kind> {
        [Kind::Commit, Kind::Tree, Kind::Blob].into_iter().find(|kind| kind.name() == name)
    }

    fn in_pack(self) -> u8 {
        match self {
            Kind::Commit => 1,
            Kind::Tree => 2,
            Kind::Blob => 3,
        }
    }
}

/// An object, parsed.
#[derive(Clone, Debug)]
pub(super) enum Body {
    Commit(Arc<Commit>),
    Tree(Arc<Tree>),
    Blob(Arc<[u8]>),
}

/// One entry of a pack: header and deflated data, good at any offset.
#[derive(Clone, Debug)]
pub(super) struct Packed {
    pub(super) bytes: Arc<[u8]>,
    pub(super) crc: u32,
}

#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) body: Body,
    pub(super) packed: Packed,
}

/// New objects that no repository holds yet. Cheap to clone; ordered by name; each name once.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    by_oid: BTreeMap<Oid, Object>,
}

impl Objects {
    /// How many objects.
    pub fn len(&self) -> usize {
        self.by_oid.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_oid.is_empty()
    }

    /// Whether `oid` is among them.
    pub fn contains(&self, oid: Oid) -> bool {
        self.by_oid.contains_key(&oid)
    }

    /// The names, ascending.
    pub fn oids(&self) -> impl Iterator<Item = Oid> + '_ {
        self.by_oid.keys().copied()
    }

    /// Adds all of `other`, so that a batch of landings can be stored by one call.
    pub fn extend(&mut self, other: &Objects) {
        self.by_oid.extend(other.by_oid.iter().map(|(oid, object)| (*oid, object.clone())));
    }

    pub(super) fn get(&self, oid: Oid) -> Option<&Body> {
        self.by_oid.get(&oid).map(|object| &object.body)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Oid, &Object)> {
        self.by_oid.iter().map(|(oid, object)| (*oid, object))
    }

    pub(super) fn add_blob(&mut self, format: ObjectFormat, data: &[u8]) -> Oid {
        self.add(format, Kind::Blob, data, |data| Body::Blob(data.into()))
    }

    pub(super) fn add_tree(&mut self, format: ObjectFormat, tree: Tree) -> Oid {
        let tree = Arc::new(tree);
        self.add(format, Kind::Tree, tree.raw(), |_| Body::Tree(tree.clone()))
    }

    pub(super) fn add_commit(&mut self, format: ObjectFormat, raw: &[u8], commit: Commit) -> Oid {
        self.add(format, Kind::Commit, raw, |_| Body::Commit(Arc::new(commit)))
    }

    fn add(&mut self, format: ObjectFormat, kind: Kind, data: &[u8], body: impl FnOnce(&[u8]) -> Body) -> Oid {
        let oid = format.name_of(kind, data);
        self.by_oid.entry(oid).or_insert_with(|| Object { body: body(data), packed: pack_entry(kind, data) });
        oid
    }
}

/// The pack entry of an object: its kind and size, then its data, deflated for speed.
fn pack_entry(kind: Kind, data: &[u8]) -> Packed {
    let mut bytes = Vec::with_capacity(data.len() / 2 + 64);
    let mut size = data.len();
    let mut head = kind.in_pack() << 4 | (size & 15) as u8;
    size >>= 4;
    while size > 0 {
        bytes.push(head | 0x80);
        head = (size & 0x7f) as u8;
        size >>= 7;
    }
    bytes.push(head);
    deflate(data, &mut bytes);
    let mut crc = Crc::new();
    crc.update(&bytes);
    Packed { bytes: bytes.into(), crc: crc.sum() }
}

/// Objects up to this size, in bytes, are stored as they are: deflating them takes longer than writing them.
const AS_IS_MAX: usize = 2048;

thread_local! {
    // Making a compressor costs more than compressing a small object.
    static COMPRESS: RefCell<Compress> = RefCell::new(Compress::new(Compression::new(1), true));
}

/// A zlib stream of `data`.
pub(super) fn deflate(data: &[u8], out: &mut Vec<u8>) {
    if data.len() <= AS_IS_MAX {
        return wrap(data, out);
    }
    COMPRESS.with_borrow_mut(|compress| {
        compress.reset();
        loop {
            let taken = usize::try_from(compress.total_in()).expect("no more than the input, which is in memory");
            out.reserve(256 + (data.len() - taken) / 2);
            let status = compress.compress_vec(&data[taken..], out, FlushCompress::Finish);
            if status.expect("deflate of bytes in memory has nothing to fail on") == Status::StreamEnd {
                break;
            }
        }
    });
}

/// A zlib stream of one block that is not compressed (RFC 1950, RFC 1951 section 3.2.4).
fn wrap(data: &[u8], out: &mut Vec<u8>) {
    let len = u16::try_from(data.len()).expect("short enough for one block");
    out.extend_from_slice(&[0x78, 0x01, 0x01]);
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(&(!len).to_le_bytes());
    out.extend_from_slice(data);
    let (mut a, mut b) = (1_u32, 0_u32);
    for &byte in data {
        // Neither sum overflows before the block ends, so the remainder is taken once.
        a += u32::from(byte);
        b += a;
    }
    out.extend_from_slice(&(((b % 65_521) << 16) | (a % 65_521)).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn what_is_deflated_inflates_to_itself() {
        for len in [0, 1, 1_000, AS_IS_MAX, AS_IS_MAX + 1, 200_000] {
            for data in [vec![0xff; len], (0..len).map(|at| ((at * at) >> 3) as u8).collect::<Vec<u8>>()] {
                let (mut deflated, mut back) = (Vec::new(), Vec::new());
                deflate(&data, &mut deflated);
                flate2::read::ZlibDecoder::new(&deflated[..]).read_to_end(&mut back).unwrap();
                assert_eq!(back, data, "{len}");
            }
        }
    }

    #[test]
    fn names_are_those_of_git() {
        let sha1 = ObjectFormat::Sha1;
        assert_eq!(sha1.name_of(Kind::Blob, b"").to_hex(), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
        assert_eq!(sha1.name_of(Kind::Tree, b"").to_hex(), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
        let sha256 = "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813";
        assert_eq!(ObjectFormat::Sha256.name_of(Kind::Blob, b"").to_hex(), sha256);
    }
}

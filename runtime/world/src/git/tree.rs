//! A tree: its bytes as they are stored, found in by name, built in git's order. Knows no repository.

use super::error::GitError;
use super::object::ObjectFormat;
use baton_record::Oid;
use std::cmp::Ordering;

/// Kind of an entry of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryMode {
    /// A directory.
    Tree,
    /// A file.
    Regular,
    /// A file that may be executed.
    Executable,
    /// A symbolic link; its blob is the target.
    Symlink,
    /// A commit of another repository.
    Submodule,
}

impl EntryMode {
    /// Whether it is a file, executable or not.
    pub fn is_file(self) -> bool {
        matches!(self, EntryMode::Regular | EntryMode::Executable)
    }

    fn digits(self) -> &'static str {
        match self {
            EntryMode::Tree => "40000",
            EntryMode::Regular => "100644",
            EntryMode::Executable => "100755",
            EntryMode::Symlink => "120000",
            EntryMode::Submodule => "160000",
        }
    }

    /// Reads a mode as git does, which takes odd ones of old repositories for the nearest of the five.
    fn of_digits(digits: &[u8]) -> Option<EntryMode> {
        let text = std::str::from_utf8(digits).ok()?;
        let mode = u32::from_str_radix(text, 8).ok()?;
        Some(match mode & 0o170_000 {
            0o040_000 => EntryMode::Tree,
            0o100_000 if mode & 0o100 != 0 => EntryMode::Executable,
            0o100_000 => EntryMode::Regular,
            0o120_000 => EntryMode::Symlink,
            _ => EntryMode::Submodule,
        })
    }
}

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its kind.
    pub mode: EntryMode,
    /// Its object.
    pub oid: Oid,
}

/// One entry of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeEntry<'t> {
    /// Its name: one part of a path, in any encoding.
    pub name: &'t [u8],
    /// Its kind.
    pub mode: EntryMode,
    /// Its object.
    pub oid: Oid,
}

impl TreeEntry<'_> {
    /// Kind and object.
    pub fn entry(&self) -> Entry {
        Entry { mode: self.mode, oid: self.oid }
    }

    fn is_tree(&self) -> bool {
        self.mode == EntryMode::Tree
    }

    /// Git's order: by bytes, a directory as if its name ended with `/`.
    pub(super) fn order(&self, other: &TreeEntry<'_>) -> Ordering {
        order(self.name, self.is_tree(), other.name, other.is_tree())
    }
}

fn order(a: &[u8], a_is_tree: bool, b: &[u8], b_is_tree: bool) -> Ordering {
    let common = a.len().min(b.len());
    let next = |name: &[u8], is_tree: bool| match name.get(common) {
        Some(&byte) => byte,
        None if is_tree => b'/',
        None => 0,
    };
    a[..common].cmp(&b[..common]).then_with(|| next(a, a_is_tree).cmp(&next(b, b_is_tree)))
}

#[derive(Clone, Copy, Debug)]
struct Span {
    name: u32,
    hash: u32,
    mode: EntryMode,
}

/// A tree, parsed once.
#[derive(Clone, Debug)]
pub struct Tree {
    raw: Box<[u8]>,
    spans: Box<[Span]>,
    hash_len: u8,
    canonical: bool,
}

impl Tree {
    /// Its entries, in their stored order, which is git's.
    pub fn entries(&self) -> impl Iterator<Item = TreeEntry<'_>> {
        self.spans.iter().map(|span| self.at(span))
    }

    /// How many entries.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The entry of that name.
    pub fn get(&self, name: &[u8]) -> Option<TreeEntry<'_>> {
        if !self.canonical {
            return self.entries().find(|entry| entry.name == name);
        }
        self.find(name, false).or_else(|| self.find(name, true))
    }

    /// The directory, or else the non-directory, of that name, in a canonical tree.
    pub(super) fn find(&self, name: &[u8], as_tree: bool) -> Option<TreeEntry<'_>> {
        let by = |span: &Span| order(self.name(span), span.mode == EntryMode::Tree, name, as_tree);
        self.spans.binary_search_by(by).ok().map(|at| self.at(&self.spans[at]))
    }

    /// Whether git itself would write exactly these bytes for these entries. Trees of old or foreign
    /// programs may be otherwise; git repairs them in passing when it merges.
    pub(super) fn is_canonical(&self) -> bool {
        self.canonical
    }

    pub(super) fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// Bytes of memory that it takes.
    pub(super) fn weight(&self) -> usize {
        self.raw.len() + self.spans.len() * size_of::<Span>() + size_of::<Tree>()
    }

    fn name(&self, span: &Span) -> &[u8] {
        &self.raw[span.name as usize..span.hash as usize - 1]
    }

    fn at(&self, span: &Span) -> TreeEntry<'_> {
        let hash = &self.raw[span.hash as usize..span.hash as usize + usize::from(self.hash_len)];
        let oid = Oid::from_bytes(hash).expect("the hash of either format has the length of an object name");
        TreeEntry { name: self.name(span), mode: span.mode, oid }
    }

    pub(super) fn parse(format: ObjectFormat, oid: Oid, raw: &[u8]) -> Result<Tree, GitError> {
        Tree::try_parse(format, raw).ok_or_else(|| GitError::damaged(format!("tree {oid} is malformed")))
    }

    fn try_parse(format: ObjectFormat, raw: &[u8]) -> Option<Tree> {
        u32::try_from(raw.len()).ok()?;
        let mut spans = Vec::with_capacity(raw.len() / (format.hash_len() + 16));
        let (mut at, mut canonical) = (0, true);
        while at < raw.len() {
            let name = at + raw[at..].iter().position(|&byte| byte == b' ')? + 1;
            let hash = name + raw[name..].iter().position(|&byte| byte == 0)? + 1;
            let mode = EntryMode::of_digits(&raw[at..name - 1])?;
            canonical &= raw[at..name - 1] == *mode.digits().as_bytes();
            at = hash + format.hash_len();
            if at > raw.len() {
                return None;
            }
            spans.push(Span { name: name as u32, hash: hash as u32, mode });
        }
        let hash_len = format.hash_len() as u8;
        let mut tree = Tree { raw: raw.into(), spans: spans.into(), hash_len, canonical };
        tree.canonical = canonical && tree.is_in_order(format);
        Some(tree)
    }

    fn is_in_order(&self, format: ObjectFormat) -> bool {
        let ascending = self.spans.windows(2).all(|pair| self.at(&pair[0]).order(&self.at(&pair[1])).is_lt());
        let empty = empty_tree(format);
        let sound = |entry: TreeEntry<'_>| {
            let named = !entry.name.is_empty() && !entry.name.contains(&b'/') && !matches!(entry.name, b"." | b"..");
            named && (!entry.is_tree() || (entry.oid != empty && self.find(entry.name, false).is_none()))
        };
        ascending && self.entries().all(sound)
    }

    pub(super) fn empty(format: ObjectFormat) -> Tree {
        Tree::build(format, &mut []).expect("no two names are the same")
    }

    /// The tree of these entries, in any order. `None`: two have the same name.
    pub(super) fn build(format: ObjectFormat, entries: &mut [TreeEntry<'_>]) -> Option<Tree> {
        entries.sort_by(TreeEntry::order);
        let mut raw = Vec::with_capacity(entries.iter().map(|entry| entry.name.len() + 40).sum());
        for entry in entries.iter() {
            raw.extend_from_slice(entry.mode.digits().as_bytes());
            raw.push(b' ');
            raw.extend_from_slice(entry.name);
            raw.push(0);
            raw.extend_from_slice(entry.oid.as_bytes());
        }
        Tree::try_parse(format, &raw).filter(|tree| tree.canonical)
    }
}

pub(super) fn empty_tree(format: ObjectFormat) -> Oid {
    format.name_of(super::object::Kind::Tree, b"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, mode: EntryMode) -> TreeEntry<'_> {
        TreeEntry { name: name.as_bytes(), mode, oid: Oid::from_bytes(&[9; 20]).unwrap() }
    }

    #[test]
    fn directories_sort_as_if_they_ended_with_a_slash() {
        let mut entries = ["a", "a-b", "a.c", "a0", "b"].map(|name| entry(name, EntryMode::Regular));
        entries[0].mode = EntryMode::Tree;
        let tree = Tree::build(ObjectFormat::Sha1, &mut entries).unwrap();
        let names: Vec<_> = tree.entries().map(|entry| std::str::from_utf8(entry.name).unwrap().to_owned()).collect();
        assert_eq!(names, ["a-b", "a.c", "a", "a0", "b"]);
        assert!(names.iter().all(|name| tree.get(name.as_bytes()).is_some()));
        assert!(tree.get(b"c").is_none() && tree.get(b"").is_none());
    }

    #[test]
    fn a_file_and_a_directory_never_share_a_name() {
        let mut entries =
            [entry("a", EntryMode::Regular), entry("a-b", EntryMode::Regular), entry("a", EntryMode::Tree)];
        assert!(Tree::build(ObjectFormat::Sha1, &mut entries).is_none());
    }

    #[test]
    fn odd_trees_are_read_but_known_as_odd() {
        let raw = |mode: &str, name: &str| [mode.as_bytes(), b" ", name.as_bytes(), b"\0", &[9; 20]].concat();
        let parse = |bytes: &[u8]| Tree::try_parse(ObjectFormat::Sha1, bytes);
        for (odd, mode) in
            [("100664", EntryMode::Regular), ("100775", EntryMode::Executable), ("040000", EntryMode::Tree)]
        {
            let tree = parse(&raw(odd, "a")).unwrap();
            assert_eq!((tree.is_canonical(), tree.get(b"a").unwrap().mode), (false, mode));
        }
        assert!(!parse(&[raw("100644", "b"), raw("100644", "a")].concat()).unwrap().is_canonical());
        assert!(parse(&raw("100644", "a")[..20]).is_none());
    }
}

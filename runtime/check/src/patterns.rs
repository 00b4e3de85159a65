//! Owns what a resource's pattern covers and which patterns overlap.
//!
//! A pattern is a literal path, or `dir/**` for everything below a directory (not the directory's own
//! name as a file), or `**` for everything. Deliberately does not know leases.

use baton_record::ResourceId;
use std::collections::BTreeMap;
use std::ops::Bound;

/// All named resources, found by path.
#[derive(Debug, Default)]
pub(crate) struct Patterns {
    /// Directory (without slash; empty: everything) or literal path, with its resources.
    below: BTreeMap<String, Vec<ResourceId>>,
    literal: BTreeMap<String, Vec<ResourceId>>,
    /// By resource: its pattern.
    texts: Vec<String>,
    /// By resource: all that overlap with it, itself not included.
    overlaps: Vec<Vec<ResourceId>>,
}

impl Patterns {
    /// Takes the next resource. `claimed` are the earlier ones that are said to overlap with it; what
    /// is wrong, if anything is.
    pub(crate) fn add(&mut self, id: ResourceId, pattern: &str, claimed: &[ResourceId]) -> Result<(), String> {
        if usize::from(id.0) != self.overlaps.len() {
            return Err(format!("resource {} is named, and {} is due", id.0, self.overlaps.len()));
        }
        self.texts.push(pattern.to_owned());
        let directory = directory_of(pattern);
        if directory.unwrap_or(pattern).contains('*') || pattern.is_empty() {
            self.overlaps.push(Vec::new());
            return Err(format!("{pattern:?} is neither a path nor a directory with /**"));
        }
        // One more than claimed is enough to know that the claim is wrong, and bounds the memory.
        let found = self.overlapping(pattern, claimed.len() + 1);
        for other in &found {
            self.overlaps[usize::from(other.0)].push(id);
        }
        let fits = found == claimed;
        self.overlaps.push(found);
        match directory {
            Some(directory) => self.below.entry(directory.to_owned()).or_default().push(id),
            None => self.literal.entry(pattern.to_owned()).or_default().push(id),
        }
        if fits { Ok(()) } else { Err(format!("{pattern:?} overlaps with other resources than the record says")) }
    }

    /// Earlier resources whose patterns overlap with `pattern`, ascending, at most `limit`.
    fn overlapping(&self, pattern: &str, limit: usize) -> Vec<ResourceId> {
        let directory = directory_of(pattern);
        let mut found = Vec::new();
        for ancestor in ancestors(directory.unwrap_or(pattern)) {
            found.extend(self.below.get(ancestor).into_iter().flatten());
        }
        match directory {
            None => found.extend(self.literal.get(pattern).into_iter().flatten()),
            Some(directory) => {
                found.extend(self.below.get(directory).into_iter().flatten());
                for map in [&self.below, &self.literal] {
                    found.extend(inside(map, directory).flat_map(|(_, ids)| ids).take(limit));
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found.truncate(limit);
        found
    }

    /// The pattern of a resource; empty if there is none.
    pub(crate) fn text(&self, id: ResourceId) -> &str {
        self.texts.get(usize::from(id.0)).map_or("", String::as_str)
    }

    pub(crate) fn known(&self, id: ResourceId) -> bool {
        usize::from(id.0) < self.overlaps.len()
    }

    /// The resource itself and all that overlap with it.
    pub(crate) fn touched_by(&self, id: ResourceId) -> impl Iterator<Item = ResourceId> {
        let others = self.overlaps.get(usize::from(id.0)).into_iter().flatten().copied();
        std::iter::once(id).chain(others)
    }

    /// The resources whose patterns cover `path`.
    pub(crate) fn covering(&self, path: &str) -> Vec<ResourceId> {
        let mut found: Vec<ResourceId> = self.literal.get(path).into_iter().flatten().copied().collect();
        for ancestor in ancestors(path) {
            found.extend(self.below.get(ancestor).into_iter().flatten());
        }
        found
    }
}

/// The directory of `dir/**`; `None` for a literal path.
fn directory_of(pattern: &str) -> Option<&str> {
    if pattern == "**" { Some("") } else { pattern.strip_suffix("/**") }
}

/// Every directory above `path`, the root (empty) last; nothing above the root.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    let above = |path: &str| -> Option<usize> { (!path.is_empty()).then(|| path.rfind('/').unwrap_or(0)) };
    std::iter::successors(above(path).map(|at| &path[..at]), move |path| above(path).map(|at| &path[..at]))
}

/// The keys strictly below `directory`.
fn inside<'a>(
    map: &'a BTreeMap<String, Vec<ResourceId>>,
    directory: &str,
) -> impl Iterator<Item = (&'a String, &'a Vec<ResourceId>)> {
    let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
    let first = if directory.is_empty() { Bound::Excluded(String::new()) } else { Bound::Included(prefix.clone()) };
    map.range((first, Bound::Unbounded)).take_while(move |(key, _)| key.starts_with(&prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(patterns: &[&str]) -> Vec<Vec<u16>> {
        let mut all = Patterns::default();
        for (place, pattern) in patterns.iter().enumerate() {
            let claimed = all.overlapping(pattern, usize::MAX);
            all.add(ResourceId(place as u16), pattern, &claimed).unwrap();
        }
        all.overlaps.iter().map(|ids| ids.iter().map(|id| id.0).collect()).collect()
    }

    #[test]
    fn patterns_overlap_exactly_where_they_share_a_path() {
        let cases: [(&[&str], &[&[u16]]); 5] = [
            (&["a", "a"], &[&[1], &[0]]),
            (&["a", "a/**"], &[&[], &[]]),
            (&["a/**", "a/b", "ab", "a/b/**", "a/b/c"], &[&[1, 3, 4], &[0], &[], &[0, 4], &[0, 3]]),
            (&["a", "**", "b/**"], &[&[1], &[0, 2], &[1]]),
            (&["**", "**"], &[&[1], &[0]]),
        ];
        for (patterns, expected) in cases {
            assert_eq!(named(patterns), expected, "{patterns:?}");
        }
    }

    #[test]
    fn a_path_is_covered_by_itself_and_by_directories_above() {
        let mut all = Patterns::default();
        for (place, (pattern, claimed)) in
            [("a/b", vec![]), ("a/**", vec![0]), ("**", vec![0, 1]), ("b/**", vec![2])].into_iter().enumerate()
        {
            let claimed: Vec<ResourceId> = claimed.into_iter().map(ResourceId).collect();
            all.add(ResourceId(place as u16), pattern, &claimed).unwrap();
        }
        assert_eq!(all.covering("a/b"), [ResourceId(0), ResourceId(1), ResourceId(2)]);
        assert_eq!(all.covering("c"), [ResourceId(2)]);
    }
}

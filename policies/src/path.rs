//! Where a path leads, before anything is judged about it.
//!
//! Owns the walk: `.`, `..`, empty parts, absolute paths, symlinks, and the names that are refused because file
//! systems disagree about them. Knows no disk (it asks [`Paths`]) and no rule.

pub(crate) mod names;

/// Bytes of a path.
const LENGTH_MAX: usize = 4_096;
/// Symlinks that one path may go through.
const LINKS_MAX: usize = 40;

/// What must be known of the workspace's disk to say where a path leads.
pub trait Paths {
    /// The workspace's own absolute path, without symlinks and without a slash at the end.
    fn root(&self) -> &str;

    /// Where the symlink at this path leads, as it is written in the link; `None` if there is no symlink. The path is
    /// relative to the workspace, and no directory on the way to it is a symlink.
    fn link(&self, path: &str) -> Option<String>;

    /// Whether names that differ only in case are the same file. If in doubt: yes.
    fn ignores_case(&self) -> bool;
}

/// Why a path is refused before any rule is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathFault {
    /// It leads out of the workspace.
    Outside,
    /// It leads into `.git`, and the action would change it.
    GitDirectory,
    /// A part of it is read differently by different file systems: `.git` in disguise, a short name of another file
    /// (`SECRET~1`), characters that cannot be seen, a dot or space at the end, a backslash.
    Disguised,
    /// It has a control character, or more than 4,096 bytes, or nothing at all.
    Malformed,
    /// `..` behind a symlink: programs disagree about where that leads.
    Ambiguous,
    /// It goes through more than 40 symlinks.
    Loop,
    /// It stands in a shell command and depends on a variable, a pattern or an unknown directory.
    Unknown,
}

impl PathFault {
    /// The fault in words, as the end of a sentence that begins with the path.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Outside => "leads out of the workspace",
            Self::GitDirectory => "leads into .git",
            Self::Disguised => "has a part that file systems read differently",
            Self::Malformed => "is no path",
            Self::Ambiguous => "has `..` behind a symlink",
            Self::Loop => "goes through too many symlinks",
            Self::Unknown => "cannot be known before the command runs",
        }
    }
}

/// The names under which one file is judged, all relative to the workspace; empty is the workspace itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Where it leads in the end.
    pub(crate) target: String,
    /// The name itself, if that is a symlink: what is deleted or replaced is perhaps the link.
    pub(crate) own: Option<String>,
    /// As written, `.` and `..` taken out, if that differs.
    pub(crate) written: Option<String>,
}

impl Place {
    /// Every name, the target first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &str> {
        self.really().chain(self.written.as_deref())
    }

    /// The names of what is touched.
    pub(crate) fn really(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.target.as_str()).chain(self.own.as_deref())
    }

    /// Whether one of them is `.git` or below it.
    pub(crate) fn is_git(&self) -> bool {
        self.all().any(|path| path.split('/').any(names::is_git))
    }

    /// Whether a symlink was on the way.
    pub(crate) fn linked(&self) -> bool {
        self.own.is_some() || self.written.is_some()
    }
}

/// Where a path leads, as an action that was allowed will find it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lead {
    /// Where it leads in the end, relative to the workspace.
    pub target: String,
    /// The name itself, if that is a symlink.
    pub link: Option<String>,
}

/// Where the path leads from the workspace's root.
///
/// # Errors
///
/// Says why it leads nowhere that is in the workspace and means the same to everybody.
pub fn leads(path: &str, ground: &dyn Paths) -> Result<Lead, PathFault> {
    resolve(path, "", ground).map(|place| Lead { target: place.target, link: place.own })
}

/// Where the path leads, from a directory of the workspace (empty: the workspace itself).
pub(crate) fn resolve(path: &str, from: &str, ground: &dyn Paths) -> Result<Place, PathFault> {
    if path.is_empty() || path.len() > LENGTH_MAX || path.chars().any(char::is_control) {
        return Err(PathFault::Malformed);
    }
    if path.contains('\\') || path.split('/').any(|part| names::is_disguised(part, ground.ignores_case())) {
        return Err(PathFault::Disguised);
    }
    if let Some(target) = straight(path, from, ground) {
        return Ok(Place { target, own: None, written: None });
    }
    let written = Walk::new(ground, from, false).along(path)?;
    let mut walk = Walk::new(ground, from, true);
    let target = walk.along(path)?;
    let target = walk.relative(&target).ok_or(PathFault::Outside)?;
    if walk.links > 0 && path.split('/').any(|part| part == "..") {
        return Err(PathFault::Ambiguous);
    }
    let written = walk.relative(&written);
    let own = walk.own.filter(|own| *own != target);
    let written = written.filter(|written| *written != target && own.as_ref() != Some(written));
    Ok(Place { target, own, written })
}

/// The usual case, without a detour: relative, nothing to take out, no symlink.
fn straight(path: &str, from: &str, ground: &dyn Paths) -> Option<String> {
    if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return None;
    }
    let whole = if from.is_empty() { path.to_owned() } else { format!("{from}/{path}") };
    let ends = whole.match_indices('/').map(|(at, _)| at).chain([whole.len()]);
    for end in ends {
        if ground.link(&whole[..end]).is_some() {
            return None;
        }
    }
    Some(whole)
}

/// A walk through the directories, as absolute parts.
struct Walk<'a> {
    ground: &'a dyn Paths,
    root: Vec<&'a str>,
    here: Vec<String>,
    follow: bool,
    links: usize,
    /// The last part's own name, if that is a symlink.
    own: Option<String>,
}

impl<'a> Walk<'a> {
    fn new(ground: &'a dyn Paths, from: &str, follow: bool) -> Self {
        let root: Vec<&str> = parts(ground.root()).collect();
        let here = root.iter().copied().chain(parts(from)).map(str::to_owned).collect();
        Self { ground, root, here, follow, links: 0, own: None }
    }

    fn along(&mut self, path: &str) -> Result<Vec<String>, PathFault> {
        // What is still to be walked, the next part last.
        let mut ahead: Vec<String> = Vec::new();
        self.push(path, &mut ahead);
        let mut written_left = parts(path).count();
        while let Some(part) = ahead.pop() {
            // As long as parts of the path itself are left, `ahead` holds at least as many.
            let of_link = ahead.len() >= written_left;
            if !of_link {
                written_left = ahead.len();
            }
            self.step(part, &mut ahead, !of_link && written_left == 0)?;
        }
        Ok(self.here.clone())
    }

    fn push(&mut self, path: &str, ahead: &mut Vec<String>) {
        if path.starts_with('/') {
            self.here.clear();
        }
        ahead.extend(parts(path).rev().map(str::to_owned));
    }

    fn step(&mut self, part: String, ahead: &mut Vec<String>, last: bool) -> Result<(), PathFault> {
        match part.as_str() {
            "." => return Ok(()),
            ".." => {
                self.here.pop();
                return Ok(());
            }
            _ => self.here.push(part),
        }
        if !self.follow {
            return Ok(());
        }
        let Some(relative) = self.relative(&self.here).filter(|relative| !relative.is_empty()) else { return Ok(()) };
        let Some(target) = self.ground.link(&relative) else { return Ok(()) };
        self.links += 1;
        if self.links > LINKS_MAX || target.len() > LENGTH_MAX || ahead.len() > LENGTH_MAX {
            return Err(PathFault::Loop);
        }
        if target.is_empty() || target.chars().any(char::is_control) {
            return Err(PathFault::Malformed);
        }
        if parts(&target).any(|part| names::is_disguised(part, self.ground.ignores_case())) {
            return Err(PathFault::Disguised);
        }
        if last {
            self.own = Some(relative);
        }
        self.here.pop();
        self.push(&target, ahead);
        Ok(())
    }

    /// The path from the workspace on; `None` outside of it.
    fn relative(&self, path: &[String]) -> Option<String> {
        let folds = self.ground.ignores_case();
        let same = |a: &str, b: &str| a == b || folds && names::folded(a) == names::folded(b);
        let inside = path.len() >= self.root.len() && self.root.iter().zip(path).all(|(a, b)| same(a, b));
        inside.then(|| path[self.root.len()..].join("/"))
    }
}

fn parts(path: &str) -> impl DoubleEndedIterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    struct Ground(BTreeMap<&'static str, &'static str>);

    impl Paths for Ground {
        fn root(&self) -> &str {
            "/srv/repo"
        }
        fn link(&self, path: &str) -> Option<String> {
            self.0.get(path).map(|target| (*target).to_owned())
        }
        fn ignores_case(&self) -> bool {
            false
        }
    }

    #[test]
    fn a_path_leads_where_the_kernel_goes() {
        let links = [
            ("in", "notes"),
            ("out", "/etc"),
            ("up", ".."),
            ("abs", "/srv/repo/notes"),
            ("round", "round"),
            ("a", "b"),
            ("b", "notes/x"),
            ("notes/back", "../src"),
            ("git", ".git"),
        ];
        let ground = Ground(links.into_iter().collect());
        for (path, expected) in [
            ("notes/x", Ok("notes/x")),
            ("./notes//x", Ok("notes/x")),
            ("notes/../src/x", Ok("src/x")),
            ("../repo/src/x", Ok("src/x")),
            ("/srv/repo/src/x", Ok("src/x")),
            ("/srv/repo", Ok("")),
            ("in/x", Ok("notes/x")),
            ("abs/x", Ok("notes/x")),
            ("a", Ok("notes/x")),
            ("notes/back/x", Ok("src/x")),
            ("git/config", Ok(".git/config")),
            ("..", Err(PathFault::Outside)),
            ("/srv/repository/x", Err(PathFault::Outside)),
            ("/etc/passwd", Err(PathFault::Outside)),
            ("out/passwd", Err(PathFault::Outside)),
            ("up/x", Err(PathFault::Outside)),
            ("round", Err(PathFault::Loop)),
            ("in/../x", Err(PathFault::Ambiguous)),
            ("", Err(PathFault::Malformed)),
            ("a\0b", Err(PathFault::Malformed)),
            ("notes\\x", Err(PathFault::Disguised)),
        ] {
            let found = resolve(path, "", &ground).map(|place| place.target);
            assert_eq!(found.as_deref().map_err(|fault| *fault), expected, "{path:?}");
        }
    }

    #[test]
    fn a_symlink_is_judged_by_its_own_name_as_well() {
        let ground = Ground([("src/link", "../notes/x"), ("deep", "src")].into_iter().collect());
        let place = resolve("deep/link", "", &ground).unwrap();
        assert_eq!(place.all().collect::<Vec<_>>(), ["notes/x", "src/link", "deep/link"]);
    }
}

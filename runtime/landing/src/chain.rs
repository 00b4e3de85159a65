//! Branches merged one on top of the other, aside: what main would be after each of them.

use crate::LandError;
use crate::candidates::Candidate;
use baton_record::Oid;
use baton_world::git::{Author, Brought, Conflict, Joined, Scratch};
use std::fs;
use std::path::Path;

/// The file that names the gates. It is the operator's: a branch that changes it does not land unasked.
pub const GATE_FILE: &str = "baton.yaml";

/// How changes come to main.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// As merge commits: the commits of the branch stay as they are.
    Merge,
    /// As one commit each.
    Squash,
}

/// One change on top of those before it.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) candidate: Candidate,
    /// The commit that brings it; it lies aside.
    pub(crate) commit: Oid,
    /// What main would be.
    pub(crate) tree: Oid,
}

/// Why a candidate is no link.
#[derive(Clone, Debug)]
pub(crate) enum Unlinked {
    /// Main has it, or it changes nothing.
    Already,
    /// It does not merge with main itself.
    Conflicts(Vec<Conflict>),
    /// It merges with main, but not with these earlier ones of the row; it is looked at again when they are decided.
    Later(Vec<Conflict>, Vec<String>),
    /// It has no history in common with main.
    Unrelated,
    /// It changes the file that names the gates.
    GateFile,
    /// It brings a file that lies in a checkout of main and is not committed there.
    InTheWay(String),
    /// Git cannot check it out, for this reason.
    Unfit(String),
}

/// A row of changes on top of a commit of main.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) main: Oid,
    pub(crate) links: Vec<Link>,
    pub(crate) unlinked: Vec<(Candidate, Unlinked)>,
}

/// Makes chains.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Smith<'s> {
    pub(crate) scratch: &'s Scratch<'s>,
    /// Checkouts of main, in which files lie that git does not know.
    pub(crate) checkouts: &'s [String],
    /// Whether each branch is looked at by itself: whether git would check it out.
    pub(crate) examines: bool,
    pub(crate) style: Style,
    /// Whether a branch may change the file that names the gates.
    pub(crate) gate_file_may_change: bool,
}

impl Smith<'_> {
    /// Merges candidates one after another on top of `main`.
    pub(crate) fn chain(&self, main: Oid, candidates: &[Candidate]) -> Result<Chain, LandError> {
        let mut chain = Chain { main, links: Vec::new(), unlinked: Vec::new() };
        for candidate in candidates {
            match self.link(&chain, candidate)? {
                Ok(link) => chain.links.push(link),
                Err(why) => chain.unlinked.push((candidate.clone(), why)),
            }
        }
        Ok(chain)
    }

    fn link(&self, chain: &Chain, candidate: &Candidate) -> Result<Result<Link, Unlinked>, LandError> {
        let head = chain.links.last().map_or(chain.main, |link| link.commit);
        let bases = self.scratch.merge_bases(head, candidate.tip)?;
        if bases == [candidate.tip] {
            return Ok(Err(Unlinked::Already));
        }
        let tree = match self.scratch.merge_with(&bases, head, candidate.tip)? {
            Joined::Clean { tree, .. } => tree,
            Joined::Unrelated => return Ok(Err(Unlinked::Unrelated)),
            Joined::Conflicts(conflicts) if chain.links.is_empty() => return Ok(Err(Unlinked::Conflicts(conflicts))),
            Joined::Conflicts(conflicts) => return self.clashes(chain, candidate, conflicts).map(Err),
        };
        let repository = self.scratch.repository();
        let before = repository.commit(head)?.tree;
        if tree == before && chain.links.is_empty() {
            return Ok(Err(Unlinked::Already));
        }
        let gate_file = |tree| repository.entry(tree, GATE_FILE);
        if !self.gate_file_may_change && gate_file(tree)? != gate_file(before)? {
            return Ok(Err(Unlinked::GateFile));
        }
        if let Some(why) = self.cannot_follow(chain.main, bases[0], candidate)? {
            return Ok(Err(why));
        }
        let commit = self.commit((chain.main, head), tree, candidate)?;
        Ok(Ok(Link { candidate: candidate.clone(), commit, tree }))
    }

    /// What keeps a checkout from following a candidate: a file in its way, or a tree that is none for git.
    fn cannot_follow(&self, main: Oid, base: Oid, candidate: &Candidate) -> Result<Option<Unlinked>, LandError> {
        if self.examines
            && let Some(why) = self.scratch.unfit(candidate.tip)?
        {
            return Ok(Some(Unlinked::Unfit(why)));
        }
        for brought in self.scratch.brought(base, candidate.tip)? {
            let path = &brought.path;
            if path.split('/').any(|name| name.eq_ignore_ascii_case(".git") || name == "." || name == "..") {
                return Ok(Some(Unlinked::Unfit(format!("no file may be called {path}"))));
            }
            for checkout in self.checkouts {
                if let Some(path) = self.lying(main, Path::new(checkout), &brought)? {
                    let what =
                        format!("{path} lies in {checkout} and is not committed there; it would be written over");
                    return Ok(Some(Unlinked::InTheWay(what)));
                }
            }
        }
        Ok(None)
    }

    /// What lies in a checkout where something is brought, and is not committed there.
    fn lying(&self, main: Oid, checkout: &Path, brought: &Brought) -> Result<Option<String>, LandError> {
        let path = &brought.path;
        if !fs::symlink_metadata(checkout.join(path)).is_ok_and(|found| !found.is_dir()) {
            return Ok(brought.obstacle(checkout)?);
        }
        let main_tree = self.scratch.repository().commit(main)?.tree;
        Ok(self.scratch.repository().entry(main_tree, path)?.is_none().then(|| path.clone()))
    }

    /// A candidate that does not merge with the row: is it main, or whom of the row?
    fn clashes(&self, chain: &Chain, candidate: &Candidate, found: Vec<Conflict>) -> Result<Unlinked, LandError> {
        match self.scratch.merge(chain.main, candidate.tip)? {
            Joined::Clean { .. } => {}
            Joined::Conflicts(conflicts) => return Ok(Unlinked::Conflicts(conflicts)),
            Joined::Unrelated => return Ok(Unlinked::Unrelated),
        }
        let (mut with, mut conflicts) = (Vec::new(), Vec::new());
        for link in &chain.links {
            if let Joined::Conflicts(pair) = self.scratch.merge(link.candidate.tip, candidate.tip)? {
                with.push(link.candidate.name.clone());
                conflicts.extend(pair);
            }
        }
        if with.is_empty() {
            // Each pair goes together, and all of them do not.
            with = chain.links.iter().map(|link| link.candidate.name.clone()).collect();
            conflicts = found;
        }
        Ok(Unlinked::Later(conflicts, with))
    }

    fn commit(&self, (main, head): (Oid, Oid), tree: Oid, candidate: &Candidate) -> Result<Oid, LandError> {
        let trailers = trailers(&[candidate]);
        let made = match self.style {
            Style::Merge => {
                let message = format!("Merge branch '{}'\n\n{trailers}", candidate.name);
                self.scratch.commit(tree, &[head, candidate.tip], &message, None)
            }
            Style::Squash => {
                let told = self.scratch.person().told_by(main, candidate.tip)?;
                let author = told.authors.last().cloned();
                let mut credit: Vec<String> = told.authors.iter().map(credit_line).collect();
                credit.dedup();
                credit.retain(|line| author.as_ref().is_none_or(|author| *line != credit_line(author)));
                let subject = told.subjects.first().map_or(candidate.name.as_str(), String::as_str);
                let list: Vec<String> = told.subjects.iter().map(|subject| format!("* {subject}\n")).collect();
                let list = if list.len() > 1 { format!("{}\n", list.concat()) } else { String::new() };
                let message = format!("{subject}\n\n{list}{trailers}{}", credit.concat());
                self.scratch.commit(tree, &[head], &message, author.as_ref())
            }
        };
        Ok(made?)
    }

    /// The commit to which main goes for a row of links: of several merges one commit, so that main goes from one tree that
    /// has passed to the next.
    pub(crate) fn tip(&self, main: Oid, links: &[Link], onto: &str) -> Result<Oid, LandError> {
        let last = links.last().expect("somebody lands");
        if links.len() == 1 || self.style == Style::Squash {
            return Ok(last.commit);
        }
        let names: Vec<&str> = links.iter().map(|link| link.candidate.name.as_str()).collect();
        let candidates: Vec<&Candidate> = links.iter().map(|link| &link.candidate).collect();
        let onto = onto.strip_prefix("refs/heads/").unwrap_or(onto);
        let list: Vec<String> = names.iter().map(|name| format!("* {name}\n")).collect();
        let subject = format!("Land {} branches on {onto}", links.len());
        let message = format!("{subject}\n\n{}\n{}", list.concat(), trailers(&candidates));
        Ok(self.scratch.commit(last.tree, &[main, last.commit], &message, None)?)
    }
}

fn credit_line(author: &Author) -> String {
    format!("Co-authored-by: {} <{}>\n", author.name, author.mail)
}

/// What says on main itself which change a commit brings.
fn trailers(candidates: &[&Candidate]) -> String {
    let of = |candidate: &&Candidate| format!("Baton-Change: {}\nBaton-Branch: {}\n", candidate.tip, candidate.name);
    candidates.iter().map(of).collect()
}

//! Owns MAIN-3: every landing is what a serial replay of its change gives, read by read and path by
//! path; and where two sides touched the same path, what git's own merge gives.
//!
//! Deliberately does not know chains, credits or gates.

use crate::artifacts::Versions;
use crate::board::Board;
use crate::changes::{Changes, Landing};
use crate::history::{self, Ask, Content, Op, What};
use crate::main_line::MainLine;
use crate::report::Judgement;
use crate::repository::{Delta, Entry, Repository};
use baton_record::event::{ChangeSubmitted, UpdateOp, Verdict};
use baton_record::{ChangeId, Oid};
use std::collections::{BTreeMap, BTreeSet};

/// What the replay came to.
#[derive(Debug, Default)]
pub(crate) struct Replayed {
    pub(crate) torn: u64,
    pub(crate) lost: u64,
    pub(crate) main_3: Judgement,
    pub(crate) one_1: Judgement,
}

/// What the journal says of changes and of the tasks that they are for.
pub(crate) type Told<'a> = (&'a Changes, &'a Board);

/// Replays the placed landings. Never fails: what cannot be read stands against MAIN-3.
pub(crate) fn replay(base: Oid, told: Told<'_>, line: &MainLine, repository: &Repository) -> Replayed {
    let mut replayed = Replayed::default();
    if let Err(why) = replay_all(base, told, line, repository, &mut replayed) {
        replayed.main_3.breaks(|| why);
    }
    replayed.main_3.note(format!("{} landings replayed", line.placed.len()));
    replayed
}

/// One landing with everything that is compared.
struct Step<'a> {
    at: u32,
    landing: Landing,
    submitted: &'a ChangeSubmitted,
    base_at: u32,
    proposed: Vec<Delta>,
    moved: Vec<Delta>,
}

fn replay_all(
    base: Oid,
    (changes, board): Told<'_>,
    line: &MainLine,
    repository: &Repository,
    replayed: &mut Replayed,
) -> Result<(), String> {
    let steps = steps(base, changes, line, repository)?;
    let mut numbers = Numbers::default();
    let mut ops = Vec::new();
    numbers.present(base, &steps, repository, &mut ops)?;
    for step in &steps {
        declared(step, &mut replayed.main_3);
        let plain = (step.landing.verdict == Verdict::Same) == (step.landing.main_before == step.submitted.base);
        replayed.main_3.claim(plain, || {
            format!(
                "{} landed as it was although main was not its base, or was merged although it was",
                step.landing.change
            )
        });
        numbers.step(step, &mut ops);
    }
    let findings = history::judge(&ops);
    replayed.main_3.claim(findings.stale_reads.is_empty(), || {
        let id = findings.stale_reads.first().map(|(change, _)| steps[*change as usize].landing.change);
        format!("{} landed though a file that it read had changed", id.unwrap_or_default())
    });
    replayed.main_3.claim(findings.gaps.is_empty(), || "main does not hold what its landings left there".into());
    replayed.one_1 = artifacts(base, &steps, (changes, board));
    tokens(&steps, repository, &mut replayed.main_3)?;
    ask_git(&steps, &findings.asks, line, repository, replayed)
}

/// Reads all differences: from base to proposal, and from main to main.
fn steps<'a>(
    base: Oid,
    changes: &'a Changes,
    line: &MainLine,
    repository: &Repository,
) -> Result<Vec<Step<'a>>, String> {
    let base_commit = repository.commits(&[base])?.pop().flatten().ok_or("the run's base cannot be read")?;
    let tree_of = |name: Oid| -> Option<Oid> {
        if name == base { Some(base_commit.tree) } else { line.commits.get(&name).map(|commit| commit.tree) }
    };
    let mut positions: BTreeMap<Oid, u32> = BTreeMap::from([(base, 0)]);
    let (mut steps, mut pairs) = (Vec::new(), Vec::new());
    for (at, landing) in (1..).zip(&line.placed) {
        let submitted = &changes.get(landing.change).ok_or("a landing has no submission")?.submitted;
        let unreadable = || format!("{} landed, and its trees cannot be read", landing.change);
        let base_at = *positions.get(&submitted.base).ok_or_else(unreadable)?;
        for (before, after) in [(submitted.base, submitted.commit), (landing.main_before, landing.main_after)] {
            pairs.push((tree_of(before).ok_or_else(unreadable)?, tree_of(after).ok_or_else(unreadable)?));
        }
        positions.insert(landing.main_after, at);
        steps.push(Step { at, landing: *landing, submitted, base_at, proposed: Vec::new(), moved: Vec::new() });
    }
    let mut differences = repository.differences(&pairs)?.into_iter();
    for step in &mut steps {
        step.proposed = differences.next().unwrap_or_default();
        step.moved = differences.next().unwrap_or_default();
    }
    Ok(steps)
}

/// ONE-1: what landed on a canonical artifact landed on the version that it was made from.
fn artifacts(base: Oid, steps: &[Step<'_>], (changes, board): Told<'_>) -> Judgement {
    let (mut one_1, mut versions) = (Judgement::default(), Versions::default());
    let mut places = BTreeMap::from([(base, 0)]);
    for step in steps {
        if let Some(path) = board.artifact_of(step.landing.change.task()) {
            one_1.claim(versions.same(path, step.base_at, step.at - 1), || {
                format!("{} landed on another version of {path} than it was made from", step.landing.change)
            });
        }
        versions.step(step.at, &step.moved);
        places.insert(step.landing.main_after, step.at);
    }
    for (change, head) in &changes.superseded {
        let made_from = changes.get(*change).and_then(|change| places.get(&change.submitted.base));
        let (Some(made_from), Some(met)) = (made_from, places.get(head)) else { continue };
        let Some(path) = board.artifact_of(change.task()) else { continue };
        one_1.claim(!versions.same(path, *made_from, *met), || {
            format!("{change} is refused for another version of {path}, and main had the one that it was made from")
        });
    }
    if !changes.superseded.is_empty() {
        one_1.note(format!("{} competing writes refused", changes.superseded.len()));
    }
    one_1
}

/// What a change says that it does is what its commit does, path by path.
fn declared(step: &Step<'_>, main_3: &mut Judgement) {
    let id = step.landing.change;
    let mut named: BTreeMap<&[u8], u32> = BTreeMap::new();
    for update in &step.submitted.updates {
        for path in std::iter::once(&update.path).chain(&update.from) {
            *named.entry(path.as_bytes()).or_default() += 1;
        }
    }
    let exact =
        named.keys().copied().eq(step.proposed.iter().map(|delta| delta.path.as_slice()).collect::<BTreeSet<_>>());
    main_3.claim(exact, || format!("{id} declares other paths than its commit changes"));
    let deltas: BTreeMap<&[u8], &Delta> = step.proposed.iter().map(|delta| (delta.path.as_slice(), delta)).collect();
    let updates = &step.submitted.updates;
    let once: BTreeSet<_> = updates.iter().map(|u| (&u.path, &u.from, &u.token, u.op as u8)).collect();
    main_3.claim(once.len() == updates.len(), || format!("{id} declares the same twice"));
    for update in updates {
        // A path that is named twice (renamed, then edited) is judged by its content alone.
        let once = named.get(update.path.as_bytes()) == Some(&1);
        let Some(delta) = deltas.get(update.path.as_bytes()).filter(|_| once) else {
            continue;
        };
        let (was, is) = (delta.before.is_some(), delta.after.is_some());
        let fits = match update.op {
            UpdateOp::Append => was && is && update.from.is_none() && update.token.is_some(),
            UpdateOp::Edit => was && is && update.from.is_none(),
            UpdateOp::Create => !was && is && update.from.is_none() && update.token.is_some(),
            UpdateOp::Rename => is && update.from.is_some(),
            UpdateOp::Delete => was && !is && update.from.is_none(),
        };
        main_3.claim(fits, || {
            format!("{id} declares {:?} of {}, and its commit does something else", update.op, update.path)
        });
    }
}

/// Every token stands once in its file, as proposed.
fn tokens(steps: &[Step<'_>], repository: &Repository, main_3: &mut Judgement) -> Result<(), String> {
    let (mut names, mut wanted): (Vec<Oid>, Vec<(ChangeId, &str)>) = (Vec::new(), Vec::new());
    for step in steps {
        let after: BTreeMap<&[u8], Option<Entry>> =
            step.proposed.iter().map(|delta| (delta.path.as_slice(), delta.after)).collect();
        for update in &step.submitted.updates {
            let Some(token) = &update.token else { continue };
            let Some(Some((_, blob))) = after.get(update.path.as_bytes()) else {
                main_3.breaks(|| {
                    format!(
                        "{} declares a token in {}, which its commit does not change",
                        step.landing.change, update.path
                    )
                });
                continue;
            };
            names.push(*blob);
            wanted.push((step.landing.change, token));
        }
    }
    repository.objects(&names, &mut |at, _, bytes| {
        let (id, token) = wanted[at];
        let count = count_of(token, bytes);
        main_3.claim(count == 1, || format!("{id}: token {token:?} stands {count} times in its file"));
        Ok(())
    })
}

/// How often a text stands in a file.
fn count_of(token: &str, bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.matches(token).count(),
        Err(_) if token.is_empty() => 0,
        Err(_) => bytes.windows(token.len()).filter(|window| *window == token.as_bytes()).count(),
    }
}

/// Landings that a plain replay does not settle, and those that git is said to have made, by git itself.
fn ask_git(
    steps: &[Step<'_>],
    asks: &[Ask],
    line: &MainLine,
    repository: &Repository,
    replayed: &mut Replayed,
) -> Result<(), String> {
    let asked_at: BTreeMap<u32, &Ask> = asks.iter().map(|ask| (ask.at, ask)).collect();
    let doubtful = |step: &&Step<'_>| step.landing.verdict == Verdict::Git || asked_at.contains_key(&step.at);
    let asked: Vec<&Step<'_>> = steps.iter().filter(doubtful).collect();
    let questions: Vec<(Oid, Oid, Oid)> =
        asked.iter().map(|step| (step.submitted.base, step.landing.main_before, step.submitted.commit)).collect();
    let answers = repository.merges(&questions)?;
    for (step, answer) in asked.iter().zip(answers) {
        let tree = line.commits.get(&step.landing.main_after).map(|commit| commit.tree);
        let confirmed = answer.is_some() && answer == tree;
        let ask = asked_at.get(&step.at);
        replayed.main_3.claim(confirmed, || explain(step, answer, ask.copied()));
        if let Some(ask) = ask.filter(|ask| !confirmed && ask.missing > 0) {
            if ask.made > 0 {
                replayed.torn += 1;
            } else {
                replayed.lost += 1;
            }
        }
    }
    let settled = steps.len() - asked.len();
    (0..settled).for_each(|_| replayed.main_3.checked());
    Ok(())
}

fn explain(step: &Step<'_>, answer: Option<Oid>, ask: Option<&Ask>) -> String {
    let id = step.landing.change;
    let half = match ask {
        Some(ask) if ask.missing > 0 => {
            format!("; {} of its {} paths are not there", ask.missing, ask.missing + ask.made)
        }
        _ => String::new(),
    };
    match answer {
        Some(_) => {
            format!("{id}: main after it is not what its change gives on main before it{half}")
        }
        None => format!("{id} landed, and to git it is a conflict{half}"),
    }
}

/// Dense numbers for paths and blobs.
#[derive(Default)]
struct Numbers {
    paths: BTreeMap<Vec<u8>, u32>,
    blobs: BTreeMap<Oid, u32>,
}

impl Numbers {
    fn path(&mut self, path: &[u8]) -> u32 {
        if let Some(number) = self.paths.get(path) {
            return *number;
        }
        let number = self.paths.len() as u32;
        self.paths.insert(path.to_vec(), number);
        number
    }

    fn content(&mut self, entry: Option<Entry>) -> Content {
        let Some((mode, blob)) = entry else {
            return Content::ABSENT;
        };
        let next = self.blobs.len() as u32;
        let number = *self.blobs.entry(blob).or_insert(next);
        let mode = match mode {
            0o100644 => 0,
            0o100755 => 1,
            0o120000 => 2,
            0o160000 => 3,
            _ => 4,
        };
        Content::new(number, mode)
    }

    /// What the base holds at the paths that changes read.
    fn present(
        &mut self,
        base: Oid,
        steps: &[Step<'_>],
        repository: &Repository,
        ops: &mut Vec<Op>,
    ) -> Result<(), String> {
        let reads: BTreeSet<&[u8]> =
            steps.iter().flat_map(|step| &step.submitted.reads).map(|read| read.path.as_bytes()).collect();
        if reads.is_empty() {
            return Ok(());
        }
        let files: BTreeMap<Vec<u8>, Entry> = repository.files(base)?.into_iter().collect();
        for path in reads {
            let content = self.content(files.get(path).copied());
            ops.push(Op::new(What::Present, 0, 0, 0).on(self.path(path), content, content));
        }
        Ok(())
    }

    fn step(&mut self, step: &Step<'_>, ops: &mut Vec<Op>) {
        let change = step.at - 1;
        for read in &step.submitted.reads {
            let content = self.content(read.blob.map(|blob| (0o100644, blob)));
            let op = Op::new(What::Read, change, step.at, step.base_at);
            ops.push(op.on(self.path(read.path.as_bytes()), content, content));
        }
        for (what, deltas) in [(What::Proposed, &step.proposed), (What::Moved, &step.moved)] {
            for delta in deltas {
                let op = Op::new(what, change, step.at, step.base_at);
                let (before, after) = (self.content(delta.before), self.content(delta.after));
                ops.push(op.on(self.path(&delta.path), before, after));
            }
        }
    }
}

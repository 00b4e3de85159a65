//! Owns the pass over main's history: joins what the journal accepted with what main credits, replays
//! every landing on the state at its position, and compares reads with that state.
//!
//! Pure and linear: plain arrays in, findings out; the total order of main is known, so nothing is
//! searched. Deliberately does not know git, the journal or any name: paths, files and changes are dense
//! numbers that the caller gave out. Where two sides touched the same path it does not judge a merge; it
//! says whom to ask git about.

/// What a path holds: a blob and its mode, as numbers of the caller's, or nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Content(u32);

impl Content {
    /// There is no such file.
    pub const ABSENT: Content = Content(0);
    const UNKNOWN: Content = Content(u32::MAX);
    const MODES: u32 = 8;

    /// A file with the caller's number for its blob (below 2^29 - 2) and for its mode (below 8).
    pub fn new(blob: u32, mode: u32) -> Content {
        assert!(mode < Self::MODES && blob < u32::MAX / Self::MODES - 1, "blob {blob} mode {mode} is out of range");
        Content((blob + 1) * Self::MODES + mode)
    }

    fn same_blob(self, other: Content) -> bool {
        self != Self::UNKNOWN && other != Self::UNKNOWN && self.0 / Self::MODES == other.0 / Self::MODES
    }
}

/// No change is named.
pub const NOBODY: u32 = u32::MAX;

/// What an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// `path` holds `after` in the base, before the first landing.
    Present,
    /// The journal says that `change` landed.
    Landed,
    /// The journal says that `change` was refused.
    Refused,
    /// The commit at position `at` of main credits `change` (or [`NOBODY`]).
    Credited,
    /// `change`, made from main at position `base`, read `before` at `path`. Modes do not count.
    Read,
    /// `change`, made from main at position `base`, takes `path` from `before` to `after`.
    Proposed,
    /// Main takes `path` from `before` to `after` at position `at`.
    Moved,
}

/// One operation. Fields that its `what` does not name are ignored.
#[derive(Clone, Copy, Debug)]
pub struct Op {
    /// What it is.
    pub what: What,
    /// Number of the change; dense.
    pub change: u32,
    /// Position on main, from 1; the base is 0.
    pub at: u32,
    /// Position on main that the change was made from.
    pub base: u32,
    /// Number of the path; dense.
    pub path: u32,
    /// Content before.
    pub before: Content,
    /// Content after.
    pub after: Content,
}

impl Op {
    /// An operation on no path yet: the fields that every kind has.
    pub fn new(what: What, change: u32, at: u32, base: u32) -> Op {
        Op { what, change, at, base, path: 0, before: Content::ABSENT, after: Content::ABSENT }
    }

    /// The same on a path.
    pub fn on(self, path: u32, before: Content, after: Content) -> Op {
        Op { path, before, after, ..self }
    }
}

/// A landing that the pass cannot confirm by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Its position on main.
    pub at: u32,
    /// The change.
    pub change: u32,
    /// Proposed paths that main moved with it, or that held the proposed content already.
    pub made: u32,
    /// Proposed paths that main did not move.
    pub missing: u32,
    /// No path was touched on both sides: main differs from a plain replay without a reason.
    pub plain: bool,
}

/// What the pass found. Changes are the caller's numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Accepted, and credited nowhere on main.
    pub lost: Vec<u32>,
    /// Credited more than once.
    pub doubled: Vec<u32>,
    /// Positions that credit nobody, or a change that was not accepted.
    pub uncredited: Vec<u32>,
    /// Refused, and credited on main.
    pub refused_on_main: Vec<u32>,
    /// Change and path of reads that were out of date at the landing.
    pub stale_reads: Vec<(u32, u32)>,
    /// Position and path where main did not hold what the replay left there.
    pub gaps: Vec<(u32, u32)>,
    /// Landings that git itself must confirm.
    pub asks: Vec<Ask>,
}

/// Judges a history. `ops` stand in the order of positions; within a position `Read` and `Proposed`
/// come before `Moved`; joins (`Landed`, `Refused`, `Credited`) may stand anywhere.
///
/// Time is linear in `ops` (reads of a path that came back to an old content walk that path's log);
/// memory is linear in `ops` and in the largest path and change number.
pub fn judge(ops: &[Op]) -> Findings {
    let mut join = Join::new(ops);
    let mut replay = Replay::new(ops);
    for (place, op) in ops.iter().enumerate() {
        match op.what {
            What::Landed => join.of(op.change, |flags| flags | LANDED),
            What::Refused => join.of(op.change, |flags| flags | REFUSED),
            What::Credited if op.change == NOBODY => join.findings.uncredited.push(op.at),
            What::Credited => join.of(op.change, credited),
            What::Present => replay.hold(op.path, 0, op.after),
            What::Read => replay.read(op),
            What::Proposed => replay.proposed(op, place),
            What::Moved => replay.moved(op, ops),
        }
    }
    replay.close();
    let mut findings = join.close(ops);
    findings.stale_reads = replay.stale_reads;
    findings.gaps = replay.gaps;
    findings.asks = replay.asks;
    findings
}

const LANDED: u8 = 1;
const REFUSED: u8 = 2;
const CREDITED: u8 = 4;

/// Counts to two and no further.
fn credited(flags: u8) -> u8 {
    if flags / CREDITED < 2 { flags + CREDITED } else { flags }
}

/// Joins journal and main by the change's number: flags in the low bits, the count of credits above.
struct Join {
    flags: Vec<u8>,
    findings: Findings,
}

impl Join {
    fn new(ops: &[Op]) -> Join {
        let changes = ops.iter().filter(|op| op.change != NOBODY).map(|op| op.change as usize + 1).max();
        Join { flags: vec![0; changes.unwrap_or(0)], findings: Findings::default() }
    }

    fn of(&mut self, change: u32, step: impl FnOnce(u8) -> u8) {
        if let Some(flags) = self.flags.get_mut(change as usize) {
            *flags = step(*flags);
        }
    }

    fn close(mut self, ops: &[Op]) -> Findings {
        for (change, flags) in (0_u32..).zip(&self.flags) {
            let credits = flags / CREDITED;
            if flags & LANDED != 0 && credits == 0 {
                self.findings.lost.push(change);
            }
            if credits > 1 {
                self.findings.doubled.push(change);
            }
            if flags & REFUSED != 0 && flags & LANDED == 0 && credits > 0 {
                self.findings.refused_on_main.push(change);
            }
        }
        let accepted = |op: &Op| self.flags.get(op.change as usize).is_some_and(|flags| flags & LANDED != 0);
        let unaccepted = ops.iter().filter(|op| op.what == What::Credited && op.change != NOBODY && !accepted(op));
        self.findings.uncredited.extend(unaccepted.map(|op| op.at));
        self.findings
    }
}

/// One content of one path, and where the one before it stands.
#[derive(Clone, Copy)]
struct Held {
    since: u32,
    content: Content,
    before: u32,
}

#[derive(Clone, Copy)]
struct PathState {
    content: Content,
    /// Position that touched it last.
    touched: u32,
    /// Newest entry of the log, plus 1; 0: none.
    log: u32,
    /// Position of the newest landing that proposed something for it, and the operation that did.
    proposed_at: u32,
    proposed_by: u32,
}

/// The landing that is being replayed.
#[derive(Default)]
struct Group {
    at: u32,
    change: u32,
    proposed: u32,
    /// Proposed paths that main moved.
    matched: u32,
    /// Proposed paths that hold what is proposed before the landing: nothing is left to move.
    already: u32,
    contested: bool,
    differs: bool,
}

struct Replay {
    paths: Vec<PathState>,
    log: Vec<Held>,
    group: Group,
    stale_reads: Vec<(u32, u32)>,
    gaps: Vec<(u32, u32)>,
    asks: Vec<Ask>,
}

impl Replay {
    fn new(ops: &[Op]) -> Replay {
        let paths = ops.iter().map(|op| op.path as usize + 1).max().unwrap_or(0);
        let unseen = PathState { content: Content::UNKNOWN, touched: 0, log: 0, proposed_at: 0, proposed_by: 0 };
        Replay {
            paths: vec![unseen; paths],
            log: Vec::new(),
            group: Group::default(),
            stale_reads: Vec::new(),
            gaps: Vec::new(),
            asks: Vec::new(),
        }
    }

    fn hold(&mut self, path: u32, since: u32, content: Content) {
        let state = &mut self.paths[path as usize];
        self.log.push(Held { since, content, before: state.log });
        state.content = content;
        state.touched = since;
        state.log = self.log.len() as u32;
    }

    /// What `path` held at a position.
    fn held_at(&self, path: u32, position: u32) -> Content {
        let mut entry = self.paths[path as usize].log;
        while entry > 0 {
            let held = self.log[entry as usize - 1];
            if held.since <= position {
                return held.content;
            }
            entry = held.before;
        }
        Content::UNKNOWN
    }

    fn read(&mut self, op: &Op) {
        let now = self.paths[op.path as usize].content;
        if !now.same_blob(op.before) || !self.held_at(op.path, op.base).same_blob(op.before) {
            self.stale_reads.push((op.change, op.path));
        }
    }

    fn enter(&mut self, op: &Op) {
        if self.group.at != op.at {
            self.close();
            self.group = Group { at: op.at, change: op.change, ..Group::default() };
        }
    }

    fn proposed(&mut self, op: &Op, place: usize) {
        self.enter(op);
        let state = &mut self.paths[op.path as usize];
        self.group.proposed += 1;
        self.group.contested |= state.touched > op.base;
        self.group.already += u32::from(state.content == op.after);
        state.proposed_at = op.at;
        state.proposed_by = place as u32;
    }

    fn moved(&mut self, op: &Op, ops: &[Op]) {
        self.enter(op);
        let state = self.paths[op.path as usize];
        if state.content != Content::UNKNOWN && state.content != op.before {
            self.gaps.push((op.at, op.path));
        }
        if state.proposed_at == op.at {
            let proposed = &ops[state.proposed_by as usize];
            self.group.matched += 1;
            self.group.differs |= (proposed.before, proposed.after) != (op.before, op.after);
        } else {
            self.group.differs = true;
        }
        self.hold(op.path, op.at, op.after);
    }

    /// Ends a landing: exactly what was proposed has moved, or git is asked.
    fn close(&mut self) {
        let group = &self.group;
        let exact = group.matched == group.proposed && !group.differs && !group.contested;
        if group.at > 0 && !exact {
            let made = (group.matched + group.already).min(group.proposed);
            self.asks.push(Ask {
                at: group.at,
                change: group.change,
                made,
                missing: group.proposed - made,
                plain: !group.contested,
            });
        }
        self.group = Group::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Content = Content(8);
    const B: Content = Content(16);
    const C: Content = Content(24);

    fn landing(at: u32, base: u32, proposed: &[(u32, Content, Content)], moved: &[(u32, Content, Content)]) -> Vec<Op> {
        let change = at - 1;
        let mut ops = vec![Op::new(What::Landed, change, at, base), Op::new(What::Credited, change, at, base)];
        ops.extend(proposed.iter().map(|(p, b, a)| Op::new(What::Proposed, change, at, base).on(*p, *b, *a)));
        ops.extend(moved.iter().map(|(p, b, a)| Op::new(What::Moved, change, at, base).on(*p, *b, *a)));
        ops
    }

    #[test]
    fn a_serial_history_has_no_findings() {
        let mut ops = landing(1, 0, &[(0, Content::ABSENT, A)], &[(0, Content::ABSENT, A)]);
        ops.extend(landing(2, 0, &[(1, A, B)], &[(1, A, B)]));
        ops.push(Op::new(What::Read, 2, 3, 1).on(0, A, A));
        ops.extend(landing(3, 1, &[(2, A, C)], &[(2, A, C)]));
        assert_eq!(judge(&ops), Findings::default());
    }

    #[test]
    fn half_a_change_is_asked_about_with_what_it_lacks() {
        let ops = landing(1, 0, &[(0, A, B), (1, A, B)], &[(0, A, B)]);
        assert_eq!(judge(&ops).asks, [Ask { at: 1, change: 0, made: 1, missing: 1, plain: true }]);
    }

    #[test]
    fn a_path_touched_on_both_sides_is_gits_to_judge() {
        let mut ops = landing(1, 0, &[(0, A, B)], &[(0, A, B)]);
        ops.extend(landing(2, 0, &[(0, A, C)], &[(0, B, C)]));
        assert_eq!(judge(&ops).asks, [Ask { at: 2, change: 1, made: 1, missing: 0, plain: false }]);
    }

    #[test]
    fn joins_tell_lost_doubled_uncredited_and_refused() {
        let credited = |change, at| Op::new(What::Credited, change, at, 0);
        let ops = [
            Op::new(What::Landed, 0, 1, 0),
            Op::new(What::Landed, 1, 2, 0),
            Op::new(What::Refused, 2, 0, 0),
            credited(1, 1),
            credited(1, 2),
            credited(1, 3),
            credited(2, 4),
            credited(NOBODY, 5),
        ];
        let findings = judge(&ops);
        assert_eq!((findings.lost, findings.doubled), (vec![0], vec![1]));
        assert_eq!((findings.refused_on_main, findings.uncredited), (vec![2], vec![5, 4]));
    }

    #[test]
    fn a_read_holds_at_the_base_and_at_the_landing() {
        let read = |base, content| Op::new(What::Read, 9, 3, base).on(0, content, content);
        let moved = |at, before, after| Op::new(What::Moved, at, at, 0).on(0, before, after);
        let present = Op::new(What::Present, 0, 0, 0).on(0, A, A);
        let history = [present, moved(1, A, B), moved(2, B, A)];
        for (base, content, stale) in [(0, A, false), (2, A, false), (1, A, true), (1, B, true), (0, C, true)] {
            let ops: Vec<Op> = history.iter().copied().chain([read(base, content)]).collect();
            assert_eq!(!judge(&ops).stale_reads.is_empty(), stale, "{base} {content:?}");
        }
    }
}

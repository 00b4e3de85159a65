//! What a run takes on the disk: its journal, its repository, its content store.
//!
//! Records are counted by what happens; their bytes are averages over the shipped scenarios (docs/plan.md has the
//! table). Objects are those of git: a landing writes the change's commit and the merge's, the files that it changes and
//! every tree above them, once for the change and once for what main becomes. Trees are nearly all hash, so they hardly
//! shrink. Every file takes whole blocks of 4 KiB.

use super::adversity::Adversity;
use super::figure::{Count, Figure};
use super::ground::Ground;
use super::handoffs;
use super::kinds::Kind;
use super::spend::Amounts;
use super::team::Crew;
use crate::scenario::Scenario;
use serde::Serialize;

/// What a run takes on the disk, in bytes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Disk {
    /// All of it, the control run included.
    pub bytes: Count,
    /// Of that: the journal.
    pub journal_bytes: Count,
    /// The repository.
    pub repository_bytes: Count,
    /// The content store.
    pub content_bytes: Count,
    /// Records of the journal.
    pub records: Count,
}

/// A block of a file system.
const BLOCK: f64 = 4096.0;
/// Bytes of the lines that a call leaves: asked for, granted, intended, done, released.
const CALL: (f64, f64) = (5.0, 295.0 + 228.0 + 289.0 + 291.0 + 230.0);
/// Let through by a gate.
const ADMITTED: f64 = 260.0;
/// A lease asked for, granted and released, and a fence raised.
const LEASE: (f64, f64) = (4.0, 276.0 + 257.0 + 227.0 + 298.0);
/// Given to a lane.
const ASSIGNED: f64 = 226.0;
/// Submitted, without what it does file by file.
const SUBMITTED: f64 = 370.0;
/// One file of what it does.
const UPDATE: f64 = 60.0;
/// Refused, and given back.
const REFUSED: (f64, f64) = (2.0, 282.0 + 76.0 + 235.0);
/// Intended, landed, done.
const LANDED: (f64, f64) = (3.0, 440.0 + 340.0 + 226.0);
/// What one gate says.
const GATED: f64 = 283.0;
/// A packet offered and accepted, the task given back.
const HANDED: (f64, f64) = (3.0, 366.0 + 228.0 + 236.0);
/// What a reviewer found.
const REVIEWED: f64 = 300.0;
/// What a fault leaves where it strikes, with what it makes others do.
const STRUCK: (f64, f64) = (8.0, 8.0 * 240.0);
/// A message that a fault strikes: that it did, that it was asked again, that it was answered again.
const LATE: (f64, f64) = (2.0, 500.0);
/// A commit in a pack, with its entry in the index.
const COMMIT: f64 = 425.0 + 34.0;
/// What an object takes beside its content.
const OBJECT: f64 = 13.0 + 34.0;
/// The line that an append adds.
const LINE: f64 = 44.0;
/// Share of its bytes that a large tree has in a pack.
const LARGE_TREE: f64 = 0.76;
/// Files of a run folder beside those that grow, with their folders and the report.
const FIXED: Figure = Figure { low: 20.0 * BLOCK, expected: 34.0 * BLOCK, high: 80.0 * BLOCK };
/// A packet, and the list of a change's edits.
const PACKET: f64 = 2.0;
/// Folders of the content store, and of loose objects, at most.
const FOLDERS: f64 = 256.0;

/// A count of records and their bytes.
#[derive(Clone, Copy, Default)]
struct Lines {
    records: f64,
    bytes: f64,
}

impl Lines {
    fn add(&mut self, times: f64, (records, bytes): (f64, f64)) {
        self.records += times * records;
        self.bytes += times * bytes;
    }
}

/// Everything that decides what is written.
pub(crate) struct Writing<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) kinds: &'a [Kind],
    pub(crate) ground: &'a Ground,
    pub(crate) crew: &'a Crew,
    pub(crate) adversity: &'a Adversity,
    pub(crate) spend: &'a Amounts,
    /// Leases that are asked for, as expected.
    pub(crate) leases: f64,
    /// Shares of the work that is done: at least, as expected.
    pub(crate) share: (f64, f64),
}

/// Which of the three figures.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    Low,
    Expected,
    High,
}

impl Writing<'_> {
    pub(crate) fn disk(&self) -> Disk {
        let runs = if self.scenario.control { 2.0 } else { 1.0 };
        let of = |case| (self.journal(case), self.repository(case), self.content(case));
        let (low, expected, high) = (of(Case::Low), of(Case::Expected), of(Case::High));
        let figure = |pick: &dyn Fn(&(Lines, f64, f64)) -> f64| Figure {
            low: pick(&low),
            expected: pick(&expected),
            high: pick(&high),
        };
        let journal = figure(&|found| blocks(found.0.bytes));
        let (repository, content) = (figure(&|found| found.1), figure(&|found| found.2));
        let bytes = journal.plus(repository).plus(content).plus(FIXED).times(runs);
        Disk {
            bytes: bytes.count(),
            journal_bytes: journal.count(),
            repository_bytes: repository.count(),
            content_bytes: content.count(),
            records: figure(&|found| found.0.records).count(),
        }
    }

    fn share(&self, case: Case) -> f64 {
        match case {
            Case::Low => self.share.0,
            Case::Expected => self.share.1,
            Case::High => 1.0,
        }
    }

    /// Attempts at tasks of a kind.
    fn attempts(&self, kind: &Kind, case: Case) -> f64 {
        match case {
            Case::Low => kind.tasks * self.share.0,
            Case::Expected => kind.tasks * kind.attempts * self.share.1,
            Case::High => kind.tasks * f64::from(kind.attempts_max) + self.adversity.kills,
        }
    }

    fn journal(&self, case: Case) -> Lines {
        let scenario = self.scenario;
        let mut lines = Lines::default();
        lines.add(1.0, (2.0, 720.0));
        lines.add(self.crew.roles.iter().map(|role| role.lanes).sum(), (1.0, 240.0));
        lines.add(self.kinds.iter().map(|kind| kind.tasks).sum(), (1.0, 250.0));
        let named = scenario.leases.len() + scenario.models.len() + scenario.gates.len();
        lines.add(named as f64, (1.0, 230.0));
        let calls = match case {
            Case::Low => self.spend.calls.low,
            Case::Expected => self.spend.calls.expected,
            Case::High => self.spend.calls.high,
        };
        lines.add(calls, CALL);
        if self.crew.models.iter().any(|model| model.gated) {
            lines.add(calls, (1.0, ADMITTED));
        }
        let gates = scenario.gates.len() as f64;
        let mut attempts = 0.0;
        for kind in self.kinds {
            let landings = kind.tasks * self.share(case);
            let tries = self.attempts(kind, case);
            attempts += tries;
            lines.add(tries, (2.0, ASSIGNED + SUBMITTED + UPDATE * kind.files()));
            lines.add((tries - landings).max(0.0), REFUSED);
            lines.add(landings, LANDED);
            lines.add(landings, (gates, gates * GATED));
            lines.add(tries * self.handed(kind, case), HANDED);
            lines.add(tries * self.handed(kind, case), (1.0, ASSIGNED));
            lines.add(tries * self.judged(kind, case), (1.0, REVIEWED));
        }
        let expected: f64 = self.kinds.iter().map(|kind| kind.tasks * kind.attempts).sum();
        let leases = self.leases * if expected > 0.0 { attempts / expected } else { 1.0 };
        // Which change needs which lease is chance, and so is whom a fault strikes.
        let (leases, struck) = match case {
            Case::Low => (0.0, 0.0),
            Case::Expected => (leases, 1.0),
            Case::High => (leases * 1.5, 4.0),
        };
        lines.add(leases, LEASE);
        lines.add((scenario.faults.len() + scenario.operators.len()) as f64 * struck, STRUCK);
        let messages = 4.0 * calls + 6.0 * attempts;
        lines.add(if case == Case::Low { 0.0 } else { messages * self.adversity.mail_share }, LATE);
        lines
    }

    fn judged(&self, kind: &Kind, case: Case) -> f64 {
        kind.review.map_or(0.0, |review| match case {
            Case::Low => 1.0,
            Case::Expected => review.rounds,
            Case::High => f64::from(review.rounds_max),
        })
    }

    /// Packets of one attempt.
    fn handed(&self, kind: &Kind, case: Case) -> f64 {
        let successors = handoffs::successors(self.scenario, kind, self.crew);
        self.judged(kind, case) + if case == Case::Low { 0.0 } else { successors }
    }

    fn repository(&self, case: Case) -> f64 {
        let mut bytes = self.ground.history_bytes as f64;
        for kind in self.kinds {
            let landings = kind.tasks * self.share(case);
            bytes += landings * self.landing(kind, case);
        }
        let fences = if self.leases > 0.0 { FOLDERS * (1.0 - (-self.leases / FOLDERS).exp()) * BLOCK } else { 0.0 };
        let fences = match case {
            Case::Low => 0.0,
            Case::Expected => fences,
            Case::High => FOLDERS * BLOCK * if self.leases > 0.0 { 1.0 } else { 0.25 },
        };
        // Packs that were replaced stay for a while.
        let kept = if case == Case::High { 2.0 } else { 1.0 };
        blocks(bytes * kept) + fences
    }

    /// Bytes of the objects of one landing.
    fn landing(&self, kind: &Kind, case: Case) -> f64 {
        let there = (self.ground.count(&kind.touches) as f64).max(1.0);
        // Who wants more files than there are makes the others.
        let anywhere = kind.anywhere.min(there);
        let (changed, made) = (anywhere + kind.named.len() as f64, kind.makes + kind.anywhere - anywhere);
        let (trees, tree_bytes) = self.ground.way(&kind.touches);
        let made_entries = kind.tasks * made * 54.0 / 2.0;
        let large = |bytes: f64| if bytes > 2_048.0 { bytes * LARGE_TREE } else { bytes };
        // The root is shared by all files of a change; below it, files are mostly in the same directory or few.
        let spread = if trees > 2.5 { (changed + made).max(1.0).sqrt() } else { 1.0 };
        let one_way = large(tree_bytes + made_entries) + trees * OBJECT;
        let tokens = kind.tasks * changed / there;
        let file = self.ground.file_bytes(&kind.touches) + LINE * (1.0 + tokens / 2.0);
        let blobs = (changed * file + made * 90.0) + (changed + made) * OBJECT;
        // A change that lands on the main that it was made on has the same trees as main then.
        let twice = match case {
            Case::Low => 1.0,
            Case::Expected => 1.9,
            Case::High => 2.0,
        };
        2.0 * COMMIT + twice * (one_way * spread) + blobs * (1.0 + (twice - 1.0) * kind.refused.max(0.2))
    }

    fn content(&self, case: Case) -> f64 {
        let mut files = 0.0;
        for kind in self.kinds {
            let tries = self.attempts(kind, case);
            let judged = self.judged(kind, case);
            let handed = self.handed(kind, case);
            files += tries * (handed * PACKET + judged * kind.files());
            // Whatever is refused may be a conflict, which has a report; most of it is refused by gates and for want of a yes.
            let refused = (tries - kind.tasks * self.share(case)).max(0.0);
            files += match case {
                Case::Low => 0.0,
                Case::Expected => refused / 8.0,
                Case::High => refused,
            };
        }
        if files == 0.0 {
            return 0.0;
        }
        files * BLOCK + FOLDERS * (1.0 - (-files / FOLDERS).exp()) * BLOCK
    }
}

fn blocks(bytes: f64) -> f64 {
    (bytes / BLOCK).ceil() * BLOCK
}

//! What came of a session, for people and programs. Keys are never renamed.

use crate::candidates::Candidate;
use crate::fact::ChangeName;
use crate::gates::RedGate;
use crate::overlaps::Overlap;
use crate::recovery::Recovered;
use baton_record::Oid;
use baton_world::git::Conflict;
use serde::Serialize;

/// What came of `land`.
#[derive(Clone, Debug, Serialize)]
pub struct LandOutcome {
    /// Version of this object.
    pub format: u32,
    /// How it ended.
    pub ended: Ended,
    /// The branch that was landed on.
    pub onto: String,
    /// Where it was.
    pub main_before: Oid,
    /// Where it is.
    pub main_after: Oid,
    /// What landed, in this order.
    pub landed: Vec<LandedChange>,
    /// What did not, as it is.
    pub refused: Vec<RefusedChange>,
    /// What main had already.
    pub already: Vec<ChangeName>,
    /// What was not decided, because it ended before.
    pub undecided: Vec<ChangeName>,
    /// The gates' command lines.
    pub gates: Vec<String>,
    /// Pairs that did not merge with each other when it began, of those that were compared.
    pub overlaps: Vec<Overlap>,
    /// How many pairs there are of these branches and the one that is landed on.
    pub pairs: u64,
    /// How many of them were compared beforehand: those with main first, for two seconds or a little longer.
    pub pairs_compared: u64,
    /// Runs of gates that were expected then, if none is red.
    pub expected_gate_runs: u32,
    /// How often a gate was run.
    pub gate_runs: u32,
    /// Submodules that were empty where gates ran: nothing of them is here.
    pub empty_submodules: Vec<String>,
    /// The gate that main itself does not pass, if it was that.
    pub main_gate: Option<RedGate>,
    /// Commits of the person's that the remote had not, and that went along with what landed.
    pub pushed_along: u32,
    /// Gates that did not always say the same of one tree.
    pub flaky: Vec<String>,
    /// Seconds, from the lock to the end.
    pub took_s: f64,
    /// Runs of gates that landing one by one would have taken, if no gate were red.
    pub one_by_one_runs: u32,
    /// Seconds that these would have taken, by the mean of those that were run; `None`: none was.
    pub one_by_one_s: Option<f64>,
    /// Commits of others that were found on main on the way.
    pub adopted: Vec<Oid>,
    /// What a killed session had left.
    pub recovered: Option<Recovered>,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// Everything is decided.
    Done,
    /// Main itself does not pass its gates: nobody is to be blamed, nothing lands.
    MainRed,
    /// A checkout of main is in the way.
    Blocked,
    /// Main was moved by others again and again.
    Contended,
    /// A person wished to stop.
    Stopped,
}

/// A change that is on main now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LandedChange {
    /// The branch.
    #[serde(rename = "ref")]
    pub name: String,
    /// The branch's commit.
    pub tip: Oid,
    /// The commit that brought it.
    pub commit: Oid,
    /// The tree that main got, the one that has passed.
    pub tree: Oid,
    /// Whether that tree has passed a gate: `passed` or `none`.
    pub gate: &'static str,
}

/// A change that does not land as it is.
#[derive(Clone, Debug, Serialize)]
pub struct RefusedChange {
    /// The branch.
    #[serde(rename = "ref")]
    pub name: String,
    /// Its commit.
    pub tip: Oid,
    /// Why.
    pub reason: Reason,
    /// Why, in one sentence.
    pub detail: String,
    /// Whom it does not go together with.
    pub with: Vec<String>,
    /// Whether `with` was proven by a run of the gates, or is the likeliest by what both change.
    pub proven: bool,
    /// Where it does not merge.
    pub conflicts: Vec<PathConflict>,
    /// The gate that refused it.
    pub gate: Option<RedGate>,
    /// What its owner has to know and do, ready to be sent.
    pub hand_back: String,
}

/// Why a change is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// It does not merge.
    Conflict,
    /// A gate is red with it, and green without.
    Gate,
    /// It passes alone, and so do those it lands with; together they do not.
    Pair,
    /// It has no history in common with main.
    Unrelated,
    /// It changes the file that names the gates.
    GateFile,
    /// Main has its commits, and a rollback has taken back what they did.
    RolledBack,
    /// It brings a file that lies in a checkout of main and is not committed there.
    InTheWay,
    /// Git does not check it out.
    Unfit,
}

impl Reason {
    /// As it stands in the log.
    pub fn word(self) -> &'static str {
        match self {
            Reason::Conflict => "conflict",
            Reason::Gate => "gate",
            Reason::Pair => "pair",
            Reason::Unrelated => "unrelated",
            Reason::GateFile => "gate-file",
            Reason::RolledBack => "rolled-back",
            Reason::InTheWay => "in-the-way",
            Reason::Unfit => "unfit",
        }
    }
}

/// A path that two sides change in ways that do not go together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PathConflict {
    /// The path.
    pub path: String,
    /// As git names it.
    pub kind: String,
    /// Who is on main's side.
    pub ours: String,
    /// Who is refused.
    pub theirs: String,
    /// Where both sides changed the same lines.
    pub hunks: Vec<HunkText>,
}

/// Lines that both sides changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HunkText {
    /// Line in our side's own file where it begins, counted from 1.
    pub line: u32,
    /// Line in their side's own file.
    pub their_line: u32,
    /// Our lines.
    pub ours: Vec<String>,
    /// Their lines.
    pub theirs: Vec<String>,
}

impl PathConflict {
    /// Names the sides of a conflict.
    pub fn of(conflict: &Conflict, ours: &str, theirs: &str) -> PathConflict {
        let hunk = |hunk: &baton_world::git::Hunk| HunkText {
            line: hunk.line,
            their_line: hunk.their_line,
            ours: hunk.ours.clone(),
            theirs: hunk.theirs.clone(),
        };
        PathConflict {
            path: conflict.path.clone(),
            kind: conflict.kind.clone(),
            ours: ours.to_owned(),
            theirs: theirs.to_owned(),
            hunks: conflict.hunks.iter().map(hunk).collect(),
        }
    }
}

/// The text of a pull request for what landed on an integration branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PullRequest {
    /// Its first line.
    pub title: String,
    /// The rest, as Markdown.
    pub body: String,
}

impl LandOutcome {
    /// Of a session in which nothing has happened yet.
    pub(crate) fn begun(onto: &str, main: Oid, gates: Vec<String>, recovered: Option<Recovered>) -> LandOutcome {
        LandOutcome {
            format: 1,
            ended: Ended::Done,
            onto: onto.strip_prefix("refs/heads/").unwrap_or(onto).to_owned(),
            main_before: main,
            main_after: main,
            landed: Vec::new(),
            refused: Vec::new(),
            already: Vec::new(),
            undecided: Vec::new(),
            gates,
            overlaps: Vec::new(),
            pairs: 0,
            pairs_compared: 0,
            expected_gate_runs: 0,
            gate_runs: 0,
            empty_submodules: Vec::new(),
            main_gate: None,
            pushed_along: 0,
            flaky: Vec::new(),
            took_s: 0.0,
            one_by_one_runs: 0,
            one_by_one_s: None,
            adopted: Vec::new(),
            recovered,
        }
    }

    /// Whether that has been refused.
    pub(crate) fn has_refused(&self, candidate: &Candidate) -> bool {
        self.refused.iter().any(|refused| refused.tip == candidate.tip && refused.name == candidate.name)
    }

    /// A pull request for all that landed; `None`: nothing did.
    pub fn pull_request(&self) -> Option<PullRequest> {
        let title = match &self.landed[..] {
            [] => return None,
            [one] => format!("Land {}", one.name),
            many => format!("Land {} branches", many.len()),
        };
        let mut body = format!("On `{}`, at {}:\n\n", self.onto, self.main_after);
        for landed in &self.landed {
            body.push_str(&format!("- `{}` ({})\n", landed.name, landed.tip));
        }
        if self.gates.is_empty() {
            body.push_str("\nNo gate was run.\n");
        } else {
            let gates: Vec<String> = self.gates.iter().map(|gate| format!("`{gate}`")).collect();
            body.push_str(&format!("\nExactly this tree has passed {}.\n", gates.join(", ")));
        }
        for refused in &self.refused {
            body.push_str(&format!("\nNot part of it: `{}`: {}.\n", refused.name, refused.detail));
        }
        Some(PullRequest { title, body })
    }
}

/// How the first line of a text for an owner ends.
const TITLE_END: &str = " did not land";

/// What the owner of a refused branch has to know to mend it at once, as Markdown.
pub(crate) fn hand_back(refused: &RefusedChange) -> String {
    const LINES_MAX: usize = 40;
    let mut text = format!("# {}{TITLE_END}\n\n{}.\n", refused.name, upper_first(&refused.detail));
    for conflict in &refused.conflicts {
        text.push_str(&format!(
            "\n## {} ({}): {} against {}\n",
            conflict.path, conflict.kind, conflict.ours, conflict.theirs
        ));
        for hunk in &conflict.hunks {
            let (line, their_line) = (hunk.line, hunk.their_line);
            let (ours, theirs) = (&conflict.ours, &conflict.theirs);
            text.push_str(&format!("\nLine {line} of {ours}, line {their_line} of {theirs}:\n\n```diff\n"));
            let side = |sign: char, lines: &[String]| {
                let shown = lines.iter().take(LINES_MAX).map(|line| format!("{sign}{line}\n")).collect::<String>();
                let more = lines.len().saturating_sub(LINES_MAX);
                if more > 0 { format!("{shown}{sign}… {more} more lines\n") } else { shown }
            };
            text.push_str(&side('-', &hunk.ours));
            text.push_str(&side('+', &hunk.theirs));
            text.push_str("```\n");
        }
    }
    if let Some(gate) = &refused.gate {
        let tests: Vec<String> = gate.failing.iter().map(|test| format!("- {test}\n")).collect();
        if !tests.is_empty() {
            text.push_str(&format!("\n## Failing tests\n\n{}", tests.concat()));
        }
        text.push_str(&format!(
            "\n## What `{}` said ({})\n\n```\n{}\n```\n",
            gate.gate,
            gate.end,
            gate.tail.trim_end()
        ));
    }
    text.push_str(&format!("\n## What to do\n\n{}\n", cure(refused)));
    text
}

/// Whether a line is the first of such a text; about this branch, if one is given.
pub(crate) fn is_title(line: &str, name: Option<&str>) -> bool {
    let about = line.strip_prefix("# ").and_then(|line| line.strip_suffix(TITLE_END));
    about.is_some_and(|about| name.is_none_or(|name| name == about))
}

fn cure(refused: &RefusedChange) -> String {
    match refused.reason {
        Reason::Conflict => "Merge main into the branch, resolve these places so that both intentions live on, commit, and land again.",
        Reason::Gate => "Make the gate pass on this branch with main merged into it, commit, and land again.",
        Reason::Pair => "Merge main into the branch: the other change is there now. Make the gate pass with both, commit, and land again.",
        Reason::Unrelated => "Make the branch from main, or merge main into it with --allow-unrelated-histories.",
        Reason::GateFile => "Take that file out of the change. Whoever operates this repository may land it with --allow-gate-change.",
        Reason::InTheWay => "Nothing is wrong with the branch: what lies there has to be moved or committed in the checkout first.",
        Reason::Unfit => "Make the branch anew without that path or with all of its objects: git itself does not check it out.",
        Reason::RolledBack => "Roll the rollback back (`baton rollback` with its commit), or make the change anew in new commits.",
    }
    .to_owned()
}

fn upper_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

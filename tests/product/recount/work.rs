//! Changes, duplicates, reviews, faults and decisions counted again.

use super::costs::{Cost, cost_of, sum, told};
use super::{Book, Line, given_back, spread};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A submitted change and what became of it.
struct Change<'b, 'a> {
    line: &'b Line<'a>,
    author: &'b str,
    sent: u64,
    paths: BTreeSet<&'b str>,
    outcome: Option<&'b Line<'a>>,
}

impl Change<'_, '_> {
    fn landed(&self) -> bool {
        self.outcome.is_some_and(|line| line.kind != "ChangeRefused")
    }

    /// Whether the merger has served it.
    fn in_turn(&self) -> bool {
        self.outcome.is_some_and(|line| line.kind == "ChangeLanded" || line.data["reason"] != "withdrawn")
    }
}

fn changes<'b, 'a>(book: &'b Book<'a>) -> Vec<Change<'b, 'a>> {
    let change = |line: &'b Line<'a>| {
        let is = |next: &Line<'_>| {
            matches!(next.kind, "ChangeLanded" | "ChangeRefused" | "ChangeWritten")
                && next.data["change"] == line.data["change"]
        };
        let updates = line.data["updates"].as_array().unwrap().iter();
        let paths = updates.flat_map(|update| [update["path"].as_str(), update["from"].as_str()]).flatten();
        Change {
            line,
            author: line.data["author"].as_str().or(line.lane).unwrap(),
            sent: line.data["sent_us"].as_u64().unwrap_or(line.t).min(line.t),
            paths: paths.collect(),
            outcome: book.next(line.at, is),
        }
    };
    book.of_kind("ChangeSubmitted").map(change).collect()
}

pub(super) fn landings(book: &Book<'_>) -> Value {
    let changes = changes(book);
    let latency = changes.iter().filter(|change| change.landed()).map(|change| change.outcome.unwrap().t - change.sent);
    let queue = changes.iter().filter(|change| change.in_turn() && change.outcome.unwrap().kind != "ChangeWritten");
    let queue = queue.map(|change| {
        let before = |other: &&Change<'_, '_>| other.in_turn() && other.outcome.unwrap().t < change.outcome.unwrap().t;
        let free = changes.iter().filter(before).map(|other| other.outcome.unwrap().t).max();
        free.unwrap_or(0).max(change.line.t) - change.sent
    });
    let conflicts: Vec<&Change<'_, '_>> =
        changes.iter().filter(|change| change.outcome.is_some_and(|line| line.data["reason"] == "conflict")).collect();
    let refused =
        |change: &&Change<'_, '_>| change.outcome.unwrap().data["paths"].as_array().cloned().unwrap_or_default();
    let unknown = conflicts.iter().map(|change| {
        let met = |path: &Value| meets(book, &changes, change, path.as_str().unwrap()).is_some();
        refused(change).iter().filter(|path| !met(path)).count()
    });
    let paths: Vec<Value> = conflicts.iter().flat_map(refused).collect();
    let mut by_path = serde_json::Map::new();
    for path in &paths {
        by_path.insert(path.as_str().unwrap().to_owned(), json!(paths.iter().filter(|other| *other == path).count()));
    }
    let reason = |line: &Line<'_>| line.data["reason"].as_str().unwrap().to_owned();
    let gate = |line: &Line<'_>| line.data["gate"].as_str().unwrap().to_owned();
    json!({
        "submitted": changes.len(),
        "landed": book.count("ChangeLanded") + book.count("ChangeWritten"),
        "moves": book.of_kind("ChangeLanded").filter(|line| begins_a_row(book, line)).count(),
        "refused": book.count("ChangeRefused"),
        "withdrawn": book.count("ChangeWithdrawn"),
        "open": changes.iter().filter(|change| change.outcome.is_none()).count(),
        "latency_us": spread(latency.collect()),
        "queue_wait_us": spread(queue.collect()),
        "refusals": book.words("ChangeRefused", reason),
        "gates_passed": book.words("GatePassed", gate),
        "gates_failed": book.words("GateFailed", gate),
        "conflicts": {
            "count": conflicts.len(), "by_path": by_path, "unknown": unknown.sum::<usize>(),
            "list": one_by_one(book, &changes, conflicts.clone()),
            "reworked": conflicts.iter().filter(|change| answer(&changes, change).1 == "landed").count(),
        },
    })
}

/// A change's name as people write it.
fn name_of(number: &Value) -> String {
    let number = number.as_u64().unwrap();
    format!("C-{}.{}", number / 1024, number % 1024 + 1)
}

/// The newest change that says of itself that it answers this one, and what became of it.
fn answer(changes: &[Change<'_, '_>], change: &Change<'_, '_>) -> (Option<String>, &'static str) {
    let mut answers = changes.iter().filter(|next| next.line.data["answers"] == change.line.data["change"]);
    let Some(newest) = answers.next_back() else { return (None, "unanswered") };
    let became = match newest.outcome {
        None => "open",
        Some(_) if newest.landed() => "landed",
        Some(_) => "refused",
    };
    (Some(name_of(&newest.line.data["change"])), became)
}

/// Every conflict as the report lists it.
fn one_by_one(book: &Book<'_>, changes: &[Change<'_, '_>], mut conflicts: Vec<&Change<'_, '_>>) -> Value {
    conflicts.sort_by_key(|change| change.outcome.unwrap().at);
    let one = |change: &&Change<'_, '_>| {
        let refused = change.outcome.unwrap();
        let base = stands(book, &change.line.data["base"], change.line.at);
        let first = |path: &Value| {
            let later = |at: usize| at < refused.at && base.is_ok_and(|base| base.is_none_or(|base| at > base));
            let mut landed: Vec<&Change<'_, '_>> = changes.iter().filter(|other| other.landed()).collect();
            landed.retain(|other| other.paths.contains(path.as_str().unwrap()) && later(other.outcome.unwrap().at));
            landed.sort_by_key(|other| other.outcome.unwrap().at);
            let named = landed
                .iter()
                .map(|other| json!({ "change": name_of(&other.line.data["change"]), "lane": other.author }));
            json!({ "path": path, "landed": named.collect::<Vec<Value>>() })
        };
        let paths: Vec<Value> = refused.data["paths"].as_array().unwrap().iter().map(first).collect();
        let (next, became) = answer(changes, change);
        json!({
            "change": name_of(&change.line.data["change"]), "lane": change.author, "t_us": refused.t,
            "report": refused.data["report"], "paths": paths, "answered_by": next, "outcome": became,
        })
    };
    conflicts.iter().map(one).collect()
}

/// Whether main moved with this landing: nothing stands before it in its row.
fn begins_a_row(book: &Book<'_>, landed: &Line<'_>) -> bool {
    let intended = |line: &Line<'_>| line.kind == "ChangeIntended" && line.data["change"] == landed.data["change"];
    book.last(landed.at, intended).is_some_and(|line| line.data["behind"].is_null())
}

/// Where in the journal the commit came to main; `None`: it is the base of the run; `Err`: never.
fn stands(book: &Book<'_>, commit: &Value, before: usize) -> Result<Option<usize>, ()> {
    if book.lines[0].data["base"] == *commit {
        return Ok(None);
    }
    let came = |line: &Line<'_>| match line.kind {
        "ChangeLanded" => line.data["main_after"] == *commit,
        "FileWritten" => line.data["commit"] == *commit,
        _ => false,
    };
    book.last(before, came).map(|line| Some(line.at)).ok_or(())
}

/// The last landing on a path before `until`, that line included.
fn landing<'b>(
    book: &'b Book<'_>,
    changes: &'b [Change<'_, '_>],
    path: &str,
    until: usize,
) -> Option<(usize, &'b str)> {
    let landed = changes.iter().filter(|change| change.landed() && change.paths.contains(path));
    let landed = landed.map(|change| (change.outcome.unwrap(), change.author));
    let landed = landed.filter(|(line, _)| line.kind == "ChangeLanded").map(|(line, author)| (line.at, author));
    let written = book.of_kind("FileWritten").filter(|line| line.data["path"] == path);
    let written = written.map(|line| (line.at, line.lane.unwrap()));
    landed.chain(written).filter(|(at, _)| *at <= until).max()
}

/// Whose landing a refused change meets at a path.
fn meets<'b>(
    book: &'b Book<'_>,
    changes: &'b [Change<'_, '_>],
    change: &Change<'_, '_>,
    path: &str,
) -> Option<&'b str> {
    let base = stands(book, &change.line.data["base"], change.line.at).ok()?;
    let (at, author) = landing(book, changes, path, change.outcome.unwrap().at)?;
    base.is_none_or(|base| at > base).then_some(author)
}

pub(super) fn duplicates(book: &Book<'_>) -> Value {
    let changes = changes(book);
    let versions: Vec<Option<Vec<Option<usize>>>> = changes
        .iter()
        .map(|change| {
            let base = stands(book, &change.line.data["base"], change.line.at).ok()?;
            let version = |path: &&str| base.and_then(|base| landing(book, &changes, path, base)).map(|(at, _)| at);
            Some(change.paths.iter().map(version).collect())
        })
        .collect();
    let twins = |one: usize, two: usize| {
        let (Some(first), Some(second)) = (&versions[one], &versions[two]) else { return false };
        let shared: Vec<&&str> = changes[one].paths.intersection(&changes[two].paths).collect();
        let union = changes[one].paths.union(&changes[two].paths).count();
        let place = |of: usize, path: &str| changes[of].paths.iter().position(|other| *other == path).unwrap();
        let same = shared.iter().all(|path| first[place(one, path)] == second[place(two, path)]);
        changes[one].line.task != changes[two].line.task && 2 * shared.len() >= union && !shared.is_empty() && same
    };
    let cost = |of: usize| -> Cost {
        let line = changes[of].line;
        let since = |other: &Line<'_>| other.task == line.task && other.kind == "TaskReturned" && given_back(other);
        let from = book.last(line.at, since).map_or(0, |other| other.at);
        sum(book.lines[from..line.at].iter().filter(|other| other.task == line.task).filter_map(cost_of))
    };
    let pairs = (0..changes.len()).filter_map(|two| Some(((0..two).find(|one| twins(*one, two))?, two)));
    let not_needed = |(one, two): (usize, usize)| {
        if changes[two].landed() && !changes[one].landed() { one } else { two }
    };
    let costs: Vec<Cost> = pairs.map(|pair| cost(not_needed(pair))).collect();
    json!({ "pairs": costs.len(), "not_needed": told(sum(costs.into_iter())) })
}

pub(super) fn reviews(book: &Book<'_>) -> Value {
    let given: Vec<&Value> = book.of_kind("ReviewGiven").map(|line| line.data).collect();
    let items = || given.iter().flat_map(|review| review["items"].as_array().unwrap());
    json!({
        "given": given.len(),
        "approved": given.iter().filter(|review| review["approved"] == true).count(),
        "returned": given.iter().filter(|review| review["approved"] == false).count(),
        "items": items().count(),
        "items_fallen": items().filter(|item| item["held"] == false).count(),
        "rounds_max": given.iter().map(|review| review["round"].as_u64().unwrap()).max().unwrap_or(0),
    })
}

pub(super) fn faults(book: &Book<'_>) -> Value {
    let named: BTreeSet<u64> = book.lines.iter().filter_map(|line| line.data["fault"].as_u64()).collect();
    let figures = |id: &u64| {
        let names = |line: &&Line<'_>| line.data["fault"].as_u64() == Some(*id);
        let strikes: Vec<&Line<'_>> = book.of_kind("FaultInjected").filter(names).collect();
        let felt: Vec<&Line<'_>> =
            book.lines.iter().filter(names).filter(|line| line.kind != "FaultInjected").collect();
        let after = |line: &&Line<'_>| Some(line.t - strikes.iter().rfind(|strike| strike.at < line.at)?.t);
        json!({
            "id": id,
            "injected": strikes.len(),
            "felt_records": felt.len(),
            "first_us": strikes.first().map(|line| line.t),
            "recovery_us": felt.iter().filter_map(after).max(),
        })
    };
    json!(named.iter().map(figures).collect::<Vec<_>>())
}

pub(super) fn people(book: &Book<'_>) -> Value {
    let answers = |line: &Line<'_>| {
        let is = |next: &Line<'_>| {
            matches!(next.kind, "ApprovalGiven" | "ApprovalTimedOut") && next.data["approval"] == line.data["approval"]
        };
        book.next(line.at, is).map(|next| next.t - line.t)
    };
    let given = |yes: bool| book.of_kind("ApprovalGiven").filter(|line| line.data["approved"] == yes).count();
    let waits: Vec<u64> = book.of_kind("ApprovalAsked").filter_map(answers).collect();
    let role = |line: &Line<'_>| book.role(line.lane.unwrap()).to_owned();
    let word = |key: &'static str| move |line: &Line<'_>| line.data[key].as_str().unwrap().to_owned();
    let by_drain = |line: &&Line<'_>| {
        let before = book.lines[..line.at].iter().rfind(|before| before.kind != "SegmentClosed").unwrap();
        before.kind == "CommandGiven" && before.data["command"] == "drain"
    };
    let drained = book.of_kind("Resumed").filter(by_drain).count() as u64;
    let commands =
        ["CommandGiven", "PauseRequested", "Resumed"].map(|kind| book.count(kind)).iter().sum::<u64>() - drained;
    let resumed = |line: &Line<'_>| book.next(line.at, |next| next.kind == "Resumed").map_or(book.end, |next| next.t);
    json!({
        "approvals": {
            "asked": book.count("ApprovalAsked"), "approved": given(true), "denied": given(false),
            "timed_out": book.count("ApprovalTimedOut"),
            "open": book.count("ApprovalAsked") as usize - waits.len(),
            "wait_us": spread(waits),
            "by_subject": book.words("ApprovalAsked", word("subject")),
        },
        "denials": {
            "count": book.count("ActionDenied"),
            "by_role": book.words("ActionDenied", role),
            "by_tool": book.words("ActionDenied", word("tool")),
            "by_reason": book.words("ActionDenied", word("reason")),
        },
        "failures": {
            "count": book.count("ActionFailed"),
            "by_role": book.words("ActionFailed", role),
            "by_tool": book.words("ActionFailed", word("tool")),
            "by_reason": book.words("ActionFailed", word("reason")),
        },
        "commands_refused": book.words("CommandRefused", word("why")),
        "pauses": {
            "count": book.count("PauseRequested"),
            "total_us": book.of_kind("PauseRequested").map(|line| resumed(line) - line.t).sum::<u64>(),
        },
        // Not keys of the report: the sums of two of its tables.
        "sums": { "commands": commands, "overrides": book.count("OverrideRecorded") },
    })
}

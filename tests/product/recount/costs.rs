//! Costs counted again: spend, rework, and what handing on costs.

use super::{Attempt, Book, Line, given_back, spread};
use serde_json::{Value, json};

/// Calls, tokens in, tokens out, millionths of a dollar.
pub(super) type Cost = [u64; 4];

pub(super) fn cost_of(line: &Line<'_>) -> Option<Cost> {
    let number = |value: &Value| value.as_u64().unwrap();
    let data = line.data;
    match line.kind {
        "EffectDone" => Some([1, number(&data["tokens_in"]), number(&data["tokens_out"]), number(&data["usd_micros"])]),
        "EffectFailed" => Some([1, 0, 0, 0]),
        "EffectLost" => Some([1, 0, number(&data["billed"]["tokens"]), number(&data["billed"]["usd_micros"])]),
        _ => None,
    }
}

pub(super) fn sum(costs: impl Iterator<Item = Cost>) -> Cost {
    costs.fold([0; 4], |sum, cost| std::array::from_fn(|at| sum[at] + cost[at]))
}

pub(super) fn told(cost: Cost) -> Value {
    json!({ "calls": cost[0], "tokens_in": cost[1], "tokens_out": cost[2], "usd_micros": cost[3] })
}

fn all(book: &Book<'_>, is: impl Fn(&Line<'_>) -> bool) -> Cost {
    sum(book.lines.iter().filter(|line| is(line)).filter_map(cost_of))
}

pub(super) fn spend(book: &Book<'_>) -> Value {
    let any = |_: &Line<'_>| true;
    let share = |name: &str, cost: Cost| json!({ "name": name, "cost": told(cost) });
    let granted = |line: &Line<'_>| {
        let grant = book.last(line.at, |other| other.kind == "SlotGranted" && other.lane == line.lane);
        grant.unwrap().data["endpoint"].as_u64().unwrap() as usize
    };
    let models = book
        .endpoints
        .iter()
        .enumerate()
        .map(|(id, (name, _))| share(name, all(book, |line| cost_of(line).is_some() && granted(line) == id)));
    let mut roles: Vec<&str> = Vec::new();
    book.lanes.iter().for_each(|(_, role)| {
        if !roles.contains(role) {
            roles.push(role)
        }
    });
    let by_role =
        roles.iter().map(|role| share(role, all(book, |line| line.lane.is_some_and(|lane| book.role(lane) == *role))));
    let by_lane = book.lanes.iter().map(|(lane, _)| share(lane, all(book, |line| line.lane == Some(lane))));
    let done: Vec<Cost> = book.of_kind("TaskDone").map(|done| all(book, |line| line.task == done.task)).collect();
    let wasted = |kind: &'static str| book.count(kind);
    json!({
        "total": told(all(book, any)),
        "by_model": models.collect::<Vec<_>>(),
        "by_role": by_role.collect::<Vec<_>>(),
        "by_lane": by_lane.collect::<Vec<_>>(),
        "landed_tasks": {
            "tasks": done.len(),
            "calls": spread(done.iter().map(|cost| cost[0]).collect()),
            "usd_micros": spread(done.iter().map(|cost| cost[3]).collect()),
            "run_usd_micros_each": all(book, any)[3].checked_div(done.len() as u64),
        },
        "wasted": {
            "total": told(all(book, |line| line.kind != "EffectDone")),
            "refused": wasted("EffectFailed"), "lost": wasted("EffectLost"), "not_made": wasted("CallRefused"),
        },
    })
}

pub(super) fn rework(book: &Book<'_>) -> Value {
    let again: Vec<Attempt<'_>> = book.attempts().into_iter().filter(|attempt| attempt.rework.is_some()).collect();
    let begun_in = |line: &Line<'_>| {
        let is = |other: &Line<'_>| other.kind == "EffectIntended" && other.lane == line.lane;
        let intended = book.last(line.at, is).unwrap();
        let latest = |other: &Line<'_>| other.kind == "TaskAssigned" && other.task == intended.task;
        let begin = book.last(intended.at, latest).unwrap().at;
        again.iter().any(|attempt| attempt.begin == begin)
    };
    let costs: Vec<(&str, Cost)> = book
        .lines
        .iter()
        .filter_map(|line| Some((line.lane?, cost_of(line)?, line)))
        .filter(|(_, _, line)| begun_in(line))
        .map(|(lane, cost, _)| (book.role(lane), cost))
        .collect();
    let time =
        |attempt: &Attempt<'_>| attempt.end.map_or(book.end, |end| book.lines[end].t) - book.lines[attempt.begin].t;
    let mut roles: Vec<&str> = Vec::new();
    book.lanes.iter().for_each(|(_, role)| {
        if !roles.contains(role) {
            roles.push(role)
        }
    });
    let of_role = |role: &&str| {
        let own = || again.iter().filter(|attempt| book.role(attempt.lane) == *role);
        json!({
            "role": role, "attempts": own().count(), "time_us": own().map(time).sum::<u64>(),
            "cost": told(sum(costs.iter().filter(|(of, _)| of == role).map(|(_, cost)| *cost))),
        })
    };
    json!({
        "attempts": again.len(),
        "time_us": again.iter().map(time).sum::<u64>(),
        "cost": told(sum(costs.iter().map(|(_, cost)| *cost))),
        "by_role": roles.iter().map(of_role).collect::<Vec<_>>(),
    })
}

pub(super) fn handoffs(book: &Book<'_>) -> Value {
    let attempts = book.attempts();
    let refused: std::collections::BTreeSet<u64> = book
        .of_kind("PacketRefused")
        .map(|line| {
            let offer = book
                .last(line.at, |other| other.kind == "PacketOffered" && other.data["packet"] == line.data["packet"]);
            offer.unwrap().data["change"].as_u64().unwrap()
        })
        .collect();
    let mut purposes: Vec<&str> = book.of_kind("PacketAccepted").map(|line| purpose(book, line.at)).collect();
    purposes.sort_unstable();
    purposes.dedup();
    json!({
        "offered": book.count("PacketOffered"),
        "accepted": book.count("PacketAccepted"),
        "refused": book.count("PacketRefused"),
        "refused_attempts": refused.len(),
        "flaws": book.of_kind("PacketRefused").map(|line| line.data["flaws"].as_array().unwrap().len()).sum::<usize>(),
        "by_purpose": purposes.iter().map(|of| debt(book, &attempts, of)).collect::<Vec<_>>(),
    })
}

fn purpose<'a>(book: &Book<'a>, accepted: usize) -> &'a str {
    book.offer(accepted).data["purpose"].as_str().unwrap()
}

fn debt(book: &Book<'_>, attempts: &[Attempt<'_>], of: &str) -> Value {
    let accepted: Vec<usize> =
        book.of_kind("PacketAccepted").map(|line| line.at).filter(|at| purpose(book, *at) == of).collect();
    let begun: Vec<&Attempt<'_>> =
        attempts.iter().filter(|attempt| attempt.packet.is_some_and(|at| accepted.contains(&at))).collect();
    let within = |attempt: &Attempt<'_>| {
        let end = attempt.end.unwrap_or(book.lines.len());
        book.lines[attempt.begin + 1..end].iter().filter(|line| line.task == Some(attempt.task)).collect::<Vec<_>>()
    };
    let first = |attempt: &Attempt<'_>| {
        let further =
            |line: &&&Line<'_>| matches!(line.kind, "EffectDone" | "ReviewGiven" | "ChangeSubmitted" | "PacketOffered");
        within(attempt).iter().find(further).map(|line| line.at)
    };
    let until = |attempt: &Attempt<'_>| {
        let last = first(attempt).unwrap_or(usize::MAX);
        sum(within(attempt).iter().filter(|line| line.at <= last).filter_map(|line| cost_of(line)))
    };
    let lost = |attempt: &Attempt<'_>| {
        let end = &book.lines[attempt.end?];
        let again = begun.iter().any(|other| other.packet == attempt.packet && other.begin > attempt.begin);
        let kept = ["sent-back", "refused"].iter().any(|reason| end.data["reason"] == **reason);
        (end.kind == "TaskReturned" && given_back(end) && !kept && again).then(|| {
            sum(within(attempt).iter().filter(|line| line.kind == "EffectDone").filter_map(|line| cost_of(line)))
        })
    };
    let waits = accepted.iter().filter_map(|at| {
        let taken = begun.iter().find(|attempt| attempt.packet == Some(*at))?;
        Some(book.lines[taken.begin].t - book.lines[*at].t)
    });
    let progress = begun.iter().filter_map(|attempt| Some(book.lines[first(attempt)?].t - book.lines[attempt.begin].t));
    json!({
        "purpose": of,
        "accepted": accepted.len(),
        "bytes": accepted.iter().map(|at| book.offer(*at).data["bytes"].as_u64().unwrap()).sum::<u64>(),
        "attempts": begun.len(),
        "wait_us": spread(waits.collect()),
        "to_progress_us": spread(progress.collect()),
        "to_progress": told(sum(begun.iter().map(|attempt| until(attempt)))),
        "redone": told(sum(begun.iter().filter_map(|attempt| lost(attempt)))),
    })
}

//! The sections of the Markdown report, in their order.

use super::{COST, Page, SPREAD, cell, cost, joined, spread, told};
use crate::outcome::ExpectationOutcome;
use crate::report::sample::word;
use crate::report::text::{dollars, share, spaced, time};
use crate::report::{Debt, Report, Share, State, Times};

/// Paths and pairs that are listed; the JSON has all of them.
const LISTED_MAX: usize = 40;

impl Page {
    pub(super) fn promises(&mut self, report: &Report) {
        self.heading("Promises");
        let row = |promise: &crate::report::PromiseLine| {
            vec![
                promise.id.to_owned(),
                spaced(&word(&promise.status)),
                promise.checked.to_string(),
                cell(&promise.detail),
            ]
        };
        self.table(&["promise", "status", "#checked", "detail"], report.judged.promises.iter().map(row));
    }

    pub(super) fn expectations(&mut self, report: &Report) {
        self.heading("Expectations and thresholds");
        let row = |what: &'static str| {
            move |expected: &ExpectationOutcome| {
                let value = expected.value.map_or("nothing to look at".to_owned(), |value| value.to_string());
                let held = if expected.held { "held" } else { "FAILED" };
                vec![what.to_owned(), cell(&expected.name), held.to_owned(), value]
            }
        };
        let judged = &report.judged;
        if judged.expectations.is_empty() && judged.thresholds.is_empty() {
            return self.none();
        }
        let expectations = judged.expectations.iter().map(row("expectation"));
        let rows = expectations.chain(judged.thresholds.iter().map(row("threshold")));
        self.table(&["what", "name", "status", "#value"], rows.collect::<Vec<_>>());
    }

    pub(super) fn lane_time(&mut self, report: &Report) {
        self.heading("Lane time by state");
        let lanes = &report.lane_time;
        let row = |name: String, total_us: u64, states: &Times| {
            let of = |(state, _): &(State, &str)| match states.of(*state) {
                0 => "–".to_owned(),
                us => format!("{} ({})", time(us), share(us, total_us)),
            };
            joined(&[name, time(total_us)], &State::ALL.iter().map(of).collect::<Vec<_>>())
        };
        let heads: Vec<String> = State::ALL.iter().map(|(_, word)| format!("#{}", spaced(word))).collect();
        let heads: Vec<&str> = ["who", "#total"].into_iter().chain(heads.iter().map(String::as_str)).collect();
        let team = row(format!("**all {} lanes**", lanes.lanes), lanes.total_us, &lanes.team_us);
        let roles = lanes.roles.iter().map(|role| {
            let name = format!("**{}** ({} lanes)", cell(&role.role), role.lanes);
            row(name, role.total_us, &role.states_us)
        });
        let each = lanes.by_lane.iter().map(|lane| row(cell(&lane.lane), lane.total_us, &lane.states_us));
        self.table(&heads, std::iter::once(team).chain(roles).chain(each).collect::<Vec<_>>());
        if report.ended.is_none() {
            let last = |lane: &crate::report::OneLaneTime| format!("{}: {}", cell(&lane.lane), spaced(lane.last));
            let last: Vec<String> = lanes.by_lane.iter().map(last).collect();
            self.line(&format!("Open when the journal ended: {}.", last.join(" · ")));
        }
    }

    pub(super) fn waits(&mut self, report: &Report) {
        self.heading("Waiting in line");
        let waits = &report.waits;
        let row = |what: &str, open: u64, wait: &crate::report::Distribution| {
            joined(&[what.to_owned(), open.to_string()], &spread(wait))
        };
        let mut rows = vec![row("any lease", waits.leases.open, &waits.leases.wait_us)];
        for wait in &waits.leases.by_resource {
            rows.push(row(&format!("lease of {}", cell(&wait.resource)), 0, &wait.wait_us));
        }
        for (what, of) in [("slot", &waits.slots), ("door", &waits.doors)] {
            let at = |wait: &crate::report::EndpointWait| {
                row(&format!("{what} of {}", cell(&wait.endpoint)), wait.open, &wait.wait_us)
            };
            rows.extend(of.by_endpoint.iter().map(at));
        }
        self.table(&joined(&["for", "#open"], &SPREAD), rows);
        let leases = &waits.leases;
        self.line(&format!("Leases: {} requested, {} withdrawn.", leases.requested, leases.withdrawn));
    }

    pub(super) fn landings(&mut self, report: &Report) {
        self.heading("Landing");
        let landings = &report.landings;
        let counts = [
            ("submitted", landings.submitted.to_string()),
            ("landed", landings.landed.to_string()),
            ("moves of main", landings.moves.to_string()),
            ("refused", landings.refused.to_string()),
            ("withdrawn", landings.withdrawn.to_string()),
            ("open", landings.open.to_string()),
        ];
        self.line(&format!("{}\n", told(&counts)));
        let row = |what: &str, of: &crate::report::Distribution| joined(&[what.to_owned()], &spread(of));
        let rows =
            [row("submitted to landed", &landings.latency_us), row("in the merger's queue", &landings.queue_wait_us)];
        self.table(&joined(&["time"], &SPREAD), rows);
        self.counts("refused because", &landings.refusals);
        self.counts("gate passed", &landings.gates_passed);
        self.counts("gate failed", &landings.gates_failed);
        let conflicts = &landings.conflicts;
        if conflicts.count == 0 {
            return;
        }
        self.line(&format!("### {} did not merge\n", crate::report::text::counted(conflicts.count, "change")));
        let mut paths: Vec<(&str, u64)> = conflicts.by_path.iter().collect();
        paths.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let row = |(path, count): &(&str, u64)| vec![cell(path), count.to_string()];
        self.table(&["path", "#conflicts"], paths.iter().take(LISTED_MAX).map(row));
        let meeting = |met: &crate::report::Meeting| vec![cell(&met.refused), cell(&met.landed), met.paths.to_string()];
        let meetings = conflicts.by_lanes.iter().take(LISTED_MAX).map(meeting);
        self.table(&["refused", "against what landed of", "#paths"], meetings);
        let listed = conflicts.list.iter().take(LISTED_MAX).map(conflict);
        self.table(&["change", "of", "did not merge at", "landed first", "made anew as", "which"], listed);
        let more = conflicts.list.len().saturating_sub(LISTED_MAX);
        if more > 0 {
            self.line(&format!("{more} more: `landings.conflicts.list` of report.json has all of them.\n"));
        }
    }

    pub(super) fn spend(&mut self, report: &Report) {
        self.heading("Spend");
        let spend = &report.spend;
        let row = |what: &str, of: &Share| joined(&[what.to_owned(), cell(&of.name)], &cost(&of.cost));
        let mut rows = vec![joined(&["**all**".to_owned(), String::new()], &cost(&spend.total))];
        for (what, shares) in [("model", &spend.by_model), ("role", &spend.by_role), ("lane", &spend.by_lane)] {
            rows.extend(shares.iter().map(|share| row(what, share)));
        }
        rows.push(joined(&["wasted".to_owned(), String::new()], &cost(&spend.wasted.total)));
        self.table(&joined(&["by", "name"], &COST), rows);
        let (wasted, tasks) = (&spend.wasted, &spend.landed_tasks);
        let parts = [
            ("wasted: refused by the endpoint", wasted.refused.to_string()),
            ("lost with a lane", wasted.lost.to_string()),
            ("not made because of a limit", wasted.not_made.to_string()),
        ];
        self.line(&format!("{}\n", told(&parts)));
        let number = |sample: Option<u64>| sample.map_or("–".to_owned(), |sample| sample.to_string());
        let money = |sample: Option<u64>| sample.map_or("–".to_owned(), dollars);
        let rows = [
            [vec!["calls".to_owned()], [tasks.calls.p50, tasks.calls.p95, tasks.calls.max].map(number).to_vec()]
                .concat(),
            [
                vec!["usd".to_owned()],
                [tasks.usd_micros.p50, tasks.usd_micros.p95, tasks.usd_micros.max].map(money).to_vec(),
            ]
            .concat(),
        ];
        self.line(&format!("### For each of {} landed tasks\n", tasks.tasks));
        self.table(&["what", "#p50", "#p95", "#max"], rows);
        let each = tasks.run_usd_micros_each.map_or("–".to_owned(), dollars);
        self.line(&format!("All money of the run for each landed task: {each}."));
    }

    pub(super) fn duplicates(&mut self, report: &Report) {
        self.heading("Duplicate work");
        let duplicates = &report.duplicates;
        if duplicates.pairs == 0 {
            return self.none();
        }
        let row = |of: &crate::report::RolePair| {
            let roles = of.roles.each_ref().map(|role| cell(role)).join(" and ");
            joined(&[roles, of.pairs.to_string()], &cost(&of.not_needed))
        };
        self.line("What the one of each pair used that was not needed:\n");
        self.table(&joined(&["roles", "#pairs"], &COST), duplicates.by_roles.iter().map(row));
        let row = |pair: &crate::report::Pair| {
            let paths: Vec<String> = pair.paths.iter().map(|path| cell(path)).collect();
            let made = |change: &str, lane: &str| format!("{change} ({})", cell(lane));
            let (first, second) = (made(&pair.first, &pair.first_lane), made(&pair.second, &pair.second_lane));
            vec![first, second, paths.join(", "), pair.not_needed.clone(), dollars(pair.cost.usd_micros)]
        };
        let list = duplicates.list.iter().take(LISTED_MAX).map(row);
        self.table(&["first", "second", "paths of both", "not needed", "#usd"], list);
    }

    pub(super) fn rework(&mut self, report: &Report) {
        self.heading("Rework");
        let rework = &report.rework;
        if rework.attempts == 0 {
            return self.none();
        }
        let row = |who: String, attempts: u64, time_us: u64, of: &crate::report::Cost| {
            joined(&[who, attempts.to_string(), time(time_us)], &cost(of))
        };
        let mut rows = vec![row("**all**".to_owned(), rework.attempts, rework.time_us, &rework.cost)];
        rows.extend(rework.by_role.iter().map(|of| row(cell(&of.role), of.attempts, of.time_us, &of.cost)));
        self.table(&joined(&["role", "#attempts", "#time"], &COST), rows);
        self.counts("given back before because", &rework.by_reason);
    }

    pub(super) fn handoffs(&mut self, report: &Report) {
        self.heading("Hand-overs and reviews");
        let (handoffs, reviews) = (&report.handoffs, &report.reviews);
        if handoffs.offered == 0 && reviews.given == 0 {
            return self.none();
        }
        let parts = [
            ("packets offered", handoffs.offered.to_string()),
            ("accepted", handoffs.accepted.to_string()),
            ("refused", format!("{} with {} flaws", handoffs.refused, handoffs.flaws)),
            ("attempts whose packet was refused", handoffs.refused_attempts.to_string()),
        ];
        self.line(&format!("{}\n", told(&parts)));
        let row = |debt: &Debt| {
            let questions = debt.questions.map_or("?".to_owned(), |questions| questions.to_string());
            let of = |us: Option<u64>| us.map_or("–".to_owned(), time);
            let numbers = [debt.accepted, debt.attempts, debt.bytes].map(|number| number.to_string());
            let waits = [of(debt.wait_us.p95), of(debt.to_progress_us.p95)];
            let calls = [debt.to_progress.calls, debt.to_progress.tokens_in].map(|number| number.to_string());
            let again = [debt.redone.calls.to_string(), dollars(debt.redone.usd_micros)];
            [std::slice::from_ref(&debt.purpose), &numbers, &[questions], &waits, &calls, &again].concat()
        };
        let heads = [
            "purpose",
            "#accepted",
            "#attempts",
            "#bytes",
            "#questions",
            "#wait p95",
            "#to progress p95",
            "#calls to progress",
            "#tokens read",
            "#calls redone",
            "#usd redone",
        ];
        self.table(&heads, handoffs.by_purpose.iter().map(row));
        let parts = [
            ("reviews", reviews.given.to_string()),
            ("approved", reviews.approved.to_string()),
            ("returned", reviews.returned.to_string()),
            ("items that fell", format!("{} of {}", reviews.items_fallen, reviews.items)),
            ("rounds at most", reviews.rounds_max.to_string()),
        ];
        self.line(&format!("{}\n", told(&parts)));
    }

    pub(super) fn faults(&mut self, report: &Report) {
        self.heading("Faults");
        if report.faults.is_empty() {
            return self.none();
        }
        let row = |fault: &crate::report::FaultFigures| {
            let first = fault.first_us.map_or("–".to_owned(), time);
            let recovery = fault.recovery_us.map_or("not felt".to_owned(), time);
            let targets: Vec<String> = fault.targets.iter().map(|(target, _)| cell(target)).collect();
            let mut targets = targets.join(", ");
            if targets.len() > 60 {
                targets = format!("{} targets", fault.targets.iter().count());
            }
            let counts = [fault.injected, fault.felt_records].map(|count| count.to_string());
            [&[fault.id.to_string(), cell(&fault.kind), targets], &counts[..], &[first, recovery]].concat()
        };
        let heads = ["#fault", "kind", "struck", "#injected", "#felt in records", "#first", "#recovery"];
        self.table(&heads, report.faults.iter().map(row));
    }

    pub(super) fn people(&mut self, report: &Report) {
        self.heading("People, rules and commands");
        let people = &report.people;
        let approvals = &people.approvals;
        let parts = [
            ("approvals asked", approvals.asked.to_string()),
            ("given", approvals.approved.to_string()),
            ("denied", approvals.denied.to_string()),
            ("timed out", approvals.timed_out.to_string()),
            ("open", approvals.open.to_string()),
            ("waited p95", approvals.wait_us.p95.map_or("–".to_owned(), time)),
            ("pauses", format!("{} for {}", people.pauses.count, time(people.pauses.total_us))),
        ];
        self.line(&format!("{}\n", told(&parts)));
        self.counts("approval asked about", &approvals.by_subject);
        if !people.overrides.is_empty() {
            let row = |passed: &crate::report::Override| {
                let who = [passed.gate.as_str(), passed.tree.as_str(), passed.by.as_str(), passed.reason.as_str()];
                [vec![time(passed.t_us), passed.change.clone()], who.map(cell).to_vec()].concat()
            };
            self.table(&["override at", "change", "gate", "tree", "by", "reason"], people.overrides.iter().map(row));
        }
        self.counts("action denied to role", &people.denials.by_role);
        self.counts("action denied of tool", &people.denials.by_tool);
        self.counts("action denied because", &people.denials.by_reason);
        self.counts("action failed of role", &people.failures.by_role);
        self.counts("action failed of tool", &people.failures.by_tool);
        self.counts("action failed because", &people.failures.by_reason);
        self.counts("command", &people.commands);
        self.counts("commands by", &people.commands_by);
        self.counts("command refused because", &people.commands_refused);
    }
}

/// The cells of one change that did not merge.
fn conflict(told: &crate::report::Conflict) -> Vec<String> {
    let paths: Vec<String> = told.paths.iter().map(|path| cell(&path.path)).collect();
    let mut first: Vec<String> = told.paths.iter().flat_map(|path| &path.landed).map(first).collect();
    first.sort_unstable();
    first.dedup();
    let next = told.answered_by.as_deref().map_or("–".to_owned(), cell);
    vec![cell(&told.change), cell(&told.lane), paths.join(", "), first.join(", "), next, told.outcome.word().to_owned()]
}

fn first(landed: &crate::report::LandedFirst) -> String {
    format!("{} of {}", cell(&landed.change), cell(&landed.lane))
}

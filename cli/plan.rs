//! `baton plan`: what a scenario will take, before anything runs. Makes nothing on the disk.

use crate::answer::{Answer, mutter, talk};
use crate::arguments::Plan as Wanted;
use crate::say::{self, counted, duration, size};
use crate::{git_program, load};
use baton_scenarios::file;
use baton_scenarios::plan::{self, Bound, Count, Dollars, Ground, Handoff, Plan, Verdict};
use baton_scenarios::scenario::{Scenario, Workspace};
use baton_scenarios::skill_shelf;
use baton_world::git::survey;
use std::path::{Path, PathBuf};

/// Rows that are told of one table; the others are counted.
const ROWS_MAX: usize = 40;

/// Plans a scenario file or a shipped scenario.
pub(crate) fn plan(wanted: &Wanted) -> Answer {
    let (name, bytes) = match load::load(&wanted.scenario) {
        Ok(loaded) => loaded,
        Err(why) => return say::wrong_use(&why, wanted.json),
    };
    let checked = file::check_on(&skill_shelf::on_disk, &name, &bytes);
    for faults in checked.all().into_iter().filter(|faults| !faults.list.is_empty()) {
        mutter(&faults.render(wanted.color.wanted()));
    }
    let Some(scenario) = checked.scenario else {
        let mut answer = Answer::new(say::WRONG_USE);
        if wanted.json {
            answer.line(&file::to_json(&checked.all()));
        }
        return answer;
    };
    let ground = match ground(&scenario, wanted.repo.as_deref()) {
        Ok(ground) => ground,
        Err(why) => return say::wrong_use(&why, wanted.json),
    };
    let plan = plan::plan_with(&scenario, &ground, wanted.seed, wanted.world.map(Into::into));
    plan.warnings.iter().for_each(|warning| talk(&format!("warning: {warning}")));
    if wanted.json {
        return Answer::of(&serde_json::to_string(&plan).expect("a plan can be written as JSON"));
    }
    lines(&plan)
}

/// What the work finds: a fixture is known, a repository is looked at.
pub(crate) fn ground(scenario: &Scenario, repository: Option<&Path>) -> Result<Ground, String> {
    let (path, base) = match (repository, &scenario.workspace) {
        (None, Workspace::Fixture { .. }) => {
            return Ok(Ground::of_fixture(scenario).expect("the workspace is a fixture"));
        }
        (None, Workspace::Repository { path, base }) => (PathBuf::from(path), base.clone()),
        (Some(path), Workspace::Repository { base, .. }) => (path.to_owned(), base.clone()),
        (Some(path), Workspace::Fixture { .. }) => (path.to_owned(), None),
    };
    if let Some(complaint) = git_program::complaint() {
        return Err(complaint);
    }
    survey(&path, base.as_deref()).map(Ground::new).map_err(|error| error.to_string())
}

fn lines(plan: &Plan) -> Answer {
    let mut answer = Answer::new(0);
    let (lanes, tasks) = (counted(plan.lanes.into(), "lane"), counted(plan.tasks, "task"));
    let time = format!("about {} (at least {})", duration(plan.time.expected_s), duration(plan.time.low_s));
    answer.line(&format!("{}: {lanes}, {tasks}, seed {}, {}", plan.scenario, plan.seed, plan.world));
    answer.line(&format!("  est. {} · {} calls · {time}", dollars(plan.spend.usd), count(plan.spend.calls)));
    let disk = plan.disk.bytes;
    let disk = format!("{} – {} – {}", size(disk.low), size(disk.expected), size(disk.high));
    answer.line(&format!("  disk {disk} · {} records", count(plan.disk.records)));
    answer.line(&format!("  binds first: {}", plan.binds_first));
    team(plan, &mut answer);
    work(plan, &mut answer);
    leases(plan, &mut answer);
    table(&mut answer, "who hands what to whom", plan.handoffs.iter().map(handoff));
    table(&mut answer, "what it cannot be faster than", plan.time.bounds.iter().map(bound));
    limits(plan, &mut answer);
    answer
}

fn table(answer: &mut Answer, title: &str, rows: impl ExactSizeIterator<Item = String>) {
    let left = rows.len().saturating_sub(ROWS_MAX);
    if rows.len() > 0 {
        answer.line(&format!("\n{title}"));
    }
    rows.take(ROWS_MAX).for_each(|row| answer.line(&format!("  {row}")));
    if left > 0 {
        answer.line(&format!("  … and {left} more (--json has all)"));
    }
}

fn team(plan: &Plan, answer: &mut Answer) {
    let rows = plan.roles.iter().map(|role| {
        let judges = if role.judges > 0 { format!(", judges {}", role.judges) } else { String::new() };
        let (lanes, tasks) = (counted(role.lanes.into(), "lane"), counted(role.tasks, "task"));
        format!("{} · {lanes} on {} · {tasks}{judges} · {}", role.role, role.model, dollars(role.spend.usd))
    });
    table(answer, "roles", rows);
    let rows = plan.models.iter().map(|model| {
        let mut limits = vec![counted(model.lanes.into(), "lane")];
        limits.extend(model.slots.map(|slots| counted(slots.into(), "slot")));
        limits.extend(model.requests_per_minute.map(|rate| format!("{rate} calls/min")));
        limits.extend(model.tokens_per_minute.map(|rate| format!("{rate} tokens/min")));
        format!("{} · {}", model.model, limits.join(" · "))
    });
    table(answer, "models", rows);
}

fn work(plan: &Plan, answer: &mut Answer) {
    let rows = plan.work.iter().map(|entry| {
        let name = entry.name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
        let after: Vec<String> = entry.after.iter().map(usize::to_string).collect();
        let after = if after.is_empty() { String::new() } else { format!(", after {}", after.join(", ")) };
        let review = entry.review.as_ref().map(|role| format!(", judged by {role}")).unwrap_or_default();
        let canonical = entry.canonical.as_ref().map(|path| format!(", writes {path}")).unwrap_or_default();
        let tasks = counted(entry.tasks.into(), "task");
        format!(
            "{}{name} · {tasks} by {}{after}{review} · {}{canonical} · {:.2} attempts each",
            entry.entry, entry.role, entry.touches, entry.attempts
        )
    });
    table(answer, "tasks", rows);
}

fn leases(plan: &Plan, answer: &mut Answer) {
    let rows = plan.leases.iter().map(|lease| {
        let wanting: Vec<String> = lease
            .wanted_by
            .iter()
            .take(ROWS_MAX)
            .map(|want| format!("{} {:.0} %", want.role, want.share * 100.0))
            .collect();
        let wanting = if wanting.is_empty() { "nobody".to_owned() } else { wanting.join(", ") };
        format!(
            "{} per {} · wanted by {wanting} · asked for {} times, held {} of {}",
            lease.resource,
            lease.per,
            lease.requests,
            duration(lease.held_s),
            duration(lease.ttl_s)
        )
    });
    table(answer, "leases", rows);
}

fn handoff(way: &Handoff) -> String {
    let times = if way.times > 0 { format!(" · {}", counted(way.times, "time")) } else { String::new() };
    format!("{} → {} · {}{times}", way.from, way.to, way.what)
}

fn bound(bound: &Bound) -> String {
    let of = if bound.of.is_empty() { String::new() } else { format!(" of {}", bound.of) };
    format!("{}{of} · {} (at least {})", bound.what, duration(bound.expected_s), duration(bound.low_s))
}

fn limits(plan: &Plan, answer: &mut Answer) {
    let rows = plan.limits.iter().map(|limit| {
        let (low, expected, high) = limit.needs;
        let high = high.map(|high| format!(" – {high}")).unwrap_or_default();
        let verdict = match limit.verdict {
            Verdict::Enough => "enough",
            Verdict::ProbablyEnough => "probably enough",
            Verdict::Tight => "tight",
            Verdict::EndsTheRun => "ENDS THE RUN",
        };
        format!("{verdict}: {} allows {}, needed {low} – {expected}{high}", limit.limit, limit.allows)
    });
    table(answer, "limits", rows);
}

fn dollars(usd: Dollars) -> String {
    format!("${:.2} – {:.2} – {:.2}", usd.low, usd.expected, usd.high)
}

fn count(count: Count) -> String {
    format!("{} – {} – {}", count.low, count.expected, count.high)
}

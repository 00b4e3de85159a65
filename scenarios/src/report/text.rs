//! A report on one screen: at most six lines, the sections that have something to tell, what matters most first.

use super::{Distribution, Report, State};
use std::cmp::Reverse;

/// Lines that are shown at most.
const LINES_MAX: usize = 6;
/// States of lanes that are named, those of the most time.
const STATES_MAX: usize = 5;
/// Reasons that are named.
const REASONS_MAX: usize = 3;

/// Whether a line wants to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// It tells.
    Plain,
    /// It tells of something that somebody may want to change.
    Notable,
}

/// One section in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it is about.
    pub label: &'static str,
    /// What there is to tell.
    pub text: String,
    /// Whether it wants to be looked at.
    pub tone: Tone,
}

impl Report {
    /// The sections that have something to tell.
    pub fn lines(&self) -> Vec<Line> {
        let line = |label, tone, parts: Vec<String>| {
            let text = parts.join(" · ");
            (!text.is_empty()).then_some(Line { label, text, tone })
        };
        let ranked = [
            line("time", Tone::Plain, self.time()),
            line("spend", Tone::Plain, self.money()),
            line("landing", Tone::Plain, self.landing()),
            line("again", Tone::Notable, self.again()),
            line("people", Tone::Notable, self.decided()),
            line("hand-over", Tone::Plain, self.handed()),
            line("waits", Tone::Plain, self.waited()),
        ];
        ranked.into_iter().flatten().take(LINES_MAX).collect()
    }

    fn time(&self) -> Vec<String> {
        let total_us = self.lane_time.total_us;
        if total_us == 0 {
            return Vec::new();
        }
        let mut states: Vec<(u64, &str)> =
            State::ALL.iter().map(|(state, word)| (self.lane_time.team_us.of(*state), *word)).collect();
        states.sort_by_key(|(us, _)| Reverse(*us));
        let shown = states.into_iter().take(STATES_MAX).filter(|(us, _)| *us > 0);
        shown.map(|(us, word)| format!("{} {}", spaced(word), share(us, total_us))).collect()
    }

    fn money(&self) -> Vec<String> {
        let (total, wasted) = (self.spend.total, &self.spend.wasted);
        if total.calls == 0 {
            return Vec::new();
        }
        let mut parts = vec![dollars(total.usd_micros), counted(total.calls, "call")];
        parts.push(format!("tokens {} in, {} out", short(total.tokens_in), short(total.tokens_out)));
        let each = self.spend.landed_tasks.run_usd_micros_each.filter(|each| *each > 0);
        parts.extend(each.map(|each| format!("{} a landed task", dollars(each))));
        if wasted.total.calls > 0 {
            parts.push(format!("{} wasted", counted(wasted.total.calls, "call")));
        }
        if wasted.not_made > 0 {
            parts.push(format!("{} not made", counted(wasted.not_made, "call")));
        }
        parts
    }

    fn landing(&self) -> Vec<String> {
        let landings = &self.landings;
        let mut parts: Vec<String> = percentiles("", &landings.latency_us).into_iter().collect();
        let mut refusals: Vec<(&str, u64)> = landings.refusals.iter().collect();
        refusals.sort_by_key(|(_, count)| Reverse(*count));
        let refusals: Vec<String> =
            refusals.iter().take(REASONS_MAX).map(|(reason, count)| format!("{count} {reason}")).collect();
        if !refusals.is_empty() {
            parts.push(format!("refused: {}", refusals.join(", ")));
        }
        if let Some((path, count)) = landings.conflicts.by_path.most().filter(|(_, count)| *count > 1) {
            parts.push(format!("most in {} ({count})", plain(path)));
        }
        parts
    }

    fn waited(&self) -> Vec<String> {
        let waits = [
            ("merge queue", &self.landings.queue_wait_us),
            ("lease", &self.waits.leases.wait_us),
            ("slot", &self.waits.slots.wait_us),
            ("door", &self.waits.doors.wait_us),
        ];
        let worth = waits.iter().filter(|(_, wait)| wait.max.is_some_and(|max| max > 0));
        worth.filter_map(|(what, wait)| Some(format!("{what} p95 {}", time(wait.p95?)))).collect()
    }

    fn again(&self) -> Vec<String> {
        let mut parts = Vec::new();
        let (duplicates, rework) = (&self.duplicates, &self.rework);
        if rework.attempts > 0 {
            let cost = (counted(rework.attempts, "attempt"), dollars(rework.cost.usd_micros));
            parts.push(format!("{} at work that was given back, {}", cost.0, cost.1));
        }
        if duplicates.pairs > 0 {
            let cost = (counted(duplicates.pairs, "duplicate"), dollars(duplicates.not_needed.usd_micros));
            parts.push(format!("{}, {} not needed", cost.0, cost.1));
        }
        parts
    }

    fn handed(&self) -> Vec<String> {
        let (handoffs, reviews) = (&self.handoffs, &self.reviews);
        let mut parts = Vec::new();
        if handoffs.offered > 0 {
            parts.push(format!("{} accepted, {} refused", counted(handoffs.accepted, "packet"), handoffs.refused));
        }
        if reviews.given > 0 {
            parts.push(format!("{}, {} returned", counted(reviews.given, "review"), reviews.returned));
        }
        let redone: u64 = handoffs.by_purpose.iter().map(|debt| debt.redone.calls).sum();
        if redone > 0 {
            parts.push(format!("{} made again", counted(redone, "call")));
        }
        parts
    }

    fn decided(&self) -> Vec<String> {
        let people = &self.people;
        let approvals = &people.approvals;
        let mut parts = Vec::new();
        if approvals.asked > 0 {
            let asked = counted(approvals.asked, "approval");
            let said = [
                (approvals.approved, "given"),
                (approvals.denied, "denied"),
                (approvals.timed_out, "timed out"),
                (approvals.open, "open"),
            ];
            let said = said.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
            parts.push(format!("{asked} asked: {}", said.collect::<Vec<_>>().join(", ")));
        }
        let refused = people.commands_refused.sum();
        let counts = [
            (people.overrides.len() as u64, "override", ""),
            (people.denials.count, "action", " denied"),
            (people.failures.count, "action", " failed"),
            (people.commands.sum(), "command", ""),
        ];
        for (count, word, how) in counts.into_iter().filter(|(count, ..)| *count > 0) {
            parts.push(format!("{}{how}", counted(count, word)));
        }
        if refused > 0 {
            parts.push(format!("{} refused", counted(refused, "command")));
        }
        if people.pauses.count > 0 {
            parts.push(format!("paused for {}", time(people.pauses.total_us)));
        }
        parts
    }
}

fn percentiles(what: &str, distribution: &Distribution) -> Option<String> {
    let (p50, p95, max) = (distribution.p50?, distribution.p95?, distribution.max?);
    Some(format!("{what}p50 {}, p95 {}, max {}", time(p50), time(p95), time(max)))
}

/// A share in whole percent.
pub(super) fn share(part: u64, whole: u64) -> String {
    match (u128::from(part) * 100 + u128::from(whole) / 2).checked_div(u128::from(whole)) {
        Some(0) if part > 0 => "< 1 %".to_owned(),
        Some(percent) => format!("{percent} %"),
        None => "–".to_owned(),
    }
}

/// `1 call`, `2 calls`.
pub(super) fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// Words of a key, as they are read.
pub(super) fn spaced(word: &str) -> String {
    word.replace('_', " ")
}

/// `40 ms`, `3.2 s`, `12 m 5 s`, `1 h 36 m`.
pub(super) fn time(us: u64) -> String {
    let seconds = us / 1_000_000;
    match us {
        0 => "0 s".to_owned(),
        1..1_000_000 => format!("{} ms", us.div_ceil(1_000)),
        1_000_000..60_000_000 => format!("{seconds}.{} s", us % 1_000_000 / 100_000),
        60_000_000..3_600_000_000 => format!("{} m {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} m", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// `$4.20`; less than a dollar with as much as can be seen of it.
pub(super) fn dollars(micros: u64) -> String {
    match micros {
        0 => "$0".to_owned(),
        1..1_000_000 => format!("${:.4}", micros as f64 / 1e6),
        _ => format!("${:.2}", micros as f64 / 1e6),
    }
}

/// `950`, `1.2 k`, `3.4 M`.
pub(super) fn short(count: u64) -> String {
    match count {
        0..1_000 => count.to_string(),
        1_000..1_000_000 => format!("{}.{} k", count / 1_000, count % 1_000 / 100),
        _ => format!("{}.{} M", count / 1_000_000, count % 1_000_000 / 100_000),
    }
}

/// Text from a journal that commands no terminal.
pub(super) fn plain(text: &str) -> String {
    let odd = |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if odd(c) { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_in_a_size_that_can_be_read() {
        let times = [0, 1, 40_000, 3_250_000, 725_000_000, 5_760_000_000].map(time);
        assert_eq!(times, ["0 s", "1 ms", "40 ms", "3.2 s", "12 m 5 s", "1 h 36 m"]);
        assert_eq!([0, 21_000, 4_200_000].map(dollars), ["$0", "$0.0210", "$4.20"]);
        assert_eq!([999, 1_250, 3_400_000].map(short), ["999", "1.2 k", "3.4 M"]);
        assert_eq!([share(1, 1_000), share(1, 2), share(0, 5), share(1, 0)], ["< 1 %", "50 %", "0 %", "–"]);
    }
}

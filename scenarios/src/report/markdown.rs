//! A report as Markdown: every figure of it, in tables.

mod sections;

use super::text::{dollars, plain, spaced, time};
use super::{Cost, Counts, Distribution, Report};
use std::fmt::Write;

/// A document that is being written.
struct Page(String);

impl Report {
    /// The report as JSON, for people and programs.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain values can be written as JSON")
    }

    /// The whole report as Markdown.
    pub fn to_markdown(&self) -> String {
        let mut page = Page(String::new());
        page.head(self);
        page.promises(self);
        page.expectations(self);
        page.lane_time(self);
        page.waits(self);
        page.landings(self);
        page.spend(self);
        page.duplicates(self);
        page.rework(self);
        page.handoffs(self);
        page.faults(self);
        page.people(self);
        page.0
    }
}

impl Page {
    fn line(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push('\n');
    }

    fn heading(&mut self, text: &str) {
        self.line(&format!("\n## {text}\n"));
    }

    /// A table with its heads; those of numbers begin with `#` and stand on the right.
    fn table(&mut self, heads: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        let named = heads.iter().map(|head| head.trim_start_matches('#'));
        self.line(&format!("| {} |", named.collect::<Vec<_>>().join(" | ")));
        let rules = heads.iter().map(|head| if head.starts_with('#') { "---:" } else { "---" });
        self.line(&format!("| {} |", rules.collect::<Vec<_>>().join(" | ")));
        for row in rows {
            assert_eq!(row.len(), heads.len(), "a row has a cell under each head");
            self.line(&format!("| {} |", row.join(" | ")));
        }
        self.line("");
    }

    /// Counts by word; nothing where there is none.
    fn counts(&mut self, what: &str, counts: &Counts) {
        if counts.sum() > 0 {
            let row = |(word, count): (&str, u64)| vec![cell(word), count.to_string()];
            self.table(&[what, "#count"], counts.iter().map(row).collect::<Vec<_>>());
        }
    }

    fn none(&mut self) {
        self.line("None.\n");
    }

    fn head(&mut self, report: &Report) {
        let Report { scenario, seed, world, run, version, records, end_us, tasks, .. } = report;
        let control = if report.control { ", the control run without the merger" } else { "" };
        self.line(&format!("# Report of {}{control}\n", cell(scenario)));
        let verdict = report.judged.verdict.map_or("none".to_owned(), |verdict| super::sample::word(&verdict));
        let code = report.judged.exit_code.map_or(String::new(), |code| format!(" (exit code {code})"));
        let ended =
            report.ended.map_or("it did not end: whatever is open ends with the last record", |ended| ended.word());
        let rows = [
            ("verdict", format!("{verdict}{code}")),
            ("ended", ended.to_owned()),
            ("time", time(*end_us)),
            (
                "tasks",
                format!("{} added, {} done, {} given up, {} open", tasks.added, tasks.done, tasks.failed, tasks.open),
            ),
            ("run", format!("{} · seed {seed} · {world} · version {}", cell(run), cell(version))),
            ("records", records.to_string()),
        ];
        let damage = report.damage.as_ref().map(|damage| ("DAMAGE", cell(damage)));
        let rows = damage.into_iter().chain(rows).map(|(what, told)| vec![what.to_owned(), told]);
        self.table(&["what", "is"], rows.collect::<Vec<_>>());
        self.line("Figures are defined in docs/report.md of the product. Percentiles are by nearest rank.");
    }
}

/// Foreign text in a cell of a table.
fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in plain(text).chars() {
        match letter {
            '|' => out.push_str("\\|"),
            '<' => out.push_str("&lt;"),
            '`' | '*' | '_' | '[' | ']' | '\\' => {
                out.push('\\');
                out.push(letter);
            }
            letter => out.push(letter),
        }
    }
    out
}

/// The heads of a cost.
const COST: [&str; 4] = ["#calls", "#tokens in", "#tokens out", "#usd"];

fn cost(cost: &Cost) -> Vec<String> {
    let Cost { calls, tokens_in, tokens_out, usd_micros } = cost;
    vec![calls.to_string(), tokens_in.to_string(), tokens_out.to_string(), dollars(*usd_micros)]
}

/// The heads of a distribution of times.
const SPREAD: [&str; 5] = ["#count", "#p50", "#p95", "#p99", "#max"];

fn spread(distribution: &Distribution) -> Vec<String> {
    let Distribution { count, p50, p95, p99, max, .. } = distribution;
    let told = |sample: &Option<u64>| sample.map_or("–".to_owned(), time);
    let mut cells = vec![count.to_string()];
    cells.extend([p50, p95, p99, max].map(told));
    cells
}

/// Cells and heads one after the other.
fn joined<T: Clone>(first: &[T], then: &[T]) -> Vec<T> {
    [first, then].concat()
}

/// Writes `key: value` of a list that is too short for a table.
fn told(parts: &[(&str, String)]) -> String {
    let mut out = String::new();
    for (at, (what, value)) in parts.iter().enumerate() {
        let comma = if at == 0 { "" } else { " · " };
        // Writing into a string cannot fail.
        let _ = write!(out, "{comma}{} {value}", spaced(what));
    }
    out
}

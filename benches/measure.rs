//! How everything here is measured: contestants take turns, and ratios are taken within a turn before their median is.
//!
//! A machine that is shared with other work is noisy for seconds at a time; two contestants that run right after one
//! another mostly meet the same noise, so a ratio holds better than either figure.

#![allow(dead_code, reason = "each bench uses its part")]

use baton_world::Stopwatch;
use baton_world::clock::unix_seconds;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One competition takes no longer, if one round does not.
const SECONDS_MAX: f64 = 18.0;

/// One contestant: its name, and one turn of it, which answers with a rate: more is better.
pub(crate) struct Contestant<'a> {
    name: &'static str,
    turn: Box<dyn FnMut() -> f64 + 'a>,
    rates: Vec<f64>,
}

impl<'a> Contestant<'a> {
    pub(crate) fn new(name: &'static str, turn: impl FnMut() -> f64 + 'a) -> Contestant<'a> {
        Contestant { name, turn: Box::new(turn), rates: Vec::new() }
    }
}

/// Lets everybody take up to `rounds` turns after one for warming up, fewer on a machine so busy that they take more than
/// [`SECONDS_MAX`], and prints a row for each: the median rate, and the median of the first contestant's rate over its own.
pub(crate) fn compete(what: &str, rounds: usize, mut contestants: Vec<Contestant<'_>>) {
    let watch = Stopwatch::start();
    let (mut round, mut longest_s) = (0, 0.0_f64);
    while round <= rounds && (round < 4 || watch.seconds() + longest_s < SECONDS_MAX) {
        let begun_s = watch.seconds();
        for contestant in &mut contestants {
            let rate = (contestant.turn)();
            if round > 0 {
                contestant.rates.push(rate);
            }
        }
        longest_s = longest_s.max(watch.seconds() - begun_s);
        round += 1;
    }
    let ours = contestants[0].rates.clone();
    for contestant in &contestants {
        let ratios: Vec<f64> = ours.iter().zip(&contestant.rates).map(|(ours, theirs)| ours / theirs).collect();
        let (low, high) = (quantile(&ratios, 0.0), quantile(&ratios, 1.0));
        let (name, rate) = (contestant.name, thousands(quantile(&contestant.rates, 0.5)));
        println!(
            "| {what} | {name} | {rate} | {:.2} ({low:.2} to {high:.2}) | {} |",
            quantile(&ratios, 0.5),
            ratios.len()
        );
    }
}

/// The head of the table that [`compete`] fills.
pub(crate) fn table(rate: &str) {
    println!("| what | contestant | {rate} (median) | first contestant ÷ this one: median (range) | rounds |");
    println!("|---|---|---|---|---|");
}

/// What every result begins with. No host, no path.
pub(crate) fn heading(title: &str, command: &str, about: &str) {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": unknown processor");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("# {title}\n");
    println!(
        "- machine: {cores} cores, {}; virtual, shared with other work",
        model.trim_start_matches([' ', '\t', ':'])
    );
    println!("- date: {}", today());
    println!("- command: `{command}`");
    println!(
        "- noise: other builds share these cores and this disk, so figures vary; ratios are taken within a round\n"
    );
    println!("{about}\n");
}

/// The value below which a share of `values` lies.
pub(crate) fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

/// `1,234,567`.
pub(crate) fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Days since 1970 as a date of the Gregorian calendar, counted from March so that leap days come last.
fn today() -> String {
    let days = unix_seconds() / 86_400 + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    format!("{year}-{month:02}-{day:02}")
}

/// What a writer waits for.
pub(crate) type Release = Box<dyn FnOnce() + Send>;

/// `writers` writers in a closed loop: each submits one record and waits until it is released before it submits the
/// next. They share one thread, as the actors of a team do, and which of them is released does not matter.
pub(crate) fn closed_loop(writers: usize, records: usize, mut submit: impl FnMut(Release)) {
    let shared = Arc::new((AtomicUsize::new(0), std::thread::current()));
    let (mut submitted, mut durable) = (0, 0);
    while durable < records {
        while submitted < records.min(durable + writers) {
            let shared = shared.clone();
            submit(Box::new(move || {
                shared.0.fetch_add(1, Ordering::Release);
                shared.1.unpark();
            }));
            submitted += 1;
        }
        match shared.0.swap(0, Ordering::Acquire) {
            0 => std::thread::park(),
            released => durable += released,
        }
    }
}

//! Times: `250ms`, `8s`, `10m`, `2h`, `1d`, and sums of them from large to small, `1h30m`.
//!
//! Owns their spelling and bounds, and the waiting times that are made of two of them.

use super::codes::Code;
use super::faults::Sink;
use super::scalar::{Field, Scalar, shown};
use super::source::Span;
use super::table::Table;
use crate::scenario::Latency;

/// Units from large to small, in microseconds.
const UNITS: [(&str, u64); 5] =
    [("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000)];

/// Longest time that a file can state, in days.
const DAYS_MAX: u64 = 1_000;

/// Whether `0s` makes sense.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Zero {
    /// Points in time, counted from the beginning.
    Allowed,
    /// Things that take time.
    Refused,
}

/// When the run is stopped at the latest, and where that is written.
#[derive(Clone, Copy)]
pub(crate) struct End {
    pub(crate) after_us: u64,
    pub(crate) at: Span,
}

impl Field<'_> {
    /// A time of the run at which something is to happen; a warning if the run has been stopped by then.
    pub(crate) fn time_of_run(&self, sink: &mut Sink, end: Option<End>) -> Option<u64> {
        let at_us = self.duration(sink, Zero::Allowed)?;
        if let Some(end) = end.filter(|end| at_us > end.after_us) {
            sink.error(Code::AfterEnd, self.node.span, "this is to happen after the run has been stopped")
                .label("never comes")
                .also(end.at, "stopped here at the latest")
                .help("give it an earlier `at`, or `stop.after` a longer time");
        }
        Some(at_us)
    }

    /// A time in microseconds.
    pub(crate) fn duration(&self, sink: &mut Sink, zero: Zero) -> Option<u64> {
        let scalar = self.scalar(sink, "a time with its unit: `8s`")?;
        let Some(micros) = parse(scalar.text) else {
            self.not_duration(sink, scalar);
            return None;
        };
        let help = if micros > DAYS_MAX * UNITS[0].1 {
            format!("write at most `{DAYS_MAX}d`")
        } else if micros == 0 && zero == Zero::Refused {
            "write a time that is longer than nothing: `8s`".to_owned()
        } else {
            return Some(micros);
        };
        sink.error(Code::OutOfBounds, scalar.span, format!("`{}` cannot be {}", self.name, shown(scalar.text)))
            .label("out of bounds")
            .help(help);
        None
    }

    fn not_duration(&self, sink: &mut Sink, scalar: Scalar<'_>) {
        sink.error(Code::NotDuration, scalar.span, format!("`{}`: {} is not a time", self.name, shown(scalar.text)))
            .label("a time with its unit is expected")
            .help(cure(scalar.text));
    }
}

/// What the author could have meant.
fn cure(text: &str) -> String {
    let digits = text.trim_start_matches('-').replace('_', "");
    if digits.len() <= 9 && digits.parse::<u32>().is_ok() {
        return format!("write `{digits}s`, or with another unit of `ms`, `s`, `m`, `h`, `d`");
    }
    let at = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let known = UNITS.iter().find(|(name, _)| *name == unit);
    if let (Ok(number), Some((_, micros))) = (number.trim().parse::<f64>(), known) {
        let millis = number * *micros as f64 / 1_000.0;
        if (1.0..1e12).contains(&millis) && millis.fract() == 0.0 {
            return format!("write `{}`", whole(millis as u64));
        }
    }
    "write whole numbers with units from large to small: `250ms`, `8s`, `10m`, `2h`, `1d`, `1h30m`".to_owned()
}

/// Milliseconds in the largest unit that divides them.
fn whole(millis: u64) -> String {
    let fits = UNITS.iter().find(|(_, micros)| (millis * 1_000).is_multiple_of(*micros));
    fits.map_or_else(|| format!("{millis}ms"), |(unit, micros)| format!("{}{unit}", millis * 1_000 / micros))
}

/// The time in microseconds, as large as 64 bits can hold; `None` if it is misspelt.
pub(crate) fn parse(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total: u64 = 0;
    let mut units = UNITS.iter();
    while !rest.is_empty() {
        let (number, behind) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let (unit, behind) = behind.split_at(behind.find(|c: char| c.is_ascii_digit()).unwrap_or(behind.len()));
        if number.is_empty() {
            return None;
        }
        // Units that were passed over do not come back, so that parts stand from large to small.
        let (_, micros) = units.find(|(name, _)| *name == unit)?;
        total = total.saturating_add(number.parse::<u64>().unwrap_or(u64::MAX).saturating_mul(*micros));
        rest = behind;
    }
    (!text.is_empty()).then_some(total)
}

/// `{ median: 8s, p99: 60s }`.
pub(crate) fn latency(sink: &mut Sink, field: Field<'_>) -> Option<Latency> {
    let mut table = Table::open(sink, field, "a waiting time")?;
    let (mut median_at, mut p99_at) = (field.at, field.at);
    let median_us = table.need(sink, "median", |sink, field| {
        median_at = field.node.span;
        field.duration(sink, Zero::Refused)
    });
    let p99_us = table.need(sink, "p99", |sink, field| {
        p99_at = field.node.span;
        field.duration(sink, Zero::Refused)
    });
    table.close(sink);
    let latency = Latency { median_us: median_us?, p99_us: p99_us? };
    if latency.p99_us < latency.median_us {
        sink.error(Code::Percentile, p99_at, "the 99th percentile lies below the median")
            .label("smaller than the median")
            .also(median_at, "the median")
            .help("give a `p99` that is at least the `median`");
        return None;
    }
    Some(latency)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_exactly() {
        for (text, micros) in [
            ("250ms", Some(250_000)),
            ("8s", Some(8_000_000)),
            ("10m", Some(600_000_000)),
            ("1h30m", Some(5_400_000_000)),
            ("1d2h3m4s5ms", Some(93_784_005_000)),
            ("0s", Some(0)),
            ("99999999999999999999d", Some(u64::MAX)),
            ("30m1h", None),
            ("1h1h", None),
            ("8", None),
            ("s", None),
            ("8 s", None),
            ("1.5s", None),
            ("-8s", None),
            ("8S", None),
            ("", None),
        ] {
            assert_eq!(parse(text), micros, "{text:?}");
        }
    }
}

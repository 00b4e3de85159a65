//! How many figures are told as few: counts by word, and distributions with percentiles by nearest rank.

use baton_record::Event;
use serde::Serialize;
use serde::ser::Serializer;
use std::collections::BTreeMap;

/// How a number is distributed. Its unit stands in the name of the key that has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Distribution {
    /// How many samples.
    pub count: u64,
    /// Their sum.
    pub total: u64,
    /// The median; `None` without a sample, like the others.
    pub p50: Option<u64>,
    /// The 95th percentile.
    pub p95: Option<u64>,
    /// The 99th percentile.
    pub p99: Option<u64>,
    /// The largest.
    pub max: Option<u64>,
}

/// Samples that are being gathered.
#[derive(Clone, Debug, Default)]
pub(super) struct Samples(Vec<u64>);

impl Samples {
    pub(super) fn add(&mut self, sample: u64) {
        self.0.push(sample);
    }

    pub(super) fn together(several: &[Samples]) -> Samples {
        Samples(several.iter().flat_map(|samples| samples.0.iter().copied()).collect())
    }

    /// Nearest rank: the percentile `p` of `n` samples is the one at place `ceil(p * n / 100)` of them in ascending order.
    pub(super) fn distribution(mut self) -> Distribution {
        self.0.sort_unstable();
        let count = self.0.len();
        let at = |percent: usize| (percent * count).div_ceil(100).checked_sub(1).map(|place| self.0[place]);
        Distribution {
            count: count as u64,
            total: self.0.iter().fold(0, |total, sample| total.saturating_add(*sample)),
            p50: at(50),
            p95: at(95),
            p99: at(99),
            max: self.0.last().copied(),
        }
    }
}

/// How often each word came, by word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<String, u64>);

impl Counts {
    /// One more.
    pub(super) fn add(&mut self, word: impl Into<String>) {
        *self.0.entry(word.into()).or_default() += 1;
    }

    /// The words and how often each came, in the order of the alphabet.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(word, count)| (word.as_str(), *count))
    }

    /// How often this word came.
    pub fn of(&self, word: &str) -> u64 {
        self.0.get(word).copied().unwrap_or_default()
    }

    /// All together.
    pub fn sum(&self) -> u64 {
        self.0.values().sum()
    }

    /// The word that came most often; of several the first.
    pub fn most(&self) -> Option<(&str, u64)> {
        self.iter().reduce(|most, next| if next.1 > most.1 { next } else { most })
    }
}

impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// The word that a value without data has in the journal.
pub(super) fn word(value: &impl Serialize) -> String {
    let written = serde_json::to_value(value).ok();
    let word = written.as_ref().and_then(serde_json::Value::as_str);
    word.expect("a value without data is written as a word").to_owned()
}

/// The `kind` of a record.
pub(super) fn kind(event: &Event) -> String {
    let written = serde_json::to_value(event).ok();
    let kind = written.as_ref().and_then(|record| record["kind"].as_str());
    kind.expect("every record has a kind").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(samples: &[u64], expected: [Option<u64>; 4]) {
        let Distribution { p50, p95, p99, max, .. } = Samples(samples.to_vec()).distribution();
        assert_eq!([p50, p95, p99, max], expected, "{samples:?}");
    }

    #[test]
    fn a_percentile_is_the_sample_at_the_nearest_rank() {
        check(&[], [None; 4]);
        check(&[7], [Some(7); 4]);
        check(&[2, 1], [Some(1), Some(2), Some(2), Some(2)]);
        let hundred: Vec<u64> = (1..=100).rev().collect();
        check(&hundred, [Some(50), Some(95), Some(99), Some(100)]);
        let more: Vec<u64> = (1..=101).collect();
        check(&more, [Some(51), Some(96), Some(100), Some(101)]);
    }

    #[test]
    fn a_word_is_that_of_the_journal() {
        assert_eq!(word(&baton_record::event::RefuseReason::StaleFence), "stale-fence");
    }
}

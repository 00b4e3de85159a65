//! Which prefixes of a batch have to be tried before main may move, and whom a red one is to be blamed on.
//!
//! A batch is a row of changes, each merged on top of those before it. Prefix `n` is main with the first `n` of them;
//! prefix 0 is main itself, prefix `len` the whole. Trying a prefix means running the gates on exactly its tree.
//! Knows no tree, no gate and no clock: it is asked what to try next and told what came of it.

use std::collections::BTreeSet;

/// How far main may go at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stride {
    /// To the end of the batch at once: only prefixes that are needed are tried.
    Tip,
    /// Change by change: every prefix is tried.
    Each,
}

/// How many changes are tried together at most: more after each batch that was green, fewer after several that were not.
///
/// A guess about the next batch and no more: whoever forgets it begins with the most.
#[derive(Clone, Copy, Debug)]
pub struct BatchLimit {
    now: u32,
    most: u32,
    reds_in_a_row: u32,
}

impl BatchLimit {
    /// Never more than `most`, and at first so many.
    pub fn new(most: u32) -> BatchLimit {
        BatchLimit { now: most.max(1), most: most.max(1), reds_in_a_row: 0 }
    }

    /// The limit for the next batch, 1 at least.
    pub fn now(&self) -> u32 {
        self.now
    }

    /// Takes in how a batch of `len` changes went. One red says little about the next; from the second in a row on, each
    /// halves it.
    pub fn learn(&mut self, len: u32, green: bool) {
        self.reds_in_a_row = if green { 0 } else { self.reds_in_a_row + 1 };
        self.now = match self.reds_in_a_row {
            0 => self.now.saturating_mul(2).min(self.most),
            1 => self.now,
            _ => (len / 2).max(1),
        };
    }
}

/// What came of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The whole batch may land.
    Green,
    /// Main itself does not pass: none of the changes is to be blamed.
    MainRed,
    /// The first `green` changes may land; the one after them is the first that does not pass.
    Red {
        /// So many changes may land. The next one, counted from 0, is the culprit.
        green: u32,
    },
}

/// A batch and what is known of its prefixes.
#[derive(Clone, Debug)]
pub struct Batch {
    len: u32,
    stride: Stride,
    /// Whether prefix 0 is known to pass.
    main_green: bool,
    /// The longest prefix up to which main may go; 0: none, or main itself.
    green: u32,
    /// Prefixes that have passed before one below them was known to: of a batch that goes change by change.
    ahead: BTreeSet<u32>,
    /// The shortest prefix above it that is known not to pass.
    red: Option<u32>,
    main_red: bool,
}

impl Batch {
    /// A batch of `len` changes; `main_green`: main is known to pass.
    pub fn new(len: u32, stride: Stride, main_green: bool) -> Batch {
        Batch { len, stride, main_green, green: 0, ahead: BTreeSet::new(), red: None, main_red: false }
    }

    /// A batch of which the whole is known to be red.
    pub fn red(len: u32) -> Batch {
        Batch { red: Some(len), ..Batch::new(len, Stride::Tip, false) }
    }

    /// Prefixes worth trying now, the most useful first, at most `slots`. Empty as soon as [`Batch::finding`] knows.
    pub fn wanted(&self, slots: u32) -> Vec<u32> {
        if self.finding().is_some() || slots == 0 {
            return Vec::new();
        }
        let end = self.red.unwrap_or(self.len + 1);
        match (self.stride, self.red) {
            (Stride::Each, _) if self.green + 1 < end => {
                let unknown = (self.green + 1..end).filter(|prefix| !self.ahead.contains(prefix));
                unknown.take(slots as usize).collect()
            }
            (Stride::Tip, None) => vec![self.len],
            (Stride::Tip, Some(red)) if red - self.green > 1 => between(self.green, red, slots),
            _ => vec![0],
        }
    }

    /// Takes in whether a prefix passed. What contradicts what is known already (gates are not always of one mind) is
    /// decided for the longer green prefix: it is that tree which passed.
    pub fn learn(&mut self, prefix: u32, passed: bool) {
        assert!(prefix <= self.len, "a prefix is a part of its batch");
        match (prefix, passed) {
            (0, true) => self.main_green = true,
            (0, false) => self.main_red = true,
            (_, true) => self.pass(prefix),
            (_, false) if prefix > self.green => {
                self.red = Some(self.red.map_or(prefix, |red| red.min(prefix)));
                self.ahead.retain(|ahead| *ahead < prefix);
            }
            _ => {}
        }
        assert!(self.red.is_none_or(|red| self.green < red), "main goes only where everything below has passed");
    }

    /// Main may go to this prefix, as soon as it may go to those before it where it goes change by change.
    fn pass(&mut self, prefix: u32) {
        if self.red.is_some_and(|red| prefix >= red) {
            return;
        }
        match self.stride {
            Stride::Tip => self.green = self.green.max(prefix),
            Stride::Each if prefix <= self.green => {}
            Stride::Each => {
                self.ahead.insert(prefix);
                while self.ahead.remove(&(self.green + 1)) {
                    self.green += 1;
                }
            }
        }
    }

    /// Only the first `len` changes are left of it: one behind them is there no more.
    pub fn cut(&mut self, len: u32) {
        assert!(len <= self.len, "a batch is cut shorter");
        self.len = len;
        self.green = self.green.min(len);
        self.ahead.retain(|ahead| *ahead <= len);
        self.red = self.red.filter(|red| *red <= len);
    }

    /// The longest prefix that is known to pass; 0: none but perhaps main.
    pub fn green(&self) -> u32 {
        self.green
    }

    /// What came of it, once it is known.
    pub fn finding(&self) -> Option<Finding> {
        match self.red {
            _ if self.green == self.len => Some(Finding::Green),
            Some(red) if red == self.green + 1 => match self.green {
                0 if self.main_red => Some(Finding::MainRed),
                0 if !self.main_green => None,
                green => Some(Finding::Red { green }),
            },
            _ => None,
        }
    }
}

/// At most `slots` prefixes that divide what lies between two evenly.
fn between(green: u32, red: u32, slots: u32) -> Vec<u32> {
    let (inner, slots) = (red - green - 1, slots.min(red - green - 1));
    let at = |slot: u32| green + 1 + (u64::from(inner) * u64::from(slot) / u64::from(slots + 1)) as u32;
    let mut places: Vec<u32> = (1..=slots).map(at).collect();
    places.dedup();
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a batch against `passes`, with `slots` at once; the finding and the number of prefixes tried.
    fn search(mut batch: Batch, slots: u32, passes: impl Fn(u32) -> bool) -> (Finding, u32) {
        let mut tried = 0;
        loop {
            if let Some(finding) = batch.finding() {
                assert!(batch.wanted(slots).is_empty());
                return (finding, tried);
            }
            let wanted = batch.wanted(slots);
            assert!(!wanted.is_empty() && wanted.len() <= slots as usize, "{batch:?}");
            for prefix in wanted {
                tried += 1;
                batch.learn(prefix, passes(prefix));
            }
        }
    }

    #[test]
    fn the_first_change_that_does_not_pass_is_found_and_no_other_is_blamed() {
        for (len, slots, stride) in (1..=40).flat_map(|len| {
            [1, 2, 3, 7].into_iter().flat_map(move |slots| [(len, slots, Stride::Tip), (len, slots, Stride::Each)])
        }) {
            for bad in 1..=len + 1 {
                let (found, _) = search(Batch::new(len, stride, false), slots, |prefix| prefix < bad);
                let expected = if bad > len { Finding::Green } else { Finding::Red { green: bad - 1 } };
                assert_eq!(found, expected, "{len} {slots} {stride:?} {bad}");
            }
        }
    }

    #[test]
    fn a_green_batch_is_tried_once_and_a_red_one_in_the_logarithm_of_its_length() {
        assert_eq!(search(Batch::new(40, Stride::Tip, false), 1, |_| true), (Finding::Green, 1));
        let most = (1..=40).map(|bad| search(Batch::new(40, Stride::Tip, true), 1, |prefix| prefix < bad).1).max();
        assert_eq!(most, Some(7));
    }

    #[test]
    fn main_is_looked_at_before_the_first_change_is_blamed() {
        assert_eq!(search(Batch::new(5, Stride::Tip, false), 1, |_| false).0, Finding::MainRed);
        assert_eq!(search(Batch::new(5, Stride::Each, false), 2, |_| false).0, Finding::MainRed);
        assert_eq!(search(Batch::new(5, Stride::Tip, false), 1, |prefix| prefix == 0).0, Finding::Red { green: 0 });
    }

    #[test]
    fn prefixes_that_are_tried_at_once_may_answer_in_any_order() {
        for (len, turn) in (1..=7).flat_map(|len| (0..len).map(move |turn| (len, turn))) {
            for bad in 1..=len + 1 {
                let mut batch = Batch::new(len, Stride::Each, true);
                let mut asked = batch.wanted(u32::MAX);
                assert_eq!(asked, (1..=len).collect::<Vec<u32>>());
                asked.rotate_left(turn as usize);
                for prefix in asked {
                    assert!(!batch.wanted(u32::MAX).contains(&0), "main is known to pass");
                    batch.learn(prefix, prefix < bad);
                }
                let expected = if bad > len { Finding::Green } else { Finding::Red { green: bad - 1 } };
                assert_eq!(batch.finding(), Some(expected), "{len} {turn} {bad}");
            }
        }
    }

    #[test]
    fn what_is_cut_off_is_neither_waited_for_nor_blamed() {
        let mut batch = Batch::new(5, Stride::Each, true);
        [(2, true), (4, false), (3, true)].into_iter().for_each(|(prefix, passed)| batch.learn(prefix, passed));
        assert_eq!((batch.finding(), batch.wanted(9)), (None, vec![1]));
        batch.cut(3);
        assert_eq!((batch.finding(), batch.wanted(9)), (None, vec![1]));
        batch.learn(1, true);
        assert_eq!(batch.finding(), Some(Finding::Green));
        batch.cut(1);
        assert_eq!((batch.green(), batch.finding()), (1, Some(Finding::Green)));
    }

    #[test]
    fn batches_grow_on_green_and_are_halved_by_the_second_red_in_a_row() {
        let mut limit = BatchLimit::new(20);
        let went = [(20, true), (20, false), (19, false), (9, false), (4, true), (8, false), (8, true)];
        let then: Vec<u32> = went
            .into_iter()
            .map(|(len, green)| {
                limit.learn(len, green);
                limit.now()
            })
            .collect();
        assert_eq!(then, [20, 20, 9, 4, 8, 8, 16]);
        (0..9).for_each(|_| limit.learn(1, false));
        assert_eq!((limit.now(), BatchLimit::new(0).now()), (1, 1));
    }

    #[test]
    fn gates_of_two_minds_end_the_search_at_a_tree_that_passed() {
        for odd in 0_u32..1 << 7 {
            for (stride, slots) in [(Stride::Tip, 1), (Stride::Tip, 3), (Stride::Each, 1), (Stride::Each, 3)] {
                let passes = |prefix: u32| odd >> prefix & 1 == 1;
                if let (Finding::Red { green }, _) = search(Batch::new(6, stride, false), slots, passes) {
                    assert!(passes(green) && !passes(green + 1), "{odd:b} {stride:?} {slots}");
                }
            }
        }
    }
}

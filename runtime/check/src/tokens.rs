//! Owns the search for many texts in many files at once: one pass over the bytes per distinct length,
//! with a rolling hash, so that the cost does not grow with the number of texts.
//!
//! Deliberately does not know what the texts stand for.

/// Texts to look for, and which of them were found.
pub(crate) struct Search {
    /// Ascending by length, then by hash.
    lengths: Vec<SameLength>,
    pub(crate) found: Vec<bool>,
}

struct SameLength {
    length: usize,
    /// Hash, text and place of each text, ascending by hash.
    texts: Vec<(u64, Vec<u8>, usize)>,
    /// One bit per low part of a hash: most windows end here.
    filter: Vec<u64>,
}

const FACTOR: u64 = 0x100_0000_01b3;
const FILTER_BITS: u64 = 1 << 20;

impl Search {
    /// Looks for `texts`; an empty text is never found.
    pub(crate) fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Search {
        let mut by_length: std::collections::BTreeMap<usize, Vec<(u64, Vec<u8>, usize)>> = Default::default();
        let mut count = 0;
        for (place, text) in texts.enumerate() {
            count = place + 1;
            let bytes = text.as_bytes();
            if !bytes.is_empty() {
                by_length.entry(bytes.len()).or_default().push((hash(bytes), bytes.to_vec(), place));
            }
        }
        let lengths = by_length.into_iter().map(|(length, texts)| SameLength::new(length, texts)).collect();
        Search { lengths, found: vec![false; count] }
    }

    /// Marks every text that stands in `bytes`.
    pub(crate) fn through(&mut self, bytes: &[u8]) {
        for same in &self.lengths {
            same.through(bytes, &mut self.found);
        }
    }
}

fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |hash, byte| step(hash, *byte))
}

fn step(hash: u64, byte: u8) -> u64 {
    hash.wrapping_mul(FACTOR).wrapping_add(u64::from(byte) + 1)
}

/// The low bits of such a hash are weak; the high ones are not.
fn bit_of(hash: u64) -> (usize, u64) {
    let bit = (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 44) % FILTER_BITS;
    ((bit / 64) as usize, 1 << (bit % 64))
}

impl SameLength {
    fn new(length: usize, mut texts: Vec<(u64, Vec<u8>, usize)>) -> SameLength {
        texts.sort_unstable();
        let mut filter = vec![0; (FILTER_BITS / 64) as usize];
        for (hash, _, _) in &texts {
            let (word, bit) = bit_of(*hash);
            filter[word] |= bit;
        }
        SameLength { length, texts, filter }
    }

    fn through(&self, bytes: &[u8], found: &mut [bool]) {
        if bytes.len() < self.length {
            return;
        }
        let top = (0..self.length - 1).fold(1_u64, |power, _| power.wrapping_mul(FACTOR));
        let mut rolling = hash(&bytes[..self.length]);
        let mut start = 0;
        loop {
            let (word, bit) = bit_of(rolling);
            if self.filter[word] & bit != 0 {
                self.mark(rolling, &bytes[start..start + self.length], found);
            }
            let Some(next) = bytes.get(start + self.length) else {
                return;
            };
            let gone = (u64::from(bytes[start]) + 1).wrapping_mul(top);
            rolling = step(rolling.wrapping_sub(gone), *next);
            start += 1;
        }
    }

    fn mark(&self, hash: u64, window: &[u8], found: &mut [bool]) {
        let first = self.texts.partition_point(|(other, _, _)| *other < hash);
        for (_, text, place) in self.texts[first..].iter().take_while(|(other, _, _)| *other == hash) {
            found[*place] |= text == window;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_wherever_they_stand_and_nowhere_else() {
        let mut search = Search::of(["one", "two", "three", "", "wo t", "one"].into_iter());
        search.through(b"xtwo tw");
        search.through(b"three");
        search.through(b"on");
        assert_eq!(search.found, [false, true, true, false, true, false]);
        search.through(b"one");
        assert_eq!(search.found, [true, true, true, false, true, true]);
    }
}

//! A figure that is not known yet: what it is at least, what it is expected to be, and what it is at most.

use serde::Serialize;

/// While it is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Figure {
    pub(crate) low: f64,
    pub(crate) expected: f64,
    pub(crate) high: f64,
}

/// A figure of things that are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "each field is what its name says")]
pub struct Count {
    pub low: u64,
    pub expected: u64,
    pub high: u64,
}

/// A figure of dollars.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "each field is what its name says")]
pub struct Dollars {
    pub low: f64,
    pub expected: f64,
    pub high: f64,
}

impl Figure {
    pub(crate) fn plus(self, other: Figure) -> Figure {
        Figure { low: self.low + other.low, expected: self.expected + other.expected, high: self.high + other.high }
    }

    pub(crate) fn times(self, factor: f64) -> Figure {
        Figure { low: self.low * factor, expected: self.expected * factor, high: self.high * factor }
    }

    /// The same, in order: what is expected is never told outside of its bounds.
    pub(crate) fn ordered(self) -> Figure {
        let high = self.high.max(self.low);
        Figure { low: self.low, expected: self.expected.clamp(self.low, high), high }
    }

    /// In whole numbers, the bounds outwards.
    pub(crate) fn count(self) -> Count {
        let Figure { low, expected, high } = self.ordered();
        Count { low: low.floor() as u64, expected: expected.round() as u64, high: high.ceil() as u64 }
    }

    /// From millionths of a dollar, the bounds outwards by one of them.
    pub(crate) fn dollars(self) -> Dollars {
        let Figure { low, expected, high } = self.ordered();
        Dollars { low: low.floor() / 1e6, expected: expected.round() / 1e6, high: high.ceil() / 1e6 }
    }
}

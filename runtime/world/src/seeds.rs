//! The seed tree: every draw of a run descends from one seed by name, so that a draw added in one place shifts no other.
//!
//! Integers and `libm` only: the same numbers on every machine. Knows nothing of what is drawn for.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

/// One node of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seeds([u8; 32]);

impl Seeds {
    /// The root of a run's tree.
    pub fn root(seed: u64) -> Seeds {
        Seeds(Sha256::digest(seed.to_le_bytes()).into())
    }

    /// The child of this name. Different names give unrelated children.
    pub fn child(&self, name: &str) -> Seeds {
        let mut digest = Sha256::new();
        digest.update(self.0);
        digest.update(name.as_bytes());
        Seeds(digest.finalize().into())
    }

    /// A stream of draws from this node.
    pub fn draws(&self) -> Draws {
        Draws(ChaCha8Rng::from_seed(self.0))
    }

    /// 64 bits of this node, for identifiers.
    pub fn bits(&self) -> u64 {
        u64::from_le_bytes(self.0[..8].try_into().expect("a node has 32 bytes"))
    }
}

/// A stream of draws.
#[derive(Clone, Debug)]
pub struct Draws(ChaCha8Rng);

impl Draws {
    /// Uniform below `bound` (multiply and shift; the bias is below `bound / 2^64`). `bound` is at least 1.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "there is nothing to draw from");
        ((u128::from(self.0.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// True for `ppm` of a million draws.
    pub fn chance_ppm(&mut self, ppm: u32) -> bool {
        self.below(1_000_000) < u64::from(ppm)
    }

    /// Log-normal with this median and 99th percentile, both in microseconds; at most 1,000 medians above the latter.
    /// Box-Muller: `exp(ln median + sigma * sqrt(-2 ln u) * cos(2 pi v))`, `sigma = ln(p99 / median) / 2.3263`.
    pub fn latency_us(&mut self, median_us: u64, p99_us: u64) -> u64 {
        if median_us == 0 || p99_us <= median_us {
            return median_us;
        }
        let unit = 1.0 / (1u64 << 53) as f64;
        let u = ((self.0.next_u64() >> 11) + 1) as f64 * unit;
        let v = (self.0.next_u64() >> 11) as f64 * unit;
        let normal = libm::sqrt(-2.0 * libm::log(u)) * libm::cos(2.0 * core::f64::consts::PI * v);
        let sigma = libm::log(p99_us as f64 / median_us as f64) / 2.326_347_874_040_841;
        let drawn = median_us as f64 * libm::exp(sigma * normal);
        drawn.min(p99_us as f64 + 1_000.0 * median_us as f64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_the_same_on_every_machine() {
        let mut draws = Seeds::root(7).child("lane/3").draws();
        assert_eq!(
            (draws.below(1000), draws.below(1000), draws.latency_us(8_000_000, 60_000_000)),
            (828, 167, 17854016)
        );
    }

    #[test]
    fn siblings_are_unrelated_and_parents_are_not_their_children() {
        let root = Seeds::root(1);
        assert_ne!(root.child("a"), root.child("b"));
        assert_ne!(root.child("a").child("b"), root.child("ab"));
        assert_ne!(Seeds::root(1), Seeds::root(2));
    }

    #[test]
    fn a_latency_has_the_median_and_the_tail_that_were_asked_for() {
        let mut draws = Seeds::root(1).draws();
        let mut seen: Vec<u64> = (0..20_000).map(|_| draws.latency_us(8_000, 60_000)).collect();
        seen.sort_unstable();
        assert!((7_700..8_300).contains(&seen[10_000]), "median {}", seen[10_000]);
        assert!((54_000..66_000).contains(&seen[19_800]), "p99 {}", seen[19_800]);
    }
}

//! What is known of main's own line: which of its steps only add files and change the content of files.
//!
//! Such steps compose: if every step from a base to main is one, so is the whole way, and a merge need not look at what
//! else landed meanwhile. That keeps the cost of a merge at the size of the change, however far main has moved on.

use baton_record::Oid;
use std::collections::BTreeMap;

/// Main's commits since the repository was opened.
#[derive(Debug, Default)]
pub(super) struct Lineage {
    places: BTreeMap<Oid, Place>,
    tip: Option<Oid>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    /// Steps before this commit.
    steps: u64,
    /// Of these: steps that do something else than add files and change their content.
    other_steps: u64,
}

impl Lineage {
    /// Main went from `before` to `after`. If somebody else has moved it to `before`, a new line begins there:
    /// nothing is known of the way that led to it, and commits beside one line are not before or after each other.
    pub(super) fn step(&mut self, before: Oid, after: Oid, only_adds: bool) {
        if self.tip.replace(after) != Some(before) {
            self.places.clear();
        }
        let start = Place { steps: 0, other_steps: 0 };
        let Place { steps, other_steps } = *self.places.entry(before).or_insert(start);
        let other_steps = other_steps + u64::from(!only_adds);
        self.places.insert(after, Place { steps: steps + 1, other_steps });
    }

    /// Main was set from outside: nothing is known any more.
    pub(super) fn forget(&mut self) {
        self.places.clear();
        self.tip = None;
    }

    /// Whether the way from `base` to `main` is known to only add files and change their content.
    pub(super) fn only_adds(&self, base: Oid, main: Oid) -> bool {
        let (Some(base), Some(main)) = (self.places.get(&base), self.places.get(&main)) else { return false };
        base.steps <= main.steps && base.other_steps == main.other_steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ways_along_one_line_without_other_steps_are_known() {
        let [a, b, c, d, foreign, e] = [1, 2, 3, 4, 5, 6].map(|number| Oid::from_bytes(&[number; 20]).unwrap());
        let mut lineage = Lineage::default();
        lineage.step(a, b, true);
        lineage.step(b, c, true);
        lineage.step(c, d, false);
        assert!(
            lineage.only_adds(a, c) && lineage.only_adds(b, b) && !lineage.only_adds(b, d) && !lineage.only_adds(c, a)
        );
        // Somebody else moved main: to a commit of his own, or back.
        lineage.step(foreign, e, true);
        assert!(lineage.only_adds(foreign, e) && !lineage.only_adds(a, e) && !lineage.only_adds(a, b));
        lineage.step(foreign, d, true);
        assert!(lineage.only_adds(foreign, d) && !lineage.only_adds(e, d));
        lineage.forget();
        assert!(!lineage.only_adds(foreign, d));
    }
}

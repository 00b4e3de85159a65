//! Objects in memory, bounded by bytes: what was asked for longest ago goes first.

use super::object::Body;
use baton_record::Oid;
use std::collections::BTreeMap;
#[allow(
    clippy::disallowed_types,
    reason = "by key only; what goes first is told by the clock of uses, not by its order"
)]
use std::collections::HashMap;

#[derive(Debug)]
struct Slot {
    body: Body,
    used: u64,
    weight: usize,
}

#[derive(Debug)]
#[allow(clippy::disallowed_types, reason = "by key only")]
pub(super) struct Cache {
    slots: HashMap<Oid, Slot>,
    by_use: BTreeMap<u64, Oid>,
    uses: u64,
    weight: usize,
    weight_max: usize,
}

impl Cache {
    pub(super) fn new(weight_max: usize) -> Cache {
        Cache { slots: Default::default(), by_use: BTreeMap::new(), uses: 0, weight: 0, weight_max }
    }

    pub(super) fn get(&mut self, oid: Oid) -> Option<Body> {
        let slot = self.slots.get_mut(&oid)?;
        self.uses += 1;
        self.by_use.remove(&slot.used);
        self.by_use.insert(self.uses, oid);
        slot.used = self.uses;
        Some(slot.body.clone())
    }

    /// Keeps it, unless it alone would drive out a good part of the rest.
    pub(super) fn put(&mut self, oid: Oid, body: Body) {
        let weight = weight_of(&body);
        if weight > self.weight_max / 8 {
            return;
        }
        self.remove(oid);
        self.uses += 1;
        self.by_use.insert(self.uses, oid);
        self.slots.insert(oid, Slot { body, used: self.uses, weight });
        self.weight += weight;
        while self.weight > self.weight_max {
            let oldest = *self.by_use.first_key_value().expect("what weighs something has a slot").1;
            self.remove(oldest);
        }
    }

    pub(super) fn remove(&mut self, oid: Oid) {
        if let Some(slot) = self.slots.remove(&oid) {
            self.by_use.remove(&slot.used);
            self.weight -= slot.weight;
        }
    }
}

fn weight_of(body: &Body) -> usize {
    const SLOT: usize = 200;
    SLOT + match body {
        Body::Blob(data) => data.len(),
        Body::Tree(tree) => tree.weight(),
        Body::Commit(commit) => {
            let trailers: usize = commit.trailers.iter().map(|(key, value)| 64 + key.len() + value.len()).sum();
            200 + commit.parents.len() * size_of::<Oid>() + commit.author.len() + trailers
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_longest_ago_goes_first_and_the_bound_holds() {
        let oid = |number: u8| Oid::from_bytes(&[number; 20]).unwrap();
        let blob = |len: usize| Body::Blob(vec![0; len].into());
        let mut cache = Cache::new(10_000);
        for number in 0..9 {
            cache.put(oid(number), blob(800));
        }
        assert!(cache.get(oid(0)).is_some());
        cache.put(oid(9), blob(800));
        cache.put(oid(10), blob(800));
        assert!(cache.weight <= 10_000);
        assert!(cache.get(oid(0)).is_some() && cache.get(oid(1)).is_none() && cache.get(oid(10)).is_some());
        cache.put(oid(11), blob(5_000));
        assert!(cache.get(oid(11)).is_none(), "one object never drives out the rest");
    }
}

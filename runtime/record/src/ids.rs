//! Identifiers: small, `Copy`, and numbers on the wire. Names are joined to them once, at the edge.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A lane of this run, numbered from 0 in the order of joining.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LaneId(pub u32);

/// A role that has a lane, numbered from 0 in the order of joining.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RoleId(pub u16);

/// A task of this run, numbered from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskId(pub u32);

/// One attempt at a task: `task * ATTEMPTS_MAX + attempt - 1`, so that an identifier needs nobody to hand it out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChangeId(pub u32);

/// A lease of this run, numbered from 0 in the order of requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LeaseId(pub u32);

/// A leasable resource (a path or `dir/**`), numbered from 0 in the order of naming.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResourceId(pub u16);

/// A packet of this run, numbered from 0 in the order of the offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PacketId(pub u32);

/// A question to a person, numbered from 0 in the order of asking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ApprovalId(pub u32);

/// A model endpoint with a number of slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EndpointId(pub u16);

/// One entry of the scenario's `faults`, numbered from 0 in the order of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FaultId(pub u16);

/// A number that only grows, one per grant of a change lease in a run; the first is 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fence(pub u64);

/// Digest of run, task, attempt and step of an effect: the same effect has the same key. 16 hex digits on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EffectKey(pub u64);

impl Serialize for EffectKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:016x}", self.0))
    }
}

impl<'de> Deserialize<'de> for EffectKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<EffectKey, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16)
            .ok()
            .filter(|number| format!("{number:016x}") == *text)
            .map(EffectKey)
            .ok_or_else(|| serde::de::Error::custom("an effect's key is 16 lower-case hex digits"))
    }
}

/// The number of pause and resume commands so far. Odd: paused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u32);

impl Epoch {
    /// Whether no lane may start an effect in this epoch.
    pub fn paused(self) -> bool {
        self.0 % 2 == 1
    }
    /// The epoch that the next pause or resume opens.
    pub fn next(self) -> Epoch {
        Epoch(self.0 + 1)
    }
}

/// How often one task may be given to a lane: its attempts, their reviews and their continuations.
pub const ATTEMPTS_MAX: u32 = 1_024;

impl ChangeId {
    /// The change of `task`'s `attempt` (from 1 to [`ATTEMPTS_MAX`]).
    pub fn of(task: TaskId, attempt: u32) -> ChangeId {
        assert!((1..=ATTEMPTS_MAX).contains(&attempt), "attempt {attempt} is outside 1..={ATTEMPTS_MAX}");
        ChangeId(task.0 * ATTEMPTS_MAX + attempt - 1)
    }
    /// The task that this change is an attempt at.
    pub fn task(self) -> TaskId {
        TaskId(self.0 / ATTEMPTS_MAX)
    }
    /// Which attempt, from 1.
    pub fn attempt(self) -> u32 {
        self.0 % ATTEMPTS_MAX + 1
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "T-{}", self.0)
    }
}

impl fmt::Display for PacketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "P-{}", self.0)
    }
}

impl fmt::Display for ApprovalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "A-{}", self.0)
    }
}

impl fmt::Display for ChangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "C-{}.{}", self.task().0, self.attempt())
    }
}

impl TaskId {
    /// Reads `T-17`; `None` for any other spelling.
    pub fn parse(text: &str) -> Option<TaskId> {
        canonical_number(text.strip_prefix("T-")?).map(TaskId)
    }
}

impl ChangeId {
    /// Reads `C-17.2`; `None` for any other spelling.
    pub fn parse(text: &str) -> Option<ChangeId> {
        let (task, attempt) = text.strip_prefix("C-")?.split_once('.')?;
        let (task, attempt) = (canonical_number(task)?, canonical_number(attempt)?);
        let fits = (1..=ATTEMPTS_MAX).contains(&attempt) && task < u32::MAX / ATTEMPTS_MAX;
        fits.then(|| ChangeId::of(TaskId(task), attempt))
    }
}

/// A decimal number without sign or leading zeros.
fn canonical_number(text: &str) -> Option<u32> {
    let number: u32 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_knows_its_task_and_attempt() {
        for (task, attempt) in [(0, 1), (7, 1_024), (999_999, 3)] {
            let change = ChangeId::of(TaskId(task), attempt);
            assert_eq!((change.task(), change.attempt()), (TaskId(task), attempt));
            assert_eq!(ChangeId::parse(&change.to_string()), Some(change));
        }
    }

    #[test]
    fn odd_spellings_are_no_identifiers() {
        for text in ["C-1", "C-01.1", "C-1.0", "C-1.1025", "c-1.1", "C-1.1 ", "C-99999999.1", ""] {
            assert_eq!(ChangeId::parse(text), None, "{text:?}");
        }
        assert_eq!(TaskId::parse("T-+1"), None);
    }
}

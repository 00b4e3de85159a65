//! Owns how many calls an endpoint is to be given at once, told from what it said: half after it was overloaded (503,
//! 529), an eighth less, than it was given or ever took, after too many requests (429) with nothing left, one more for every round of
//! answers that had needed all of it. Also that one fault makes an endpoint say one thing.
//!
//! Deliberately does not know who waits for a call, nor when an endpoint wants to be left alone.

use baton_record::FaultId;
use baton_record::event::EffectFailed;
use std::collections::BTreeMap;

/// What an endpoint is given, and what it has said.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Room {
    limit: Option<u64>,
    /// Answers still to come before there is room for one more.
    to_come: u64,
    /// Complaints so far that were news.
    complaints: u64,
    /// Most that were let through and there at once.
    peak: u64,
}

impl Room {
    /// Whether one more may go where `there` are already.
    pub(crate) fn takes(&self, there: u64, slots: u32) -> bool {
        (slots == 0 || there < u64::from(slots)) && self.limit.is_none_or(|limit| there < limit)
    }

    pub(crate) fn complaints(&self) -> u64 {
        self.complaints
    }

    /// One more was let through, and with it so many are there.
    pub(crate) fn let_through(&mut self, there: u64) {
        self.peak = self.peak.max(there);
    }

    /// A call was answered, one of so many that were `there`.
    pub(crate) fn answered(&mut self, there: u64, slots: u32) {
        let Some(limit) = self.limit else { return };
        if there < limit {
            return;
        }
        self.to_come -= 1;
        if self.to_come == 0 {
            let whole = slots != 0 && limit + 1 >= u64::from(slots);
            self.set(if whole { None } else { Some(limit + 1) });
        }
    }

    /// A call was refused that had begun after so many complaints.
    pub(crate) fn refused(&mut self, status: u16, (began, there): (u64, u64)) {
        if began < self.complaints {
            return;
        }
        self.complaints += 1;
        let lower = match (status, self.limit) {
            (503 | 529, limit) => limit.unwrap_or(there) >> 1,
            (429, Some(limit)) if there < limit => return,
            (429, limit) => limit.unwrap_or(self.peak.max(there)) * 7 / 8,
            _ => return,
        };
        self.set(Some(lower.max(1)));
    }

    fn set(&mut self, limit: Option<u64>) {
        (self.limit, self.to_come) = (limit, limit.unwrap_or(0));
    }
}

/// What each fault made endpoints say.
#[derive(Debug, Default)]
pub(crate) struct Sayings(BTreeMap<FaultId, (u16, u64)>);

impl Sayings {
    /// Whether a refusal says what its fault has made the endpoint say before. Without a fault it is the rate's.
    pub(crate) fn agrees(&mut self, failed: &EffectFailed) -> bool {
        let Some(fault) = failed.fault else { return failed.status == 429 };
        let said = (failed.status, failed.retry_after_us);
        *self.0.entry(fault).or_insert(said) == said
    }
}

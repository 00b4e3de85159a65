//! What others say of the run: the checker of its promises, the scenario of its expectations and thresholds.

use crate::outcome::{ExpectationOutcome, Verdict};
use baton_check::Status;
use serde::Serialize;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Judged {
    /// The verdict; `None`: the run has not ended, or nobody has judged it.
    pub verdict: Option<Verdict>,
    /// The exit code that went with it.
    pub exit_code: Option<u8>,
    /// No promise is broken and the journal has no damage.
    pub intact: bool,
    /// Every promise.
    pub promises: Vec<PromiseLine>,
    /// Every expectation of the scenario.
    pub expectations: Vec<ExpectationOutcome>,
    /// Every threshold of the scenario.
    pub thresholds: Vec<ExpectationOutcome>,
}

/// One promise, as the checker found it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "as in the checker's report")]
pub struct PromiseLine {
    pub id: &'static str,
    pub status: Status,
    pub checked: u64,
    pub detail: String,
}

impl Judged {
    /// What the checker found; nobody has judged more yet.
    pub(crate) fn of(checked: &baton_check::Report) -> Judged {
        let line = |promise: &baton_check::Promise| PromiseLine {
            id: promise.id,
            status: promise.status,
            checked: promise.checked,
            detail: promise.detail.clone(),
        };
        let promises = checked.promises.iter().map(line).collect();
        Judged { intact: checked.intact, promises, ..Judged::default() }
    }

    /// How many promises have this status.
    pub fn count(&self, status: Status) -> usize {
        self.promises.iter().filter(|promise| promise.status == status).count()
    }
}

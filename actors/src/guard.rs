//! Guarded work: a panic inside of a handler ends the actor in order instead of tearing it.
//!
//! Whatever the handler had half done is thrown away: the state is rebuilt from the journal. Knows nothing of what a
//! handler does.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `work`; the panic's message if it panicked.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without words".to_owned())
    })
}

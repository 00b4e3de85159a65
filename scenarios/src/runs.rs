//! Run folders below a folder: which there are, how each stands, and what it takes on the disk; and which can go.
//!
//! A listing reads `run.json`, the first and the last line of the journal and the ref of main, never a whole journal, and
//! counts blocks. It follows no link, and names what is no run. Reading order: `evidence`, `listing`, [`gc`].

mod evidence;
pub mod gc;
mod inventory;
mod listing;
mod power_cut;
mod trash;

pub(crate) use evidence::in_hand;
pub use evidence::{record_verification, size_of};
pub use listing::{Listing, Odd, RunEntry, State, Verified, list};
pub use power_cut::put_in_order;

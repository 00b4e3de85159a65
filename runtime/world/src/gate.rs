//! Gates as commands: run on exactly one tree, in a folder of its own, and ended with everything that they started.
//!
//! A gate sees a checkout of the merged commit with a repository of its own around it: what it commits, moves or deletes
//! there is nobody's. It has the person's environment but for git's variables. What it says is kept by digest. Knows nothing
//! of batches, and does not judge what a gate's end means.
//!
//! Reading order: `room`, `submodules`, `process`, `family`.

mod family;
mod process;
mod room;
mod submodules;

pub use process::{GateCommand, GateEnd, GateRun, Stop};
pub use room::GateRoom;

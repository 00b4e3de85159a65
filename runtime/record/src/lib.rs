//! What is written down: records, identifiers, the hash chain and the line format of the journal.
//!
//! Pure: bytes in, values out. Knows no file, no clock, no actor and no rule; what may follow what
//! is decided in `baton-core` and judged in `baton-check`.
//!
//! Reading order: [`ids`], [`event`], [`mod@line`], [`chain`], [`segment`].

pub mod chain;
pub mod event;
pub mod ids;
pub mod line;
pub mod names;
pub mod oid;
pub mod promise;
pub mod segment;

pub use chain::{Chain, Hash};
pub use event::Event;
pub use ids::{ApprovalId, ChangeId, EffectKey, EndpointId, Epoch, FaultId, Fence, LaneId, LeaseId, PacketId};
pub use ids::{ResourceId, RoleId, TaskId};
pub use line::{Actor, Record};
pub use names::Names;
pub use oid::Oid;

/// Version of the journal's line format; the `v` of every line.
pub const FORMAT: u32 = 1;

//! Who lives here: supervisor, lane, merger and recorder, as thin actors over the cores.
//!
//! Every actor asks its core, hands the facts to the recorder, and acts once they are durable. Actix stays inside of this
//! crate; cores, records and messages know nothing of it. Roles are values of a [`team::Team`], never types.
//!
//! Reading order: [`mailbox`], [`team`], [`directory`], [`recorder`], [`supervisor`], [`lane`], [`merger`].

pub mod chaos;
pub mod consent;
pub mod credit;
pub mod directory;
pub mod failure;
pub mod ground;
pub mod guard;
pub mod incidents;
pub mod lane;
pub mod mailbox;
pub mod merger;
pub mod packed;
pub mod pending;
pub mod post;
pub mod progress;
pub mod recorder;
pub mod rights;
pub mod roster;
pub mod start;
pub mod supervisor;
pub mod team;
pub mod unmerged;
pub mod work_queue;

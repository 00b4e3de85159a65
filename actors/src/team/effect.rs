//! What work can leave behind: whether anything of it changes a file.
//!
//! Knows the kinds of actions, and nothing of the tree that they are done in.

use super::{Action, Work};

impl Action {
    /// Whether it can change a file, wherever it is done. What only takes time, looks, or uses a tool cannot.
    #[must_use]
    pub fn can_change_files(&self) -> bool {
        match self {
            Action::Append
            | Action::Transaction { .. }
            | Action::Create
            | Action::Edit(_)
            | Action::ReadThenWrite { .. }
            | Action::Rename
            | Action::RenameFile { .. }
            | Action::Delete
            | Action::Undo
            | Action::Write { .. }
            | Action::Remove { .. } => true,
            Action::Read { .. }
            | Action::Run { .. }
            | Action::Push
            | Action::Mcp { .. }
            | Action::Stall { .. }
            | Action::Crash { .. } => false,
        }
    }
}

impl Work {
    /// Whether a change of it can ever land: one without an edit never does.
    #[must_use]
    pub fn can_land(&self) -> bool {
        self.canonical.is_some() || self.actions.iter().any(Action::can_change_files)
    }
}

//! What a pause is, said differently: whether it is quiet, how often that changed, and whether everybody knows.

use baton_core::pause::Pause;
use baton_core::{Command, Refusal};

#[derive(Default)]
pub(crate) struct PauseModel {
    quiet: bool,
    changes: u32,
    known: bool,
}

impl PauseModel {
    /// What a command about pauses must be answered; `None` if it is not about pauses.
    pub(crate) fn expected(&self, command: &Command) -> Option<Result<(), Refusal>> {
        Some(match command {
            Command::Pause { .. } if self.quiet => Err(Refusal::Repeated),
            Command::Resume { .. } if !self.quiet => Err(Refusal::Repeated),
            Command::AcknowledgePause { epoch, .. } if !self.quiet || epoch.0 != self.changes => Err(Refusal::Stale),
            Command::AcknowledgePause { .. } if self.known => Err(Refusal::Repeated),
            Command::Pause { .. } | Command::Resume { .. } | Command::AcknowledgePause { .. } => Ok(()),
            _ => return None,
        })
    }

    /// An accepted command takes effect.
    pub(crate) fn follow(&mut self, command: &Command) {
        match command {
            Command::Pause { .. } => *self = PauseModel { quiet: true, changes: self.changes + 1, known: false },
            Command::Resume { .. } => *self = PauseModel { quiet: false, changes: self.changes + 1, known: false },
            Command::AcknowledgePause { .. } => self.known = true,
            _ => {}
        }
    }

    pub(crate) fn check(&self, pause: &Pause) {
        let epoch = pause.epoch();
        assert_eq!((epoch.0, epoch.paused(), pause.acknowledged()), (self.changes, self.quiet, self.known));
    }
}

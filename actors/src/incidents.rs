//! What happens to a team at a stated time, from outside of it: faults, people's commands, the end of its time.

use crate::chaos::Armed;
use crate::failure::Failure;
use crate::ground::Ground;
use crate::lane::Probe;
use crate::merger::Die;
use crate::recorder::Append;
use crate::supervisor::{Crash, OperatorSays, StopRun};
use crate::team::Restartable;
use baton_core::Fact;
use baton_record::event::{FaultInjected, StopReason};
use baton_record::line::Actor as Writer;
use baton_record::{Event, FaultId};
use baton_world::git::{CommitMeta, Edit, FileMode, GitError};

/// One thing that happens.
#[derive(Debug)]
pub enum Incident {
    /// A fault waits for its moment from now on.
    Arm(Armed),
    /// An actor dies and folds the journal.
    Restart(FaultId, Restartable),
    /// Somebody else moves main.
    Push(FaultId),
    /// A person speaks.
    Say(OperatorSays),
    /// The run's time is over.
    TimeOver,
}

impl Incident {
    /// Waits until `at_us`, then happens.
    pub(crate) async fn happen(self, at_us: u64, ground: Ground) {
        ground.clock.sleep_us(at_us).await;
        let directory = &ground.directory;
        match self {
            Incident::Arm(armed) => {
                let roster = directory.roster();
                let whom = armed.whom.clone();
                ground.chaos.arm(armed);
                let lanes = roster.lanes().filter(|lane| whom.fits(&roster.spec(*lane)));
                lanes.filter_map(|lane| directory.lane(lane)).for_each(|lane| lane.do_send(Probe));
            }
            Incident::Restart(fault, Restartable::Supervisor) => {
                record(&ground, fault, "restart", "supervisor");
                directory.supervisor().do_send(Crash(Some(fault)));
            }
            Incident::Restart(fault, Restartable::Merger) => {
                record(&ground, fault, "restart", "merger");
                directory.merger().do_send(Die(Some(fault)));
            }
            Incident::Push(fault) => {
                record(&ground, fault, "push", "main");
                ground.chaos.note_push(fault);
                if let Err(error) = push(&ground) {
                    directory.fail(Failure::Repository(error));
                }
            }
            Incident::Say(says) => directory.supervisor().do_send(says),
            Incident::TimeOver => directory.supervisor().do_send(StopRun(StopReason::TimeOver)),
        }
    }
}

fn record(ground: &Ground, fault: FaultId, injected: &str, target: &str) {
    let event = FaultInjected { fault, injected: injected.to_owned(), target: target.to_owned() };
    let fact = Fact::of_run(Event::FaultInjected(event));
    ground.directory.recorder().do_send(Append::of(Writer::Run, vec![fact]));
}

/// What a person does who knows nothing of the team: a commit on main, pushed.
fn push(ground: &Ground) -> Result<(), GitError> {
    let repository = &ground.repository;
    let main = repository.standing_main()?;
    let meta = CommitMeta {
        author: "stranger".to_owned(),
        email: "stranger@baton.invalid".to_owned(),
        time_s: ground.team.start_s + (ground.clock.now_us() / 1_000_000) as i64,
        subject: "A quick fix".to_owned(),
        trailers: Vec::new(),
    };
    let content = b"pushed by hand\n".to_vec();
    let edit = Edit::Put { path: "pushed-by-hand.txt".to_owned(), mode: FileMode::Regular, content };
    let proposal = repository.propose(main, &[edit], &meta)?;
    repository.store(&proposal.objects)?;
    repository.set_main_without_compare(proposal.commit)
}

//! What operators' orders make of tasks and lanes, said differently, for any sequence of them beside deaths, restarts and the
//! merger's word, in a team that grows: who may take which task, who is told what, and who owns what then.

use crate::orders::{add, order};
use crate::tape::{Choice, any_tape};
use crate::team::{ROLES, TASKS, Team, lose, restore, settle};
use baton_core::board::{Settled, TaskState};
use baton_core::orders::{Heir, Order};
use baton_core::{Command, Refusal};
use baton_record::event::{ReturnReason, TaskReturned};
use baton_record::{ChangeId, Event, LaneId, RoleId, TaskId};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Lanes that the team may have.
const LANES_MAX: u32 = 6;

#[derive(Clone, Copy, Default)]
struct Lane {
    role: RoleId,
    dead: bool,
    condemned: bool,
    removed: bool,
    /// It died with its task, or its task is given to another.
    left: bool,
}

#[derive(Clone, Copy, Default)]
struct Task {
    attempts: u32,
    begun: u32,
    owner: Option<LaneId>,
    end: Option<TaskState>,
    kept: Option<LaneId>,
    moving: bool,
    /// Who lost it last, if it went to another by an order.
    lost_by: Option<LaneId>,
    /// Its next attempt is no new beginning.
    continued: bool,
}

struct Model {
    lanes: Vec<Lane>,
    tasks: [Task; 6],
}

type Answer = Result<(), Refusal>;

impl Model {
    fn new() -> Model {
        let lanes = ROLES.map(|role| Lane { role, ..Lane::default() });
        Model { lanes: lanes.to_vec(), tasks: Default::default() }
    }

    fn lane(&self, lane: LaneId) -> Lane {
        self.lanes[lane.0 as usize]
    }

    fn able(&self, lane: LaneId) -> bool {
        !self.lane(lane).dead && !self.lane(lane).removed
    }

    fn owns(&self, lane: LaneId) -> Option<usize> {
        self.tasks.iter().position(|task| task.owner == Some(lane))
    }

    fn all(&self) -> impl Iterator<Item = LaneId> {
        (0..self.lanes.len() as u32).map(LaneId)
    }

    fn first_for(&self, lane: LaneId) -> Option<usize> {
        let role = self.lane(lane).role;
        let another = self.all().any(|other| other != lane && self.lane(other).role == role && self.able(other));
        (0..TASKS.len()).find(|at| {
            let task = self.tasks[*at];
            let free = TASKS[*at].0 == role && task.owner.is_none() && task.end.is_none();
            let others = |kept: LaneId| kept != lane && self.able(kept) && self.lane(kept).role == role;
            let own_loss = task.lost_by == Some(lane) && task.kept != Some(lane) && another;
            free && !task.kept.is_some_and(others) && !own_loss
        })
    }

    fn expected(&self, command: &Command) -> Option<Answer> {
        Some(match command {
            Command::TakeTask { lane } => match self.owns(*lane) {
                _ if self.lane(*lane).dead => Err(Refusal::Stale),
                Some(_) if self.lane(*lane).left => Err(Refusal::NothingReady),
                Some(_) => Err(Refusal::Repeated),
                None if self.lane(*lane).removed || self.tasks.iter().all(|task| task.end.is_some()) => {
                    Err(Refusal::AllEnded)
                }
                None => self.first_for(*lane).map(|_| ()).ok_or(Refusal::NothingReady),
            },
            Command::Settle { change, settled, .. } => {
                let task = self.tasks[change.task().0 as usize];
                let owner = task.owner.filter(|_| task.attempts == change.attempt());
                let fits = owner.is_some_and(|owner| *settled != Settled::Withdrawn || self.lane(owner).left);
                fits.then_some(()).ok_or(Refusal::Stale)
            }
            Command::LoseLane { lane, .. } if self.lane(*lane).dead => Err(Refusal::Repeated),
            Command::RestoreLane { lane, .. } if !self.lane(*lane).dead => Err(Refusal::Repeated),
            Command::LoseLane { .. } | Command::RestoreLane { .. } => Ok(()),
            Command::Order { order, .. } => self.ordered(order)?,
            _ => return None,
        })
    }

    fn ordered(&self, order: &Order) -> Option<Answer> {
        Some(match order {
            Order::Add(clones) => {
                let counted = self.all().filter(|lane| !self.lane(*lane).removed || self.owns(*lane).is_some());
                let fits = counted.count() as u32 + clones.lanes <= clones.lanes_max;
                fits.then_some(()).ok_or(Refusal::Full)
            }
            Order::Remove { lane } if self.lane(*lane).removed => Err(Refusal::Repeated),
            Order::Remove { .. } => Ok(()),
            Order::Kill { lane } => {
                let Lane { dead, removed, condemned, .. } = self.lane(*lane);
                match dead || removed && self.owns(*lane).is_none() {
                    true => Err(Refusal::Stale),
                    false => (!condemned).then_some(()).ok_or(Refusal::Repeated),
                }
            }
            Order::Reassign { task, heir } => {
                let at = task.0 as usize;
                let (given, lane) = (self.tasks[at], heir_lane(heir));
                let role = lane.map_or(RoleId(0), |lane| self.lane(lane).role);
                if given.end.is_some() || role != TASKS[at].0 || lane.is_some_and(|lane| !self.able(lane)) {
                    return Some(Err(Refusal::Stale));
                }
                let so = match given.owner {
                    Some(owner) if !given.moving => lane == Some(owner),
                    _ => given.kept == lane,
                };
                // Whoever has it may be the one for whom it was kept before others got it.
                if so { Err(Refusal::Repeated) } else { Ok(()) }
            }
            _ => return None,
        })
    }

    fn assign(&mut self, at: usize, lane: LaneId) {
        let role = self.lane(lane).role;
        let kept = self.tasks[at].kept.filter(|kept| self.lane(*kept).role != role);
        let task = &mut self.tasks[at];
        (task.owner, task.kept, task.attempts) = (Some(lane), kept, task.attempts + 1);
        task.begun += u32::from(!std::mem::take(&mut task.continued));
    }

    fn follow(&mut self, command: &Command) {
        match command {
            Command::TakeTask { lane } => {
                let at = self.first_for(*lane).expect("a task was ready");
                self.assign(at, *lane);
            }
            Command::Settle { change, settled, .. } => self.settled(*change, *settled),
            Command::LoseLane { lane, .. } => {
                let left = self.owns(*lane).is_some();
                let lost = &mut self.lanes[lane.0 as usize];
                (lost.dead, lost.condemned, lost.left) = (true, false, left);
            }
            Command::RestoreLane { lane, .. } => self.lanes[lane.0 as usize].dead = false,
            Command::Order { order: Order::Add(clones), .. } => {
                let clone = Lane { role: clones.role, ..Lane::default() };
                self.lanes.extend(std::iter::repeat_n(clone, clones.lanes as usize));
            }
            Command::Order { order: Order::Remove { lane }, .. } => self.lanes[lane.0 as usize].removed = true,
            Command::Order { order: Order::Kill { lane }, .. } => self.lanes[lane.0 as usize].condemned = true,
            Command::Order { order: Order::Reassign { task, heir }, .. } => {
                let (task, lane) = (&mut self.tasks[task.0 as usize], heir_lane(heir));
                task.kept = lane;
                if let Some(owner) = task.owner.filter(|owner| lane != Some(*owner)) {
                    task.moving = true;
                    self.lanes[owner.0 as usize].left = true;
                }
            }
            _ => {}
        }
    }

    fn settled(&mut self, change: ChangeId, settled: Settled) {
        let at = change.task().0 as usize;
        let task = &mut self.tasks[at];
        let owner = task.owner.take().expect("an attempt has an owner");
        let moving = std::mem::take(&mut task.moving);
        let lane = &mut self.lanes[owner.0 as usize];
        let (left, removed) = (std::mem::take(&mut lane.left), lane.removed);
        let moved = moving && settled == Settled::Withdrawn;
        if settled == Settled::Landed {
            task.end = Some(TaskState::Done(change));
        } else if task.begun == TASKS[at].1 && !moved {
            task.end = Some(TaskState::Failed);
        } else {
            (task.lost_by, task.continued) = (moved.then_some(owner), moved);
            if settled == Settled::Refused && !left && !removed {
                self.assign(at, owner);
            }
        }
    }

    fn check(&self, team: &Team) {
        let board = &team.state.board;
        for (at, task) in self.tasks.iter().enumerate() {
            let open = task.owner.map_or(TaskState::Ready, TaskState::Owned);
            assert_eq!(board.state(TaskId(at as u32)), task.end.unwrap_or(open), "where T-{at} stands");
            assert_eq!(board.is_moving(TaskId(at as u32)), task.moving, "whether T-{at} is on its way to another");
        }
        let left: Vec<LaneId> = board.leaving().into_iter().map(|(lane, _)| lane).collect();
        assert_eq!(left, self.all().filter(|lane| self.lane(*lane).left).collect::<Vec<_>>(), "who has left its task");
        let condemned = self.all().filter(|lane| self.lane(*lane).condemned);
        assert_eq!(board.condemned(), condemned.collect::<Vec<_>>(), "who is to die");
        assert_eq!(board.lanes(), self.lanes.len());
        for lane in self.all() {
            let task = board.owned_by(lane).map(|change| change.task().0 as usize);
            let is = (task, board.is_alive(lane), board.is_removed(lane));
            assert_eq!(is, (self.owns(lane), !self.lane(lane).dead, self.lane(lane).removed), "{lane:?}");
        }
    }
}

fn heir_lane(heir: &Heir) -> Option<LaneId> {
    match heir {
        Heir::Lane(lane) => Some(*lane),
        Heir::Role(..) => None,
    }
}

fn next(team: &mut Team, choice: u32) -> Option<Command> {
    let mut choice = Choice(choice);
    let kind = choice.of(18);
    let lanes = team.state.board.lanes();
    let (lane, other) = (LaneId(choice.of(lanes) as u32), LaneId(choice.of(lanes) as u32));
    let task = TaskId(choice.of(TASKS.len()) as u32);
    let settled = choice.one(&[Settled::Refused, Settled::Withdrawn, Settled::Landed]);
    let mine = team.state.board.owned_by(lane);
    Some(match kind {
        0..=3 => Command::TakeTask { lane },
        4 | 5 => settle(mine.unwrap_or(ChangeId::of(task, 1)), settled),
        6 => team.benign(lane, settled),
        7 => lose(lane),
        8 => restore(lane),
        9 => add(1 + choice.of(2) as u32, LANES_MAX),
        10 => order(Order::Remove { lane }),
        11 => order(Order::Kill { lane }),
        12 => order(Order::Release { lane }),
        13 => order(Order::Reassign { task, heir: Heir::Role(RoleId(0), "role-0".to_owned()) }),
        14 | 15 => order(Order::Reassign { task, heir: Heir::Lane(other) }),
        16 => {
            let task = mine.map_or(task, ChangeId::task);
            order(Order::Reassign { task, heir: Heir::Lane(other) })
        }
        _ => {
            let fence = team.state.leases.shutting().first().map(|shutting| shutting.fence);
            fence.into_iter().for_each(|fence| team.shut(fence));
            team.now_us += 7;
            return None;
        }
    })
}

#[test]
fn whatever_operators_order_a_task_has_one_owner_and_every_order_an_answer() {
    let reached = RefCell::new(BTreeMap::new());
    any_tape("whatever_operators_order", 1_000, 120, |tape| {
        let (mut team, mut model) = (Team::new(), Model::new());
        for choice in tape {
            let Some(command) = next(&mut team, *choice) else { continue };
            let expected = model.expected(&command);
            let told = team.say(&command);
            let returned = Event::TaskReturned(TaskReturned { reason: ReturnReason::Reassigned, fault: None });
            let moved = told.iter().flatten().any(|fact| fact.event == returned);
            let answer = told.map(|_| ());
            let what = if moved { "a task moves".to_owned() } else { format!("{}: {answer:?}", word(&command)) };
            *reached.borrow_mut().entry(what).or_insert(0_u32) += 1;
            if let Some(expected) = expected {
                assert_eq!(answer, expected, "{command:?}");
            }
            if answer.is_ok() {
                model.follow(&command);
            }
            model.check(&team);
        }
        assert_eq!(Team::fold(&team.journal, team.now_us).state, team.state, "folding gives the live state");
    });
    // A claim about any sequence is worth what the sequences reach.
    let reached = reached.into_inner();
    for (word, answers) in [
        ("add", &["Ok(())", "Err(Full)"][..]),
        ("remove", &["Ok(())", "Err(Repeated)"]),
        ("kill", &["Ok(())", "Err(Repeated)", "Err(Stale)"]),
        ("release", &["Ok(())", "Err(Stale)"]),
        ("reassign", &["Ok(())", "Err(Repeated)", "Err(Stale)"]),
    ] {
        for answer in answers {
            let times = reached.get(&format!("{word}: {answer}")).copied().unwrap_or_default();
            assert!(times >= 20, "{word}: {answer} {times} times; {reached:#?}");
        }
    }
    assert!(reached["a task moves"] >= 100, "{reached:#?}");
}

fn word(command: &Command) -> &'static str {
    match command {
        Command::Order { order: Order::Add(_), .. } => "add",
        Command::Order { order: Order::Remove { .. }, .. } => "remove",
        Command::Order { order: Order::Kill { .. }, .. } => "kill",
        Command::Order { order: Order::Release { .. }, .. } => "release",
        Command::Order { order: Order::Reassign { .. }, .. } => "reassign",
        _ => "other",
    }
}

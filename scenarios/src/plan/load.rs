//! What the work loads on whom: seconds of lanes, calls of endpoints, seconds under leases, trees at the gates. One pass
//! over the kinds of work.

use super::chance::Draw;
use super::kinds::Kind;
use super::team::Crew;
use crate::scenario::Scenario;

/// Which attempts are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counted {
    /// Each task once.
    Once,
    /// With rework and judgements that send back.
    Expected,
}

impl Counted {
    /// Attempts and judgements of a kind.
    pub(crate) fn of(self, kind: &Kind) -> (f64, f64) {
        let (attempts, rounds) = match self {
            Counted::Once => (kind.tasks, 1.0),
            Counted::Expected => (kind.tasks * kind.attempts, kind.review.map_or(0.0, |review| review.rounds)),
        };
        (attempts, if kind.review.is_some() { attempts * rounds } else { 0.0 })
    }
}

/// The load of a scenario.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    /// By role: seconds that its lanes are at work.
    pub(crate) work: Vec<Draw>,
    /// By role: tasks that it makes or judges.
    pub(crate) tasks: Vec<f64>,
    /// By model.
    pub(crate) calls: Vec<f64>,
    /// By rule of `leases`: seconds for which it is held, one holder after the other.
    pub(crate) held: Vec<Draw>,
    /// Trees that reach the gates.
    pub(crate) trees: f64,
}

impl Load {
    pub(crate) fn of(scenario: &Scenario, kinds: &[Kind], crew: &Crew, counted: Counted) -> Load {
        let (roles, models, rules) = (scenario.roles.len(), scenario.models.len(), scenario.leases.len());
        let mut load = Load {
            work: vec![Draw::default(); roles],
            tasks: vec![0.0; roles],
            calls: vec![0.0; models],
            held: vec![Draw::default(); rules],
            trees: 0.0,
        };
        for kind in kinds {
            let (attempts, judgements) = counted.of(kind);
            let making = kind.making(crew);
            load.add(kind.role, making.times(attempts), kind.tasks);
            load.calls[crew.roles[kind.role].model] += attempts * kind.steps;
            if let Some(review) = kind.review {
                load.add(review.role, kind.judging(crew).times(judgements), kind.tasks);
                load.calls[crew.roles[review.role].model] += judgements * review.steps;
            }
            for &rule in &kind.held {
                load.held[rule] = load.held[rule].plus(making.times(attempts));
            }
            load.trees += match counted {
                Counted::Once => kind.tasks,
                Counted::Expected => attempts * (1.0 - kind.refused),
            };
        }
        load
    }

    fn add(&mut self, role: usize, work: Draw, tasks: f64) {
        self.work[role] = self.work[role].plus(work);
        self.tasks[role] += tasks;
    }

    /// No more lanes than there are tasks at a time.
    pub(crate) fn lanes(&self, role: usize, crew: &Crew) -> f64 {
        crew.roles[role].lanes.min(self.tasks[role])
    }
}

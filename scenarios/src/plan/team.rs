//! Who works with what, in figures: lanes, what a call takes, uses and costs, and how long a message is on its way.

use super::chance::{self, Draw};
use crate::scenario::{Model, Scenario};

/// The team in figures.
#[derive(Clone, Debug)]
pub(crate) struct Crew {
    pub(crate) roles: Vec<RoleFigures>,
    pub(crate) models: Vec<ModelFigures>,
    /// Seconds that one message takes, on the average.
    pub(crate) mail_s: f64,
}

/// A role in figures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RoleFigures {
    pub(crate) lanes: f64,
    pub(crate) model: usize,
}

/// A model in figures. Money is millionths of a dollar.
#[derive(Clone, Debug)]
pub(crate) struct ModelFigures {
    pub(crate) call: Draw,
    pub(crate) tokens_in: f64,
    pub(crate) tokens_out: Draw,
    pub(crate) tokens_max: f64,
    /// What a call costs that receives nothing.
    pub(crate) in_micros: f64,
    /// What a received token costs.
    pub(crate) out_micros: f64,
    /// What one call can cost at most.
    pub(crate) bound_micros: f64,
    /// Calls at once; infinite: no limit.
    pub(crate) slots: f64,
    /// Calls and tokens a second; infinite: no limit.
    pub(crate) calls_per_s: f64,
    pub(crate) tokens_per_s: f64,
    pub(crate) gated: bool,
}

impl ModelFigures {
    fn of(model: &Model) -> ModelFigures {
        let per_s =
            |rate: Option<std::num::NonZeroU32>| rate.map_or(f64::INFINITY, |rate| f64::from(rate.get()) / 60.0);
        ModelFigures {
            call: chance::seconds(model.latency),
            tokens_in: model.tokens_in as f64,
            tokens_out: chance::tokens_out(model),
            tokens_max: model.tokens_max as f64,
            in_micros: model.tokens_in as f64 * model.price_in as f64 / 1e6,
            out_micros: model.price_out as f64 / 1e6,
            bound_micros: model.bound().usd_micros as f64,
            slots: if model.slots == 0 { f64::INFINITY } else { f64::from(model.slots) },
            calls_per_s: per_s(model.rate.requests),
            tokens_per_s: per_s(model.rate.tokens),
            gated: model.gated,
        }
    }

    /// Tokens that one call can use at most.
    pub(crate) fn bound_tokens(&self) -> f64 {
        self.tokens_in + self.tokens_max
    }
}

impl Crew {
    pub(crate) fn of(scenario: &Scenario) -> Crew {
        Crew {
            roles: scenario
                .roles
                .iter()
                .map(|role| RoleFigures { lanes: f64::from(role.lanes), model: role.model })
                .collect(),
            models: scenario.models.iter().map(ModelFigures::of).collect(),
            mail_s: chance::seconds(scenario.mail).mean,
        }
    }

    /// Seconds of one call of a role.
    pub(crate) fn call_of(&self, role: usize) -> Draw {
        self.model_of(role).call
    }

    pub(crate) fn model_of(&self, role: usize) -> &ModelFigures {
        &self.models[self.roles[role].model]
    }
}

//! What faults and people of the file add: calls that are made again, time that is lost, and an end before the end.

use super::kinds::{Kind, PATIENCE_S};
use super::team::Crew;
use crate::scenario::{Command, FaultKind, Moment, Scenario};

/// Seconds until an endpoint that refuses a call has said so.
const REFUSAL_S: f64 = 0.2;
/// Seconds for which nothing is let through after the supervisor's restart, where there is a rate.
const DOOR_S: f64 = 60.0;

/// What is added.
#[derive(Clone, Debug, Default)]
pub(crate) struct Adversity {
    /// Lanes that are killed, by faults and by people.
    pub(crate) kills: f64,
    /// By model: calls that an endpoint refuses: expected, and at most.
    pub(crate) refusals: Vec<(f64, f64)>,
    /// Seconds in which nobody or hardly anybody works.
    pub(crate) lost_s: f64,
    /// Seconds until the last lane that a fault makes sleep is awake again, with its task in hand.
    pub(crate) awake_s: f64,
    /// When somebody or something ends the run, done or not: seconds, and what.
    pub(crate) ends: Option<(f64, &'static str)>,
    /// Messages that a fault delays, doubles or drops come to so many more records, as a share of all messages.
    pub(crate) mail_share: f64,
}

impl Adversity {
    /// Of a file whose work takes `work_s` seconds by itself.
    pub(crate) fn of(scenario: &Scenario, kinds: &[Kind], crew: &Crew, work_s: f64) -> Adversity {
        let mut found = Adversity { refusals: vec![(0.0, 0.0); scenario.models.len()], ..Adversity::default() };
        if let Some(after_us) = scenario.stop_after_us {
            found.end(after_us, "stop.after");
        }
        for fault in &scenario.faults {
            found.strike(scenario, crew, &fault.kind, (fault.at_us as f64 / 1e6, fault.moment, work_s));
        }
        let messages = kinds.iter().map(|kind| kind.tasks * kind.attempts * (4.0 * kind.steps + 4.0)).sum::<f64>();
        found.post(scenario, crew, messages, work_s);
        found.commands(scenario, work_s);
        found
    }

    fn end(&mut self, at_us: u64, what: &'static str) {
        let at_s = at_us as f64 / 1e6;
        if self.ends.is_none_or(|(earlier_s, _)| at_s < earlier_s) {
            self.ends = Some((at_s, what));
        }
    }

    fn strike(&mut self, scenario: &Scenario, crew: &Crew, kind: &FaultKind, when: (f64, Option<Moment>, f64)) {
        let (at_s, moment, work_s) = when;
        let within = at_s <= work_s;
        let lease_s = match moment {
            Some(Moment::HoldsLease) if within => {
                scenario.leases.iter().map(|rule| rule.ttl_us).min().unwrap_or(0) as f64 / 1e6
            }
            _ => 0.0,
        };
        match kind {
            FaultKind::Kill { .. } => {
                self.kills += 1.0;
                self.lost_s += lease_s;
            }
            FaultKind::Pause { for_us, .. } if within => {
                self.awake_s = self.awake_s.max(at_s + *for_us as f64 / 1e6);
                self.lost_s += lease_s;
            }
            FaultKind::Storm { model, for_us, retry_after_us, .. } => {
                let (for_s, again_s) = (*for_us as f64 / 1e6, *retry_after_us as f64 / 1e6 + REFUSAL_S);
                let lanes: f64 = crew.roles.iter().filter(|role| role.model == *model).map(|role| role.lanes).sum();
                let (expected, most) = &mut self.refusals[*model];
                *expected += if within { for_s / again_s + 1.0 } else { 0.0 };
                *most += lanes * (for_s / again_s + 2.0);
                self.lost_s += if within { for_s } else { 0.0 };
            }
            FaultKind::Overload { model, above, for_us, retry_after_us } => {
                let for_s = for_us.map_or(work_s, |for_us| for_us as f64 / 1e6);
                let again_s = *retry_after_us as f64 / 1e6 + REFUSAL_S;
                let lanes: f64 = crew.roles.iter().filter(|role| role.model == *model).map(|role| role.lanes).sum();
                let at_once = lanes.min(crew.models[*model].slots);
                // Who is refused comes back after a while, and the gate lets fewer through from then on.
                let crowd = (at_once - f64::from(*above)).max(0.0);
                let (expected, most) = &mut self.refusals[*model];
                *expected += if within { crowd.min(for_s / again_s + 1.0) } else { 0.0 };
                *most += lanes * (for_s.max(again_s) * 10.0 / again_s + 2.0);
                // What is left of the work is done by fewer at once while it lasts, then by all again.
                let left = at_once * (work_s - at_s).max(0.0);
                let slowly_s =
                    (left / f64::from(*above).min(at_once).max(1.0)).min(for_us.map_or(f64::INFINITY, |_| for_s));
                let then_s = (left - slowly_s * f64::from(*above).min(at_once)).max(0.0) / at_once.max(1.0);
                self.lost_s += if within { (at_s + slowly_s + then_s - work_s).max(0.0) } else { 0.0 };
            }
            FaultKind::Restart { .. } if within && crew.models.iter().any(|model| model.gated) => self.lost_s += DOOR_S,
            FaultKind::Push => self.end((at_s * 1e6) as u64, "a push to main from outside"),
            _ => {}
        }
    }

    /// When the run ends because nobody answers, and when the last gate is overridden.
    pub(crate) fn people(&mut self, stops_s: Option<f64>, overridden_s: f64) {
        self.awake_s = self.awake_s.max(overridden_s);
        if let Some(stops_s) = stops_s {
            self.end((stops_s * 1e6) as u64, "a question that nobody answers");
        }
    }

    /// Messages that come late or never keep one lane waiting each.
    fn post(&mut self, scenario: &Scenario, crew: &Crew, messages: f64, work_s: f64) {
        let lanes: f64 = crew.roles.iter().map(|role| role.lanes).sum();
        for fault in &scenario.faults {
            let (ppm, for_us, waits_s) = match &fault.kind {
                FaultKind::Duplicate { probability_ppm, for_us } => (probability_ppm, for_us, 0.0),
                FaultKind::Delay { probability_ppm, by_us, for_us } => {
                    (probability_ppm, for_us, (*by_us as f64 / 1e6).min(PATIENCE_S))
                }
                FaultKind::Drop { probability_ppm, for_us } => (probability_ppm, for_us, PATIENCE_S),
                _ => continue,
            };
            let left_s = (work_s - fault.at_us as f64 / 1e6).max(0.0);
            let for_s = for_us.map_or(left_s, |for_us| left_s.min(for_us as f64 / 1e6));
            let share = f64::from(*ppm) / 1e6 * if work_s > 0.0 { for_s / work_s } else { 0.0 };
            self.mail_share += share;
            self.lost_s += share * messages * waits_s / lanes.max(1.0);
        }
    }

    fn commands(&mut self, scenario: &Scenario, work_s: f64) {
        let mut commands: Vec<_> = scenario.operators.iter().map(|said| (said.at_us, &said.command)).collect();
        commands.sort_by_key(|(at_us, _)| *at_us);
        let mut paused = None;
        for (at_us, command) in commands {
            match command {
                Command::PauseAll if at_us as f64 / 1e6 <= work_s => paused = paused.or(Some(at_us)),
                Command::ResumeAll => {
                    self.lost_s += paused.take().map_or(0.0, |from_us| (at_us - from_us) as f64 / 1e6)
                }
                Command::Stop => self.end(at_us, "an operator's stop"),
                Command::Drain => self.end(at_us, "an operator's drain"),
                Command::Kill(_) => self.kills += 1.0,
                _ => {}
            }
        }
        if let Some(from_us) = paused {
            self.end(from_us, "an operator's pause that nobody ends");
        }
    }
}

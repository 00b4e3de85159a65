//! Owns BUDGET-1 and BUDGET-2: added up from the journal alone, no account ever holds more than its limit, and what is
//! reserved is settled, freed or open.
//!
//! Deliberately does not know prices: that a bound covers what a call then used is seen when it ends.

use crate::report::Judgement;
use baton_record::event::{Bound, BudgetScope, BudgetSet, CallAdmitted, CallRefused, Limit};
use baton_record::line::Record;
use baton_record::{EffectKey, EndpointId, Event, LaneId};
use std::collections::{BTreeMap, VecDeque};

/// Whose account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Holder {
    Run,
    Role(String),
    Lane(LaneId),
}

#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    requests: u64,
    tokens: u64,
    usd_micros: u64,
}

#[derive(Clone, Debug, Default)]
struct Account {
    limit: Option<Limit>,
    /// Settled, and reserved for calls under way.
    spent: Sum,
    reserved: Sum,
}

/// One lane's calls.
#[derive(Clone, Debug, Default)]
struct Lane {
    role: String,
    model: EndpointId,
    dead: bool,
    asked: Option<(EffectKey, Bound)>,
    open: Option<(EffectKey, Bound)>,
    /// The call that was let through last.
    admitted: Option<EffectKey>,
}

/// What passes at an endpoint with a rate.
#[derive(Clone, Debug, Default)]
struct Endpoint {
    requests: Option<u64>,
    tokens: Option<u64>,
    /// Calls of the last minute: when, and what they can use.
    passed: VecDeque<(u64, u64)>,
    tokens_passed: u64,
}

/// In which a rate is kept.
const MINUTE_US: u64 = 60_000_000;

impl Endpoint {
    fn pass(&mut self, t_us: u64, tokens: u64) -> Finding {
        while let Some((_, passed)) =
            self.passed.front().copied().filter(|(at, _)| at.saturating_add(MINUTE_US) <= t_us)
        {
            self.passed.pop_front();
            self.tokens_passed -= passed;
        }
        self.passed.push_back((t_us, tokens));
        self.tokens_passed = self.tokens_passed.saturating_add(tokens);
        let calls = self.passed.len() as u64;
        if self.requests.is_some_and(|limit| calls > limit) {
            Err(format!("call {calls} within a minute begins, above the rate of its endpoint"))
        } else if self.tokens.is_some_and(|limit| self.tokens_passed > limit) {
            Err(format!("{} tokens within a minute, above the rate of the endpoint", self.tokens_passed))
        } else {
            Ok(())
        }
    }
}

/// All accounts of a run.
#[derive(Debug, Default)]
pub(crate) struct Budgets {
    accounts: BTreeMap<Holder, Account>,
    lanes: BTreeMap<LaneId, Lane>,
    call: Option<Limit>,
    /// Whether there is any limit at all.
    limited: bool,
    endpoints: BTreeMap<EndpointId, Endpoint>,
    /// The lane whose call was cut off last by the end of the run, which then has to follow.
    cut_off: Option<LaneId>,
    budget_1: Judgement,
    budget_2: Judgement,
}

/// Whether a call may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// It may.
    Now,
    /// It may once calls under way have used less than is reserved for them.
    Later,
    /// It may not, whatever they use.
    Never,
}

type Finding = Result<(), String>;

impl Budgets {
    pub(crate) fn see(&mut self, seq: u64, record: &Record) {
        self.end(seq, record);
        if let Event::BudgetSet(set) = &record.event {
            let named =
                if record.task.is_some() { Err("a limit is set in the name of a task".to_owned()) } else { Ok(()) };
            let result = named.and(self.set(record.lane, set));
            self.budget_1.claim(result.is_ok(), || format!("record {seq}: {}", result.err().unwrap_or_default()));
            return;
        }
        if let Event::EndpointNamed(named) = &record.event {
            let rate = |limit: Option<std::num::NonZeroU32>| limit.map(|limit| u64::from(limit.get()));
            let (requests, tokens) = (rate(named.requests_per_minute), rate(named.tokens_per_minute));
            self.endpoints.insert(named.endpoint, Endpoint { requests, tokens, ..Endpoint::default() });
            return;
        }
        let Some(id) = record.lane else { return };
        match &record.event {
            Event::LaneJoined(joined) => {
                let lane = self.lane(id);
                lane.role.clone_from(&joined.role);
                lane.model = joined.model;
            }
            Event::LaneDied(_) => self.lane(id).dead = true,
            Event::LaneRestarted(_) => self.lane(id).dead = false,
            Event::SlotRequested(asked) => self.lane(id).asked = Some((asked.key, asked.bound)),
            Event::EffectIntended(call) => {
                let result = self.reserve(id, call.key, call.reserved);
                self.find(seq, result, true);
            }
            Event::CallAdmitted(admitted) => {
                let result = self.admit(id, admitted, record.t_us);
                self.budget_1.claim(result.is_ok(), || format!("record {seq}: {}", result.err().unwrap_or_default()));
            }
            Event::CallRefused(refused) => {
                let result = self.refuse(id, refused);
                self.find(seq, result, true);
            }
            Event::EffectDone(done) => {
                let tokens = done.tokens_in.saturating_add(done.tokens_out);
                let used = Bound { tokens, usd_micros: done.usd_micros };
                let begun = self.has_begun(id, done.key);
                let result = self.settle(id, done.key, used);
                let result = result.and(if begun {
                    Ok(())
                } else {
                    Err("a call ends that its endpoint never let through".to_owned())
                });
                self.find(seq, result, false);
            }
            Event::EffectFailed(failed) => {
                let result = self.settle(id, failed.key, Bound::default());
                self.find(seq, result, false);
            }
            Event::EffectLost(lost) => {
                let whole = self.lane(id).open.is_some_and(|(_, bound)| bound == lost.billed);
                let reason = self.lane(id).dead || lost.fault.is_none() && self.is_next_cut_off(id);
                let result = self.settle(id, lost.key, lost.billed);
                let result = match whole && reason {
                    true => result,
                    false => Err("a call of a lane that lives is lost, or not billed whole".to_owned()),
                };
                self.find(seq, result, false);
            }
            _ => {}
        }
    }

    /// The end of a run cuts off what is under way: lane by lane, directly before its last record, and nothing is left.
    fn end(&mut self, seq: u64, record: &Record) {
        match &record.event {
            Event::EffectLost(_) | Event::SegmentClosed(_) => {}
            Event::RunStopped(_) => {
                let open = self.lanes.values().filter(|lane| lane.open.is_some()).count();
                if open > 0 {
                    self.budget_2.breaks(|| format!("record {seq}: the run ends, and {open} calls are not settled"));
                }
                self.cut_off = None;
            }
            _ if self.cut_off.is_some() => {
                self.cut_off = None;
                self.budget_2.breaks(|| format!("record {seq}: a call was lost as the run ended, and it goes on"));
            }
            _ => {}
        }
    }

    fn is_next_cut_off(&mut self, id: LaneId) -> bool {
        self.cut_off.replace(id).is_none_or(|before| before < id)
    }

    fn find(&mut self, seq: u64, result: Finding, first: bool) {
        if first && !self.limited && result.is_ok() {
            return;
        }
        let judgement = if first { &mut self.budget_1 } else { &mut self.budget_2 };
        judgement.claim(result.is_ok(), || format!("record {seq}: {}", result.err().unwrap_or_default()));
    }

    fn lane(&mut self, id: LaneId) -> &mut Lane {
        self.lanes.entry(id).or_default()
    }

    fn set(&mut self, lane: Option<LaneId>, set: &BudgetSet) -> Finding {
        self.limited = true;
        let holder = match (set.scope, lane, &set.role) {
            (BudgetScope::Run, None, None) => Holder::Run,
            (BudgetScope::Role, None, Some(role)) if self.lanes.values().any(|lane| lane.role == *role) => {
                Holder::Role(role.clone())
            }
            (BudgetScope::Lane, Some(lane), None) if self.lanes.contains_key(&lane) => Holder::Lane(lane),
            (BudgetScope::Call, None, None) => {
                let before = self.call.replace(set.limit);
                return another(before, set);
            }
            _ => return Err("a limit is set, and nobody has it".to_owned()),
        };
        let before = self.accounts.entry(holder).or_default().limit.replace(set.limit);
        another(before, set)
    }

    fn holders(&self, id: LaneId) -> [Holder; 3] {
        let role = self.lanes.get(&id).map(|lane| lane.role.clone()).unwrap_or_default();
        [Holder::Run, Holder::Role(role), Holder::Lane(id)]
    }

    /// Whether a call of the lane may begin that uses no more than `bound`.
    pub(crate) fn fit(&self, id: LaneId, bound: Bound) -> Fit {
        if !self.limited {
            return Fit::Now;
        }
        let mut one = Sum::default();
        one.add(bound);
        if self.call.is_some_and(|limit| !one.is_within(limit)) {
            return Fit::Never;
        }
        let mut fit = Fit::Now;
        for account in self.holders(id).iter().filter_map(|holder| self.accounts.get(holder)) {
            let Some(limit) = account.limit else { continue };
            if !account.spent.and(one).is_within(limit) {
                return Fit::Never;
            }
            if !account.spent.and(account.reserved).and(one).is_within(limit) {
                fit = Fit::Later;
            }
        }
        fit
    }

    fn reserve(&mut self, id: LaneId, key: EffectKey, bound: Bound) -> Finding {
        let asked = self.lane(id).asked.take();
        let under_way = self.lane(id).open.replace((key, bound));
        let mut above = None;
        for holder in self.holders(id) {
            let account = self.accounts.entry(holder.clone()).or_default();
            account.reserved.add(bound);
            if !account.limit.is_none_or(|limit| account.spent.and(account.reserved).is_within(limit)) {
                above = Some(holder);
            }
        }
        let mut one = Sum::default();
        one.add(bound);
        if let Some(holder) = above {
            Err(format!("call {:016x} is reserved above the limit of {holder:?}", key.0))
        } else if self.call.is_some_and(|limit| !one.is_within(limit)) {
            Err(format!("call {:016x} is bounded above what a call may use", key.0))
        } else if asked != Some((key, bound)) {
            Err(format!("call {:016x} is reserved otherwise than it was asked for", key.0))
        } else if under_way.is_some() {
            Err(format!("call {:016x} begins while another of its lane is under way", key.0))
        } else {
            Ok(())
        }
    }

    /// A call with a reservation begins when its endpoint's rate lets it through, and once.
    fn admit(&mut self, id: LaneId, admitted: &CallAdmitted, t_us: u64) -> Finding {
        let lane = self.lane(id);
        let bound = lane.open.filter(|(key, _)| *key == admitted.key).map(|(_, bound)| bound);
        let again = lane.admitted.replace(admitted.key) == Some(admitted.key);
        let Some(bound) = bound.filter(|_| !again) else {
            return Err(format!("call {:016x} begins without a reservation, or twice", admitted.key.0));
        };
        match self.endpoints.get_mut(&admitted.endpoint) {
            Some(endpoint) => endpoint.pass(t_us, bound.tokens),
            None => Err("a call begins at an endpoint that is not named".to_owned()),
        }
    }

    /// A call at an endpoint with a rate has begun before it ends.
    fn has_begun(&mut self, id: LaneId, key: EffectKey) -> bool {
        let lane = self.lane(id);
        let (model, admitted) = (lane.model, lane.admitted == Some(key));
        let rated = self.endpoints.get(&model).is_some_and(|at| at.requests.is_some() || at.tokens.is_some());
        admitted || !rated
    }

    /// A refusal is true if what is spent leaves no room, whatever the calls under way turn out to use.
    fn refuse(&mut self, id: LaneId, refused: &CallRefused) -> Finding {
        let Some((_, bound)) = self.lane(id).asked.take().filter(|(key, _)| *key == refused.key) else {
            return Err("a call is refused that was not asked for".to_owned());
        };
        let mut one = Sum::default();
        one.add(bound);
        let fits = |account: Option<&Account>| {
            account.is_none_or(|account| account.limit.is_none_or(|limit| account.spent.and(one).is_within(limit)))
        };
        let [run, role, lane] = self.holders(id);
        let fits = match refused.scope {
            BudgetScope::Run => fits(self.accounts.get(&run)),
            BudgetScope::Role => fits(self.accounts.get(&role)),
            BudgetScope::Lane => fits(self.accounts.get(&lane)),
            BudgetScope::Call => self.call.is_none_or(|limit| one.is_within(limit)),
        };
        if fits { Err("a call is refused that fits".to_owned()) } else { Ok(()) }
    }

    fn settle(&mut self, id: LaneId, key: EffectKey, used: Bound) -> Finding {
        let open = self.lane(id).open.take();
        let Some((_, bound)) = open.filter(|(open, _)| *open == key) else {
            return Err(format!("call {:016x} is settled, and nothing is reserved for it", key.0));
        };
        for holder in self.holders(id) {
            let account = self.accounts.entry(holder).or_default();
            account.reserved.subtract(bound);
            account.spent.add(used);
        }
        if used.tokens <= bound.tokens && used.usd_micros <= bound.usd_micros {
            Ok(())
        } else {
            Err(format!("call {:016x} used more than was reserved for it", key.0))
        }
    }

    /// BUDGET-1 and BUDGET-2.
    pub(crate) fn judge(mut self) -> (Judgement, Judgement) {
        let open = self.lanes.values().filter(|lane| lane.open.is_some()).count();
        let run = self.accounts.remove(&Holder::Run).unwrap_or_default();
        if open > 0 {
            self.budget_2.open(|| format!("{open} calls are under way and not settled"));
        }
        let (calls, usd) = (run.spent.requests, run.spent.usd_micros as f64 / 1e6);
        self.budget_2.note(format!("{calls} calls settled for {usd:.2} USD, nothing reserved twice or left over"));
        (self.budget_1, self.budget_2)
    }
}

/// Who says a limit that holds already is not obeyed, and nothing is written down; and what a person does not name stays.
fn another(before: Option<Limit>, set: &BudgetSet) -> Finding {
    let (limit, Limit { requests, tokens, usd_micros }) = (set.limit, before.unwrap_or_default());
    let gone = |before: Option<u64>, now: Option<u64>| before.is_some() && now.is_none();
    if before == Some(limit) {
        Err("a limit is set that holds already".to_owned())
    } else if gone(requests, limit.requests) || gone(tokens, limit.tokens) || gone(usd_micros, limit.usd_micros) {
        Err("a limit is taken away, which nobody can order".to_owned())
    } else {
        Ok(())
    }
}

impl Sum {
    fn add(&mut self, bound: Bound) {
        self.requests = self.requests.saturating_add(1);
        self.tokens = self.tokens.saturating_add(bound.tokens);
        self.usd_micros = self.usd_micros.saturating_add(bound.usd_micros);
    }

    fn subtract(&mut self, bound: Bound) {
        self.requests = self.requests.saturating_sub(1);
        self.tokens = self.tokens.saturating_sub(bound.tokens);
        self.usd_micros = self.usd_micros.saturating_sub(bound.usd_micros);
    }

    fn and(self, other: Sum) -> Sum {
        Sum {
            requests: self.requests.saturating_add(other.requests),
            tokens: self.tokens.saturating_add(other.tokens),
            usd_micros: self.usd_micros.saturating_add(other.usd_micros),
        }
    }

    fn is_within(self, limit: Limit) -> bool {
        let within = |sum: u64, limit: Option<u64>| limit.is_none_or(|limit| sum <= limit);
        within(self.requests, limit.requests)
            && within(self.tokens, limit.tokens)
            && within(self.usd_micros, limit.usd_micros)
    }
}

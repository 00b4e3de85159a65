//! Budgets: what a run, its roles and its lanes may use, what is reserved for calls under way, and what is spent.
//!
//! A call begins only if its upper bound fits under every limit above it, beside all that is spent and reserved; its end
//! settles what it used and frees the rest. So no limit is ever passed, whatever the calls turn out to use. Knows no
//! prices and no rates: a bound comes with the call, and how fast calls may follow each other is the endpoint's matter.

use baton_record::event::{Bound, BudgetScope, BudgetSet, Limit};
use baton_record::{Event, LaneId, RoleId};
use std::collections::BTreeMap;

/// What one call, or all calls of an account, came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Amount {
    /// Calls.
    pub requests: u64,
    /// Tokens sent and received.
    pub tokens: u64,
    /// Millionths of a dollar.
    pub usd_micros: u64,
}

impl Amount {
    /// One call that uses no more than `bound`.
    pub fn call(bound: Bound) -> Amount {
        Amount { requests: 1, tokens: bound.tokens, usd_micros: bound.usd_micros }
    }

    fn plus(self, other: Amount) -> Amount {
        Amount {
            requests: self.requests.saturating_add(other.requests),
            tokens: self.tokens.saturating_add(other.tokens),
            usd_micros: self.usd_micros.saturating_add(other.usd_micros),
        }
    }

    fn minus(self, other: Amount) -> Amount {
        let less = |a: u64, b: u64| a.checked_sub(b).expect("no more is freed than was reserved");
        Amount {
            requests: less(self.requests, other.requests),
            tokens: less(self.tokens, other.tokens),
            usd_micros: less(self.usd_micros, other.usd_micros),
        }
    }

    fn is_within(self, limit: Limit) -> bool {
        let within = |used: u64, limit: Option<u64>| limit.is_none_or(|limit| used <= limit);
        within(self.requests, limit.requests)
            && within(self.tokens, limit.tokens)
            && within(self.usd_micros, limit.usd_micros)
    }
}

/// One account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Hash)]
struct Account {
    limit: Option<Limit>,
    spent: Amount,
    reserved: Amount,
}

/// Which account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Holder {
    Run,
    Role(RoleId),
    Lane(LaneId),
}

/// Whether a call may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It may.
    Now,
    /// It may once calls that are under way have ended, if they use less than their bounds.
    Later,
    /// It never may, unless a limit of this scope is raised.
    Never(BudgetScope),
}

/// All accounts of a run.
#[derive(Clone, Debug, Default, PartialEq, Hash)]
pub struct Ledger {
    run: Account,
    roles: Vec<Account>,
    lanes: Vec<Purse>,
    /// What a single call may be bounded by.
    call: Option<Limit>,
    /// The limit that was set last for a lane: whoever joins has the same.
    lane: Option<Limit>,
    /// Whether there is any limit at all.
    limited: bool,
}

/// A lane's account, whose role it is in, and what its call under way may use.
#[derive(Clone, Copy, Debug, PartialEq, Hash)]
struct Purse {
    role: RoleId,
    limit: Option<Limit>,
    spent: Amount,
    /// All that is reserved for it.
    open: Option<Bound>,
}

impl Purse {
    fn account(&self) -> Account {
        let reserved = self.open.map(Amount::call).unwrap_or_default();
        Account { limit: self.limit, spent: self.spent, reserved }
    }
}

impl Ledger {
    /// Whether there is any limit at all. Without one every call fits.
    pub fn limited(&self) -> bool {
        self.limited
    }

    /// What all calls that have ended used.
    pub fn spent(&self) -> Amount {
        self.run.spent
    }

    /// What is reserved for calls under way.
    pub fn reserved(&self) -> Amount {
        self.run.reserved
    }

    /// What a lane's call under way may use at most.
    pub fn open(&self, lane: LaneId) -> Option<Bound> {
        self.lanes[lane.0 as usize].open
    }

    /// The limit that a lane has that joins.
    pub fn lane_limit(&self) -> Option<Limit> {
        self.lane
    }

    /// The limit that holds for a scope; of `role` or `lane`, where it is theirs.
    pub fn limit(&self, scope: BudgetScope, holder: (Option<RoleId>, Option<LaneId>)) -> Option<Limit> {
        match (scope, holder) {
            (BudgetScope::Run, _) => self.run.limit,
            (BudgetScope::Role, (Some(role), _)) => self.roles.get(role.0 as usize)?.limit,
            (BudgetScope::Lane, (_, Some(lane))) => self.lanes.get(lane.0 as usize)?.limit,
            (BudgetScope::Call, _) => self.call,
            _ => None,
        }
    }

    /// Takes a fact about budgets and calls into the state; any other fact changes nothing. `role`: the role of the lane
    /// that joins, or of the account whose limit is set.
    pub fn apply(&mut self, lane: Option<LaneId>, event: &Event, role: Option<RoleId>) {
        match (event, lane) {
            (Event::LaneJoined(_), _) => self.join(role.expect("a lane joins with its role")),
            (Event::BudgetSet(set), _) => self.set(set, role, lane),
            (Event::EffectIntended(call), Some(lane)) => {
                let purse = &mut self.lanes[lane.0 as usize];
                purse.account().reserve(call.reserved);
                assert!(purse.open.replace(call.reserved).is_none(), "a lane has one call under way");
                self.roles[purse.role.0 as usize].reserve(call.reserved);
                self.run.reserve(call.reserved);
            }
            (Event::EffectDone(done), Some(lane)) => {
                let (tokens, usd_micros) = (done.tokens_in.saturating_add(done.tokens_out), done.usd_micros);
                self.settle(lane, Amount { requests: 1, tokens, usd_micros });
            }
            (Event::EffectFailed(_), Some(lane)) => self.settle(lane, Amount { requests: 1, ..Amount::default() }),
            (Event::EffectLost(lost), Some(lane)) => self.settle(lane, Amount::call(lost.billed)),
            _ => {}
        }
    }

    fn join(&mut self, role: RoleId) {
        let roles = self.roles.len().max(role.0 as usize + 1);
        self.roles.resize(roles, Account::default());
        self.lanes.push(Purse { role, limit: None, spent: Amount::default(), open: None });
    }

    fn set(&mut self, set: &BudgetSet, role: Option<RoleId>, lane: Option<LaneId>) {
        self.limited = true;
        let limit = Some(set.limit);
        match set.scope {
            BudgetScope::Run => self.run.limit = limit,
            BudgetScope::Role => {
                self.roles[role.expect("a role's limit names a role with a lane").0 as usize].limit = limit;
            }
            BudgetScope::Lane => {
                self.lanes[lane.expect("a lane's limit names it").0 as usize].limit = limit;
                self.lane = limit;
            }
            BudgetScope::Call => self.call = limit,
        }
    }

    fn settle(&mut self, lane: LaneId, used: Amount) {
        let purse = &mut self.lanes[lane.0 as usize];
        let open = purse.open.take().expect("only a call under way is settled");
        assert!(used.tokens <= open.tokens && used.usd_micros <= open.usd_micros, "a call used more than its bound");
        purse.spent = purse.spent.plus(used);
        self.roles[purse.role.0 as usize].settle(open, used);
        self.run.settle(open, used);
    }

    fn account(&self, holder: Holder) -> Account {
        match holder {
            Holder::Run => self.run,
            Holder::Role(role) => self.roles[role.0 as usize],
            Holder::Lane(lane) => self.lanes[lane.0 as usize].account(),
        }
    }

    fn holders(&self, lane: LaneId) -> [Holder; 3] {
        [Holder::Run, Holder::Role(self.lanes[lane.0 as usize].role), Holder::Lane(lane)]
    }
}

impl Account {
    fn reserve(&mut self, bound: Bound) {
        self.reserved = self.reserved.plus(Amount::call(bound));
        if let Some(limit) = self.limit {
            // A lowered limit binds new reservations only: then nothing is reserved until what is there fits again.
            assert!(self.spent.plus(self.reserved).is_within(limit), "more is reserved than a limit allows");
        }
    }

    fn settle(&mut self, bound: Bound, used: Amount) {
        self.reserved = self.reserved.minus(Amount::call(bound));
        self.spent = self.spent.plus(used);
    }
}

/// The ledger as it will be after the facts of one decision, of which a call that begins is one.
#[derive(Debug)]
pub struct Draft<'a> {
    ledger: &'a Ledger,
    changed: BTreeMap<Holder, Account>,
    call: Option<Limit>,
    /// Whether a limit is set in this decision.
    set: bool,
}

impl<'a> Draft<'a> {
    /// Nothing is decided yet.
    pub fn of(ledger: &'a Ledger) -> Draft<'a> {
        Draft { ledger, changed: BTreeMap::new(), call: ledger.call, set: false }
    }

    /// Whether there is any limit at all.
    pub fn limited(&self) -> bool {
        self.ledger.limited || self.set
    }

    /// The call that `lane` has under way ends with this.
    pub fn settle(&mut self, lane: LaneId, used: Amount) {
        if let Some(open) = self.ledger.open(lane).filter(|_| self.limited()) {
            self.each(lane, |account| account.settle(open, used));
        }
    }

    /// A call of `lane` begins.
    pub fn reserve(&mut self, lane: LaneId, bound: Bound) {
        if self.limited() {
            self.each(lane, |account| account.reserve(bound));
        }
    }

    /// Another limit holds.
    pub fn set(&mut self, holder: (Option<RoleId>, Option<LaneId>), set: &BudgetSet) {
        self.set = true;
        let holder = match (set.scope, holder) {
            (BudgetScope::Run, _) => Holder::Run,
            (BudgetScope::Role, (Some(role), _)) => Holder::Role(role),
            (BudgetScope::Lane, (_, Some(lane))) => Holder::Lane(lane),
            _ => {
                self.call = Some(set.limit);
                return;
            }
        };
        let mut account = self.account(holder);
        account.limit = Some(set.limit);
        self.changed.insert(holder, account);
    }

    /// Whether a call of `lane` may begin that uses no more than `bound`.
    pub fn fit(&self, lane: LaneId, bound: Bound) -> Fit {
        if !self.limited() {
            return Fit::Now;
        }
        let call = Amount::call(bound);
        if self.call.is_some_and(|limit| !call.is_within(limit)) {
            return Fit::Never(BudgetScope::Call);
        }
        let mut fit = Fit::Now;
        for holder in self.ledger.holders(lane) {
            let account = self.account(holder);
            let Some(limit) = account.limit else { continue };
            if !account.spent.plus(call).is_within(limit) {
                return Fit::Never(holder.scope());
            }
            if !account.spent.plus(account.reserved).plus(call).is_within(limit) {
                fit = Fit::Later;
            }
        }
        fit
    }

    fn each(&mut self, lane: LaneId, change: impl Fn(&mut Account)) {
        for holder in self.ledger.holders(lane) {
            let mut account = self.account(holder);
            change(&mut account);
            self.changed.insert(holder, account);
        }
    }

    fn account(&self, holder: Holder) -> Account {
        self.changed.get(&holder).copied().unwrap_or_else(|| self.ledger.account(holder))
    }
}

impl Holder {
    fn scope(self) -> BudgetScope {
        match self {
            Holder::Run => BudgetScope::Run,
            Holder::Role(_) => BudgetScope::Role,
            Holder::Lane(_) => BudgetScope::Lane,
        }
    }
}

//! Money that is reserved, spent or refused otherwise than the limits allow.

use crate::forgery::*;
use baton_record::Event;
use baton_record::event::*;
use baton_record::ids::*;

#[test]
fn no_account_holds_more_than_its_limit_and_nothing_is_settled_twice() {
    check_all(&[
        (
            "a limit below what was reserved under it",
            |f| edit!(f, BudgetSet, 0, |e| e.limit.tokens = Some(1)),
            &["BUDGET-1", "BUDGET-2"],
        ),
        (
            "a limit below what the second call needs",
            |f| edit!(f, BudgetSet, 0, |e| e.limit.requests = Some(1)),
            &["BUDGET-1", "BUDGET-2"],
        ),
        ("a limit that nobody has", |f| edit!(f, BudgetSet, 0, |e| e.scope = BudgetScope::Role), &["BUDGET-1"]),
        (
            "a reservation below what was asked for",
            |f| edit!(f, EffectIntended, 0, |e| e.reserved.tokens = 1),
            &["BUDGET-1", "BUDGET-2"],
        ),
        ("a call that used more than its bound", |f| edit!(f, EffectDone, 0, |e| e.tokens_out = 50), &["BUDGET-2"]),
        ("a call that cost more than its bound", |f| edit!(f, EffectDone, 1, |e| e.usd_micros = 50), &["BUDGET-2"]),
        (
            "a call of a living lane is lost",
            |f| {
                let place = f.at("EffectDone", 0);
                let billed = Bound { tokens: 2, usd_micros: 1 };
                f.records[place].event = Event::EffectLost(EffectLost { key: EffectKey(1), billed, fault: None });
            },
            &["LOCK-3", "BUDGET-2"],
        ),
        (
            "a lane gives up though it has money",
            |f| {
                let place = f.at("SlotReleased", 1);
                let mut record = f.records[place].clone();
                (record.task, record.event) =
                    (None, Event::LaneRetired(LaneRetired { reason: RetireReason::BudgetOver }));
                f.records.insert(place + 1, record);
            },
            &["HAND-1"],
        ),
    ]);
}

//! Owns what `run.json` says of a run and whether the journal says the same. A claim is evidence to
//! compare, never a source. It is written twice, before the first lane starts and with the verdict; what
//! belongs to either must be there, any other key that is not there claims nothing.
//!
//! Deliberately does not know the repository, nor how expectations are computed.

use crate::fold::Fold;
use baton_record::Oid;
use serde_json::Value;

/// The contents of `run.json`.
#[derive(Debug, Default)]
pub(crate) struct Claims(Option<Value>);

impl Claims {
    /// What a JSON object says, and the parts that the product writes as objects.
    pub(crate) fn of(value: Value) -> Result<Claims, String> {
        for part in ["", "/journal", "/main", "/spend"] {
            if value.pointer(part).is_some_and(|found| !found.is_object() && !found.is_null()) {
                return Err(format!("run.json is at fault: {part:?} is no object"));
            }
        }
        let begun = ["/version", "/scenario", "/seed", "/world"];
        let ended = ["/exit_code", "/journal/records", "/journal/head_hash", "/main/head"];
        let has_verdict = value.get("verdict").is_some_and(|verdict| !verdict.is_null());
        let due = begun.iter().chain(ended.iter().filter(|_| has_verdict));
        if let Some(missing) = due.into_iter().find(|pointer| value.pointer(pointer).is_none_or(Value::is_null)) {
            return Err(format!("run.json is at fault: it says nothing at {missing}"));
        }
        if value.get("verdict").is_none() {
            return Err("run.json is at fault: it has neither a verdict nor says that there is none yet".into());
        }
        Ok(Claims(Some(value)))
    }

    fn at(&self, pointer: &str) -> Option<&Value> {
        self.0.as_ref()?.pointer(pointer).filter(|value| !value.is_null())
    }

    pub(crate) fn records(&self) -> Option<u64> {
        self.at("/journal/records").and_then(Value::as_u64)
    }

    pub(crate) fn head_hash(&self) -> Option<&str> {
        self.at("/journal/head_hash").and_then(Value::as_str)
    }

    /// `Some(None)`: a name that no object can have.
    pub(crate) fn main(&self) -> Option<Option<Oid>> {
        self.at("/main/head").map(|head| head.as_str().and_then(Oid::from_hex))
    }

    /// Every claim that the journal contradicts, in words.
    pub(crate) fn contradictions(&self, fold: &Fold) -> Vec<String> {
        let mut found = Vec::new();
        let mut compare = |pointer: &str, truth: Option<Value>| {
            if let Some(claim) = self.at(pointer)
                && truth.as_ref() != Some(claim)
            {
                let truth = truth.map_or_else(|| "nothing".to_owned(), |truth| truth.to_string());
                found.push(format!("run.json says {claim} at {pointer}, and the journal {truth}"));
            }
        };
        if let Some(started) = &fold.ends.started {
            compare("/version", Some(started.version.clone().into()));
            compare("/scenario", Some(started.scenario.clone().into()));
            compare("/scenario_hash", Some(started.scenario_hash.clone().into()));
            compare("/seed", Some(started.seed.into()));
            compare("/world", serde_json::to_value(started.world).ok());
        }
        let stopped = fold.ends.stopped.as_ref();
        compare("/stopped", stopped.and_then(|stopped| serde_json::to_value(stopped.reason).ok()));
        compare("/main/landed", stopped.map(|stopped| stopped.landed.into()));
        compare("/main/refused", stopped.map(|stopped| stopped.refused.into()));
        let spend = fold.effects.spend;
        compare("/spend/calls", Some(spend.calls.into()));
        compare("/spend/tokens_in", Some(spend.tokens_in.into()));
        compare("/spend/tokens_out", Some(spend.tokens_out.into()));
        found.extend(self.money(spend.usd_micros));
        found.extend(self.faults(fold));
        found.extend(self.verdict());
        found
    }

    fn money(&self, usd_micros: u64) -> Option<String> {
        let claim = self.at("/spend/usd")?;
        let fits = claim.as_f64().is_some_and(|usd| (usd * 1e6 - usd_micros as f64).abs() < 1.0);
        (!fits).then(|| format!("run.json says {claim} at /spend/usd, and the journal {usd_micros} millionths"))
    }

    fn faults(&self, fold: &Fold) -> Option<String> {
        let listed = self.at("/faults")?.as_array()?;
        let number = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_u64);
        let wrong = listed.iter().find(|entry| {
            let known = fold.lives.faults.iter().find(|(id, _)| Some(u64::from(id.0)) == number(entry, "id"));
            let (injected, felt) = known.map_or((0, 0), |(_, fault)| (fault.injected, fault.felt));
            let kind = entry.get("kind").and_then(Value::as_str);
            let named = known.is_none_or(|(_, fault)| kind.is_none_or(|kind| kind == fault.kind));
            let records = number(entry, "felt_records").is_some_and(|claim| claim != felt);
            (number(entry, "injected"), number(entry, "felt")) != (Some(injected), Some(felt.min(1)))
                || records
                || !named
        });
        let unlisted = fold.lives.faults.keys().find(|id| {
            let id = Some(u64::from(id.0));
            !listed.iter().any(|entry| number(entry, "id") == id)
        });
        match (wrong, unlisted) {
            (Some(entry), _) => Some(format!("run.json says {entry} of a fault, and the journal says otherwise")),
            (None, Some(id)) => Some(format!("run.json does not list fault {}, which struck", id.0)),
            (None, None) => None,
        }
    }

    /// A verdict agrees with its exit code and with the expectations and thresholds beside it.
    fn verdict(&self) -> Option<String> {
        let verdict = self.at("/verdict")?;
        let missed = |list: &str| {
            let all = self.at(list).and_then(Value::as_array);
            all.is_some_and(|all| all.iter().any(|one| one.get("held").and_then(Value::as_bool) == Some(false)))
        };
        let (expectation, threshold) = (missed("/expectations"), missed("/thresholds"));
        let codes: &[u64] = match verdict.as_str() {
            Some("held") => &[0],
            Some("failed") => &[1, MISSED],
            Some("broken") => &[3],
            Some("stopped") => &[5],
            Some("waiting") => &[6],
            _ => return Some(format!("run.json's verdict {verdict} is none")),
        };
        let code = self.at("/exit_code").and_then(Value::as_u64);
        match code {
            Some(code) if !codes.contains(&code) => {
                Some(format!("run.json's exit code is not the one of its verdict {verdict}"))
            }
            Some(MISSED) if expectation || !threshold => {
                Some("run.json's exit code is that of a missed threshold, and not so the lists beside it".into())
            }
            _ => (codes == [0] && (expectation || threshold))
                .then(|| "run.json's verdict is held, and an expectation or threshold beside it is not".into()),
        }
    }
}

/// The exit code of a run in which everything held but a threshold.
const MISSED: u64 = 4;

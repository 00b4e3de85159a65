//! Owns how the findings of all checks become one report: what is asked of the repository, which promise
//! each finding belongs to, and what a damaged journal still allows to be said.
//!
//! Beyond the first damage nothing is known, so what needs the whole journal (main against the journal,
//! STOP-1, how things ended) is not judged; what was broken before it stays broken.
//! Deliberately does not know how any check works.

use crate::Unreadable;
use crate::claims::Claims;
use crate::conflicts::{self, Grounds};
use crate::consent::Consent;
use crate::control::Control;
use crate::fold::Fold;
use crate::lanes::Lanes;
use crate::main_line::{self, Expected};
use crate::mandate::{self, Mandates};
use crate::packet_content::{self, Shelves};
use crate::reader::Reading;
use crate::refs::{self, Refs};
use crate::replay::replay;
use crate::report::{Judgement, Promise, Report, one_line};
use crate::repository::Repository;
use crate::rollback;
use crate::run_folder::RunFolder;
use crate::scenario_file::ScenarioFile;
use baton_record::Oid;
use baton_record::event::RunStarted;
use baton_record::promise::{PROMISES, Status};
use std::collections::BTreeMap;
use std::path::Path;
use std::thread::ScopedJoinHandle;

/// The check of all objects, under way.
pub(crate) type Soundness<'a> = ScopedJoinHandle<'a, Result<(), String>>;

/// Whether every object of the run's repository is what its name says, and whether all that its refs reach is
/// there. Needs nothing of the journal, and so goes on while that is read.
pub(crate) fn soundness(folder: &RunFolder) -> Result<(), String> {
    // What cannot be read at all is said where main is judged.
    let Ok(refs) = refs::only_its_own(&folder.repository).and_then(|()| refs::read(&folder.repository)) else {
        return Ok(());
    };
    let heads: Vec<Oid> = [refs.main, refs.fences].into_iter().flatten().collect();
    let Some(like) = heads.first() else { return Ok(()) };
    let repository = Repository::borrow(&folder.repository, *like).map_err(|unreadable| unreadable.to_string())?;
    repository.fsck(&heads)
}

/// All judgements so far, by promise.
pub(crate) struct Verdict {
    promises: BTreeMap<&'static str, Judgement>,
    claims: Claims,
    lost: u64,
    doubled: u64,
    torn: u64,
    uncredited: u64,
    unjudged: Option<String>,
}

impl Verdict {
    /// LOG-1: the journal is whole, and is the one that `run.json` speaks of.
    pub(crate) fn of_journal(folder: &RunFolder, reading: &Reading) -> Verdict {
        let mut log = Judgement::default();
        log.note(match reading.torn_tail {
            true => format!("{} records; the last line is torn, as a crash leaves it", reading.records),
            false => format!("{} records, chained and whole", reading.records),
        });
        (0..reading.records).for_each(|_| log.checked());
        if let Some(damage) = &reading.damage {
            log.breaks(|| damage.to_string());
        }
        let claims = folder.claims().unwrap_or_else(|why| {
            log.breaks(|| why);
            Claims::default()
        });
        if claims.records().is_some_and(|records| records != reading.records) {
            log.breaks(|| {
                format!(
                    "run.json speaks of {} records, and {} are there",
                    claims.records().unwrap_or(0),
                    reading.records
                )
            });
        }
        if claims.head_hash().is_some_and(|head| head != reading.head_hash) {
            log.breaks(|| format!("run.json names another last record than {}", reading.head_hash));
        }
        let promises = BTreeMap::from([("LOG-1", log)]);
        let unjudged = reading.damage.as_ref().map(|damage| format!("the journal is damaged: {damage}"));
        Verdict { promises, claims, lost: 0, doubled: 0, torn: 0, uncredited: 0, unjudged }
    }

    fn join(&mut self, id: &'static str, judgement: Judgement) {
        self.promises.entry(id).or_default().join(judgement);
    }

    /// Everything that needs the repository. The journal is whole.
    pub(crate) fn judge_repository(
        &mut self,
        folder: &RunFolder,
        fold: &mut Fold,
        (lanes, sound): (&Lanes, Soundness<'_>),
    ) -> Result<(), Unreadable> {
        let Some(started) = fold.ends.started.clone() else {
            return Ok(());
        };
        let scenario = self.judge_claims(folder, fold);
        let mut main_1 = Judgement::default();
        let refs = match refs::only_its_own(&folder.repository).and_then(|()| refs::read(&folder.repository)) {
            Ok(refs) => refs,
            Err(why) => {
                main_1.breaks(|| format!("the repository cannot be read: {why}"));
                self.join("MAIN-1", main_1);
                self.unjudged = Some(format!("the repository cannot be read: {why}"));
                return Ok(());
            }
        };
        match refs::strange(&folder.repository) {
            Ok(strange) => main_1.claim(strange.is_none(), || strange.unwrap_or_default()),
            Err(why) => main_1.breaks(|| format!("the repository cannot be read: {why}")),
        }
        let repository = Repository::borrow(&folder.repository, started.base)?;
        if let Some(claim) = self.claims.main() {
            main_1.claim(claim == refs.main, || "run.json names another main than the repository has".into());
        }
        if let Some(stopped) = &fold.ends.stopped {
            let foreign_gone = fold.changes.foreign.as_ref().is_some_and(|push| push.found.is_none());
            main_1.claim(refs.main == Some(stopped.main) || (foreign_gone && refs.main.is_none()), || {
                format!("the run ended with main at {}, and main is elsewhere", stopped.main)
            });
        }
        let mut main_3 = Judgement::default();
        let mandates = self.read_mandates(folder, fold, (&repository, started.base));
        if let Some(file) = scenario {
            self.judge_by_scenario(&file, &mandates, fold);
        }
        if started.control || fold.control.any() {
            let mut role_1 = Judgement::default();
            mandates.judge_written(&fold.roles.written, &mut role_1);
            self.join("ROLE-1", role_1);
            self.judge_control(started.base, refs, fold, &repository);
        } else {
            self.judge_main((&started, &mandates), refs, fold, (lanes, &folder.content, &repository));
        }
        let sound = sound.join().unwrap_or_else(|_| Err("the check of the objects did not end".into()));
        if let Err(why) = sound {
            main_3.breaks(|| format!("the repository is not sound: {why}"));
        }
        self.join("MAIN-1", main_1);
        self.join("MAIN-3", main_3);
        let name = |lane| lanes.name(lane).map(str::to_owned);
        let shelves = Shelves { content: &folder.content, repository: &repository, run: &started.run, name: &name };
        self.join("HAND-2", packet_content::judge(&fold.packets, &shelves));
        Ok(())
    }

    /// LOG-1: `run.json` and the scenario beside the journal belong to it; the scenario, if it does.
    fn judge_claims(&mut self, folder: &RunFolder, fold: &Fold) -> Option<ScenarioFile> {
        let mut log = Judgement::default();
        for contradiction in self.claims.contradictions(fold) {
            log.breaks(|| contradiction);
        }
        let mut file = None;
        let said = fold.ends.started.as_ref().map(|started| started.scenario_hash.clone());
        match folder.scenario() {
            Ok((bytes, found)) if Some(&found) == said.as_ref() => file = ScenarioFile::read(&bytes),
            Ok(_) => log.breaks(|| "scenario.yaml is not the scenario that the run was started with".into()),
            Err(why) => log.breaks(|| why),
        }
        self.join("LOG-1", log);
        file
    }

    /// What the journal alone does not say: how long people are waited for, and where a lane's context is full.
    fn judge_by_scenario(&mut self, file: &ScenarioFile, mandates: &Mandates, fold: &Fold) {
        self.join("HAND-1", fold.approvals.judge_patience(file));
        let limit = |role: &str| file.contexts.get(role).copied().or_else(|| mandates.context_limit(role));
        if fold.ends.started.as_ref().is_some_and(|started| !started.control) {
            self.join("HAND-2", fold.rollovers.judge(limit));
        }
    }

    fn judge_control(&mut self, base: Oid, refs: Refs, fold: &mut Fold, repository: &Repository) {
        let control = std::mem::take::<Control>(&mut fold.control);
        let outcome = control.judge(base, refs.main, &fold.changes, repository);
        (self.lost, self.torn) = (outcome.lost, outcome.torn);
        self.join("MAIN-1", outcome.main_1);
        self.join("MAIN-2", outcome.main_2);
        self.join("MAIN-3", outcome.main_3);
        self.join("WHO-1", outcome.who_1);
    }

    /// ROLE-1: what binds the roles, and what was denied by it.
    fn read_mandates(&mut self, folder: &RunFolder, fold: &Fold, (repository, base): (&Repository, Oid)) -> Mandates {
        let mut role_1 = Judgement::default();
        let mandates = mandate::read(&fold.roles, folder, &mut role_1);
        if !fold.roles.denied.is_empty() || !fold.roles.handed.is_empty() {
            match repository.links(base) {
                Ok(links) => mandates.judge_denials(&fold.roles, &links, &mut role_1),
                Err(why) => role_1.breaks(|| why),
            }
        }
        if fold.roles.ends_refusing() && fold.ends.stopped.is_some() {
            role_1.breaks(|| "the run ended before a change was refused that was denied something".into());
        }
        role_1.note(format!("{} roles bound, {} actions denied", fold.roles.bound.len(), fold.roles.denied.len()));
        self.join("ROLE-1", role_1);
        mandates
    }

    fn judge_main(
        &mut self,
        (started, mandates): (&RunStarted, &Mandates),
        refs: Refs,
        fold: &mut Fold,
        (lanes, content, repository): (&Lanes, &Path, &Repository),
    ) {
        let killed = fold.ends.stopped.is_none();
        let fold_ref = &*fold;
        let consent = Consent::of(fold_ref, (content, repository));
        let expected = Expected {
            started,
            killed,
            changes: &fold_ref.changes,
            lanes,
            who: &fold_ref.who,
            board: &fold_ref.board,
            gates: &fold_ref.gates,
            consent: &consent,
            repository,
            main: refs.main,
        };
        let line = main_line::compare(&expected);
        self.join("BACK-1", rollback::judge(&expected, &line));
        let replayed = replay(started.base, (&fold_ref.changes, &fold_ref.board), &line, repository);
        let grounds = Grounds {
            run: &started.run,
            base: started.base,
            changes: &fold_ref.changes,
            lanes,
            line: &line,
            repository,
            content,
        };
        self.join("MAIL-1", conflicts::judge(&grounds));
        if mandates.any() {
            let mut role_1 = Judgement::default();
            let let_pass = |id, path: &str| consent.lets_act(id, path);
            let story = (&fold_ref.changes, lanes, &let_pass as _);
            if let Err(why) = mandates.judge_landings(story, &line, repository, &mut role_1) {
                role_1.breaks(|| why);
            }
            self.join("ROLE-1", role_1);
        }
        let [hand_1, main_4, undo_1] = consent.judge(fold_ref, (&line, lanes), repository);
        self.join("UNDO-1", undo_1);
        self.join("MAIN-4", main_4);
        self.join("HAND-1", hand_1);
        for landing in &line.in_doubt {
            fold.leases.landed(landing.seq, landing.change, fold.changes.get(landing.change));
            fold.gates.landed(landing);
        }
        let fences = refs.fences.and_then(|blob| repository.text(blob).ok().flatten());
        // A foreign push ends a run at once, whatever is under way.
        let cut_short = killed || fold.changes.foreign.is_some();
        fold.leases.compare_ref(refs.fences, fences.as_deref(), cut_short);
        self.lost = line.lost + replayed.lost;
        self.doubled = line.doubled + fold.changes.doubled;
        self.uncredited = line.uncredited;
        self.torn = replayed.torn;
        self.join("MAIN-1", line.main_1);
        self.join("MAIN-2", line.main_2);
        self.join("MAIN-3", replayed.main_3);
        self.join("ONE-1", replayed.one_1);
        self.join("WHO-1", line.who_1);
        if fold.gates.any() || line.main_4.is_broken() {
            self.join("MAIN-4", line.main_4);
        }
    }

    /// The report: everything that the journal alone tells is added, in the order of the promises.
    pub(crate) fn close(mut self, run: &Path, fold: Fold, reading: Reading) -> Report {
        let (reason, unfinished) = (fold.ends.reason(), fold.board.unended());
        let whole = reading.damage.is_none();
        if whole {
            self.join("STOP-1", fold.ends.judge((&fold.changes, &fold.approvals), (&fold.board, &fold.packets)));
        }
        if whole && reason.is_some() && reading.torn_tail {
            let mut log = Judgement::default();
            log.breaks(|| "something follows the run's end, after which nothing is written".into());
            self.join("LOG-1", log);
        }
        self.join_fold(fold);
        if let Some(who) = self.promises.get_mut("WHO-1") {
            who.note("every effect names lane and task; signatures are not part of this version");
        }
        let promises: Vec<_> = PROMISES.iter().map(|(id, _)| self.say(id, &reading)).collect();
        let broken = promises.iter().any(|promise| promise.status == Status::Broken);
        Report {
            run: run.display().to_string(),
            intact: !broken && whole,
            promises,
            lost: self.lost,
            doubled: self.doubled,
            torn: self.torn,
            uncredited: self.uncredited,
            torn_tail: reading.torn_tail,
            damage: reading.damage,
            unjudged: self.unjudged.map(|why| one_line(&why)),
            ended: reason,
            unfinished,
            records: reading.records,
        }
    }

    /// What each check found in the journal alone.
    fn join_fold(&mut self, fold: Fold) {
        let reason = fold.ends.reason();
        let locks = ["LOCK-1", "LOCK-2", "LOCK-3"].into_iter().zip(fold.leases.judge(reason));
        let slots = ["LOCK-3", "WHO-1"].into_iter().zip(fold.slots.judge(reason));
        let board = ["HAND-1", "ONE-1"].into_iter().zip(fold.board.judge(reason));
        let (budget_1, budget_2) = fold.budgets.judge();
        let [main_1, main_2] = fold.changes.main();
        let others = [
            ("BUDGET-1", budget_1),
            ("BUDGET-2", budget_2),
            ("MAIL-1", fold.changes.mail(reason)),
            ("MAIL-1", fold.gates.mail_1),
            ("MAIN-1", main_1),
            ("MAIN-2", main_2),
            ("MAIN-4", fold.gates.main_4),
            ("HAND-1", fold.approvals.judge(reason)),
            ("MAIL-1", fold.approvals.mail_1),
            ("WHO-1", fold.approvals.who_1),
            ("HAND-2", fold.packets.hand_2),
            ("HAND-2", fold.sequel.hand_2),
            ("LOCK-3", fold.sequel.lock_3),
            ("HAND-1", fold.sequel.hand_1),
            ("LOG-2", fold.sequel.log_2),
            ("MAIL-1", fold.sequel.mail_1),
            ("BUDGET-2", fold.sequel.budget_2),
            ("STOP-2", fold.pauses.stop_2),
            ("WHO-1", fold.who.who_1),
            ("LOG-2", fold.effects.log_2),
            ("LOG-2", fold.lives.log_2),
            ("LOG-2", fold.opening.log_2),
            ("ROLE-1", fold.roles.role_1),
            ("MAIL-1", fold.orders.judge(reason)),
        ];
        locks.chain(slots).chain(board).chain(others).for_each(|(id, judgement)| self.join(id, judgement));
    }

    /// What is said of one promise, where damage allows it to be judged.
    fn say(&mut self, id: &'static str, reading: &Reading) -> Promise {
        let mut promise = self.promises.remove(id).unwrap_or_default().promise(id);
        let whole = reading.damage.is_none();
        let of_main = matches!(id, "MAIN-1" | "MAIN-2" | "MAIN-3" | "MAIN-4");
        if promise.status == Status::Broken {
            return promise;
        }
        if let Some(why) = self.unjudged.as_ref().filter(|_| of_main && whole) {
            promise.status = Status::NotExercised;
            promise.checked = 0;
            promise.detail = one_line(&format!("it was not judged: {why}"));
        } else if !whole && (of_main || id == "STOP-1") {
            promise.status = Status::NotExercised;
            promise.checked = 0;
            promise.detail = "the journal is damaged, and this needs all of it".into();
        } else if !whole && promise.status == Status::Held {
            promise.detail = format!("in the {} records before the damage: {}", reading.records, promise.detail);
        }
        promise
    }
}

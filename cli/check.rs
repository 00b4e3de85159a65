//! `baton check`: the mistakes of scenario files, skill files, packets and conflict reports, of all of them at once, before anything runs.

use crate::answer::{Answer, mutter, talk};
use crate::arguments::{Check, ErrorFormat};
use crate::{checked, load, say};
use baton_check::RunShelf;
use baton_scenarios::file::{self, Fault, Faults};
use baton_scenarios::skill_shelf;
use serde_json::{Value, json};
use std::path::Path;

/// The file of a role.
const SKILL: &str = "SKILL.md";

/// What was read so far.
#[derive(Default)]
struct Read {
    /// Where the links of packets are looked up.
    run: Option<RunShelf>,
    names: Vec<String>,
    faults: Vec<Faults>,
    skills: Vec<baton_policies::Skill>,
    skill_files: Vec<Faults>,
}

/// Checks every file; a file that cannot be read is wrong use.
pub(crate) fn check(wanted: &Check) -> Answer {
    let as_json = wanted.json || wanted.error_format == ErrorFormat::Json;
    let run = match wanted.run.as_deref().map(RunShelf::open).transpose() {
        Ok(run) => run,
        Err(unreadable) => {
            let run = wanted.run.as_deref().unwrap_or(Path::new(""));
            talk(&format!("error: {unreadable}"));
            return unchecked(wanted, as_json.then(|| checked::nothing(run, &unreadable.to_string(), 7)), 7);
        }
    };
    let mut read = Read { run, ..Read::default() };
    if read.run.is_some() && !wanted.files.iter().any(|path| is_packet(path)) {
        return refused(
            wanted,
            "`--run` looks up what packets and conflict reports name, and no file of these is one",
            as_json,
        );
    }
    for path in &wanted.files {
        if let Err(why) = read.one(path) {
            return refused(wanted, &why, as_json);
        }
    }
    if read.skills.len() > 1 {
        read.faults.extend(file::check_team(&read.skills, &read.skill_files));
    }
    if as_json { read.object() } else { read.lines(wanted.color.wanted()) }
}

fn refused(wanted: &Check, why: &str, as_json: bool) -> Answer {
    talk(&format!("error: {why}"));
    let object = json!({ "format": 1, "exit_code": say::WRONG_USE, "error": why });
    unchecked(wanted, as_json.then_some(object), say::WRONG_USE)
}

/// The answer where nothing was checked: its object has the keys of one about files all the same.
fn unchecked(wanted: &Check, object: Option<Value>, code: u8) -> Answer {
    let mut answer = Answer::new(code);
    if let Some(mut object) = object {
        object["files"] = wanted.files.iter().map(|path| path.display().to_string()).collect();
        object["errors"] = json!([]);
        answer.line(&object.to_string());
    }
    answer
}

impl Read {
    fn one(&mut self, path: &Path) -> Result<(), String> {
        if is_packet(path) {
            let (name, bytes) = (path.display().to_string(), load::plain(path)?);
            self.faults.push(file::check_packet(&name, &bytes, self.run.as_ref()));
            self.names.push(name);
            return Ok(());
        }
        let inside = path.join(SKILL);
        // Whatever stands there is meant, be it a file or not.
        let stands = inside.symlink_metadata().is_ok();
        let skill = if stands { Some(inside) } else { is_skill(path).then(|| path.to_owned()) };
        let Some(skill) = skill else {
            let (name, bytes) = load::load(path)?;
            self.scenario(name, &bytes);
            return Ok(());
        };
        let name = skill.display().to_string();
        let bytes = skill_shelf::read(&skill).map_err(|why| format!("{name} {why}"))?;
        if self.names.contains(&name) {
            return Ok(());
        }
        let checked = file::check_skill(&name, &folder_of(&skill), &bytes);
        if let Some(skill) = checked.skill {
            self.skills.push(skill);
            self.skill_files.push(checked.faults.clone());
        }
        self.faults.push(checked.faults);
        self.names.push(name);
        Ok(())
    }

    /// A scenario, the skill files that it names, and what these have to say about each other.
    fn scenario(&mut self, name: String, bytes: &[u8]) {
        let checked = file::check_on(&skill_shelf::on_disk, &name, bytes);
        let team = checked.team();
        self.faults.push(checked.faults);
        self.names.push(name);
        for skill in checked.skills {
            if !self.names.contains(&skill.faults.file) {
                self.names.push(skill.faults.file.clone());
                self.faults.push(skill.faults);
            }
        }
        let told: Vec<(String, String)> = self.faults.iter().flat_map(findings).collect();
        self.faults.extend(team.into_iter().filter(|faults| findings(faults).any(|finding| !told.contains(&finding))));
    }

    fn code(&self) -> u8 {
        if self.faults.iter().any(|faults| faults.errors > 0) { say::WRONG_USE } else { 0 }
    }

    fn object(&self) -> Answer {
        let errors: Vec<&Fault> = self.faults.iter().flat_map(|faults| &faults.list).collect();
        let more: usize = self.faults.iter().map(|faults| faults.more).sum();
        let mut object = json!({ "format": 1, "exit_code": self.code(), "files": self.names, "errors": errors });
        if more > 0 {
            object["more"] = more.into();
        }
        let mut answer = Answer::new(self.code());
        answer.line(&object.to_string());
        answer
    }

    fn lines(&self, color: bool) -> Answer {
        for faults in self.faults.iter().filter(|faults| !faults.list.is_empty()) {
            mutter(&faults.render(color));
            mutter("\n");
        }
        let (errors, warnings) =
            self.faults.iter().fold((0, 0), |sum, faults| (sum.0 + faults.errors, sum.1 + faults.warnings));
        if let Some(first) = self.faults.iter().find_map(|faults| faults.list.first()) {
            talk(&format!("`baton explain {}` says more", first.code));
        }
        let mut answer = Answer::new(self.code());
        let (files, errors, warnings) =
            (counted(self.names.len(), "file"), counted(errors, "error"), counted(warnings, "warning"));
        answer.line(&format!("{files}: {errors}, {warnings}"));
        answer
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// The places and sentences of a file's faults.
fn findings(faults: &Faults) -> impl Iterator<Item = (String, String)> {
    faults.list.iter().map(|fault| (fault.file.clone(), fault.message.clone()))
}

/// Packets and conflict reports are the only files in JSON.
fn is_packet(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
}

fn is_skill(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == SKILL)
}

/// The folder whose name a skill has to bear, also where the file is named without it.
fn folder_of(skill: &Path) -> String {
    let parent = skill.parent().filter(|parent| !parent.as_os_str().is_empty());
    skill_shelf::name_of(parent.unwrap_or(Path::new(".")))
}

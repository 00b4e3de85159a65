//! What binds a role: `skill`, and `merger` at the top of the file.
//!
//! Owns which skill file is meant, and that a file with mistakes binds nobody. Knows no disk: what stands at a path is
//! asked of a [`Shelf`]. What makes a skill file wrong is not its business.

use super::codes::Code;
use super::faults::Sink;
use super::scalar::{Field, shown};
use super::skills::{self, CheckedSkill};
use super::source::Span;
use super::table::Table;
use crate::scenario::{Role, SkillFile, TaskGroup};
use baton_policies::{Action, Decision, Paths};
use std::sync::Arc;

/// Characters of a path to a skill.
const PATH_MAX: usize = 1_024;
/// The skill that binds the merger if nothing else is said.
const MERGER: &str = "merger";

/// What stands at a path that a scenario names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shelved {
    /// A folder with a skill file.
    Skill {
        /// The folder's own name.
        folder: String,
        /// The file; of one that is too large, one byte more than is read.
        bytes: Vec<u8>,
    },
    /// Nothing; folders of similar places that hold a skill.
    Nothing(Vec<String>),
    /// Something that cannot be read, and why.
    Unfit(String),
}

/// Where skill files are looked for.
pub type Shelf<'s> = &'s dyn Fn(&str) -> Shelved;

/// A shelf with nothing on it: only the roles that come with the program are found.
pub fn bare(_: &str) -> Shelved {
    Shelved::Nothing(Vec::new())
}

/// Skills that come with the program, by name.
fn shipped(name: &str) -> Option<&'static str> {
    let mut all = baton_policies::shipped().iter().chain(crate::shipped::SKILLS.iter());
    all.find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The skill files of a scenario while it is read.
pub(crate) struct Skills<'s> {
    shelf: Shelf<'s>,
    /// What binds the merger.
    of_merger: Option<String>,
    read: Vec<(Span, Arc<Read>)>,
}

/// A skill file that was read.
struct Read {
    path: String,
    bytes: Vec<u8>,
    checked: CheckedSkill,
}

impl Read {
    fn binding(&self) -> Option<SkillFile> {
        let skill = self.checked.skill.clone()?;
        Some(SkillFile { path: self.path.clone(), skill, bytes: self.bytes.clone() })
    }
}

impl<'s> Skills<'s> {
    pub(crate) fn on(shelf: Shelf<'s>) -> Skills<'s> {
        Skills { shelf, of_merger: None, read: Vec::new() }
    }

    /// Every file that was read, once, in the order of the scenario.
    pub(crate) fn finish(self) -> Vec<CheckedSkill> {
        let mut files: Vec<CheckedSkill> = Vec::new();
        let bind = |path: &String| self.read.iter().filter(|(_, read)| read.path == *path).count();
        let of_merger_alone = self.of_merger.clone().filter(|path| bind(path) == 1);
        for (_, read) in self.read {
            if files.iter().all(|file| file.faults.file != read.checked.faults.file) {
                let mut checked = read.checked.clone();
                if of_merger_alone.as_ref() == Some(&read.path) {
                    checked.faults.drop_warnings(baton_policies::LANDS);
                }
                files.push(checked);
            }
        }
        files
    }

    /// `skill: policies/implementer`.
    pub(crate) fn bind(&mut self, sink: &mut Sink, field: Field<'_>) -> Option<SkillFile> {
        let path = field.text(sink, PATH_MAX)?;
        let path = path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(&path).to_owned();
        let span = field.node.span;
        let known = self.read.iter().find(|(_, read)| read.path == path).map(|(_, read)| read.clone());
        let read = match known {
            Some(read) => read,
            None => Arc::new(self.take(sink, span, path)?),
        };
        self.read.push((span, read.clone()));
        let faults = &read.checked.faults;
        if let Some(first) = faults.list.iter().find(|fault| fault.severity == super::Severity::Error) {
            let count = if faults.errors == 1 { "an error".to_owned() } else { format!("{} errors", faults.errors) };
            let help = format!("line {} of it: {}", first.line, first.message);
            sink.error(Code::FaultySkill, span, format!("the skill file {} has {count}", faults.file))
                .label("binds nobody as it is")
                .help(help);
            return None;
        }
        self.alone(sink, span, &read)?;
        read.binding()
    }

    fn take(&self, sink: &mut Sink, span: Span, path: String) -> Option<Read> {
        let (folder, bytes) = match (self.shelf)(&path) {
            Shelved::Skill { folder, bytes } => (folder, bytes),
            Shelved::Nothing(near) => match shipped(last(&path)) {
                Some(text) => (last(&path).to_owned(), text.as_bytes().to_vec()),
                None => {
                    unknown(sink, span, &path, &near);
                    return None;
                }
            },
            Shelved::Unfit(why) => {
                sink.error(Code::UnreadableSkill, span, format!("{} holds no skill that could be read", shown(&path)))
                    .label("no skill here")
                    .help(why);
                return None;
            }
        };
        let checked = skills::check_skill(&format!("{path}/SKILL.md"), &folder, &bytes);
        Some(Read { path, bytes, checked })
    }

    /// Names of skills are told apart in the run folder.
    fn alone(&self, sink: &mut Sink, span: Span, read: &Read) -> Option<()> {
        let name = |read: &Read| read.checked.skill.as_ref().map(|skill| skill.name.clone());
        let other = self.read.iter().find(|(_, other)| name(other) == name(read) && other.bytes != read.bytes);
        let Some((at, _)) = other else { return Some(()) };
        let at = *at;
        sink.error(
            Code::SameSkill,
            span,
            format!("two different skills are called {}", name(read).unwrap_or_default()),
        )
        .label("another file of that name")
        .also(at, "the first one")
        .help("give one of them, and its folder, another name");
        None
    }
}

/// What stands behind the last slash.
fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn unknown(sink: &mut Sink, span: Span, path: &str, near: &[String]) {
    let names = || baton_policies::shipped().iter().chain(crate::shipped::SKILLS.iter()).map(|(name, _)| *name);
    let of_disk = super::names::nearest(sink, path, near.iter().map(String::as_str)).map(str::to_owned);
    let of_program = super::names::nearest(sink, last(path), names()).map(|name| match path.rsplit_once('/') {
        Some((above, _)) => format!("{above}/{name}"),
        None => name.to_owned(),
    });
    let help = match (path.strip_suffix("/SKILL.md"), of_disk.or(of_program)) {
        (Some(folder), _) => format!("name the folder of the file: `{folder}`"),
        (None, Some(near)) => format!("did you mean `{near}`?"),
        (None, None) => {
            let shipped = super::scalar::listed(baton_policies::shipped().iter().map(|(name, _)| *name));
            format!("name a folder with a `SKILL.md`, relative to where you are, or a shipped role: {shipped}")
        }
    };
    let message = format!("there is no folder {}, and no shipped role of that name", shown(path));
    sink.error(Code::UnknownSkill, span, message).label("no such skill").help(help);
}

/// `merger: { skill: policies/merger }`; what it may do is looked at too.
pub(crate) fn merger(sink: &mut Sink, field: Option<Field<'_>>, skills: &mut Skills<'_>) -> Option<SkillFile> {
    let Some(field) = field else {
        let text = shipped(MERGER).expect("the merger's skill comes with the program");
        let path = format!("policies/{MERGER}");
        let checked = skills::check_skill(&format!("{path}/SKILL.md"), MERGER, text.as_bytes());
        let read = Arc::new(Read { path, bytes: text.as_bytes().to_vec(), checked });
        // Whoever has another file of this name has to say which of the two is meant.
        if let Some((at, _)) = skills.read.iter().find(|(_, other)| other.clash(&read)) {
            let span = *at;
            sink.error(Code::SameSkill, span, "the merger has another skill of this name")
                .label("not the merger's own")
                .help("give this one another name, or bind the merger by it: `merger: { skill: … }`");
            return None;
        }
        // Of a team whose roles nothing binds, the merger has nothing to say.
        if !skills.read.is_empty() {
            skills.read.push((Span::default(), read.clone()));
        }
        return read.binding();
    };
    let mut table = Table::open(sink, field, "`merger`")?;
    let mut at = field.at;
    let binding = table.need(sink, "skill", |sink, field| {
        at = field.node.span;
        skills.bind(sink, field)
    });
    table.close(sink);
    let binding = binding?;
    skills.of_merger = Some(binding.path.clone());
    if binding.skill.policy.judge(&Action::Land, &Nowhere).decision != Decision::Allowed {
        sink.error(Code::NeverLands, at, format!("the skill {} does not allow `Land`", binding.skill.name))
            .label("nothing will land")
            .help("let its `allowed-tools` name `Land`, and neither `baton-deny` nor `baton-approve`");
    }
    Some(binding)
}

/// Whether a role with lanes is bound by what only the merger may.
pub(crate) fn lands_not(sink: &mut Sink, bound: &SkillFile, at: Span) {
    if bound.skill.policy.judge(&Action::Land, &Nowhere).decision == Decision::Denied {
        return;
    }
    sink.error(
        Code::LandsAsRole,
        at,
        format!("the skill {} allows `Land`, which only the merger may", bound.skill.name),
    )
    .label("binds a role with lanes")
    .help("bind the role by another skill; bind the merger by `merger: { skill: … }`");
}

impl Read {
    fn clash(&self, other: &Read) -> bool {
        let name = |read: &Read| read.checked.skill.as_ref().map(|skill| skill.name.clone());
        name(self) == name(other) && self.bytes != other.bytes
    }
}

/// Whether a role is not called as the actor that moves main.
pub(crate) fn has_lanes(sink: &mut Sink, name: &str, span: Span) -> bool {
    if name == MERGER {
        sink.error(Code::MergerRole, span, "the merger is no role that could have lanes")
            .label("moves main itself")
            .help("give the role another name; bind the merger by `merger: { skill: … }`");
    }
    name != MERGER
}

/// Whether a role's skill lets it hand its changes to whoever reviews them.
pub(crate) fn hands_over(sink: &mut Sink, group: &TaskGroup, roles: &[Role], at: Span) {
    let role = &roles[group.role];
    let (Some(binding), Some(review)) = (&role.skill, &group.review) else { return };
    let skill_of = |name: &str| roles.iter().find(|role| role.name == name)?.skill.as_ref();
    let named = |known: &String| {
        *known == review.role || skill_of(&review.role).is_some_and(|binding| binding.skill.name == *known)
    };
    if !binding.skill.handoff_to.iter().any(named) {
        let message = format!("the skill of {} does not let it hand work to {}", role.name, review.role);
        sink.error(Code::NeverHandsOver, at, message)
            .label("every packet for it will be refused")
            .help(format!("add {} to `baton-handoff-to` of {}/SKILL.md", review.role, binding.path));
    }
}

/// Ground for what has no path.
struct Nowhere;

impl Paths for Nowhere {
    fn root(&self) -> &str {
        "/"
    }

    fn link(&self, _: &str) -> Option<String> {
        None
    }

    fn ignores_case(&self) -> bool {
        true
    }
}

//! Mistakes of skill files as faults with places, so that both kinds of file are told of in one way.
//!
//! Owns nothing of what makes a skill file wrong: [`baton_policies`] does.

use super::faults::{Fault, Faults, Severity};
use super::source::{Source, Span};
use baton_policies::{Finding, Mistake, Skill};
use std::ops::Range;

/// What came of reading one skill file.
#[derive(Clone, Debug)]
pub struct CheckedSkill {
    /// The skill; `None` if the file has an error.
    pub skill: Option<Skill>,
    /// Errors and warnings, by position.
    pub faults: Faults,
}

/// Reads the skill file `name` (a label for messages) of the folder of this name from its bytes.
pub fn check_skill(name: &str, folder: &str, bytes: &[u8]) -> CheckedSkill {
    let parsed = baton_policies::parse(folder, bytes);
    let shown = &bytes[..bytes.len().min(super::BYTES_MAX)];
    let source = Source::new(String::from_utf8_lossy(shown).into_owned());
    let list = parsed.mistakes.iter().map(|mistake| fault(name, &source, mistake)).collect();
    CheckedSkill { skill: parsed.skill, faults: collected(name, source, list) }
}

/// What several roles have to say about each other, each where its role has its name: `files` are those of the skills, in
/// their order.
pub fn check_team(skills: &[Skill], files: &[Faults]) -> Vec<Faults> {
    let findings = baton_policies::overlaps(skills);
    let of = |finding: &Finding| skills.iter().position(|skill| skill.name == finding.role);
    let told = findings.iter().filter_map(|finding| Some((&files[of(finding)?], finding)));
    told.map(|(file, finding)| {
        let span = name_line(file.source());
        let (code, message) = (finding.kind.code(), finding.message.clone());
        let mistake = Mistake { code, severity: baton_policies::Severity::Warning, span, message, help: None };
        let source = Source::new(file.source().to_owned());
        let fault = fault(&file.file, &source, &mistake);
        collected(&file.file, source, vec![fault])
    })
    .collect()
}

/// The line `name: …` of a skill file.
fn name_line(text: &str) -> Range<usize> {
    let start = text.find("\nname:").map_or(0, |at| at + 1);
    let end = text[start..].find('\n').map_or(text.len(), |end| start + end);
    start..end
}

fn fault(name: &str, source: &Source, mistake: &Mistake) -> Fault {
    let span = source.on_one_line(Span::new(mistake.span.start, mistake.span.end));
    let position = source.position(span.start);
    Fault {
        code: mistake.code,
        severity: match mistake.severity {
            baton_policies::Severity::Error => Severity::Error,
            baton_policies::Severity::Warning => Severity::Warning,
        },
        message: mistake.message.clone(),
        file: name.to_owned(),
        line: position.line,
        column: position.column,
        length: source.text()[span.start..span.end].chars().count().max(1),
        label: String::new(),
        help: mistake.help.clone(),
        secondary: Vec::new(),
        span,
    }
}

fn collected(name: &str, source: Source, list: Vec<Fault>) -> Faults {
    let errors = list.iter().filter(|fault| fault.severity == Severity::Error).count();
    let warnings = list.len() - errors;
    Faults { file: name.to_owned(), list, more: 0, errors, warnings, source: Box::new(source) }
}

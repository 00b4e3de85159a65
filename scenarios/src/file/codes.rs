//! The codes of faults: one for each reason to refuse or to warn, with a word that never changes its meaning.
//!
//! Owns the reasons. Their words and texts are rows of `explain`.

use super::explain;
use super::faults::Severity;

/// Why something is a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Code {
    /// The file is larger than a scenario can be.
    TooLarge,
    /// There is nothing in the file.
    Empty,
    /// The file is not UTF-8.
    NotUtf8,
    /// A character that cannot be seen.
    ControlCharacter,
    /// The file is not YAML.
    Syntax,
    /// Values are nested too deeply.
    TooDeep,
    /// The file holds too many values.
    TooMany,
    /// A second document begins.
    SecondDocument,
    /// A tag is given.
    Tag,
    /// An anchor, alias or merge key is given.
    Anchor,
    /// A key is given twice.
    DuplicateKey,
    /// A key is not a word.
    KeyShape,
    /// The format's version is missing, not first, or unknown.
    Version,
    /// A key is missing.
    MissingKey,
    /// A key is unknown.
    UnknownKey,
    /// A list, mapping or word is given where another is expected.
    WrongKind,
    /// A key has no value, or a list that needs entries has none.
    NoValue,
    /// Not a whole number.
    NotInteger,
    /// A number or time is out of its bounds.
    OutOfBounds,
    /// Not a time.
    NotDuration,
    /// Not a share in percent.
    NotShare,
    /// Not an amount of dollars.
    NotAmount,
    /// A role or model is not defined.
    UnknownName,
    /// A fault targets a lane that no role provides.
    UnknownLane,
    /// A name has a character that names cannot have.
    BadName,
    /// Not a path inside the repository.
    BadPath,
    /// A word is not one of those that the key knows.
    UnknownWord,
    /// Two entries have the same name.
    GivenTwice,
    /// The 99th percentile lies below the median.
    Percentile,
    /// Of several keys exactly one must be given.
    ExactlyOne,
    /// More lanes or tasks than the caps allow.
    AboveCap,
    /// The canonical artifact does not lie below `touches`.
    Outside,
    /// An expectation cannot be read.
    BadExpectation,
    /// A metric is unknown.
    UnknownMetric,
    /// A fault waits for a moment that never comes.
    NeverSo,
    /// An expectation looks at a control run that is not made.
    NoControl,
    /// A text is empty, too long, or not of one line.
    BadText,
    /// A list has more entries than can be numbered.
    TooManyEntries,
    /// An action needs more files than `touches` names.
    OneFileOnly,
    /// An expectation that nothing can meet.
    NeverHolds,
    /// A role reviews what it makes itself.
    OwnJudge,
    /// Something is said about what the file does not have.
    NothingThere,
    /// A command is about a task that the file does not have.
    UnknownTask,
    /// A task is given to a role that has nothing to do with it.
    NotItsRole,
    /// There is no such skill.
    UnknownSkill,
    /// What stands where a skill file should be cannot be read.
    UnreadableSkill,
    /// A skill file has mistakes of its own.
    FaultySkill,
    /// Two different skill files have the same name.
    SameSkill,
    /// The merger has no lanes.
    MergerRole,
    /// A model without a price calls for limited money.
    Unpriced,
    /// A list is given, but has no entries.
    EmptyList,
    /// A lease that no task needs.
    UntouchedLease,
    /// A model that no role uses.
    UnusedModel,
    /// An expectation that nothing can miss.
    AlwaysHolds,
    /// Something is to happen after the run has been stopped.
    AfterEnd,
    /// Two groups of tasks write the same file at the same time.
    OneFileTwice,
    /// Two roles change what is below one directory at the same time.
    TwoRolesInOnePlace,
    /// A model without tokens calls for limited money.
    CostsNothing,
    /// An answer to what nobody is ever asked.
    NeverAsked,
    /// Operators take out every lane of a role that has tasks.
    NobodyLeft,
    /// Nothing of what tasks consist of changes a file.
    NothingToLand,
    /// The merger's skill does not allow it to land.
    NeverLands,
    /// A role's skill does not let it hand its changes to whoever reviews them.
    NeverHandsOver,
    /// A role with lanes is bound by a skill that allows to land.
    LandsAsRole,
}

impl Code {
    /// What the author of a file sees: `E` or `W` and four digits.
    pub(crate) fn word(self) -> &'static str {
        explain::row(self).1
    }

    /// Whether the file can still be used.
    pub(crate) fn severity(self) -> Severity {
        if self.word().starts_with('W') { Severity::Warning } else { Severity::Error }
    }
}

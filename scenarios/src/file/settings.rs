//! `baton.yaml` of a repository: what its operator has settled. So far: the gates that everything must pass before it lands.
//!
//! Owns its keys. Where it is read from, and that no branch under test has a say in it, is the business of others.

use super::codes::Code;
use super::duration::Zero;
use super::faults::Sink;
use super::scalar::Field;
use super::table::{self, ListOf, Table};
use super::tree::{Kind, Node};
use super::whole;

/// What a repository's operator has settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The gates, in the order in which they run.
    pub gates: Vec<GateLine>,
}

/// A gate as a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateLine {
    /// For `sh -c`.
    pub run: String,
    /// After so many seconds it is ended; `None`: as usual.
    pub timeout_s: Option<u64>,
    /// So often it is tried again when it is red.
    pub retries: u32,
}

/// Characters of a command.
const COMMAND_MAX: usize = 4_000;
/// More than this hides what is broken.
const RETRIES_MAX: u32 = 5;
const EXAMPLE: &str = "{ run: cargo test, timeout: 20m }";

/// The settings that a file's tree stands for; `None` with faults if it stands for none.
pub(super) fn settings(sink: &mut Sink, root: &Node) -> Option<Settings> {
    whole::mapping(sink, root, SHAPE)?;
    let mut table = Table::open(sink, table::root(root), "the file")?;
    whole::version(sink, &mut table)?;
    let of = ListOf { example: EXAMPLE, needed: true };
    let gates = table.need(sink, "gates", |sink, field| table::list(sink, field, of, gate));
    table.close(sink);
    Some(Settings { gates: gates? })
}

/// What such a file is, and how one begins.
pub(super) const SHAPE: whole::Shape = whole::Shape {
    is: "the settings of a repository",
    help: "begin with `baton: 1`; also needed is `gates`: `gates: [ cargo test ]`",
};

/// A command, or a mapping with one.
fn gate(sink: &mut Sink, entry: Field<'_>) -> Option<GateLine> {
    if matches!(entry.node.kind, Kind::Scalar { .. }) {
        let run = command(sink, entry)?;
        return Some(GateLine { run, timeout_s: None, retries: 0 });
    }
    let mut table = Table::open(sink, entry, "a gate")?;
    let run = table.need(sink, "run", command);
    let timeout = table.maybe(sink, "timeout", |sink, field| field.duration(sink, Zero::Refused));
    let retries = table.or(sink, "retry", 0, |sink, field| field.count(sink, 0..=RETRIES_MAX));
    table.close(sink);
    let timeout_s = timeout?.map(|us| us.div_ceil(1_000_000));
    Some(GateLine { run: run?, timeout_s, retries: retries? })
}

/// A command line. A bare number or nothing is a slip of the pen; `true` is a command.
fn command(sink: &mut Sink, field: Field<'_>) -> Option<String> {
    let Kind::Scalar { text, plain: true } = &field.node.kind else { return field.shell_lines(sink, COMMAND_MAX) };
    let numeric = text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first));
    if (numeric && text.parse::<f64>().is_ok()) || text == "null" || text == "~" {
        let what = format!("`{}`: {text} is no command", field.name);
        sink.error(Code::WrongKind, field.node.span, what)
            .label("a command is expected")
            .help(format!("write a command: `cargo test`; in quotes if that is one: `\"{text}\"`"));
        return None;
    }
    field.shell_lines(sink, COMMAND_MAX)
}

//! What one change of a task consists of: `do`.
//!
//! Owns the actions and their arguments.

use super::codes::Code;
use super::duration::Zero;
use super::faults::Sink;
use super::scalar::Field;
use super::source::Span;
use super::table::{self, ListOf, Table};
use super::tree::Kind;
use crate::scenario::{Action, EditRule};

/// Files of one transaction.
const FILES_MAX: u32 = 1_000;

const ACTIONS: [&str; 9] =
    ["append", "transaction", "create", "edit", "read-then-write", "rename", "delete", "stall", "crash"];

/// One action, or a list of them. `one_file`: where `touches` is, if it names a single file.
pub(crate) fn actions(sink: &mut Sink, field: Field<'_>, one_file: Option<Span>) -> Option<Vec<Action>> {
    if matches!(field.node.kind, Kind::Sequence(_)) {
        let of = ListOf { example: "{ append: token }", needed: true };
        return table::list(sink, field, of, |sink, entry| action(sink, entry, one_file));
    }
    if let Kind::Scalar { text, .. } = &field.node.kind
        && let Some(word) = ACTIONS.iter().find(|word| *word == text)
    {
        let argument = if *word == "delete" { "one" } else { "token" };
        field.wrong_kind(sink, &format!("a mapping: `{{ {word}: {argument} }}`"));
        return None;
    }
    action(sink, field, one_file).map(|action| vec![action])
}

fn action(sink: &mut Sink, field: Field<'_>, one_file: Option<Span>) -> Option<Action> {
    let mut table = Table::open(sink, field, "an action")?;
    let chosen = table.choice(sink, &ACTIONS, &[]);
    table.close(sink);
    let (key, field) = chosen?;
    match key {
        "append" => token(sink, field).map(|()| Action::Append),
        "transaction" => transaction(sink, field, one_file),
        "create" => create(sink, field, one_file),
        "edit" => {
            let rules = [("replace-line", EditRule::ReplaceLine), ("increment", EditRule::Increment)];
            field.word(sink, &rules).map(Action::Edit)
        }
        "read-then-write" => read_then_write(sink, field),
        "rename" => token(sink, field).map(|()| Action::Rename),
        "delete" => field.word(sink, &[("one", ())]).map(|()| Action::Delete),
        "stall" => field.duration(sink, Zero::Refused).map(|for_us| Action::Stall { for_us }),
        _ => field.share(sink).map(|probability_ppm| Action::Crash { probability_ppm }),
    }
}

fn token(sink: &mut Sink, field: Field<'_>) -> Option<()> {
    field.word(sink, &[("token", ())])
}

fn transaction(sink: &mut Sink, field: Field<'_>, one_file: Option<Span>) -> Option<Action> {
    let mut table = Table::open(sink, field, "`transaction`")?;
    let files = table.need(sink, "files", |sink, field| field.count(sink, 2..=FILES_MAX));
    let append = table.need(sink, "append", token);
    table.close(sink);
    append?;
    let files = files?;
    several(sink, field, one_file, &format!("a transaction over {files} files"))?;
    Some(Action::Transaction { files })
}

fn create(sink: &mut Sink, field: Field<'_>, one_file: Option<Span>) -> Option<Action> {
    token(sink, field)?;
    several(sink, field, one_file, "a new file")?;
    Some(Action::Create)
}

/// Refuses an action that cannot be done inside of a single file.
fn several(sink: &mut Sink, field: Field<'_>, one_file: Option<Span>, what: &str) -> Option<()> {
    let Some(touches) = one_file else { return Some(()) };
    sink.error(Code::OneFileOnly, field.at, format!("{what} does not fit into `touches`, which is one file"))
        .label("needs more than one file")
        .also(touches, "one file")
        .help("let `touches` name a directory: `notes/**`");
    None
}

fn read_then_write(sink: &mut Sink, field: Field<'_>) -> Option<Action> {
    let mut table = Table::open(sink, field, "`read-then-write`")?;
    let read = table.need(sink, "read", |sink, field| field.path(sink));
    let append = table.need(sink, "append", token);
    table.close(sink);
    append?;
    Some(Action::ReadThenWrite { read: read? })
}

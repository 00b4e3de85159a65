//! What one change of a task consists of: `do`.
//!
//! Owns the actions and their arguments.

use super::codes::Code;
use super::duration::Zero;
use super::faults::{Draft, Sink};
use super::names;
use super::path;
use super::scalar::Field;
use super::scalar::shown;
use super::source::Span;
use super::table::{self, ListOf, Table};
use super::tree::Kind;
use crate::scenario::{Action, EditRule};

/// Files of one transaction.
const FILES_MAX: u32 = 1_000;

/// Bytes of a path or a command that a script names.
const LITERAL_MAX: usize = 256 * 1024;

const ACTIONS: [&str; 16] = [
    "append",
    "transaction",
    "create",
    "edit",
    "read-then-write",
    "rename",
    "delete",
    "undo",
    "stall",
    "crash",
    "write",
    "remove",
    "read",
    "run",
    "push",
    "mcp",
];

/// Where the work happens, and where that is said.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'t> {
    /// `touches`; `None` if it was refused.
    pub(crate) touches: Option<&'t str>,
    /// Its place.
    pub(crate) at: Span,
}

impl Ground<'_> {
    /// Where `touches` is, if it names a single file.
    fn one_file(self) -> Option<Span> {
        self.touches.is_some_and(path::is_one_file).then_some(self.at)
    }
}

/// One action, or a list of them.
pub(crate) fn actions(sink: &mut Sink, field: Field<'_>, ground: Ground<'_>) -> Option<Vec<Action>> {
    if matches!(field.node.kind, Kind::Sequence(_)) {
        let of = ListOf { example: "{ append: token }", needed: true };
        return table::list(sink, field, of, |sink, entry| action(sink, entry, ground));
    }
    if let Kind::Scalar { text, .. } = &field.node.kind
        && let Some(word) = ACTIONS.iter().find(|word| *word == text)
    {
        let argument = match *word {
            "delete" | "undo" => "one",
            "push" => "main",
            "write" | "remove" | "read" => "notes/a.md",
            "run" => "\"git log\"",
            "mcp" => "mcp__server__tool",
            _ => "token",
        };
        field.wrong_kind(sink, &format!("a mapping: `{{ {word}: {argument} }}`"));
        return None;
    }
    action(sink, field, ground).map(|action| vec![action])
}

fn action(sink: &mut Sink, field: Field<'_>, ground: Ground<'_>) -> Option<Action> {
    let mut table = Table::open(sink, field, "an action")?;
    let chosen = table.choice(sink, &ACTIONS, &[]);
    table.close(sink);
    let (key, field) = chosen?;
    match key {
        "append" => token(sink, field).map(|()| Action::Append),
        "transaction" => transaction(sink, field, ground.one_file()),
        "create" => create(sink, field, ground.one_file()),
        "edit" => {
            let rules = [("replace-line", EditRule::ReplaceLine), ("increment", EditRule::Increment)];
            field.word(sink, &rules).map(Action::Edit)
        }
        "read-then-write" => read_then_write(sink, field),
        "rename" => rename(sink, field, ground),
        "delete" => field.word(sink, &[("one", ())]).map(|()| Action::Delete),
        "undo" => field.word(sink, &[("one", ())]).map(|()| Action::Undo),
        "write" => literal(sink, field, "a path").map(|path| Action::Write { path }),
        "remove" => literal(sink, field, "a path").map(|path| Action::Remove { path }),
        "read" => literal(sink, field, "a path").map(|path| Action::Read { path }),
        "run" => literal(sink, field, "a command").map(|command| Action::Run { command }),
        "push" => field.word(sink, &[("main", ())]).map(|()| Action::Push),
        "mcp" => tool(sink, field).map(|tool| Action::Mcp { tool }),
        "stall" => field.duration(sink, Zero::Refused).map(|for_us| Action::Stall { for_us }),
        _ => field.share(sink).map(|probability_ppm| Action::Crash { probability_ppm }),
    }
}

/// What a lane tries as it is written, be it sensible or not: the policy judges it, and not this file.
fn literal(sink: &mut Sink, field: Field<'_>, what: &str) -> Option<String> {
    let scalar = field.scalar(sink, what)?;
    let reason = if scalar.text.is_empty() {
        "is empty"
    } else if scalar.text.len() > LITERAL_MAX {
        "is longer than 256 KiB"
    } else {
        return Some(scalar.text.to_owned());
    };
    sink.error(Code::BadText, scalar.span, format!("`{}` {reason}", field.name))
        .label("not allowed here")
        .help(format!("write {what} of 1 byte to 256 KiB"));
    None
}

/// The whole name of a tool of an MCP server.
fn tool(sink: &mut Sink, field: Field<'_>) -> Option<String> {
    let text = field.text(sink, 1_024)?;
    let named = text.strip_prefix("mcp__").and_then(|rest| rest.split_once("__"));
    if named.is_some_and(|(server, tool)| !server.is_empty() && !tool.is_empty()) {
        return Some(text);
    }
    sink.error(Code::BadText, field.node.span, "`mcp` is not the whole name of a tool")
        .label("no tool of an MCP server")
        .help("write `mcp__server__tool`");
    None
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

/// `token`, a path, or `{ from: PATH, to: PATH }`.
fn rename(sink: &mut Sink, field: Field<'_>, ground: Ground<'_>) -> Option<Action> {
    if let Kind::Mapping(_) = field.node.kind {
        return rename_to(sink, field, ground);
    }
    let scalar = field.scalar(sink, "`token`, or the path of the file")?;
    if scalar.text == "token" {
        return Some(Action::Rename);
    }
    let from = field.path(sink)?;
    let touches = ground.touches?;
    if !path::covers(touches, &from) {
        let help = match names::nearest(sink, &from, ["token"].into_iter()) {
            Some(_) => "did you mean `token`?".to_owned(),
            None => OUTSIDE_HELP.to_owned(),
        };
        outside(sink, field.node.span, &from, ground).help(help);
        return None;
    }
    several(sink, field, ground.one_file(), "a new name for a file")?;
    Some(Action::RenameFile { from, to: None })
}

fn rename_to(sink: &mut Sink, field: Field<'_>, ground: Ground<'_>) -> Option<Action> {
    let mut table = Table::open(sink, field, "`rename`")?;
    let mut to_at = field.at;
    let from = table.need(sink, "from", |sink, field| below(sink, field, ground));
    let to = table.need(sink, "to", |sink, field| {
        to_at = field.node.span;
        below(sink, field, ground)
    });
    table.close(sink);
    let (from, to) = from.zip(to)?;
    let inside = |inner: &str, outer: &str| path::covers(&format!("{outer}/**"), inner);
    if from != to && !inside(&to, &from) && !inside(&from, &to) {
        return Some(Action::RenameFile { from, to: Some(to) });
    }
    let why = if from == to { "it has this name already" } else { "a file cannot lie below a file" };
    sink.error(Code::BadPath, to_at, format!("{} cannot be renamed to {}", shown(&from), shown(&to)))
        .label(why)
        .help("name another path in `to`");
    None
}

/// A path that the tasks touch.
fn below(sink: &mut Sink, field: Field<'_>, ground: Ground<'_>) -> Option<String> {
    let path = field.path(sink)?;
    if path::covers(ground.touches?, &path) {
        return Some(path);
    }
    outside(sink, field.node.span, &path, ground).help(OUTSIDE_HELP);
    None
}

const OUTSIDE_HELP: &str = "move the one below the other";

fn outside<'s>(sink: &'s mut Sink, at: Span, path: &str, ground: Ground<'_>) -> &'s mut Draft {
    sink.error(Code::Outside, at, format!("{} does not lie below `touches`", shown(path)))
        .label("outside of what the tasks touch")
        .also(ground.at, "what they touch")
}

fn read_then_write(sink: &mut Sink, field: Field<'_>) -> Option<Action> {
    let mut table = Table::open(sink, field, "`read-then-write`")?;
    let read = table.need(sink, "read", |sink, field| field.path(sink));
    let append = table.need(sink, "append", token);
    table.close(sink);
    append?;
    Some(Action::ReadThenWrite { read: read? })
}

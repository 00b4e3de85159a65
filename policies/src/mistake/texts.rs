//! What is behind each code.
//!
//! Owns the texts, in the order of the codes.

/// Code and text.
pub(super) const TEXTS: &[(&str, &str)] = &[
    ("E0301", "The file is larger than a skill file can be.

A skill file has at most 1 MiB, and its front matter at most 64 KiB, so that reading it takes bounded time. Instructions
of more than 500 lines are read by nobody: put reference material into files beside it.
"),
    ("E0302", "The file is not UTF-8.

Skill files are text in UTF-8, without other encodings and without NUL bytes. The place is the first byte that does not belong there.
"),
    ("E0303", "There is no front matter.

A skill file begins with a line `---`, then keys in YAML, then another line `---`, then the instructions. Nothing stands
before the first line, not even a byte order mark.

Right:
    ---
    name: writer
    description: Writes what the team has found out.
    ---
"),
    ("E0304", "Three hyphens stand inside of the front matter.

Other readers of the format end the front matter at the first `---`, wherever it is. So that all readers see the same
keys, it may stand only at the beginning and at the end.
"),
    ("E0305", "The front matter is not YAML.

Often a value holds a colon followed by a space and is not quoted, or a tab indents a line. What stands behind the place
is not read; the mistakes before it are reported all the same.

Wrong:
    description: Writes: a lot
Right:
    description: \"Writes: a lot\"
"),
    ("E0306", "A key is given twice.

Readers disagree about which of the two counts. Keep one. Other mistakes in the second value are reported too.
"),
    ("E0307", "An anchor, an alias, a tag or a merge key is given.

None of them belongs to the format: what a role may do must stand where it is read. Write the value itself.
"),
    ("E0308", "A list or mapping is written with brackets.

The standard's own validator refuses YAML's flow style. Lists are texts with commas between the entries; `metadata` is
indented, one key a line.

Wrong:
    metadata: {baton-mandate: Writes.}
Right:
    metadata:
      baton-mandate: Writes.
"),
    ("E0309", "A key is unknown.

The standard knows `name`, `description`, `license`, `compatibility`, `metadata` and `allowed-tools`, and refuses all
others. What is Baton's stands under `metadata` and begins with `baton-`.
"),
    ("E0310", "An entry of Baton's is unknown.

Entries under `metadata` that begin with `baton-` are Baton's: mandate, inputs, outputs, may-write, may-read, deny,
approve, stop, context-limit and handoff-to. A misspelt denial would deny nothing, so it is refused.
"),
    ("E0311", "A value is not a text.

All values are texts. What YAML reads as a number, a truth value or nothing must be quoted, and under `metadata` there
are neither lists nor further levels.

Wrong:
    baton-context-limit: 120000
Right:
    baton-context-limit: \"120000\"
"),
    ("E0312", "The name is missing, or is not a name.

A name has at most 64 characters: lower-case letters, digits and hyphens, no hyphen at an end, no two in a row.
"),
    ("E0313", "The name is not that of the folder.

A role is found by its folder, and named by its file; both are the same word.
"),
    ("E0314", "The description is missing, empty or longer than 1,024 characters.

It says what the role does and when to use it; it is all that is read before a role is chosen.
"),
    ("E0315", "The compatibility is empty or longer than 500 characters.

It says what the role needs of its surroundings. Leave the key out if that is nothing.
"),
    ("E0316", "A rule cannot be read.

Rules are `Read`, `Write`, `Edit` and `Delete`, each alone or with a pattern; `Bash` alone, with a beginning or with a
whole command; `Land`, `Push`, and tools of MCP servers by their whole name. Between rules are spaces or commas. A rule
of `allowed-tools` names the command itself, not one that runs it (`env`, `timeout`, `sh`): those are taken apart.

Right:
    allowed-tools: Read Write(notes/**) Bash(git log:*) Bash(cargo test) mcp__tracker__search
"),
    ("E0317", "A path pattern cannot be read.

Patterns are a path, `dir/**` or `**`, relative to the workspace, with `/` between parts. They have no `..`, no `.git`, no
empty parts, no backslashes and no characters that cannot be seen: what one file system reads differently from another
cannot be guarded.
"),
    ("E0318", "The mandate is missing or empty.

`baton-mandate` says in one sentence what the role is for. Roles of a team are compared by it.
"),
    ("E0319", "No stop condition is given.

`baton-stop` says when the role's work is done, so that every run ends by a stated condition. Several conditions are
separated by `;`.
"),
    ("E0320", "The context limit is not a number of tokens.

`baton-context-limit` is a whole number of tokens above 0, in quotes. At the limit the role hands over to a successor.
"),
    ("E0321", "The role hands work to itself.

A successor at the context limit is a matter of course; `baton-handoff-to` names the other roles.
"),
    ("E0322", "A list has an entry that is not a word.

Inputs, outputs and roles are words of lower-case letters, digits and hyphens, with commas between them.
"),
    ("W0301", "The instructions have 500 lines or more.

They are sent with every call. Move what is not always needed into files beside the skill.
"),
    ("W0302", "A denial makes an allowed action unreachable.

Denials come first: what both lists name does not happen. Either the denial is too wide, or the allowance is left over.
"),
    ("W0303", "Two roles may write the same paths.

Overlap is where work is done twice and changes conflict. Give each path to one role, or say with a lease in the
scenario who may touch it when.
"),
    ("W0304", "Two mandates say nearly the same.

Two roles with one mandate do the same work twice. Take one of them away, or say what only the other does.
"),
    ("W0305", "A role makes what no role takes.

Work that nobody reads is waste. Name the output among the inputs of the role that needs it, or stop making it.
"),
    ("W0306", "A role takes what no role makes.

The role would wait for it, or do without. Tasks, packets and landings alone come without a role that makes them: the board,
every hand-over and the merger do.
"),
    ("W0307", "A role hands over to a role that is not there.

The packet would have no receiver. Add the role, or name another.
"),
    ("W0308", "A role has no stop condition.

Without one nobody, the role included, can say when its work is done.
"),
    ("W0309", "Two skills have the same name.

A role is found by its name: one of the two would never be meant.
"),
    ("W0310", "A role is allowed to land.

Only the merger moves main, whatever a role's file says: no lane has the tool. The allowance misleads whoever reads the file,
and belongs only into the file that binds the merger (`merger: { skill: … }`).

Wrong:
    allowed-tools: Read Write(src/**) Land
Right:
    allowed-tools: Read Write(src/**)
"),
    ("W0311", "A role is allowed to push without asking.

What is sent to a remote has passed neither the merger nor its gates, and cannot be taken back. Drop the allowance, or let
it wait for a person.

Right:
    baton-approve: Push
"),
    ("W0312", "A role's commands can read what it may not read.

`baton-may-read` and denials of `Read` bind the tool `Read`, redirections, and the files that a command names in its
arguments as plain words. What a command opens by itself, finds by a pattern or walks through, no reader of its text can
know. `Bash` alone, programs that walk through directories and interpreters read whatever the machine lets them.

Right:
    allowed-tools: Read Bash(cargo test)
"),
];

//! What is behind the codes from `E0128` on and `W02…`: what can be read, but never be so, or hardly be meant so.
//!
//! Owns the texts; see `explain` for their form.

use super::codes::Code;
use super::explain::Row;

/// In the order of [`Code`], from [`Code::NeverHolds`] on.
pub(crate) const DOUBT: &[Row] = &[
    (
        Code::NeverHolds,
        "E0128",
        "An expectation that nothing can meet.

An expectation compares with what its metric can never be: a count is a whole number and never below 0,
`main.intact` is 0 or 1, no more tasks can land or fail than the file has, and no more faults be felt.

Wrong:
    expect: [ main.intact == 2 ]

Right:
    expect: [ main.intact ]
",
    ),
    (
        Code::OwnJudge,
        "E0129",
        "A role reviews what it makes itself.

Whoever made a change is the last to see what is wrong with it. `review` names a role other than `by`.

Wrong:
    tasks: [ { each: 2, by: writer, review: writer, do: { append: token } } ]

Right:
    roles: { writer: { lanes: 2, model: fast }, reviewer: { lanes: 1, model: fast } }
    tasks: [ { each: 2, by: writer, review: reviewer, do: { append: token } } ]
",
    ),
    (
        Code::NothingThere,
        "E0150",
        r#"Something is said about what the file does not have.

`{ override: TASK }` lets a change through a gate, and there are no `gates`; or `stop: { when: plan-approved }` ends a run
with its approved plans, and no task has `approve: plan`. It would never come to that.

Wrong:
    operators: [ { at: 5m, by: ana, do: { override: T-0 }, reason: known to be flaky } ]

Right:
    gates: [ { name: clean, forbid: TODO } ]
    operators: [ { at: 5m, by: ana, do: { override: T-0 }, reason: known to be flaky } ]
"#,
    ),
    (
        Code::UnknownTask,
        "E0151",
        "A command is about a task that the file does not have.

Tasks are numbered from `T-0`. Where there are several entries of `tasks`, they are numbered in turn: the first task of
each entry, then the second of each. `baton plan` shows how many there are.

Wrong:
    operators: [ { at: 1m, by: ana, do: { reassign: T-9999, to: writer.2 } } ]

Right:
    operators: [ { at: 1m, by: ana, do: { reassign: T-1, to: writer.2 } } ]
",
    ),
    (
        Code::NotItsRole,
        "E0152",
        "A task is given to a role that has nothing to do with it.

A task can be given to the lanes of the role that does it (`by`), or to those of the role that reviews it
(`review`): nobody else could take it.

Wrong:
    roles: { writer: { lanes: 2, model: fast }, planner: { lanes: 1, model: fast } }
    operators: [ { at: 1m, by: ana, do: { reassign: T-1, to: planner.1 } } ]

Right:
    operators: [ { at: 1m, by: ana, do: { reassign: T-1, to: writer.2 } } ]
",
    ),
    (
        Code::UnknownSkill,
        "E0160",
        "There is no such skill.

`skill` names a folder with a `SKILL.md`, relative to the working directory. Where there is no such folder, the last
part of the path may be the name of a role that comes with the program.

Wrong:
    merger: { skill: policies/murger }

Right:
    merger: { skill: policies/merger }
",
    ),
    (
        Code::UnreadableSkill,
        "E0161",
        "What stands where a skill file should be cannot be read.

The folder is there, but its `SKILL.md` is not, or is not a file: a folder, a pipe, a device, or a link that leads in a
circle. Nothing of the kind is ever opened.

Wrong:
    merger: { skill: policies/merger }   # where policies/merger/SKILL.md is a named pipe

Right:
    merger: { skill: policies/merger }
",
    ),
    (
        Code::FaultySkill,
        "E0162",
        "A skill file has mistakes of its own.

A role is bound by what its skill file says, so that a file with errors binds nobody. The errors are told beside this
one, each with its place; `baton check FOLDER` tells them alone.

Wrong:
    merger: { skill: policies/merger }   # where policies/merger/SKILL.md has an unknown key

Right:
    merger: { skill: policies/merger }
",
    ),
    (
        Code::SameSkill,
        "E0163",
        "Two different skill files have the same name.

A run keeps its skill files as `policies/<name>/SKILL.md`, and its journal speaks of them by these names. Two files of
one name could not be told apart.

Wrong:
    merger: { skill: mine/implementer }   # where a role has another skill of that name

Right:
    merger: { skill: policies/merger }
",
    ),
    (
        Code::MergerRole,
        "E0164",
        "The merger has no lanes.

The merger is code and not a role that lanes could have: it alone moves main, and its rights are bound by the key
`merger` at the top of the file.

Wrong:
    models: { fast: { latency: { median: 1s, p99: 2s } } }
    roles: { writer: { lanes: 2, model: fast }, merger: { lanes: 1, model: fast } }

Right:
    merger: { skill: policies/merger }
",
    ),
    (
        Code::Unpriced,
        "E0165",
        "A model without a price calls for limited money.

A limit in dollars, of the run, a role, a lane or a call, be it in `budgets` or set by an operator later, needs to know
what calls cost: `in` for a million tokens that are sent, `out` for a million that are received. Nothing is taken to be
free; write 0 where it is.

Wrong:
    budgets: { run: { usd: 5.00 } }
    models: { fast: { latency: { median: 8s, p99: 60s }, tokens: { in: 4000, out: 600 }, price: { in: 3.0 } } }

Right:
    budgets: { run: { usd: 5.00 } }
    models: { fast: { latency: { median: 8s, p99: 60s }, tokens: { in: 4000, out: 600 }, price: { in: 3.0, out: 15.0 } } }
",
    ),
    (
        Code::EmptyList,
        "W0201",
        "A list is given, but has no entries.

A list of things that may be left out is given, but empty. That is allowed, but looks like something was
forgotten.

Wrong:
    gates: []

Right:
    gates: [ { name: clean, forbid: TODO } ]
",
    ),
    (
        Code::UntouchedLease,
        "W0202",
        r#"A lease that no task needs.

A lease rule covers files that no entry of `tasks` touches, so that no lane will ever ask for it.

Wrong:
    tasks:
      - { count: 2, by: writer, touches: "notes/**", do: { append: token } }
    leases: [ { resource: "docs/**", ttl: 2m } ]

Right:
    tasks:
      - { count: 2, by: writer, touches: "notes/**", do: { append: token } }
    leases: [ { resource: "notes/**", ttl: 2m } ]
"#,
    ),
    (
        Code::UnusedModel,
        "W0203",
        "A model that no role uses.

A model is defined, but no role names it.

Wrong:
    models:
      fast: { latency: { median: 8s, p99: 60s } }
      slow: { latency: { median: 80s, p99: 90s } }

Right:
    models:
      fast: { latency: { median: 8s, p99: 60s } }
",
    ),
    (
        Code::AlwaysHolds,
        "W0204",
        "An expectation that nothing can miss.

An expectation holds whatever happens, because of the values that its metric can have: it proves nothing.

Wrong:
    expect: [ tasks.landed >= 0 ]

Right:
    expect: [ tasks.landed >= 1 ]
",
    ),
    (
        Code::AfterEnd,
        "W0205",
        "Something is to happen after the run has been stopped.

A fault or a command has a time `at` that lies behind `stop.after`. When it comes, the run has ended, and nothing
happens.

Wrong:
    stop: { after: 5m }
    faults: [ { kill: writer, at: 10m } ]

Right:
    stop: { after: 15m }
    faults: [ { kill: writer, at: 10m } ]
",
    ),
    (
        Code::OneFileTwice,
        "W0206",
        r#"Two groups of tasks write the same file at the same time.

Every task of both groups writes this one file: it is their canonical artifact, all that they touch, or the file that
they rename. Only one of two changes that meet there lands; the other is refused and made again, and every call that led
to it is paid again. Nothing is lost by that, but it can be avoided.

Wrong:
    tasks:
      - { count: 2, by: writer, touches: notes/index.md, do: { append: token } }
      - { count: 2, by: writer, touches: "notes/**", canonical: notes/index.md, do: { append: token } }

Right:
    tasks:
      - { count: 2, by: writer, name: first, touches: notes/index.md, do: { append: token } }
      - { count: 2, by: writer, after: first, touches: "notes/**", canonical: notes/index.md, do: { append: token } }
"#,
    ),
    (
        Code::TwoRolesInOnePlace,
        "W0207",
        r#"Two roles change what is below one directory at the same time.

Tasks of two roles change files below the same directory, nothing says which of them comes first, and no lease keeps them
apart: it is not clear whose the directory is, and their changes may meet. Groups of one role that share a directory, and
groups that may work anywhere (`**`), are the normal case and not told.

Wrong:
    roles:
      writer: { lanes: 2, model: fast }
      editor: { lanes: 2, model: fast }
    tasks:
      - { count: 2, by: writer, touches: "notes/**", do: { append: token } }
      - { count: 2, by: editor, touches: "notes/**", do: { edit: replace-line } }

Right:
    roles:
      writer: { lanes: 2, model: fast }
      editor: { lanes: 2, model: fast }
    tasks:
      - { count: 2, by: writer, name: written, touches: "notes/**", do: { append: token } }
      - { count: 2, by: editor, after: written, touches: "notes/**", do: { edit: replace-line } }
"#,
    ),
    (
        Code::CostsNothing,
        "W0208",
        "A model without tokens calls under a limit in dollars or tokens.

What a call costs is its tokens at the listed price. A model without `tokens` sends and receives none, so that its calls cost
nothing, whatever its price, and no limit in dollars or tokens ever holds it. Where calls are meant to cost nothing, say so:
`price: { in: 0, out: 0 }`.

Wrong:
    budgets: { run: { usd: 5.00 } }
    models: { fast: { latency: { median: 8s, p99: 60s } } }

Right:
    budgets: { run: { usd: 5.00 } }
    models: { fast: { latency: { median: 8s, p99: 60s }, tokens: { in: 4000, out: 600 }, price: { in: 3.0, out: 15.0 } } }
",
    ),
    (
        Code::NeverAsked,
        "W0250",
        "An answer to what nobody is ever asked.

`approvals` or a command speaks of `plan`, and no task has `approve: plan`; or of `rounds`, and no task has a `review`.

Wrong:
    approvals: { plan: { timeout: 30m, then: stop } }

Right:
    approvals: { plan: { timeout: 30m, then: stop } }
    tasks: [ { count: 2, by: writer, approve: plan, do: { append: token } } ]
",
    ),
    (
        Code::NobodyLeft,
        "W0251",
        "Operators take out every lane of a role that has tasks.

Once the last lane of a role is taken out, nobody does what is left of its tasks, and nobody submits what a person lets
land. A run in which nothing else is left to do ends as stuck.

Wrong:
    roles: { writer: { lanes: 1, model: fast } }
    operators: [ { at: 5m, by: ana, do: { remove: writer.1 } } ]

Right:
    roles: { writer: { lanes: 1, model: fast } }
    operators:
      - { at: 5m, by: ana, do: { remove: writer.1 } }
      - { at: 9m, by: ana, do: { add: writer } }
",
    ),
    (
        Code::NothingToLand,
        "W0252",
        "Nothing of what tasks consist of changes a file.

A task is done when its change is on main. Commands, tools, pauses and looks into files change nothing there, so that a
task with nothing else is given up once they are done: `nothing-to-land`.

Wrong:
    tasks: [ { count: 1, by: writer, do: { run: ls } } ]

Right:
    tasks: [ { count: 1, by: writer, do: [ { run: ls }, { append: token } ] } ]
",
    ),
    (
        Code::NeverLands,
        "W0260",
        "The merger's skill does not allow it to land.

The merger lands only what its own skill allows: `Land` must stand in its `allowed-tools`, and must neither be denied nor
left to a person. As it is, every change will be refused.

Wrong:
    merger: { skill: policies/planner }

Right:
    merger: { skill: policies/merger }
",
    ),
    (
        Code::NeverHandsOver,
        "W0261",
        "A role's skill does not let it hand its changes to whoever reviews them.

`baton-handoff-to` names the roles that work may go to. The role that reviews these tasks is not among them, so that
every packet for it will be refused.

Wrong:
    models: { fast: { latency: { median: 1s, p99: 2s } } }
    roles: { writer: { lanes: 2, model: fast, skill: policies/writer }, checker: { lanes: 1, model: fast } }
    tasks: [ { each: 1, by: writer, review: checker, do: { append: token } } ]

Right:
    models: { fast: { latency: { median: 1s, p99: 2s } } }
    roles: { writer: { lanes: 2, model: fast, skill: policies/writer }, reviewer: { lanes: 1, model: fast } }
    tasks: [ { each: 1, by: writer, review: reviewer, do: { append: token } } ]
",
    ),
    (
        Code::LandsAsRole,
        "W0262",
        "A role is bound by a skill that allows it to land.

Only the merger moves main, and lanes have no tool for it: what the skill says of the role is not so. The shipped skill
`merger` states the rights of the merger itself; a role that is bound by it may do nothing that a lane can do.

Wrong:
    roles: { writer: { lanes: 2, model: fast, skill: policies/merger } }
    models: { fast: { latency: { median: 1s, p99: 2s } } }
    tasks: [ { each: 1, by: writer, do: { append: token } } ]

Right:
    roles: { writer: { lanes: 2, model: fast, skill: policies/writer } }
    models: { fast: { latency: { median: 1s, p99: 2s } } }
    tasks: [ { each: 1, by: writer, do: { append: token } } ]
",
    ),
];

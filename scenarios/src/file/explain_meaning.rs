//! What is behind the codes `E0101` to `E0127`: values, names and references that mean nothing, or something else.
//!
//! Owns the texts; see `explain` for their form.

use super::codes::Code;
use super::explain::Row;

/// In the order of [`Code`], from [`Code::Version`] on.
pub(crate) const MEANING: &[Row] = &[
    (
        Code::Version,
        "E0101",
        "The format's version is missing, not first, or unknown.

The first key of a file is `baton`, the version of the format. This program reads version 1. Of a file of
another version nothing else is judged.

Wrong:
    baton: 2

Right:
    baton: 1
",
    ),
    (
        Code::MissingKey,
        "E0102",
        "A key is missing.

A key without which the entry means nothing is missing. The message names it.

Wrong:
    roles:
      writer: { lanes: 2 }

Right:
    roles:
      writer: { lanes: 2, model: fast }
",
    ),
    (
        Code::UnknownKey,
        "E0103",
        "A key is unknown.

A key is not part of the format at this place. Unknown keys are refused and not ignored, because a misspelt key
would silently change what is run.

Wrong:
    sead: 7

Right:
    seed: 7
",
    ),
    (
        Code::WrongKind,
        "E0104",
        r#"A list, mapping or word is given where another is expected.

A value has another form than its key asks for: a list where a mapping belongs, a mapping where a word belongs.

Wrong:
    leases: { resource: "notes/**", ttl: 2m }

Right:
    leases: [ { resource: "notes/**", ttl: 2m } ]
"#,
    ),
    (
        Code::NoValue,
        "E0105",
        "A key has no value, or a list that needs entries has none.

Nothing follows the colon or the hyphen, or a list that needs at least one entry is empty. A key that is not
needed is left out as a whole.

Wrong:
    seed:

Right:
    seed: 7
",
    ),
    (
        Code::NotInteger,
        "E0106",
        "Not a whole number.

A whole number is written with digits alone: no sign, point, exponent, underscore, quotes, leading zero or unit.

Wrong:
    seed: 1_000

Right:
    seed: 1000
",
    ),
    (
        Code::OutOfBounds,
        "E0107",
        "A number or time is out of its bounds.

A number, time or share lies outside what its key allows. The message names the bounds.

Wrong:
    caps: { lanes: 0 }

Right:
    caps: { lanes: 100 }
",
    ),
    (
        Code::NotDuration,
        "E0108",
        "Not a time.

A time is a whole number with its unit: `ms`, `s`, `m`, `h` or `d`; parts go from large to small, as in
`1h30m`. A bare number would leave the unit to be guessed.

Wrong:
    stop: { after: 90 }

Right:
    stop: { after: 90s }
",
    ),
    (
        Code::NotShare,
        "E0109",
        "Not a share in percent.

A share is a number from 0 to 100 with at most four decimals and a percent sign.

Wrong:
    faults: [ { drop: 0.05 } ]

Right:
    faults: [ { drop: 5% } ]
",
    ),
    (
        Code::NotAmount,
        "E0110",
        "Not an amount of dollars.

A price is a number of dollars per million tokens with at most six decimals: no sign, currency or exponent.

Wrong:
    models:
      fast: { latency: { median: 8s, p99: 60s }, price: { in: $3 } }

Right:
    models:
      fast: { latency: { median: 8s, p99: 60s }, price: { in: 3.0 } }
",
    ),
    (
        Code::UnknownName,
        "E0111",
        "A role or model is not defined.

A role or model is named that the file does not define. Roles are the keys of `roles`, models those of `models`.

Wrong:
    roles:
      writer: { lanes: 2, model: fst }

Right:
    roles:
      writer: { lanes: 2, model: fast }
",
    ),
    (
        Code::UnknownLane,
        "E0112",
        "A fault targets a lane that no role provides.

A fault names a lane that does not exist. The lanes of a role are numbered from 1: `writer.1`, `writer.2`. The
role alone stands for whichever of its lanes is in the moment first.

Wrong:
    faults: [ { kill: writer.9 } ]

Right:
    faults: [ { kill: writer.1 } ]
",
    ),
    (
        Code::BadName,
        "E0113",
        "A name has a character that names cannot have.

Names are lower-case letters, digits and hyphens, begin with a letter, and have at most 64 characters, because
they appear in branches, records and commands.

Wrong:
    name: Two_Writers

Right:
    name: two-writers
",
    ),
    (
        Code::BadPath,
        "E0114",
        r#"Not a path inside the repository.

A path is relative to the root of the repository, with `/` between its parts, and leaves neither the repository
nor enters `.git`. Where a pattern is allowed, it is a path, `dir/**` for everything below a directory, or `**`.

Wrong:
    leases: [ { resource: "notes/*.md", ttl: 2m } ]

Right:
    leases: [ { resource: "notes/**", ttl: 2m } ]
"#,
    ),
    (
        Code::UnknownWord,
        "E0115",
        "A word is not one of those that the key knows.

A key takes one of a few words, and another was given. This version knows one driver, `script`: behaviour drawn
from the seed.

Wrong:
    world: simulated

Right:
    world: sim
",
    ),
    (
        Code::GivenTwice,
        "E0116",
        "Two entries have the same name.

Two entries of a list claim the same name or resource, so that nobody could tell them apart.

Wrong:
    gates:
      - { name: clean, forbid: TODO }
      - { name: clean, forbid: FIXME }

Right:
    gates:
      - { name: clean, forbid: TODO }
      - { name: cleaner, forbid: FIXME }
",
    ),
    (
        Code::Percentile,
        "E0117",
        "The 99th percentile lies below the median.

A waiting time is given by its median and its 99th percentile; half of the draws lie below the first, 99 of 100
below the second, so that the second cannot be smaller.

Wrong:
    mail: { median: 20ms, p99: 2ms }

Right:
    mail: { median: 2ms, p99: 20ms }
",
    ),
    (
        Code::ExactlyOne,
        "E0118",
        "Of several keys exactly one must be given.

Of several keys that exclude each other exactly one is needed, and none or two are given.

Wrong:
    tasks:
      - { each: 2, count: 9, by: writer, do: { append: token } }

Right:
    tasks:
      - { each: 2, by: writer, do: { append: token } }
",
    ),
    (
        Code::AboveCap,
        "E0119",
        "More lanes or tasks than the caps allow.

The lanes of all roles, or the tasks of all entries, are more than `caps` allow. A cap is a promise about what a
run can cost; it is raised on purpose.

Wrong:
    caps: { tasks: 3 }

Right:
    caps: { tasks: 300 }
",
    ),
    (
        Code::Outside,
        "E0120",
        r#"A file that the tasks write does not lie below `touches`.

`canonical` is the file that every task of the entry writes, `rename` can name the file that it renames and its new name,
and `touches` says where the entry's work happens: the files must lie there, or the plan that others see is wrong.

Wrong:
    tasks:
      - { count: 2, by: writer, touches: "notes/**", canonical: docs/index.md, do: { append: token } }

Right:
    tasks:
      - { count: 2, by: writer, touches: "notes/**", canonical: notes/index.md, do: { append: token } }
"#,
    ),
    (
        Code::BadExpectation,
        "E0121",
        "An expectation cannot be read.

An expectation, or a threshold, is a metric, a comparison (`==`, `!=`, `<`, `<=`, `>`, `>=`) and a number without sign;
a metric that takes time is compared with a time: `merge.wait.p95 < 60s`. Only `main.intact` may stand alone.

Wrong:
    expect: [ tasks.landed = 4 ]

Right:
    expect: [ tasks.landed == 4 ]
",
    ),
    (
        Code::UnknownMetric,
        "E0122",
        "A metric is unknown.

An expectation looks at something that this program does not measure. An unknown metric is an error, because an
expectation that is never judged looks like one that holds.

Wrong:
    expect: [ tasks.lnded == 4 ]

Right:
    expect: [ tasks.landed == 4 ]
",
    ),
    (
        Code::NeverSo,
        "E0123",
        r#"A fault waits for a moment that never comes.

A fault with `while: holds-lease` strikes when a lane holds a lease, but the file declares no `leases`: it would
never strike, and the run would prove nothing.

Wrong:
    faults: [ { kill: writer, while: holds-lease } ]

Right:
    leases: [ { resource: "**", ttl: 2m } ]
    faults: [ { kill: writer, while: holds-lease } ]
"#,
    ),
    (
        Code::NoControl,
        "E0124",
        "An expectation looks at a control run that is not made.

`control.lost` and `control.torn` are counted in the control run, which is made only with
`control: without-merger`.

Wrong:
    expect: [ control.lost > 0 ]

Right:
    expect: [ control.lost > 0 ]
    control: without-merger
",
    ),
    (
        Code::BadText,
        "E0125",
        r#"A text is empty, too long, or not of one line.

A text is empty, longer than its key allows, or holds a line break where one line is needed.

Wrong:
    gates: [ { name: clean, forbid: "" } ]

Right:
    gates: [ { name: clean, forbid: TODO } ]
"#,
    ),
    (
        Code::TooManyEntries,
        "E0126",
        "A list has more entries than can be numbered.

Faults, leases, models, roles, gates and commands are numbered from 0 to 65,534, so that a list of them has at
most 65,535 entries.

Wrong:
    faults: [ { push: main }, { push: main } ]   # …and 65,534 more

Right:
    faults: [ { push: main } ]
",
    ),
    (
        Code::OneFileOnly,
        "E0127",
        r#"An action needs more files than `touches` names.

`touches` names one file, but the action needs several, or makes a new one beside it.

Wrong:
    tasks:
      - { count: 2, by: writer, touches: notes/a.md, do: { transaction: { files: 3, append: token } } }

Right:
    tasks:
      - { count: 2, by: writer, touches: "notes/**", do: { transaction: { files: 3, append: token } } }
"#,
    ),
];

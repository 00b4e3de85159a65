//! Teams that do what no shipped scenario does in few records, for the matrix of forgeries.

/// What no shipped scenario does in few records: rows of several changes, with red ones in them, and a merger that dies.
pub(super) const ROWS: &str = "baton: 1\nname: rows\nseed: 5\nworkspace: { fixture: notes, files: 30 }\nroles:
  implementer: { lanes: 8, model: fast }\nmodels:\n  fast: { latency: { median: 5s, p99: 20s } }\ntasks:
  - { each: 1, by: implementer, touches: \"notes/**\", attempts: 16, do: { append: token } }
  - { each: 2, by: implementer, touches: \"drafts/**\", attempts: 16, do: { create: token } }\ngates:
  - { name: tests, script: { latency: { median: 15s, p99: 40s }, red: 8% } }
  - { name: lint, script: { latency: { median: 2s, p99: 5s }, red: 2% } }\nfaults:
  - { restart: merger, at: 100s }\nexpect: [ main.intact, tasks.landed == 24 ]\n";

/// What no shipped scenario does in few records: endpoints that are overloaded, one with a rate and one without.
pub(super) const OVERLOADED: &str =
    "baton: 1\nname: overloaded\nseed: 4\nworkspace: { fixture: notes, files: 20 }\nroles:
  implementer: { lanes: 10, model: fast }\n  writer: { lanes: 6, model: careful }\nmodels:
  fast: { latency: { median: 8s, p99: 60s }, tokens: { in: 300, out: 40 }, price: { in: 3.0, out: 15.0 } }
  careful: { slots: 5, latency: { median: 20s, p99: 90s }, tokens: { in: 300, out: 40 }, price: { in: 3.0, out: 15.0 } }
budgets: { endpoint: { careful: { requests: 30/min } } }
tasks:\n  - { count: 30, by: implementer, touches: \"notes/**\", steps: 2, do: { create: token } }
  - { count: 16, by: writer, touches: \"drafts/**\", do: { create: token } }\nfaults:
  - { overload: fast, above: 4, at: 20s, for: 10m, retry-after: 3s }
  - { storm: 503, on: careful, at: 30s, for: 20s, retry-after: 7s }
  - { kill: implementer, at: 50s, while: thinks }\nexpect: [ main.intact, tasks.landed == 46 ]\n";

/// What no shipped scenario does: tasks of which nothing can land, once a person has let their commands pass.
pub(super) const LEFT_TO_PEOPLE: &str =
    "baton: 1\nname: left-to-people\nseed: 3\nworkspace: { fixture: notes, files: 5 }\nroles:
  implementer: { lanes: 2, model: fast, skill: policies/implementer }\nmodels:
  fast: { latency: { median: 8s, p99: 60s } }\napprovals: { action: { timeout: 2h, then: stop } }\ntasks:
  - { count: 2, by: implementer, do: [ { run: cargo test }, { run: cargo add serde } ] }
  - { count: 1, by: implementer, touches: \"src/**\", do: [ { create: token }, { run: cargo add serde } ] }
operators:\n  - { at: 30m, by: eva, do: { approve: all } }\nexpect: [ main.intact, tasks.landed == 1 ]\n";

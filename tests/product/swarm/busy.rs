//! Teams in which much waits at the merger at once: many lanes, slow gates, and a merger that is restarted, left and paused
//! while it lands rows. Drawn apart, so that a seed means otherwise what it always meant.

use crate::draws::Draws;

/// What makes a scenario busy.
#[derive(Default)]
pub(super) struct Busy {
    /// Lanes of the implementer beside those that it has.
    pub(super) lanes: u64,
    pub(super) tasks: String,
    pub(super) gates: String,
    pub(super) operators: String,
    pub(super) faults: String,
    pub(super) cap: String,
}

const ACTIONS: [&str; 6] = [
    "{ create: token }",
    "{ append: token }",
    "{ edit: replace-line }",
    "{ rename: token }",
    "{ delete: one }",
    "{ read-then-write: { read: index/index.md, append: token } }",
];

impl Busy {
    pub(super) fn of(seed: u64) -> Busy {
        let mut draws = Draws::of(seed ^ 0x6275_7379_0000);
        if !draws.chance(40) {
            return Busy::default();
        }
        let mut busy = Busy { lanes: draws.between(4, 20), ..Busy::default() };
        let (each, first, second) = (draws.between(1, 3), draws.one(&ACTIONS), draws.one(&ACTIONS));
        busy.tasks = format!("  - {{ each: {each}, by: implementer, touches: \"**\", do: [ {first}, {second} ] }}\n");
        let (median, red) = (draws.between(5, 60), draws.one(&[0, 0, 5, 15, 40]));
        busy.gates = format!(
            "  - {{ name: slow, script: {{ latency: {{ median: {median}s, p99: {}s }}, red: {red}% }} }}\n",
            3 * median
        );
        for _ in 0..draws.between(0, 4) {
            let at = draws.between(1, 400);
            busy.faults.push_str(
                match draws.between(0, 5) {
                    0..=2 => format!("  - {{ restart: merger, at: {at}s }}\n"),
                    3 => format!("  - {{ kill: implementer, at: {at}s, while: waits-for-landing }}\n"),
                    4 => format!("  - {{ kill: implementer.{}, at: {at}s }}\n", draws.between(1, 5)),
                    _ => format!("  - {{ push: main, at: {}s }}\n", 20 * at),
                }
                .as_str(),
            );
        }
        if draws.chance(30) {
            let (at, long) = (draws.between(20, 300), draws.between(1, 200));
            busy.operators = format!(
                "  - {{ at: {at}s, by: kim, do: pause-all }}\n  - {{ at: {}s, by: kim, do: resume-all }}\n",
                at + long
            );
        }
        if draws.chance(40) {
            let task = draws.between(0, 9);
            busy.operators.push_str(&format!(
                "  - {{ at: {}s, by: kim, do: {{ override: T-{task} }}, reason: known }}\n",
                draws.between(0, 200)
            ));
        }
        if draws.chance(50) {
            busy.cap = format!("row: {}, ", draws.one(&[1, 2, 3, 8]));
        }
        busy
    }
}

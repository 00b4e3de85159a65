//! What a random scenario has of packets: reviews that send back, groups that come after each other, contexts that fill,
//! and packets that are spoiled. Drawn apart, so that a seed means otherwise what it always meant.

use crate::draws::Draws;

/// Parts of a scenario; empty where there are none.
#[derive(Default)]
pub(super) struct Handing {
    /// Behind `model: fast` of each of the two roles.
    pub(super) contexts: [String; 2],
    /// Entries of `tasks`.
    pub(super) tasks: String,
    /// Entries of `faults`.
    pub(super) faults: String,
    /// Within `caps`.
    pub(super) caps: String,
}

fn review(draws: &mut Draws, by: &str) -> String {
    let (steps, returns, rounds) = (draws.between(0, 2), draws.one(&[0, 20, 60, 100]), draws.between(1, 4));
    match draws.between(0, 2) {
        0 => String::new(),
        1 => format!(", review: {by}"),
        _ => format!(", review: {{ by: {by}, steps: {steps}, returns: {returns}%, rounds: {rounds} }}"),
    }
}

fn task(draws: &mut Draws, at: u64, after: &[&str]) -> String {
    let (by, other) = *draws.one(&[("implementer", "writer"), ("writer", "implementer")]);
    let (count, steps, attempts) = (draws.between(1, 4), draws.between(0, 12), draws.between(1, 4));
    let after = match after {
        [] => String::new(),
        [one] => format!(", after: {one}"),
        many => format!(", after: [{}]", many.join(", ")),
    };
    let action = draws.one(&[
        "{ append: token }",
        "{ transaction: { files: 2, append: token } }",
        "{ read-then-write: { read: index/index.md, append: token } }",
        "[ { crash: 20% }, { append: token } ]",
        "[ { stall: 90s }, { edit: increment } ]",
    ]);
    format!(
        "  - {{ name: g{at}, count: {count}, by: {by}, steps: {steps}, attempts: {attempts}{after}{}, do: {action} }}\n",
        review(draws, other)
    )
}

impl Handing {
    pub(super) fn of(seed: u64) -> Handing {
        let mut draws = Draws::of(seed ^ 0x7061_636b_6574);
        if !draws.chance(60) {
            return Handing::default();
        }
        let mut handing = Handing::default();
        for context in &mut handing.contexts {
            if draws.chance(60) {
                *context = format!(", context: {}", draws.between(3, 20) * 1_000);
            }
        }
        let names: Vec<String> = (0..4).map(|at| format!("g{at}")).collect();
        for at in 0..draws.between(1, 4) {
            let before = names[..at as usize].iter().map(String::as_str);
            let after: Vec<&str> = before.filter(|_| draws.chance(40)).collect();
            handing.tasks.push_str(&task(&mut draws, at, &after));
        }
        for _ in 0..draws.between(0, 3) {
            let (role, at) = (draws.one(&["implementer", "writer", "writer.1"]), draws.between(0, 200));
            let how = draws.one(&["incomplete", "dangling", "lying", "huge"]);
            handing.faults.push_str(&format!("  - {{ spoil: {role}, how: {how}, at: {at}s }}\n"));
        }
        if draws.chance(40) {
            handing.caps = format!(", handoffs: {}", draws.between(1, 6));
        }
        handing
    }
}

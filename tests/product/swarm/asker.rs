//! A role whose commands wait for people, and whose lanes people take out and bring back at random times: also while a yes
//! waits for one of them.

use crate::draws::Draws;

/// What a scenario has of that. Drawn apart, and only beside seeds without orders, whose tasks are counted.
#[derive(Default)]
pub(super) struct Asker {
    pub(super) role: String,
    pub(super) tasks: String,
    pub(super) operators: String,
}

const ACTIONS: [&str; 7] = [
    "{ run: cargo add serde }",
    "{ run: cargo update }",
    "{ run: cargo test }",
    "{ run: git push }",
    "{ read: README.md }",
    "{ create: token }",
    "{ write: Cargo.toml }",
];

impl Asker {
    pub(super) fn of(seed: u64, orders: bool) -> Asker {
        let mut draws = Draws::of(seed ^ 0x6173_6b65_7200);
        if orders || !draws.chance(60) {
            return Asker::default();
        }
        let lanes = draws.between(1, 2);
        let context = if draws.chance(30) { ", context: 4000" } else { "" };
        let role = format!("  asker: {{ lanes: {lanes}, model: fast, skill: policies/implementer{context} }}\n");
        let mut tasks = String::new();
        for _ in 0..draws.between(1, 3) {
            let actions: Vec<&str> = (0..draws.between(1, 3)).map(|_| *draws.one(&ACTIONS)).collect();
            let more = draws.one(&["", "", "", ", review: writer", ", approve: plan", ", steps: 4"]);
            tasks.push_str(&format!(
                "  - {{ count: {}, by: asker, touches: \"src/**\", attempts: {}{more}, do: [ {} ] }}\n",
                draws.between(1, 3),
                draws.between(1, 4),
                actions.join(", ")
            ));
        }
        let mut operators = String::new();
        let mut say = |draws: &mut Draws, said: &str| {
            operators.push_str(&format!("  - {{ at: {}s, by: ivo, do: {said} }}\n", draws.between(1, 900)));
        };
        for _ in 0..draws.between(0, 4) {
            let said = *draws.one(&["{ approve: action }", "{ approve: all }", "{ deny: action }", "{ approve: T-2 }"]);
            say(&mut draws, said);
        }
        if draws.chance(50) {
            (1..=lanes).for_each(|lane| say(&mut draws, &format!("{{ remove: asker.{lane} }}")));
        }
        for _ in 0..draws.between(0, 2) {
            say(&mut draws, "{ add: asker }");
        }
        Asker { role, tasks, operators }
    }
}

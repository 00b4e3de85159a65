//! No input makes the reader panic, and whatever it says points into the file.

use baton_scenarios::file::{check, explain};
use baton_scenarios::scenario::{
    Action, Comparison, Fault, FaultKind, GateKind, LeaseSpan, Moment, Restartable, Workspace,
};
use proptest::prelude::*;

const GOOD: &str = include_str!("files/good/eight-writers.yaml");

fn holds(bytes: &[u8]) -> Result<(), TestCaseError> {
    let checked = check("fuzz.yaml", bytes);
    prop_assert_eq!(checked.scenario.is_none(), checked.faults.errors > 0);
    for fault in &checked.faults.list {
        let text = checked.faults.source();
        let line = text.split('\n').nth(fault.line - 1);
        let columns = line.map(|line| line.chars().count()).unwrap_or_default();
        prop_assert!(fault.column + fault.length <= columns + 2, "{:?} in {:?}", fault, text);
        prop_assert!(explain(fault.code).is_some() && fault.help.is_some() && !fault.label.is_empty());
        prop_assert!(!fault.message.contains('\n'));
    }
    let drawn = checked.faults.render(false);
    for fault in &checked.faults.list {
        let place = format!("fuzz.yaml:{}:{}\n", fault.line, fault.column);
        prop_assert!(drawn.contains(&place), "{} is not in\n{}", place, drawn);
    }
    checked.faults.render(true);
    checked.faults.to_json();
    Ok(())
}

/// What is likely to mean something to a parser, or to this format.
const WORDS: &[&str] = &[
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    ": ",
    "- ",
    "\n",
    "\n  ",
    "\n- ",
    "? ",
    "&a ",
    "*a",
    "!t ",
    "|\n",
    ">-\n",
    "#",
    " ",
    "\"",
    "'",
    "\\",
    "\t",
    "\r\n",
    "---\n",
    "...\n",
    "%",
    "<<: ",
    "é",
    "😀",
    "\0",
    "\u{feff}",
    "baton: 1\n",
    "1",
    "-1",
    "5%",
    "0.5%",
    "8s",
    "1h30m",
    "**",
    "a/**",
    "../",
    ".git",
    "tasks.landed == 4",
    "main.intact",
    "implementer.9",
    "fast",
    "holds-lease",
    "each: 2, ",
    "count: 1, ",
    "name: ",
    "tasks: ",
    "models: ",
    "roles: ",
    "faults: ",
    "leases: ",
    "null",
    "~",
];

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![8 => prop::sample::select(WORDS).prop_map(str::to_owned), 1 => "[ -~]{1,6}", 1 => "\\PC{1,3}"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_judged(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        holds(&bytes)?;
    }

    #[test]
    fn any_text_of_yaml_pieces_is_judged(pieces in prop::collection::vec(piece(), 0..60), head in any::<bool>()) {
        let head = if head { "baton: 1\n" } else { "" };
        holds(format!("{head}{}", pieces.concat()).as_bytes())?;
    }

    #[test]
    fn a_good_file_with_changes_is_judged(changes in prop::collection::vec((0..GOOD.len(), 0..30_usize, piece()), 1..6)) {
        let mut text = GOOD.to_owned();
        for (at, length, new) in changes {
            let mut from = at.min(text.len());
            while !text.is_char_boundary(from) { from -= 1; }
            let mut to = (from + length).min(text.len());
            while !text.is_char_boundary(to) { to += 1; }
            text.replace_range(from..to, &new);
        }
        holds(text.as_bytes())?;
    }

    #[test]
    fn a_good_file_with_a_flipped_byte_or_a_torn_end_is_judged(at in 0..GOOD.len(), byte in any::<u8>(), end in 0..GOOD.len()) {
        let mut bytes = GOOD.as_bytes().to_vec();
        bytes[at] = byte;
        holds(&bytes)?;
        holds(&bytes[..end])?;
    }

    #[test]
    fn a_word_of_a_good_file_in_place_of_another_is_judged(from in 0..300_usize, to in 0..300_usize) {
        let words: Vec<&str> = GOOD.split_inclusive(' ').collect();
        let mut changed = words.clone();
        changed[to % words.len()] = words[from % words.len()];
        holds(changed.concat().as_bytes())?;
    }
}

#[test]
fn the_example_means_what_it_says() {
    let scenario = check("eight-writers.yaml", GOOD.as_bytes()).scenario.unwrap();
    assert_eq!((scenario.name.as_str(), scenario.seed, scenario.control), ("eight-writers", 7, true));
    assert_eq!(scenario.workspace, Workspace::Fixture { name: "notes".to_owned(), files: 24 });
    let (role, model) = (&scenario.roles[0], &scenario.models[0]);
    assert_eq!((role.name.as_str(), role.lanes, role.model), ("implementer", 8, 0));
    assert_eq!((model.latency.median_us, model.latency.p99_us, model.slots), (8_000_000, 60_000_000, 6));
    assert_eq!(
        (model.tokens_in, model.tokens_out, model.price_in, model.price_out),
        (4_000, 600, 3_000_000, 15_000_000)
    );
    let tasks: Vec<_> = scenario.tasks.iter().map(|group| (group.tasks, group.attempts, group.steps)).collect();
    assert_eq!(tasks, [(104, 16, 1), (96, 16, 1)]);
    assert_eq!(scenario.tasks[1].actions, [Action::Transaction { files: 3 }]);
    assert_eq!((scenario.leases[1].per, scenario.leases[1].ttl_us), (LeaseSpan::Change, 120_000_000));
    assert_eq!(scenario.gates[0].kind, GateKind::Forbid { text: "<<<<<<< ".to_owned() });
    assert_eq!((scenario.mail.median_us, scenario.mail.p99_us), (2_000, 20_000));
    assert_eq!((scenario.operators[1].at_us, scenario.operators[1].reason.as_str()), (480_000_000, "back"));
    let minute = 60_000_000;
    let fault = |kind, at: u64, moment| Fault { kind, at_us: at * minute, moment };
    let holds = Some(Moment::HoldsLease);
    assert_eq!(
        scenario.faults,
        [
            fault(FaultKind::Kill { role: 0, lane: None }, 2, holds),
            fault(FaultKind::Pause { role: 0, lane: None, for_us: 5 * minute }, 4, holds),
            fault(FaultKind::Duplicate { probability_ppm: 30_000, for_us: Some(20 * minute) }, 1, None),
            fault(FaultKind::Delay { probability_ppm: 20_000, by_us: 45_000_000, for_us: Some(20 * minute) }, 1, None),
            fault(FaultKind::Restart { actor: Restartable::Supervisor }, 5, None),
        ]
    );
    let expected: Vec<_> = scenario.expectations.iter().map(|e| (e.text.as_str(), e.comparison, e.value)).collect();
    assert_eq!(
        expected[..2],
        [("main.intact", Comparison::Equal, 1.0), ("tasks.landed == 200", Comparison::Equal, 200.0)]
    );
    assert_eq!((scenario.stop_after_us, scenario.caps.lanes), (None, 1_000));
}

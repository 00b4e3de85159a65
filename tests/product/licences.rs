//! What the product is built from may be used by anybody.

use std::process::Command;

/// The licences that `deny.toml` allows.
fn allowed() -> Vec<String> {
    let file = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/deny.toml")).unwrap();
    let list = file.split("allow = [").nth(1).unwrap().split(']').next().unwrap();
    list.split(',').map(|licence| licence.trim().trim_matches('"').to_owned()).filter(|name| !name.is_empty()).collect()
}

/// Whether one of the choices that an SPDX expression without nested brackets leaves is allowed.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let known = |name: &str| allowed.iter().any(|licence| licence == name.trim_matches(['(', ')', ' ']));
    expression.split(" AND ").all(|part| part.split(" OR ").any(|choice| choice.split('/').any(known)))
}

#[test]
fn everything_that_is_linked_has_a_permissive_licence() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--locked", "--offline", "--edges", "all", "--prefix", "none", "--no-dedupe"]);
    let output = cargo.args(["--format", "{p}|{l}"]).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let packages: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once('|')).collect();
    assert!(packages.len() > 50, "the tree lists what is linked");
    let allowed = allowed();
    let other: Vec<_> = packages.iter().filter(|(_, licence)| !is_allowed(licence, &allowed)).collect();
    assert!(other.is_empty(), "{other:?}");
}

#[test]
fn a_licence_that_asks_for_more_is_seen() {
    let allowed = allowed();
    for (expression, permissive) in [
        ("MIT", true),
        ("Unlicense OR MIT", true),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT", true),
        ("MIT/Apache-2.0", true),
        ("GPL-3.0-only", false),
        ("MIT AND GPL-2.0-or-later", false),
        ("MPL-2.0", false),
        ("", false),
    ] {
        assert_eq!(is_allowed(expression, &allowed), permissive, "{expression}");
    }
}

//! What the product is built from may be used by anybody.

use std::process::Command;

/// Licences that ask for no more than a notice.
const PERMISSIVE: [&str; 7] = ["MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Zlib", "Unicode-3.0"];

/// Whether one of the choices that an SPDX expression without nested brackets leaves is permissive.
fn is_permissive(expression: &str) -> bool {
    let name = |name: &str| {
        let name = name.trim_matches(['(', ')', ' ']);
        PERMISSIVE.contains(&name.strip_suffix(" WITH LLVM-exception").unwrap_or(name))
    };
    expression.split(" AND ").all(|part| part.split(" OR ").any(|choice| choice.split('/').any(name)))
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
    let other: Vec<_> = packages.iter().filter(|(_, licence)| !is_permissive(licence)).collect();
    assert!(other.is_empty(), "{other:?}");
}

#[test]
fn a_licence_that_asks_for_more_is_seen() {
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
        assert_eq!(is_permissive(expression), permissive, "{expression}");
    }
}

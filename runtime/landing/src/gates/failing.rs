//! Which tests a gate says have failed: by the words of the runners that people use.

/// Names are told up to this number.
const NAMES_MAX: usize = 20;

/// The tests that failed, in the order of the output, each once; empty if nothing in it is known.
pub(super) fn tests(said: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for line in said.lines().map(str::trim) {
        if let Some(name) = name_in(line).filter(|name| !name.is_empty())
            && !names.iter().any(|known| known == name)
        {
            names.push(name.to_owned());
        }
        if names.len() == NAMES_MAX {
            break;
        }
    }
    names
}

fn name_in(line: &str) -> Option<&str> {
    // cargo test: `test a::b ... FAILED`
    if let Some(rest) = line.strip_prefix("test ") {
        return rest.strip_suffix(" ... FAILED");
    }
    // cargo nextest: `FAIL [   0.004s] crate a::b`
    if let Some((_, name)) = line.strip_prefix("FAIL [").and_then(|rest| rest.split_once("] ")) {
        return Some(name.trim());
    }
    // pytest: `FAILED tests/test_a.py::test_b - AssertionError`
    if let Some(rest) = line.strip_prefix("FAILED ").filter(|rest| rest.contains("::")) {
        return rest.split(" - ").next();
    }
    // go test: `--- FAIL: TestA (0.00s)`
    if let Some(rest) = line.strip_prefix("--- FAIL: ") {
        return rest.split(" (").next();
    }
    // jest, vitest, mocha and their like: `● suite › name`, `✕ name (3 ms)`, `× name`
    if let Some(rest) = line.strip_prefix("● ").filter(|rest| rest.contains('›')) {
        return Some(rest.trim());
    }
    let crossed = line.strip_prefix("✕ ").or_else(|| line.strip_prefix("✗ ")).or_else(|| line.strip_prefix("× "))?;
    Some(crossed.split(" (").next().unwrap_or(crossed))
}

#[cfg(test)]
mod tests {
    use super::tests;

    #[test]
    fn failing_tests_are_named_as_their_runners_name_them() {
        let said = "running 2 tests\ntest a::works ... ok\ntest a::breaks ... FAILED\ntest a::breaks ... FAILED\n\
                    FAILED tests/test_x.py::test_y - assert 1 == 2\n--- FAIL: TestThing (0.01s)\n  ✕ adds numbers (3 ms)\n\
                    \u{25cf} sums › adds\n  FAIL [   0.010s] crate module::name\nFAILED\n✕ \nnothing else";
        let names =
            ["a::breaks", "tests/test_x.py::test_y", "TestThing", "adds numbers", "sums › adds", "crate module::name"];
        assert_eq!(tests(said), names);
    }
}

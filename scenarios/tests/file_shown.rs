//! Faults as they are drawn, whole: `files/NAME.yaml` gives `files/NAME.txt`. `BLESS=1` writes the latter anew.

use baton_scenarios::file::check;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn samples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files");
    let paths = fs::read_dir(folder).expect("the samples are there").map(|entry| entry.expect("a sample").path());
    let mut samples: Vec<_> = paths.filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect();
    samples.sort();
    samples
}

#[test]
fn faults_are_drawn_as_in_the_sample_files() {
    let samples = samples();
    assert!(samples.len() >= 8);
    for sample in samples {
        let name = sample.file_name().unwrap().to_str().unwrap();
        let drawn = check(name, &fs::read(&sample).unwrap()).faults.render(false);
        let expected = sample.with_extension("txt");
        if env::var_os("BLESS").is_some() {
            fs::write(&expected, &drawn).unwrap();
        }
        let expected = fs::read_to_string(&expected).unwrap_or_default();
        assert!(drawn == expected, "{name} is drawn otherwise (BLESS=1 accepts it):\n{drawn}\nexpected:\n{expected}");
    }
}

#[test]
fn colors_change_nothing_but_colors() {
    for sample in samples() {
        let faults = check("a.yaml", &fs::read(&sample).unwrap()).faults;
        let colored = faults.render(true);
        assert!(colored.contains("\u{1b}[1m"));
        let mut parts = colored.split('\u{1b}');
        let mut bare = parts.next().unwrap_or_default().to_owned();
        bare.extend(parts.filter_map(|part| part.split_once('m')).map(|(_, text)| text));
        assert_eq!(bare, faults.render(false), "{}", sample.display());
    }
}

/// Plans of these collide on purpose.
const WARNED: [&str; 4] = ["plain-run", "pilot-of-two-roles", "conflicting-renames", "colliding-plans"];

#[test]
fn the_shipped_scenarios_have_no_fault() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "yaml") {
            let checked = check("shipped.yaml", &fs::read(&path).unwrap());
            assert!(
                checked.scenario.is_some()
                    && (checked.faults.list.is_empty()
                        || path.file_stem().is_some_and(|name| WARNED.iter().any(|warned| name == *warned))),
                "{}:\n{}",
                path.display(),
                checked.faults
            );
        }
    }
}

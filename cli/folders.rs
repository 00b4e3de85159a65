//! Where run folders go when nobody says where.

use std::path::PathBuf;

/// `runs/NAME-1`, or the next number that is free.
pub(crate) fn next(name: &str) -> PathBuf {
    let folder = |number: u32| PathBuf::from(format!("runs/{name}-{number}"));
    let taken = |path: &PathBuf| {
        let control = baton_scenarios::run::control_folder(path);
        path.exists() || control.exists()
    };
    (1..).map(folder).find(|path| !taken(path)).expect("there are more numbers than folders")
}

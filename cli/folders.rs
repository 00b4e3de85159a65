//! Where run folders go when nobody says where.

use std::path::PathBuf;

/// `runs/NAME-1`, and after it the next numbers that are free.
pub(crate) fn free(name: &str) -> impl Iterator<Item = PathBuf> {
    let folder = move |number: u32| PathBuf::from(format!("runs/{name}-{number}"));
    let taken = |path: &PathBuf| {
        let control = baton_scenarios::run::control_folder(path);
        path.exists() || control.exists()
    };
    (1..).map(folder).filter(move |path| !taken(path))
}

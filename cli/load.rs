//! Finds the scenario that is meant: a file, or a shipped scenario of that name; else what could have been meant.

use baton_scenarios::{shipped, similar};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

/// A scenario file is at most this large.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Files that are looked through in search of the one that was meant.
const SEARCHED_MAX: usize = 1_000;

/// Name and bytes of a file, or of a shipped scenario; or what is wrong, with a cure. One byte more than is allowed is
/// enough to know.
pub(crate) fn load(path: &Path) -> Result<(String, Vec<u8>), String> {
    let name = path.display().to_string();
    if is_pipe(path) {
        return Err(format!("{name} is a pipe, into which perhaps nobody ever writes; name a file, or /dev/stdin"));
    }
    // A folder is no file: the run folder of a shipped scenario may well have its name.
    let opened = File::open(path).and_then(|opened| match opened.metadata()?.is_dir() {
        true => Err(ErrorKind::IsADirectory.into()),
        false => Ok(opened),
    });
    let error = match opened {
        Ok(opened) => {
            return bounded(opened).map(|bytes| (name.clone(), bytes)).map_err(|error| format!("{name}: {error}"));
        }
        Err(error) => error,
    };
    if let Some(text) = shipped::find(&name) {
        return Ok((name, text.as_bytes().to_vec()));
    }
    let list = "`baton scenarios` lists those that come with the program";
    match error.kind() {
        ErrorKind::NotFound => {
            let meant = meant(path).map(|meant| format!("did you mean `{meant}`? ")).unwrap_or_default();
            Err(format!("no scenario file and no shipped scenario is called `{name}`; {meant}{list}"))
        }
        ErrorKind::IsADirectory if path.join("journal").is_dir() => Err(format!(
            "{name} is a run folder, not a scenario; check it with `baton verify {name}`, or run {name}/scenario.yaml again"
        )),
        ErrorKind::IsADirectory => Err(format!("{name} is a folder; name a scenario file in it; {list}")),
        _ => Err(format!("{name}: {error}; {list}")),
    }
}

/// A pipe that lies about, and not one that the shell has laid.
fn is_pipe(path: &Path) -> bool {
    let laid = path.starts_with("/dev") || path.starts_with("/proc");
    !laid && path.metadata().is_ok_and(|found| found.file_type().is_fifo())
}

/// The bytes of a file that is no scenario; or what is wrong. What is no file is not opened: it may never end.
pub(crate) fn plain(path: &Path) -> Result<Vec<u8>, String> {
    let name = path.display();
    match std::fs::metadata(path) {
        Ok(found) if found.is_file() => {}
        Ok(_) => return Err(format!("{name} is no file")),
        Err(error) => return Err(format!("{name}: {error}")),
    }
    File::open(path).and_then(bounded).map_err(|error| format!("{name}: {error}"))
}

fn bounded(file: File) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The shipped scenario, or the scenario file beside the one that was written, whose name is nearest.
fn meant(path: &Path) -> Option<String> {
    let written = path.file_name()?.to_string_lossy();
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let mut files: Vec<String> = std::fs::read_dir(folder.unwrap_or(Path::new(".")))
        .into_iter()
        .flatten()
        .take(SEARCHED_MAX)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".yaml") || name.ends_with(".yml"))
        .collect();
    files.sort();
    let names = shipped::SHIPPED.iter().map(|(name, _)| *name);
    let nearest = similar::nearest(&written, files.iter().map(String::as_str).chain(names))?;
    match folder {
        Some(folder) if files.iter().any(|file| file == nearest) => Some(folder.join(nearest).display().to_string()),
        _ => Some(nearest.to_owned()),
    }
}

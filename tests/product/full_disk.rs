//! A disk that is full, or cannot be written, ends a run as a limit does: in words, with what was recorded still sound.

use crate::program::{baton, finish};
use crate::run_folder::RunFolder;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

/// A small disk, for the length of a test.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where nobody may mount anything.
    fn mount(at: PathBuf, kilobytes: u32) -> Option<SmallDisk> {
        std::fs::create_dir_all(&at).unwrap();
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={kilobytes}k"), "tmpfs"]).arg(&at).output();
        mount.is_ok_and(|mount| mount.status.success()).then_some(SmallDisk(at))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(&self.0).status();
        assert!(unmounted.is_ok_and(|status| ExitStatus::success(&status)), "{} stays mounted", self.0.display());
    }
}

#[track_caller]
fn check(place: &Path, kilobytes: u32, world: &str) {
    let what = format!("{kilobytes} KiB, {world}");
    let Some(disk) = SmallDisk::mount(place.join(format!("disk-{kilobytes}-{world}")), kilobytes) else {
        eprintln!("SKIPPED: {what}: this user may not mount a small disk");
        return;
    };
    let out = disk.0.join("out");
    let scenario = "baton: 1\nname: full\nworkspace: { fixture: notes, files: 20 }\n\
         roles: { implementer: { lanes: 6, model: fast } }\n\
         models: { fast: { driver: script, latency: { median: 2ms, p99: 9ms } } }\n\
         tasks: [ { each: 100, by: implementer, do: { append: token } } ]\nmail: { median: 1ms, p99: 3ms }\n";
    std::fs::write(place.join("full.yaml"), scenario).unwrap();
    let said = finish(baton(place, ["run", "full.yaml", "--anyway", "--json", "--world", world, "--out"]).arg(&out));
    let code = said.code();
    if out.exists() {
        assert_eq!(code, 5, "{what}: {said:?}");
        let folder = RunFolder(&out);
        let (code, report) = folder.verify();
        assert_eq!((code, &report["intact"]), (0, &true.into()), "{what}: {report:#}");
    } else {
        assert!(matches!(code, 2 | 5), "{what}: {said:?}");
    }
    assert!(said.stderr.contains("No space left on device"), "{what}: {said:?}");
    assert_eq!(said.json()["exit_code"], code, "{what}");
}

#[test]
fn a_run_that_will_not_fit_is_refused_before_anything_is_made() {
    let place = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(place.path().join("small"), 300) else {
        eprintln!("SKIPPED: this user may not mount a small disk");
        return;
    };
    let said = finish(baton(place.path(), ["run", "eight-writers", "--json", "--out"]).arg(disk.0.join("deep/out")));
    assert_eq!((said.code(), &said.json()["exit_code"]), (5, &5.into()), "{said:?}");
    for part in ["expected to take", "are free", "--anyway"] {
        assert!(said.stderr.contains(part), "{part}: {said:?}");
    }
    assert_eq!(std::fs::read_dir(&disk.0).unwrap().count(), 0, "nothing is made");
    let said = finish(baton(place.path(), ["run", "two-writers", "--json", "--out"]).arg(place.path().join("out")));
    assert_eq!(said.code(), 0, "{said:?}");
    assert!(said.stderr.contains("on the disk"), "{said:?}");
    let told = said.json();
    let bytes = |key: &str| told["disk"][key].as_u64().unwrap();
    let (estimated, taken) = (bytes("estimated_bytes"), bytes("bytes"));
    assert!(taken < 2 * estimated && estimated < 2 * taken, "{told:#}");
}

#[test]
fn a_full_disk_ends_a_run_in_words() {
    let place = tempfile::tempdir().unwrap();
    for kilobytes in [64, 400, 500, 600, 800] {
        check(place.path(), kilobytes, "sim");
    }
    check(place.path(), 500, "live");
    check(place.path(), 800, "live");
}

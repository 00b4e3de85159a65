//! Durable appends by one, 256 and 2,048 writers, beside the bare disk.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

mod durable;
mod measure;

use baton_world::Stopwatch;
use durable::{LOADS, journal, lines};
use measure::{Contestant, Release, closed_loop, compete, heading, table};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};

const ABOUT: &str = "\
Each writer submits one record of about 300 bytes and waits until it is durable. The journal encodes, chains and
checksums each record. *Raw batches*: the same lines, made beforehand, written by one thread in batches of as many lines
as there are writers, each followed by one fdatasync: the bare disk, without anybody who waits. *Raw group commit*: the
same lines, made beforehand, through a queue and a thread that writes whatever waits and then calls fdatasync; the
writers wait as they do for the journal.";

fn main() {
    heading("Durable append", "cargo bench --bench journal", ABOUT);
    table("records/s");
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (writers, records) in LOADS {
        let batch = lines(writers);
        let line = &lines(1);
        compete(
            &format!("writers: {writers}"),
            15,
            vec![
                Contestant::new("journal", move || journal(dir, writers, records)),
                Contestant::new("raw batches", move || raw(dir, &batch, writers, records)),
                Contestant::new("raw group commit", move || raw_group_commit(dir, line, writers, records)),
            ],
        );
    }
}

fn raw(dir: &Path, batch: &[u8], writers: usize, records: usize) -> f64 {
    let dir = tempfile::tempdir_in(dir).expect("the target folder can be written to");
    let mut file = appending(dir.path());
    let batches = records.div_ceil(writers);
    let watch = Stopwatch::start();
    for _ in 0..batches {
        file.write_all(batch).and_then(|()| file.sync_data()).expect("the disk takes it");
    }
    (batches * writers) as f64 / watch.seconds()
}

fn raw_group_commit(dir: &Path, line: &[u8], writers: usize, records: usize) -> f64 {
    let dir = tempfile::tempdir_in(dir).expect("the target folder can be written to");
    let file = appending(dir.path());
    let (queue, waiting) = sync_channel(65_536);
    let bytes = line.to_vec();
    let thread = std::thread::spawn(move || commit_raw(file, &bytes, &waiting));
    let watch = Stopwatch::start();
    closed_loop(writers, records, |release| queue.send(release).expect("the thread lives"));
    let rate = records as f64 / watch.seconds();
    drop(queue);
    thread.join().expect("the thread ends well");
    rate
}

fn commit_raw(mut file: File, line: &[u8], waiting: &Receiver<Release>) {
    let (mut releases, mut bytes) = (Vec::new(), Vec::new());
    while let Ok(first) = waiting.recv() {
        releases.push(first);
        releases.extend(waiting.try_iter());
        releases.iter().for_each(|_| bytes.extend_from_slice(line));
        file.write_all(&bytes).and_then(|()| file.sync_data()).expect("the disk takes it");
        bytes.clear();
        releases.drain(..).for_each(|release| release());
    }
}

/// As the journal opens a segment.
fn appending(dir: &Path) -> File {
    let path = dir.join("raw");
    let file = File::options().append(true).create_new(true).open(path).expect("the target folder can be written to");
    file.sync_all().expect("the disk takes it");
    file
}

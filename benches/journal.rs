//! Durable appends by one, 256 and 2,048 writers, beside the bare disk.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

mod durable;
mod measure;

use baton_world::Stopwatch;
use durable::{LOADS, journal, lines};
use measure::{Contestant, Release, closed_loop, compete, heading, table};
use std::cell::Cell;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};

const ABOUT: &str = "\
Each writer submits one record of about 300 bytes and waits until it is durable. The journal encodes, chains and
checksums each record, and while one batch is being synced it prepares the next. The rest writes the same lines, made
beforehand. *Same batches*: in batches of the size that the journal's had on the average in the same round, each followed
by one fdatasync, without anybody who waits. *Full batches*: likewise, but each holds a line of every writer: what the
disk could do if nothing had to be prepared. *Raw group commit*: through a queue and a thread that writes whatever waits
and then calls fdatasync; the writers wait as they do for the journal.";

fn main() {
    heading("Durable append", "cargo bench --bench journal", ABOUT);
    table("records/s");
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (writers, records) in LOADS {
        let (full, line) = (&lines(writers), &lines(1));
        let batch = &Cell::new(1);
        compete(
            &format!("writers: {writers}"),
            15,
            vec![
                Contestant::new("journal", move || {
                    let turn = journal(dir, writers, records);
                    batch.set(turn.batch);
                    turn.rate
                }),
                Contestant::new("same batches", move || raw(dir, full, batch.get().min(writers), records)),
                Contestant::new("full batches", move || raw(dir, full, writers, records)),
                Contestant::new("raw group commit", move || raw_group_commit(dir, line, writers, records)),
            ],
        );
    }
}

/// Writes `records` lines, `batch` of them before each sync; `lines` holds as many at least.
fn raw(dir: &Path, lines: &[u8], batch: usize, records: usize) -> f64 {
    let bytes = lines.split_inclusive(|byte| *byte == b'\n').take(batch).map(<[u8]>::len).sum::<usize>();
    let dir = tempfile::tempdir_in(dir).expect("the target folder can be written to");
    let mut file = appending(dir.path());
    let batches = records.div_ceil(batch);
    let watch = Stopwatch::start();
    for _ in 0..batches {
        file.write_all(&lines[..bytes]).and_then(|()| file.sync_data()).expect("the disk takes it");
    }
    (batches * batch) as f64 / watch.seconds()
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

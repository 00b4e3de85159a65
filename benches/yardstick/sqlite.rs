//! Durable appends to the journal beside the same appends to a table of SQLite.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

#[path = "../durable.rs"]
mod durable;
#[path = "../measure.rs"]
mod measure;

use baton_world::Stopwatch;
use durable::{LOADS, journal, lines};
use measure::{Contestant, Release, closed_loop, compete, heading, table};
use rusqlite::Connection;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};

const ABOUT: &str = "\
Each writer submits one record of about 300 bytes and waits until it is durable. SQLite (bundled, write-ahead log,
synchronous=FULL) gets the line as it stands, made beforehand, as one row by a prepared statement; a thread puts whatever
waits into one transaction and then releases it. The journal encodes, chains and checksums each record besides.";

fn main() {
    heading("Durable append beside SQLite", "cargo bench -p baton-yardstick --bench sqlite", ABOUT);
    println!("SQLite {}.\n", rusqlite::version());
    table("records/s");
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (writers, records) in LOADS {
        let line = lines(1);
        compete(
            &format!("writers: {writers}"),
            15,
            vec![
                Contestant::new("journal", move || journal(dir, writers, records).rate),
                Contestant::new("SQLite", move || sqlite(dir, &line, writers, records)),
            ],
        );
    }
}

fn sqlite(dir: &Path, line: &[u8], writers: usize, records: usize) -> f64 {
    let dir = tempfile::tempdir_in(dir).expect("the target folder can be written to");
    let connection = open(&dir.path().join("journal.db")).expect("a database can be made");
    let (queue, waiting) = sync_channel(65_536);
    let line = line.to_vec();
    let thread = std::thread::spawn(move || commit_all(connection, &line, &waiting));
    let watch = Stopwatch::start();
    closed_loop(writers, records, |release| queue.send(release).expect("the thread lives"));
    let rate = records as f64 / watch.seconds();
    drop(queue);
    thread.join().expect("the thread ends well").expect("the database takes everything");
    rate
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.execute("CREATE TABLE journal (seq INTEGER PRIMARY KEY, line BLOB NOT NULL)", ())?;
    Ok(connection)
}

fn commit_all(mut connection: Connection, line: &[u8], waiting: &Receiver<Release>) -> rusqlite::Result<()> {
    let mut releases = Vec::new();
    while let Ok(first) = waiting.recv() {
        releases.push(first);
        releases.extend(waiting.try_iter());
        let transaction = connection.transaction()?;
        let mut insert = transaction.prepare_cached("INSERT INTO journal (line) VALUES (?1)")?;
        releases.iter().try_for_each(|_| insert.execute((line,)).map(drop))?;
        drop(insert);
        transaction.commit()?;
        releases.drain(..).for_each(|release| release());
    }
    Ok(())
}

//! Damage: bytes, lines and segments that are no journal, and forms that only look like one.

use crate::folder::Folder;
use crate::{judge, status, story};
use baton_check::{Report, Status};
use std::fs;

/// Writes the good run, damages its bytes and expects LOG-1 to be broken, and the run not intact.
fn damage(name: &str, damage: impl FnOnce(&Folder)) -> Report {
    let folder = story::good();
    folder.write();
    damage(&folder);
    let report = judge(name, &folder, &["LOG-1"]);
    assert!(report.damage.is_some(), "{name}");
    assert_eq!(status(&report, "MAIN-1"), Status::NotExercised, "{name}");
    report
}

/// Edits one line of the first segment and sets its checksum right.
fn edit_line(folder: &Folder, line: usize, from: &str, to: &str) {
    let text = fs::read_to_string(folder.segment(0)).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    assert!(lines[line].contains(from), "{}", lines[line]);
    let edited = lines[line].replace(from, to);
    let covered = &edited[..edited.rfind(",\"crc\"").unwrap()];
    lines[line] = format!("{covered},\"crc\":\"{:08x}\"}}", crc32c::crc32c(covered.as_bytes()));
    fs::write(folder.segment(0), lines.join("\n") + "\n").unwrap();
}

fn rewrite(folder: &Folder, segment: u32, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let bytes = fs::read(folder.segment(segment)).unwrap();
    let mut lines: Vec<Vec<u8>> = bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    change(&mut lines);
    fs::write(folder.segment(segment), lines.concat()).unwrap();
}

#[test]
fn damage_is_located() {
    let report = damage("a flipped bit", |f| rewrite(f, 0, |lines| lines[4][30] ^= 1));
    let found = report.damage.unwrap();
    assert_eq!((found.file.as_str(), found.line), ("000001-000000.jsonl", 5));
}

#[test]
fn damage_of_lines_is_refused() {
    damage("a dropped line", |f| rewrite(f, 0, |lines| drop(lines.remove(7))));
    damage("a doubled line", |f| rewrite(f, 0, |lines| lines.insert(7, lines[7].clone())));
    damage("swapped lines", |f| rewrite(f, 0, |lines| lines.swap(7, 8)));
    damage("an empty line", |f| rewrite(f, 0, |lines| lines.insert(7, b"\n".to_vec())));
    damage("a cut in the middle", |f| rewrite(f, 0, |lines| lines[7].truncate(30)));
    damage("a torn end of a segment that is not the last", |f| {
        rewrite(f, 0, |lines| {
            let last = lines.len() - 1;
            lines[last].truncate(30);
        })
    });
    damage("a capital in the checksum", |f| {
        rewrite(f, 0, |lines| {
            for line in lines {
                let at = line.len() - 11;
                line[at..].make_ascii_uppercase();
            }
        })
    });
}

#[test]
fn only_one_form_is_a_record() {
    let cases = [
        ("white space", 1, "\"data\":{", "\"data\": {"),
        ("keys in another order", 1, "\"v\":1,\"seq\":1", "\"seq\":1,\"v\":1"),
        ("an unknown key", 1, "\"v\":1", "\"w\":1,\"v\":1"),
        ("an unknown field", 1, "\"resource\":0", "\"resource\":0,\"x\":1"),
        ("an escape", 1, "src/**", "\\u0073rc/**"),
        ("a leading zero", 1, "T-0", "T-00"),
        ("an unknown kind", 1, "ResourceNamed", "ResourceFound"),
        ("an unknown actor", 1, "\"run\"", "\"ran\""),
        ("another version", 1, "\"v\":1", "\"v\":2"),
        ("another place", 1, "\"seq\":1", "\"seq\":2"),
        ("time goes back", 2, "\"t_us\":20", "\"t_us\":5"),
        ("an unknown lane", 12, "implementer.2", "implementer.9"),
        ("a malformed lane", 5, "implementer.1", "implementer.01"),
    ];
    for (name, line, from, to) in cases {
        let line = if from == "T-0" { 7 } else { line };
        let report = damage(name, |f| edit_line(f, line, from, to));
        assert_eq!(report.damage.unwrap().line, line as u64 + 1, "{name}");
    }
    let report = damage("edited and summed again", |f| edit_line(f, 1, "src/**", "doc/**"));
    assert_eq!(report.damage.unwrap().line, 3, "the next line names another predecessor");
}

#[test]
fn segments_are_all_there_and_closed() {
    let rename = |f: &Folder, from: u32, to: &str| {
        fs::rename(f.segment(from), f.path().join("journal").join(to)).unwrap();
    };
    damage("the first is missing", |f| fs::remove_file(f.segment(0)).unwrap());
    damage("one is misnamed", |f| rename(f, 1, "1-1.jsonl"));
    damage("one is missing between", |f| rename(f, 1, "000001-000002.jsonl"));
    damage("the first is of a later opening", |f| rename(f, 0, "000002-000000.jsonl"));
    damage("the same place twice", |f| {
        assert!(fs::copy(f.segment(0), f.path().join("journal/000002-000000.jsonl")).is_ok())
    });
    damage("not closed", |f| rewrite(f, 0, |lines| drop(lines.pop())));
    damage("none at all", |f| [0, 1].iter().for_each(|n| fs::remove_file(f.segment(*n)).unwrap()));
    damage("nothing in it", |f| {
        fs::remove_file(f.segment(1)).unwrap();
        fs::write(f.segment(0), "").unwrap();
    });
    damage("a folder for a segment", |f| {
        fs::remove_file(f.segment(1)).unwrap();
        fs::create_dir(f.segment(1)).unwrap();
    });
}

#[test]
fn counts_of_a_closed_segment_are_right_and_nothing_follows_in_it() {
    use baton_record::Event;
    use baton_record::event::SegmentClosed;
    for closed in [SegmentClosed { segment: 0, records: 3 }, SegmentClosed { segment: 1, records: 1 }] {
        let mut folder = story::good();
        *folder.event("SegmentClosed", 0) = Event::SegmentClosed(closed);
        folder.write();
        judge("wrong counts", &folder, &["LOG-1"]);
    }
    let folder = story::good();
    folder.write();
    let both = [fs::read(folder.segment(0)).unwrap(), fs::read(folder.segment(1)).unwrap()].concat();
    fs::write(folder.segment(0), both).unwrap();
    fs::remove_file(folder.segment(1)).unwrap();
    judge("it goes on after closing", &folder, &["LOG-1"]);
}

#[test]
fn a_run_starts_once_and_first() {
    for forge in [
        |f: &mut Folder| f.remove("RunStarted", 0),
        |f: &mut Folder| f.insert_after("TaskAdded", 0, f.records[0].clone()),
    ] {
        let mut folder = story::good();
        forge(&mut folder);
        folder.write();
        judge("start", &folder, &["LOG-1"]);
    }
}

//! Files that nobody wrote in good faith: refused with a place, in bounded time and memory.

use baton_scenarios::file::{BYTES_MAX, Faults, check, read};
use std::time::Instant;

fn refused(bytes: &[u8]) -> Faults {
    let faults = read("hostile.yaml", bytes).expect_err("a hostile file was read");
    assert!(faults.list.len() <= 100 && faults.errors > 0);
    assert_eq!(faults.list.len() + faults.more, faults.errors + faults.warnings);
    for color in [false, true] {
        let drawn = faults.render(color);
        assert!(drawn.len() < 200_000, "{} bytes are drawn", drawn.len());
        assert!(color || !drawn.contains(|c: char| c.is_control() && c != '\n'), "{drawn:?}");
    }
    assert!(faults.to_json().len() < 200_000);
    faults
}

/// The first fault, as `code line:column`.
fn first(bytes: &[u8]) -> String {
    let fault = &refused(bytes).list[0];
    format!("{} {}:{}", fault.code, fault.line, fault.column)
}

#[test]
fn what_is_no_text_is_refused_at_its_first_wrong_byte() {
    for (bytes, expected) in [
        (&b""[..], "E0002 1:1"),
        (b"\n\n", "E0002 1:1"),
        (b"# only a comment", "E0002 1:1"),
        (b"---\n", "E0002 2:1"),
        (b"\xef\xbb\xbf", "E0002 1:1"),
        (b"{}", "E0002 1:1"),
        (b"[]", "E0104 1:1"),
        (b"hello", "E0104 1:1"),
        (b"baton: 1\nname: caf\xe9", "E0003 2:10"),
        (b"\xff\xfeb\0a\0", "E0003 1:1"),
        (b"\x7fELF\x02\x01\x01\0", "E0004 1:1"),
        (b"baton: 1\nname: a\0b", "E0004 2:8"),
        (b"baton: 1\rname: a", "E0004 1:9"),
        ("baton: 1\nname: é\u{1b}[31m".as_bytes(), "E0004 2:8"),
        ("baton: 1\nname: a\u{202e}b".as_bytes(), "E0004 2:8"),
        ("baton: 1\nname: a\u{85}b".as_bytes(), "E0004 2:8"),
        ("baton: 1\n\u{feff}name: a".as_bytes(), "E0004 2:1"),
        (b"%PDF-1.7\n", "E0005 1:9"),
        (b"\x89PNG\r\n", "E0003 1:1"),
    ] {
        assert_eq!(first(bytes), expected, "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn a_file_that_is_too_large_is_not_looked_at() {
    let huge = vec![b'a'; 100_000_000];
    let faults = refused(&huge);
    assert_eq!((faults.list[0].code, faults.list.len()), ("E0001", 1));
    assert!(faults.source().len() <= 4_096);
    let mut exact = b"baton: 2 #".to_vec();
    exact.resize(BYTES_MAX, b'x');
    assert_eq!(first(&exact), "E0101 1:8");
    exact.push(b'x');
    assert_eq!(first(&exact), "E0001 1:1");
}

#[test]
fn unicode_and_line_breaks_do_not_shift_places() {
    for (text, expected) in [
        ("\u{feff}baton: 1\nsead: 7", "E0102 1:1"),
        ("\u{feff}sead: 7", "E0101 1:1"),
        ("baton: 1 # ünïcödé 😀\r\nname: \"😀\" # é\r\n", "E0113 2:7"),
        ("baton: 1\nname: a\n\"😀é\": 1", "E0103 3:1"),
        ("{ \"😀é\": 1, baton: 2 }", "E0101 1:12"),
    ] {
        let faults = refused(text.as_bytes());
        let told: Vec<_> = faults.list.iter().map(|f| format!("{} {}:{}", f.code, f.line, f.column)).collect();
        assert!(told.contains(&expected.to_owned()), "{text:?}: {told:?}");
    }
}

#[test]
fn nesting_ends_early_without_a_stack_overflow() {
    for (opening, expected) in
        [("[", "E0006"), ("{a: ", "E0006"), ("[{a: ", "E0006"), ("- ", "E0006"), ("? ", "E0006"), ("[[{? ", "E0006")]
    {
        assert_eq!(&first(opening.repeat(100_000).as_bytes())[..5], expected, "{opening:?}");
        assert_eq!(&first(format!("baton: 1\nx: {}", opening.repeat(100_000)).as_bytes())[..4], "E000", "{opening:?}");
    }
    let indented: String = (0..1_400).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert_eq!(first(indented.as_bytes()), "E0006 65:65");
    let good = "[".repeat(60) + &"]".repeat(60);
    assert_eq!(first(format!("baton: 1\nx: {good}").as_bytes()), "E0102 1:1");
}

#[test]
fn an_alias_bomb_costs_nothing() {
    let mut bomb = "baton: 1\na0: &a0 [ x, x, x, x, x, x, x, x, x, x ]\n".to_owned();
    for level in 1..50 {
        let items = format!("*a{}, ", level - 1).repeat(10);
        bomb += &format!("a{level}: &a{level} [ {items} ]\n");
    }
    let faults = refused(bomb.as_bytes());
    assert!(faults.list.iter().filter(|fault| fault.code == "E0010").count() > 60);
    assert!(faults.list.len() == 100 && faults.more > 400);
}

#[test]
fn beyond_a_hundred_faults_the_rest_is_counted_and_the_first_are_told() {
    let many: String = (0..5_000).map(|at| format!("key{at}: 1\n")).collect();
    let faults = refused(format!("{many}baton: 1\n{many}").as_bytes());
    assert_eq!(faults.list.len(), 100);
    assert!(faults.list.is_sorted_by_key(|fault| (fault.line, fault.column)));
    assert_eq!((faults.list[0].line, faults.list[99].line), (1, 95));
    assert!(faults.render(false).ends_with(&format!("\n… and {} more\n", faults.more)));
    assert!(faults.to_json().ends_with(&format!(",\"more\":{}}}", faults.more)));
    assert_eq!(faults.errors, 5_000 + 5_000 + 6);
}

#[test]
fn lists_are_not_longer_than_their_numbers() {
    let good = include_str!("files/good/eight-writers.yaml");
    let (before, behind) = good.split_once("faults:\n").unwrap();
    let (_, behind) = behind.split_once("expect:").unwrap();
    let with = |faults: usize| format!("{before}faults: [{}]\nexpect:{behind}", "{push: main},".repeat(faults));
    assert_eq!(read("many.yaml", with(65_535).as_bytes()).map(|scenario| scenario.faults.len()).ok(), Some(65_535));
    assert_eq!(&first(with(65_536).as_bytes())[..5], "E0126");
    assert_eq!(&first(with(70_000).as_bytes())[..5], "E0007");
}

#[test]
fn long_lines_and_far_places_are_drawn_small_and_with_the_columns_of_the_file() {
    let long = format!("{{ baton: 1, {}sead: 7, world: mars }}", "world: sim, ".repeat(80_000));
    let faults = refused(long.as_bytes());
    assert_eq!((faults.list[99].code, faults.list[99].line), ("E0011", 1));
    let drawn = faults.render(false);
    assert!(drawn.lines().all(|line| line.chars().count() < 250), "{drawn}");
    let far = format!("seed: 7\nbaton: 1\n{}seed: 8\n", "\n".repeat(5_000));
    let drawn = refused(far.as_bytes()).render(false);
    assert!(drawn.contains("hostile.yaml:5003:1\n") && drawn.contains("hostile.yaml:1:1\n"), "{drawn}");
    let wide = format!("baton: 1\nname: \"{}\u{1F600}\"\n", "w".repeat(900_000));
    let drawn = refused(wide.as_bytes()).render(false);
    assert!(drawn.len() < 4_000 && drawn.contains("hostile.yaml:2:7\n"), "{drawn}");
    let end = format!("baton: 1\nname: a # {}\nstop: {{ after: {}1s", "x".repeat(400_000), " ".repeat(400_000));
    assert!(refused(end.as_bytes()).render(false).len() < 4_000);
}

#[test]
fn values_with_escapes_do_not_reach_the_terminal() {
    let text = "baton: 1\nname: \"\\e[31m\\u202e\\n\"\n\"\\e[2Jx\": 1\nworkspace: { fixture: \"\\0\" }\n\
                leases: [ { resource: \"a\\\\\\e\\\\b\", ttl: \"8\\x1b\" } ]\nstop: { after: \"1\\e\" }\n";
    let faults = refused(text.as_bytes());
    assert!(faults.list.len() > 5);
    let dirty = |text: &str| text.chars().any(|c| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c));
    for fault in &faults.list {
        assert!(!dirty(&fault.message) && !dirty(fault.help.as_deref().unwrap_or_default()), "{fault:?}");
    }
}

#[test]
fn a_good_file_may_have_a_byte_order_mark_and_any_line_break() {
    let text = include_str!("files/good/eight-writers.yaml");
    let scenario = read("a.yaml", text.as_bytes()).unwrap();
    let windows = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    assert_eq!(read("a.yaml", windows.as_bytes()).unwrap(), scenario);
    assert_eq!(read("a.yaml", format!("---\n{text}...\n").as_bytes()).unwrap(), scenario);
    assert_eq!(check("a.yaml", text.as_bytes()).faults.warnings, 0);
}

/// Each of these takes less than half a second where nothing else runs; the bound leaves room for slow machines.
#[test]
#[expect(clippy::disallowed_methods, reason = "the claim is about real time")]
fn a_mebibyte_of_anything_is_judged_in_bounded_time() {
    let base = "baton: 1\nname: a\nworkspace: { fixture: notes }\nroles: { r: { lanes: 2, model: m } }\n\
                models: { m: { latency: { median: 1s, p99: 2s } } }\n";
    let distinct = |form: &dyn Fn(usize) -> String| {
        let mut out = base.to_owned();
        (0..)
            .map(form)
            .take_while(|line| {
                out.push_str(line);
                out.len() < BYTES_MAX - 200
            })
            .count();
        out
    };
    let mut files: Vec<String> = [
        "a",
        "[",
        "{",
        "- ",
        "? ",
        ": ",
        "\"",
        "'",
        "|\n",
        ">\n",
        "&a ",
        "*a ",
        "!a ",
        "#\n",
        "\n",
        "---\n",
        "...\n",
        "a: b\n",
        "- a\n",
        "a:\n",
        "a, ",
        "[a, ",
        "{a: b, ",
        "é",
        "😀: ",
        "%a\n",
        "\t",
        "  ",
        "a: [\n",
        "- - a\n",
        "[],",
        "{},",
        "? a\n",
        "a\n\n",
        "\\",
        "\"a\" ",
        "[a]: b\n",
        "- {a: b}\n",
        "a: |\n b\n",
        "@",
        "`",
        "<<: a\n",
    ]
    .iter()
    .map(|part| part.repeat((BYTES_MAX - 1_000) / part.len()))
    .collect();
    files.extend(files.clone().iter().map(|file| format!("baton: 1\nexpect: [ {} ]", &file)));
    files.extend(files[..42].iter().map(|file| format!("{base}tasks:\n  - {file}")).collect::<Vec<_>>());
    files.push(distinct(&|at| format!("k{at}: 1\n")));
    files.push(distinct(&|at| if at == 0 { "models:\n".into() } else { format!("  m{at}: {{ latency: x }}\n") }));
    files.push(distinct(&|at| if at == 0 { "faults:\n".into() } else { format!("  - {{ kill: r{at}.9 }}\n") }));
    files.push(distinct(&|at| if at == 0 { "expect:\n".into() } else { format!("  - tasks.lan{at} == 7\n") }));
    files.push(distinct(&|at| match at {
        0 => "leases:\n".into(),
        12_000 => "tasks:\n".into(),
        _ if at < 12_000 => format!("  - {{ resource: a{at}/**, ttl: 1s }}\n"),
        _ => format!("  - {{ count: 1, by: r, touches: b{at}/**, do: {{ create: token }} }}\n"),
    }));
    files.push(format!("{base}k: 1, {}", "k: 1, ".repeat(170_000)));
    files.push(format!("{{ {}baton: 1 }}", (0..90_000).map(|at| format!("k{at}: 1, ")).collect::<String>()));
    for file in &files {
        let begun = Instant::now();
        let checked = check("long.yaml", file.as_bytes());
        let drawn = checked.faults.render(false);
        let took = begun.elapsed();
        let start: String = file.chars().take(200).collect();
        assert!(drawn.len() < 200_000, "{} bytes for {start:?}", drawn.len());
        assert!(took.as_secs() < 5, "{took:?} for {start:?}");
    }
}

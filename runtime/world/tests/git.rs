//! One repository: objects, packs, refs, fences and copies, judged by git itself.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "git/support.rs"]
mod support;

use baton_record::event::Verdict;
use baton_record::{Fence, Oid};
use baton_world::git::{
    Durability, Edit, EntryMode, Fences, FileMode, GitErrorKind, Merged, ObjectFormat, Proposal, RefMoved, Repository,
};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use support::{Draw, check_sound, commit, git, git_says, loose, meta, packs, put, put_as, remove};
use tempfile::TempDir;

fn fixture(durability: Durability) -> (TempDir, Repository, Oid) {
    let directory = tempfile::tempdir().unwrap();
    let repository = Repository::init(&directory.path().join("run.git"), ObjectFormat::Sha1, durability).unwrap();
    let files: Vec<Edit> = (0..10).map(|number| put(&format!("notes/{number}.md"), "first\n")).collect();
    let first = repository.begin(&files, &meta(0)).unwrap();
    (directory, repository, first)
}

/// Merges, stores and lands; gives main's new commit.
fn land(repository: &Repository, proposal: &Proposal, number: usize) -> (Oid, Verdict) {
    let main = repository.main().unwrap().unwrap();
    let Merged::Clean(merged) = repository.merge(main, proposal).unwrap() else { panic!("change {number} conflicts") };
    let landing = repository.land_commit(main, proposal, &merged, &meta(number));
    repository.land(main, &landing, repository.fences_ref().unwrap()).unwrap().unwrap();
    (landing.commit, merged.verdict)
}

fn land_edits(repository: &Repository, base: Oid, edits: &[Edit], number: usize) -> Oid {
    land(repository, &repository.propose(base, edits, &meta(number)).unwrap(), number).0
}

#[test]
fn what_lands_is_there_for_everyone_in_both_formats_and_durabilities() {
    for format in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
        for durability in [Durability::Buffered, Durability::Durable] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("run.git");
            let repository = Repository::init(&path, format, durability).unwrap();
            assert_eq!((repository.main().unwrap(), repository.fences_ref().unwrap()), (None, None));
            let first = repository.begin(&[put("a", "1\n1\n1\n"), put("d/b", "b\n")], &meta(0)).unwrap();
            let changes = [vec![put("a", "1\n1\n1\n4\n")], vec![put("d/ü", "c\n")], vec![put("a", "0\n1\n1\n1\n")]];
            let proposals = changes.iter().map(|edits| repository.propose(first, edits, &meta(1)).unwrap());
            let proposals: Vec<_> = proposals.collect();
            let landed: Vec<_> = (1..4).map(|number| land(&repository, &proposals[number - 1], number)).collect();
            let verdicts: Vec<_> = landed.iter().map(|(_, verdict)| *verdict).collect();
            assert_eq!(verdicts, [Verdict::Same, Verdict::Walk, Verdict::Git]);
            drop(repository);

            let repository = Repository::open(&path, durability).unwrap();
            let main = repository.main().unwrap().unwrap();
            assert_eq!(git_says(&["rev-parse", "main"], &path), main.to_hex());
            assert_eq!(git_says(&["show", "main:a"], &path), "0\n1\n1\n1\n4");
            let tree = repository.commit(main).unwrap().tree;
            assert_eq!(repository.files(tree, "**").unwrap(), ["a", "d/b", "d/ü"]);
            assert_eq!(&*repository.blob(repository.entry(tree, "d/ü").unwrap().unwrap().oid).unwrap(), b"c\n");
            let since = repository.landed_since(first).unwrap();
            assert!(since.iter().map(|one| one.commit).eq(landed.iter().map(|(commit, _)| *commit)));
            assert_eq!(since[1].trailers, meta(2).trailers);
            assert_eq!(repository.commit(main).unwrap().author, "implementer.3");
            let trailer =
                git_says(&["log", "-1", "--format=%(trailers:key=Baton-Change,valueonly)|%ae|%at", "main"], &path);
            assert_eq!(trailer, "C-3.1\n|implementer.3@baton.invalid|3");
            check_sound(&path, false);
        }
    }
}

#[test]
fn the_same_arguments_give_the_same_names() {
    let made = || {
        let (_directory, repository, first) = fixture(Durability::Buffered);
        land_edits(&repository, first, &[put("notes/1.md", "second\n")], 1)
    };
    assert_eq!(made(), made());
    assert_eq!(made().to_hex(), "742cd656822d747a78a5ef9f8b211823c06153a6");
}

#[test]
fn trees_are_those_that_git_makes_of_the_same_files() {
    let (_directory, repository, first) = fixture(Durability::Buffered);
    let modes = [(FileMode::Regular, "100644"), (FileMode::Executable, "100755"), (FileMode::Symlink, "120000")];
    for seed in 0..20 {
        let mut draw = Draw(seed);
        let (mut edits, mut listing) = (vec![remove("notes/3.md")], String::new());
        let mut names =
            vec!["a", "a-b", "a.b/x", "a0/a/b/c", "a0/a-b", "ä", "A", "a b/\"q\"", "notes/1.md", "notes.d/1"];
        for _ in 0..draw.below(8) {
            let name = names.remove(draw.below(names.len()));
            let (mode, digits) = draw.pick(&modes);
            let content = format!("{name} {}", draw.below(100));
            let blob =
                String::from_utf8(git(&["hash-object", "--stdin"], repository.path(), content.as_bytes()).stdout);
            listing.push_str(&format!("{digits} {}\t{name}\0", blob.unwrap().trim()));
            edits.push(put_as(name, mode, content.as_bytes()));
        }
        let proposal = repository.propose(first, &edits, &meta(1)).unwrap();
        repository.store(&proposal.objects).unwrap();
        let index = format!("--git-dir={} --work-tree=.", repository.path().display());
        let shell = format!(
            "export GIT_INDEX_FILE=index.{seed}; git {index} read-tree {first} && git {index} update-index --force-remove \
             notes/3.md && git {index} update-index -z --add --index-info && git {index} write-tree"
        );
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &shell]).current_dir(repository.path()).stdin(std::process::Stdio::piped());
        let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), listing.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), proposal.tree.to_hex(), "seed {seed}");
    }
}

#[test]
fn edits_replace_files_by_directories_and_back_but_never_have_both() {
    let (_directory, repository, first) = fixture(Durability::Buffered);
    let base = commit(&repository, first, &[put("f", "f"), put("d/x", "x"), put("d/e/y", "y")], 1);
    let files = |edits: &[Edit]| {
        let proposal = repository.propose(base, edits, &meta(2)).map_err(|error| error.kind())?;
        repository.store(&proposal.objects).unwrap();
        let mut files = repository.files(proposal.tree, "**").unwrap();
        files.retain(|path| !path.starts_with("notes/"));
        Ok(files.join(" "))
    };
    for (edits, after) in [
        (vec![], Ok("d/e/y d/x f")),
        (vec![remove("f"), put("f/g", "")], Ok("d/e/y d/x f/g")),
        (vec![put("f/g", ""), remove("f")], Ok("d/e/y d/x f/g")),
        (vec![put("d", ""), remove("d/x"), remove("d/e/y")], Ok("d f")),
        (vec![remove("d/e/y")], Ok("d/x f")),
        (vec![remove("d/e/y"), put("d/e", "")], Ok("d/e d/x f")),
        (vec![remove("f"), put("f", "new")], Ok("d/e/y d/x f")),
        (vec![put("f/g", "")], Err(GitErrorKind::PathClash)),
        (vec![put("d", "")], Err(GitErrorKind::PathClash)),
        (vec![put("n", ""), put("n/m", "")], Err(GitErrorKind::PathClash)),
        (vec![remove("d/x"), put("d", "")], Err(GitErrorKind::PathClash)),
        (vec![remove("none")], Err(GitErrorKind::NoSuchPath)),
        (vec![remove("d")], Err(GitErrorKind::NoSuchPath)),
        (vec![remove("f/g")], Err(GitErrorKind::NoSuchPath)),
        (vec![put("../f", "")], Err(GitErrorKind::BadPath)),
        (vec![put_as(".gitmodules", FileMode::Symlink, b"f")], Err(GitErrorKind::BadPath)),
    ] {
        assert_eq!(files(&edits), after.map(str::to_owned), "{edits:?}");
    }
    let all = repository.files(repository.commit(base).unwrap().tree, "**").unwrap();
    let proposal =
        repository.propose(base, &all.iter().map(|path| remove(path)).collect::<Vec<_>>(), &meta(3)).unwrap();
    assert_eq!(
        (proposal.tree.to_hex().as_str(), proposal.changed.len()),
        ("4b825dc642cb6eb9a060e54bf8d69288fbee4904", 13)
    );
    repository.store(&proposal.objects).unwrap();
    assert!(repository.files(proposal.tree, "**").unwrap().is_empty());
    check_sound(repository.path(), true);
}

#[test]
fn a_proposal_says_what_it_changes_and_only_that() {
    let (_directory, repository, first) = fixture(Durability::Buffered);
    let edits = [
        put("notes/1.md", "first\n"),
        put_as("notes/2.md", FileMode::Executable, b"first\n"),
        remove("notes/3.md"),
        put("n", ""),
    ];
    let proposal = repository.propose(first, &edits, &meta(1)).unwrap();
    let modes = proposal.changed.iter().map(|change| {
        let mode = |entry: Option<baton_world::git::Entry>| entry.map(|entry| entry.mode);
        (change.path.as_str(), mode(change.before), mode(change.after))
    });
    use EntryMode::{Executable, Regular};
    let wanted = [
        ("n", None, Some(Regular)),
        ("notes/2.md", Some(Regular), Some(Executable)),
        ("notes/3.md", Some(Regular), None),
    ];
    assert_eq!(modes.collect::<Vec<_>>(), wanted);
    let nothing = repository.propose(first, &edits[..1], &meta(1)).unwrap();
    assert_eq!((nothing.tree, nothing.changed.len()), (nothing.base_tree, 0));
}

#[test]
fn files_are_listed_below_a_path_and_only_files() {
    let (_directory, repository, first) = fixture(Durability::Buffered);
    let edits = [
        put("notes.md", ""),
        put("notes-b/x", ""),
        put_as("notes/link", FileMode::Symlink, b"1.md"),
        put("a/b/c/d", ""),
    ];
    let base = commit(&repository, first, &edits, 1);
    let tree = repository.commit(base).unwrap().tree;
    let list = |below: &str| repository.files(tree, below).unwrap().join(" ");
    for (below, files) in [
        ("notes.md", "notes.md"),
        ("notes-b/**", "notes-b/x"),
        ("a/**", "a/b/c/d"),
        ("a/b/**", "a/b/c/d"),
        ("a", ""),
        ("none/**", ""),
        ("notes.md/**", ""),
        ("notes/link", ""),
    ] {
        assert_eq!(list(below), files, "{below}");
    }
    let all = repository.files(tree, "**").unwrap();
    assert!(all.is_sorted() && all.len() == 13, "{all:?}");
    // A name that is not UTF-8 is neither listed nor in the way.
    let entry = repository.entry(tree, "notes.md").unwrap().unwrap();
    let listing = [b"100644 blob ", entry.oid.to_hex().as_bytes(), b"\ta\xff\0"].concat();
    let odd = git(&["mktree", "-z"], repository.path(), &listing).stdout;
    let odd = Oid::from_hex(String::from_utf8(odd).unwrap().trim()).unwrap();
    assert!(repository.files(odd, "**").unwrap().is_empty() && repository.tree(odd).unwrap().len() == 1);
}

#[test]
fn an_object_that_is_not_there_is_named_and_one_that_comes_later_is_found() {
    let (_directory, repository, first) = fixture(Durability::Buffered);
    let blob = git(&["hash-object", "--stdin"], repository.path(), b"later").stdout;
    let blob = Oid::from_hex(String::from_utf8(blob).unwrap().trim()).unwrap();
    let error = repository.blob(blob).unwrap_err();
    assert!(error.kind() == GitErrorKind::MissingObject && error.to_string().contains(&blob.to_hex()), "{error}");
    git(&["hash-object", "-w", "--stdin"], repository.path(), b"later");
    assert_eq!(&*repository.blob(blob).unwrap(), b"later");
    assert_eq!(repository.tree(first).unwrap_err().kind(), GitErrorKind::Damaged);
    let other_format = Oid::from_bytes(&[1; 32]).unwrap();
    assert_eq!(repository.blob(other_format).unwrap_err().kind(), GitErrorKind::MissingObject);
    // Main never moves to what is not stored.
    let proposal = repository.propose(first, &[put("n", "")], &meta(1)).unwrap();
    assert_eq!(repository.move_main(first, proposal.commit, None).unwrap_err().kind(), GitErrorKind::MissingObject);
    assert_eq!(repository.main().unwrap(), Some(first));
}

#[test]
fn main_moves_from_what_was_expected_under_the_fences_that_were_known_or_not_at_all() {
    for packed in [false, true] {
        let (_directory, repository, first) = fixture(Durability::Buffered);
        let (one, two) =
            (commit(&repository, first, &[put("1", "")], 1), commit(&repository, first, &[put("2", "")], 2));
        let mut fences = Fences::default();
        fences.raise("notes/**", Fence(1)).unwrap();
        let raised = repository.raise_fence(None, &fences).unwrap().unwrap();
        assert_eq!(git_says(&["cat-file", "-p", "refs/baton/fences"], repository.path()), "baton-fences 1\n1 notes/**");
        if packed {
            git_says(&["pack-refs", "--all", "--prune"], repository.path());
            assert!(!repository.path().join("refs/heads/main").exists());
        }
        assert_eq!((repository.main().unwrap(), repository.fences_ref().unwrap()), (Some(first), Some(raised)));
        let refused = |expected, new, fences| repository.move_main(expected, new, fences).unwrap().unwrap_err();
        let main = |expected, found| RefMoved { reference: "refs/heads/main", expected, found };
        let fence = |expected, found| RefMoved { reference: "refs/baton/fences", expected, found };
        assert_eq!(refused(one, two, Some(raised)), main(Some(one), Some(first)));
        assert_eq!(refused(first, one, None), fence(None, Some(raised)));
        assert_eq!(refused(first, one, Some(first)), fence(Some(first), Some(raised)));
        assert_eq!(repository.raise_fence(None, &fences).unwrap().unwrap_err(), fence(None, Some(raised)));
        assert_eq!((repository.main().unwrap(), repository.fences_ref().unwrap()), (Some(first), Some(raised)));
        repository.move_main(first, one, Some(raised)).unwrap().unwrap();
        assert_eq!(refused(first, two, Some(raised)), main(Some(first), Some(one)));
        assert_eq!(repository.raise_fence(Some(raised), &fences).unwrap().unwrap(), raised);
        assert_eq!(repository.fences().unwrap(), fences);
        repository.set_main_without_compare(two).unwrap();
        assert_eq!(git_says(&["rev-parse", "main"], repository.path()), two.to_hex());
        let locks = git_says(&["for-each-ref", "--format=%(refname)"], repository.path());
        assert_eq!(locks, "refs/baton/fences\nrefs/heads/main");
        assert!(!repository.path().join("refs/heads/main.lock").exists());
        check_sound(repository.path(), true);
    }
}

#[test]
fn a_ref_that_another_process_locks_is_waited_for_and_then_named() {
    let (_directory, repository, first) = fixture(Durability::Buffered);
    let next = commit(&repository, first, &[put("1", "")], 1);
    let lock = repository.path().join("refs/baton/fences.lock");
    fs::write(&lock, "").unwrap();
    let error = repository.move_main(first, next, None).unwrap_err();
    assert!(error.kind() == GitErrorKind::Locked && error.to_string().contains("fences.lock"), "{error}");
    assert_eq!(repository.main().unwrap(), Some(first));
    std::thread::scope(|threads| {
        let moved = threads.spawn(|| repository.move_main(first, next, None).unwrap());
        fs::remove_file(&lock).unwrap();
        moved.join().unwrap().unwrap();
    });
    // Git's own transactions respect ours, and ours theirs.
    git_says(&["update-ref", "refs/heads/main", &first.to_hex(), &next.to_hex()], repository.path());
    assert!(repository.move_main(next, first, None).unwrap().is_err());
}

#[test]
fn one_blob_of_fences_is_kept() {
    let (_directory, repository, _) = fixture(Durability::Buffered);
    let (mut fences, mut at) = (Fences::default(), None);
    for fence in 1..=100 {
        fences.raise(&format!("notes/{}.md", fence % 7), Fence(fence)).unwrap();
        at = Some(repository.raise_fence(at, &fences).unwrap().unwrap());
        assert_eq!(repository.fences().unwrap(), fences);
    }
    assert_eq!((repository.fences_ref().unwrap(), loose(repository.path())), (at, 1));
    assert_eq!(fences.iter().map(|(_, fence)| fence.0).max(), Some(100));
    check_sound(repository.path(), false);
}

#[test]
fn what_a_killed_owner_left_behind_is_gone_when_the_repository_is_opened() {
    let (_directory, repository, first) = fixture(Durability::Buffered);
    let path = repository.path().to_owned();
    let next = commit(&repository, first, &[put("1", "")], 1);
    drop(repository);
    let pack = path.join("objects/pack");
    let orphan = pack.join(format!("pack-{}.pack", "ab".repeat(20)));
    let left = [
        path.join("refs/heads/main.lock"),
        path.join("refs/baton/fences.lock"),
        path.join("objects/tmp_baton_fences"),
        pack.join("tmp_baton_x.idx"),
        path.join("baton-quarantine/0/pack"),
        orphan,
    ];
    for file in &left {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "left").unwrap();
    }
    let kept = pack.join(format!("pack-{}.keep", "cd".repeat(20)));
    fs::write(&kept, "").unwrap();
    fs::write(kept.with_extension("pack"), "of another program").unwrap();
    let repository = Repository::open(&path, Durability::Buffered).unwrap();
    assert!(left.iter().all(|file| !file.exists()) && !path.join("baton-quarantine").exists());
    assert!(kept.exists() && kept.with_extension("pack").exists());
    repository.move_main(first, next, None).unwrap().unwrap();
}

#[test]
fn many_landings_make_few_packs_while_git_reads_all_the_time() {
    let (_directory, repository, first) = fixture(Durability::Buffered);
    let path = repository.path().to_owned();
    let over = AtomicBool::new(false);
    let reads = std::thread::scope(|threads| {
        let reader = threads.spawn(|| {
            let mut reads = 0;
            while !over.load(Ordering::Relaxed) || reads == 0 {
                git_says(&["log", "--format=%H %T", "--stat", "main"], &path);
                git_says(&["rev-list", "--objects", "main"], &path);
                reads += 1;
            }
            reads
        });
        let mut base = first;
        for number in 1..=1_200 {
            base = land_edits(
                &repository,
                base,
                &[put(&format!("notes/{}.md", number % 10), &format!("{number}\n"))],
                number,
            );
        }
        over.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    });
    assert!(reads > 0 && packs(&path) < 200, "{} packs", packs(&path));
    repository.sync().unwrap();
    assert_eq!(packs(&path), 1);
    assert_eq!(repository.landed_since(first).unwrap().len(), 1_200);
    drop(repository);
    let repository = Repository::open(&path, Durability::Durable).unwrap();
    assert_eq!(repository.landed_since(first).unwrap().len(), 1_200);
    check_sound(&path, false);
}

#[test]
fn replaced_packs_stay_a_while_for_those_who_read_them() {
    let (_directory, repository, mut base) = fixture(Durability::Durable);
    let path = repository.path().to_owned();
    let mut land = |numbers: std::ops::Range<usize>| {
        for number in numbers {
            base = land_edits(&repository, base, &[put("notes/1.md", &format!("{number}\n"))], number);
        }
    };
    land(1..31);
    assert_eq!(packs(&path), 31);
    land(31..34);
    assert_eq!(packs(&path), 35, "all that were there, and the one that replaces most of them");
    repository.sync().unwrap();
    assert_eq!(packs(&path), 1);
    check_sound(&path, false);
}

#[test]
fn packs_of_an_earlier_owner_are_merged_and_those_of_others_left_alone() {
    let (_directory, repository, first) = fixture(Durability::Buffered);
    let path = repository.path().to_owned();
    drop(repository);
    // Each turn a new owner lands, and then git makes a pack with deltas, as a push brings it: once with a reverse
    // index beside it, once without.
    for (turn, reverse) in ["true", "false", "false"].into_iter().enumerate() {
        let repository = Repository::open(&path, Durability::Buffered).unwrap();
        for number in turn * 35..(turn + 1) * 35 {
            let base = repository.main().unwrap().unwrap();
            land_edits(&repository, base, &[put("notes/1.md", &format!("{number}\n").repeat(50))], number);
        }
        if turn == 2 {
            repository.sync().unwrap();
        }
        assert_eq!(repository.landed_since(first).unwrap().len(), (turn + 1) * 35);
        drop(repository);
        if turn < 2 {
            git_says(&["config", "pack.writeReverseIndex", reverse], &path);
            git_says(&["repack", "-a", "-q", "-f"], &path);
        }
    }
    assert_eq!(packs(&path), 3, "two of git, one of ours");
    check_sound(&path, false);
}

#[test]
fn storing_the_same_objects_again_changes_nothing() {
    let (_directory, repository, first) = fixture(Durability::Durable);
    let proposal = repository.propose(first, &[put("n", "n")], &meta(1)).unwrap();
    for _ in 0..50 {
        repository.store(&proposal.objects).unwrap();
    }
    assert_eq!(packs(repository.path()), 2);
    repository.store(&Default::default()).unwrap();
    assert_eq!(packs(repository.path()), 2);
}

#[test]
fn lanes_propose_in_their_own_threads_while_changes_land() {
    let (_directory, repository, first) = fixture(Durability::Buffered);
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::scope(|threads| {
        for lane in 0..4 {
            let (send, repository) = (send.clone(), &repository);
            threads.spawn(move || {
                for number in 0..40 {
                    let base = repository.main().unwrap().unwrap();
                    let edit = put(&format!("lane/{lane}/{number}.md"), "done\n");
                    send.send(repository.propose(base, &[edit], &meta(number)).unwrap()).unwrap();
                }
            });
        }
        drop(send);
        for (number, proposal) in receive.iter().enumerate() {
            land(&repository, &proposal, number);
        }
    });
    let tree = repository.commit(repository.main().unwrap().unwrap()).unwrap().tree;
    assert_eq!(repository.files(tree, "lane/**").unwrap().len(), 160);
    assert_eq!(repository.landed_since(first).unwrap().len(), 160);
    assert_eq!(repository.landed_since(tree).unwrap_err().kind(), GitErrorKind::UnknownBase);
    check_sound(repository.path(), false);
}

#[test]
fn a_second_repository_at_one_place_is_refused() {
    let (directory, repository, _) = fixture(Durability::Buffered);
    let init =
        |path: &Path| Repository::init(path, ObjectFormat::Sha1, Durability::Durable).map_err(|error| error.kind());
    assert_eq!(init(repository.path()).unwrap_err(), GitErrorKind::Exists);
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    assert_eq!(init(&file).unwrap_err(), GitErrorKind::Exists);
    let empty = directory.path().join("empty/deeper");
    fs::create_dir_all(&empty).unwrap();
    assert!(init(&empty).unwrap().main().unwrap().is_none());
    assert_eq!(repository.begin(&[], &meta(1)).unwrap_err().kind(), GitErrorKind::Exists);
    let open = |path: &Path| Repository::open(path, Durability::Buffered).unwrap_err().kind();
    assert_eq!(open(directory.path()), GitErrorKind::NotARepository);
    assert_eq!(open(&directory.path().join("none")), GitErrorKind::NotARepository);
}

#[test]
fn what_a_landing_moves_is_told_path_by_path_before_it_stands_and_after() {
    let (_directory, repository, first) = fixture(Durability::Buffered);
    let edits = [
        put("notes/1.md", "other\n"),
        remove("notes/2.md"),
        put("new/deep/er.md", "new\n"),
        put("notes/3.md/x", "clash\n"),
    ];
    let edits: Vec<Edit> = edits.into_iter().chain([remove("notes/3.md")]).collect();
    let proposal = repository.propose(first, &edits, &meta(1)).unwrap();
    let Merged::Clean(merged) = repository.merge(first, &proposal).unwrap() else { panic!("it conflicts") };
    let landing = repository.land_commit(first, &proposal, &merged, &meta(1));
    let before = repository.commit(first).unwrap().tree;
    let moved = repository.moved_by(before, &landing).unwrap();
    assert_eq!(moved, proposal.changed, "onto its own base a change moves what it does");
    let told: Vec<(&str, bool, bool)> =
        moved.iter().map(|one| (one.path.as_str(), one.before.is_some(), one.after.is_some())).collect();
    let expected = [
        ("new/deep/er.md", false, true),
        ("notes/1.md", true, true),
        ("notes/2.md", true, false),
        ("notes/3.md", true, false),
        ("notes/3.md/x", false, true),
    ];
    assert_eq!(told, expected);
    let content = repository.content_with(&landing, moved[0].after.unwrap().oid).unwrap();
    assert_eq!(&*content, b"new\n");
    let (commit, _) = land(&repository, &proposal, 1);
    let after = repository.commit(commit).unwrap().tree;
    assert_eq!(repository.moved_between(before, after).unwrap(), moved);
    assert_eq!(repository.moved_between(after, after).unwrap(), []);
}

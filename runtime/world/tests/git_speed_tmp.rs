#![allow(clippy::all, clippy::disallowed_methods, clippy::unwrap_used, missing_docs)]
use baton_world::git::*;
use std::time::Instant;
fn meta(n: i64) -> CommitMeta {
    let t = ["Baton-Change","Baton-Task","Baton-Lane","Baton-Model","Baton-Run"].map(|k| (k.to_string(), format!("v{n}")));
    CommitMeta { author: "implementer.3".into(), email: "i@baton.invalid".into(), time_s: n, subject: format!("change {n}"), trailers: t.to_vec() }
}
#[test]
fn speed() {
    let dir = tempfile::Builder::new().tempdir_in(std::env::var("SPEED_DIR").unwrap_or("/tmp".into())).unwrap();
    for dur in [Durability::Buffered, Durability::Durable] {
    let n: i64 = if dur == Durability::Buffered { std::env::var("SPEED_N").ok().and_then(|n| n.parse().ok()).unwrap_or(5000) } else { 300 };
    let path = dir.path().join(format!("{dur:?}.git"));
    let repo = Repository::init(&path, ObjectFormat::Sha1, dur).unwrap();
    let files: Vec<Edit> = (0..40).map(|i| Edit::Put { path: format!("notes/{i}.md"), mode: FileMode::Regular, content: format!("line\n").repeat(40).into_bytes() }).collect();
    let first = repo.begin(&files, &meta(0)).unwrap();
    let mut main = first; let mut prev = first; let mut sums = [0f64; 5]; let mut walks = 0;
    let mut fences = Fences::default(); let mut fref = None; let mut fsum = 0.;
    let mut chunk = Instant::now();
    for i in 1..=n {
        let t = Instant::now();
        let file = i % 40; 
        let p = repo.propose(prev, &[Edit::Put { path: format!("notes/{file}.md"), mode: FileMode::Regular, content: format!("line {i}\n").repeat(40).into_bytes() }], &meta(i)).unwrap();
        let t1 = Instant::now();
        let Merged::Clean(m) = repo.merge(main, &p).unwrap() else { panic!() };
        if m.verdict == baton_record::event::Verdict::Walk { walks += 1 }
        let t2 = Instant::now();
        let l = repo.land_commit(main, &p, &m, &meta(i));
        let t3 = Instant::now();
        repo.store(&l.objects).unwrap();
        let t4 = Instant::now();
        repo.move_main(main, l.commit, fref).unwrap().unwrap();
        let t5 = Instant::now();
        for (s, d) in sums.iter_mut().zip([t1-t, t2-t1, t3-t2, t4-t3, t5-t4]) { *s += d.as_secs_f64()*1e6 }
        prev = main; main = l.commit;
        if i % 4 == 0 { let t = Instant::now(); fences.raise(&format!("notes/{file}.md"), baton_record::Fence(i as u64)).unwrap(); fref = Some(repo.raise_fence(fref, &fences).unwrap().unwrap()); fsum += t.elapsed().as_secs_f64()*1e6; }
        if i % (n/5) == 0 { println!("{dur:?} at {i}: {:.0} us each", chunk.elapsed().as_secs_f64()*1e6/(n as f64/5.)); chunk = Instant::now(); }
    }
    println!("{dur:?} propose merge land store move: {:?} total {:.0} us, walks {walks}, fence {:.0} us", sums.map(|s| (s / n as f64).round()), sums.iter().sum::<f64>()/n as f64, fsum/(n as f64/4.));
    let packs = std::fs::read_dir(path.join("objects/pack")).unwrap().count()/2;
    let t = Instant::now(); repo.sync().unwrap(); println!("packs {packs} sync {:?} then {}", t.elapsed(), std::fs::read_dir(path.join("objects/pack")).unwrap().count()/2);
    let o = std::process::Command::new("git").arg("--git-dir").arg(&path).args(["fsck","--full","--strict"]).output().unwrap();
    println!("fsck {:?} {}{}", o.status, String::from_utf8_lossy(&o.stdout), String::from_utf8_lossy(&o.stderr));
    }
}

//! How long a person waits until the branches of some agents have landed, beside the loop that anybody would write, and
//! beside a queue that others have written.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench prints its figures and waits for processes"
)]

mod measure;

use baton_world::Stopwatch;
use measure::{heading, quantile};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const ABOUT: &str = "\
Each round makes a repository of thirty files with a worktree and a branch for each agent, every branch with one new file,
and a bare repository as its remote. *baton*: one `baton land` of all branches onto the local main. *flock loop*: one process
for each branch, all started at once, each `flock LOCK sh -c 'git fetch && git rebase origin/main && GATE && git push origin
HEAD:main'`. *mergetrain*: version 3.7.1 of the Python package, if the program is there: `enqueue` for each branch, then
`deploy`, told yes, up to three times while something is left. Runs of the gate are counted by the gate itself, landed branches on main afterwards. Contestants take
turns.";

const ROUNDS: usize = 3;
const SLOW: &str = "sleep 2";
const PAIR: &str = "test ! -e new3.txt || test ! -e new7.txt";

fn main() {
    heading("Landing branches", "cargo bench --bench landing", ABOUT);
    println!(
        "| what | contestant | s p50 (range) | gate runs | landed | rounds | target |\n|---|---|---|---|---|---|---|"
    );
    let train = std::env::var("MERGETRAIN").unwrap_or_else(|_| "mergetrain".to_owned());
    let has_train = Command::new(&train).arg("--version").output().is_ok_and(|said| said.status.success());
    let contestants: &[(&str, Land)] = &[("baton", baton), ("flock loop", flock), ("mergetrain", mergetrain)];
    let contestants = &contestants[..if has_train { 3 } else { 2 }];
    compete("five branches, a gate of 2 s", (5, SLOW), ROUNDS, contestants, "≤ 2.4 s, 1 gate run");
    compete("forty branches, a pair red together", (40, PAIR), 1, contestants, "≤ 9 gate runs, 39 landed");
    if !has_train {
        println!("\nmergetrain was not there.");
    }
    println!("\n| what | ms p50 | ms p99 | times | target |\n|---|---|---|---|---|");
    enqueue();
}

/// Lands all branches of a site with a gate.
type Land = fn(&Site, &str);

fn compete(what: &str, (branches, gate): (usize, &str), rounds: usize, contestants: &[(&str, Land)], target: &str) {
    let mut done = vec![Vec::new(); contestants.len()];
    for _ in 0..rounds {
        for ((_, land), done) in contestants.iter().zip(&mut done) {
            let site = Site::new(branches);
            let gate = format!("echo run >> {}; {gate}", site.runs().display());
            let watch = Stopwatch::start();
            land(&site, &gate);
            done.push((watch.seconds(), site.gate_runs(), site.landed()));
        }
    }
    for ((name, _), done) in contestants.iter().zip(done) {
        let seconds: Vec<f64> = done.iter().map(|(seconds, ..)| *seconds).collect();
        let (low, median, high) = (quantile(&seconds, 0.0), quantile(&seconds, 0.5), quantile(&seconds, 1.0));
        let (_, runs, landed) = done[0];
        assert!(done.iter().all(|(_, other, _)| *other == runs || rounds > 1), "one round is one figure");
        let target = if *name == "baton" { target } else { "" };
        println!(
            "| {what} | {name} | {median:.2} ({low:.2} to {high:.2}) | {runs} | {landed} of {branches} | {rounds} | {target} |"
        );
    }
}

/// A repository with worktrees and a remote.
struct Site {
    folder: TempDir,
    branches: usize,
}

impl Site {
    fn new(branches: usize) -> Site {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the target folder can be written to");
        let site = Site { folder, branches };
        site.git(site.folder.path(), &["init", "-q", "-b", "main", "repo"]);
        site.git(site.folder.path(), &["init", "-q", "--bare", "-b", "main", "origin.git"]);
        let repository = site.repository();
        for (key, value) in [("user.name", "Ana"), ("user.email", "ana@example.invalid")] {
            site.git(&repository, &["config", key, value]);
        }
        let origin = site.origin();
        site.git(&repository, &["remote", "add", "origin", &origin.to_string_lossy()]);
        for number in 0..30 {
            write(&repository.join(format!("f{number}.txt")), &format!("file {number}\n"));
        }
        let runs = site.runs();
        write(&runs, "");
        let gate = if branches == 5 { SLOW } else { PAIR };
        let train = format!(
            "version: 2\nproject:\n  name: bench\ngates:\n  - name: test\n    run: \"sh -c 'echo run >> {}; {gate}'\"\n",
            runs.display()
        );
        write(&repository.join(".mergetrain.yaml"), &train);
        site.git(&repository, &["add", "-A"]);
        site.git(&repository, &["commit", "-q", "-m", "base"]);
        site.git(&repository, &["push", "-q", "origin", "main"]);
        for number in 1..=branches {
            let worktree = site.worktree(number);
            let branch = format!("b{number}");
            site.git(&repository, &["worktree", "add", "-q", "-b", &branch, &worktree.to_string_lossy(), "main"]);
            write(&worktree.join(format!("new{number}.txt")), "new\n");
            site.git(&worktree, &["add", "-A"]);
            site.git(&worktree, &["commit", "-q", "-m", &branch]);
        }
        site
    }

    fn repository(&self) -> PathBuf {
        self.folder.path().join("repo")
    }

    fn origin(&self) -> PathBuf {
        self.folder.path().join("origin.git")
    }

    fn worktree(&self, number: usize) -> PathBuf {
        self.folder.path().join(format!("w{number}"))
    }

    /// A line for each run of the gate.
    fn runs(&self) -> PathBuf {
        self.folder.path().join("runs")
    }

    fn gate_runs(&self) -> usize {
        fs::read_to_string(self.runs()).expect("the gate's own count").lines().count()
    }

    /// Branches whose file is on main, of the repository or of its remote: whichever is ahead.
    fn landed(&self) -> usize {
        let count = |path: &Path| {
            let list = self.git(path, &["ls-tree", "--name-only", "main"]);
            list.lines().filter(|name| name.starts_with("new")).count()
        };
        count(&self.repository()).max(count(&self.origin()))
    }

    /// A program of the contestants', at home in the site's folder.
    fn command(&self, program: &str, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder).env("HOME", self.folder.path()).env("GIT_CONFIG_NOSYSTEM", "1");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn git(&self, folder: &Path, words: &[&str]) -> String {
        let said = self.command("git", folder).args(words).stdout(Stdio::piped()).stderr(Stdio::piped()).output();
        let said = said.expect("git runs");
        assert!(said.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&said.stderr));
        String::from_utf8_lossy(&said.stdout).into_owned()
    }

    fn land(&self, words: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_baton"), &self.repository());
        command.arg("land").args(words);
        command
    }
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).expect("a new folder can be written to");
}

fn baton(site: &Site, gate: &str) {
    let branches: Vec<String> = (1..=site.branches).map(|number| format!("b{number}")).collect();
    let names: Vec<&str> = branches.iter().map(String::as_str).collect();
    let ended = site.land(&[&names[..], &["--gate", gate]].concat()).status().expect("baton runs");
    assert!(matches!(ended.code(), Some(0 | 1)), "it lands what it can: {ended}");
}

fn flock(site: &Site, gate: &str) {
    let lock = site.folder.path().join("lock");
    let script = format!("git fetch -q && git rebase -q origin/main && {{ {gate}; }} && git push -q origin HEAD:main");
    let start = |number| {
        let mut command = site.command("flock", &site.worktree(number));
        command.arg(&lock).args(["sh", "-c", &script]).spawn().expect("flock runs")
    };
    let all: Vec<Child> = (1..=site.branches).map(start).collect();
    for mut child in all {
        child.wait().expect("it ends");
    }
}

fn mergetrain(site: &Site, _in_its_file: &str) {
    let program = std::env::var("MERGETRAIN").unwrap_or_else(|_| "mergetrain".to_owned());
    for number in 1..=site.branches {
        let (task, branch) = (format!("t{number}"), format!("b{number}"));
        let mut command = site.command(&program, &site.worktree(number));
        let ended = command.args(["enqueue", "--task", &task, "--branch", &branch]).status().expect("it runs");
        assert!(ended.success(), "a clean branch is taken");
    }
    // What is left after one deploy may land with the next.
    for _ in 0..3 {
        if site.landed() < site.branches {
            deploy(site, &program);
        }
    }
}

/// It asks for a yes, and only a terminal may give it.
fn deploy(site: &Site, program: &str) {
    let mut command = site.command("script", &site.repository());
    let deploy = format!("{program} deploy");
    let mut child = command.args(["-qec", &deploy, "/dev/null"]).stdin(Stdio::piped()).spawn().expect("script runs");
    let mut stdin = child.stdin.take().expect("piped");
    std::io::Write::write_all(&mut stdin, b"y\n").expect("it reads");
    child.wait().expect("it ends");
    drop(stdin);
}

/// How long it takes to stand in the queue: until a `land` behind another has its ticket, and a whole `land` of what has
/// landed already.
fn enqueue() {
    const TIMES: usize = 40;
    let site = Site::new(3);
    let queue = site.repository().join(".git/baton/queue");
    let tickets = || fs::read_dir(&queue).map_or(0, Iterator::count);
    let mut first = site.land(&["b1", "--gate", "sleep 60"]).spawn().expect("baton runs");
    wait_until(|| tickets() == 1);
    let mut waited = Vec::new();
    for _ in 0..TIMES {
        let watch = Stopwatch::start();
        let mut second = site.land(&["b2", "--gate", "true"]).spawn().expect("baton runs");
        wait_until(|| tickets() == 2);
        waited.push(watch.seconds() * 1e3);
        second.kill().and_then(|()| second.wait()).expect("it is ours to end");
        // The ticket of a process that is gone is nobody's; it stays until the next one looks.
        for entry in fs::read_dir(&queue).expect("the queue is there").flatten() {
            if entry.file_name().to_string_lossy().contains(&format!("-{}.", second.id())) {
                fs::remove_file(entry.path()).expect("it is there");
            }
        }
    }
    row("until a `land` that is started behind another has its ticket", &waited, "p50 ≤ 10 ms");
    first.kill().and_then(|()| first.wait()).expect("it is ours to end");
    site.land(&["b3", "--gate", "true"]).status().expect("baton runs");
    let nothing = || {
        let watch = Stopwatch::start();
        let ended = site.land(&["b3", "--gate", "true"]).status().expect("baton runs");
        assert!(ended.success(), "to have landed already is no failure");
        watch.seconds() * 1e3
    };
    row("a whole `land` of a branch that has landed already", &(0..TIMES).map(|_| nothing()).collect::<Vec<_>>(), "");
}

fn row(what: &str, ms: &[f64], target: &str) {
    println!("| {what} | {:.1} | {:.1} | {} | {target} |", quantile(ms, 0.5), quantile(ms, 0.99), ms.len());
}

fn wait_until(mut true_now: impl FnMut() -> bool) {
    let watch = Stopwatch::start();
    while !true_now() {
        assert!(watch.seconds() < 60.0, "this takes too long");
        std::thread::sleep(Duration::from_micros(100));
    }
}

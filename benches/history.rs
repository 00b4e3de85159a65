//! The checker's pass over a history of a million operations.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

mod measure;

use baton_check::history::{Content, Findings, Op, What, judge};
use baton_world::Stopwatch;
use measure::{heading, quantile};
use std::hint::black_box;

const ABOUT: &str = "\
`history::judge` alone, without reading a journal or asking git. Each change of the serial history is accepted, credited,
read one path and moved two as it proposed; bases lie up to 200 landings back.";

const OPS: usize = 1_000_000;
const OPS_PER_CHANGE: usize = 7;

fn main() {
    heading("History check", "cargo bench --bench history", ABOUT);
    println!("| paths | operations | median ms | ms per million (range) | target |\n|---|---|---|---|---|");
    for paths in [100, 10_000, 100_000] {
        let ops = history(paths);
        let times: Vec<f64> = (0..12).map(|_| judged_ms(&ops)).skip(1).collect();
        let per_million = |share| quantile(&times, share) * 1e6 / ops.len() as f64;
        let (low, median, high) = (per_million(0.0), per_million(0.5), per_million(1.0));
        let ms = quantile(&times, 0.5);
        println!("| {paths} | {} | {ms:.1} | {median:.1} ({low:.1} to {high:.1}) | <= 100 |", ops.len());
    }
}

fn judged_ms(ops: &[Op]) -> f64 {
    let watch = Stopwatch::start();
    let findings = judge(black_box(ops));
    let ms = watch.seconds() * 1e3;
    assert_eq!(findings, Findings::default(), "the history is a good one");
    ms
}

/// A good history: every path is moved in turn, by steps that spread over them all.
fn history(paths: u32) -> Vec<Op> {
    let mut contents: Vec<u32> = (0..paths).collect();
    let present = |path: u32| Op::new(What::Present, 0, 0, 0).on(path, Content::ABSENT, Content::new(path, 0));
    let mut ops: Vec<Op> = (0..paths).map(present).collect();
    let mut blobs = paths;
    // Two paths a landing: a base may lie as far back as no path comes up again.
    let back = (paths / 4).min(200);
    for change in 0_u32.. {
        if ops.len() + OPS_PER_CHANGE > OPS {
            break;
        }
        let (at, base) = (change + 1, (change + 1).saturating_sub(back));
        ops.push(Op::new(What::Landed, change, at, base));
        ops.push(Op::new(What::Credited, change, at, base));
        let moved = [2 * change % paths, (2 * change + 1) % paths];
        let read = (2 * change + paths / 2) % paths;
        let held = Content::new(contents[read as usize], 0);
        ops.push(Op::new(What::Read, change, at, base).on(read, held, held));
        let steps = moved.map(|path| {
            blobs += 1;
            let before = std::mem::replace(&mut contents[path as usize], blobs);
            (path, Content::new(before, 0), Content::new(blobs, 0))
        });
        for what in [What::Proposed, What::Moved] {
            ops.extend(steps.map(|(path, before, after)| Op::new(what, change, at, base).on(path, before, after)));
        }
    }
    ops
}

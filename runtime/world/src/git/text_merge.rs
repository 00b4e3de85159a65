//! Two changes of one text that are far enough apart for git's answer to be known: each side changes one stretch of
//! lines, and between the stretches stands a line that is unique in all three texts.
//!
//! Why that is enough. Let `u` be that line. It is in what one side has in common with the base at the beginning, and in
//! what the other has in common with it at the end. Git compares each side with the base on its own, by histogram and, where
//! that gives up, by Myers.
//!
//! - Myers sets the common beginning and end aside, and so matches `u` with itself.
//! - Histogram takes the longest run of equal lines, of those with the rarest line, and goes on left and right of it. The
//!   common beginning (or end) that `u` is in is such a run, with a line that stands there once. A run that keeps `u` from
//!   being matched with itself lies before `u` on one side and after it on the other, so it is shorter, and no rarer.
//!   What is taken instead is left or right of `u` on both sides, and the rest has the same form.
//! - Git then moves changed stretches over equal lines, which never takes them over a line that stands there once.
//!
//! So each side's changes stay on its side of `u`, no two of them meet, and the merged text is the base with both. The
//! tests compare many generated texts, and texts of real histories, with git. Knows no repository, and no attribute by which
//! a person may have told git to merge otherwise: that is the caller's to find out.

use std::ops::Range;

/// Longer texts are left to git.
const LEN_MAX: usize = 1 << 20;
/// So many lines between the stretches are tried for the one that is unique.
const LINES_TRIED_MAX: usize = 64;

/// The merged text, if it is known to be git's.
pub(super) fn merge_texts(base: &[u8], ours: &[u8], theirs: &[u8]) -> Option<Vec<u8>> {
    let texts = [base, ours, theirs];
    if texts.iter().any(|text| !is_plain(text)) {
        return None;
    }
    let (our, their) = (Stretch::between(base, ours), Stretch::between(base, theirs));
    let (first, second) = if our.was.end <= their.was.start { (&our, &their) } else { (&their, &our) };
    // An empty gap has no line in it; stretches that meet have none.
    let gap = base.get(first.was.end..second.was.start)?;
    let alone =
        |line: &[u8]| count(base, line) == 1 && [&our, &their].iter().all(|stretch| count(stretch.text, line) == 0);
    if !lines(gap).take(LINES_TRIED_MAX).any(alone) {
        return None;
    }
    let (head, tail) = (&base[..first.was.start], &base[second.was.end..]);
    Some([head, first.text, gap, second.text, tail].concat())
}

/// Whole lines, no byte by which git takes a file for binary, and no more than is quickly read.
fn is_plain(text: &[u8]) -> bool {
    text.len() <= LEN_MAX && text.ends_with(b"\n") && !text.contains(&0)
}

/// What one side has in place of a part of the base; whole lines.
struct Stretch<'t> {
    was: Range<usize>,
    text: &'t [u8],
}

impl<'t> Stretch<'t> {
    /// The part that is otherwise: without the lines that both begin with, and then without those that both end with.
    fn between(base: &[u8], side: &'t [u8]) -> Stretch<'t> {
        let same = base.iter().zip(side).take_while(|(one, other)| one == other).count();
        let start = base[..same].iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let (base_rest, side_rest) = (&base[start..], &side[start..]);
        let same = base_rest.iter().rev().zip(side_rest.iter().rev()).take_while(|(one, other)| one == other).count();
        let end = whole_lines(base_rest, same).min(whole_lines(side_rest, same));
        Stretch { was: start..base.len() - end, text: &side_rest[..side_rest.len() - end] }
    }
}

/// The length of the last lines of `text` that are whole within its last `len` bytes.
fn whole_lines(text: &[u8], len: usize) -> usize {
    let at = text.len() - len;
    if at == 0 || text[at - 1] == b'\n' {
        return len;
    }
    text[at..].iter().position(|&byte| byte == b'\n').map_or(0, |line_end| len - line_end - 1)
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|&byte| byte == b'\n')
}

fn count(text: &[u8], line: &[u8]) -> usize {
    lines(text).filter(|other| *other == line).take(2).count()
}

#[cfg(test)]
mod tests;

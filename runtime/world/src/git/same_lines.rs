//! Where the lines of one text stand in another that was made from it or from the same text.
//!
//! Owns no judgement of merges: it only tells people at which line of their own file to look.

/// Texts that differ in more lines are not compared to the end.
const DIFFERENCES_MAX: usize = 1_000;

/// For each line of `from` the line of `to` that it is, both counted from 0; `None`: the texts differ too much.
pub(super) fn same_lines(from: &[&str], to: &[&str]) -> Option<Vec<Option<usize>>> {
    let head = from.iter().zip(to).take_while(|(one, other)| one == other).count();
    let rest = (&from[head..], &to[head..]);
    let tail = rest.0.iter().rev().zip(rest.1.iter().rev()).take_while(|(one, other)| one == other).count();
    let (inner, other) = (&rest.0[..rest.0.len() - tail], &rest.1[..rest.1.len() - tail]);
    let mut found: Vec<Option<usize>> = (0..head).map(Some).collect();
    found.extend(middle(inner, other)?.into_iter().map(|line| line.map(|line| line + head)));
    found.extend((to.len() - tail..to.len()).map(Some));
    Some(found)
}

/// By Myers' greedy search for the shortest way from one text to the other.
fn middle(from: &[&str], to: &[&str]) -> Option<Vec<Option<usize>>> {
    let (from_len, to_len) = (from.len() as isize, to.len() as isize);
    let most = (from.len() + to.len()).min(DIFFERENCES_MAX) as isize;
    let slot = |diagonal: isize| (diagonal + most + 1) as usize;
    // How far each diagonal, lines of `from` less lines of `to`, has been followed.
    let mut reached = vec![0_isize; 2 * most as usize + 3];
    let mut before = Vec::new();
    for differences in 0..=most {
        before.push(reached.clone());
        for diagonal in (-differences..=differences).step_by(2) {
            let from_left = diagonal == differences
                || (diagonal != -differences && reached[slot(diagonal - 1)] >= reached[slot(diagonal + 1)]);
            let mut x = if from_left { reached[slot(diagonal - 1)] + 1 } else { reached[slot(diagonal + 1)] };
            if differences == 0 {
                x = 0;
            }
            while x < from_len && x - diagonal < to_len && from[x as usize] == to[(x - diagonal) as usize] {
                x += 1;
            }
            reached[slot(diagonal)] = x;
            if x >= from_len && x - diagonal >= to_len {
                return Some(way_back(&before, slot, (from_len, to_len)));
            }
        }
    }
    None
}

/// Follows the search back from its end: each step along a diagonal is a line of both.
fn way_back(
    before: &[Vec<isize>],
    slot: impl Fn(isize) -> usize,
    (mut x, mut y): (isize, isize),
) -> Vec<Option<usize>> {
    let mut found = vec![None; x as usize];
    for (differences, reached) in before.iter().enumerate().rev() {
        let (differences, diagonal) = (differences as isize, x - y);
        let (start_x, start_y) = if differences == 0 {
            (0, 0)
        } else {
            let from_left = diagonal == differences
                || (diagonal != -differences && reached[slot(diagonal - 1)] >= reached[slot(diagonal + 1)]);
            let came_from = if from_left { diagonal - 1 } else { diagonal + 1 };
            let x = reached[slot(came_from)];
            (x, x - came_from)
        };
        while x > start_x && y > start_y {
            (x, y) = (x - 1, y - 1);
            found[x as usize] = Some(y as usize);
        }
        (x, y) = (start_x, start_y);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_that_stayed_is_found_and_no_line_is_found_twice() {
        let text = |lines: &str| lines.chars().map(|c| c.to_string()).collect::<Vec<_>>();
        for (from, to, kept) in [
            ("", "", 0),
            ("abc", "abc", 3),
            ("abc", "xabc", 3),
            ("abc", "", 0),
            ("abcabba", "cbabac", 4),
            ("a1b2c3d", "abcd", 4),
            ("aXbXcX", "XaXbXc", 5),
            ("xay", "ab", 1),
        ] {
            let (from, to) = (text(from), text(to));
            let from: Vec<&str> = from.iter().map(String::as_str).collect();
            let to: Vec<&str> = to.iter().map(String::as_str).collect();
            let found = same_lines(&from, &to).unwrap();
            assert_eq!(found.len(), from.len());
            let pairs: Vec<(usize, usize)> =
                found.iter().enumerate().filter_map(|(line, at)| at.map(|at| (line, at))).collect();
            assert!(pairs.iter().all(|(line, at)| from[*line] == to[*at]), "{from:?} {to:?} {found:?}");
            assert!(pairs.windows(2).all(|pair| pair[0].1 < pair[1].1), "in order: {found:?}");
            assert_eq!(pairs.len(), kept, "{from:?} {to:?} {found:?}");
        }
    }
}

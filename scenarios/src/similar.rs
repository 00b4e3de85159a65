//! Which name was probably meant: one judgement for the words in scenario files and for those on the command line.

/// The candidate that is most similar to what was written, if one is similar enough. Of a file's name its beginning
/// counts as much as the whole, so that `tow-writers` leads to `two-writers.yaml`.
pub fn nearest<'c>(written: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let written = lowered(written);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let whole = distance(&written, candidate);
        let bare = candidate.rsplit_once('.').and_then(|(stem, _)| distance(&written, stem));
        let nearer = [whole, bare].into_iter().flatten().min();
        if let Some(nearer) = nearer.filter(|nearer| best.is_none_or(|(least, _)| nearer < &least)) {
            best = Some((nearer, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// As names are compared.
pub(crate) fn lowered(written: &str) -> String {
    written.to_lowercase().replace('_', "-")
}

/// How far a candidate is from what was written; `None` if nobody could mean the one by the other.
pub(crate) fn distance(written: &str, candidate: &str) -> Option<usize> {
    let stem = written.split(|c: char| !c.is_ascii_lowercase()).next().unwrap_or_default();
    let allowed = (candidate.len().min(written.len()) / 3).max(1);
    let distance = strsim::osa_distance(written, &candidate.to_lowercase());
    let begins = stem.len() >= 3 && candidate.starts_with(stem);
    let similar = distance <= allowed && distance < candidate.len();
    (similar || begins).then_some(distance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_meant_and_a_stranger_is_not() {
        let names = ["two-writers", "eight-writers", "day", "Mine.yaml", "E0112"];
        for (written, meant) in [
            ("tow-writers", Some("two-writers")),
            ("two_writers", Some("two-writers")),
            ("TWO-WRITERS", Some("two-writers")),
            ("eight", Some("eight-writers")),
            ("mine", Some("Mine.yaml")),
            ("mien.yaml", Some("Mine.yaml")),
            ("e0121", Some("E0112")),
            ("quite-another-thing", None),
            ("", None),
        ] {
            assert_eq!(nearest(written, names), meant, "{written}");
        }
    }
}

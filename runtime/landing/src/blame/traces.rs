//! What a change leaves behind in the text: words that it brings or takes away, files and folders that it touches.

use crate::LandError;
use crate::land::Session;
use baton_record::Oid;
use std::collections::BTreeSet;

/// The traces of one change.
#[derive(Debug, Default)]
pub(super) struct Traces {
    brings: BTreeSet<String>,
    takes: BTreeSet<String>,
    files: BTreeSet<String>,
}

/// Shorter words are everywhere.
const WORD_MIN: usize = 3;
/// A larger difference says nothing about a pair that its first part does not.
const DIFFERENCE_BYTES_MAX: usize = 4 << 20;

impl Traces {
    pub(super) fn of(session: &Session<'_>, main: Oid, tip: Oid) -> Result<Traces, LandError> {
        let difference = session.scratch.difference(main, tip)?;
        Ok(Traces::read(&String::from_utf8_lossy(&difference[..difference.len().min(DIFFERENCE_BYTES_MAX)])))
    }

    /// Of a difference in git's own form, without context.
    fn read(difference: &str) -> Traces {
        let mut traces = Traces::default();
        for line in difference.lines() {
            if let Some(path) = line.strip_prefix("+++ b/").or_else(|| line.strip_prefix("--- a/")) {
                traces.files.insert(path.to_owned());
            } else if let Some(text) = line.strip_prefix('+') {
                traces.brings.extend(words(text));
            } else if let Some(text) = line.strip_prefix('-') {
                traces.takes.extend(words(text));
            }
        }
        // What only moved is neither.
        let moved: BTreeSet<String> = traces.brings.intersection(&traces.takes).cloned().collect();
        traces.brings.retain(|word| !moved.contains(word));
        traces.takes.retain(|word| !moved.contains(word));
        traces
    }

    /// How likely it is that two changes do not go together: a number to compare with others of its kind. What one takes away
    /// and the other brings weighs most, then files of both, then files that the gate named, then words that both bring.
    pub(super) fn kinship(&self, other: &Traces, gate_said: &str) -> u32 {
        let common = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.intersection(b).count() as u32;
        let named = other.files.iter().filter(|file| gate_said.contains(file.as_str())).count() as u32;
        let folders = common(&folders(&self.files), &folders(&other.files));
        let crossed = common(&self.takes, &other.brings) + common(&self.brings, &other.takes);
        100 * crossed
            + 40 * common(&self.files, &other.files)
            + 40 * named
            + 10 * common(&self.brings, &other.brings)
            + folders
    }
}

fn folders(files: &BTreeSet<String>) -> BTreeSet<String> {
    files.iter().filter_map(|file| file.rsplit_once('/')).map(|(folder, _)| folder.to_owned()).collect()
}

fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.filter(|word| word.len() >= WORD_MIN && !word.bytes().all(|byte| byte.is_ascii_digit())).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_calls_what_another_removed_is_the_likeliest_partner() {
        let renames = Traces::read("--- a/lib.rs\n+++ b/lib.rs\n-fn old_name() {\n+fn new_name() {\n");
        let calls = Traces::read("--- a/app.rs\n+++ b/app.rs\n+    old_name();\n");
        let docs = Traces::read("--- a/README\n+++ b/README\n+some text\n");
        assert!(renames.kinship(&calls, "") > renames.kinship(&docs, ""));
        assert!(renames.kinship(&docs, "README: bad") > renames.kinship(&docs, ""));
    }

    #[test]
    fn a_word_that_only_moved_is_no_trace() {
        let moved = Traces::read("--- a/x\n+++ b/x\n-let same = 1;\n+let same = 2;\n");
        assert!(moved.brings.is_empty() && moved.takes.is_empty(), "{moved:?}");
    }
}

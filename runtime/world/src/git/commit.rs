//! A commit: what is read of it, and the bytes of a new one. Knows no repository.

use super::error::GitError;
use baton_record::Oid;

/// A commit, as far as the product asks about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its tree.
    pub tree: Oid,
    /// Its parents, first parent first.
    pub parents: Vec<Oid>,
    /// Name of its author, without the address.
    pub author: String,
    /// When it was committed, as it claims, in seconds since 1970; 0: it does not say.
    pub committed_s: i64,
    /// `Key: value` lines of its last paragraph, in their order; empty unless all lines of it are such.
    pub trailers: Vec<(String, String)>,
}

impl Commit {
    /// Value of the first trailer of that name.
    pub fn trailer(&self, key: &str) -> Option<&str> {
        self.trailers.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    pub(super) fn parse(oid: Oid, raw: &[u8]) -> Result<Commit, GitError> {
        Commit::try_parse(raw).ok_or_else(|| GitError::damaged(format!("commit {oid} is malformed")))
    }

    fn try_parse(raw: &[u8]) -> Option<Commit> {
        let text = String::from_utf8_lossy(raw);
        let (head, message) = text.split_once("\n\n").unwrap_or((text.trim_end_matches('\n'), ""));
        let mut lines = head.split('\n');
        let tree = Oid::from_hex(lines.next()?.strip_prefix("tree ")?)?;
        let (parents, author, trailers) = (Vec::new(), String::new(), trailers_of(message));
        let mut commit = Commit { tree, parents, author, committed_s: 0, trailers };
        while let Some(line) = lines.next() {
            if let Some(parent) = line.strip_prefix("parent ") {
                commit.parents.push(Oid::from_hex(parent)?);
            } else {
                let author = line.strip_prefix("author ")?;
                commit.author = author.split('<').next().unwrap_or(author).trim().to_owned();
                commit.committed_s = lines.next().and_then(date_of).unwrap_or(0);
                return Some(commit);
            }
        }
        None
    }
}

/// The date of `committer name <mail> seconds zone`.
fn date_of(line: &str) -> Option<i64> {
    let (_, date) = line.strip_prefix("committer ")?.rsplit_once('>')?;
    date.split_whitespace().next()?.parse().ok()
}

fn trailers_of(message: &str) -> Vec<(String, String)> {
    let Some((_, last)) = message.trim_end().rsplit_once("\n\n") else { return Vec::new() };
    let lines: Option<Vec<_>> = last.lines().map(trailer_of).collect();
    lines.unwrap_or_default()
}

fn trailer_of(line: &str) -> Option<(String, String)> {
    let (key, value) = line.split_once(':')?;
    let token = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    token.then(|| (key.to_owned(), value.trim().to_owned()))
}

/// Who a commit is by, and what it says. Author and committer are the same.
///
/// Any text will do: what git does not allow in a name (`<`, `>`, control characters) becomes `-`, a
/// control character anywhere else becomes a space, an empty text becomes `-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitMeta {
    /// Name of the author, such as `implementer.3`.
    pub author: String,
    /// Mail address of the author.
    pub email: String,
    /// Seconds since 1970, UTC. A time before that counts as 0.
    pub time_s: i64,
    /// First line of the message.
    pub subject: String,
    /// `Key: value` lines at the end of the message, in this order.
    pub trailers: Vec<(String, String)>,
}

impl CommitMeta {
    /// The bytes of the commit, and what is read back from them.
    pub(super) fn commit(&self, tree: Oid, parents: &[Oid]) -> (Vec<u8>, Commit) {
        let name = name_text(&self.author);
        let who = format!("{name} <{}> {} +0000", name_text(&self.email), self.time_s.max(0));
        let mut text = format!("tree {tree}\n");
        for parent in parents {
            text.push_str(&format!("parent {parent}\n"));
        }
        text.push_str(&format!("author {who}\ncommitter {who}\n\n{}\n", message_text(&self.subject)));
        for (at, (key, value)) in self.trailers.iter().enumerate() {
            let gap = if at == 0 { "\n" } else { "" };
            text.push_str(&format!("{gap}{}: {}\n", message_text(key), message_text(value)));
        }
        let commit = Commit::try_parse(text.as_bytes()).expect("written in the form that is read");
        (text.into_bytes(), commit)
    }
}

fn name_text(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() || "<>".contains(c) { '-' } else { c }).collect();
    // Git drops these at either end of a name.
    let clean = clean.trim_matches(|c: char| c.is_whitespace() || ".,:;\"'\\".contains(c));
    if clean.is_empty() { "-".to_owned() } else { clean.to_owned() }
}

fn message_text(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if clean.trim().is_empty() { "-".to_owned() } else { clean.trim().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let tree = Oid::from_bytes(&[7; 20]).unwrap();
        let trailers =
            vec![("Baton-Change".to_owned(), "C-1.1".to_owned()), ("Baton-Lane".to_owned(), "a\nb".to_owned())];
        let (author, email) = ("impl<er>\n.3".to_owned(), "lane@baton.invalid".to_owned());
        let meta = CommitMeta { author, email, time_s: -5, subject: "one\ntwo".to_owned(), trailers };
        let (raw, commit) = meta.commit(tree, &[tree, tree]);
        let who = "impl-er--.3 <lane@baton.invalid> 0 +0000";
        let head = format!("tree {tree}\nparent {tree}\nparent {tree}\nauthor {who}\ncommitter {who}\n");
        assert_eq!(
            String::from_utf8(raw).unwrap(),
            format!("{head}\none two\n\nBaton-Change: C-1.1\nBaton-Lane: a b\n")
        );
        assert_eq!((commit.parents.len(), commit.author.as_str(), commit.committed_s), (2, "impl-er--.3", 0));
        assert_eq!((commit.trailer("Baton-Change"), commit.trailer("Baton-Lane")), (Some("C-1.1"), Some("a b")));
    }

    #[test]
    fn only_a_last_paragraph_of_nothing_else_is_trailers() {
        for (message, count) in [("A: b", 0), ("s\n\nA: b\nc", 0), ("s\n\nA: b\nC-d: e\n", 2), ("s\n\nx\n\nA: b\n", 1)]
        {
            assert_eq!(trailers_of(message).len(), count, "{message:?}");
        }
    }
}

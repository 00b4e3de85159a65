//! Owns what a commit's message credits: the trailers in its last paragraph, and traces anywhere.
//!
//! Deliberately does not know what the credits should be.

use baton_record::ChangeId;

/// The credits of one commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trailers<'a> {
    pub(crate) change: Option<&'a str>,
    pub(crate) task: Option<&'a str>,
    pub(crate) lane: Option<&'a str>,
    pub(crate) model: Option<&'a str>,
    pub(crate) judge: Option<&'a str>,
    pub(crate) run: Option<&'a str>,
    pub(crate) fence: Option<&'a str>,
    /// One of them stands there more than once.
    pub(crate) doubled: bool,
}

impl<'a> Trailers<'a> {
    /// Reads the last paragraph of a message.
    pub(crate) fn of(message: &'a str) -> Trailers<'a> {
        let text = message.trim_end();
        let paragraph = text.rfind("\n\n").map_or("", |at| &text[at + 2..]);
        let mut trailers = Trailers::default();
        for line in paragraph.lines() {
            let Some((key, value)) = line.split_once(": ") else {
                continue;
            };
            let slot = match key {
                "Baton-Change" => &mut trailers.change,
                "Baton-Task" => &mut trailers.task,
                "Baton-Lane" => &mut trailers.lane,
                "Baton-Model" => &mut trailers.model,
                "Baton-Reviewed-By" => &mut trailers.judge,
                "Baton-Run" => &mut trailers.run,
                "Baton-Fence" => &mut trailers.fence,
                _ => continue,
            };
            trailers.doubled |= slot.replace(value).is_some();
        }
        trailers
    }

    /// The change that is credited on behalf of `run`.
    pub(crate) fn change_of(&self, run: &str) -> Option<ChangeId> {
        self.change.filter(|_| self.run == Some(run)).and_then(parse_change)
    }
}

/// Every change that any line of a message names as its own, wherever the line stands.
pub(crate) fn traces(message: &str) -> impl Iterator<Item = ChangeId> {
    message
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Baton-Change:"))
        .filter_map(|text| parse_change(text.trim()))
}

/// Reads `C-17.2`, and only in this spelling.
fn parse_change(text: &str) -> Option<ChangeId> {
    let change = ChangeId::parse(text)?;
    (change.to_string() == text).then_some(change)
}

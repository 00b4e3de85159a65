//! What the parts of a packet say about each other: evidence that is there, decisions that override what is named, a
//! change that belongs to its task.

use super::fields::{Place, Reader};
use crate::flaw;
use crate::json::{self, Node};
use crate::packet::{Item, ItemState, Link, LinkKind, Packet, Purpose};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Notes every contradiction in a packet whose parts can be read.
pub(super) fn judge(packet: &Packet, root: &Node, reader: &mut Reader) {
    let mut whole = Whole { packet, root, reader };
    whole.change_and_task();
    whole.progress();
    whole.what_is_explained();
    packet.checklist.iter().enumerate().for_each(|(at, item)| whole.evidence(at, item));
    whole.decisions();
}

struct Whole<'a> {
    packet: &'a Packet,
    root: &'a Node,
    reader: &'a mut Reader,
}

impl Whole<'_> {
    fn note(&mut self, code: &'static str, steps: &[&str], message: String, help: &str) {
        let at = steps.iter().fold(Place::root(), |at, step| at.key(step));
        let pointer: String = steps.iter().map(|step| format!("/{step}")).collect();
        let span: Range<usize> = json::nearest(self.root, &pointer).span.clone();
        self.reader.note::<()>(code, (&at, &span), message, help);
    }

    fn change_and_task(&mut self) {
        let Packet { task, change, .. } = self.packet;
        let own = change.strip_prefix("C-").and_then(|rest| rest.split_once('.')).map(|(task, _)| task);
        if own != task.strip_prefix("T-") {
            let message = format!("{change} is no attempt at {task}");
            self.note(flaw::CONTRADICTION, &["change"], message, "name an attempt at the packet's own task");
        }
    }

    fn progress(&mut self) {
        if let Some(progress) = self.packet.progress.filter(|progress| progress.done > progress.of) {
            let message = format!("{} of {} calls are done", progress.done, progress.of);
            self.note(flaw::CONTRADICTION, &["progress"], message, "`done` is at most `of`");
        }
    }

    /// A change that somebody is to judge is there; files are files of a commit.
    fn what_is_explained(&mut self) {
        let links = &self.packet.links;
        let explains = links.iter().any(|link| link.what == "change" && link.kind == LinkKind::Content);
        let judged = matches!(self.packet.purpose, Purpose::Review | Purpose::Approval);
        if judged && !explains {
            let message = "no link leads to the change that is to be judged".to_owned();
            self.note(flaw::CONTRADICTION, &["links"], message, "add a link of kind `content` that is called `change`");
        }
        let file = links.iter().position(|link| link.kind == LinkKind::File);
        if self.packet.base.is_none()
            && let Some(at) = file.map(|at| at.to_string())
        {
            let message = "a file of which commit is not said".to_owned();
            self.note(flaw::CONTRADICTION, &["links", &at], message, "add `base`, the commit that it is a file of");
        } else if self.packet.base.is_none() && judged {
            let message = "the commit that the change is made on is not said".to_owned();
            self.note(flaw::CONTRADICTION, &["purpose"], message, "add `base`");
        }
    }

    fn evidence(&mut self, at: usize, item: &Item) {
        let links = &self.packet.links;
        let mut seen = BTreeSet::new();
        for (place, index) in item.evidence.iter().enumerate() {
            let steps = [at.to_string(), place.to_string()];
            let steps = ["checklist", &steps[0], "evidence", &steps[1]];
            if links.get(*index as usize).is_none() {
                let message = format!("there is no link {index}");
                let help = match links.len() {
                    0 => "add the link to `links`".to_owned(),
                    count => format!("links are numbered from 0 to {}", count - 1),
                };
                self.note(flaw::NO_SUCH_LINK, &steps, message, &help);
            } else if !seen.insert(index) {
                let message = format!("link {index} is named twice");
                self.note(flaw::NO_SUCH_LINK, &steps, message, "name each link once");
            }
        }
        let proves = |link: &Link| link.kind != LinkKind::Url;
        let proven = seen.iter().any(|index| links.get(**index as usize).is_some_and(proves));
        if item.state == ItemState::Done && !proven {
            let at = at.to_string();
            let message = if item.evidence.is_empty() {
                "it is said to be done, and nothing proves it"
            } else {
                "it is said to be done, and nothing that can be looked up proves it"
            };
            let help = "name a link to content or to a file, or say `not-checked` and write the risk down";
            self.note(flaw::NO_EVIDENCE, &["checklist", &at], message.to_owned(), help);
        }
    }

    fn decisions(&mut self) {
        let mut ids: BTreeMap<&str, usize> = BTreeMap::new();
        for (at, decision) in self.packet.decisions.iter().enumerate() {
            if ids.insert(&decision.id, at).is_some() {
                let (at, message) = (at.to_string(), format!("two decisions are called {}", decision.id));
                self.note(flaw::OVERRIDE, &["decisions", &at, "id"], message, "give one of them another name");
            }
        }
        for (at, decision) in self.packet.decisions.iter().enumerate() {
            let at = at.to_string();
            let unknown = |name: &&String| !ids.contains_key(name.as_str());
            // What is named in earlier packets is looked up where they can be.
            if let Some(name) = decision.overrides.iter().find(unknown).filter(|_| self.packet.previous.is_none()) {
                let message = format!("it overrides {name}, which nobody has decided");
                let help = "name a decision of this packet, or name the packet before this one as `previous`";
                self.note(flaw::OVERRIDE, &["decisions", &at, "overrides"], message, help);
            }
            if self.overrides_itself(&decision.id) {
                let message = format!("{} overrides itself, directly or through others", decision.id);
                self.note(
                    flaw::CIRCLE,
                    &["decisions", &at],
                    message,
                    "keep the decision that holds, and drop the other",
                );
            }
        }
    }

    fn overrides_itself(&self, id: &str) -> bool {
        let (mut seen, mut left) = (BTreeSet::new(), vec![id]);
        while let Some(next) = left.pop() {
            let decisions = self.packet.decisions.iter().filter(|decision| decision.id == next);
            let named: Vec<&str> = decisions.flat_map(|decision| &decision.overrides).map(String::as_str).collect();
            if named.contains(&id) {
                return true;
            }
            left.extend(named.into_iter().filter(|name| seen.insert(*name)));
        }
        false
    }
}

//! What is behind each code.
//!
//! Owns the texts, in the order of the codes.

/// Code and text.
pub(super) const TEXTS: &[(&str, &str)] = &[
    ("E0401", "The packet is too large.

A packet has at most 64 KiB, so that whoever is handed it can read all of it. What is long goes into the run's content
store, and the packet links to it.
"),
    ("E0402", "The packet is not JSON.

A packet is one object of JSON in UTF-8, with nothing before or behind it. The place is the first byte that does not
belong there; nothing behind it was read.
"),
    ("E0403", "Values lie too deep inside each other.

Nothing in a packet lies deeper than a few lists and objects, and nothing deeper than sixteen is read.
"),
    ("E0404", "A key is given twice.

Readers disagree about which of the two counts, so that two lanes would read two packets. Keep one of them.
"),
    ("E0405", "An object has a key that it does not know.

What a reader does not know it would have to ignore, and then it would not be handed on. The keys that belong there are
named; `baton schema packet` prints all of them.
"),
    ("E0406", "A key is missing.

A packet that leaves out what it has to say is incomplete, and moves nothing. Where there is nothing to say, as of risks
or questions, write an empty list: that is a statement too.
"),
    ("E0407", "A value is of another type.

Texts stand in quotes, numbers do not. Instead of `null` the key is left out.
"),
    ("E0408", "The packet has a format that is not known.

`v` is the version of the format. A later format may mean something else by the same words, so it is not guessed.
"),
    ("E0409", "A text is empty, too long, or holds letters that cannot be seen.

People read these texts on one line. What is longer belongs into the content store. Line breaks, other control characters
and letters that turn the direction of writing are refused, because a screen would obey them.
"),
    ("E0410", "A name or a hash is spelled otherwise.

Tasks are `T-17`, changes `C-17.2`, lanes `implementer.3`. Hashes are lower-case hex digits, as many as the hash has.
"),
    ("E0411", "A word is none of those that the key knows.

The words are named. They never change their meaning.
"),
    ("E0412", "There are too few or too many entries, or a number is out of bounds.

A checklist has at least one item: a packet that claims nothing hands nothing on.
"),
    ("E0413", "A link leads out of the repository, or to no address.

Paths are written from the top of the repository with `/` between, without `..` and never into `.git`. Addresses begin
with `https://` or `http://` and hold nobody's name or password, which would be handed on with them.
"),
    ("E0414", "A claim is said to be done, and nothing proves it.

A lane's own word is no evidence. A claim that is `done` names at least one link to content or to a file, whose hash is
looked up before the packet is accepted. What nobody has checked is `not-checked`, and belongs to the risks.

Wrong:
    { \"claim\": \"tests pass\", \"state\": \"done\", \"evidence\": [] }
Right:
    { \"claim\": \"tests pass\", \"state\": \"done\", \"evidence\": [0] }
"),
    ("E0415", "Evidence names a link that is not there, or one link twice.

`evidence` holds places in `links`, counted from 0.
"),
    ("E0416", "A decision overrides what nobody has decided.

`overrides` names decisions by their `id`: of this packet, or of the packets before it. Names are given once in a packet.
"),
    ("E0417", "Decisions, or packets, lead back to themselves.

A decision cannot take the place of itself, directly or through others: then none of them would hold.
"),
    ("E0418", "Two parts of the packet contradict each other.

A change is an attempt at the packet's own task; no more calls are done than there are; a packet that is to be judged has
the change and the commit that it was made on; a file is a file of a commit.
"),
    ("E0419", "A link leads nowhere.

Nothing lies in the content store under this hash, or the base commit has no such file. Put the content into the store
before the packet that links to it.
"),
    ("E0420", "A link lies.

What is there has another hash or another size than the packet says.
"),
    ("E0421", "The packet before this one is none.

`previous` is the SHA-256 of the packet that the lane itself began with: a packet of the same run and task.
"),
    ("E0422", "The packet is of another run.

`run` is the identity of the run, which stands in the first record of its journal. A packet of another run tells nothing about
this one.
"),
    ("E0423", "The packet says of its run what is not so.

`task` is a task of the run, `change` an attempt at it that was begun, `from` the lane that made that attempt, `to` the role that
judges the task or, where nobody is to judge, the role of the lane itself. `base` is a commit that main has had in the run.
"),
];

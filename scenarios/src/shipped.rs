//! The scenarios that come with the program.

/// Name and file of each, in the order of reading.
pub const SHIPPED: &[(&str, &str)] = &[
    ("two-writers", include_str!("../two-writers.yaml")),
    ("eight-writers", include_str!("../eight-writers.yaml")),
    ("lease-holder-dies", include_str!("../lease-holder-dies.yaml")),
    ("pause-past-lease", include_str!("../pause-past-lease.yaml")),
    ("supervisor-restarts", include_str!("../supervisor-restarts.yaml")),
    ("plain-run", include_str!("../plain-run.yaml")),
    ("bad-packet", include_str!("../bad-packet.yaml")),
    ("dangling-link", include_str!("../dangling-link.yaml")),
    ("long-work", include_str!("../long-work.yaml")),
    ("money-runs-out", include_str!("../money-runs-out.yaml")),
    ("storm-429", include_str!("../storm-429.yaml")),
    ("storm-529", include_str!("../storm-529.yaml")),
    ("conflicting-renames", include_str!("../conflicting-renames.yaml")),
    ("colliding-plans", include_str!("../colliding-plans.yaml")),
    ("asks-first", include_str!("../asks-first.yaml")),
    ("undo-waits", include_str!("../undo-waits.yaml")),
    ("nobody-decides", include_str!("../nobody-decides.yaml")),
    ("reviewer-returns-for-ever", include_str!("../reviewer-returns-for-ever.yaml")),
    ("stop-after-plan-approval", include_str!("../stop-after-plan-approval.yaml")),
    ("override", include_str!("../override.yaml")),
    ("bound-roles", include_str!("../bound-roles.yaml")),
    ("lane-ignores-policy", include_str!("../lane-ignores-policy.yaml")),
    ("pilot-of-two-roles", include_str!("../pilot-of-two-roles.yaml")),
    ("pilot-split-cleanly", include_str!("../pilot-split-cleanly.yaml")),
    ("pause-in-mid-merge", include_str!("../pause-in-mid-merge.yaml")),
    ("operators-contradict", include_str!("../operators-contradict.yaml")),
    ("competing-summaries", include_str!("../competing-summaries.yaml")),
    ("team-grows-and-shrinks", include_str!("../team-grows-and-shrinks.yaml")),
    ("landing-in-rows", include_str!("../landing-in-rows.yaml")),
    ("day", include_str!("../day.yaml")),
];

/// Skills that shipped scenarios name, beside the roles of `baton_policies`.
pub const SKILLS: &[(&str, &str)] = &[
    ("outliner", include_str!("../skills/outliner/SKILL.md")),
    ("scribe", include_str!("../skills/scribe/SKILL.md")),
    ("proofreader", include_str!("../skills/proofreader/SKILL.md")),
];

/// The scenario that `baton demo` runs.
pub const DEMO: &str = "eight-writers";

/// The file of a shipped scenario.
pub fn find(name: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|(shipped, _)| *shipped == name).map(|(_, text)| *text)
}

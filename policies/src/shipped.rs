//! The roles that come with the program.

/// Name and skill file of each, in the order in which work passes through them.
#[must_use]
pub fn shipped() -> &'static [(&'static str, &'static str)] {
    &[
        ("planner", include_str!("../planner/SKILL.md")),
        ("researcher", include_str!("../researcher/SKILL.md")),
        ("implementer", include_str!("../implementer/SKILL.md")),
        ("reviewer", include_str!("../reviewer/SKILL.md")),
        ("merger", include_str!("../merger/SKILL.md")),
        ("writer", include_str!("../writer/SKILL.md")),
    ]
}

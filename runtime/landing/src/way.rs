//! A checkout of main that cannot follow a row: whose change it is that it cannot follow, so that the others go on.
//!
//! What lies in the way of a branch from the start is told before any gate runs, by `chain`; this is about the rest.

use crate::LandError;
use crate::blame;
use crate::chain::Link;
use crate::land::Session;
use crate::outcome::Reason;
use baton_world::git::InTheWay;

/// Refuses those of a row whose own change touches what is in the way; `false`: nobody's does, or it is work that a person
/// has begun meanwhile, to which no branch is to be held.
pub(crate) fn refuse_touching(session: &mut Session<'_>, way: &InTheWay, row: &[Link]) -> Result<bool, LandError> {
    if way.paths.is_empty() || !session.site.repository().uncommitted(&way.checkout, 1)?.is_empty() {
        return Ok(false);
    }
    let (mut before, mut refused) = (session.main, Vec::new());
    for link in row {
        let own = session.scratch.changed_paths(before, link.commit)?;
        before = link.commit;
        let meets = |path: &&String| own.iter().any(|own| is_of(own, path) || is_of(path, own));
        let paths: Vec<&str> = way.paths.iter().filter(meets).map(String::as_str).collect();
        if !paths.is_empty() {
            let (paths, checkout) = (paths.join(", "), way.checkout.display());
            let detail = format!("{checkout} cannot follow it, for what lies there at {paths}: {}", way.what);
            refused.push(blame::plain(&link.candidate, Reason::InTheWay, detail));
        }
    }
    let any = !refused.is_empty();
    for refused in refused {
        session.refuse(refused)?;
    }
    Ok(any)
}

/// Whether a path is another one, or below it.
fn is_of(path: &str, other: &str) -> bool {
    path.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

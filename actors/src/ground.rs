//! What every actor of a team stands on: the resolved scenario, the clock, the repository, the post, the book of faults
//! and the directory. No state of its own.

use crate::chaos::Chaos;
use crate::directory::Directory;
use crate::post::Post;
use crate::team::Team;
use baton_world::Clock;
use baton_world::content::ContentStore;
use baton_world::git::Repository;
use std::sync::Arc;

/// What every actor of a team stands on. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Ground {
    /// The resolved scenario.
    pub team: Arc<Team>,
    /// The run's clock.
    pub clock: Clock,
    /// The repository; lanes read and propose, the merger writes.
    pub repository: Arc<Repository>,
    /// What packets and their links are kept in.
    pub content: Arc<ContentStore>,
    /// How messages travel.
    pub post: Post,
    /// Which faults strike.
    pub chaos: Arc<Chaos>,
    /// Who is where.
    pub directory: Arc<Directory>,
}

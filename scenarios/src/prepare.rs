//! The run folder before its first lane starts: repository, journal with the team's own records, run.json.

use crate::fixture::{self, SIM_START_S};
use crate::ground_fit;
use crate::outcome::Outcome;
use crate::place::{Above, Claim, TAKEN, cannot_be_made, making_name, of_the_place, resolved};
use crate::resolve::{self, Ground};
use crate::run::{Options, RunError, Source, world_word};
use crate::scenario::{SkillFile, Workspace, World};
use baton_actors::failure::Failure;
use baton_actors::team::{LandingKind, Team, overlap};
use baton_record::event::WorldKind;
use baton_record::event::{EndpointNamed, GateNamed, LaneJoined, ResourceNamed, RoleBound, RunStarted, TaskAdded};
use baton_record::line::{Actor, Record};
use baton_record::{EndpointId, Event, LaneId, Oid, ResourceId, TaskId};
use baton_world::content::ContentStore;
use baton_world::git::{Durability, Repository};
use baton_world::{Journal, JournalError, clock};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The repository's folder within a run's.
pub(crate) const REPOSITORY: &str = "repo.git";
/// The content store's.
pub(crate) const CONTENT: &str = "content";

/// The folder of the skill files that bind its roles.
const POLICIES: &str = "policies";

/// A run that is ready to start.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) team: Team,
    pub(crate) repository: Arc<Repository>,
    pub(crate) content: ContentStore,
    pub(crate) journal: Journal,
    pub(crate) seed: u64,
    pub(crate) world: World,
    /// Held until the run has its verdict: who lists or frees runs sees that somebody is at work on it.
    pub(crate) claim: Claim,
}

/// What run.json says before there is a verdict.
#[derive(Serialize)]
struct Begun<'a> {
    format: u32,
    version: &'static str,
    scenario: &'a str,
    scenario_hash: &'a str,
    seed: u64,
    world: &'static str,
    control: bool,
    workspace: String,
    verdict: Option<()>,
}

/// What run.json says at the end.
#[derive(Serialize)]
struct Ended<'a> {
    version: &'static str,
    #[serde(flatten)]
    outcome: &'a Outcome,
}

/// Makes the folder beside its place, then renames it into it. Whatever goes wrong is told of the place itself.
pub(crate) fn prepare(
    source: Source<'_>,
    options: &Options,
    out: &Path,
    landing: LandingKind,
) -> Result<Prepared, RunError> {
    let refused = |error: std::io::Error| RunError::Folder(out.to_owned(), cannot_be_made(&error));
    let place = resolved(out).map_err(refused)?;
    let name = place.file_name().ok_or_else(|| {
        RunError::Folder(
            out.to_owned(),
            "this names no folder that could be made; choose another with --out".to_owned(),
        )
    })?;
    let parent = place.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let above = Above::make(parent).map_err(refused)?;
    let making = parent.join(making_name(name));
    let claim = Claim::lay(&making, out).inspect_err(|_| above.unmake())?;
    let made = make(source, options, &making, landing);
    let placed = made.and_then(|(ready, journal)| {
        std::fs::rename(&making, &place).map_err(|error| match error.kind() {
            ErrorKind::DirectoryNotEmpty => RunError::Taken(out.to_owned(), TAKEN),
            _ => refused(error),
        })?;
        Ok((ready, journal))
    });
    let (ready, mut journal) = match placed {
        Ok(placed) => placed,
        Err(error) => {
            // The first error is the one that counts.
            drop(std::fs::remove_dir_all(&making));
            above.unmake();
            return Err(of_the_place(error, &making, out));
        }
    };
    std::fs::File::open(parent).and_then(|parent| parent.sync_all()).map_err(refused)?;
    journal.moved_to(&out.join("journal"));
    let durability = durability(ready.world);
    let repository = Repository::open(&out.join(REPOSITORY), durability).map_err(RunError::Workspace)?;
    let Ready { team, seed, world } = ready;
    let content = ContentStore::open(&out.join(CONTENT), durability).map_err(RunError::Content)?;
    Ok(Prepared { team, repository: Arc::new(repository), content, journal, seed, world, claim })
}

struct Ready {
    team: Team,
    seed: u64,
    world: World,
}

fn make(source: Source<'_>, options: &Options, dir: &Path, landing: LandingKind) -> Result<(Ready, Journal), RunError> {
    let scenario = source.scenario;
    let seed = options.seed.unwrap_or(scenario.seed);
    let world = options.world.unwrap_or(scenario.world);
    let (base, workspace) = make_repository(source, options, &dir.join(REPOSITORY), durability(world))?;
    let start_s = match world {
        World::Sim => SIM_START_S,
        World::Live => clock::unix_seconds(),
    };
    let scenario_hash = hex(&Sha256::digest(source.bytes));
    let control = landing == LandingKind::Direct;
    let skills: Vec<&SkillFile> = scenario.roles.iter().filter_map(|role| role.skill.as_ref()).collect();
    let mut parts = vec![
        scenario_hash.clone(),
        seed.to_string(),
        env!("CARGO_PKG_VERSION").to_owned(),
        world_word(world).to_owned(),
        base.to_hex(),
        control.to_string(),
        if world == World::Live { start_s.to_string() } else { String::new() },
    ];
    // What binds the roles decides what they do, and does not stand in the scenario.
    let own_merger = Some(&scenario.merger).filter(|file| !file.is_default());
    parts.extend(skills.iter().copied().chain(own_merger).map(|file| hex(&Sha256::digest(&file.bytes))));
    let run = identity(&parts);
    let team = resolve::team(scenario, Ground { run: run.clone(), seed, world, base, start_s, landing });
    ground_fit::check(&team, &dir.join(REPOSITORY), durability(world))?;
    let started = RunStarted {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        run,
        scenario: scenario.name.clone(),
        scenario_hash: scenario_hash.clone(),
        seed,
        world: if world == World::Sim { WorldKind::Sim } else { WorldKind::Live },
        base,
        control,
    };
    let journal = make_journal(&dir.join("journal"), started, &team, durability(world))
        .map_err(|error| RunError::Failure(dir.to_owned(), Failure::Journal(error)))?;
    write_file(dir, "scenario.yaml", source.bytes)?;
    for file in skills.into_iter().chain([&scenario.merger]) {
        let folder = dir.join(POLICIES).join(&file.skill.name);
        std::fs::create_dir_all(&folder).map_err(|error| RunError::Folder(folder.clone(), error.to_string()))?;
        write_file(&folder, "SKILL.md", &file.bytes)?;
    }
    let begun = Begun {
        format: crate::outcome::FORMAT,
        version: env!("CARGO_PKG_VERSION"),
        scenario: &scenario.name,
        scenario_hash: &scenario_hash,
        seed,
        world: world_word(world),
        control,
        workspace,
        verdict: None,
    };
    write_json(dir, &begun)?;
    Ok((Ready { team, seed, world }, journal))
}

fn durability(world: World) -> Durability {
    match world {
        World::Sim => Durability::Buffered,
        World::Live => Durability::Durable,
    }
}

fn make_repository(
    source: Source<'_>,
    options: &Options,
    path: &Path,
    durability: Durability,
) -> Result<(Oid, String), RunError> {
    let (from, base) = match (&options.repository, &source.scenario.workspace) {
        (Some(path), Workspace::Repository { base, .. }) => (path.clone(), base.clone()),
        (Some(path), Workspace::Fixture { .. }) => (path.clone(), None),
        (None, Workspace::Repository { path, base }) => (PathBuf::from(path), base.clone()),
        (None, Workspace::Fixture { name, files }) => {
            let (_, main) = fixture::notes(path, *files, durability).map_err(RunError::Workspace)?;
            return Ok((main, format!("fixture {name}")));
        }
    };
    let copied = Repository::copy_of(&from, base.as_deref(), path, durability).map_err(RunError::Workspace)?;
    let main = copied.main().map_err(RunError::Workspace)?.expect("a copy has a main");
    Ok((main, from.display().to_string()))
}

fn identity(parts: &[String]) -> String {
    hex(&Sha256::digest(parts.join("\n")))[..16].to_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The records that make the team: durable before the run folder stands in its place.
fn make_journal(dir: &Path, started: RunStarted, team: &Team, durability: Durability) -> Result<Journal, JournalError> {
    let mut journal = Journal::create(dir, durability)?;
    let names: Vec<String> = team.lanes.iter().map(|lane| lane.name.clone()).collect();
    journal.append(0, &setup(started, team), &names)?;
    journal.sync_now()?;
    Ok(journal)
}

fn setup(started: RunStarted, team: &Team) -> Vec<Record> {
    let record = |actor, event| Record { t_us: 0, actor, lane: None, task: None, event };
    let mut records = vec![record(Actor::Run, Event::RunStarted(started))];
    for (at, rule) in team.leases.iter().enumerate() {
        let earlier = team.leases[..at].iter().enumerate();
        let overlaps = earlier.filter(|(_, other)| overlap(&other.resource, &rule.resource));
        let overlaps = overlaps.map(|(other, _)| ResourceId(other as u16)).collect();
        let (resource, pattern) = (ResourceId(at as u16), rule.resource.clone());
        records.push(record(Actor::Run, Event::ResourceNamed(ResourceNamed { resource, pattern, overlaps })));
    }
    for (at, model) in team.models.iter().enumerate() {
        let named = EndpointNamed {
            endpoint: EndpointId(at as u16),
            name: model.name.clone(),
            slots: model.slots,
            requests_per_minute: model.rate.requests,
            tokens_per_minute: model.rate.tokens,
        };
        records.push(record(Actor::Run, Event::EndpointNamed(named)));
    }
    for gate in &team.gates {
        records.push(record(Actor::Run, Event::GateNamed(GateNamed { gate: gate.name.clone() })));
    }
    for binding in &team.bindings {
        let (role, skill, digest) = (binding.role.clone(), binding.skill.clone(), binding.digest.clone());
        records.push(record(Actor::Run, Event::RoleBound(RoleBound { role, skill, digest })));
    }
    for (at, lane) in team.lanes.iter().enumerate() {
        let id = LaneId(at as u32);
        let joined = LaneJoined { id, role: lane.role.clone(), model: EndpointId(lane.model as u16) };
        records.push(Record { lane: Some(id), ..record(Actor::Supervisor, Event::LaneJoined(joined)) });
    }
    for (at, work) in team.tasks.iter().enumerate() {
        let work = &team.work[*work];
        let added = TaskAdded {
            role: work.role.clone(),
            attempts_max: work.attempts,
            artifact: work.canonical.clone(),
            group: work.group,
            after: work.after.clone(),
            review: work.review.as_ref().map(|review| review.role.clone()),
            rounds_max: work.review.as_ref().map(|review| review.rounds),
            plan: work.plan,
        };
        let task = Some(TaskId(at as u32));
        records.push(Record { task, ..record(Actor::Supervisor, Event::TaskAdded(added)) });
    }
    for (set, lane) in &team.budgets {
        records.push(Record { lane: *lane, ..record(Actor::Supervisor, Event::BudgetSet(set.clone())) });
    }
    records
}

pub(crate) fn write_file(dir: &Path, name: &str, content: &[u8]) -> Result<(), RunError> {
    let path = dir.join(name);
    written(&path, content).map_err(|error| RunError::Folder(path, error.to_string()))
}

/// A file whose content is on the disk: a run folder without it is found broken.
fn written(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut file = std::fs::File::create(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn write_json(dir: &Path, value: &impl Serialize) -> Result<(), RunError> {
    let mut text = serde_json::to_vec_pretty(value).expect("plain values can be written as JSON");
    text.push(b'\n');
    replace_file(dir, "run.json", &text)
}

/// Puts a file in the place of what has its name: whoever reads it sees the old one or the new one, whole.
pub(crate) fn replace_file(dir: &Path, name: &str, content: &[u8]) -> Result<(), RunError> {
    let (path, new) = (dir.join(name), dir.join(format!("{name}.new")));
    let written = written(&new, content).and_then(|()| std::fs::rename(&new, &path));
    written.map_err(|error| RunError::Folder(path, error.to_string()))
}

/// Puts the outcome into run.json.
pub(crate) fn write_verdict(dir: &Path, outcome: &Outcome) -> Result<(), RunError> {
    write_json(dir, &Ended { version: env!("CARGO_PKG_VERSION"), outcome })
}

/// Where main is, hex.
pub(crate) fn head_of(repository: &Path) -> Result<String, RunError> {
    let opened = Repository::open(repository, Durability::Buffered).map_err(RunError::Workspace)?;
    let main = opened.main().map_err(RunError::Workspace)?;
    Ok(main.map(|main| main.to_hex()).unwrap_or_default())
}

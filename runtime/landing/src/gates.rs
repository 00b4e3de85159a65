//! Gates of a repository: the operator's commands, run on exactly the trees that main would get.
//!
//! A gate comes from the operator's command line, or from a file on main's own commit; never from a branch that is to land.

mod failing;

use crate::LandError;
use crate::fact::{Fact, GateRan};
use crate::site::Site;
use crate::verdicts::{Verdicts, hex};
use baton_record::Oid;
use baton_world::content::ContentStore;
use baton_world::gate::{GateCommand, GateEnd, GateRoom, GateRun, Stop};
use baton_world::git::{Cone, Scratch};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::sync::Mutex;

/// One gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Its command line, for `sh -c`.
    pub line: String,
    /// It is ended after so many seconds.
    pub timeout_s: u64,
    /// So often a red one is tried again, each time written down.
    pub retries: u32,
}

/// How long a gate may take if nobody says otherwise: half an hour, in seconds.
pub const TIMEOUT_S: u64 = 1800;

impl Gate {
    /// A gate with what nobody said left as usual.
    pub fn of(line: &str) -> Gate {
        Gate { line: line.to_owned(), timeout_s: TIMEOUT_S, retries: 0 }
    }
}

/// What all gates say about one tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All have passed it, now or before.
    Passed,
    /// This one has not.
    Red(RedGate),
    /// Somebody wished to stop.
    Stopped,
}

/// A gate that refused a tree.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RedGate {
    /// Its command line.
    pub gate: String,
    /// How it ended.
    pub end: String,
    /// Digest of what it said.
    pub output: String,
    /// The end of that.
    pub tail: String,
    /// The tests that failed, as far as what it said can be read.
    pub failing: Vec<String>,
}

/// Gates at work: rooms that are free, what has been found out, and what is to be written down.
#[derive(Debug)]
pub(crate) struct GateKeeper<'s> {
    verdicts: &'s Verdicts,
    outputs: &'s ContentStore,
    gates: Vec<Gate>,
    environment: String,
    rooms: Mutex<Vec<GateRoom>>,
    /// What gates see of a tree, where the person has checked out only a part of theirs.
    cone: Option<Cone>,
    /// Submodules of which the person has nothing, so that gates see empty folders.
    empty: Mutex<BTreeSet<String>>,
    stop: Stop,
}

/// One tree that gates are asked about.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    pub(crate) commit: Oid,
    pub(crate) tree: Oid,
    /// Names of the changes in it.
    pub(crate) changes: Vec<String>,
}

/// What came of a probe: the verdict, and every run of a gate that it took.
pub(crate) type Probed = Result<(Verdict, Vec<Fact>), LandError>;

impl<'s> GateKeeper<'s> {
    /// Gates with `jobs` rooms.
    pub(crate) fn new(site: &'s Site, gates: &[Gate], jobs: u32, stop: Stop) -> Result<GateKeeper<'s>, LandError> {
        let rooms = (0..jobs.max(1)).map(|number| site.gate_room(number)).collect::<Result<_, _>>()?;
        let cone = site.repository().cone()?;
        let (gates, environment) = (gates.to_vec(), environment(cone.as_ref()));
        let (verdicts, outputs) = (site.verdicts(), site.outputs());
        Ok(GateKeeper {
            verdicts,
            outputs,
            gates,
            environment,
            rooms: Mutex::new(rooms),
            cone,
            empty: Mutex::default(),
            stop,
        })
    }

    /// Submodules that were empty in the folder of some gate.
    pub(crate) fn empty_submodules(&self) -> Vec<String> {
        self.empty.lock().expect("nobody panics here").iter().cloned().collect()
    }

    /// Whether all gates are known to pass this tree.
    pub(crate) fn knows(&self, tree: Oid) -> bool {
        self.gates.iter().all(|gate| self.remembered(tree, gate).is_some())
    }

    fn remembered(&self, tree: Oid, gate: &Gate) -> Option<u64> {
        self.verdicts.passed(tree, &gate.line, &self.environment)
    }

    /// Asks all gates about several trees at once; the answers in their order.
    pub(crate) fn probe_all(&self, scratch: &Scratch<'_>, probes: &[Probe]) -> Vec<Probed> {
        if let [probe] = probes {
            return vec![self.probe(scratch, probe)];
        }
        std::thread::scope(|scope| {
            let asked: Vec<_> = probes.iter().map(|probe| scope.spawn(move || self.probe(scratch, probe))).collect();
            let joined = asked.into_iter().map(|thread| thread.join());
            joined.map(|answer| answer.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
        })
    }

    /// Asks all gates about one tree. What has passed before is not run again.
    fn probe(&self, scratch: &Scratch<'_>, probe: &Probe) -> Probed {
        let mut facts = Vec::new();
        let unknown: Vec<&Gate> =
            self.gates.iter().filter(|gate| self.remembered(probe.tree, gate).is_none()).collect();
        if unknown.is_empty() {
            return Ok((Verdict::Passed, facts));
        }
        let mut room = self.rooms.lock().expect("nobody panics here").pop().expect("a room for each thread");
        let verdict = self.probe_in(&mut room, scratch, (probe, &unknown), &mut facts);
        self.rooms.lock().expect("nobody panics here").push(room);
        verdict.map(|verdict| (verdict, facts))
    }

    fn probe_in(
        &self,
        room: &mut GateRoom,
        scratch: &Scratch<'_>,
        (probe, gates): (&Probe, &[&Gate]),
        facts: &mut Vec<Fact>,
    ) -> Result<Verdict, LandError> {
        for gate in gates {
            let mut attempt = 0;
            let (run, whole) = loop {
                attempt += 1;
                let empty = room.enter(scratch, probe.commit, self.cone.as_ref())?;
                let whole = empty.is_empty();
                self.empty.lock().expect("nobody panics here").extend(empty);
                let command = GateCommand { line: gate.line.clone(), timeout_s: gate.timeout_s };
                let run = command.run(room, self.outputs, &self.stop)?;
                facts.push(Fact::GateRan(ran(gate, probe, &run, attempt)));
                let again = !matches!(run.end, GateEnd::Passed | GateEnd::Stopped) && attempt <= gate.retries;
                if !again {
                    break (run, whole);
                }
            };
            match &run.end {
                // Of a tree with empty submodules more may be there tomorrow.
                GateEnd::Passed if !whole => {}
                GateEnd::Passed => {
                    let took_ms = (run.took_s * 1000.0) as u64;
                    self.verdicts.remember(probe.tree, &gate.line, &self.environment, took_ms);
                }
                GateEnd::Stopped => return Ok(Verdict::Stopped),
                end => {
                    let (gate, end) = (gate.line.clone(), in_words(end, gate.timeout_s));
                    let failing = failing::tests(&String::from_utf8_lossy(&run.said));
                    return Ok(Verdict::Red(RedGate { gate, end, output: run.output, tail: run.tail, failing }));
                }
            }
        }
        Ok(Verdict::Passed)
    }
}

fn ran(gate: &Gate, probe: &Probe, run: &GateRun, attempt: u32) -> GateRan {
    GateRan {
        gate: gate.line.clone(),
        commit: probe.commit,
        tree: probe.tree,
        changes: probe.changes.clone(),
        passed: run.end == GateEnd::Passed,
        end: in_words(&run.end, gate.timeout_s),
        attempt,
        took_ms: (run.took_s * 1000.0) as u64,
        output: run.output.clone(),
    }
}

fn in_words(end: &GateEnd, timeout_s: u64) -> String {
    match end {
        GateEnd::Passed => "passed".to_owned(),
        GateEnd::Failed(how) => match how.as_str() {
            "status 127" => "status 127: a command was not found".to_owned(),
            "status 126" => "status 126: a command cannot be executed".to_owned(),
            how if how.starts_with("signal ") => format!("killed by {how}"),
            how => how.to_owned(),
        },
        GateEnd::TimedOut => format!("ended after {timeout_s} s, which is its limit"),
        GateEnd::TooLoud => "ended because it said more than 32 MiB".to_owned(),
        GateEnd::Stopped => "stopped".to_owned(),
    }
}

/// What a verdict depends on beside tree and command, as far as it can be told cheaply: the machine, where programs are found,
/// and how much of the tree is there.
fn environment(cone: Option<&Cone>) -> String {
    let of = |name: &str| std::env::var_os(name).unwrap_or_default();
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let said = format!("{}\0{kernel}\0{:?}\0{:?}", std::env::consts::ARCH, of("PATH"), of("HOME"));
    let cone = cone.map_or(&[][..], |cone| &cone.patterns);
    hex(&Sha256::digest([said.as_bytes(), cone].concat()))
}

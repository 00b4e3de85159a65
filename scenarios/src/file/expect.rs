//! What must hold at the end: `expect`, and which figures are to be reached: `thresholds`.
//!
//! Owns the small language of both. Knows the names of metrics, not how they are measured.

use super::codes::Code;
use super::duration;
use super::faults::Sink;
use super::names;
use super::scalar::{Field, Scalar, listed, shown};
use super::table::{self, ListOf};
use crate::metric::{self, Count};
use crate::scenario::{Comparison, Expectation, Metric};

/// Longest number of an expectation; every shorter one is finite.
const NUMBER_MAX: usize = 24;

/// Two characters before one, so that `<=` is not read as `<`.
const COMPARISONS: [(&str, Comparison); 6] = [
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("<", Comparison::Less),
    (">", Comparison::More),
];

/// What the rest of the file allows to be found; `None` where that part was refused.
#[derive(Clone, Copy)]
pub(crate) struct Scene {
    /// Whether there is a control run.
    pub(crate) control: Option<bool>,
    /// All tasks together.
    pub(crate) tasks: Option<u64>,
    /// Entries of `faults`.
    pub(crate) faults: Option<u64>,
}

/// The section `expect`.
pub(crate) fn expectations(sink: &mut Sink, field: Field<'_>, scene: Scene) -> Option<Vec<Expectation>> {
    list(sink, field, "main.intact, tasks.landed == 200", scene)
}

/// The section `thresholds`.
pub(crate) fn thresholds(sink: &mut Sink, field: Field<'_>, scene: Scene) -> Option<Vec<Expectation>> {
    list(sink, field, "merge.wait.p95 < 60s", scene)
}

fn list(sink: &mut Sink, field: Field<'_>, example: &'static str, scene: Scene) -> Option<Vec<Expectation>> {
    let of = ListOf { example, needed: false };
    table::list(sink, field, of, |sink, entry| {
        let scalar = entry.scalar(sink, "an expectation: `tasks.landed == 200`")?;
        expectation(sink, scalar, scene)
    })
}

fn expectation(sink: &mut Sink, scalar: Scalar<'_>, scene: Scene) -> Option<Expectation> {
    let text = scalar.text.trim();
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let metric = metric(sink, scalar, word)?;
    let (comparison, value) = match rest.trim_start() {
        "" if metric == Metric::MainIntact => (Comparison::Equal, 1.0),
        "" => {
            let (number, what) = if metric.is_time() { ("60s", "time") } else { ("0", "number") };
            let help = format!("write `{word} == {number}`, or with another comparison and {what}");
            unreadable(sink, scalar, "nothing is compared with", help);
            return None;
        }
        rest => compared(sink, scalar, (word, metric), rest)?,
    };
    if scene.control == Some(false) && metric.is_of_control() {
        sink.error(Code::NoControl, scalar.span, format!("`{word}` is counted in a control run, which is not made"))
            .label("never counted")
            .help("add `control: without-merger`");
        return None;
    }
    let found = Found::of(metric, scene);
    if !found.can(comparison, value) {
        sink.error(Code::NeverHolds, scalar.span, format!("{} can never hold", shown(text)))
            .label("never so")
            .help(format!("`{word}` is {}", found.told()));
        return None;
    }
    if !found.can(opposite(comparison), value) {
        sink.error(Code::AlwaysHolds, scalar.span, format!("{} can never fail", shown(text)))
            .label("always so, whatever happens")
            .help(format!("`{word}` is {}: expect less of that", found.told()));
    }
    Some(Expectation { text: text.to_owned(), metric, comparison, value })
}

/// The values that a metric can have.
struct Found {
    most: Option<f64>,
    whole: bool,
}

impl Found {
    fn of(metric: Metric, scene: Scene) -> Found {
        let count = |most: Option<u64>| Found { most: most.map(|most| most as f64), whole: true };
        match metric {
            Metric::MainIntact => count(Some(1)),
            Metric::Count(Count::TasksLanded | Count::TasksFailed) => count(scene.tasks),
            Metric::Count(Count::FaultsFelt) => count(scene.faults),
            Metric::Count(Count::FaultsInjected) => count(scene.faults.filter(|faults| *faults == 0)),
            Metric::Count(_) => count(None),
            Metric::Usd(_) | Metric::VirtualS | Metric::Time(..) => Found { most: None, whole: false },
        }
    }

    /// Whether any of them compares so. The least is 0 for every metric.
    fn can(&self, comparison: Comparison, value: f64) -> bool {
        let reached = |above: f64| self.most.is_none_or(|most| most >= above);
        match comparison {
            Comparison::Equal => value >= 0.0 && reached(value) && !(self.whole && value.fract() != 0.0),
            Comparison::NotEqual => value != 0.0 || self.most != Some(0.0),
            Comparison::Less => value > 0.0,
            Comparison::AtMost => value >= 0.0,
            Comparison::More => self.most.is_none_or(|most| most > value),
            Comparison::AtLeast => reached(value),
        }
    }

    fn told(&self) -> String {
        let kind = if self.whole { "a whole number" } else { "a number" };
        match self.most {
            Some(most) => format!("{kind} from 0 to {most} in this file"),
            None => format!("{kind}, 0 or more"),
        }
    }
}

fn opposite(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Equal => Comparison::NotEqual,
        Comparison::NotEqual => Comparison::Equal,
        Comparison::Less => Comparison::AtLeast,
        Comparison::AtMost => Comparison::More,
        Comparison::More => Comparison::AtMost,
        Comparison::AtLeast => Comparison::Less,
    }
}

fn metric(sink: &mut Sink, scalar: Scalar<'_>, word: &str) -> Option<Metric> {
    if word.is_empty() {
        unreadable(sink, scalar, "a metric is missing", "begin with a metric: `tasks.landed == 200`".to_owned());
        return None;
    }
    if let Some(metric) = metric::find(word) {
        return Some(metric);
    }
    let words: Vec<String> = metric::all().map(|(word, _)| word).collect();
    let words = || words.iter().map(String::as_str);
    let help = match names::nearest(sink, word, words()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("metrics: {}", listed(words())),
    };
    sink.error(Code::UnknownMetric, scalar.span, format!("no metric is called {}", shown(word)))
        .label("no such metric")
        .help(help);
    None
}

fn compared(
    sink: &mut Sink,
    scalar: Scalar<'_>,
    (word, metric): (&str, Metric),
    rest: &str,
) -> Option<(Comparison, f64)> {
    let read = |text: &str| if metric.is_time() { seconds(text) } else { decimal(text) };
    let what = if metric.is_time() { "time" } else { "number" };
    let Some((symbol, comparison)) = COMPARISONS.iter().find(|(symbol, _)| rest.starts_with(symbol)) else {
        let number = rest.trim_start_matches(['=', '~', ':']).trim();
        let help = if rest.starts_with(['=', ':']) && read(number).is_some() {
            format!("write `{word} == {number}`")
        } else {
            let symbols = listed(COMPARISONS.iter().map(|(symbol, _)| *symbol));
            format!("write a metric, one of {symbols}, and a {what}")
        };
        unreadable(sink, scalar, "a comparison is missing", help);
        return None;
    };
    let number = rest[symbol.len()..].trim();
    let Some(value) = read(number) else {
        let help = if metric.is_time() {
            format!("write a time with its unit: `{word} {symbol} 60s`")
        } else {
            format!("write a number with digits and at most one point: `{word} {symbol} 5`")
        };
        unreadable(sink, scalar, &format!("a {what} is missing or not one"), help);
        return None;
    };
    Some((*comparison, value))
}

/// A time of the file in seconds.
fn seconds(text: &str) -> Option<f64> {
    let us = duration::parse(text).filter(|_| text.len() <= NUMBER_MAX)?;
    Some(us as f64 / 1e6)
}

fn decimal(text: &str) -> Option<f64> {
    // Less than nothing can be written, so that it is told why it is never found.
    let bare = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = bare.split_once('.').unwrap_or((bare, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if text.len() > NUMBER_MAX || !digits(whole) || !digits(part) {
        return None;
    }
    text.parse().ok()
}

fn unreadable(sink: &mut Sink, scalar: Scalar<'_>, label: &str, help: String) {
    sink.error(Code::BadExpectation, scalar.span, format!("{} cannot be read as an expectation", shown(scalar.text)))
        .label(label)
        .help(help);
}

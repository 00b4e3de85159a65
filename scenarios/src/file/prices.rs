//! Whether money and tokens that are limited can be counted: prices and tokens of the models whose calls a limit is about.
//!
//! Owns what of a price is needed where. A price itself is read with its model; that its amounts make sense is seen there.

use super::codes::Code;
use super::faults::Sink;
use super::scalar::{Field, shown};
use super::source::Span;
use super::team::{Models, Roles};
use super::tree::{Kind, Node};

/// What is said of a model's costs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pricing {
    /// The key `price`, if it is given.
    pub(crate) at: Option<Span>,
    /// Whether `in` and `out` are given.
    pub(crate) given: (bool, bool),
    /// Whether the price is said to be nothing.
    free: bool,
    /// Whether a call sends tokens, and whether it receives any; `None`: its tokens were refused.
    pub(crate) tokens: Option<(bool, bool)>,
}

impl Pricing {
    /// Of a model of which nothing can be said.
    pub(crate) const REFUSED: Pricing = Pricing { at: None, given: (false, false), free: false, tokens: None };

    /// Of a model's field `price`.
    pub(crate) fn of(price: Option<Field<'_>>, tokens: Option<(u64, u64, u64)>) -> Pricing {
        let has = |key: &str| price.is_some_and(|field| value(field.node, key).is_some());
        let tokens = tokens.map(|(sent, _, most)| (sent > 0, most > 0));
        let is_nothing = |key: &str| {
            let amount = price.and_then(|field| value(field.node, key));
            amount.is_some_and(|node| matches!(&node.kind, Kind::Scalar { text, .. } if text.parse() == Ok(0.0)))
        };
        let free = is_nothing("in") && is_nothing("out");
        Pricing { at: price.map(|field| field.at), given: (has("in"), has("out")), free, tokens }
    }

    /// Which of `in` and `out` are missing: those of tokens that are used, and both of a price that is begun.
    fn lacks(&self) -> Option<&'static str> {
        let (sends, receives) = self.tokens?;
        let begun = self.at.is_some();
        match ((sends || begun) && !self.given.0, (receives || begun) && !self.given.1) {
            (true, true) => Some("`in` and `out`"),
            (true, false) => Some("`in`"),
            (false, true) => Some("`out`"),
            (false, false) => None,
        }
    }
}

/// A limit: whose, by name, if it is one role's, and where it stands.
type Limit<'n> = (Option<&'n str>, Span);

/// Every model that calls under a limit in dollars, of the file or of an operator, has a price, and every one that calls under a
/// limit in dollars or tokens uses some; told once for each model.
pub(crate) fn tell(
    sink: &mut Sink,
    (budgets, operators): (Option<Field<'_>>, Option<Field<'_>>),
    (models, roles): (&Models<'_>, &Roles<'_>),
) {
    let dollars = limits(budgets, operators, "usd");
    let tokens = limits(budgets, operators, "tokens");
    for (place, (name, at, pricing)) in models.pricing.iter().enumerate() {
        let first = |limits: &[Limit<'_>]| {
            let mut calls = roles.rows.iter().filter(|row| row.model == Some(place));
            calls.find_map(|row| {
                let limit = limits.iter().find(|(role, _)| role.is_none_or(|role| role == row.name))?;
                Some((row.name.to_owned(), limit.1))
            })
        };
        let (in_dollars, in_tokens) = (first(&dollars), first(&tokens));
        if let (Some((role, limit)), Some(lacks)) = (&in_dollars, pricing.lacks()) {
            let help = "write what a million tokens cost: `price: { in: 3.0, out: 15.0 }`; 0 where they cost nothing";
            let model = shown(name);
            let message = match pricing.at {
                Some(_) => format!(
                    "the price of the model {model} lacks {lacks}, and role `{role}` calls it for limited money"
                ),
                None => format!("the model {model} has no price, and role `{role}` calls it for limited money"),
            };
            sink.error(Code::Unpriced, pricing.at.unwrap_or(*at), message)
                .label("what its calls cost is not known")
                .help(help)
                .also(*limit, "this limit is in dollars");
            continue;
        }
        // A doubt is told of models that could be read.
        let uses_none = models.list.is_some() && pricing.tokens == Some((false, false));
        let held = [(in_dollars.filter(|_| !pricing.free), "dollars"), (in_tokens, "tokens")];
        let Some(((_, limit), unit)) = held.into_iter().find_map(|(limit, unit)| Some((limit?, unit))) else {
            continue;
        };
        if uses_none {
            doubt(sink, (name, *at), (limit, unit));
        }
    }
}

fn doubt(sink: &mut Sink, (name, at): (&str, Span), (limit, unit): (Span, &str)) {
    let cost = if unit == "dollars" { "cost nothing" } else { "use nothing" };
    sink.error(Code::CostsNothing, at, format!("calls of the model {} {cost}, as it has no `tokens`", shown(name)))
        .label(format!("no limit in {unit} holds it"))
        .help("write what a call sends and receives: `tokens: { in: 4000, out: 600 }`, and `price`")
        .also(limit, format!("this limit is in {unit}"));
}

/// All limits in a unit, those of the file first.
fn limits<'n>(budgets: Option<Field<'n>>, operators: Option<Field<'n>>, unit: &str) -> Vec<Limit<'n>> {
    let mut limits = Vec::new();
    budgets.into_iter().for_each(|field| of_scopes(field.node, unit, &mut limits));
    if let Some(Kind::Sequence(entries)) = operators.map(|field| &field.node.kind) {
        let set = entries.iter().filter_map(|entry| value(value(entry, "do")?, "budget"));
        set.for_each(|node| of_scopes(node, unit, &mut limits));
    }
    limits
}

fn of_scopes<'n>(node: &'n Node, unit: &str, limits: &mut Vec<Limit<'n>>) {
    // What is no amount has a fault of its own.
    let amount = |node: &'n Node| value(node, unit).filter(|amount| is_amount(amount)).map(|amount| amount.span);
    let all = ["run", "lane", "call"].into_iter().filter_map(|scope| amount(value(node, scope)?));
    limits.extend(all.map(|at| (None, at)));
    if let Some(Kind::Mapping(roles)) = value(node, "role").map(|node| &node.kind) {
        limits.extend(roles.iter().filter_map(|role| Some((Some(role.key.text.as_str()), amount(&role.value)?))));
    }
}

fn value<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    let Kind::Mapping(entries) = &node.kind else { return None };
    entries.iter().find(|entry| entry.key.text == key).map(|entry| &entry.value)
}

fn is_amount(node: &Node) -> bool {
    matches!(&node.kind, Kind::Scalar { text, plain: true } if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
}

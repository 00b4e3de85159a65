//! Whether money that is limited can be counted: prices of the models whose calls a limit in dollars is about.
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
    /// Whether a call sends tokens, and whether it receives any; `None`: its tokens were refused.
    pub(crate) tokens: Option<(bool, bool)>,
}

impl Pricing {
    /// Of a model of which nothing can be said.
    pub(crate) const REFUSED: Pricing = Pricing { at: None, given: (false, false), tokens: None };

    /// Of a model's field `price`.
    pub(crate) fn of(price: Option<Field<'_>>, tokens: Option<(u64, u64, u64)>) -> Pricing {
        let has = |key: &str| price.is_some_and(|field| value(field.node, key).is_some());
        let tokens = tokens.map(|(sent, _, most)| (sent > 0, most > 0));
        Pricing { at: price.map(|field| field.at), given: (has("in"), has("out")), tokens }
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

/// A limit in dollars: whose, by name, if it is one role's, and where it stands.
type InDollars<'n> = (Option<&'n str>, Span);

/// Every model that calls under a limit in dollars, of the file or of an operator, has a price; told once for each model.
pub(crate) fn tell(
    sink: &mut Sink,
    (budgets, operators): (Option<Field<'_>>, Option<Field<'_>>),
    (models, roles): (&Models<'_>, &Roles<'_>),
) {
    let limits = in_dollars(budgets, operators);
    if limits.is_empty() {
        return;
    }
    for (place, (name, at, pricing)) in models.pricing.iter().enumerate() {
        let calls = roles.rows.iter().filter(|row| row.model == Some(place));
        let limited = calls.filter_map(|row| {
            let limit = limits.iter().find(|(role, _)| role.is_none_or(|role| role == row.name))?;
            Some((row.name, limit.1))
        });
        let Some((role, limit)) = limited.into_iter().next() else { continue };
        let help = "write what a million tokens cost: `price: { in: 3.0, out: 15.0 }`; 0 where they cost nothing";
        let model = shown(name);
        if let Some(lacks) = pricing.lacks() {
            let message = match pricing.at {
                Some(_) => format!(
                    "the price of the model {model} lacks {lacks}, and role `{role}` calls it for limited money"
                ),
                None => format!("the model {model} has no price, and role `{role}` calls it for limited money"),
            };
            sink.error(Code::Unpriced, pricing.at.unwrap_or(*at), message)
                .label("what its calls cost is not known")
                .help(help)
                .also(limit, "this limit is in dollars");
        } else if models.list.is_some() && pricing.tokens == Some((false, false)) && pricing.at.is_none() {
            // A doubt is told of models that could be read.
            sink.error(
                Code::CostsNothing,
                *at,
                format!("calls of the model {model} cost nothing, as it has no `tokens`"),
            )
            .label("no limit in dollars holds it")
            .help("write what a call sends and receives: `tokens: { in: 4000, out: 600 }`, and `price`")
            .also(limit, "this limit is in dollars");
        }
    }
}

/// All limits in dollars, those of the file first.
fn in_dollars<'n>(budgets: Option<Field<'n>>, operators: Option<Field<'n>>) -> Vec<InDollars<'n>> {
    let mut limits = Vec::new();
    budgets.into_iter().for_each(|field| of_scopes(field.node, &mut limits));
    if let Some(Kind::Sequence(entries)) = operators.map(|field| &field.node.kind) {
        let set = entries.iter().filter_map(|entry| value(value(entry, "do")?, "budget"));
        set.for_each(|node| of_scopes(node, &mut limits));
    }
    limits
}

fn of_scopes<'n>(node: &'n Node, limits: &mut Vec<InDollars<'n>>) {
    // What is no amount has a fault of its own.
    let usd = |node: &'n Node| value(node, "usd").filter(|usd| is_amount(usd)).map(|usd| usd.span);
    let all = ["run", "lane", "call"].into_iter().filter_map(|scope| usd(value(node, scope)?));
    limits.extend(all.map(|at| (None, at)));
    if let Some(Kind::Mapping(roles)) = value(node, "role").map(|node| &node.kind) {
        limits.extend(roles.iter().filter_map(|role| Some((Some(role.key.text.as_str()), usd(&role.value)?))));
    }
}

fn value<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    let Kind::Mapping(entries) = &node.kind else { return None };
    entries.iter().find(|entry| entry.key.text == key).map(|entry| &entry.value)
}

fn is_amount(node: &Node) -> bool {
    matches!(&node.kind, Kind::Scalar { text, plain: true } if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
}

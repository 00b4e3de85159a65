//! Numbers: whole ones, shares in percent, amounts of dollars.
//!
//! Owns their spelling and bounds. A number in quotes is refused, so that `"8"` and `8` cannot come to mean
//! different things in different programs; shares have a percent sign and may stand in quotes.

use super::codes::Code;
use super::faults::Sink;
use super::scalar::{Field, Scalar, shown};
use std::ops::RangeInclusive;

/// Decimals of a dollar that count.
const DOLLAR_DECIMALS: usize = 6;
/// Dollars per million tokens: with it, the price of [`TOKENS_MAX`] tokens is counted in 64 bits.
const DOLLARS_MAX: u64 = 100_000;
/// Decimals of a percent: parts per million have four more digits than whole percents.
const PERCENT_DECIMALS: usize = 4;
/// Tokens of one call.
pub(crate) const TOKENS_MAX: u64 = 100_000_000;

impl Field<'_> {
    /// A whole number within bounds.
    pub(crate) fn integer(&self, sink: &mut Sink, bounds: RangeInclusive<u64>) -> Option<u64> {
        let scalar = self.scalar(sink, "a whole number: `8`")?;
        let text = scalar.text;
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || !scalar.plain || (text.len() > 1 && text.starts_with('0')) {
            self.not_integer(sink, scalar);
            return None;
        }
        match text.parse::<u64>() {
            Ok(value) if bounds.contains(&value) => Some(value),
            _ => {
                let (least, most) = (bounds.start(), bounds.end());
                sink.error(Code::OutOfBounds, scalar.span, format!("`{}` cannot be {}", self.name, shown(text)))
                    .label("out of bounds")
                    .help(format!("write a number from {least} to {most}"));
                None
            }
        }
    }

    /// A whole number that fits into 32 bits.
    pub(crate) fn count(&self, sink: &mut Sink, bounds: RangeInclusive<u32>) -> Option<u32> {
        let value = self.integer(sink, u64::from(*bounds.start())..=u64::from(*bounds.end()))?;
        u32::try_from(value).ok()
    }

    fn not_integer(&self, sink: &mut Sink, scalar: Scalar<'_>) {
        let text = scalar.text;
        let digits: String = text.chars().filter(|c| !matches!(c, '_' | ',' | ' ' | '+')).collect();
        let digits = digits.strip_suffix(".0").unwrap_or(&digits).trim_start_matches('0');
        let number = digits.len() <= 20 && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let help = match (number, scalar.plain) {
            (true, true) => format!("write `{digits}`"),
            (true, false) => format!("write `{digits}` without quotes"),
            (false, _) => "write a whole number with digits alone: `8`".to_owned(),
        };
        let what = if scalar.plain { "is not a whole number" } else { "is text in quotes, not a number" };
        sink.error(Code::NotInteger, scalar.span, format!("`{}`: {} {what}", self.name, shown(text)))
            .label("a whole number is expected")
            .help(help);
    }

    /// A share, `0.5%`, in parts per million.
    pub(crate) fn share(&self, sink: &mut Sink) -> Option<u32> {
        let scalar = self.scalar(sink, "a share: `5%`")?;
        let number = scalar.text.strip_suffix('%').and_then(|number| decimal(number, PERCENT_DECIMALS));
        let Some(ppm) = number else {
            let help = match scalar.text.parse::<f64>() {
                Ok(part) if part > 0.0 && part < 1.0 => format!("write `{}%`", percent(part * 100.0)),
                Ok(whole) if (1.0..=100.0).contains(&whole) => format!("write `{}%`", percent(whole)),
                _ => "write a number from 0 to 100 with at most four decimals and a percent sign: `5%`".to_owned(),
            };
            sink.error(Code::NotShare, scalar.span, format!("{} is not a share in percent", shown(scalar.text)))
                .label("a share is expected")
                .help(help);
            return None;
        };
        if ppm > 1_000_000 {
            sink.error(Code::OutOfBounds, scalar.span, format!("{} is more than everything", shown(scalar.text)))
                .label("out of bounds")
                .help("write a share from 0% to 100%");
            return None;
        }
        u32::try_from(ppm).ok()
    }

    /// Dollars, `3.0`, in millionths.
    pub(crate) fn dollars(&self, sink: &mut Sink) -> Option<u64> {
        let scalar = self.scalar(sink, "dollars: `3.0`")?;
        let number = decimal(scalar.text, DOLLAR_DECIMALS).filter(|_| scalar.plain);
        let Some(micros) = number else {
            sink.error(Code::NotAmount, scalar.span, format!("{} is not an amount of dollars", shown(scalar.text)))
                .label("an amount of dollars is expected")
                .help("write a number with at most six decimals and without sign, currency or quotes: `3.0`");
            return None;
        };
        if micros > DOLLARS_MAX * 1_000_000 {
            sink.error(Code::OutOfBounds, scalar.span, format!("{} dollars are too many", shown(scalar.text)))
                .label("out of bounds")
                .help(format!("write at most {DOLLARS_MAX} dollars"));
            return None;
        }
        Some(micros)
    }
}

fn percent(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A number without sign, in units of its last possible decimal: `decimal("1.5", 3)` is 1,500.
/// Numbers beyond 64 bits are as large as 64 bits can hold.
fn decimal(text: &str, decimals: usize) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    if !digits(whole) || !digits(part) || part.len() > decimals || leading_zero {
        return None;
    }
    let mut value = whole.parse::<u64>().unwrap_or(u64::MAX);
    for place in 0..decimals {
        let digit = part.as_bytes().get(place).map_or(0, |digit| u64::from(digit - b'0'));
        value = value.saturating_mul(10).saturating_add(digit);
    }
    Some(value)
}

//! Chance in figures: what draws come to on the average, and what a sum of many of them is hardly ever below.
//!
//! Owns no draw: [`baton_world::Seeds`] does. Formulas of the log-normal and the normal distribution.

use crate::scenario::{Latency, Model};

/// A sum of draws is below its mean by so many standard deviations once in about thirty thousand times.
const HARDLY_EVER: f64 = 4.0;
/// The 99th percentile of the standard normal distribution.
const Z99: f64 = 2.326_347_874_040_841;

/// Mean and variance of one draw.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Draw {
    pub(crate) mean: f64,
    pub(crate) variance: f64,
}

impl Draw {
    /// What is always the same.
    pub(crate) fn fixed(value: f64) -> Draw {
        Draw { mean: value, variance: 0.0 }
    }

    /// The sum of so many independent draws.
    pub(crate) fn times(self, count: f64) -> Draw {
        Draw { mean: self.mean * count, variance: self.variance * count }
    }

    /// The sum of two independent draws.
    pub(crate) fn plus(self, other: Draw) -> Draw {
        Draw { mean: self.mean + other.mean, variance: self.variance + other.variance }
    }

    /// What it is hardly ever below; never below nothing.
    pub(crate) fn low(self) -> f64 {
        (self.mean - HARDLY_EVER * self.variance.sqrt()).max(0.0)
    }
}

/// Seconds of a waiting time: log-normal, so its mean is `median * exp(sigma^2 / 2)` and its variance
/// `mean^2 * (exp(sigma^2) - 1)`, with `sigma = ln(p99 / median) / 2.3263`.
pub(crate) fn seconds(latency: Latency) -> Draw {
    let (median, sigma) = (latency.median_us as f64 / 1e6, sigma(latency.median_us, latency.p99_us));
    let mean = median * (sigma * sigma / 2.0).exp();
    Draw { mean, variance: mean * mean * ((sigma * sigma).exp() - 1.0) }
}

/// The mean of the longest of so many waiting times: the sum of `exp(mu + sigma z)`, weighted with what `Phi(z)^count` grows
/// by, in steps of a fiftieth.
pub(crate) fn longest(latency: Latency, count: f64) -> f64 {
    let (median, sigma) = (latency.median_us as f64 / 1e6, sigma(latency.median_us, latency.p99_us));
    let below = |step: i32| normal_below(f64::from(step) / 50.0).powf(count.max(1.0));
    let part = |step: i32| (below(step + 1) - below(step)) * (sigma * (f64::from(step) + 0.5) / 50.0).exp();
    median * (-300..300).map(part).sum::<f64>()
}

/// Tokens that a call receives: always `tokens.out`, or log-normal around it and cut at `tokens.max`, which is its 99th
/// percentile: `E[min(X, max)] = mean * Phi(2.3263 - sigma) + max / 100`.
pub(crate) fn tokens_out(model: &Model) -> Draw {
    if model.tokens_max <= model.tokens_out || model.tokens_out == 0 {
        return Draw::fixed(model.tokens_out as f64);
    }
    let sigma = sigma(model.tokens_out, model.tokens_max);
    let uncut = model.tokens_out as f64 * (sigma * sigma / 2.0).exp();
    let mean = uncut * normal_below(Z99 - sigma) + model.tokens_max as f64 / 100.0;
    // The cut makes it smaller: what is left over makes the bound looser, never wrong.
    Draw { mean, variance: mean * mean * ((sigma * sigma).exp() - 1.0) }
}

fn sigma(median: u64, p99: u64) -> f64 {
    if median == 0 || p99 <= median { 0.0 } else { (p99 as f64 / median as f64).ln() / Z99 }
}

/// `Phi`: the share of a standard normal distribution below `x`, to seven digits (Abramowitz and Stegun, 26.2.17).
fn normal_below(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * x.abs());
    let series = [0.319_381_530, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
    let polynomial = series.iter().rev().fold(0.0, |sum, coefficient| (sum + coefficient) * t);
    let above = (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() * polynomial;
    if x < 0.0 { above } else { 1.0 - above }
}

/// Attempts that a task takes on the average if each fails with this probability and there are at most so many:
/// `1 + p + p^2 + …`.
pub(crate) fn attempts(failing: f64, most: u32) -> f64 {
    if failing >= 1.0 - 1e-9 { f64::from(most) } else { (1.0 - failing.powi(most as i32)) / (1.0 - failing) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use baton_world::Seeds;

    fn model(tokens_out: u64, tokens_max: u64) -> Model {
        let text = format!(
            "baton: 1\nname: a\nworkspace: {{ fixture: notes }}\nroles: {{ a: {{ lanes: 1, model: m }} }}\n\
             models: {{ m: {{ latency: {{ median: 8s, p99: 60s }}, tokens: {{ out: {tokens_out}, max: {tokens_max} }} }} }}\n\
             tasks: [ {{ count: 1, by: a, do: {{ append: token }} }} ]\n"
        );
        crate::file::read("a", text.as_bytes()).expect("a good file").models.remove(0)
    }

    #[test]
    fn means_are_those_of_the_draws() {
        let mut draws = Seeds::root(1).draws();
        let latency = Latency { median_us: 8_000_000, p99_us: 60_000_000 };
        let count = 200_000;
        let sum: f64 = (0..count).map(|_| draws.latency_us(8_000_000, 60_000_000) as f64 / 1e6).sum();
        let mean = seconds(latency).mean;
        assert!((sum / f64::from(count) / mean - 1.0).abs() < 0.02, "{} and {mean}", sum / f64::from(count));
        let model = model(600, 2_000);
        let sum: f64 = (0..count).map(|_| draws.latency_us(600, 2_000).min(2_000) as f64).sum();
        let mean = tokens_out(&model).mean;
        assert!((sum / f64::from(count) / mean - 1.0).abs() < 0.02, "{} and {mean}", sum / f64::from(count));
    }

    #[test]
    fn the_longest_of_many_is_as_long_as_that_of_the_draws() {
        let mut draws = Seeds::root(3).draws();
        let latency = Latency { median_us: 30_000_000, p99_us: 90_000_000 };
        assert!((longest(latency, 1.0) / seconds(latency).mean - 1.0).abs() < 0.01);
        let rounds = 2_000;
        let longest_of = |count: u32, draws: &mut baton_world::Draws| {
            (0..count).map(|_| draws.latency_us(30_000_000, 90_000_000)).max().unwrap_or_default() as f64 / 1e6
        };
        let sum: f64 = (0..rounds).map(|_| longest_of(40, &mut draws)).sum();
        let mean = longest(latency, 40.0);
        assert!((sum / f64::from(rounds) / mean - 1.0).abs() < 0.03, "{} and {mean}", sum / f64::from(rounds));
    }

    #[test]
    fn sums_are_hardly_ever_below_what_they_are_hardly_ever_below() {
        let mut draws = Seeds::root(2).draws();
        let low = seconds(Latency { median_us: 8_000_000, p99_us: 60_000_000 }).times(40.0).low();
        let below = (0..5_000).filter(|_| {
            let sum: f64 = (0..40).map(|_| draws.latency_us(8_000_000, 60_000_000) as f64 / 1e6).sum();
            sum < low
        });
        assert!(below.count() <= 1 && low > 0.0);
    }

    #[test]
    fn what_never_fails_is_done_at_once_and_what_always_fails_as_often_as_it_may() {
        assert_eq!((attempts(0.0, 16), attempts(1.0, 16), attempts(0.5, 1)), (1.0, 16.0, 1.0));
        assert!((attempts(0.5, 16) - 2.0).abs() < 1e-4);
        assert!((normal_below(0.0) - 0.5).abs() < 1e-6 && (normal_below(1.96) - 0.975).abs() < 1e-4);
    }
}

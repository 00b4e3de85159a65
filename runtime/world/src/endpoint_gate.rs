//! How fast calls may follow each other at a model endpoint: requests and tokens a minute, and how it is left alone
//! after it said that it has enough.
//!
//! Delays calls that are reserved already, in the order in which they come; what they may cost is not its matter. It is
//! asked with the time and says now or when. A rate is kept in every window of a minute, not only on the average: calls
//! are spread, not let through in bursts. The only place that knows governor; quotas there have no refunds and a clock of
//! their own, so each question sets the clock, and what a call has passed already is remembered.

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What an endpoint takes in a minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    /// Calls.
    pub requests: Option<NonZeroU32>,
    /// Tokens, counted by what a call can use at most.
    pub tokens: Option<NonZeroU32>,
}

/// Whether the first call in line may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// It may, and is counted.
    Now,
    /// Not before this time, in microseconds since the run's start.
    NotBefore(u64),
    /// Not before a call that is under way has ended.
    AfterAnother,
}

/// The gate of one endpoint.
#[derive(Debug)]
pub struct EndpointGate {
    now: Now,
    requests: Option<Limiter>,
    tokens: Option<Limiter>,
    /// The first in line has passed the limit of requests and waits for that of tokens.
    request_paid: bool,
    /// The endpoint wants to be left alone until then.
    closed_until_us: u64,
    /// Calls that may be under way at once since it said so; each that ends well doubles them.
    window: Option<u32>,
    under_way: u32,
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, Now, NoOpMiddleware<Duration>>;

/// A window this wide is none.
const WINDOW_MAX: u32 = 256;
/// In which a rate is kept.
const MINUTE: Duration = Duration::from_secs(60);

impl EndpointGate {
    /// The gate of an endpoint whose calls use at most `call_tokens` each. It opens at `from_us`: after a restart a minute's
    /// share is taken as used.
    pub fn new(rate: Rate, call_tokens: u64, from_us: u64) -> EndpointGate {
        let now = Now::default();
        let burst = u32::try_from(call_tokens).unwrap_or(u32::MAX).max(1);
        let limiter = |limit: NonZeroU32, burst: u32| {
            let quota = spread(limit.get(), burst);
            RateLimiter::direct_with_clock(quota, now.clone())
        };
        let requests = rate.requests.map(|limit| limiter(limit, 1));
        let tokens = rate.tokens.map(|limit| limiter(limit, burst));
        let closed_until_us = from_us;
        EndpointGate { now, requests, tokens, request_paid: false, closed_until_us, window: None, under_way: 0 }
    }

    /// Asks for the first call in line, which uses at most `tokens`.
    pub fn admit(&mut self, now_us: u64, tokens: u64) -> Pass {
        if now_us < self.closed_until_us {
            return Pass::NotBefore(self.closed_until_us);
        }
        if self.window.is_some_and(|window| self.under_way >= window) {
            return Pass::AfterAnother;
        }
        self.now.set(now_us);
        if !self.request_paid {
            if let Some(wait) = self.requests.as_ref().and_then(|limiter| self.wait(limiter, NonZeroU32::MIN)) {
                return Pass::NotBefore(now_us + wait);
            }
            self.request_paid = true;
        }
        let tokens = NonZeroU32::new(u32::try_from(tokens).unwrap_or(u32::MAX)).unwrap_or(NonZeroU32::MIN);
        if let Some(wait) = self.tokens.as_ref().and_then(|limiter| self.wait(limiter, tokens)) {
            return Pass::NotBefore(now_us + wait);
        }
        self.request_paid = false;
        self.under_way += 1;
        Pass::Now
    }

    /// Microseconds until the limiter lets so many cells through; `None`: it has. At least one, so that time goes on.
    fn wait(&self, limiter: &Limiter, cells: NonZeroU32) -> Option<u64> {
        match limiter.check_n(cells) {
            Ok(Ok(())) => None,
            Ok(Err(not_until)) => {
                let wait = not_until.wait_time_from(self.now.now());
                Some((wait.as_nanos().div_ceil(1_000) as u64).max(1))
            }
            Err(_) => unreachable!("a limiter's burst is as large as the largest call"),
        }
    }

    /// A call that was let through has ended, or is gone.
    pub fn ended_well(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
        self.window = self.window.map(|window| window.saturating_mul(2)).filter(|window| *window < WINDOW_MAX);
    }

    /// A call that was let through is gone, and nobody knows how it ended.
    pub fn lost(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    /// The endpoint has refused a call: it is left alone until then, and then tried by one call at a time.
    pub fn refused(&mut self, until_us: u64) {
        self.under_way = self.under_way.saturating_sub(1);
        self.closed_until_us = self.closed_until_us.max(until_us);
        self.window = Some(1);
    }
}

/// A quota that lets through no more than `limit` cells in any minute: `burst` at once, the others evenly.
fn spread(limit: u32, burst: u32) -> Quota {
    let even = limit.saturating_sub(burst).max(limit / 2).max(1);
    let period = MINUTE / even;
    let burst = NonZeroU32::new(burst.max(1)).expect("at least one");
    Quota::with_period(period.max(Duration::from_nanos(1))).expect("a period is longer than nothing").allow_burst(burst)
}

/// The time of the question, for governor.
#[derive(Clone, Debug, Default)]
struct Now(Arc<AtomicU64>);

impl Now {
    fn set(&self, now_us: u64) {
        self.0.store(now_us, Ordering::Relaxed);
    }
}

impl Clock for Now {
    type Instant = Duration;

    fn now(&self) -> Duration {
        // One minute ahead, because a limiter cannot look back before its clock's beginning.
        Duration::from_micros(self.0.load(Ordering::Relaxed)) + MINUTE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(requests: u32, tokens: u32) -> Rate {
        Rate { requests: NonZeroU32::new(requests), tokens: NonZeroU32::new(tokens) }
    }

    /// When each of `calls` is let through, asked as soon as the gate says.
    fn times(gate: &mut EndpointGate, calls: usize, tokens: u64) -> Vec<u64> {
        let (mut now_us, mut out) = (0, Vec::new());
        while out.len() < calls {
            match gate.admit(now_us, tokens) {
                Pass::Now => {
                    out.push(now_us);
                    gate.ended_well();
                }
                Pass::NotBefore(at_us) => {
                    assert!(at_us > now_us);
                    now_us = at_us;
                }
                Pass::AfterAnother => unreachable!("each call ends at once"),
            }
        }
        out
    }

    #[test]
    fn no_minute_has_more_calls_than_the_limit_and_hardly_any_fewer() {
        for limit in [1, 2, 7, 60, 1_000] {
            let times = times(&mut EndpointGate::new(rate(limit, 0), 0, 0), 4 * limit as usize + 4, 0);
            for (at, start) in times.iter().enumerate() {
                let within = times[at..].iter().take_while(|time| **time < start + 60_000_000).count();
                assert!(within <= limit as usize, "{within} calls in a minute of at most {limit}");
            }
            let minutes = *times.last().unwrap() as f64 / 60e6;
            let share = times.len() as f64 / (minutes.max(1.0) * f64::from(limit));
            assert!(limit < 60 || share >= 0.97, "{share} of {limit}");
        }
    }

    #[test]
    fn no_minute_has_more_tokens_than_the_limit() {
        let times = times(&mut EndpointGate::new(rate(0, 100_000), 4_000, 0), 200, 4_000);
        for (at, start) in times.iter().enumerate() {
            let within = times[at..].iter().take_while(|time| **time < start + 60_000_000).count();
            assert!(within * 4_000 <= 100_000);
        }
    }

    #[test]
    fn an_endpoint_that_had_enough_is_left_alone_and_then_tried_by_one_call() {
        let mut gate = EndpointGate::new(Rate::default(), 0, 0);
        assert_eq!((gate.admit(0, 0), gate.admit(0, 0), gate.admit(0, 0)), (Pass::Now, Pass::Now, Pass::Now));
        gate.refused(5);
        gate.refused(9);
        assert_eq!(gate.admit(8, 0), Pass::NotBefore(9));
        assert_eq!(gate.admit(9, 0), Pass::AfterAnother, "one is still under way");
        gate.lost();
        assert_eq!((gate.admit(9, 0), gate.admit(9, 0)), (Pass::Now, Pass::AfterAnother));
        gate.ended_well();
        assert_eq!((gate.admit(9, 0), gate.admit(9, 0), gate.admit(9, 0)), (Pass::Now, Pass::Now, Pass::AfterAnother));
    }

    #[test]
    fn a_call_that_waits_for_tokens_pays_its_request_once() {
        let mut gate = EndpointGate::new(rate(60, 10_000), 5_000, 0);
        assert_eq!(gate.admit(0, 5_000), Pass::Now);
        let Pass::NotBefore(at_us) = gate.admit(2_000_000, 5_000) else { panic!("there are no tokens left") };
        assert_eq!(gate.admit(at_us, 5_000), Pass::Now);
    }
}

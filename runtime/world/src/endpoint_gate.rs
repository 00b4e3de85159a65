//! How fast calls may follow each other at a model endpoint: requests and tokens a minute, and how it is left alone
//! after it said that it has enough.
//!
//! Delays calls that are reserved already, in the order in which they come; what they may cost is not its matter. It is
//! asked with the time, and with how many calls are at the endpoint, and says now or when. A rate is kept in every window of a minute, not only on the average: calls
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
    /// How it comes back after that.
    back: Back,
}

/// How many calls are let through at once after the endpoint was left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Back {
    /// As many as come.
    Wide,
    /// One more than are there still when it is tried again.
    Untried,
    /// At most so many. The first of them was let through at this time, if any was.
    Trying { most: u32, since_us: Option<u64> },
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, Now, NoOpMiddleware<Duration>>;

/// So many at once are as many as come.
const WIDE: u32 = 256;
/// Whoever is not refused in this time is taken: who has enough says so at once, and an answer may take long.
const TAKEN_AFTER_US: u64 = 2_000_000;
/// In which a rate is kept.
const MINUTE: Duration = Duration::from_secs(60);

impl EndpointGate {
    /// The gate of an endpoint whose calls use at most `call_tokens` each. It opens at `from_us`: after a restart a minute's
    /// share is taken as used, and what the endpoint said may hold still.
    pub fn new(rate: Rate, call_tokens: u64, from_us: u64) -> EndpointGate {
        let now = Now::default();
        let burst = u32::try_from(call_tokens).unwrap_or(u32::MAX).max(1);
        let limiter = |limit: NonZeroU32, burst: u32| {
            let quota = spread(limit.get(), burst);
            RateLimiter::direct_with_clock(quota, now.clone())
        };
        let requests = rate.requests.map(|limit| limiter(limit, 1));
        let tokens = rate.tokens.map(|limit| limiter(limit, burst));
        let (closed_until_us, back) = (from_us, if from_us > 0 { Back::Untried } else { Back::Wide });
        EndpointGate { now, requests, tokens, request_paid: false, closed_until_us, back }
    }

    /// Asks for the first call in line, which uses at most `tokens`, while so many are `there`.
    pub fn admit(&mut self, now_us: u64, tokens: u64, there: u32) -> Pass {
        if now_us < self.closed_until_us {
            return Pass::NotBefore(self.closed_until_us);
        }
        if let Some(wait) = self.held_back(now_us, there) {
            return wait;
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
        if let Back::Trying { since_us, .. } = &mut self.back {
            since_us.get_or_insert(now_us);
        }
        Pass::Now
    }

    /// Coming back: whoever is taken makes way for twice as many. What is too many is not this gate's matter.
    fn held_back(&mut self, now_us: u64, there: u32) -> Option<Pass> {
        if self.back == Back::Untried {
            self.back = Back::Trying { most: there.saturating_add(1), since_us: None };
        }
        let Back::Trying { most, since_us } = self.back else { return None };
        if since_us.is_some_and(|since_us| now_us >= since_us + TAKEN_AFTER_US) {
            self.ended_well();
            return self.held_back(now_us, there);
        }
        let wait = since_us.map_or(Pass::AfterAnother, |since_us| Pass::NotBefore(since_us + TAKEN_AFTER_US));
        (there >= most).then_some(wait)
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

    /// A call has ended well that was let through after the endpoint had last complained.
    pub fn ended_well(&mut self) {
        if let Back::Trying { most, .. } = self.back {
            let most = most.saturating_mul(2);
            self.back = if most < WIDE { Back::Trying { most, since_us: None } } else { Back::Wide };
        }
    }

    /// The endpoint has refused a call: it is left alone until then, and then tried by one call.
    pub fn refused(&mut self, until_us: u64) {
        self.closed_until_us = self.closed_until_us.max(until_us);
        self.back = Back::Untried;
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
            match gate.admit(now_us, tokens, 0) {
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
    fn an_endpoint_that_had_enough_is_left_alone_and_then_tried_by_few() {
        let mut gate = EndpointGate::new(Rate::default(), 0, 0);
        assert_eq!([0, 1, 2].map(|there| gate.admit(0, 0, there)), [Pass::Now; 3]);
        gate.refused(5);
        gate.refused(9);
        assert_eq!(gate.admit(8, 0, 0), Pass::NotBefore(9));
        let soon = Pass::NotBefore(9 + TAKEN_AFTER_US);
        assert_eq!((gate.admit(9, 0, 0), gate.admit(10, 0, 1)), (Pass::Now, soon));
        gate.ended_well();
        let at_us = 11;
        assert_eq!([0, 1, 2].map(|there| gate.admit(at_us, 0, there))[..2], [Pass::Now, Pass::Now]);
        let later_us = at_us + TAKEN_AFTER_US;
        assert_eq!(gate.admit(at_us, 0, 2), Pass::NotBefore(later_us));
        assert_eq!([2, 3].map(|there| gate.admit(later_us, 0, there)), [Pass::Now; 2], "nobody was refused");
        gate.refused(later_us);
        let soon = Pass::NotBefore(later_us + TAKEN_AFTER_US);
        assert_eq!(
            (gate.admit(later_us, 0, 4), gate.admit(later_us, 0, 5)),
            (Pass::Now, soon),
            "however long four are there still"
        );
    }

    #[test]
    fn a_call_that_waits_for_tokens_pays_its_request_once() {
        let mut gate = EndpointGate::new(rate(60, 10_000), 5_000, 0);
        assert_eq!(gate.admit(0, 5_000, 0), Pass::Now);
        let Pass::NotBefore(at_us) = gate.admit(2_000_000, 5_000, 0) else { panic!("there are no tokens left") };
        assert_eq!(gate.admit(at_us, 5_000, 0), Pass::Now);
    }
}

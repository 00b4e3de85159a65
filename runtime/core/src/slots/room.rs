//! How many calls an endpoint has room for: fewer after it has said that it has enough, slowly more while it answers.
//!
//! A fold over how calls ended. An overloaded endpoint (503, 529) is given half of what it was given; one whose rate is
//! used up (429) an eighth less than it ever had, because its rate and not their number is the matter. Calls that were there already when
//! it said so say it only again, so one wave of refusals counts once. When all room was used, as many answers as there is
//! room for make room for one more. Knows no lane, no line and no time: how long an endpoint is left alone its gate knows.

/// What an endpoint says when there is too much to do, for itself or for all.
const OVERLOADED: [u16; 2] = [503, 529];
/// What it says when more is asked of it than it allows.
const TOO_MANY_REQUESTS: u16 = 429;

/// The room of one endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Hash)]
pub(super) struct Room {
    /// Calls that may be there at once; `None`: the endpoint has not complained, or has got over it.
    at_most: Option<u32>,
    /// Answers since it last changed, of calls that had used all of it.
    answers: u32,
    /// Most calls that its rate ever let be there at once.
    most: u32,
}

/// How a call ended, as far as room goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// With an answer.
    Answered,
    /// With an HTTP status.
    Refused(u16),
    /// It was refused, and had been there already when the endpoint last complained.
    SaidBefore,
}

impl Room {
    /// Calls that may be there at once at an endpoint that has so many slots (0: no limit).
    pub(super) fn of(self, slots: u32) -> u32 {
        let slots = if slots == 0 { u32::MAX } else { slots };
        self.at_most.map_or(slots, |at_most| at_most.min(slots))
    }

    /// A call was let through; with it so many are `there`.
    pub(super) fn let_through(&mut self, there: u32) {
        self.most = self.most.max(there);
    }

    /// The room after a call has ended that was one of `there`.
    pub(super) fn after(self, word: Word, there: u32, slots: u32) -> Room {
        match word {
            Word::Answered => self.answered(there, slots),
            Word::Refused(status) => self.refused(status, there, slots),
            Word::SaidBefore => self,
        }
    }

    fn answered(self, there: u32, slots: u32) -> Room {
        let Some(at_most) = self.at_most.filter(|at_most| there >= *at_most) else { return self };
        if self.answers + 1 < at_most {
            return Room { answers: self.answers + 1, ..self };
        }
        let more = Some(at_most.saturating_add(1)).filter(|more| slots == 0 || *more < slots);
        Room { at_most: more, answers: 0, ..self }
    }

    fn refused(self, status: u16, there: u32, slots: u32) -> Room {
        let left = match (status, self.at_most) {
            (status, given) if OVERLOADED.contains(&status) => given.unwrap_or(there) / 2,
            (TOO_MANY_REQUESTS, None) => mildly(self.most.max(there)),
            // A call that comes alone to see whether the rate is free again says nothing of numbers.
            (TOO_MANY_REQUESTS, Some(given)) if there >= given => mildly(given),
            _ => return self,
        };
        let at_most = Some(left.max(1)).filter(|left| slots == 0 || *left < slots);
        Room { at_most, answers: 0, ..self }
    }
}

fn mildly(given: u32) -> u32 {
    given - given.div_ceil(8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The room after these words, each with all the room in use.
    fn after(mut there: u32, slots: u32, words: &[Word]) -> u32 {
        let mut room = Room::default();
        for word in words {
            room = room.after(*word, there, slots);
            there = room.of(slots).min(there.max(room.of(slots)));
        }
        room.of(slots)
    }

    #[test]
    fn an_overloaded_endpoint_is_given_half_and_never_nothing() {
        for (there, refusals, left) in [(100, 1, 50), (100, 2, 25), (3, 1, 1), (1, 1, 1), (100, 9, 1)] {
            for status in OVERLOADED {
                assert_eq!(after(there, 0, &vec![Word::Refused(status); refusals]), left, "{there} {refusals}");
            }
        }
    }

    #[test]
    fn a_rate_that_is_used_up_lowers_mildly() {
        for (there, left) in [(100, 87), (16, 14), (8, 7), (2, 1), (1, 1)] {
            assert_eq!(after(there, 0, &[Word::Refused(429)]), left, "{there}");
        }
        let lowered = Room::default().after(Word::Refused(429), 16, 0);
        assert_eq!(lowered.after(Word::Refused(429), 1, 0).of(0), 14, "one that comes alone");
        let mut slack = Room::default();
        slack.let_through(16);
        assert_eq!(slack.after(Word::Refused(429), 3, 0).of(0), 14, "few happen to be there");
    }

    #[test]
    fn other_failures_say_nothing_of_numbers() {
        assert_eq!(after(9, 0, &[Word::Refused(500), Word::Refused(502)]), u32::MAX);
    }

    #[test]
    fn one_wave_of_refusals_counts_once() {
        let first = Room::default().after(Word::Refused(529), 80, 0);
        let last = (1..80).rev().fold(first, |room, there| room.after(Word::SaidBefore, there, 0));
        assert_eq!(last.of(0), 40);
    }

    #[test]
    fn room_grows_by_one_with_as_many_answers_as_there_is_room_for_and_only_when_it_is_used() {
        let halved = Room::default().after(Word::Refused(529), 8, 0);
        let answered =
            |room: Room, times: usize, there| (0..times).fold(room, |room, _| room.after(Word::Answered, there, 0));
        assert_eq!(answered(halved, 3, 4).of(0), 4);
        assert_eq!(answered(halved, 4, 4).of(0), 5);
        assert_eq!(answered(halved, 50, 3).of(0), 4, "it was not used");
    }

    #[test]
    fn an_endpoint_that_got_over_it_has_all_its_slots_again() {
        let mut words = vec![Word::Refused(529)];
        words.extend([Word::Answered; 3 + 4 + 5]);
        assert_eq!(after(6, 6, &words), 6);
        assert_eq!(after(6, 6, &words[..12]), 5);
    }
}

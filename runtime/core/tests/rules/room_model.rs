//! What room at an endpoint is, said differently: read off the list of everything that it has ever said.

/// One call's end, as the endpoint said it.
struct Said {
    /// An HTTP status; 0: it answered.
    status: u16,
    /// Complaints that had been heard when the call began.
    began: usize,
    /// Calls that were there, this one included.
    there: u32,
    /// Most calls that were let through and there at once before.
    most: u32,
}

#[derive(Default)]
pub(crate) struct RoomModel {
    said: Vec<Said>,
    most: u32,
}

impl RoomModel {
    pub(crate) fn hear(&mut self, status: u16, began: usize, there: u32) {
        self.said.push(Said { status, began, there, most: self.most });
    }

    /// One more is let through, and with it so many are there.
    pub(crate) fn let_through(&mut self, there: u32) {
        self.most = self.most.max(there);
    }

    /// Complaints of calls that began after the complaint before.
    pub(crate) fn complaints(&self) -> usize {
        self.replay().0
    }

    /// Calls that may be there at once.
    pub(crate) fn room(&self, slots: u32) -> u32 {
        let all = if slots == 0 { u32::MAX } else { slots };
        self.replay_with(all).1.unwrap_or(all)
    }

    fn replay(&self) -> (usize, Option<u32>) {
        self.replay_with(u32::MAX)
    }

    fn replay_with(&self, all: u32) -> (usize, Option<u32>) {
        let (mut complaints, mut room, mut full) = (0, None, 0);
        for said in &self.said {
            if said.status == 0 {
                // An answer of a call beside which there was no room for another.
                full += u32::from(room.is_some_and(|room| said.there >= room));
                if room == Some(full) {
                    (room, full) = (room.map(|room| room + 1).filter(|room| *room < all), 0);
                }
                continue;
            }
            if said.began < complaints {
                continue;
            }
            complaints += 1;
            let left = match said.status {
                503 | 529 => Some(room.unwrap_or(said.there) / 2),
                429 if room.is_none_or(|room| said.there >= room) => {
                    Some(room.unwrap_or(said.there.max(said.most)) * 7 / 8)
                }
                _ => None,
            };
            if let Some(left) = left {
                (room, full) = (Some(left.max(1)), 0);
            }
        }
        (complaints, room)
    }
}

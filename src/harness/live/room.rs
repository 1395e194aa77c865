//! The bytes that the answers of one run may take in this process: from the first one that is read until the last one is handed over.

use std::sync::Arc;

use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

/// How many answers that are as big as they may be have room at once.
const ANSWERS: usize = 4;

/// The room for the answers of one run.
///
/// Guarantees: answers that are being read, or wait to be handed over, take no more than it has, and one answer beside that. Whoever
/// waits goes on at last: those that wait for nothing end and give back what they took, and where all are waiting, one need not.
#[derive(Debug)]
pub(super) struct Room {
    free: Arc<Semaphore>,
    /// Goes on though there is no room.
    beside: Arc<Semaphore>,
}

impl Room {
    /// Room for a few answers of at most this size, in bytes.
    pub(super) fn for_answers_of(most: usize) -> Arc<Self> {
        let bytes = most.saturating_mul(ANSWERS).min(Semaphore::MAX_PERMITS);
        Arc::new(Self { free: Arc::new(Semaphore::new(bytes)), beside: Arc::new(Semaphore::new(1)) })
    }

    /// A place for one answer.
    pub(super) fn place(self: &Arc<Self>) -> Arc<Place> {
        Arc::new(Place { room: Arc::clone(self), taken: Mutex::default() })
    }
}

/// What one answer takes. Dropped, it is given back.
#[derive(Debug)]
pub(super) struct Place {
    room: Arc<Room>,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    bytes: Option<OwnedSemaphorePermit>,
    beside: Option<OwnedSemaphorePermit>,
}

impl Place {
    /// Takes more, once there is room.
    pub(super) async fn take(&self, bytes: usize) {
        let mut taken = self.taken.lock().await;
        let count = u32::try_from(bytes).unwrap_or(u32::MAX);
        if count == 0 || taken.beside.is_some() {
            return;
        }
        let Room { free, beside } = &*self.room;
        // Neither is ever closed.
        tokio::select! {
            biased;
            Ok(more) = Arc::clone(free).acquire_many_owned(count) => match &mut taken.bytes {
                Some(bytes) => bytes.merge(more),
                None => taken.bytes = Some(more),
            },
            Ok(alone) = Arc::clone(beside).acquire_owned() => taken.beside = Some(alone),
            else => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn who_finds_no_room_waits_but_for_one() {
        let room = Room::for_answers_of(10);
        let places: Vec<_> = (0..4).map(|_| room.place()).collect();
        for place in &places {
            assert!(place.take(4).now_or_never().is_some() && place.take(6).now_or_never().is_some());
        }
        let (one, other) = (room.place(), room.place());
        assert!(one.take(1).now_or_never().is_some(), "one goes on beside the room");
        assert!(one.take(1_000_000).now_or_never().is_some());
        let mut waiting = Box::pin(other.take(15));
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(places.into_iter().next());
        assert!(waiting.as_mut().now_or_never().is_some(), "all of the places are given back with the list");
        assert!(room.place().take(26).now_or_never().is_none());
        drop(one);
        assert!(room.place().take(26).now_or_never().is_some());
    }
}

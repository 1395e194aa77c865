//! What the parent says to a worker: in its order, many small things at once, and big answers one by one.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use super::room::Place;
use crate::flow::Unanswered;
use crate::harness::protocol::{self, Answer, Said, Task};

/// An answer, with the place it takes.
pub(super) struct Kept {
    pub(super) number: u64,
    pub(super) answer: Answer,
    pub(super) place: Arc<Place>,
}

/// Something that is to be said.
pub(super) enum Unsaid {
    Frame(Vec<u8>),
    /// It becomes a frame only when it is its turn, so that there is one big frame at a time.
    Answer(Kept),
}

/// Says things in their order, without waiting until they are heard.
pub(super) struct Mouth<'a> {
    pub(super) say: UnboundedSender<Unsaid>,
    pub(super) unsaid: &'a AtomicUsize,
}

impl Mouth<'_> {
    pub(super) fn task(&self, task: Task) -> io::Result<()> {
        self.say(Unsaid::Frame(protocol::frame(&Said::Task(task))?));
        Ok(())
    }

    pub(super) fn answer(&self, kept: Kept) {
        self.say(Unsaid::Answer(kept));
    }

    fn say(&self, unsaid: Unsaid) {
        self.unsaid.fetch_add(1, Ordering::Relaxed);
        // Where nobody speaks any more, the conversation ends.
        let _ = self.say.send(unsaid);
    }
}

/// An answer as a frame; where it is too big for the pipe, that is the answer.
fn framed(number: u64, answer: Answer) -> io::Result<Vec<u8>> {
    let too_big = |error: &io::Error| Unanswered::communication(format!("the answer cannot be handed over: {error}"));
    let instead = match answer {
        Answer::Response(_) => |told| Answer::Response(Err(told)),
        Answer::File(_) => |told| Answer::File(Err(told)),
        Answer::Slept => |_| Answer::Slept,
    };
    let frame = protocol::frame(&Said::Answer(number, answer));
    frame.or_else(|error| protocol::frame(&Said::Answer(number, instead(too_big(&error)))))
}

/// How many things are said at once.
const AT_ONCE: usize = 64;
/// How big they are together, in bytes; a bigger one is said alone.
const BIG: usize = 64 << 10;

/// Speaks as long as there is somebody to say something; ends where nobody hears it any more.
pub(super) async fn speak(
    mut stdin: impl AsyncWrite + Unpin,
    mut to_say: UnboundedReceiver<Unsaid>,
    unsaid: &AtomicUsize,
) -> io::Result<()> {
    let (mut waiting, mut together) = (Vec::new(), Vec::new());
    while to_say.recv_many(&mut waiting, AT_ONCE).await > 0 {
        let count = waiting.len();
        for next in waiting.drain(..) {
            // The place is given back once the frame is written, or is a small one.
            let (frame, _place) = match next {
                Unsaid::Frame(frame) => (frame, None),
                Unsaid::Answer(Kept { number, answer, place }) => (framed(number, answer)?, Some(place)),
            };
            if together.len() + frame.len() > BIG {
                stdin.write_all(&together).await?;
                together.clear();
                stdin.write_all(&frame).await?;
            } else {
                together.extend_from_slice(&frame);
            }
        }
        stdin.write_all(&together).await?;
        together.clear();
        unsaid.fetch_sub(count, Ordering::Relaxed);
    }
    Ok(())
}

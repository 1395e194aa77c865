//! Tokens that are at hand: asked for once, however many requests want one, and until they run out.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Mutex as Queue;

use super::credentials::OAuth2;
use super::grant::{Authority, Granted};
use super::rate::Rate;
use super::{Session, UNAUTHORIZED, authorized};
use crate::flow::exchange::{Request, Response};
use crate::flow::world::{Transport, Unanswered};

/// How many credentials' tokens are kept. Those not used for longest go first.
const MOST_TOKENS: usize = 256;
/// How long before its end a token is not used any more, at most: it has to arrive, and clocks differ.
const MARGIN: Duration = Duration::from_secs(30);

/// The tokens of a connection.
#[derive(Default)]
pub(super) struct Tokens(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// Counts uses, so that the oldest can be told.
    uses: u64,
    slots: HashMap<OAuth2, (u64, Arc<Slot>)>,
}

/// The place of one token.
#[derive(Default)]
struct Slot {
    /// How many answers came from the authority so far, good or bad.
    answers: AtomicU64,
    state: Queue<State>,
}

#[derive(Default)]
struct State {
    latest: Option<Result<Arc<Token>, Unanswered>>,
    refresh: Option<String>,
    authority: Option<Authority>,
}

struct Token {
    token: String,
    until: Option<Timestamp>,
}

/// A token to send, and whether it was waited for: then nothing newer can be had.
struct Held {
    token: Arc<Token>,
    is_new: bool,
}

impl Tokens {
    fn slot(&self, oauth2: &OAuth2) -> Arc<Slot> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.uses += 1;
        let uses = kept.uses;
        if let Some((used, slot)) = kept.slots.get_mut(oauth2) {
            *used = uses;
            return slot.clone();
        }
        if kept.slots.len() >= MOST_TOKENS
            && let Some(oldest) = kept.slots.iter().min_by_key(|(_, (used, _))| *used).map(|(oauth2, _)| oauth2.clone())
        {
            kept.slots.remove(&oldest);
        }
        let slot = Arc::new(Slot::default());
        kept.slots.insert(oauth2.clone(), (uses, slot.clone()));
        slot
    }

    /// The token for these credentials. One that was rejected is dropped, if it is still the one that is kept.
    async fn token(&self, transport: &dyn Transport, oauth2: &OAuth2, rejected: Option<&Arc<Token>>) -> Result<Held, Unanswered> {
        let slot = self.slot(oauth2);
        let answers = slot.answers.load(Ordering::Acquire);
        // Whoever has this lock asks. Where that future is dropped, the next in line finds no new answer, and asks itself.
        let mut state = slot.state.lock().await;
        let is_new = slot.answers.load(Ordering::Acquire) != answers;
        match &state.latest {
            Some(latest) if is_new => return latest.clone().map(|token| Held { token, is_new }),
            Some(Ok(token)) if token.is_good(transport.now()) && !rejected.is_some_and(|rejected| Arc::ptr_eq(rejected, token)) => {
                return Ok(Held { token: token.clone(), is_new });
            }
            Some(_) | None => {}
        }
        state.latest = None;
        let latest = state.ask(transport, oauth2).await.map(Arc::new);
        state.latest = Some(latest.clone());
        slot.answers.fetch_add(1, Ordering::Release);
        latest.map(|token| Held { token, is_new: true })
    }
}

impl Tokens {
    /// Every token that is at hand. What is being asked for just now is not.
    pub(super) fn texts(&self) -> Vec<String> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let states = kept.slots.values().filter_map(|(_, slot)| slot.state.try_lock().ok());
        states.flat_map(|state| state.texts()).collect()
    }
}

impl State {
    fn texts(&self) -> Vec<String> {
        let token = self.latest.iter().flatten().map(|token| token.token.clone());
        token.chain(self.refresh.clone()).collect()
    }

    async fn ask(&mut self, transport: &dyn Transport, oauth2: &OAuth2) -> Result<Token, Unanswered> {
        let authority = match self.authority.take() {
            Some(authority) => authority,
            None => Authority::find(transport, oauth2).await?,
        };
        let now = transport.now();
        let granted = match self.refresh.clone() {
            None => authority.grant(transport, oauth2, None).await,
            Some(refresh) => match authority.grant(transport, oauth2, Some(&refresh)).await {
                Ok(granted) => Ok(Granted { refresh: granted.refresh.or(Some(refresh)), ..granted }),
                Err(refusal) if refusal.is_spent => {
                    self.refresh = None;
                    authority.grant(transport, oauth2, None).await
                }
                Err(refusal) => Err(refusal),
            },
        };
        let Granted { token, life, refresh } = granted.map_err(|refusal| refusal.why)?;
        // Found once is enough, until there is trouble.
        self.authority = Some(authority);
        self.refresh = refresh;
        let until = life.map(|life| now.saturating_add(life - MARGIN.min(life / 10)).unwrap_or(Timestamp::MAX));
        Ok(Token { token, until })
    }
}

impl Token {
    fn is_good(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    fn on(&self, request: Request) -> Request {
        authorized(request, format!("Bearer {}", self.token))
    }
}

impl Session {
    /// Sends a request with a token; once more, with a new one, where the one that was at hand is not accepted.
    pub(super) async fn send_with_token(
        &self,
        transport: &dyn Transport,
        request: Request,
        oauth2: &OAuth2,
        rate: Option<&Rate>,
    ) -> Result<Response, Unanswered> {
        let early = self.tokens.token(transport, oauth2, None).await?;
        let held = match rate {
            None => early,
            Some(_) => {
                self.buckets.wait(transport, rate).await?;
                // It may have run out in the line. Asked for only here, it would let those through at once who had to wait apart.
                let held = self.tokens.token(transport, oauth2, None).await?;
                Held { is_new: held.is_new || (early.is_new && Arc::ptr_eq(&early.token, &held.token)), ..held }
            }
        };
        let response = transport.exchange(held.token.on(request.clone())).await?;
        if response.status != UNAUTHORIZED || held.is_new {
            return Ok(response);
        }
        let renewed = self.tokens.token(transport, oauth2, Some(&held.token)).await?;
        self.exchange(transport, renewed.token.on(request), rate).await
    }
}

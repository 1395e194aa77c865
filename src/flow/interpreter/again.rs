//! Sending a request again: when that helps, when it is safe, and how long to wait.

use std::cell::OnceCell;
use std::time::Duration;

use jiff::Timestamp;

use super::arguments::Moment;
use super::call::Undelivered;
use super::outgoing::{Exchange, Outgoing};
use super::turn::Going;
use super::{Run, timed_out, waiting};
use crate::flow::data::Data;
use crate::flow::exchange::{Request, Response};
use crate::flow::fault::Fault;
use crate::flow::methods;
use crate::flow::model::{Again, Http, has};
use crate::model::lasting;

/// Whether a request is sent again.
enum Pause {
    /// After this time.
    For(Duration),
    No,
    /// It is not, since the service asks for more time than there is.
    TooLong(String),
}

fn too_long(asked: Duration, patience: Duration, most: Duration) -> String {
    let limit = if most < patience { "the flow may run" } else { "`maxWait`" };
    format!("asks to wait {}, longer than {limit}, {}", lasting(asked), lasting(most))
}

impl Run<'_> {
    /// Sends a request, again and again where its policy says so.
    pub(super) async fn persist<'o>(
        &self,
        http: &Http,
        outgoing: &'o Outgoing,
        input: &Data,
        moment: &mut Moment<'_>,
        going: &Going<'_>,
    ) -> Result<Exchange<'o>, Undelivered> {
        let usual = self.setting.connection.again.as_ref().filter(|_| http.connection);
        let Some(again) = http.policies.again.or(usual) else {
            return self.follow(http, outgoing, input, moment, going).await;
        };
        let began = self.setting.world.now();
        let mut retries = 0;
        loop {
            let ended = self.one_attempt(again, http, outgoing, input, moment, going).await;
            let asked = match &ended {
                Ok(exchange) => self.passing(again, http, exchange, moment)?,
                Err(Undelivered { passing: true, denial, .. }) if denial.is_some() || is_safe(again, &outgoing.real) => Some(None),
                Err(_) => None,
            };
            let pause = match asked {
                None => Pause::No,
                Some(asked) => self.pause(again, asked, retries, began, input, moment)?,
            };
            match pause {
                Pause::For(pause) => self.wait_to_retry(&mut retries, pause, going).await?,
                Pause::No => return ended,
                Pause::TooLong(why) => return Ok(Exchange { impatience: Some(why), ..ended? }),
            }
        }
    }

    async fn one_attempt<'o>(
        &self,
        again: &Again,
        http: &Http,
        outgoing: &'o Outgoing,
        input: &Data,
        moment: &mut Moment<'_>,
        going: &Going<'_>,
    ) -> Result<Exchange<'o>, Undelivered> {
        let Some(limit) = &again.pace.attempt else { return self.follow(http, outgoing, input, moment, going).await };
        let limit = self.span(limit, input, moment)?;
        let work = async { Ok(self.follow(http, outgoing, input, moment, going).await) };
        self.within(limit, work, || timed_out("request", limit)).await.map_err(|fault| Undelivered { passing: true, ..fault.into() })?
    }

    /// Whether a response says that the trouble will pass, so that sending again may help; and how long the service asks to wait.
    fn passing(&self, again: &Again, http: &Http, exchange: &Exchange<'_>, moment: &Moment<'_>) -> Result<Option<Option<Duration>>, Fault> {
        let response = &exchange.response;
        if !has(&again.statuses, response.status) || !(is_safe(again, &exchange.outgoing.real) || is_unprocessed(response)) {
            return Ok(None);
        }
        let seen = OnceCell::new();
        let passes = self.judges(again.when.as_ref(), || seen.get_or_init(|| self.seen(http, response)), moment)?;
        Ok(passes.then(|| waiting::asked(response, self.setting.world.now())))
    }

    /// How long to wait before the request is sent again, if it is.
    fn pause(
        &self,
        again: &Again,
        asked: Option<Duration>,
        retries: u32,
        began: Timestamp,
        input: &Data,
        moment: &Moment<'_>,
    ) -> Result<Pause, Fault> {
        let pace = &again.pace;
        if pace.is_over(retries) {
            return Ok(Pause::No);
        }
        let patience = self.span(&again.max_wait, input, moment)?;
        let most = patience.min(self.setting.budget.time);
        let pause = match asked.filter(|asked| !asked.is_zero()) {
            // To come back earlier than the service asks would be in vain.
            Some(asked) if asked > most => return Ok(Pause::TooLong(too_long(asked, patience, most))),
            Some(asked) => asked.saturating_add(self.jitter(pace, input, moment)?).min(most),
            None => self.growing(pace, retries, input, moment)?.min(most),
        };
        Ok(if self.leaves_time(pace, pause, began, input, moment)? { Pause::For(pause) } else { Pause::No })
    }
}

/// Whether a request may be sent twice: by its method, RFC 9110, section 9.2.2, by a key that tells the service, or because the flow says so.
fn is_safe(again: &Again, request: &Request) -> bool {
    again.non_idempotent || methods::is_idempotent(&request.method) || request.header("idempotency-key").is_some()
}

/// Whether a response says that its request was not processed.
fn is_unprocessed(response: &Response) -> bool {
    response.status == 429 || (response.status == 503 && response.header("retry-after").is_some())
}

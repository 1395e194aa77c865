//! `try`: which errors are caught, when what failed is tried again, and what is done instead.

use std::time::Duration;

use jiff::Timestamp;

use super::arguments::Moment;
use super::tasks::{Acted, Done};
use super::turn::Going;
use super::{Run, timed_out};
use crate::flow::data::Data;
use crate::flow::expression::Expression;
use crate::flow::expression::value::{text_of, to_jq};
use crate::flow::fault::Fault;
use crate::flow::model::{Catch, ErrorMember, Retry, Try};

impl Run<'_> {
    pub(super) async fn attempt(&self, tried: &Try, input: &Data, moment: &Moment<'_>, going: &Going<'_>) -> Result<Acted, Fault> {
        let catch = &tried.catch;
        let began = self.setting.world.now();
        let mut retries = 0;
        loop {
            let fault = match self.once(tried, input, moment).await {
                Ok(done) => return Ok(Acted::of(done)),
                Err(fault) => fault,
            };
            let caught = moment.with(&catch.variable, Data::plain(to_jq(&fault.to_json())));
            if fault.is_fatal() || !self.catches(catch, &fault, input, &caught)? {
                return Err(fault);
            }
            if let Some(retry) = &catch.retry
                && let Some(delay) = self.delay(retry, retries, began, input, &caught)?
            {
                self.wait_to_retry(&mut retries, delay, going).await?;
                catch.again.into_iter().for_each(|point| self.reached(point));
                continue;
            }
            return self.handle(catch, fault, input, &caught).await;
        }
    }

    async fn once(&self, tried: &Try, input: &Data, moment: &Moment<'_>) -> Result<Done, Fault> {
        let work = self.tasks(&tried.tasks, input.clone(), moment.around.clone());
        match tried.catch.retry.as_ref().and_then(|retry| retry.pace.attempt.as_ref()) {
            None => work.await,
            Some(limit) => {
                let limit = self.span(limit, input, moment)?;
                self.within(limit, work, || timed_out("attempt", limit)).await
            }
        }
    }

    /// What is done once an error is caught for good. An error that only was to be tried again is not handled by that.
    async fn handle(&self, catch: &Catch, fault: Fault, input: &Data, caught: &Moment<'_>) -> Result<Acted, Fault> {
        catch.caught.into_iter().for_each(|point| self.reached(point));
        let acted = match &catch.tasks {
            Some(tasks) => Acted::of(self.tasks(tasks, input.clone(), caught.around.clone()).await?),
            None if catch.retry.is_some() && catch.then.is_none() => return Err(fault),
            None => Acted::with(input.clone()),
        };
        Ok(Acted { then: acted.then.or(catch.then), ..acted })
    }

    fn catches(&self, catch: &Catch, fault: &Fault, input: &Data, caught: &Moment<'_>) -> Result<bool, Fault> {
        for (member, wanted) in &catch.with {
            let wanted = self.evaluate(wanted, input, caught)?;
            let fits = self.decided(&wanted, |wanted| {
                let wanted = text_of(wanted);
                let is_it = |text: &Option<String>| text.as_deref() == Some(wanted.as_str());
                match member {
                    ErrorMember::Kind => fault.is(&wanted),
                    ErrorMember::Status => wanted.parse() == Ok(fault.status),
                    ErrorMember::Title => is_it(&fault.title),
                    ErrorMember::Detail => is_it(&fault.detail),
                    ErrorMember::Instance => is_it(&fault.instance),
                }
            })?;
            if !fits {
                return Ok(false);
            }
        }
        self.passes(catch.when.as_ref(), catch.except_when.as_ref(), input, caught)
    }

    fn passes(&self, when: Option<&Expression>, except: Option<&Expression>, input: &Data, moment: &Moment<'_>) -> Result<bool, Fault> {
        let is_true = |condition: &Expression| self.holds(&condition.evaluate(input, moment).map_err(Fault::expression)?);
        Ok(when.map_or(Ok(true), is_true)? && !except.map_or(Ok(false), is_true)?)
    }

    /// How long to wait before it is tried again; nothing where it is not.
    fn delay(&self, retry: &Retry, retries: u32, began: Timestamp, input: &Data, caught: &Moment<'_>) -> Result<Option<Duration>, Fault> {
        let pace = &retry.pace;
        if pace.is_over(retries) || !self.passes(retry.when.as_ref(), retry.except_when.as_ref(), input, caught)? {
            return Ok(None);
        }
        let delay = self.growing(pace, retries, input, caught)?;
        Ok(self.leaves_time(pace, delay, began, input, caught)?.then_some(delay))
    }
}

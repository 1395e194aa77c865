//! Lists that come in pages: page after page, until there is none, there were enough, or the service goes in circles.

use std::collections::HashSet;

use jaq_json::Val;
use serde_json::{Value, json};
use url::Url;

use super::arguments::{Moment, object};
use super::outgoing::{Draft, Exchange, Outgoing};
use super::turn::Going;
use super::{Run, link};
use crate::flow::data::Data;
use crate::flow::expression::value::{measure, text_of, to_jq};
use crate::flow::fault::{Fault, Standard};
use crate::flow::model::{Ends, Http, HttpOutput, MOST_ITEMS, MOST_PAGES, Paging, Place, Way};
use crate::flow::template::Template;

/// How long a cursor or the address of a page may be, in bytes.
const LONGEST: usize = 8 << 10;

/// How much is read at most.
struct Bounds {
    pages: u64,
    items: u64,
    truncate: bool,
}

/// What was read so far.
#[derive(Default)]
struct Gathered {
    items: Vec<Data>,
    bytes: usize,
    pages: u64,
    truncated: bool,
}

/// How the next page is asked for, page after page.
struct Course<'p> {
    way: &'p Way,
    draft: Draft,
    /// The first request: those that follow an address repeat it, sent to that address.
    first: Outgoing,
    /// The cursors and addresses of the pages read so far, so that none is read twice.
    known: HashSet<String>,
    /// The next page's number or offset.
    count: u64,
    /// The body of the page before, where pages are asked for by number or offset: the same body twice means that they never end.
    before: Vec<u8>,
}

/// One page.
struct Page<'e> {
    exchange: &'e Exchange<'e>,
    seen: &'e Data,
    items: usize,
}

impl Run<'_> {
    /// Reads all pages of a list; the output is all of their items.
    pub(super) async fn pages(
        &self,
        http: &Http,
        paging: &Paging,
        mut draft: Draft,
        input: &Data,
        moment: &mut Moment<'_>,
        going: &Going<'_>,
    ) -> Result<Data, Fault> {
        let bounds = self.bounds(paging, input, moment)?;
        if let Some((place, size)) = &paging.size {
            draft.set(place, &self.evaluate(size, input, moment)?, self)?;
        }
        let (mut course, mut outgoing) = Course::begin(&paging.way, draft, self)?;
        let mut gathered = Gathered::default();
        loop {
            let exchange = self.respond(http, &mut outgoing, input, moment, going).await?;
            let content = self.read(&http.reads, &exchange.response)?;
            let seen = self.viewed(&exchange.response, content.clone());
            let items = self.items(paging, &content, &seen, moment)?;
            let page = Page { exchange: &exchange, seen: &seen, items: items.len() };
            gathered.add(items, self.setting.budget.response)?;
            let has_more = match &paging.more {
                None => true,
                Some(more) => self.holds(&more.evaluate(&seen, moment).map_err(Fault::expression)?)?,
            };
            let next = if has_more { course.onward(&page, moment, self)? } else { None };
            let next = gathered.within(&bounds, next)?;
            let Ends { further, last, cut } = paging.ends;
            let ended = if gathered.truncated { cut } else { Some(last) };
            if next.is_some() { further } else { ended }.into_iter().for_each(|point| self.reached(point));
            let Some(next) = next else { return Ok(gathered.output(http.output, &exchange, self)) };
            self.meter.turn(&self.setting.budget)?;
            outgoing = next;
        }
    }

    fn items(&self, paging: &Paging, content: &Data, seen: &Data, moment: &Moment<'_>) -> Result<Vec<Data>, Fault> {
        let list = match &paging.items {
            None => content.clone(),
            Some(items) => items.evaluate(seen, moment).map_err(Fault::expression)?,
        };
        list.items().ok_or_else(|| {
            Fault::expression(match &paging.items {
                None => "the page is no list; `paginate.items` says where in it the items are",
                Some(_) => "`paginate.items` gives no list for a page",
            })
        })
    }

    fn bounds(&self, paging: &Paging, input: &Data, moment: &Moment<'_>) -> Result<Bounds, Fault> {
        let most = |template: &Option<Template>, key: &str, most: u64| {
            let Some(template) = template else { return Ok(most) };
            let value = self.bounded_value(&self.evaluate(template, input, moment)?.shown()?)?;
            value
                .as_u64()
                .filter(|whole| (1..=most).contains(whole))
                .ok_or_else(|| Fault::expression(format!("`{key}` is a whole number from 1 to {most}, not {value}")))
        };
        Ok(Bounds {
            pages: most(&paging.max_pages, "maxPages", MOST_PAGES)?,
            items: most(&paging.max_items, "maxItems", MOST_ITEMS)?,
            truncate: paging.truncate,
        })
    }
}

impl Gathered {
    fn add(&mut self, items: Vec<Data>, most: usize) -> Result<(), Fault> {
        for item in &items {
            let bytes = measure(item.real(), most - self.bytes).map_err(|_| {
                let detail = format!("the items of all pages are bigger than {most} bytes");
                Fault::standard(Standard::Runtime, "Pages too big", detail)
            })?;
            self.bytes += bytes;
        }
        self.items.extend(items);
        self.pages += 1;
        Ok(())
    }

    /// The next page, if it may be read: more than the bounds allow is an error, unless `truncate` says to cut the list off there.
    fn within<T>(&mut self, bounds: &Bounds, next: Option<T>) -> Result<Option<T>, Fault> {
        let most = usize::try_from(bounds.items).unwrap_or(usize::MAX);
        let has_too_many = self.items.len() > most;
        let is_last_page = next.is_some() && self.pages >= bounds.pages;
        let is_full = next.is_some() && self.items.len() == most && bounds.truncate;
        if !has_too_many && !is_last_page && !is_full {
            return Ok(next);
        }
        if bounds.truncate {
            self.items.truncate(most);
            self.truncated = true;
            return Ok(None);
        }
        let (title, bound) = if has_too_many {
            ("Too many items", format!("has more than {most} items, the most that `maxItems` allows"))
        } else {
            ("Too many pages", format!("goes on after {} pages, the most that `maxPages` allows", bounds.pages))
        };
        Err(Fault::standard(Standard::Runtime, title, format!("the list {bound}; with `truncate: true` it would be cut off there")))
    }

    fn output(self, form: HttpOutput, exchange: &Exchange<'_>, run: &Run<'_>) -> Data {
        let items = Data::list(self.items);
        match form {
            HttpOutput::Content | HttpOutput::Raw => items,
            HttpOutput::Response => {
                let [request, status, headers] = run.head(exchange);
                let count = |value: Value| Data::plain(to_jq(&value));
                let (pages, truncated) = (("pages", count(json!(self.pages))), ("truncated", count(json!(self.truncated))));
                object([request, status, headers, ("content", items), pages, truncated])
            }
        }
    }
}

impl<'p> Course<'p> {
    /// The first request, and how it goes on from there.
    fn begin(way: &'p Way, mut draft: Draft, run: &Run<'_>) -> Result<(Self, Outgoing), Fault> {
        let count = match way {
            Way::Offset { start, place } | Way::Page { start, place } => {
                draft.set(place, &Data::plain(to_jq(&json!(start))), run)?;
                *start
            }
            Way::Cursor { .. } | Way::Link(_) | Way::Next(_) => 0,
        };
        let first = draft.clone().outgoing()?;
        let known = HashSet::from([first.real.url.to_string()]);
        Ok((Self { way, draft, first: first.clone(), known, count, before: Vec::new() }, first))
    }

    fn place(&mut self, count: u64, place: &Place, run: &Run<'_>) -> Result<(), Fault> {
        self.count = count;
        self.draft.set(place, &Data::plain(to_jq(&json!(count))), run)
    }

    /// The request of the next page; nothing where the page was the last.
    fn onward(&mut self, page: &Page<'_>, moment: &Moment<'_>, run: &Run<'_>) -> Result<Option<Outgoing>, Fault> {
        match self.way {
            Way::Cursor { from, place } => {
                let cursor = from.evaluate(page.seen, moment).map_err(Fault::expression)?;
                if is_nothing(cursor.real()) {
                    return Ok(None);
                }
                let key = run.bounded(&cursor)?.to_string();
                self.note(key, cursor.is_secret())?;
                self.draft.set(place, &cursor, run)?;
                self.draft.clone().outgoing().map(Some)
            }
            Way::Offset { place, .. } => self.counted(page, page.items as u64, place, run),
            Way::Page { place, .. } => self.counted(page, 1, place, run),
            Way::Link(relation) => match link::target(&page.exchange.response, relation) {
                None => Ok(None),
                Some(target) => self.address(target, false, page).map(Some),
            },
            Way::Next(next) => {
                let next = next.evaluate(page.seen, moment).map_err(Fault::expression)?;
                if is_nothing(next.real()) {
                    return Ok(None);
                }
                self.address(&text_of(next.real()), next.is_secret(), page).map(Some)
            }
        }
    }

    /// The request of the next number or offset, until a page is empty.
    fn counted(&mut self, page: &Page<'_>, by: u64, place: &Place, run: &Run<'_>) -> Result<Option<Outgoing>, Fault> {
        if page.items == 0 {
            return Ok(None);
        }
        if self.before == page.exchange.response.body {
            return Err(endless("the service answers every page with the same one".to_owned()));
        }
        self.before.clone_from(&page.exchange.response.body);
        self.place(self.count.saturating_add(by), place, run)?;
        self.draft.clone().outgoing().map(Some)
    }

    fn address(&mut self, text: &str, is_secret: bool, page: &Page<'_>) -> Result<Outgoing, Fault> {
        let wrong = |why: &str| Fault::standard(Standard::Communication, "Not an address", format!("the next page's address {why}"));
        let current = &page.exchange.outgoing.real.url;
        let url: Url = current.join(text).map_err(|error| wrong(&format!("cannot be read: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("is not an HTTP address"));
        }
        self.note(url.to_string(), is_secret)?;
        self.first.moved(url)
    }

    /// Remembers a cursor or an address, and refuses one that was read before.
    fn note(&mut self, key: String, is_secret: bool) -> Result<(), Fault> {
        if key.len() > LONGEST {
            return Err(Fault::standard(Standard::Runtime, "Cursor too big", format!("a cursor is bigger than {LONGEST} bytes")));
        }
        let shown = if is_secret { String::new() } else { format!(": `{key}`") };
        if self.known.insert(key) { Ok(()) } else { Err(endless(format!("a page leads back to one that was read before{shown}"))) }
    }
}

fn endless(detail: String) -> Fault {
    Fault::standard(Standard::Runtime, "Endless pages", detail)
}

/// Whether a cursor or an address says that there is none.
fn is_nothing(value: &Val) -> bool {
    match value {
        Val::Null | Val::Bool(false) => true,
        Val::TStr(text) | Val::BStr(text) => text.is_empty(),
        Val::Bool(true) | Val::Num(_) | Val::Arr(_) | Val::Obj(_) => false,
    }
}

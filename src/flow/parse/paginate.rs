//! `paginate`: how the pages of a list are asked for, and where that ends.

use serde_json::{Map, Value};

use super::{Parser, kind_of};
use crate::flow::codes;
use crate::flow::finding::{At, Finding};
use crate::flow::model::{Ends, MOST_ITEMS, MOST_PAGES, Paging, Place, Way};
use crate::flow::template::Template;
use crate::model::CoveragePointKind;

const WHAT: &str = "`paginate`";
const WAYS: [&str; 5] = ["cursor", "offset", "page", "link", "next"];
const PLACES: [&str; 3] = ["query", "header", "body"];
/// The largest number that a page or an offset starts from.
const LARGEST_START: u64 = 1_000_000_000;

impl Parser<'_> {
    pub(super) fn paging(&mut self, value: &Value, at: &At<'_>) -> Option<Paging> {
        let map = self.map(value, at, WHAT)?;
        let rest = ["items", "size", "more", "maxPages", "maxItems", "truncate"];
        let known: Vec<&str> = WAYS.into_iter().chain(rest).collect();
        self.keys(map, at, WHAT, &known);
        let way = self.way(map, at);
        let items = map.get("items").map(|value| self.over_response(value, &at.key("items"), "`items`"));
        let more = map.get("more").map(|value| self.over_response(value, &at.key("more"), "`more`"));
        let size = map.get("size").map(|value| self.size(value, &at.key("size")));
        if !map.contains_key("maxPages") && !map.contains_key("maxItems") {
            let finding = Finding::of_key(at, codes::UNBOUNDED, "`paginate` needs `maxPages` or `maxItems`");
            self.found(finding.hint("Add `maxPages: 100`, or whatever is more than there can be."));
        }
        let mut most = |key: &str, most: u64| map.get(key).map(|value| self.most(value, &at.key(key), key, most));
        let (max_pages, max_items) = (most("maxPages", MOST_PAGES), most("maxItems", MOST_ITEMS));
        let truncate = map.get("truncate").map_or(Some(false), |value| self.truth(value, &at.key("truncate"), "`truncate`"));
        let (truncate, way) = (truncate?, way?);
        let ends = self.ends(map, at, truncate);
        Some(Paging { items: all(items)?, way, size: all(size)?, more: all(more)?, max_pages, max_items, truncate, ends })
    }

    /// What of it can be exercised. A list that reads one page or item asks for no further one; and how long a list must be to be cut off
    /// is up to a test only where an expression says it.
    fn ends(&mut self, map: &Map<String, Value>, at: &At<'_>, truncate: bool) -> Ends {
        let bounds = || ["maxPages", "maxItems"].into_iter().filter_map(|key| map.get(key));
        let (reads_one, is_given) = (bounds().any(|bound| *bound == 1), bounds().any(Value::is_string));
        let mut point = |what: &str| self.points.at_key(CoveragePointKind::Pagination, at, |task| format!("{what} `{task}`"));
        Ends {
            further: (!reads_one).then(|| point("a further page of")),
            last: point("the last page of"),
            cut: (truncate && is_given).then(|| point("a cut at the limit of")),
        }
    }

    fn way(&mut self, map: &Map<String, Value>, at: &At<'_>) -> Option<Way> {
        let given: Vec<_> = WAYS.iter().filter(|way| map.contains_key(**way)).collect();
        let [way] = given.as_slice() else {
            let names = WAYS.map(|way| format!("`{way}`")).join(", ");
            self.found(Finding::new(at, codes::MISSING_KEY, format!("`paginate` needs exactly one of {names}")));
            return None;
        };
        let (value, at) = (&map[**way], at.key(way));
        match **way {
            "cursor" => self.cursor(value, &at),
            "offset" => self.counted(value, &at, "`offset`", 0).map(|(start, place)| Way::Offset { start, place }),
            "page" => self.counted(value, &at, "`page`", 1).map(|(start, place)| Way::Page { start, place }),
            "link" => self.text(value, &at, "`link`, the relation of the next page,").map(|relation| Way::Link(relation.to_owned())),
            _ => self.over_response(value, &at, "`next`").map(Way::Next),
        }
    }

    fn cursor(&mut self, value: &Value, at: &At<'_>) -> Option<Way> {
        let what = "`cursor`";
        let map = self.map(value, at, what)?;
        self.keys(map, at, what, &["from", "query", "header", "body"]);
        let from = self.required(map, "from", at, what).and_then(|value| self.over_response(value, &at.key("from"), "`from`"));
        let place = self.place(map, at, what);
        Some(Way::Cursor { from: from?, place: place? })
    }

    fn counted(&mut self, value: &Value, at: &At<'_>, what: &str, usual: u64) -> Option<(u64, Place)> {
        let map = self.map(value, at, what)?;
        self.keys(map, at, what, &["start", "query", "header", "body"]);
        let start = map.get("start").map_or(Some(usual), |value| self.whole(value, &at.key("start"), "`start`", LARGEST_START));
        let place = self.place(map, at, what);
        Some((start?, place?))
    }

    fn size(&mut self, value: &Value, at: &At<'_>) -> Option<(Place, Template)> {
        let what = "`size`";
        let map = self.map(value, at, what)?;
        self.keys(map, at, what, &["value", "query", "header", "body"]);
        let size = self.required(map, "value", at, what).map(|value| self.template(value, &at.key("value")));
        let place = self.place(map, at, what);
        Some((place?, size?))
    }

    /// Where a value goes: the name of a query parameter or header, or the keys that lead to it in the body, with dots between.
    fn place(&mut self, map: &Map<String, Value>, at: &At<'_>, what: &str) -> Option<Place> {
        let given: Vec<_> = PLACES.into_iter().filter(|place| map.contains_key(*place)).collect();
        let [place] = given.as_slice() else {
            let message = format!("{what} needs exactly one of `query`, `header` and `body`, the place it goes to");
            self.found(Finding::new(at, codes::MISSING_KEY, message));
            return None;
        };
        let at = at.key(place);
        let name = self.text(&map[*place], &at, &format!("`{place}`"))?.to_owned();
        if name.is_empty() || (*place == "body" && name.split('.').any(str::is_empty)) {
            self.found(Finding::new(&at, codes::VALUE, format!("`{name}` is no name")));
            return None;
        }
        Some(match *place {
            "query" => Place::Query(name),
            "header" => Place::Header(name),
            _ => Place::Body(name.split('.').map(str::to_owned).collect()),
        })
    }

    /// The most that is read: a whole number, or an expression that gives one.
    fn most(&mut self, value: &Value, at: &At<'_>, key: &str, most: u64) -> Template {
        let good = match value {
            Value::Number(number) => number.as_u64().is_some_and(|whole| (1..=most).contains(&whole)),
            Value::String(text) => text.contains("${"),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
        };
        if !good {
            let found = if value.is_number() { value.to_string() } else { kind_of(value).to_owned() };
            let message = format!("`{key}` is a whole number from 1 to {most} or a `${{ … }}`, not {found}");
            self.found(Finding::new(at, codes::VALUE, message));
        }
        self.template(value, at)
    }
}

/// Nothing where a value was given and is wrong.
fn all<T>(given: Option<Option<T>>) -> Option<Option<T>> {
    match given {
        None => Some(None),
        Some(parsed) => parsed.map(Some),
    }
}

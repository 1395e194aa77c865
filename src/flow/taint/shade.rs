//! Which parts of a value can hold which secrets: an upper bound, kept small so that every walk ends.

use std::collections::{BTreeMap, BTreeSet};

/// Where secrets come from, by number.
pub(super) type Origins = BTreeSet<u32>;

/// How deep parts are told apart; what lies deeper counts for the whole.
const DEEPEST: usize = 6;
/// How many members of one map are told apart.
const WIDEST: usize = 100;

/// What a value can hold of secrets. A part that is not told of holds none but what the whole can hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shade {
    /// What every part of it can hold.
    whole: Origins,
    members: BTreeMap<Box<str>, Shade>,
    items: Option<Box<Shade>>,
}

impl Shade {
    /// A value of which any part can hold these.
    pub(super) fn of(whole: Origins) -> Self {
        Self { whole, ..Self::default() }
    }

    /// A list whose items are like this one.
    pub(super) fn list(item: Self) -> Self {
        Self { items: (!item.is_clean()).then(|| Box::new(item)), ..Self::default() }.bounded()
    }

    /// A map with one member.
    pub(super) fn member(key: &str, value: Self) -> Self {
        let mut map = Self::default();
        map.set(key, value);
        map.bounded()
    }

    /// Whether it holds no secret.
    pub(super) fn is_clean(&self) -> bool {
        self.whole.is_empty() && self.members.is_empty() && self.items.is_none()
    }

    /// Everything that some part can hold.
    pub(super) fn all(&self) -> Origins {
        let mut all = self.whole.clone();
        self.members.values().chain(self.items.as_deref()).for_each(|part| all.append(&mut part.all()));
        all
    }

    /// The same without telling parts apart: what a text made of it holds.
    pub(super) fn flat(&self) -> Self {
        Self::of(self.all())
    }

    /// What is everywhere in it: the names of a map's members hold no more.
    pub(super) fn everywhere(&self) -> Self {
        Self::of(self.whole.clone())
    }

    /// The member of a map.
    pub(super) fn key(&self, key: &str) -> Self {
        self.everywhere().or(self.members.get(key))
    }

    /// Any item of a list.
    pub(super) fn item(&self) -> Self {
        self.everywhere().or(self.items.as_deref())
    }

    /// Any item or member.
    pub(super) fn part(&self) -> Self {
        self.members.values().fold(self.item(), |part, member| part.or(Some(member)))
    }

    /// The same after every part was turned into something.
    pub(super) fn each(&self, mut turn: impl FnMut(&Self) -> Self) -> Self {
        let mut turned = Self::of(turn(&self.everywhere()).all());
        for key in self.members.keys() {
            turned.set(key, turn(&self.key(key)));
        }
        let item = turn(&self.item());
        turned.join(&Self::list(item));
        turned
    }

    /// Puts a value where another was, or none.
    pub(super) fn set(&mut self, key: &str, value: Self) {
        if value.is_clean() {
            self.members.remove(key);
        } else {
            self.members.insert(key.into(), value);
        }
    }

    /// The same with something else at the end of a path of keys.
    pub(super) fn with(mut self, path: &[&str], value: Self) -> Self {
        match path {
            [] => value,
            [key, rest @ ..] => {
                let inner = self.members.get(*key).cloned().unwrap_or_default().with(rest, value);
                self.set(key, inner);
                self.bounded()
            }
        }
    }

    /// Takes in what another value can hold; tells whether that is more.
    pub(super) fn join(&mut self, other: &Self) -> bool {
        let before = self.clone();
        self.add(other);
        *self = std::mem::take(self).bounded();
        *self != before
    }

    /// Either of two values.
    pub(super) fn or(mut self, other: Option<&Self>) -> Self {
        if let Some(other) = other.filter(|other| !other.is_clean()) {
            self.join(other);
        }
        self
    }

    fn add(&mut self, other: &Self) {
        self.whole.extend(&other.whole);
        for (key, value) in &other.members {
            self.members.entry(key.clone()).or_default().add(value);
        }
        if let Some(items) = &other.items {
            self.items.get_or_insert_default().add(items);
        }
    }

    fn bounded(self) -> Self {
        self.within(DEEPEST)
    }

    fn within(mut self, depth: usize) -> Self {
        if depth == 0 || self.members.len() > WIDEST {
            return self.flat();
        }
        self.members = self.members.into_iter().map(|(key, value)| (key, value.within(depth - 1))).collect();
        self.items = self.items.map(|items| Box::new(items.within(depth - 1)));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(number: u32) -> Shade {
        Shade::of([number].into())
    }

    #[test]
    fn parts_are_told_apart() {
        let mut map = Shade::member("a", secret(1));
        assert!(map.join(&Shade::member("b", secret(2))));
        assert!(!map.join(&Shade::member("b", secret(2))), "that is known");
        assert_eq!((map.key("a"), map.key("b"), map.key("c")), (secret(1), secret(2), Shade::default()));
        assert_eq!(map.part().all(), [1, 2].into());
        let list = Shade::list(map.clone());
        assert_eq!((list.item(), list.key("a")), (map.clone(), Shade::default()));
        let mut part = map;
        part.set("a", Shade::default());
        assert_eq!(part.all(), [2].into());
        assert_eq!(secret(3).or(Some(&part)).key("c"), secret(3));
    }

    #[test]
    fn what_is_deep_or_wide_is_not() {
        let deep = (0..20).fold(secret(1), |inner, _| Shade::member("a", inner));
        let end = (0..20).fold(deep.clone(), |value, _| value.key("b"));
        assert_eq!((deep.key("b"), end), (Shade::default(), Shade::default()));
        assert_eq!((0..8).fold(deep, |value, _| value.key("a")).key("b"), secret(1));
        let mut wide = Shade::default();
        (0..200).for_each(|number| assert!(wide.join(&Shade::member(&number.to_string(), secret(1))) || number > 99));
        assert_eq!(wide.key("other"), secret(1));
    }
}

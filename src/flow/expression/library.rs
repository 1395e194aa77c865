//! The functions that expressions may call: jaq's own, without those that reach out of the expression or end its process, and a few
//! of jq that jaq lacks.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use jaq_core::load::parse::Def;
use jaq_core::{Native, data::JustLut, load, native};

use super::datum::Datum;
use super::{names, natives};

/// How jaq's values, functions and data fit together here.
pub(crate) type Engine = JustLut<Datum>;

/// What is left out, and what to use instead.
const LEFT_OUT: [(&str, &str); 16] = [
    ("halt", "Use a `raise` task to end a flow with an error."),
    ("halt_error", "Use a `raise` task to end a flow with an error."),
    ("env", "A flow sees no environment; use a connection property."),
    ("localtime", "Use `gmtime`: a flow has no time zone of its own."),
    ("strflocaltime", "Use `strftime`: a flow has no time zone of its own."),
    ("debug", "Expressions cannot print."),
    ("debug_empty", "Expressions cannot print."),
    ("stderr", "Expressions cannot print."),
    ("stderr_empty", "Expressions cannot print."),
    ("input", "The task's data is `.`, and its input `$input`."),
    ("inputs", "The task's data is `.`, and its input `$input`."),
    ("input_filename", "The task's data is `.`, and its input `$input`."),
    ("input_line_number", "The task's data is `.`, and its input `$input`."),
    ("get_search_list", "Expressions cannot load modules."),
    ("import", "Expressions cannot load modules."),
    ("include", "Expressions cannot load modules."),
];

/// A function's name with the number of its arguments.
pub(crate) type Signature<'a> = (&'a str, usize);

/// What to use instead of a function that is left out.
pub(crate) fn instead_of(name: &str) -> Option<&'static str> {
    LEFT_OUT.iter().find(|(left_out, _)| *left_out == name).map(|(_, hint)| *hint)
}

/// Every function there is, parsed once per process.
pub(crate) static LIBRARY: LazyLock<Library> = LazyLock::new(Library::load);

/// jaq's definitions, each with what it calls, so that an expression is compiled together with only those it needs.
pub(crate) struct Library {
    definitions: Vec<Definition>,
    latest: HashMap<Signature<'static>, Callable>,
}

struct Definition {
    def: Def<&'static str>,
    calls: Vec<Callable>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Callable {
    Definition(usize),
    Native(&'static str, usize),
}

/// jaq's definitions without those that are a native function here, and ours.
fn definitions() -> impl Iterator<Item = Def<&'static str>> {
    let ours = own_natives();
    let jaqs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    jaqs.filter(move |def| !ours.contains(&(def.name, def.args.len()))).chain(missing()).chain(parity())
}

/// What jq has and jaq has not; see there.
fn missing() -> Vec<Def<&'static str>> {
    load::parse(include_str!("missing.jq"), |parser| parser.defs()).unwrap_or_default()
}

/// What stands in for the differences between jaq and jq; see there.
fn parity() -> Vec<Def<&'static str>> {
    load::parse(include_str!("parity.jq"), |parser| parser.defs()).unwrap_or_default()
}

fn own_natives() -> BTreeSet<Signature<'static>> {
    natives::all().map(|(name, arguments, _)| (name, arguments.len())).collect()
}

/// The native functions: ours come before those of jaq that they stand in for.
fn native_functions() -> impl Iterator<Item = native::Filter<Native<Engine>>> {
    natives::all().chain(jaq_core::funs()).chain(jaq_std::funs())
}

impl Library {
    fn load() -> Self {
        let mut latest: HashMap<_, _> = native_functions()
            .filter(|(name, ..)| instead_of(name).is_none())
            .map(|(name, arguments, _)| ((name, arguments.len()), Callable::Native(name, arguments.len())))
            .collect();
        let mut kept = Vec::new();
        for def in definitions().filter(|def| instead_of(def.name).is_none()) {
            latest.insert((def.name, def.args.len()), Callable::Definition(kept.len()));
            let found = names::of_definition(&def);
            let calls = found.calls.iter().filter_map(|call| latest.get(call).copied()).collect();
            kept.push(Definition { def, calls });
        }
        Self { definitions: kept, latest }
    }

    /// Whether there is such a function.
    pub(crate) fn has(&self, call: Signature<'_>) -> bool {
        self.latest.contains_key(&call)
    }

    /// The names there are, for suggestions.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.latest.keys().map(|(name, _)| *name)
    }

    /// The numbers of arguments a name is known with.
    pub(crate) fn arities(&self, name: &str) -> Vec<usize> {
        let mut arities: Vec<_> = self.latest.keys().filter(|(known, _)| *known == name).map(|(_, arity)| *arity).collect();
        arities.sort_unstable();
        arities
    }

    /// The definitions and native functions that these calls need, in the order that gives every name its meaning.
    pub(crate) fn select<'a>(
        &self,
        calls: impl IntoIterator<Item = Signature<'a>>,
    ) -> (Vec<Def<&'static str>>, Vec<native::Filter<Native<Engine>>>) {
        let mut waiting: Vec<Callable> = calls.into_iter().filter_map(|call| self.latest.get(&call).copied()).collect();
        let mut needed = BTreeSet::new();
        while let Some(callable) = waiting.pop() {
            if needed.insert(callable)
                && let Callable::Definition(at) = callable
            {
                waiting.extend(&self.definitions[at].calls);
            }
        }
        let defs = needed.iter().filter_map(|callable| match callable {
            Callable::Definition(at) => Some(self.definitions[*at].def.clone()),
            Callable::Native(..) => None,
        });
        let defs = defs.collect();
        if !needed.iter().any(|callable| matches!(callable, Callable::Native(..))) {
            return (defs, Vec::new());
        }
        let mut taken = BTreeSet::new();
        let natives = native_functions().filter(|(name, arguments, _)| {
            let signature = (*name, arguments.len());
            needed.contains(&Callable::Native(signature.0, signature.1)) && taken.insert(signature)
        });
        (defs, natives.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_the_process_or_reaches_out_is_left_out() {
        for call in [("halt", 0), ("halt", 1), ("halt_error", 0), ("env", 0), ("debug", 1), ("input", 0), ("stderr", 0)] {
            assert!(!LIBRARY.has(call), "{call:?}");
        }
        assert!(LIBRARY.has(("map", 1)) && LIBRARY.has(("fromjson", 0)) && LIBRARY.has(("@base64", 0)));
    }

    #[test]
    fn what_jaq_has_not_is_there() {
        assert!(missing().len() > 10 && parity().len() > 10 && own_natives().len() > 10);
        for call in [("IN", 1), ("INDEX", 1), ("tostream", 0), ("toarray", 0), ("dateadd", 2), ("@csv", 0), ("@tsv", 0), ("format", 1)] {
            assert!(LIBRARY.has(call), "{call:?}");
        }
    }

    #[test]
    fn every_definition_finds_what_it_calls() {
        for definition in &LIBRARY.definitions {
            for call in names::of_definition(&definition.def).calls {
                assert!(LIBRARY.has(call), "{} calls {call:?}", definition.def.name);
            }
        }
    }
}

//! A step-by-step path into a document, written out as a JSON Pointer (RFC 6901) only where something is found.

/// One step below another; the first begins at a pointer.
#[derive(Clone, Copy)]
pub(super) struct Path<'a> {
    above: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Pointer(&'a str),
    Key(&'a str),
    Index(usize),
}

impl<'a> Path<'a> {
    /// Begins at a pointer, whose keys need no escaping.
    pub(super) fn at(pointer: &'a str) -> Self {
        Self { above: None, step: Step::Pointer(pointer) }
    }

    /// The value of a key.
    pub(super) fn key(&'a self, key: &'a str) -> Self {
        Self { above: Some(self), step: Step::Key(key) }
    }

    /// An entry of a list.
    pub(super) fn index(&'a self, index: usize) -> Self {
        Self { above: Some(self), step: Step::Index(index) }
    }

    /// The JSON Pointer.
    pub(super) fn pointer(&self) -> String {
        let above = self.above.map(Path::pointer).unwrap_or_default();
        match self.step {
            Step::Pointer(pointer) => above + pointer,
            Step::Key(key) => above + "/" + &key.replace('~', "~0").replace('/', "~1"),
            Step::Index(index) => above + "/" + &index.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_escaped() {
        let root = Path::at("/types");
        assert_eq!(root.key("A").key("a/b~c").index(2).pointer(), "/types/A/a~1b~0c/2");
    }
}

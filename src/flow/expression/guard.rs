//! Bounds on an expression's text, checked before jaq sees it: its lexer, parser and compiler recurse, and this process must live.

/// The longest expression, in bytes.
pub(crate) const LONGEST: usize = 8 * 1024;
/// How deep brackets, quotes and interpolations may nest.
pub(crate) const DEEPEST: usize = 40;
/// How many operators one expression may have.
pub(crate) const MOST_OPERATORS: usize = 400;
/// How many of the words and signs that nest what follows them (`if`, `try`, `def`, a negative sign) it may have.
pub(crate) const MOST_NESTING: usize = 64;

/// Why an expression is refused unseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Excess {
    /// Its text is too long.
    #[error("the expression is longer than {LONGEST} bytes")]
    Length,
    /// Its brackets nest too deep.
    #[error("the expression nests deeper than {DEEPEST} levels")]
    Depth,
    /// It chains too much.
    #[error("the expression has more than {MOST_OPERATORS} operators")]
    Operators,
    /// It nests too much without brackets.
    #[error("the expression has more than {MOST_NESTING} of `if`, `try`, `def`, `reduce`, `foreach`, `label`, `as` and negative signs")]
    Nesting,
}

/// Checks the bounds, in one pass and without recursion.
pub(crate) fn check(text: &str) -> Result<(), Excess> {
    if text.len() > LONGEST {
        return Err(Excess::Length);
    }
    let mut scan = Scan::default();
    for (at, byte) in text.bytes().enumerate() {
        scan.step(text, at, byte);
        if scan.deepest > DEEPEST {
            return Err(Excess::Depth);
        }
    }
    if scan.nesting > MOST_NESTING {
        return Err(Excess::Nesting);
    }
    if scan.operators > MOST_OPERATORS { Err(Excess::Operators) } else { Ok(()) }
}

/// Where the `}` stands that ends the expression which `text` begins with, right after its `${`.
pub(crate) fn end(text: &str) -> Option<usize> {
    let mut scan = Scan::default();
    for (at, byte) in text.bytes().enumerate() {
        if byte == b'}' && scan.open.is_empty() && !scan.comment {
            return Some(at);
        }
        scan.step(text, at, byte);
        if scan.deepest > DEEPEST || at > LONGEST {
            return None;
        }
    }
    None
}

/// A walk over jq text that knows quotes, interpolations, comments and brackets.
#[derive(Default)]
struct Scan {
    open: Vec<u8>,
    deepest: usize,
    operators: usize,
    nesting: usize,
    comment: bool,
    escaped: bool,
    word: usize,
    /// Whether an operand has just ended, so that a `-` stands between two of them.
    operand: bool,
}

impl Scan {
    fn step(&mut self, text: &str, at: usize, byte: u8) {
        if self.comment {
            self.comment = byte != b'\n';
            return;
        }
        if self.open.last() == Some(&b'"') {
            self.quoted(byte);
            return;
        }
        if byte.is_ascii_alphanumeric() || byte == b'_' {
            self.word += 1;
            let next = text.as_bytes().get(at + 1);
            if next.is_none_or(|next| !next.is_ascii_alphanumeric() && *next != b'_') {
                self.nesting += usize::from(nests(&text.as_bytes()[at + 1 - self.word..=at]));
                self.word = 0;
            }
            self.operand = true;
            return;
        }
        match byte {
            b'"' | b'(' | b'[' | b'{' => self.push(byte),
            b')' | b']' | b'}' => self.pop(byte),
            b'#' => self.comment = true,
            b'-' if !self.operand => self.nesting += 1,
            // Entries of an object stand side by side; any other comma nests its operands.
            b',' => self.operators += usize::from(self.open.last() != Some(&b'{')),
            b'|' | b'+' | b'-' | b'*' | b'/' | b'%' | b'=' | b'<' | b'>' => self.operators += 1,
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            self.operand = matches!(byte, b')' | b']' | b'}' | b'.' | b'?');
        }
    }

    fn quoted(&mut self, byte: u8) {
        match (self.escaped, byte) {
            (true, b'(') => {
                self.escaped = false;
                self.push(byte);
            }
            (true, _) => self.escaped = false,
            (false, b'\\') => self.escaped = true,
            (false, b'"') => {
                self.open.pop();
                self.operand = true;
            }
            (false, _) => {}
        }
    }

    fn push(&mut self, byte: u8) {
        self.open.push(byte);
        self.deepest = self.deepest.max(self.open.len());
    }

    fn pop(&mut self, byte: u8) {
        let opening = match byte {
            b')' => b'(',
            b']' => b'[',
            _ => b'{',
        };
        if self.open.last() == Some(&opening) {
            self.open.pop();
        }
    }
}

/// Words that nest what follows them. `and` and `or`, operators that are words, count too: there are few.
fn nests(word: &[u8]) -> bool {
    matches!(word, b"if" | b"try" | b"reduce" | b"foreach" | b"def" | b"label" | b"as" | b"and" | b"or")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_ends_at_its_own_brace() {
        assert_eq!(end(" .a } and more"), Some(4));
        assert_eq!(end(r#"{a: "}"}} x"#), Some(8));
        assert_eq!(end(r#""\({a: 1}.a)}"} x"#), Some(14));
        assert_eq!(end("# }\n}"), Some(4));
        assert_eq!(end(".a"), None);
    }

    #[test]
    fn what_would_recurse_without_end_is_refused() {
        for hostile in ["(".repeat(8000), "[".repeat(8000), "{a:".repeat(2000), r#""\("#.repeat(2000)] {
            assert_eq!(check(&hostile), Err(Excess::Depth), "{}", &hostile[..9]);
        }
        let nesting = ["-", "if ", "try ", "def f: ", ". as $x | ", "reduce ", "label $x |"];
        for hostile in nesting.map(|word| word.repeat(700)) {
            assert_eq!(check(&hostile), Err(Excess::Nesting), "{}", &hostile[..10]);
        }
        for hostile in ["1+", "1,", ".|", "1-", "\"a\"-"].map(|link| link.repeat(1600)) {
            assert_eq!(check(&hostile), Err(Excess::Operators), "{}", &hostile[..4]);
        }
        assert_eq!(check(&".a".repeat(5000)), Err(Excess::Length));
        assert_eq!(check(&format!("{{{}}}", vec!["a: .a"; 1000].join(","))), Ok(()));
    }
}

//! Just enough Rust to find which rooms a file imports: words and signs without comments and literals, and the paths they form.

/// A path that leads to a room, or to something else at the crate's root.
#[derive(Debug, PartialEq, Eq)]
pub struct Import {
    /// The path's first segment below the crate's root.
    pub room: String,
    /// Where it stands, from 1.
    pub line: usize,
}

struct Token {
    text: String,
    line: usize,
}

/// Every `crate::…` and every `super::…` of a module, resolved to the first segment below the crate's root.
pub fn imports(module: &str, source: &str) -> Vec<Import> {
    let tokens = tokens(source);
    let at = |index: usize| tokens.get(index).map_or("", |token: &Token| token.text.as_str());
    let mut path: Vec<String> = module.split("::").filter(|segment| !segment.is_empty()).map(str::to_owned).collect();
    // For each brace that is open: whether it opened a module.
    let mut open = Vec::new();
    let mut found = Vec::new();
    for index in 0..tokens.len() {
        match at(index) {
            "{" => {
                let is_module = index >= 2 && at(index - 2) == "mod";
                if is_module {
                    path.push(at(index - 1).to_owned());
                }
                open.push(is_module);
            }
            "}" if open.pop() == Some(true) => {
                path.pop();
            }
            "crate" if at(index + 1) == "::" => follow(&tokens, index + 2, Vec::new(), &mut found),
            "super" if at(index + 1) == "::" && (index == 0 || at(index - 1) != "::") => follow(&tokens, index, path.clone(), &mut found),
            _ => {}
        }
    }
    found
}

/// Follows one path from a token on: `super` goes up, a name goes down, braces branch.
fn follow(tokens: &[Token], mut index: usize, mut base: Vec<String>, found: &mut Vec<Import>) {
    loop {
        let Some(token) = tokens.get(index) else { return };
        match token.text.as_str() {
            "super" => drop(base.pop()),
            "self" => {}
            "{" => return branch(tokens, index + 1, &base, found),
            name => base.push(name.to_owned()),
        }
        let goes_on = tokens.get(index + 1).is_some_and(|next| next.text == "::");
        // Below a room nothing changes the room any more.
        let inside = !base.is_empty() && token.text != "super";
        if inside || !goes_on {
            return found.extend(base.into_iter().next().map(|room| Import { room, line: token.line }));
        }
        index += 2;
    }
}

/// Follows every entry of a group, up to its closing brace.
fn branch(tokens: &[Token], start: usize, base: &[String], found: &mut Vec<Import>) {
    let (mut index, mut depth, mut begins) = (start, 0, true);
    while let Some(token) = tokens.get(index) {
        match token.text.as_str() {
            "}" if depth == 0 => return,
            "}" => depth -= 1,
            "{" => depth += 1,
            "," if depth == 0 => begins = true,
            _ if begins => {
                begins = false;
                follow(tokens, index, base.to_vec(), found);
            }
            _ => {}
        }
        index += 1;
    }
}

fn tokens(source: &str) -> Vec<Token> {
    let mut rest = source;
    let mut line = 1;
    let mut tokens = Vec::new();
    while let Some(first) = rest.chars().next() {
        let length = literal(rest).unwrap_or(0);
        let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let taken = match length {
            0 if word > 0 => word,
            0 if rest.starts_with("::") => 2,
            0 => first.len_utf8(),
            length => length,
        };
        let text = &rest[..taken];
        if length == 0 && !first.is_whitespace() {
            tokens.push(Token { text: text.to_owned(), line });
        }
        line += text.matches('\n').count();
        rest = &rest[taken..];
    }
    tokens
}

/// The length of the comment or literal that the text begins with, if it begins with one.
fn literal(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return Some(block_comment(text));
    }
    let prefixed = ["br", "cr", "b", "c", "r"].iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text);
    let prefix = text.len() - prefixed.len();
    let hashes = prefixed.len() - prefixed.trim_start_matches('#').len();
    if text[..prefix].ends_with('r') && prefixed[hashes..].starts_with('"') {
        let end = format!("\"{}", "#".repeat(hashes));
        let body = prefix + hashes + 1;
        return Some(text[body..].find(&end).map_or(text.len(), |at| body + at + end.len()));
    }
    if prefixed.starts_with('"') {
        return Some(prefix + quoted(prefixed, '"'));
    }
    // A lifetime is no literal: it has no quote after its first character.
    let mut chars = prefixed.chars();
    let is_char = chars.next() == Some('\'') && (chars.next() == Some('\\') || chars.next() == Some('\''));
    is_char.then(|| prefix + quoted(prefixed, '\''))
}

fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == quote && !escaped {
            return at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    text.len()
}

fn block_comment(text: &str) -> usize {
    let (mut at, mut depth) = (0, 0);
    while let Some(next) = text[at..].find(['/', '*']).map(|found| at + found) {
        let step = match text.get(next..next + 2) {
            Some("/*") => 1,
            Some("*/") => -1,
            _ => 0,
        };
        depth += step;
        at = next + if step == 0 { 1 } else { 2 };
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

//! Blanks out what only looks like Rust code: comments, strings, characters.

/// `text` with comments, strings and character literals turned into blanks, line by line in place.
pub(super) fn blanked(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let previous = code.chars().next_back();
        let skipped = literal_length(rest, previous);
        let taken = skipped.unwrap_or(c.len_utf8()).min(rest.len());
        let (part, after) = rest.split_at(taken);
        match skipped {
            Some(_) => code.extend(part.chars().map(|c| if c == '\n' { '\n' } else { ' ' })),
            None => code.push(c),
        }
        rest = after;
    }
    code
}

/// How many bytes of a comment or literal `rest` begins with, if it begins with one.
fn literal_length(rest: &str, previous: Option<char>) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment_length(rest));
    }
    if rest.starts_with('"') {
        return Some(quoted_length(rest, '"'));
    }
    if rest.starts_with('\'') {
        return character_length(rest);
    }
    let in_a_word = previous.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if in_a_word && previous != Some('b') && previous != Some('c') {
        return None;
    }
    raw_string_length(rest)
}

fn block_comment_length(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        let here = &rest[at..];
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

fn quoted_length(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// `'{'` and `'\n'` are literals, `'a` is a lifetime.
fn character_length(rest: &str) -> Option<usize> {
    let mut characters = rest.char_indices().skip(1);
    let (_, first) = characters.next()?;
    if first == '\\' {
        return Some(quoted_length(rest, '\''));
    }
    let (at, second) = characters.next()?;
    (second == '\'').then_some(at + 1)
}

fn raw_string_length(rest: &str) -> Option<usize> {
    let opening = rest.strip_prefix('r')?;
    let body = opening.trim_start_matches('#').strip_prefix('"')?;
    let opened = rest.len() - body.len();
    let end = format!("\"{}", "#".repeat(opened - 2));
    Some(body.find(&end).map_or(rest.len(), |at| opened + at + end.len()))
}

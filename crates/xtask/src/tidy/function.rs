//! Finds the functions of a Rust file and counts their lines, without a parser.

use super::blank::blanked;

/// A function with a body: its name, the line of its `fn`, and the lines from there to its closing brace.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) lines: usize,
}

/// Every function with a body, nested ones included.
pub(super) fn functions(text: &str) -> Vec<Function> {
    let code = blanked(text);
    let starts = code.match_indices("fn ").filter(|(at, _)| starts_a_word(&code, *at));
    starts.filter_map(|(at, _)| function_at(&code, at)).collect()
}

fn starts_a_word(code: &str, at: usize) -> bool {
    !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_')
}

fn function_at(code: &str, at: usize) -> Option<Function> {
    let rest = code[at + 2..].trim_start();
    let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    if name.is_empty() {
        return None;
    }
    let length = body_end(&code[at..])?;
    let line = code[..at].matches('\n').count() + 1;
    let lines = code[at..at + length].matches('\n').count() + 1;
    Some(Function { name, line, lines })
}

/// Where the body of the function that `code` begins with ends; `None` for a declaration.
fn body_end(code: &str) -> Option<usize> {
    let mut brackets = 0_i32;
    let mut braces = 0_i32;
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' if braces == 0 => brackets += 1,
            ')' | ']' if braces == 0 => brackets -= 1,
            ';' if braces == 0 && brackets == 0 => return None,
            '{' if brackets == 0 => braces += 1,
            '}' if brackets == 0 => {
                braces -= 1;
                if braces == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

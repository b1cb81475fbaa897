//! Stands names in for what differs from run to run: key ids, and what follows from today's date.

/// The ids met so far in one transcript; the first is shown as `<id-1>`.
#[derive(Default)]
pub(crate) struct Masks {
    ids: Vec<String>,
}

/// An SHA-256 thumbprint in base64url (RFC 7638), and the coordinates of a public key, have this length.
const ID_LENGTH: usize = 43;

impl Masks {
    /// Puts names in the place of ids, and `<time>` in the place of dates near now.
    pub(crate) fn mask(&mut self, text: &str) -> String {
        let mut masked = String::new();
        let mut rest = text;
        while let Some(start) = rest.find(is_of_id) {
            let word_on = &rest[start..];
            let (word, after) = word_on.split_at(word_on.find(|c| !is_of_id(c)).unwrap_or(word_on.len()));
            masked.push_str(&rest[..start]);
            masked.push_str(&self.mask_word(word));
            rest = after;
        }
        masked.push_str(rest);
        mask_dates(&masked)
    }

    /// Puts the ids back into a command.
    pub(crate) fn unmask(&self, command: &str) -> String {
        self.ids
            .iter()
            .enumerate()
            .rev()
            .fold(command.to_owned(), |text, (index, id)| text.replace(&name(index), id))
    }

    fn mask_word(&mut self, word: &str) -> String {
        if word.len() != ID_LENGTH {
            return word.to_owned();
        }
        let known = self.ids.iter().position(|id| id == word);
        name(known.unwrap_or_else(|| {
            self.ids.push(word.to_owned());
            self.ids.len() - 1
        }))
    }
}

fn name(index: usize) -> String {
    format!("<id-{}>", index + 1)
}

fn is_of_id(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

/// Hides what depends on the clock: every date but those of the tokens in [`crate::minted`], which are of 2001, and
/// how many days have gone by since then.
fn mask_dates(text: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some((at, length, name)) = next_date(rest) {
        masked.push_str(&rest[..at]);
        masked.push_str(name);
        rest = &rest[at + length..];
        // A date's width ("now", "12s ago") sets the padding behind it.
        let padding = rest.len() - rest.trim_start_matches(' ').len();
        rest = &rest[padding.saturating_sub(2)..];
    }
    masked + rest
}

/// Where the next date is, how long it is, and what stands in for it.
fn next_date(text: &str) -> Option<(usize, usize, &'static str)> {
    let mut starts = text.char_indices().filter(|&(at, c)| {
        c.is_ascii_digit() && !text[..at].ends_with(|before: char| before.is_ascii_alphanumeric())
    });
    starts.find_map(|(at, _)| date_at(&text[at..]).map(|(length, name)| (at, length, name)))
}

fn date_at(text: &str) -> Option<(usize, &'static str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    if digits == 10 && !text.starts_with("100") {
        return Some((digits, "<secs>"));
    }
    if digits == 13 && !text.starts_with("100") {
        return Some((digits, "<millis>"));
    }
    if digits >= 4 && text[digits..].starts_with(" days") {
        return Some((digits, "<days>"));
    }
    let shape: String = text.chars().take(20).map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    if shape != "0000-00-00 00:00:00Z" || text.starts_with("2001-") {
        return None;
    }
    let relative = text[20..].strip_prefix(" (").and_then(|after| after.find(')')).map_or(0, |end| end + 3);
    Some((20 + relative, "<time>"))
}

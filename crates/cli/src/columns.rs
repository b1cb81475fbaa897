//! Tables that fit the terminal: columns are left out or cut, and what is cut ends in `…`.

use std::io::IsTerminal as _;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// A column that gives way, and is narrower than this, tells nothing.
const NARROWEST: usize = 6;
const GAP: usize = 2;

/// The columns of the terminal, if there is one to fit. `COLUMNS` says otherwise.
pub(crate) fn terminal_width() -> Option<usize> {
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let seen = || terminal_size::terminal_size().map(|(width, _)| width.0.into());
    said.or_else(|| seen().filter(|_| std::io::stdout().is_terminal()))
}

/// How a column gives way where the terminal is narrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// Not at all: the next command needs it.
    Whole,
    /// It is cut, the widest first.
    Cut,
    /// It is left out, the last one first.
    LeftOut,
}

/// Rows as text.
pub(crate) fn fit(rows: &[Vec<String>], columns: &[Column], width: Option<usize>) -> String {
    let natural = |column: usize| rows.iter().filter_map(|row| Some(row.get(column)?.width())).max();
    let mut widths: Vec<Option<usize>> = (0..columns.len()).map(natural).collect();
    if let Some(room) = width {
        leave_out(&mut widths, columns, room);
        cut(&mut widths, columns, room);
    }
    let lines = rows.iter().map(|row| {
        let kept = row.iter().zip(&widths).filter_map(|(cell, width)| Some(padded(cell, (*width)?)));
        format!("{}\n", kept.collect::<Vec<_>>().join(&" ".repeat(GAP)).trim_end())
    });
    lines.collect()
}

fn total(widths: impl Iterator<Item = usize>) -> usize {
    widths.map(|width| width + GAP).sum::<usize>().saturating_sub(GAP)
}

/// Leaves out what has no room even when the others are cut.
fn leave_out(widths: &mut [Option<usize>], columns: &[Column], room: usize) {
    let least = |(width, column): (&Option<usize>, &Column)| {
        width.map(|width| if *column == Column::Whole { width } else { width.min(NARROWEST * 2) })
    };
    while total(widths.iter().zip(columns).filter_map(least)) > room {
        let dispensable =
            (0..columns.len()).rfind(|&at| columns[at] == Column::LeftOut && widths[at].is_some());
        match dispensable {
            Some(at) => widths[at] = None,
            None => return,
        }
    }
}

fn cut(widths: &mut [Option<usize>], columns: &[Column], room: usize) {
    while total(widths.iter().flatten().copied()) > room {
        let cuttable = widths.iter_mut().zip(columns).filter(|(_, column)| **column != Column::Whole);
        match cuttable.filter_map(|(width, _)| width.as_mut()).max_by_key(|width| **width) {
            Some(width) if *width > NARROWEST => *width -= 1,
            _ => return,
        }
    }
}

fn padded(cell: &str, width: usize) -> String {
    let mut text = if cell.width() > width { shortened(cell, width) } else { cell.to_owned() };
    text.extend(std::iter::repeat_n(' ', width.saturating_sub(text.width())));
    text
}

fn shortened(cell: &str, width: usize) -> String {
    let (mut text, mut used) = (String::new(), 1);
    for c in cell.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        text.push(c);
    }
    text.push('…');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Vec<String>> {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        vec![
            row(["ID", "USER", "DEVICE"]),
            row(["0123456789", "日本語の名前です", "Firefox on a very odd machine"]),
        ]
    }

    const COLUMNS: [Column; 3] = [Column::Whole, Column::Cut, Column::LeftOut];

    #[test]
    fn a_table_takes_what_it_needs_where_nobody_counts() {
        let text = fit(&rows(), &COLUMNS, None);
        assert_eq!(
            text,
            "ID          USER              DEVICE\n0123456789  日本語の名前です  Firefox on a very odd machine\n"
        );
    }

    #[test]
    fn the_widest_columns_give_way_and_the_first_never() {
        for room in [20, 24, 30, 40, 58] {
            let text = fit(&rows(), &COLUMNS, Some(room));
            assert!(text.lines().all(|line| line.width() <= room), "{room}:\n{text}");
            assert!(text.contains("0123456789"), "{room}:\n{text}");
            assert_eq!(text.contains('…'), room != 30, "{room}:\n{text}");
            assert_eq!(text.contains("DEVICE"), room >= 38, "{room}:\n{text}");
        }
    }
}

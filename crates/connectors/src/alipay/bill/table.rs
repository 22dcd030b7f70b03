//! The lines of a bill's tables: cells between commas, numbers with a tab behind them so that a
//! spreadsheet takes them for text.

use thiserror::Error;

/// A table has some thirty columns.
const MAX_CELLS: usize = 128;

/// Why a line can't be cut into cells.
#[derive(Debug, Clone, Copy, Error, PartialEq, Eq)]
pub enum TableError {
    /// More cells than any table has.
    #[error("it has more than {MAX_CELLS} cells")]
    TooManyCells,
    /// A quoted cell that does not end, or goes on after its end.
    #[error("a quoted cell does not end with its quote")]
    Quote,
}

/// The cells of a line, without blanks around them. A cell in quotes may have commas, and quotes
/// written twice.
pub fn cells(line: &str) -> Result<Vec<String>, TableError> {
    let mut cells = Vec::new();
    let mut rest = line;
    loop {
        if cells.len() == MAX_CELLS {
            return Err(TableError::TooManyCells);
        }
        let start = rest.trim_start();
        let (cell, after) = match start.strip_prefix('"') {
            Some(quoted) => quoted_cell(quoted)?,
            None => match start.split_once(',') {
                Some((cell, after)) => (cell.trim().to_owned(), Some(after)),
                None => (start.trim().to_owned(), None),
            },
        };
        cells.push(cell);
        match after {
            Some(after) => rest = after,
            None => return Ok(cells),
        }
    }
}

/// The cell up to its closing quote, and what follows the comma behind it.
fn quoted_cell(text: &str) -> Result<(String, Option<&str>), TableError> {
    let mut cell = String::new();
    let mut rest = text;
    loop {
        let (part, after) = rest.split_once('"').ok_or(TableError::Quote)?;
        cell.push_str(part);
        if let Some(after) = after.strip_prefix('"') {
            cell.push('"');
            rest = after;
            continue;
        }
        let cell = cell.trim().to_owned();
        let after = after.trim_start();
        return match after.strip_prefix(',') {
            Some(after) => Ok((cell, Some(after))),
            None if after.is_empty() => Ok((cell, None)),
            None => Err(TableError::Quote),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cells_stand_between_commas_without_blanks_around_them() {
        assert_eq!(
            cells("2019\t,re_1\t, 交易 ,,-0.01,\r"),
            Ok(["2019", "re_1", "交易", "", "-0.01", ""]
                .map(str::to_owned)
                .to_vec())
        );
        assert_eq!(
            cells("\"a, \"\"b\"\"\"\t,c,\"\""),
            Ok(["a, \"b\"", "c", ""].map(str::to_owned).to_vec())
        );
        assert_eq!(cells(""), Ok(vec![String::new()]));
    }

    #[test]
    fn a_line_that_could_be_cut_in_two_ways_is_refused() {
        for line in ["\"a", "\"a\"b,c", "a,\"", "\"a\"\"", "x,\"a\" b"] {
            assert_eq!(cells(line), Err(TableError::Quote), "{line}");
        }
        assert_eq!(cells(&",".repeat(MAX_CELLS)), Err(TableError::TooManyCells));
    }

    proptest! {
        #[test]
        fn what_is_quoted_is_read_again(row in prop::collection::vec("[a-z\",，诊]{0,12}", 1..20)) {
            let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
            let line: Vec<String> = row.iter().map(quoted).collect();
            prop_assert_eq!(cells(&line.join(",")), Ok(row));
        }

        #[test]
        fn nothing_from_outside_makes_it_panic(line: String) {
            if let Ok(cells) = cells(&line) {
                prop_assert!(cells.len() <= line.matches(',').count() + 1);
            }
        }
    }
}

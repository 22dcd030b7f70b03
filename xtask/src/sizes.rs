//! The size rule: a file holds one thing, a function fits on a screen.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::source::{Source, is_word, rust_files};

/// Past this many lines a file is reported.
const LONG_FILE: usize = 600;
/// Past this many lines a file fails the check.
const TOO_LONG_FILE: usize = 800;
/// Past this many lines, signature and braces included, a function is reported.
const LONG_FUNCTION: usize = 70;

/// Prints what is long, and fails if a file is too long.
pub fn check() -> Result<()> {
    let mut too_long = 0;
    for folder in ["crates", "xtask", "bench"] {
        for path in rust_files(Path::new(folder))? {
            let text =
                std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            let shown = path.display();
            let lines = text.lines().count();
            if lines > TOO_LONG_FILE {
                println!("error: {shown}: {lines} lines, more than {TOO_LONG_FILE}: split it");
                too_long += 1;
            } else if lines > LONG_FILE {
                println!(
                    "warning: {shown}: {lines} lines, more than {LONG_FILE}: what is the second thing in it?"
                );
            }
            for function in functions(&Source::parse(&text)) {
                if function.lines > LONG_FUNCTION {
                    println!(
                        "warning: {shown}:{}: fn {} has {} lines, more than {LONG_FUNCTION}",
                        function.first_line, function.name, function.lines
                    );
                }
            }
        }
    }
    ensure!(
        too_long == 0,
        "{too_long} file(s) over {TOO_LONG_FILE} lines"
    );
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
struct Function {
    name: String,
    first_line: usize,
    lines: usize,
}

/// Every `fn` with a body, nested ones too.
fn functions(source: &Source) -> Vec<Function> {
    let code = &source.code;
    let mut found = Vec::new();
    for place in 0..code.len() {
        if !keyword_fn(code, place) {
            continue;
        }
        let name: String = code
            .iter()
            .skip(place + 2)
            .skip_while(|c| c.is_whitespace())
            .take_while(|c| is_word(**c))
            .collect();
        let body = body_after(code, place).and_then(|open| source.closing_brace(open));
        // `fn(u8) -> u8` is a type: no name.
        if let (false, Some(end)) = (name.is_empty(), body) {
            let first_line = source.line_of(place);
            found.push(Function {
                name,
                first_line,
                lines: source.line_of(end) - first_line + 1,
            });
        }
    }
    found
}

fn keyword_fn(code: &[char], place: usize) -> bool {
    let starts_a_word = place == 0
        || !code
            .get(place - 1)
            .is_some_and(|c| is_word(*c) || *c == '#');
    starts_a_word
        && code.get(place..place + 2) == Some(&['f', 'n'])
        && code.get(place + 2).is_some_and(|c| c.is_whitespace())
}

/// The brace that opens the body of the function declared at `place`; none if it is only declared.
fn body_after(code: &[char], place: usize) -> Option<usize> {
    let mut depth = 0_i32; // the `;` in `[u8; 4]` ends no declaration
    for (here, character) in code.iter().enumerate().skip(place) {
        match character {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '{' if depth == 0 => return Some(here),
            ';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, usize, usize)> {
        let functions = functions(&Source::parse(text));
        functions
            .into_iter()
            .map(|f| (f.name, f.first_line, f.lines))
            .collect()
    }

    #[test]
    fn a_function_is_measured_from_signature_to_closing_brace() {
        let text =
            "use a;\npub fn one(\n  a: [u8; 4],\n) -> u8 {\n  \"}\"; // }\n  '{'\n}\nfn two() {}\n";
        assert_eq!(
            found(text),
            [("one".to_owned(), 2, 6), ("two".to_owned(), 8, 1)]
        );
    }

    #[test]
    fn declarations_types_and_other_words_are_not_functions() {
        assert!(found("trait A { fn b(&self); }\ntype C = fn(u8) -> u8;\nlet r#fn = often (1); // fn x() {}").is_empty());
    }

    #[test]
    fn nested_functions_count_each() {
        assert_eq!(
            found("fn a() {\nfn b() {\n}\n}"),
            [("a".to_owned(), 1, 4), ("b".to_owned(), 2, 2)]
        );
    }
}

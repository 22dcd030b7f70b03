//! Reads Rust source just well enough to tell code from comments and literals.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A string literal, without quotes and prefix, escapes as written.
#[derive(Debug, PartialEq, Eq)]
pub struct Literal {
    /// The line on which it begins; the first is 1.
    pub line: usize,
    /// What stands between the quotes.
    pub text: String,
}

/// A source file taken apart.
pub struct Source {
    /// The text with comments and the insides of literals blanked. Lines stay where they were.
    pub code: Vec<char>,
    /// The string literals, in order.
    pub literals: Vec<Literal>,
}

impl Source {
    /// Takes `text` apart.
    pub fn parse(text: &str) -> Self {
        let mut reader = Reader {
            rest: text.chars().collect(),
            at: 0,
            line: 1,
            source: Source::empty(),
        };
        reader.read();
        reader.source
    }

    fn empty() -> Self {
        Self {
            code: Vec::new(),
            literals: Vec::new(),
        }
    }

    /// The code again as lines.
    pub fn lines(&self) -> Vec<String> {
        self.code
            .iter()
            .collect::<String>()
            .lines()
            .map(str::to_owned)
            .collect()
    }

    /// The line, counted from 1, of a place in the code.
    pub fn line_of(&self, place: usize) -> usize {
        1 + self.code.iter().take(place).filter(|c| **c == '\n').count()
    }

    /// Where the brace that opens at `open` closes, if it does.
    pub fn closing_brace(&self, open: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for (place, character) in self.code.iter().enumerate().skip(open) {
            match character {
                '{' => depth += 1,
                '}' if depth == 1 => return Some(place),
                '}' => depth = depth.checked_sub(1)?,
                _ => {}
            }
        }
        None
    }
}

struct Reader {
    rest: Vec<char>,
    at: usize,
    line: usize,
    source: Source,
}

impl Reader {
    fn read(&mut self) {
        while let Some(character) = self.peek(0) {
            match (character, self.peek(1)) {
                ('/', Some('/')) => self.blank_while(|reader| reader.peek(0) != Some('\n')),
                ('/', Some('*')) => self.block_comment(),
                ('"', _) => self.string(None),
                ('r' | 'b' | 'c', _) if !self.inside_word() => self.perhaps_prefixed(),
                ('\'', _) => self.character_or_lifetime(),
                _ => self.keep(),
            }
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.rest.get(self.at + ahead).copied()
    }

    fn inside_word(&self) -> bool {
        self.source.code.last().is_some_and(|c| is_word(*c))
    }

    fn push(&mut self, kept: bool) {
        if let Some(character) = self.peek(0) {
            self.line += usize::from(character == '\n');
            self.source.code.push(if kept || character == '\n' {
                character
            } else {
                ' '
            });
            self.at += 1;
        }
    }

    fn keep(&mut self) {
        self.push(true);
    }

    fn blank_while(&mut self, goes_on: impl Fn(&Self) -> bool) {
        while self.peek(0).is_some() && goes_on(self) {
            self.push(false);
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => depth += 1,
                (Some('*'), Some('/')) => depth -= 1,
                (None, _) => return,
                _ => {
                    self.push(false);
                    continue;
                }
            }
            self.push(false);
            self.push(false);
            if depth == 0 {
                return;
            }
        }
    }

    /// `r"`, `r#"`, `b"`, `br#"`, `c"`, `cr"`: a string; `b'x'`: a byte; otherwise a word or `r#word`.
    fn perhaps_prefixed(&mut self) {
        let mut length = 1;
        let raw = self.peek(0) == Some('r') || self.peek(1) == Some('r');
        if self.peek(0) != Some('r') && raw {
            length = 2;
        }
        let mut hashes = 0;
        while raw && self.peek(length + hashes) == Some('#') {
            hashes += 1;
        }
        match self.peek(length + hashes) {
            Some('"') => {
                (0..length + hashes).for_each(|_| self.keep());
                self.string(raw.then_some(hashes));
            }
            _ => self.keep(),
        }
    }

    /// From the opening to the closing quote; `hashes` is given for a raw string.
    fn string(&mut self, hashes: Option<usize>) {
        self.keep();
        let (line, start) = (self.line, self.at);
        while let Some(character) = self.peek(0) {
            let closes = character == '"'
                && (1..=hashes.unwrap_or(0)).all(|ahead| self.peek(ahead) == Some('#'));
            if closes {
                break;
            }
            if character == '\\' && hashes.is_none() {
                self.push(false);
            }
            self.push(false);
        }
        let text = self.rest.iter().take(self.at).skip(start).collect();
        self.source.literals.push(Literal { line, text });
        self.keep();
    }

    fn character_or_lifetime(&mut self) {
        self.keep();
        if self.peek(0) == Some('\\') {
            self.push(false);
            self.push(false);
            self.blank_while(|reader| reader.peek(0) != Some('\''));
            self.keep();
        } else if self.peek(1) == Some('\'') {
            self.push(false);
            self.keep();
        }
    }
}

/// Whether `character` may stand in a name.
pub fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// All Rust files under `folder`, sorted; none if there is no such folder.
pub fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop().filter(|folder| folder.is_dir()) {
        for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        Source::parse(text).code.iter().collect()
    }

    fn literals(text: &str) -> Vec<String> {
        Source::parse(text)
            .literals
            .into_iter()
            .map(|literal| literal.text)
            .collect()
    }

    #[test]
    fn comments_are_blanked_and_lines_kept() {
        assert_eq!(code("a // { \"\nb"), "a       \nb");
        assert_eq!(
            code("a /* { /* } */\n} */ b"),
            format!("a{}\n{}b", " ".repeat(13), " ".repeat(5))
        );
    }

    #[test]
    fn literals_are_blanked_and_collected() {
        assert_eq!(code("f(\"{\")"), "f(\" \")");
        assert_eq!(
            literals(r##"("a\"b", r#"c"d"#, b"e", br"f\", c"g")"##),
            ["a\\\"b", "c\"d", "e", "f\\", "g"]
        );
    }

    #[test]
    fn lifetimes_characters_and_raw_names_are_told_apart() {
        assert_eq!(
            code("&'a str '{' '\\'' '\\u{7d}' b'\"' r#type"),
            "&'a str ' ' '  ' '      ' b' ' r#type"
        );
        assert!(literals("var '\"' r#type").is_empty());
    }

    #[test]
    fn a_literal_knows_its_line() {
        let source = Source::parse("\n\"医\n生\"\n\"x\"");
        assert_eq!(
            source
                .literals
                .iter()
                .map(|literal| literal.line)
                .collect::<Vec<_>>(),
            [2, 4]
        );
    }

    #[test]
    fn braces_are_matched() {
        let source = Source::parse("a { b { '}' } \"}\" } c }");
        assert_eq!(source.closing_brace(2), Some(18));
        assert_eq!(Source::parse("{ {").closing_brace(0), None);
    }
}

//! Lines of text that fit: between words where there are words, between any two characters of
//! Chinese, and never before a closing mark or after an opening one.

/// Marks that no line begins with.
const CLOSING: &str = "，。、；：？！）】》〉」』〕］｝”’…—～·％℃‰°,.;:?!)]}%";
/// Marks that no line ends with: brackets, and signs that say nothing without their number.
const OPENING: &str = "（【《〈「『〔［｛“‘([{¥￥$№＜＞＝<>=≤≥±×";

/// Whether a character stands in a square of its own, so that a line may end beside it.
pub const fn is_wide(letter: char) -> bool {
    matches!(letter as u32,
        0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF | 0xFE30..=0xFE4F
        | 0xFF01..=0xFF60 | 0xFFE0..=0xFFE6 | 0x1F000..=0x1FAFF | 0x20000..=0x3FFFF)
}

/// Whether a line may end before the letter at this place. A number and the unit behind it stay on
/// one line: half a dose is a wrong dose.
fn may_break(letters: &[char], place: usize) -> bool {
    let letter = |back| place.checked_sub(back).and_then(|place| letters.get(place));
    let (Some(before), Some(after)) = (letter(1).copied(), letter(0).copied()) else {
        return false;
    };
    if after == ' ' || CLOSING.contains(after) || OPENING.contains(before) {
        return false;
    }
    if before == ' ' {
        let is_number = letter(2).is_some_and(char::is_ascii_digit);
        return !(is_number && after.is_alphabetic());
    }
    let after_dash = matches!(before, '-' | '–' | '—') && after.is_alphabetic();
    is_wide(before) || is_wide(after) || after_dash
}

/// Whether a text is Chinese for a good part, so that it is set to both margins.
pub fn is_chinese(text: &str) -> bool {
    let wide = text.chars().filter(|letter| is_wide(*letter)).count();
    3 * wide > text.chars().count()
}

/// Behind which characters, by their place, a line may be widened.
pub fn gaps(text: &str) -> Vec<usize> {
    let letters: Vec<char> = text.chars().collect();
    let breaks = (1..letters.len()).filter(|place| {
        may_break(&letters, *place) || letters.get(place - 1).is_some_and(|before| *before == ' ')
    });
    breaks.map(|place| place - 1).collect()
}

/// What can be drawn of a text that people wrote: line ends are kept, though not more than one empty
/// line after another; tabs become spaces; and what has no shape of its own goes. Curly quotes become
/// straight ones in a line without Chinese and within Latin words, since a Chinese typeface draws
/// them as wide as a character.
pub fn drawable(text: &str) -> String {
    let text = text
        .replace("\r\n", "\n")
        .replace(['\r', '\u{2028}', '\u{2029}'], "\n");
    let mut clean: Vec<String> = Vec::new();
    for paragraph in text.split('\n').map(paragraph) {
        let is_empty = |line: &String| line.trim().is_empty();
        if !is_empty(&paragraph) || clean.last().is_some_and(|before| !is_empty(before)) {
            clean.push(paragraph);
        }
    }
    clean.join("\n")
}

fn paragraph(text: &str) -> String {
    let letters: Vec<char> = text.chars().filter(|c| !has_no_shape(*c)).collect();
    let is_latin = !letters.iter().any(|letter| is_wide(*letter));
    let is_letter = |place: Option<usize>| {
        let letter = place.and_then(|place| letters.get(place));
        letter.is_some_and(|letter| letter.is_alphanumeric() && !is_wide(*letter))
    };
    let drawn = |(place, letter): (usize, &char)| match *letter {
        '\t' | '\u{A0}' => ' ',
        '“' | '”' if is_latin => '"',
        '‘' | '’' if is_latin => '\'',
        '’' if is_letter(place.checked_sub(1)) && is_letter(Some(place + 1)) => '\'',
        other => other,
    };
    letters.iter().enumerate().map(drawn).collect()
}

fn has_no_shape(letter: char) -> bool {
    (letter.is_control() && letter != '\t')
        || matches!(letter as u32,
            0xAD | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0xFE00..=0xFE0F | 0xFEFF
            | 0xE0000..=0xE01EF)
}

/// A line of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    /// What stands in it.
    pub words: String,
    /// Whether the next begins a paragraph.
    pub ends_paragraph: bool,
}

/// The lines of a text, none wider than `width`; a word that is wider than a line is cut.
pub fn lines(text: &str, width: f32, measure: impl Fn(char) -> f32) -> Vec<Line> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let letters: Vec<char> = paragraph.trim_end().chars().collect();
        let mut rest: &[char] = &letters;
        loop {
            let (line, after) = rest.split_at(fitting(rest, width, &measure));
            let spaces = after.iter().take_while(|letter| **letter == ' ').count();
            rest = after.get(spaces..).unwrap_or_default();
            lines.push(Line {
                words: line.iter().collect::<String>().trim_end().to_owned(),
                ends_paragraph: rest.is_empty(),
            });
            if rest.is_empty() {
                break;
            }
        }
    }
    lines
}

/// How many letters go on the first line: at least one, if there are any.
fn fitting(letters: &[char], width: f32, measure: impl Fn(char) -> f32) -> usize {
    // Where a line may end; and, for words wider than a line, where it may at a pinch.
    let (mut used, mut good, mut cut) = (0.0, None, None);
    for (place, letter) in letters.iter().copied().enumerate() {
        let before = place.checked_sub(1).and_then(|p| letters.get(p));
        if let Some(before) = before.copied() {
            if may_break(letters, place) {
                good = Some(place);
            }
            if !CLOSING.contains(letter) && !OPENING.contains(before) {
                cut = Some(place);
            }
        }
        used += measure(letter);
        // A space at the end of a line takes no room.
        if used > width && letter != ' ' {
            return good.or(cut).unwrap_or(place).max(1);
        }
    }
    letters.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Chinese takes two places, everything else one.
    fn wrapped(text: &str, width: f32) -> Vec<String> {
        let measure = |c| {
            let wide = is_wide(c) || "“”‘’…—".contains(c);
            if wide { 2.0 } else { 1.0 }
        };
        let lines = lines(text, width, measure).into_iter();
        lines.map(|line| line.words).collect()
    }

    #[test]
    fn words_stay_whole_and_lose_the_space_between_lines() {
        let text = "take one tablet with water";
        assert_eq!(wrapped(text, 10.0), ["take one", "tablet", "with water"]);
        assert_eq!(wrapped("take   one", 4.0), ["take", "one"]);
        assert_eq!(wrapped("follow-up soon", 8.0), ["follow-", "up soon"]);
        assert_eq!(
            wrapped("daily 3-5 mg only", 10.0),
            ["daily", "3-5 mg", "only"]
        );
        assert_eq!(wrapped("心率 96 次/分", 9.0), ["心率", "96 次/分"]);
        assert_eq!(wrapped("3-5 mg", 4.0), ["3-5", "mg"], "wider than a line");
    }

    #[test]
    fn a_word_wider_than_a_line_is_cut() {
        let text = "hydroxychloroquine";
        assert_eq!(wrapped(text, 7.0), ["hydroxy", "chloroq", "uine"]);
        assert_eq!(wrapped("头痛", 1.0), ["头", "痛"]);
    }

    #[test]
    fn chinese_breaks_anywhere_but_beside_its_marks() {
        assert_eq!(wrapped("头痛三天伴恶心", 8.0), ["头痛三天", "伴恶心"]);
        assert_eq!(
            wrapped("头痛三天，伴恶心", 8.0),
            ["头痛三", "天，伴恶", "心"]
        );
        assert_eq!(
            wrapped("医生说“休息”。好", 8.0),
            ["医生说", "“休", "息”。好"]
        );
        assert_eq!(
            wrapped("体温升高（三十九度）", 10.0),
            ["体温升高", "（三十九", "度）"]
        );
    }

    #[test]
    fn no_line_begins_with_a_closing_mark_or_ends_with_an_opening_one() {
        let text = "患者诉“头痛三天，伴恶心、呕吐”；查体：T 38.5℃，BP 120/80 mmHg（左上肢），心率 96 次/分。\
                    建议：布洛芬（Ibuprofen）0.2 g，每日 3 次；《用药须知》已发。";
        for width in 6_u8..60 {
            let lines = wrapped(text, f32::from(width));
            let whole: String = lines.concat().replace(' ', "");
            assert_eq!(whole, text.replace(' ', ""), "nothing is lost");
            for line in &lines {
                let first = line.chars().next().unwrap();
                let last = line.chars().last().unwrap();
                assert!(!CLOSING.contains(first), "{width}: {line}");
                assert!(!OPENING.contains(last), "{width}: {line}");
            }
        }
    }

    #[test]
    fn a_latin_word_within_chinese_stays_whole() {
        assert_eq!(
            wrapped("口服ibuprofen两片", 10.0),
            ["口服", "ibuprofen", "两片"]
        );
    }

    #[test]
    fn paragraphs_and_empty_lines_are_kept() {
        assert_eq!(wrapped("一\n\n二 ", 10.0), ["一", "", "二"]);
        assert_eq!(wrapped("", 10.0), [""]);
    }

    #[test]
    fn what_has_no_shape_is_not_drawn() {
        assert_eq!(drawable("a\r\nb\tc\u{200B}\u{FEFF}\u{7}"), "a\nb c");
        assert_eq!(drawable("一\n \n\n\n二\n"), "一\n \n二\n");
    }

    #[test]
    fn quotes_are_straight_where_there_is_no_chinese() {
        assert_eq!(drawable("the patient’s “pain”."), "the patient's \"pain\".");
        assert_eq!(drawable("说“休息”，SpO₂ 98%"), "说“休息”，SpO₂ 98%");
        assert_eq!(drawable("服“Ibuprofen” don’t"), "服“Ibuprofen” don't");
    }

    #[test]
    fn a_line_is_widened_between_words_and_between_characters_of_chinese() {
        assert_eq!(gaps("头痛，BP 12"), [0, 2, 5]);
        assert_eq!(gaps("one two"), [3]);
        assert!(is_chinese("头痛 BP") && !is_chinese("BP 120/80 正常"));
    }
}

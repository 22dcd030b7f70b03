//! A report's form on A4: where each line stands, on as many pages as it takes.

use super::face::{Faces, Weight};
use super::words::{Amount, Block, Report};
use super::wrap::{Line, drawable, gaps, is_chinese, lines};

/// A4 in points.
pub const WIDTH: f32 = 595.28;
/// A4 in points.
pub const HEIGHT: f32 = 841.89;

const LEFT: f32 = 56.0;
const RIGHT: f32 = WIDTH - LEFT;
const TOP: f32 = 52.0;
/// Below this only the foot stands.
const BOTTOM: f32 = HEIGHT - 72.0;
/// Where the second column of facts begins.
const MIDDLE: f32 = WIDTH / 2.0 + 10.0;
/// Facts and what is told of amounts begin so far to the right of their names.
const NAME: f32 = 76.0;
/// So much is kept for an amount.
const AMOUNT: f32 = 96.0;

const BODY: f32 = 10.5;
const BODY_LINE: f32 = 17.0;
/// A row of one line, with the room around it.
const ROW: f32 = 23.5;
const SMALL: f32 = 8.5;
const SMALL_LINE: f32 = 13.5;

/// A line of Chinese is widened to the margin by at most so much between two characters, in parts
/// of the type's size; a larger gap would be seen.
const WIDENED: f32 = 0.1;

/// Colours by what they are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// What there is to read.
    Text,
    /// What something is, and the foot.
    Pale,
    /// Headings.
    Leaf,
    /// Lines between rows.
    Hair,
}

/// One line of text; places are in points from the upper left corner.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    /// Where it begins.
    pub x: f32,
    /// Where the letters stand.
    pub baseline: f32,
    /// How large.
    pub size: f32,
    /// How strong.
    pub weight: Weight,
    /// In which colour.
    pub ink: Ink,
    /// What.
    pub words: String,
    /// By how many points it is widened to end at the margin.
    pub slack: f32,
}

/// A thin line across.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Where it begins.
    pub x: f32,
    /// Where it ends.
    pub to: f32,
    /// At which height.
    pub y: f32,
    /// How thick.
    pub thick: f32,
    /// In which colour.
    pub ink: Ink,
}

/// Something to be drawn.
#[derive(Debug, Clone, PartialEq)]
pub enum Drawn {
    /// Words.
    Text(Text),
    /// A line.
    Rule(Rule),
}

/// What is drawn on one page.
pub type Page = Vec<Drawn>;

/// The pages of a report.
pub fn pages(report: &Report, faces: &Faces) -> Vec<Page> {
    let mut sheet = Sheet {
        faces,
        running: format!("{} · {}", report.hospital, report.title),
        full: Vec::new(),
        page: Page::new(),
        y: TOP,
        has_boxes: false,
    };
    sheet.head(report);
    for (place, block) in report.blocks.iter().enumerate() {
        match block {
            Block::Heading(text) => sheet.heading(text, report.blocks.get(place + 1)),
            Block::Facts(facts) => sheet.facts(facts),
            Block::Passage(name, text) => sheet.passage(name, text),
            Block::Signed(text) => sheet.signed(text),
            Block::Amounts(amounts) => sheet.amounts(amounts),
            Block::Notes(notes) => sheet.notes(notes),
        }
    }
    if sheet.has_boxes {
        sheet.note(report.on_boxes);
    }
    let (mut pages, last) = (sheet.full, sheet.page);
    pages.push(last);
    let count = pages.len();
    for (place, page) in pages.iter_mut().enumerate() {
        foot(page, report, (report.page_of)(place + 1, count), faces);
    }
    pages
}

/// Pages being filled.
struct Sheet<'a> {
    faces: &'a Faces,
    running: String,
    full: Vec<Page>,
    page: Page,
    /// Where the next thing begins.
    y: f32,
    /// Whether something was written that the typeface lacks.
    has_boxes: bool,
}

/// How a line is written.
#[derive(Debug, Clone, Copy)]
struct Style {
    size: f32,
    weight: Weight,
    ink: Ink,
}

const fn style(size: f32, weight: Weight, ink: Ink) -> Style {
    Style { size, weight, ink }
}

const TEXT: Style = style(BODY, Weight::Regular, Ink::Text);
const STRONG: Style = style(BODY, Weight::Bold, Ink::Text);
const PALE: Style = style(BODY, Weight::Regular, Ink::Pale);
const FINE: Style = style(SMALL, Weight::Regular, Ink::Pale);

impl Sheet<'_> {
    fn head(&mut self, report: &Report) {
        let hospital = style(12.0, Weight::Bold, Ink::Leaf);
        let name = drawable(&report.hospital);
        for line in self.wrapped(&name, RIGHT - LEFT, hospital) {
            self.centred(18.0, hospital, &line.words);
        }
        self.y += 5.0;
        let title = style(21.0, Weight::Bold, Ink::Text);
        self.centred(30.0, title, report.title);
        self.centred(18.0, FINE, &report.number);
        self.y += 7.0;
        self.rule(1.2, Ink::Leaf);
        self.y += 3.0;
    }

    fn centred(&mut self, height: f32, style: Style, text: &str) {
        let width = self.faces.of(style.weight, text).width_of(text) * style.size;
        let baseline = self.advance(height);
        self.write((WIDTH - width) / 2.0, baseline, style, text);
    }

    /// A heading keeps the beginning of what follows with it, and a short account as a whole,
    /// with the small print under it.
    fn heading(&mut self, text: &str, below: Option<&Block>) {
        self.y += 13.0;
        let (lines, more) = match below {
            Some(Block::Amounts(amounts)) => (amounts.len().min(12), 5.0 * SMALL_LINE),
            _ => (3, 0.0),
        };
        let lines = u16::try_from(lines).unwrap_or(u16::MAX);
        self.room_for(f32::from(lines).mul_add(ROW, 24.0 + more));
        let baseline = self.advance(19.0);
        self.write(LEFT, baseline, style(12.5, Weight::Bold, Ink::Leaf), text);
        self.rule(0.7, Ink::Leaf);
        self.y += 5.0;
    }

    fn facts(&mut self, facts: &[(&'static str, String)]) {
        let width = MIDDLE - LEFT - NAME - 14.0;
        for row in facts.chunks(2) {
            let cells: Vec<_> = row
                .iter()
                .map(|(name, fact)| (*name, self.wrapped(&drawable(fact), width, TEXT)))
                .collect();
            let most = cells.iter().map(|(_, lines)| lines.len()).max();
            for place in 0..most.unwrap_or_default() {
                self.y += if place == 0 { 4.0 } else { 0.0 };
                let baseline = self.advance(ROW - 8.0);
                for ((name, lines), x) in cells.iter().zip([LEFT, MIDDLE]) {
                    if place == 0 {
                        self.write(x, baseline, PALE, name);
                    }
                    if let Some(line) = lines.get(place) {
                        self.write(x + NAME, baseline, TEXT, &line.words);
                    }
                }
            }
            self.y += 4.0;
            self.rule(0.5, Ink::Hair);
        }
    }

    fn passage(&mut self, name: &str, text: &str) {
        if !name.is_empty() {
            self.room_for(3.0 * BODY_LINE);
            let baseline = self.advance(BODY_LINE + 2.0);
            self.write(LEFT, baseline, STRONG, name);
        }
        let text = drawable(text);
        for line in self.wrapped(text.trim(), RIGHT - LEFT, TEXT) {
            let baseline = self.advance(BODY_LINE);
            let slack = self.slack(&line, RIGHT - LEFT);
            self.write(LEFT, baseline, TEXT, &line.words);
            if let Some(Drawn::Text(text)) = self.page.last_mut() {
                text.slack = slack;
            }
        }
        self.y += 5.0;
    }

    /// By how much a line of Chinese is widened, so that the text ends evenly at the margin.
    fn slack(&self, line: &Line, width: f32) -> f32 {
        let slack = width - self.faces.regular().width_of(&line.words) * BODY;
        let gaps = u16::try_from(gaps(&line.words).len()).unwrap_or(u16::MAX);
        let most = f32::from(gaps) * WIDENED * BODY;
        if line.ends_paragraph || !is_chinese(&line.words) || slack > most {
            return 0.0;
        }
        slack.max(0.0)
    }

    fn signed(&mut self, text: &str) {
        let text = drawable(text);
        for line in self.wrapped(&text, RIGHT - LEFT, PALE) {
            let baseline = self.advance(BODY_LINE);
            self.write_to(RIGHT, baseline, PALE, &line.words);
        }
    }

    fn amounts(&mut self, amounts: &[Amount]) {
        for amount in amounts {
            let of = if amount.is_total { STRONG } else { TEXT };
            let about = drawable(&amount.about);
            let lines = self.wrapped(&about, RIGHT - LEFT - NAME - AMOUNT, TEXT);
            self.y += 4.0;
            for (place, line) in lines.iter().enumerate() {
                let baseline = self.advance(ROW - 8.0);
                if place == 0 {
                    let named = if amount.is_total { STRONG } else { PALE };
                    self.write(LEFT, baseline, named, amount.name);
                    self.write_to(RIGHT, baseline, of, &amount.amount);
                }
                self.write(LEFT + NAME, baseline, TEXT, &line.words);
            }
            self.y += 4.0;
            self.rule(0.5, Ink::Hair);
        }
    }

    fn notes(&mut self, notes: &[String]) {
        self.y += 8.0;
        for note in notes {
            self.note(note);
        }
    }

    fn note(&mut self, note: &str) {
        for line in self.wrapped(note, RIGHT - LEFT, FINE) {
            let baseline = self.advance(SMALL_LINE);
            self.write(LEFT, baseline, FINE, &line.words);
        }
    }

    fn wrapped(&self, text: &str, width: f32, style: Style) -> Vec<Line> {
        let face = self.faces.of(style.weight, text);
        lines(text, width / style.size, |letter| face.width(letter))
    }

    /// Goes on to the next page unless so much fits on this one.
    fn room_for(&mut self, height: f32) {
        if self.y + height <= BOTTOM {
            return;
        }
        self.full.push(std::mem::take(&mut self.page));
        self.y = TOP - 14.0;
        let baseline = self.advance(SMALL_LINE);
        let running = drawable(&self.running);
        let first = self
            .wrapped(&running, RIGHT - LEFT, FINE)
            .into_iter()
            .next();
        self.write(LEFT, baseline, FINE, &first.unwrap_or_default().words);
        self.y += 4.0;
        self.rule(0.5, Ink::Leaf);
        self.y += 14.0;
    }

    /// Takes the room for a line, and gives where its letters stand.
    fn advance(&mut self, height: f32) -> f32 {
        self.room_for(height);
        self.y += height;
        height.mul_add(-0.27, self.y)
    }

    fn write_to(&mut self, right: f32, baseline: f32, style: Style, text: &str) {
        let width = self.faces.of(style.weight, text).width_of(text) * style.size;
        self.write(right - width, baseline, style, text);
    }

    fn write(&mut self, x: f32, baseline: f32, style: Style, text: &str) {
        let face = self.faces.regular();
        self.has_boxes |= text.chars().any(|letter| !face.has(letter));
        self.page.push(written(x, baseline, style, text.to_owned()));
    }

    fn rule(&mut self, thick: f32, ink: Ink) {
        self.page.push(across(self.y, thick, ink));
    }
}

const fn written(x: f32, baseline: f32, style: Style, words: String) -> Drawn {
    let Style { size, weight, ink } = style;
    Drawn::Text(Text {
        x,
        baseline,
        size,
        weight,
        ink,
        words,
        slack: 0.0,
    })
}

const fn across(y: f32, thick: f32, ink: Ink) -> Drawn {
    Drawn::Rule(Rule {
        x: LEFT,
        to: RIGHT,
        y,
        thick,
        ink,
    })
}

fn foot(page: &mut Page, report: &Report, page_of: String, faces: &Faces) {
    let y = HEIGHT - 56.0;
    page.push(across(y, 0.5, Ink::Hair));
    let right = RIGHT - faces.regular().width_of(&page_of) * SMALL;
    page.push(written(LEFT, y + 15.0, FINE, report.number.clone()));
    page.push(written(right, y + 15.0, FINE, page_of));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(blocks: Vec<Block>) -> Report {
        Report {
            language: "en",
            hospital: "A hospital".to_owned(),
            title: "A report",
            number: "Order 1".to_owned(),
            blocks,
            on_boxes: "A box is a letter.",
            page_of: |page, pages| format!("Page {page} of {pages}"),
        }
    }

    fn drawn(blocks: Vec<Block>) -> Vec<Page> {
        pages(&report(blocks), Faces::get().unwrap())
    }

    fn written(page: &Page) -> Vec<&Text> {
        let texts = page.iter().filter_map(|drawn| match drawn {
            Drawn::Text(text) => Some(text),
            Drawn::Rule(_) => None,
        });
        texts.filter(|text| !text.words.is_empty()).collect()
    }

    fn texts(page: &Page) -> Vec<&str> {
        written(page)
            .iter()
            .map(|text| text.words.as_str())
            .collect()
    }

    /// Where a text ends, as it is painted.
    fn end(text: &Text) -> f32 {
        let face = Faces::get().unwrap().of(text.weight, &text.words);
        text.x + face.width_of(&text.words) * text.size + text.slack
    }

    #[test]
    fn a_short_report_is_one_page_with_head_and_foot() {
        let pages = drawn(vec![Block::Facts(vec![("Patient", "Li Wei".to_owned())])]);
        let expected = [
            "A hospital",
            "A report",
            "Order 1",
            "Patient",
            "Li Wei",
            "Order 1",
            "Page 1 of 1",
        ];
        assert_eq!(pages.len(), 1);
        assert_eq!(texts(&pages[0]), expected);
    }

    #[test]
    fn a_box_is_explained_where_there_is_one() {
        let fact = |text: &str| vec![Block::Facts(vec![("Patient", text.to_owned())])];
        assert!(texts(&drawn(fact("李😀"))[0]).contains(&"A box is a letter."));
        assert!(!texts(&drawn(fact("李玥"))[0]).contains(&"A box is a letter."));
    }

    #[test]
    fn a_long_text_goes_on_over_pages_and_stays_within_the_margins() {
        let text =
            "患者三天前无明显诱因出现头痛，以双侧颞部为主，呈搏动性；伴恶心，无呕吐。".repeat(110);
        let pages = drawn(vec![Block::Passage("Findings", text.clone())]);
        assert!(pages.len() > 2, "{}", pages.len());
        let mut body = String::new();
        for (place, page) in pages.iter().enumerate() {
            let counted = format!("Page {} of {}", place + 1, pages.len());
            assert!(texts(page).contains(&counted.as_str()));
            let mut last = 0.0;
            for line in written(page) {
                assert!(line.x >= LEFT - 0.1 && end(line) <= RIGHT + 0.1, "{line:?}");
                assert!(line.baseline > TOP - 14.0 && line.baseline < HEIGHT - 36.0);
                if (line.size - BODY).abs() < 0.1 && line.words != "Findings" {
                    assert!(line.baseline <= BOTTOM && line.baseline - last >= BODY_LINE - 0.1);
                    last = line.baseline;
                    body.push_str(&line.words);
                }
            }
        }
        assert_eq!(body, text, "nothing is lost between pages");
    }

    #[test]
    fn chinese_ends_evenly_at_the_margin_but_for_the_last_line() {
        let text = "头痛三天，夜里更重，T 38.5℃；否认外伤史。".repeat(9);
        let pages = drawn(vec![Block::Passage("", text)]);
        let body = written(&pages[0]);
        let lines: Vec<_> = body.iter().filter(|line| line.ink == Ink::Text).collect();
        let (last, before) = lines[1..].split_last().unwrap();
        assert!(before.len() > 3 && before.iter().all(|line| (end(line) - RIGHT).abs() < 0.1));
        assert!(last.slack == 0.0);
    }

    #[test]
    fn a_heading_is_not_left_alone_at_the_foot() {
        for lines in 20..45 {
            let pages = drawn(vec![
                Block::Passage("", "x\n".repeat(lines) + "x"),
                Block::Heading("Payment"),
                Block::Passage("Paid", "1".to_owned()),
            ]);
            let page = pages.iter().find(|page| texts(page).contains(&"Payment"));
            assert!(texts(page.unwrap()).contains(&"Paid"), "{lines}");
        }
    }

    #[test]
    fn a_short_account_stays_on_one_page() {
        let amount = |name| Amount {
            name,
            about: String::new(),
            amount: "1".to_owned(),
            is_total: false,
        };
        for lines in 20..45 {
            let pages = drawn(vec![
                Block::Passage("", "x\n".repeat(lines) + "x"),
                Block::Heading("Payment"),
                Block::Amounts(["Price", "a", "b", "c", "d", "Paid"].map(amount).to_vec()),
            ]);
            let page = pages.iter().find(|page| texts(page).contains(&"Payment"));
            assert!(texts(page.unwrap()).contains(&"Paid"), "{lines}");
        }
    }

    #[test]
    fn an_amount_stands_at_the_right_of_its_first_line() {
        let amount = Amount {
            name: "Payment",
            about: "WeChat Pay · ".to_owned() + &"X".repeat(200),
            amount: "30.00 CNY".to_owned(),
            is_total: false,
        };
        let pages = drawn(vec![Block::Amounts(vec![amount])]);
        let page = written(&pages[0]);
        let of = |words: &str| *page.iter().find(|text| text.words == words).unwrap();
        let (name, amount) = (of("Payment"), of("30.00 CNY"));
        assert!((end(amount) - RIGHT).abs() < 0.1);
        assert!((name.baseline - amount.baseline).abs() < 0.1);
    }
}

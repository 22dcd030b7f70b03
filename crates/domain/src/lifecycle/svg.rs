//! A lifecycle's table as a drawing: a row a hundred, a box a status. Steps inside a row are
//! arrows; steps to another row are listed in the box by their number, so that nothing crosses.

use super::{Language, Owner, Status};
use std::fmt::{self, Write};

const WIDTH: usize = 1200;
/// Where the first box begins; to the left stands what the row is about.
const LEFT: usize = 112;
const RIGHT: usize = 24;
const TOP: usize = 64;
const GAP: usize = 38;
/// Between two rows, beside the lanes of the lower one.
const SPACE: usize = 22;
const LANE: usize = 16;
const CHIP: (usize, usize) = (40, 22);
/// A box: its number, then lines of label, then chips.
const NUMBER: usize = 38;
const LINE: usize = 18;
const FONTS: &str = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans CJK SC', 'Noto Sans SC', \
                     'PingFang SC', 'Microsoft YaHei', 'WenQuanYi Micro Hei', sans-serif";

/// The table as an SVG drawing, 1200 pixels wide, for a light page. It needs nothing from outside.
pub fn svg<S: Status>(language: Language) -> String {
    let mut text = String::new();
    // Writing into a String does not fail.
    Drawing::<S>::of(language).write(&mut text).ok();
    text
}

/// Statuses whose numbers begin with the same digit.
struct Lane<S> {
    digit: u16,
    statuses: Vec<S>,
    /// Steps inside the row that are not between neighbours, each with its lane above the row.
    arcs: Vec<(S, S, usize)>,
    /// Where its boxes begin and how high they are.
    y: usize,
    height: usize,
    /// How far below a box's top its chips begin.
    chips: usize,
}

struct Drawing<S> {
    language: Language,
    rows: Vec<Lane<S>>,
    box_width: usize,
    height: usize,
}

fn digit<S: Status>(status: S) -> u16 {
    let mut code = status.code();
    while code >= 10 {
        code /= 10;
    }
    code
}

impl<S: Status> Drawing<S> {
    fn of(language: Language) -> Self {
        let mut rows: Vec<Lane<S>> = Vec::new();
        for status in S::ALL {
            match rows.last_mut().filter(|row| row.digit == digit(*status)) {
                Some(row) => row.statuses.push(*status),
                None => rows.push(Lane {
                    digit: digit(*status),
                    statuses: vec![*status],
                    arcs: Vec::new(),
                    y: 0,
                    height: 0,
                    chips: 0,
                }),
            }
        }
        let columns = rows.iter().map(|row| row.statuses.len()).max();
        let columns = columns.unwrap_or(1).max(4);
        let box_width = (WIDTH - LEFT - RIGHT - GAP * (columns - 1)) / columns;
        let per_line = (box_width - 12) / (CHIP.0 + 4);
        let mut y = TOP;
        for row in &mut rows {
            row.arcs = arcs(&row.statuses);
            let lanes = row.arcs.iter().map(|(.., lane)| lane + 1).max();
            let chips = row.statuses.iter().map(|status| far(*status));
            let lines = chips.map(|chips| chips.div_ceil(per_line.max(1))).max();
            y += SPACE + lanes.unwrap_or(0) * LANE;
            row.y = y;
            let labels = row.statuses.iter().map(|status| {
                let label = status.label(language);
                wrapped(label, box_width - 22).len()
            });
            row.chips = NUMBER + labels.max().unwrap_or(1) * LINE + 8;
            row.height = row.chips + lines.unwrap_or(0) * (CHIP.1 + 4) + 4;
            y += row.height;
        }
        Self {
            language,
            rows,
            box_width,
            height: y + 64,
        }
    }

    fn write(&self, f: &mut String) -> fmt::Result {
        let title = match self.language {
            Language::Zh => format!("状态流转：{}", S::KIND),
            Language::En => format!("Lifecycle: {}", S::KIND),
        };
        let height = self.height;
        writeln!(
            f,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
             width=\"{WIDTH}\" height=\"{height}\" role=\"img\" font-family=\"{FONTS}\">"
        )?;
        writeln!(f, "<title>{}</title>", escaped(&title))?;
        f.push_str(
            "<defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" \
             markerHeight=\"8\" orient=\"auto\" markerUnits=\"userSpaceOnUse\">\
             <path d=\"M0 0 8 4 0 8z\" fill=\"#475569\"/></marker></defs>\n",
        );
        writeln!(
            f,
            "<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>"
        )?;
        writeln!(
            f,
            "<text x=\"24\" y=\"38\" font-size=\"20\" font-weight=\"600\" fill=\"#0f172a\">{}</text>",
            escaped(&title)
        )?;
        for row in &self.rows {
            self.row(f, row)?;
        }
        self.legend(f)?;
        f.push_str("</svg>\n");
        Ok(())
    }

    fn x(&self, column: usize) -> usize {
        LEFT + column * (self.box_width + GAP)
    }

    fn row(&self, f: &mut String, row: &Lane<S>) -> fmt::Result {
        let (ink, fill) = colours(row.digit);
        let middle = row.y + row.height / 2;
        if row.statuses.iter().any(|status| status.code() >= 100) {
            writeln!(
                f,
                "<text x=\"24\" y=\"{}\" font-size=\"18\" font-weight=\"700\" fill=\"{ink}\">{}xx</text>\
                 <text x=\"24\" y=\"{}\" font-size=\"13\" fill=\"{ink}\">{}</text>",
                middle - 4,
                row.digit,
                middle + 16,
                stage(row.digit, self.language)
            )?;
        }
        for (column, status) in row.statuses.iter().enumerate() {
            self.status(f, *status, self.x(column), row, (ink, fill))?;
        }
        for (column, pair) in row.statuses.windows(2).enumerate() {
            if let [left, right] = *pair {
                self.neighbours(f, left, right, column, row)?;
            }
        }
        for arc in &row.arcs {
            self.arc(f, row, *arc)?;
        }
        Ok(())
    }

    fn status(
        &self,
        f: &mut String,
        status: S,
        x: usize,
        row: &Lane<S>,
        (ink, fill): (&str, &str),
    ) -> fmt::Result {
        let (y, width, height) = (row.y, self.box_width, row.height);
        let code = status.code();
        writeln!(
            f,
            "<g class=\"status\" data-code=\"{code}\"><title>{code} {}</title>\
             <rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"{fill}\" \
             stroke=\"{ink}\" stroke-width=\"1.5\"/>",
            status.constant()
        )?;
        if status.is_terminal() {
            writeln!(
                f,
                "<rect class=\"terminal\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"5\" \
                 fill=\"none\" stroke=\"{ink}\"/>",
                x + 4,
                y + 4,
                width - 8,
                height - 8
            )?;
        }
        if S::ALL.first() == Some(&status) {
            let middle = y + height / 2;
            writeln!(
                f,
                "<circle cx=\"{}\" cy=\"{middle}\" r=\"5\" fill=\"#475569\"/>{}",
                x - 26,
                line(&format!("M{} {middle}H{}", x - 21, x - 1))
            )?;
        }
        writeln!(
            f,
            "<text x=\"{}\" y=\"{}\" font-size=\"19\" font-weight=\"700\" fill=\"{ink}\">{code}</text>\
             <text x=\"{}\" y=\"{}\" font-size=\"12\" text-anchor=\"end\" fill=\"#475569\">{}</text>",
            x + 12,
            y + 27,
            x + width - 12,
            y + 26,
            acts(status.row().owner, self.language)
        )?;
        for (index, part) in wrapped(status.label(self.language), width - 22)
            .iter()
            .enumerate()
        {
            writeln!(
                f,
                "<text x=\"{}\" y=\"{}\" font-size=\"14\" fill=\"#0f172a\">{}</text>",
                x + 12,
                y + NUMBER + 13 + index * LINE,
                escaped(part)
            )?;
        }
        f.push_str("</g>\n");
        self.chips(f, status, x, y + row.chips)
    }

    /// Steps to other rows and to itself: their numbers, in the colour of where they lead.
    fn chips(&self, f: &mut String, status: S, x: usize, y: usize) -> fmt::Result {
        let per_line = ((self.box_width - 12) / (CHIP.0 + 4)).max(1);
        let place = |index: usize| {
            (
                x + 8 + index % per_line * (CHIP.0 + 4),
                y + index / per_line * (CHIP.1 + 4),
            )
        };
        let elsewhere = status.row().next.iter();
        let elsewhere = elsewhere.filter(|next| is_listed(status, **next));
        let mut count = 0;
        for next in elsewhere {
            let (ink, fill) = colours(digit(*next));
            let arrow = if *next == status { '↻' } else { '→' };
            let text = format!("{arrow}{}", next.code());
            self.step(f, status, *next)?;
            chip(f, place(count), &text, ink, fill)?;
            f.push_str("</g>\n");
            count += 1;
        }
        if status.row().returns {
            let (what, text) = match self.language {
                Language::Zh => ("退回原状态", "↩原"),
                Language::En => ("back to the status before", "↩"),
            };
            let code = status.code();
            writeln!(
                f,
                "<g class=\"step\" data-from=\"{code}\" data-to=\"original\"><title>{code} ↩ {what}</title>"
            )?;
            chip(f, place(count), text, "#475569", "#fff")?;
            f.push_str("</g>\n");
        }
        Ok(())
    }

    /// Opens a step's group, which names it.
    fn step(&self, f: &mut String, from: S, to: S) -> fmt::Result {
        let (language, from_code, to_code) = (self.language, from.code(), to.code());
        writeln!(
            f,
            "<g class=\"step\" data-from=\"{from_code}\" data-to=\"{to_code}\">\
             <title>{from_code} {} → {to_code} {}</title>",
            escaped(from.label(language)),
            escaped(to.label(language))
        )
    }

    fn neighbours(
        &self,
        f: &mut String,
        left: S,
        right: S,
        column: usize,
        row: &Lane<S>,
    ) -> fmt::Result {
        let (begin, end) = (self.x(column) + self.box_width, self.x(column + 1));
        let middle = row.y + row.height / 2;
        let there = left.row().next.contains(&right);
        let back = right.row().next.contains(&left);
        let apart = if there && back { 9 } else { 0 };
        if there {
            self.step(f, left, right)?;
            f.push_str(&line(&format!(
                "M{begin} {}H{}",
                middle - apart,
                end.saturating_sub(1)
            )));
            f.push_str("</g>\n");
        }
        if back {
            self.step(f, right, left)?;
            f.push_str(&line(&format!("M{end} {}H{}", middle + apart, begin + 1)));
            f.push_str("</g>\n");
        }
        Ok(())
    }

    fn arc(&self, f: &mut String, row: &Lane<S>, (from, to, lane): (S, S, usize)) -> fmt::Result {
        let y = row.y.saturating_sub((lane + 1) * LANE);
        let (begin, end) = (self.port(row, from, from, to), self.port(row, to, from, to));
        let (near, far) = if begin < end {
            (begin + 6, end - 6)
        } else {
            (begin - 6, end + 6)
        };
        self.step(f, from, to)?;
        f.push_str(&line(&format!(
            "M{begin} {0}V{1}Q{begin} {y} {near} {y}H{far}Q{end} {y} {end} {1}V{2}",
            row.y,
            y + 6,
            row.y - 1
        )));
        f.push_str("</g>\n");
        Ok(())
    }

    /// Where an arc meets the top of one of its boxes: each arc of a box has its own place.
    fn port(&self, row: &Lane<S>, at: S, from: S, to: S) -> usize {
        let column = row.statuses.iter().position(|status| *status == at);
        let centre = self.x(column.unwrap_or(0)) + self.box_width / 2;
        let mut mine = row.arcs.iter().filter(|(a, b, _)| *a == at || *b == at);
        let count = mine.clone().count().max(1);
        let index = mine.position(|(a, b, _)| (*a, *b) == (from, to));
        centre + index.unwrap_or(0) * 26 - (count - 1) * 13
    }

    fn legend(&self, f: &mut String) -> fmt::Result {
        let y = self.height - 24;
        let words = match self.language {
            Language::Zh => {
                "箭头：同一行内的流转　→500：流转到其他行的状态　↩原：退回原状态　双线框：终态　右上角：下一步由谁处理"
            }
            Language::En => {
                "Arrows: steps inside a row · →500: a step to a status of another row · ↩: back to the \
                 status before · double frame: terminal · upper right: who acts next"
            }
        };
        writeln!(
            f,
            "<text x=\"24\" y=\"{y}\" font-size=\"13\" fill=\"#475569\">{words}</text>"
        )
    }
}

/// Whether a step is listed in the box and not drawn: it leaves the row, or does not leave the box.
fn is_listed<S: Status>(from: S, to: S) -> bool {
    from == to || digit(from) != digit(to)
}

/// How many steps of a status are listed in its box.
fn far<S: Status>(status: S) -> usize {
    let next = status.row().next.iter();
    let elsewhere = next.filter(|next| is_listed(status, **next));
    elsewhere.count() + usize::from(status.row().returns)
}

/// Steps inside a row between statuses that are no neighbours; two that would touch get two lanes.
fn arcs<S: Status>(statuses: &[S]) -> Vec<(S, S, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (from, status) in statuses.iter().enumerate() {
        for (to, other) in statuses.iter().enumerate() {
            if from.abs_diff(to) > 1 && status.row().next.contains(other) {
                found.push((from, to));
            }
        }
    }
    // Short ones lie nearest to the boxes.
    found.sort_by_key(|(from, to)| (from.abs_diff(*to), *from));
    let mut lanes: Vec<Vec<(usize, usize)>> = Vec::new();
    let mut placed = Vec::new();
    for (from, to) in found {
        let span = (from.min(to), from.max(to));
        let free = |lane: &Vec<(usize, usize)>| {
            lane.iter()
                .all(|other| other.1 < span.0 || span.1 < other.0)
        };
        let lane = lanes.iter().position(free).unwrap_or(lanes.len());
        match lanes.get_mut(lane) {
            Some(lane) => lane.push(span),
            None => lanes.push(vec![span]),
        }
        placed.push((statuses[from], statuses[to], lane));
    }
    placed
}

fn line(path: &str) -> String {
    format!(
        "<path d=\"{path}\" fill=\"none\" stroke=\"#475569\" stroke-width=\"1.5\" marker-end=\"url(#head)\"/>\n"
    )
}

fn chip(f: &mut String, (x, y): (usize, usize), text: &str, ink: &str, fill: &str) -> fmt::Result {
    let (width, height) = CHIP;
    writeln!(
        f,
        "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"11\" fill=\"{fill}\" \
         stroke=\"{ink}\"/><text x=\"{}\" y=\"{}\" font-size=\"12\" font-weight=\"600\" \
         text-anchor=\"middle\" fill=\"{ink}\">{text}</text>",
        x + width / 2,
        y + 15
    )
}

/// Ink and light ground of a row; dark enough on light for every reader (WCAG AA).
const fn colours(digit: u16) -> (&'static str, &'static str) {
    match digit {
        1 => ("#1d4ed8", "#eff6ff"),
        2 => ("#6d28d9", "#f5f3ff"),
        3 => ("#0f766e", "#f0fdfa"),
        4 => ("#15803d", "#f0fdf4"),
        5 => ("#b45309", "#fffbeb"),
        6 => ("#be185d", "#fdf2f8"),
        7 => ("#0369a1", "#f0f9ff"),
        _ => ("#334155", "#f1f5f9"),
    }
}

/// What the statuses of a row are about (spec 00, numbering).
const fn stage(digit: u16, language: Language) -> &'static str {
    match (digit, language) {
        (1, Language::Zh) => "支付",
        (1, Language::En) => "Payment",
        (2, Language::Zh) => "派单",
        (2, Language::En) => "Dispatch",
        (3, Language::Zh) => "门诊排队",
        (3, Language::En) => "Queue",
        (4, Language::Zh) => "服务",
        (4, Language::En) => "Service",
        (5, Language::Zh) => "退款",
        (5, Language::En) => "Refund",
        (6, Language::Zh) => "配药",
        (6, Language::En) => "Dispensing",
        (7, Language::Zh) => "履约售后",
        (7, Language::En) => "Fulfilment",
        (9, Language::Zh) => "终态",
        (9, Language::En) => "Terminal",
        (_, Language::Zh | Language::En) => "",
    }
}

/// Who acts next.
const fn acts(owner: Owner, language: Language) -> &'static str {
    match (owner, language) {
        (Owner::Patient, Language::Zh) => "患者",
        (Owner::Patient, Language::En) => "patient",
        (Owner::Doctor, Language::Zh) => "医生",
        (Owner::Doctor, Language::En) => "doctor",
        (Owner::System, Language::Zh) => "系统",
        (Owner::System, Language::En) => "system",
        (Owner::Gateway, Language::Zh) => "支付渠道",
        (Owner::Gateway, Language::En) => "gateway",
        (Owner::Operations, Language::Zh) => "运营",
        (Owner::Operations, Language::En) => "operations",
        (Owner::Nobody, Language::Zh | Language::En) => "",
    }
}

/// A label in lines that fit: words where there are spaces, else characters.
fn wrapped(label: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in label.split_inclusive(' ') {
        let words: Vec<String> = if word.is_ascii() {
            vec![word.to_owned()]
        } else {
            word.chars().map(String::from).collect()
        };
        for part in words {
            if let Some(last) = lines.last_mut() {
                if last.is_empty() || text_width(last) + text_width(part.trim_end()) <= width {
                    last.push_str(&part);
                } else {
                    lines.push(part);
                }
            }
        }
    }
    lines
}

/// About how wide a text is at 14 pixels: a Chinese character is a square, a Latin one half of it
/// and a little more.
fn text_width(text: &str) -> usize {
    let halves = |letter: char| if letter.is_ascii() { 15 } else { 28 };
    text.chars().map(halves).sum::<usize>().div_ceil(2)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consultation::ConsultationStatus;
    use crate::payment::{PaymentStatus, RefundStatus};
    use crate::session::SessionStatus;

    fn draws_all<S: Status>() {
        for language in [Language::Zh, Language::En] {
            let drawn = svg::<S>(language);
            let count = |what: &str| drawn.matches(what).count();
            let mut steps = 0;
            for status in S::ALL {
                let code = status.code();
                assert_eq!(count(&format!("data-code=\"{code}\"")), 1, "{code}");
                let title = format!("<title>{code} {}</title>", status.constant());
                assert!(drawn.contains(&title), "{title}");
                for next in status.row().next {
                    let step = format!("data-from=\"{code}\" data-to=\"{}\"", next.code());
                    assert_eq!(count(&step), 1, "{step}");
                    steps += 1;
                }
                if status.row().returns {
                    let step = format!("data-from=\"{code}\" data-to=\"original\"");
                    assert_eq!(count(&step), 1, "{step}");
                    steps += 1;
                }
            }
            assert_eq!(count("class=\"step\""), steps, "nothing more");
            assert_eq!(count("class=\"status\""), S::ALL.len());
            let terminal = S::ALL.iter().filter(|status| status.is_terminal()).count();
            assert_eq!(count("class=\"terminal\""), terminal);
            assert_eq!(count("<g "), count("</g>"));
        }
    }

    #[test]
    fn every_status_and_every_step_is_drawn_once() {
        draws_all::<ConsultationStatus>();
        draws_all::<PaymentStatus>();
        draws_all::<RefundStatus>();
        draws_all::<SessionStatus>();
    }

    #[test]
    fn labels_fit_their_boxes_in_two_lines() {
        for language in [Language::Zh, Language::En] {
            let width = Drawing::<ConsultationStatus>::of(language).box_width - 22;
            for status in ConsultationStatus::ALL {
                let lines = wrapped(status.label(language), width);
                assert!(lines.len() <= 2, "{lines:?}");
                assert!(
                    lines
                        .iter()
                        .all(|part| text_width(part.trim_end()) <= width)
                );
            }
        }
    }

    #[test]
    fn markup_in_a_label_stays_text() {
        assert_eq!(escaped("a<b>&c"), "a&lt;b&gt;&amp;c");
    }
}

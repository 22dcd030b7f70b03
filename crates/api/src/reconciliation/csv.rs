//! A day's differences as a table that spreadsheets open: UTF-8 with its mark, RFC 4180, and no cell
//! that a spreadsheet would take for a formula.

use domain::lifecycle::{Language, Status};
use domain::{Money, UserId};
use store::DifferenceRow;

/// What spreadsheets know UTF-8 by.
const MARK: char = '\u{feff}';

/// A cell's text and what it is.
enum Cell {
    /// Words from anywhere.
    Text(String),
    /// A number that this program wrote.
    Number(String),
}

/// The columns' names.
const COLUMNS: [(&str, &str); 25] = [
    ("账单日", "Day"),
    ("支付渠道", "Gateway"),
    ("差异代码", "Kind"),
    ("差异", "Difference"),
    ("级别", "Severity"),
    ("状态", "Status"),
    ("账单行", "Line"),
    ("商户订单号", "Our payment number"),
    ("渠道交易号", "Gateway's payment number"),
    ("商户退款单号", "Our refund number"),
    ("渠道退款号", "Gateway's refund number"),
    ("订单", "Order"),
    ("本地金额", "Amount here"),
    ("本地币种", "Currency here"),
    ("渠道金额", "Amount there"),
    ("渠道币种", "Currency there"),
    ("差额", "Gap"),
    ("处理方式", "Repair"),
    ("提出人", "Proposed by"),
    ("复核人", "Approved by"),
    ("原因", "Reason"),
    ("结果", "Result"),
    ("备注", "Note"),
    ("交易时间", "Time"),
    ("发现时间", "Found at"),
];

/// The whole table.
pub fn table(rows: &[DifferenceRow], language: Language) -> String {
    let mut text = String::from(MARK);
    let names = COLUMNS.map(|(zh, en)| match language {
        Language::Zh => Cell::Text(zh.to_owned()),
        Language::En => Cell::Text(en.to_owned()),
    });
    write_row(&mut text, &names);
    for row in rows {
        write_row(&mut text, &cells(row, language));
    }
    text
}

fn cells(row: &DifferenceRow, language: Language) -> [Cell; 25] {
    let one = &row.difference;
    let text = |text: Option<&str>| Cell::Text(text.unwrap_or_default().to_owned());
    let amount =
        |money: Option<Money>| Cell::Number(money.map(Money::to_decimal).unwrap_or_default());
    let currency = |money: Option<Money>| text(money.map(|money| money.currency.code()));
    let person =
        |user: Option<UserId>| Cell::Text(user.map(|user| user.to_string()).unwrap_or_default());
    let gap: Vec<String> = one.gap().iter().map(|gap| gap.to_decimal()).collect();
    [
        Cell::Text(row.day.to_string()),
        Cell::Text(row.gateway.to_string()),
        text(Some(one.kind.constant())),
        text(Some(one.kind.label(language))),
        text(Some(one.kind.severity().name())),
        text(Some(row.status.label(language))),
        Cell::Number(one.line.map(|line| line.to_string()).unwrap_or_default()),
        text(one.out_trade_no.as_deref()),
        text(one.transaction_id.as_deref()),
        text(one.out_refund_no.as_deref()),
        text(one.refund_id.as_deref()),
        Cell::Text(one.order.map(|order| order.to_string()).unwrap_or_default()),
        amount(one.here),
        currency(one.here),
        amount(one.there),
        currency(one.there),
        Cell::Number(gap.join(" ")),
        text(row.repair.map(|repair| repair.label(language))),
        person(row.proposed_by),
        person(row.approved_by),
        text(row.reason.as_deref()),
        text(row.result.as_deref()),
        text(one.note.as_deref()),
        Cell::Text(one.at.map(|at| at.to_string()).unwrap_or_default()),
        Cell::Text(row.found_at.to_string()),
    ]
}

fn write_row(text: &mut String, cells: &[Cell]) {
    for (place, cell) in cells.iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        match cell {
            Cell::Text(words) => write_text(text, words),
            Cell::Number(number) => text.push_str(number),
        }
    }
    text.push_str("\r\n");
}

/// Words in quotes. What a spreadsheet would begin a formula with stands behind an apostrophe.
fn write_text(text: &mut String, words: &str) {
    const BEGINS_FORMULA: [char; 11] =
        ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    text.push('"');
    if words.trim_start_matches(' ').starts_with(BEGINS_FORMULA) {
        text.push('\'');
    }
    text.push_str(&words.replace('"', "\"\""));
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(words: &str) -> String {
        let mut text = String::new();
        write_text(&mut text, words);
        text
    }

    #[test]
    fn words_stay_words() {
        assert_eq!(written("a,b"), "\"a,b\"");
        assert_eq!(
            written("he said \"no\"\nand left"),
            "\"he said \"\"no\"\"\nand left\""
        );
        assert_eq!(written(""), "\"\"");
    }

    #[test]
    fn no_cell_is_a_formula() {
        for words in [
            "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "  =1",
        ] {
            assert!(written(words).starts_with("\"'"), "{words:?}");
        }
        assert_eq!(written("1=1"), "\"1=1\"");
    }
}

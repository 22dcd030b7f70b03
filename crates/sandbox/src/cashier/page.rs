//! The cashier's page: one file, no script, nothing from elsewhere.

use super::path;
use super::words::Words;
use crate::book::Payment;
use crate::control::views::PaymentState;
use crate::counterparty::{Choice, Look};
use domain::{Currency, Money};
use jiff::Timestamp;
use jiff::tz::Offset;

const STYLE: &str = "
:root { color-scheme: light; font: 16px/1.5 system-ui, -apple-system, 'PingFang SC',
  'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif; }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; background: #f2f3f5; color: #1d2129; }
.banner { padding: .5rem 1rem; text-align: center; font-weight: 600; color: #3d2b00;
  background: repeating-linear-gradient(135deg, #ffd666 0 16px, #ffe08a 16px 32px); }
main { max-width: 26rem; margin: 0 auto; padding: 1rem; }
.card { overflow: hidden; border-radius: 14px; background: #fff;
  box-shadow: 0 1px 2px rgb(0 0 0 / 6%), 0 8px 24px rgb(0 0 0 / 6%); }
header { padding: .9rem 1.25rem; color: #fff; background: var(--colour); font-weight: 600;
  font-size: 1.1rem; }
.sum { padding: 1.75rem 1.25rem 1.25rem; text-align: center; }
.amount { margin: 0; font-size: 2.6rem; line-height: 1.2; font-weight: 700;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.what { margin: .25rem 0 0; color: #4e5969; overflow-wrap: anywhere; }
dl { margin: 0; padding: .75rem 1.25rem; border-top: 1px solid #e5e6eb; display: grid;
  grid-template-columns: auto 1fr; gap: .35rem 1.25rem; font-size: .875rem; }
dt { color: #6b7280; }
dd { margin: 0; text-align: right; overflow-wrap: anywhere; }
.said { margin: 0; padding: .9rem 1.25rem; border-top: 1px solid #e5e6eb; font-weight: 600; }
.said small { display: block; font-weight: 400; color: #4e5969; }
.choices { padding: 1rem 1.25rem 1.25rem; border-top: 1px solid #e5e6eb; display: grid;
  gap: .65rem; }
form { margin: 0; }
button, .again { display: block; width: 100%; min-height: 48px; padding: .6rem 1rem; border: 0;
  border-radius: 10px; font: inherit; font-weight: 600; text-align: center;
  text-decoration: none; cursor: pointer; }
.pay { color: #fff; background: var(--colour); }
.fail, .again { color: #1d2129; background: #fff; border: 1px solid #86909c; }
.leave { color: #4e5969; background: none; font-weight: 400; }
button:focus-visible, .again:focus-visible { outline: 3px solid #1d2129; outline-offset: 2px; }
";

/// What the payer has just done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    Paid,
    Failed,
    Left,
}

impl Said {
    pub(super) const fn of(choice: Choice) -> Self {
        match choice {
            Choice::Pay => Self::Paid,
            Choice::Fail => Self::Failed,
            Choice::Leave => Self::Left,
        }
    }
}

/// The cashier of one payment, as it stands.
pub(super) struct Page<'a> {
    pub(super) words: &'static Words,
    pub(super) look: Look,
    pub(super) payment: &'a Payment,
    pub(super) state: PaymentState,
    /// Whether its time to be paid is over.
    pub(super) over: bool,
    pub(super) said: Option<Said>,
}

impl Page<'_> {
    pub(super) fn html(&self) -> String {
        let (words, payment) = (self.words, self.payment);
        let label = if words.is_chinese {
            self.look.label_zh
        } else {
            self.look.label_en
        };
        let card = format!(
            "<div class=\"card\" style=\"--colour: {colour}\">\
             <header>{label}</header>\
             <div class=\"sum\"><p class=\"amount\">{amount}</p><p class=\"what\">{what}</p></div>\
             <dl><dt>{number_label}</dt><dd>{number}</dd>\
             <dt>{until_label}</dt><dd>{until}</dd></dl>{below}</div>",
            colour = self.look.colour,
            label = escape(label),
            amount = escape(&amount(Money::new(payment.total, payment.currency))),
            what = escape(&payment.description),
            number_label = words.number,
            number = escape(&payment.out_trade_no),
            until_label = words.until,
            until = beijing(payment.payable_until.into()),
            below = self.below(),
        );
        let title = format!("{label} {}", words.title);
        document(words, &title, &card)
    }

    /// What has happened, or the choices that there are.
    fn below(&self) -> String {
        let words = self.words;
        match (self.said, self.outcome()) {
            (Some(Said::Failed), _) => self.told(words.has_failed, true),
            (Some(Said::Left), None) => self.told(words.has_left, true),
            (_, Some(outcome)) => self.told(outcome, false),
            (Some(Said::Paid) | None, None) => self.choices(),
        }
    }

    /// How it stands, where there is nothing more to choose.
    const fn outcome(&self) -> Option<&'static str> {
        let words = self.words;
        match self.state {
            _ if self.over => Some(words.is_over),
            PaymentState::Success => Some(words.has_paid),
            PaymentState::Approved => Some(words.has_agreed),
            PaymentState::Refund => Some(words.is_refunded),
            PaymentState::Closed => Some(words.is_closed),
            // Whoever failed may try again.
            PaymentState::NotPay | PaymentState::PayError => None,
        }
    }

    fn told(&self, text: &str, again: bool) -> String {
        let mut told = format!(
            "<p class=\"said\" role=\"status\">{text}<small>{}</small></p>",
            self.words.may_close
        );
        if again {
            let path = escape(&path(&self.payment.out_trade_no));
            told.push_str(&format!(
                "<div class=\"choices\"><a class=\"again\" href=\"{path}\">{}</a></div>",
                self.words.try_again
            ));
        }
        told
    }

    fn choices(&self) -> String {
        let words = self.words;
        let path = escape(&path(&self.payment.out_trade_no));
        let due = amount(Money::new(self.payment.total, self.payment.currency));
        let pay = format!("{} {}", words.pay, escape(&due));
        let button = |choice: &str, text: &str| {
            format!(
                "<form method=\"post\" action=\"{path}/{choice}\">\
                 <button class=\"{choice}\">{text}</button></form>"
            )
        };
        format!(
            "<div class=\"choices\">{}{}{}</div>",
            button("pay", &pay),
            button("fail", words.fail),
            button("leave", words.leave)
        )
    }
}

/// A page with nothing but a line.
pub(super) fn notice(words: &Words, text: &str) -> String {
    let card = format!("<div class=\"card\"><p class=\"said\" role=\"status\">{text}</p></div>");
    document(words, words.title, &card)
}

fn document(words: &Words, title: &str, card: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"{lang}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title}</title><style>{STYLE}</style></head>\
         <body><div class=\"banner\" role=\"note\">{banner}</div><main>{card}</main></body></html>\n",
        lang = words.lang,
        title = escape(title),
        banner = words.banner,
    )
}

/// `¥30.50`, `NZ$30.50`.
fn amount(money: Money) -> String {
    let sign = match money.currency {
        Currency::CNY => "¥",
        Currency::NZD => "NZ$",
    };
    format!("{sign}{}", money.to_decimal())
}

/// `2026-03-02 09:30:00 +08`: payers here are on Beijing time.
fn beijing(at: Timestamp) -> String {
    let local = Offset::constant(8).to_datetime(at);
    format!("{} +08", local.strftime("%Y-%m-%d %H:%M:%S"))
}

/// Text as it may stand between tags and in quotes.
fn escape(text: &str) -> String {
    text.chars().fold(String::new(), |mut escaped, c| {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
        escaped
    })
}

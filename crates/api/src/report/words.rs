//! What a report says, in both languages.

use super::Told;
use domain::consultation::{ConsultationType, Detail, Mode, Summary};
use domain::lifecycle::{Language, Status};
use domain::payment::GatewayName;
use domain::{Currency, Money, Ts};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A part of a report, from top to bottom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// A heading within the report.
    Heading(&'static str),
    /// Short facts, two beside each other: what each is, and the fact.
    Facts(Vec<(&'static str, String)>),
    /// A text of any length under its name.
    Passage(&'static str, String),
    /// Who wrote what stands above, and when.
    Signed(String),
    /// Money, one line each.
    Amounts(Vec<Amount>),
    /// Small print, line by line.
    Notes(Vec<String>),
}

/// A line of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amount {
    /// What it is.
    pub name: &'static str,
    /// More about it.
    pub about: String,
    /// How much.
    pub amount: String,
    /// Whether it adds up what stands above.
    pub is_total: bool,
}

/// A report in words, before it has a form.
#[derive(Debug, Clone)]
pub struct Report {
    /// The language, as documents name it.
    pub language: &'static str,
    /// Whose report: above the title.
    pub hospital: String,
    /// What it is.
    pub title: &'static str,
    /// Which: under the title, and at the foot of each page.
    pub number: String,
    /// What stands between.
    pub blocks: Vec<Block>,
    /// At the end, where something could not be written.
    pub on_boxes: &'static str,
    /// At the foot of each page: which of how many.
    pub page_of: fn(usize, usize) -> String,
}

/// A word in Chinese and in English.
type Both = (&'static str, &'static str);

const fn said(both: Both, language: Language) -> &'static str {
    match language {
        Language::Zh => both.0,
        Language::En => both.1,
    }
}

const NOT_KNOWN: Both = ("未记录", "not recorded");

/// The report of a consultation that was completed.
pub fn report(told: &Told) -> Report {
    let language = told.language;
    let say = |both| said(both, language);
    let detail = &told.order.detail;
    let mut blocks = vec![
        Block::Facts(facts(told)),
        Block::Notes(vec![say(CLOCK).to_owned()]),
        Block::Heading(say(("患者自述", "What the patient reported"))),
        Block::Passage("", detail.complaint.clone()),
        Block::Heading(say(("医生小结", "The doctor's summary"))),
    ];
    blocks.extend(summary(told));
    blocks.push(Block::Heading(say(("费用", "Payment"))));
    blocks.push(Block::Amounts(amounts(told)));
    blocks.push(Block::Notes(notes(told)));
    let number = say(("订单号：", "Order "));
    Report {
        language: say(("zh-CN", "en")),
        hospital: told.hospital.clone(),
        title: say(("问诊报告", "Consultation report")),
        number: format!("{number}{}", told.order.id),
        blocks,
        on_boxes: say((
            "方框 □ 表示原文中字库未收录的字符。",
            "A box □ stands for a character of the original that the typeface lacks.",
        )),
        page_of: match language {
            Language::Zh => |page, pages| format!("第 {page} 页，共 {pages} 页"),
            Language::En => |page, pages| format!("Page {page} of {pages}"),
        },
    }
}

/// By which clock a report tells times.
const CLOCK: Both = (
    "时间均为北京时间（Asia/Shanghai，UTC+8）。",
    "All times are Beijing time (Asia/Shanghai, UTC+8).",
);

fn facts(told: &Told) -> Vec<(&'static str, String)> {
    let say = |both| said(both, told.language);
    let detail = &told.order.detail;
    let known = |text: &Option<String>| text.clone().unwrap_or_else(|| say(NOT_KNOWN).to_owned());
    let at = |time_of: Option<Ts>| known(&time_of.map(|at| time(at, &told.zone)));
    vec![
        (say(("患者", "Patient")), known(&told.patient)),
        (say(("科室", "Department")), known(&told.department)),
        (say(("医生", "Doctor")), known(&told.doctor)),
        (say(("职称", "Title")), known(&told.title)),
        (
            say(("问诊类型", "Consultation")),
            say(by(detail.consultation_type)).to_owned(),
        ),
        (
            say(("预约方式", "Booked as")),
            say(mode(detail.mode)).to_owned(),
        ),
        (
            say(("下单时间", "Ordered")),
            at(Some(told.order.created_at)),
        ),
        (say(("开始时间", "Begun")), at(told.began)),
        (say(("结束时间", "Ended")), at(detail.ended_at)),
        (say(("接诊时长", "Length")), length(detail, told.language)),
    ]
}

const fn mode(mode: Mode) -> Both {
    match mode {
        Mode::Dispatch => ("系统派单", "next suitable doctor"),
        Mode::Clinic => ("门诊预约", "clinic appointment"),
    }
}

const fn by(kind: ConsultationType) -> Both {
    match kind {
        ConsultationType::Text => ("图文问诊", "text and pictures"),
        ConsultationType::Phone => ("语音问诊", "voice"),
        ConsultationType::Video => ("视频问诊", "video"),
    }
}

/// A time to the minute, by this zone's clock.
fn time(at: Ts, zone: &TimeZone) -> String {
    let at = Timestamp::from(at).to_zoned(zone.clone());
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

/// How long it was served, in whole minutes.
fn length(detail: &Detail, language: Language) -> String {
    let (Some(from), Some(to)) = (detail.started_at, detail.ended_at) else {
        return said(NOT_KNOWN, language).to_owned();
    };
    match (to.since(from).as_seconds() / 60, language) {
        (0, _) => said(("不足 1 分钟", "less than a minute"), language).to_owned(),
        (minutes, Language::Zh) => format!("{minutes} 分钟"),
        (1, Language::En) => "1 minute".to_owned(),
        (minutes, Language::En) => format!("{minutes} minutes"),
    }
}

fn summary(told: &Told) -> Vec<Block> {
    let (language, detail) = (told.language, &told.order.detail);
    let Some(Summary {
        complaint,
        findings,
        advice,
    }) = &detail.summary
    else {
        let none = ("医生未填写小结。", "The doctor wrote no summary.");
        return vec![Block::Passage("", said(none, language).to_owned())];
    };
    let passage = |name, text: &String| Block::Passage(said(name, language), text.clone());
    let mut blocks = vec![
        passage(("主诉", "Complaint"), complaint),
        passage(("诊查所见", "Findings"), findings),
        passage(("处理建议", "Advice"), advice),
    ];
    // The summary is what ends a consultation, so both have one time.
    if let (Some(doctor), Some(at)) = (&told.doctor, detail.ended_at) {
        let at = time(at, &told.zone);
        blocks.push(Block::Signed(match language {
            Language::Zh => format!("医生：{doctor}    {at}"),
            Language::En => format!("Written by {doctor}, {at}"),
        }));
    }
    blocks
}

fn amounts(told: &Told) -> Vec<Amount> {
    let (order, language) = (&told.order, told.language);
    let say = |both| said(both, language);
    let line = |name, about, of, is_total| Amount {
        name: say(name),
        about,
        amount: money(of, language),
        is_total,
    };
    let mut lines = vec![line(
        ("订单金额", "Price"),
        String::new(),
        order.price,
        false,
    )];
    for payment in &order.payments {
        let Some(paid) = payment.paid else { continue };
        let about = format!(
            "{} · {}",
            gateway(payment.gateway, language),
            payment.out_trade_no
        );
        lines.push(line(("支付", "Payment"), about, paid, false));
    }
    for refund in &order.refunds {
        if refund.status.is_granted() {
            let status = refund.status.label(language);
            let about = format!("{status} · {}", refund.out_refund_no);
            lines.push(line(("退款", "Refund"), about, refund.amount, false));
        }
    }
    lines.push(line(
        ("实付金额", "Paid"),
        String::new(),
        order.paid(),
        true,
    ));
    let refunded = order.refunded();
    lines.push(line(
        ("已退金额", "Refunded"),
        String::new(),
        refunded,
        true,
    ));
    lines
}

/// A gateway's name for people; one that is unknown here keeps its own.
fn gateway(gateway: GatewayName, language: Language) -> String {
    let both = match gateway {
        GatewayName::WECHAT => ("微信支付", "WeChat Pay"),
        GatewayName::ALIPAY => ("支付宝", "Alipay"),
        GatewayName::UNIONPAY => ("银联", "UnionPay"),
        GatewayName::PAYPAL => ("PayPal", "PayPal"),
        GatewayName::STRIPE => ("Stripe", "Stripe"),
        GatewayName::OFFLINE => ("线下收款", "Outside the gateways"),
        other => return other.to_string(),
    };
    said(both, language).to_owned()
}

fn money(money: Money, language: Language) -> String {
    let unit = match (money.currency, language) {
        (Currency::CNY, Language::Zh) => "元",
        (Currency::NZD, Language::Zh) => "新西兰元",
        (Currency::CNY | Currency::NZD, Language::En) => money.currency.code(),
    };
    format!("{}.{:02} {unit}", money.amount / 100, money.amount % 100)
}

/// How the report came about, and how whoever is handed one finds out whether it is genuine.
fn notes(told: &Told) -> Vec<String> {
    let (version, at) = (told.order.version, time(told.order.updated_at, &told.zone));
    match told.language {
        Language::Zh => vec![
            "本报告为一次在线问诊的记录，不作处方使用。".to_owned(),
            format!("由医院订单系统依据订单记录第 {version} 版（{at}）自动生成。"),
            "核验：由患者本人或接诊医生登录本院平台，凭订单号重新获取报告，内容应与本件一致。"
                .to_owned(),
        ],
        Language::En => vec![
            "This report is a record of an online consultation; it is not a prescription."
                .to_owned(),
            format!(
                "Made by the hospital's order system from version {version} of the order's record, \
                 of {at}."
            ),
            "To verify it, the patient or the doctor signs in and fetches this order's report \
             again: it must say the same."
                .to_owned(),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_and_times_are_written_for_people() {
        assert_eq!(money(Money::fen(3005), Language::Zh), "30.05 元");
        assert_eq!(money(Money::fen(3005), Language::En), "30.05 CNY");
        let at = Ts::parse("2026-03-02T16:05:59Z").unwrap();
        assert_eq!(time(at, &super::super::zone()), "2026-03-03 00:05");
    }
}

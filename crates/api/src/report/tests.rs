//! A whole report, read back.

use super::*;
use domain::consultation::{Cause, ConsultationType, Detail, Mode, Summary};
use domain::order::Order;
use domain::payment::{GatewayName, Method, Payment, PaymentStatus, Purpose, Refund, RefundStatus};
use domain::{DepartmentId, Money, PaymentId, RefundId, Share, UserId};
use lopdf::Document;
use uuid::Uuid;

fn at(text: &str) -> Ts {
    Ts::parse(text).unwrap()
}

fn detail() -> Detail {
    Detail {
        mode: Mode::Dispatch,
        consultation_type: ConsultationType::Text,
        department: DepartmentId(Uuid::from_u128(1)),
        complaint: "头痛三天，夜里更重。".to_owned(),
        doctor: Some(UserId(Uuid::from_u128(2))),
        assignments: Vec::new(),
        holds_doctor: false,
        waiting_since: None,
        session: None,
        slot: None,
        slot_index: 0,
        holds_place: false,
        number: None,
        queue_rank: None,
        calls: 0,
        checked_in: false,
        patient_seen: true,
        connection_failures: 0,
        started_at: Some(at("2026-03-02T09:10:00+08:00")),
        ended_at: Some(at("2026-03-02T09:32:40+08:00")),
        cancel_asked: None,
        quote: None,
        being_checked: false,
        summary: Some(Summary {
            complaint: "头痛三天，呈搏动性。".to_owned(),
            findings: "神志清，BP 120/80 mmHg，WBC 6.5×10⁹/L，SpO₂ 98%；颈软。".to_owned(),
            advice: "休息；布洛芬（Ibuprofen）0.2 g，每日 3 次，连服 3 天。\n不适随诊。".to_owned(),
        }),
        rating: None,
    }
}

fn payment() -> Payment {
    Payment {
        id: PaymentId(Uuid::from_u128(4)),
        gateway: GatewayName::WECHAT,
        method: Method::NATIVE,
        payer: None,
        out_trade_no: "PY019cac0f26807f27ab24f727eb990281".to_owned(),
        status: PaymentStatus::PartiallyRefunded,
        amount: Money::fen(3000),
        paid: Some(Money::fen(3000)),
        paid_at: None,
        client_ip: None,
        handle: None,
        proof: None,
        transaction_id: None,
        pay_with: None,
        expires_at: at("2026-03-02T09:30:00+08:00"),
        created_at: at("2026-03-02T09:00:10+08:00"),
        updated_at: at("2026-03-02T09:01:00+08:00"),
    }
}

fn refund() -> Refund {
    Refund {
        id: RefundId(Uuid::from_u128(5)),
        payment: PaymentId(Uuid::from_u128(4)),
        out_refund_no: "RF019cac0f26807f27ab24f727eb990282".to_owned(),
        refund_id: None,
        gone_at: None,
        status: RefundStatus::Succeeded,
        purpose: Purpose::Complaint,
        cause: Cause::PatientCancelled,
        share: Share::FULL,
        amount: Money::fen(605),
        rule: "complaint".to_owned(),
        reason: None,
        due_on: None,
        retries: 0,
        last_error: None,
        proof: None,
        requested_at: at("2026-03-02T09:40:00+08:00"),
        sent_at: None,
        updated_at: at("2026-03-02T09:50:00+08:00"),
    }
}

fn told(language: Language) -> Told {
    let order = Order {
        id: OrderId(Uuid::from_u128(7)),
        version: 9,
        status: ConsultationStatus::Completed,
        status_since: at("2026-03-02T09:32:40+08:00"),
        suspended: None,
        patient: UserId(Uuid::from_u128(3)),
        price: Money::fen(3000),
        earned: Money::fen(3000),
        rules_version: 1,
        payments: vec![payment()],
        refunds: vec![refund()],
        timers: Vec::new(),
        created_at: at("2026-03-02T09:00:00+08:00"),
        updated_at: at("2026-03-02T10:00:00+08:00"),
        detail: detail(),
    };
    Told {
        order,
        hospital: match language {
            Language::Zh => "杏林互联网医院".to_owned(),
            Language::En => "Xinglin Internet Hospital".to_owned(),
        },
        patient: Some("李玥".to_owned()),
        doctor: Some("王喆".to_owned()),
        title: Some("主治医师".to_owned()),
        department: Some("内科".to_owned()),
        began: Some(at("2026-03-02T09:10:00+08:00")),
        zone: zone(),
        language,
    }
}

/// What is read when everything is selected, without spaces and line ends.
fn read(pdf: &[u8]) -> String {
    let document = Document::load_mem(pdf).unwrap();
    let pages: Vec<u32> = document.get_pages().keys().copied().collect();
    let text = document.extract_text(&pages).unwrap();
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

#[test]
fn the_same_order_gives_the_same_bytes() {
    let first = told(Language::Zh).pdf().unwrap();
    assert_eq!(first, told(Language::Zh).pdf().unwrap());
    let mut changed = told(Language::Zh);
    changed.order.version += 1;
    assert_ne!(first, changed.pdf().unwrap());
}

#[test]
fn its_text_can_be_selected_in_both_languages() {
    let chinese = read(&told(Language::Zh).pdf().unwrap());
    for part in [
        "杏林互联网医院",
        "问诊报告",
        "订单号：00000000-0000-0000-0000-000000000007",
        "患者李玥",
        "科室内科",
        "医生王喆",
        "职称主治医师",
        "问诊类型图文问诊",
        "预约方式系统派单",
        "下单时间2026-03-0209:00",
        "接诊时长22分钟",
        "时间均为北京时间（Asia/Shanghai，UTC+8）。",
        "头痛三天，夜里更重。",
        "WBC6.5×10⁹/L，SpO₂98%",
        "布洛芬（Ibuprofen）0.2g，每日3次",
        "医生：王喆2026-03-0209:32",
        "微信支付·PY019cac0f26807f27ab24f727eb990281",
        "实付金额30.00元",
        "已退金额6.05元",
        "订单记录第9版（2026-03-0210:00）",
        "第1页，共1页",
    ] {
        assert!(chinese.contains(part), "{part} in {chinese}");
    }
    let english = read(&told(Language::En).pdf().unwrap());
    for part in [
        "XinglinInternetHospital",
        "Consultationreport",
        "Length22minutes",
        "Paid30.00CNY",
        "Refunded6.05CNY",
        "Page1of1",
        "Alltimes",
    ] {
        assert!(english.contains(part), "{part} in {english}");
    }
}

#[test]
fn it_says_its_title_and_its_language() {
    for (language, name) in [(Language::Zh, "zh-CN"), (Language::En, "en")] {
        let pdf = told(language).pdf().unwrap();
        let document = Document::load_mem(&pdf).unwrap();
        let catalog = document.catalog().unwrap();
        let said = catalog.get(b"Lang").unwrap();
        assert_eq!(said.as_str().unwrap(), name.as_bytes());
        let info = document.trailer.get(b"Info").unwrap();
        let info = info.as_reference().unwrap();
        let info = document.get_dictionary(info).unwrap();
        assert!(info.has(b"Title") && info.has(b"CreationDate"));
    }
}

#[test]
fn what_nobody_wrote_is_said_to_be_missing_and_odd_letters_do_no_harm() {
    let mut bare = told(Language::En);
    (bare.patient, bare.doctor, bare.department, bare.began) = (None, None, None, None);
    bare.order.detail.summary = None;
    bare.order.detail.complaint =
        "😀\u{0}\u{200B}\u{1F468}\u{200D}\u{1F469} עברית \u{10FFFF}\r\n".to_owned();
    let text = read(&bare.pdf().unwrap());
    assert!(text.contains("Patientnotrecorded"), "{text}");
    assert!(text.contains("Thedoctorwrotenosummary."), "{text}");
    assert!(text.contains("standsforacharacter"), "{text}");
}

#[test]
fn a_refund_under_way_is_told_and_not_yet_counted() {
    let mut waiting = told(Language::Zh);
    waiting.order.refunds[0].status = RefundStatus::Processing;
    let text = read(&waiting.pdf().unwrap());
    assert!(text.contains("退款中·RF019cac"), "{text}");
    assert!(text.contains("已退金额0.00元"), "{text}");
    waiting.order.refunds[0].status = RefundStatus::Refused;
    assert!(!read(&waiting.pdf().unwrap()).contains("RF019cac"));
}

#[test]
fn a_long_summary_takes_many_pages() {
    let mut long = told(Language::Zh);
    if let Some(summary) = &mut long.order.detail.summary {
        summary.findings = "神志清，精神可，颈软，无抵抗。".repeat(260);
    }
    let pdf = long.pdf().unwrap();
    assert!(Document::load_mem(&pdf).unwrap().get_pages().len() > 2);
}

//! Settlement files: fetched, unpacked, and read field by field.

use super::super::settlement_file::{
    AMOUNT, FEE, MER_ID as MER_ID_FIELD, ORDER_ID, ORIG_ORDER_ID, ORIG_QUERY_ID,
    QUERY_ID as QUERY_ID_FIELD, SettlementError, TRACE_TIME, TXN_TYPE, WIDTHS, read_lines,
    read_zip, unpack,
};
use super::{Counterparty, MER_ID, ORDER, QUERY_ID, REFUND, at};
use crate::gateway::{GatewayError, PaymentGateway};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Money;
use domain::reconciliation::{BillLine, LineKind, LineStatus};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use jiff::civil::{Date, date};
use proptest::prelude::*;
use std::io::{Cursor, Write};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const DAY: Date = date(2025, 11, 20);

fn line(fields: &[(usize, &str)]) -> Vec<u8> {
    let mut line = Vec::new();
    for (index, width) in WIDTHS.into_iter().enumerate() {
        let text = fields.iter().rfind(|(at, _)| *at == index);
        let text = text.map_or("", |(_, text)| text);
        if index > 0 {
            line.push(b' ');
        }
        line.extend_from_slice(format!("{text:<width$}").as_bytes());
    }
    line
}

fn payment_line() -> Vec<(usize, &'static str)> {
    vec![
        (0, "S22"),
        (TRACE_TIME, "1120100203"),
        (AMOUNT, "000000003000"),
        (QUERY_ID_FIELD, QUERY_ID),
        (ORDER_ID, ORDER),
        (FEE, "D000000000018"),
        (TXN_TYPE, "01"),
        (MER_ID_FIELD, MER_ID),
    ]
}

fn refund_line() -> Vec<(usize, &'static str)> {
    vec![
        (0, "S30"),
        (TRACE_TIME, "1119230007"),
        (AMOUNT, "000000002700"),
        (QUERY_ID_FIELD, "952511201100004791048"),
        (ORDER_ID, &REFUND[2..]),
        (FEE, "C000000000016"),
        (TXN_TYPE, "04"),
        (ORIG_QUERY_ID, QUERY_ID),
        (ORIG_ORDER_ID, ORDER),
        (MER_ID_FIELD, MER_ID),
    ]
}

fn zip_of(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer
            .start_file(*name, SimpleFileOptions::default())
            .unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn pack(zip: &[u8]) -> String {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(zip).unwrap();
    STANDARD.encode(encoder.finish().unwrap())
}

fn the_file() -> Vec<u8> {
    let mut file = line(&payment_line());
    file.extend_from_slice(b"\r\n");
    file.extend_from_slice(&line(&refund_line()));
    file.extend_from_slice(b"\r\n");
    file
}

fn expected() -> Vec<BillLine> {
    vec![
        BillLine {
            line: 1,
            kind: LineKind::Payment,
            out_trade_no: Some(ORDER.to_owned()),
            transaction_id: Some(QUERY_ID.to_owned()),
            out_refund_no: None,
            refund_id: None,
            amount: Money::fen(3000),
            fee: Some(18_000),
            status: LineStatus::Succeeded,
            at: at("2025-11-20T10:02:03+08:00"),
        },
        BillLine {
            line: 2,
            kind: LineKind::Refund,
            out_trade_no: Some(ORDER.to_owned()),
            transaction_id: Some(QUERY_ID.to_owned()),
            out_refund_no: Some(REFUND.to_owned()),
            refund_id: Some("952511201100004791048".to_owned()),
            amount: Money::fen(2700),
            fee: Some(-16_000),
            status: LineStatus::Succeeded,
            at: at("2025-11-19T23:00:07+08:00"),
        },
    ]
}

#[test]
fn a_file_is_read_line_by_line() {
    assert_eq!(read_lines(&the_file(), 1, DAY, MER_ID), Ok(expected()));
    assert_eq!(read_lines(b"", 1, DAY, MER_ID), Ok(Vec::new()));
    // The widths of UnionPay's own parser, and a separator after each but the last.
    assert_eq!(WIDTHS.iter().sum::<usize>() + 41, line(&[]).len());
}

#[test]
fn the_edition_before_has_the_same_fields_up_to_its_reserve() {
    // 131 reserved bytes instead of the original order and 98.
    let mut old = line(&payment_line());
    old.truncate(WIDTHS[..40].iter().sum::<usize>() + 40);
    old.extend_from_slice(" ".repeat(131).as_bytes());
    assert_eq!(
        read_lines(&old, 1, DAY, MER_ID),
        Ok(expected()[..1].to_vec())
    );
    // And blanks at a line's end may have been cut off.
    let short = line(&payment_line());
    let short = &short[..short.len() - 120];
    assert_eq!(
        read_lines(short, 1, DAY, MER_ID),
        Ok(expected()[..1].to_vec())
    );
}

#[test]
fn text_in_gbk_is_passed_over() {
    let mut line = line(&payment_line());
    let start = WIDTHS[..30].iter().sum::<usize>() + 30;
    line[start..start + 4].copy_from_slice(&[0xd2, 0xbd, 0xd4, 0xba]);
    assert_eq!(
        read_lines(&line, 1, DAY, MER_ID),
        Ok(expected()[..1].to_vec())
    );
}

#[test]
fn a_fee_has_a_direction() {
    let fee = |text| {
        let mut fields = payment_line();
        fields.push((FEE, text));
        read_lines(&line(&fields), 1, DAY, MER_ID).map(|lines| lines[0].fee)
    };
    assert_eq!(fee("D000000000018"), Ok(Some(18_000)));
    assert_eq!(fee("C000000000018"), Ok(Some(-18_000)));
    assert_eq!(fee("000000000000"), Ok(Some(0)));
    assert_eq!(fee(""), Ok(None));
    for wrong in [
        "000000000018",
        "X000000000018",
        "D",
        "D00000000001x",
        "D1234567890123",
    ] {
        assert!(fee(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_line_that_is_not_of_the_layout_is_named() {
    let with = |index, text| {
        let mut fields = payment_line();
        fields.push((index, text));
        line(&fields)
    };
    let mut shifted = line(&payment_line());
    shifted.remove(20);
    for (bytes, words) in [
        (with(MER_ID_FIELD, "777290058110097"), "not ours"),
        (with(AMOUNT, "00000030.00"), "12 digits of fen"),
        (with(AMOUNT, ""), "12 digits of fen"),
        (with(TRACE_TIME, "1399100203"), "no MMDDhhmmss"),
        (with(TXN_TYPE, "02"), "txnType `02` is not known"),
        (b"S22 short".to_vec(), "it ends after"),
        (shifted, "stands between fields"),
    ] {
        let file = [line(&payment_line()), bytes].join(&b'\n');
        let error = read_lines(&file, 1, DAY, MER_ID).unwrap_err();
        assert!(
            matches!(error, SettlementError::Line { line: 2, .. }),
            "{error}"
        );
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn a_zip_is_searched_for_the_transactions_of_its_day() {
    let name = format!("INN25112088ZM_{MER_ID}");
    let disputes = format!("INN25112088ZME_{MER_ID}");
    let zip = zip_of(&[(&disputes, b"nothing to us".to_vec()), (&name, the_file())]);
    assert_eq!(read_zip(&zip, DAY, MER_ID), Ok(expected()));
    assert_eq!(unpack(&pack(&zip)), Ok(zip.clone()));

    let other_year = zip_of(&[(&format!("INN24112088ZM_{MER_ID}"), the_file())]);
    assert!(matches!(
        read_zip(&other_year, DAY, MER_ID),
        Err(SettlementError::OtherDay { .. })
    ));
    let none = zip_of(&[(&disputes, Vec::new())]);
    assert_eq!(
        read_zip(&none, DAY, MER_ID),
        Err(SettlementError::NoTransactions(1))
    );
    assert!(matches!(
        read_zip(b"PK", DAY, MER_ID),
        Err(SettlementError::NotZip(_))
    ));
    assert!(matches!(
        read_zip(&zip[..zip.len() / 2], DAY, MER_ID),
        Err(SettlementError::NotZip(_))
    ));
    assert_eq!(unpack("%"), Err(SettlementError::NotBase64));
    assert!(matches!(
        unpack("AAAA"),
        Err(SettlementError::NotDeflated(_))
    ));
}

#[tokio::test]
async fn a_days_bill_is_fetched() {
    let content = pack(&zip_of(&[(&format!("INN25112088ZM_{MER_ID}"), the_file())]));
    let told = [
        ("respCode", "00"),
        ("fileName", "x.zip"),
        ("fileContent", content.as_str()),
    ];
    let unionpay = Counterparty::says(&told).await;
    let now = at("2025-11-21T09:00:00+08:00");
    let bill = unionpay.gateway.bill(DAY, now).await.unwrap();
    assert_eq!(bill.lines, expected());
    assert_eq!(bill.totals, None);
    // Kept as it came, with UnionPay's signature around it.
    assert!(String::from_utf8(bill.raw).unwrap().contains("&signature="));
    let asked = unionpay.heard();
    for (name, value) in [
        ("txnType", "76"),
        ("txnSubType", "01"),
        ("bizType", "000000"),
        ("fileType", "00"),
        ("settleDate", "1120"),
        ("txnTime", "20251121090000"),
        ("merId", MER_ID),
    ] {
        assert_eq!(asked.get(name), Some(value), "{name}");
    }
}

#[tokio::test]
async fn without_a_file_it_is_not_made_yet_and_later_there_was_no_business() {
    let unionpay = Counterparty::says(&[("respCode", "98"), ("respMsg", "文件不存在")]).await;
    let bill = |now| unionpay.gateway.bill(DAY, at(now));
    let early = bill("2025-11-21T11:59:59+08:00").await;
    assert!(
        matches!(early, Err(GatewayError::Unavailable { .. })),
        "{early:?}"
    );
    let late = bill("2025-11-21T12:00:00+08:00").await.unwrap();
    assert!(late.lines.is_empty());
}

#[tokio::test]
async fn days_to_come_and_long_ago_are_not_asked_for() {
    let unionpay = Counterparty::says(&[("respCode", "98")]).await;
    let today = unionpay
        .gateway
        .bill(DAY, at("2025-11-20T23:59:59+08:00"))
        .await;
    assert!(
        matches!(today, Err(GatewayError::Unavailable { .. })),
        "{today:?}"
    );
    let old = unionpay
        .gateway
        .bill(DAY, at("2026-11-20T12:00:00+08:00"))
        .await;
    assert!(matches!(old, Err(GatewayError::Refused { .. })), "{old:?}");
    assert!(unionpay.heard_nothing());
}

#[tokio::test]
async fn a_bill_that_can_not_be_read_is_no_empty_bill() {
    for content in ["", "AAAA"] {
        let told = [("respCode", "00"), ("fileContent", content)];
        let unionpay = Counterparty::says(&told).await;
        let bill = unionpay
            .gateway
            .bill(DAY, at("2025-11-21T12:00:00+08:00"))
            .await;
        assert!(
            matches!(bill, Err(GatewayError::Unavailable { .. })),
            "{bill:?}"
        );
    }
}

proptest! {
    #[test]
    fn no_file_makes_it_panic(
        bytes: Vec<u8>,
        index in 0..WIDTHS.len(),
        text in "[0-9CD ]{0,14}",
        flipped: prop::sample::Index,
        byte: u8,
    ) {
        prop_assert!(bytes.iter().all(|byte| *byte == b'\n') || read_lines(&bytes, 1, DAY, MER_ID).is_err());
        prop_assert!(read_zip(&bytes, DAY, MER_ID).is_err());
        let mut fields = payment_line();
        fields.push((index, &text));
        let mut line = line(&fields);
        let at = flipped.index(line.len());
        line[at] = byte;
        if let Ok(lines) = read_lines(&line, u32::MAX, DAY, MER_ID) {
            prop_assert!(lines.iter().all(|line| line.amount.amount >= 0));
        }
        let mut zip = zip_of(&[("INN25112088ZM_1", the_file())]);
        let at = flipped.index(zip.len());
        zip[at] ^= byte;
        if let Ok(lines) = read_zip(&zip, DAY, MER_ID) {
            prop_assert!(lines.len() <= 2);
        }
    }

    #[test]
    fn no_content_makes_it_panic(text in "[A-Za-z0-9+/=\n]{0,80}") {
        if let Ok(bytes) = unpack(&text) {
            prop_assert!(bytes.len() < 1 << 20);
        }
    }
}

//! Bills as Alipay makes them, and archives that are none.

use super::*;
use domain::Money;
use domain::reconciliation::{BillLine, BillTotals, LineKind, LineStatus};
use encoding_rs::GBK;
use proptest::prelude::*;
use std::io::{Cursor, Write as _};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

const PAID: &str = "2025112022001400000000000001\t,0198b1c2d3e4f5a6978812345678abcd\t,交易\t,\
                    复诊问诊费,2025-11-20 09:59:30,2025-11-20 10:00:00,\t,\t,\t,\t,\
                    *三(159****5620),30.00,30.00,0.00,0.00,0.00,0.00,0.00,,0.00\t,0.00,\t,\
                    -0.18,0.00,复诊问诊费";
const REFUNDED: &str = "2025112022001400000000000001\t,0198b1c2d3e4f5a6978812345678abcd\t,退款\t,\
                        复诊问诊费,2025-11-20 09:59:30,2025-11-20 11:00:00,\t,\t,\t,\t,\
                        *三(159****5620),-10.00,-10.00,0.00,0.00,0.00,0.00,0.00,,0.00\t,0.00,\
                        RF0198b1c2d3e4f5a6978812345678abcd\t,0.06,0.00,复诊问诊费";

fn detail(lines: &[&str], footer: &str) -> String {
    let head = "#支付宝业务明细查询\n#账号：[20881011064993640156]\n#起始日期：[2025年11月20日 \
                00:00:00]   终止日期：[2025年11月21日 00:00:00]";
    let names = DETAIL_COLUMNS.join(",");
    let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let made = "#导出时间：[2025年11月21日 05:46:49]";
    format!("{head}\n{DETAIL_START}\n{names}\n{lines}{DETAIL_END}\n{footer}{made}\n")
}

const FOOTER: &str = "#交易合计：1笔，商家实收共30.00元，商家优惠共0.00元\n\
                      #退款合计：1笔，商家实收退款共-10.00元，商家优惠退款共0.00元\n";

fn summary(payments: u32) -> String {
    let names = SUMMARY_COLUMNS.join(",");
    format!(
        "#支付宝业务汇总查询\n{SUMMARY_START}\n{names}\n合计\t,\t,{payments},1,20.00,20.00,0.00,\
         0.00,0.00,-0.12,0.00,19.88\n{SUMMARY_END}\n"
    )
}

fn archive(files: &[&[u8]]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (index, file) in files.iter().enumerate() {
        zip.start_file(format!("{index}.csv"), options).unwrap();
        zip.write_all(file).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn gbk(text: &str) -> Vec<u8> {
    GBK.encode(text).0.into_owned()
}

fn read_one(lines: &[&str]) -> Result<Contents, BillError> {
    read(&[detail(lines, FOOTER)])
}

#[test]
fn a_bill_is_read_from_its_archive() {
    let files = [gbk(&summary(1)), gbk(&detail(&[PAID, REFUNDED], FOOTER))];
    let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    let (lines, totals) = open(&archive(&files)).unwrap();
    let paid = BillLine {
        line: 1,
        kind: LineKind::Payment,
        out_trade_no: Some("0198b1c2d3e4f5a6978812345678abcd".to_owned()),
        transaction_id: Some("2025112022001400000000000001".to_owned()),
        out_refund_no: None,
        refund_id: None,
        amount: Money::fen(3000),
        fee: Some(18_000),
        status: LineStatus::Succeeded,
        at: Ts::parse("2025-11-20T10:00:00+08:00").unwrap(),
    };
    let refunded = BillLine {
        line: 2,
        kind: LineKind::Refund,
        out_refund_no: Some("RF0198b1c2d3e4f5a6978812345678abcd".to_owned()),
        refund_id: Some("RF0198b1c2d3e4f5a6978812345678abcd".to_owned()),
        amount: Money::fen(1000),
        fee: Some(-6_000),
        at: Ts::parse("2025-11-20T11:00:00+08:00").unwrap(),
        ..paid.clone()
    };
    assert_eq!(lines, [paid, refunded]);
    let expected = BillTotals {
        count: 2,
        paid: Money::fen(3000),
        refunded: Money::fen(1000),
    };
    assert_eq!(totals, Some(expected));
}

#[test]
fn columns_are_found_by_their_names() {
    let names = "备注,完成时间,业务类型,订单金额(元),商户订单号,支付宝交易号";
    let text = format!(
        "{DETAIL_START}\r\n{names}\r\n,2025-11-20 10:00:00,交易,30.00,CN1,2025\r\n{DETAIL_END}\r\n"
    );
    let (lines, totals) = read(&[text]).unwrap();
    assert_eq!(lines[0].out_trade_no.as_deref(), Some("CN1"));
    assert_eq!((lines[0].fee, totals), (None, None));
    let missing = format!("{DETAIL_START}\n支付宝交易号,商户订单号\n{DETAIL_END}\n");
    assert_eq!(read(&[missing]), Err(BillError::NoColumn("业务类型")));
}

#[test]
fn a_day_without_lines_is_an_empty_bill() {
    let footer = "#交易合计：0笔，商家实收共0.00元，商家优惠共0.00元\n\
                  #退款合计：0笔，商家实收退款共0.00元，商家优惠退款共0.00元\n";
    let (lines, totals) = read(&[detail(&[], footer)]).unwrap();
    assert!(lines.is_empty());
    assert_eq!(totals.map(|totals| totals.count), Some(0));
}

#[test]
fn a_bill_in_parts_is_one_bill() {
    let footer = "#交易合计：0笔，商家实收共0.00元，商家优惠共0.00元\n\
                  #退款合计：1笔，商家实收退款共-9.00元，商家优惠退款共-1.00元\n";
    let parts = [
        detail(&[PAID, REFUNDED], FOOTER),
        detail(&[REFUNDED], footer),
    ];
    let (lines, totals) = read(&parts).unwrap();
    assert_eq!(
        lines.iter().map(|line| line.line).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    // What coupons paid belongs to the amount of the order.
    assert_eq!(totals.map(|totals| totals.refunded), Some(Money::fen(2000)));
    // Sums of a part only are no sums of the bill.
    let parts = [detail(&[PAID], FOOTER), detail(&[REFUNDED], "")];
    assert_eq!(read(&parts).unwrap().1, None);
}

#[test]
fn a_bill_that_is_cut_or_contradicts_itself_is_refused() {
    let whole = detail(&[PAID, REFUNDED], FOOTER);
    let cut = whole.split(DETAIL_END).next().unwrap().to_owned();
    assert_eq!(read(&[cut]), Err(BillError::CutOff));
    assert_eq!(read(&[summary(1)]), Err(BillError::NoLines));
    assert_eq!(read(&[]), Err(BillError::NoLines));
    let contradiction = BillError::Contradiction {
        stated: 1,
        summed: 2,
    };
    assert_eq!(read(&[summary(2), whole]), Err(contradiction));
}

#[test]
fn a_line_that_is_not_understood_is_named_and_never_dropped() {
    let cell = |column, value: &str| BillError::Cell {
        line: 2,
        column,
        value: value.to_owned(),
    };
    for (from, to, expected) in [
        ("交易", "分账", cell("业务类型", "分账")),
        (",30.00,", ",-30.00,", cell("订单金额", "-30.00")),
        (",30.00,", ",30.005,", cell("订单金额", "30.005")),
        ("2025-11-20 10:00:00", "", cell("完成时间", "")),
        ("-0.18", "free", cell("服务费", "free")),
        (
            "复诊问诊费,2025",
            "复诊,问诊费,2025",
            BillError::CellCount {
                line: 2,
                found: 26,
                expected: 25,
            },
        ),
        (
            "复诊问诊费,2025",
            "\"复诊,2025",
            BillError::Cells {
                line: 2,
                reason: TableError::Quote,
            },
        ),
    ] {
        let line = PAID.replacen(from, to, 1);
        assert_eq!(read_one(&[PAID, &line]), Err(expected), "{to}");
    }
    let positive = REFUNDED.replacen("-10.00", "10.00", 1);
    assert_eq!(read_one(&[PAID, &positive]), Err(cell("订单金额", "10.00")));
    // In quotes, a comma is part of the subject.
    let quoted = PAID.replacen("复诊问诊费,", "\"复诊,问诊费\",", 1);
    assert!(read_one(&[&quoted]).is_ok());
}

#[test]
fn an_archive_of_a_hostile_kind_is_refused() {
    assert!(matches!(unpack(b"", 10), Err(ArchiveError::Broken(_))));
    assert!(matches!(
        unpack(b"<html>", 10),
        Err(ArchiveError::Broken(_))
    ));
    // A megabyte of nothing in a kilobyte: counted as it comes out, over all files.
    let nothing = vec![0_u8; 1 << 20];
    let bomb = archive(&[&nothing]);
    assert!(bomb.len() < 4096);
    let limit = (1 << 20) - 1;
    assert_eq!(unpack(&bomb, limit), Err(ArchiveError::TooLarge(limit)));
    assert!(unpack(&bomb, 1 << 20).is_ok());
    let halves = archive(&[&nothing[..600_000], &nothing[..600_000]]);
    assert_eq!(unpack(&halves, limit), Err(ArchiveError::TooLarge(limit)));
    let many = archive(&[b"x".as_slice(); MAX_ENTRIES + 1]);
    let found = MAX_ENTRIES + 1;
    assert_eq!(unpack(&many, 100), Err(ArchiveError::TooManyFiles(found)));
}

#[test]
fn a_day_ends_at_midnight_in_beijing() {
    let day: Date = "2025-11-20".parse().unwrap();
    assert_eq!(end_of(day), Ts::parse("2025-11-20T16:00:00Z").ok());
    assert_eq!(end_of(Date::MAX), None);
}

proptest! {
    #[test]
    fn every_line_is_read_with_its_amount_and_its_fee(
        amounts in prop::collection::vec((1_i64..10_000_000_000, 0_i64..1_000_000, any::<bool>()), 0..20)
    ) {
        let rows: Vec<String> = amounts
            .iter()
            .map(|&(amount, fee, back)| {
                let (line, sign) = if back { (REFUNDED, -1) } else { (PAID, 1) };
                let (old_amount, old_fee) = if back { ("-10.00", ",0.06,") } else { ("30.00", ",-0.18,") };
                let amount = Money::fen(sign * amount).to_decimal();
                let fee = Money::fen(-sign * fee).to_decimal();
                line.replacen(old_amount, &amount, 1).replacen(old_fee, &format!(",{fee},"), 1)
            })
            .collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let (lines, _) = read(&[detail(&rows, "")]).unwrap();
        let read: Vec<(i64, i64, bool)> = lines
            .iter()
            .map(|line| {
                let back = line.kind == LineKind::Refund;
                let fee = line.fee.unwrap() / 1000;
                (line.amount.amount, if back { -fee } else { fee }, back)
            })
            .collect();
        prop_assert_eq!(read, amounts);
    }

    #[test]
    fn nothing_from_outside_makes_it_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        at in 0_usize..1000,
        byte: u8,
    ) {
        prop_assert!(open(&bytes).is_err());
        let text = GBK.decode_without_bom_handling(&bytes).0.into_owned();
        let table = format!("{DETAIL_START}\n{}\n{text}\n{DETAIL_END}\n", DETAIL_COLUMNS.join(","));
        if let Ok((lines, _)) = read(&[table, text]) {
            prop_assert!(lines.len() <= bytes.len());
        }
        // A real archive with one byte changed.
        let mut changed = archive(&[&gbk(&detail(&[PAID, REFUNDED], FOOTER))]);
        let at = at % changed.len();
        changed[at] = byte;
        if let Ok((lines, _)) = open(&changed) {
            prop_assert!(lines.len() <= 2);
        }
    }

    #[test]
    fn nor_do_lines_of_cells(rows in prop::collection::vec("([0-9交易退款.:\\- ]{0,8},){24}[#\"0-9]{0,3}", 0..4)) {
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        if let Ok((lines, _)) = read(&[detail(&rows, FOOTER)]) {
            prop_assert!(lines.iter().all(|line| line.amount.amount >= 0));
        }
    }
}

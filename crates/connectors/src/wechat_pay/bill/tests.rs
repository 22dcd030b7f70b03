//! Bills in WeChat's published layouts, and what must not be taken for one.

use super::{BillError, check_digest, read_bill, ready_at};
use crate::wechat_pay::wire::BillAnswer;
use domain::reconciliation::{LineKind, LineStatus};
use domain::{Money, Ts};
use jiff::civil::date;
use proptest::prelude::*;

const ALL: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,\
                   交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,\
                   商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,\
                   手续费,费率,订单金额,申请退款金额,费率备注";
const SUMMARY: &str = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,\
                       订单总金额,申请退款总金额";

/// A line of a payment of 30.50 yuan.
fn payment(goods: &str) -> String {
    format!(
        "`2026-03-02 09:00:00,`wx1,`19,`0,`,`4200001,`ORDER-0001,`oUpF8,`JSAPI,`SUCCESS,`OTHERS,\
         `CNY,`30.50,`0.00,`0,`0,`0.00,`0.00,`,`,`{goods},`,`0.18300,`0.60%,`30.50,`0.00,`"
    )
}

/// A line of a refund of 10 yuan.
fn refund(status: &str) -> String {
    format!(
        "`2026-03-02 10:00:00,`wx1,`19,`0,`,`4200001,`ORDER-0001,`oUpF8,`JSAPI,`REFUND,`OTHERS,\
         `CNY,`0.00,`0.00,`5030001,`RF01,`10.00,`0.00,`ORIGINAL,`{status},`诊费,`,`-0.06000,\
         `0.60%,`0.00,`10.00,`"
    )
}

fn bill(lines: &[String]) -> String {
    let summary = "`2,`30.50,`10.00,`0.00,`0.12300,`30.50,`10.00";
    format!(
        "{ALL}\r\n{}\r\n{SUMMARY}\r\n{summary}\r\n",
        lines.join("\r\n")
    )
}

#[test]
fn payments_refunds_and_sums_are_read() {
    let text = bill(&[payment("诊费"), refund("SUCCESS")]);
    for text in [
        text.clone(),
        format!("\u{feff}{text}"),
        text.replace('\r', ""),
    ] {
        let (lines, totals) = read_bill(text.as_bytes()).unwrap();
        let [paid, back] = lines.as_slice() else {
            panic!("{lines:?}")
        };
        assert_eq!(paid.kind, LineKind::Payment);
        assert_eq!(paid.out_trade_no.as_deref(), Some("ORDER-0001"));
        assert_eq!(paid.transaction_id.as_deref(), Some("4200001"));
        assert_eq!((&paid.out_refund_no, &paid.refund_id), (&None, &None));
        assert_eq!(paid.amount, Money::fen(3050));
        assert_eq!(paid.fee, Some(18_300));
        assert_eq!(paid.at, Ts::parse("2026-03-02T09:00:00+08:00").unwrap());

        assert_eq!((back.kind, back.line), (LineKind::Refund, 2));
        assert_eq!(back.out_refund_no.as_deref(), Some("RF01"));
        assert_eq!(back.refund_id.as_deref(), Some("5030001"));
        assert_eq!(back.amount, Money::fen(1000));
        assert_eq!(back.fee, Some(-6000));
        assert_eq!(back.status, LineStatus::Succeeded);

        let totals = totals.unwrap();
        assert_eq!(totals.count, 2);
        assert_eq!(
            (totals.paid, totals.refunded),
            (Money::fen(3050), Money::fen(1000))
        );
    }
}

#[test]
fn a_refund_stands_as_it_was_when_the_bill_was_made() {
    for (word, status) in [
        ("SUCCESS", LineStatus::Succeeded),
        ("PROCESSING", LineStatus::Processing),
        ("FAIL", LineStatus::Failed),
    ] {
        let (lines, _) = read_bill(bill(&[refund(word)]).as_bytes()).unwrap();
        assert_eq!(lines[0].status, status, "{word}");
    }
}

/// As a merchant who never changed to the new layout gets it: 24 columns, published in 2014.
#[test]
fn the_older_layout_is_read_too() {
    let text = "交易时间,公众账号ID,商户号,子商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,\
                交易状态,付款银行,货币种类,总金额,代金券或立减优惠金额,微信退款单号,商户退款单号,\
                退款金额,代金券或立减优惠退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率\n\
                `2014-11-10 16:33:45,`wx2421b1c4370ec43b,`10000100,`0,`1000,\
                `1001690740201411100005734289,`1415640626,`085e9858e3ba5186aafcbaed1,`MICROPAY,\
                `SUCCESS,`OTHERS,`CNY,`0.01,`0.0,`0,`0,`0,`0,`,`,`被扫支付测试,`订单额外描述,`0,`0.60%\n\
                `2018-05-07 10:54:45,`wx1024cb31dfbae7cc,`1488511392,`0,`,\
                `4200000113201805074559498485,`152566112349603496538,`oOmPo0,`NATIVE,`REFUND,`CFT,\
                `CNY,`0.00,`0.00,`50000506642018050704485755976,`484316432018050745594984851525661661,\
                `0.02,`0.00,`ORIGINAL,`SUCCESS,`扫码充值,`3496--32,`0.00000,`0.60%\n\
                总交易单数,总交易额,总退款金额,总代金券或立减优惠退款金额,手续费总金额\n\
                `2,`0.01,`0.02,`0.0,`0";
    let (lines, totals) = read_bill(text.as_bytes()).unwrap();
    assert_eq!(lines[0].amount, Money::fen(1));
    assert_eq!(lines[0].fee, Some(0));
    assert_eq!(lines[1].amount, Money::fen(2));
    assert_eq!(
        lines[1].refund_id.as_deref(),
        Some("50000506642018050704485755976")
    );
    let totals = totals.unwrap();
    assert_eq!(
        (totals.paid, totals.refunded),
        (Money::fen(1), Money::fen(2))
    );
}

#[test]
fn goods_may_be_called_what_they_like() {
    for goods in [
        "a,b",
        "a,`b",
        "a,`b,`c,`",
        "\"quoted\"",
        "`",
        ",",
        "复诊，费",
    ] {
        let (lines, _) = read_bill(bill(&[payment(goods)]).as_bytes()).unwrap();
        assert_eq!(lines[0].amount, Money::fen(3050), "{goods}");
        assert_eq!(lines[0].fee, Some(18_300), "{goods}");
        assert_eq!(
            lines[0].out_trade_no.as_deref(),
            Some("ORDER-0001"),
            "{goods}"
        );
    }
}

#[test]
fn columns_may_move_and_grow_in_number() {
    let text = "货币种类,新栏目,订单金额,交易状态,交易时间,商户订单号\n\
                `CNY,`x,`1.00,`SUCCESS,`2026-03-02  09:00:00,`\n";
    let (lines, totals) = read_bill(text.as_bytes()).unwrap();
    assert_eq!(lines[0].amount, Money::fen(100));
    assert_eq!((&lines[0].out_trade_no, lines[0].fee), (&None, None));
    assert_eq!(totals, None);
}

#[test]
fn what_makes_no_sense_is_named() {
    let good = bill(&[payment("诊费")]);
    let error = |text: &str| read_bill(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(read_bill(b"\xff\xfe"), Err(BillError::NotText));
    assert_eq!(read_bill(b""), Err(BillError::NoColumns));
    assert_eq!(read_bill(b"\n \n"), Err(BillError::NoColumns));
    assert_eq!(read_bill(b"hello"), Err(BillError::NoColumns));
    assert_eq!(
        read_bill(",".repeat(1000).as_bytes()),
        Err(BillError::NoColumns)
    );
    for (from, to, words) in [
        (
            "`SUCCESS",
            "`PAID",
            "line 2 of the bill: 交易状态 is `PAID`",
        ),
        ("`CNY", "`XYZ", "货币种类 is `XYZ`"),
        (
            "`30.50,`0.00,`\r",
            "`3o.50,`0.00,`\r",
            "订单金额 is `3o.50`",
        ),
        (
            "`30.50,`0.00,`\r",
            "`-1.00,`0.00,`\r",
            "订单金额 is `-1.00`",
        ),
        ("`0.18300", "`0.183001", "手续费 is `0.183001`"),
        ("2026-03-02", "2026-02-30", "交易时间 is `2026-02-30"),
        (",`0.60%", "", "line 2 of the bill has 26 fields, not 27"),
        ("货币种类", "货币", "none of the columns 货币种类"),
        ("总交易单数", "单数", "none of the columns 总交易单数"),
        ("`2,`30.50", "`-2,`30.50", "总交易单数 is `-2`"),
    ] {
        let wrong = good.replace(from, to);
        assert_ne!(wrong, good, "{from}");
        assert!(error(&wrong).contains(words), "{}", error(&wrong));
    }
}

#[test]
fn a_bill_is_ready_at_ten_the_next_morning_in_beijing() {
    let ready = ready_at(date(2026, 3, 2));
    assert_eq!(ready, Ts::parse("2026-03-03T10:00:00+08:00").unwrap());
    assert!(ready_at(jiff::civil::Date::MAX) > ready);
}

#[test]
fn another_file_than_the_one_that_was_told_is_refused() {
    let answer = |hash_type: &str, hash_value: &str| BillAnswer {
        hash_type: hash_type.to_owned(),
        hash_value: hash_value.to_owned(),
        download_url: String::new(),
    };
    // SHA-1 of `abc` (FIPS 180, appendix A).
    let digest = "a9993e364706816aba3e25717850c26c9cd0d89d";
    assert_eq!(check_digest(&answer("SHA1", digest), b"abc"), Ok(()));
    let upper = digest.to_ascii_uppercase();
    assert_eq!(check_digest(&answer("SHA1", &upper), b"abc"), Ok(()));
    assert!(check_digest(&answer("SHA1", digest), b"abd").is_err());
    assert!(check_digest(&answer("SHA1", ""), b"abc").is_err());
    assert!(check_digest(&answer("MD5", digest), b"abc").is_err());
}

proptest! {
    #[test]
    fn nothing_from_outside_makes_it_panic(bytes: Vec<u8>) {
        prop_assert!(read_bill(&bytes).is_ok() || read_bill(&bytes).is_err());
    }

    #[test]
    fn no_line_makes_it_panic(lines in "([`,0-9.\\-:A-Z 诊]{0,80}\n){0,6}") {
        let text = format!("{ALL}\n{lines}{SUMMARY}\n{lines}");
        prop_assert!(read_bill(text.as_bytes()).is_ok() || read_bill(text.as_bytes()).is_err());
    }

    #[test]
    fn every_amount_and_fee_is_read_as_it_was_written(fen in 0_i64..=1_000_000_000_000, fee in 0_i64..1_000_000_000) {
        let amount = Money::fen(fen).to_decimal();
        let written = format!("{}.{:05}", fee / 100_000, fee % 100_000);
        let line = payment("诊费").replace("`30.50,`0.00,`", &format!("`{amount},`0.00,`"));
        let line = line.replace("`0.18300", &format!("`{written}"));
        let (lines, _) = read_bill(bill(&[line]).as_bytes()).unwrap();
        prop_assert_eq!(lines[0].amount, Money::fen(fen));
        prop_assert_eq!(lines[0].fee, Some(fee));
    }
}

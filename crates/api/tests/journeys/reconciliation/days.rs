//! Days around midnight, bills that come late, days that were missed, files, and what is refused.

use super::{
    DAY, TO_NEXT_MORNING, TO_NEXT_NOON, WECHAT, day_of, is_explained, kinds, only, paid, plant,
    run_now,
};
use crate::harness::World;
use domain::Span;
use domain::payment::GatewayName as G;
use reqwest::Method;
use sandbox::views::Plant;
use serde_json::json;

journey!(
    /// Paid two minutes before midnight, in the next day's bill: both days agree once both are known.
    a_payment_around_midnight_is_explained_by_the_next_bill,
    |world| {
        world.pass(Span::minutes(14 * 60 + 58)).await;
        let (_, _, number) = paid(world, WECHAT).await;
        plant(world, Plant::ShiftDay { number, later: true });
        world.pass(Span::minutes(10 * 60 + 40)).await;
        let day = day_of(world, G::WECHAT, DAY).await;
        let one = only(world, &day).await;
        assert_eq!((&one["kind"], &one["status"]), (&json!("PAYMENT_NEIGHBOURING_DAY"), &json!("OPEN")));
        assert_eq!((&one["severity"], &one["repairs"]), (&json!("info"), &json!([])));
        is_explained(world, &day).await;

        world.pass(Span::hours(24)).await;
        for day in [DAY, "2026-03-03"] {
            let day = day_of(world, G::WECHAT, day).await;
            let expected = [("PAYMENT_NEIGHBOURING_DAY".to_owned(), "EXPLAINED".to_owned())];
            assert_eq!(kinds(world, &day).await, expected);
            assert_eq!(day["state"], "matched", "{day:#}");
            is_explained(world, &day).await;
        }
    }
);

journey!(
    /// A bill that is not there yet is waited for; days that were missed are caught up with.
    bills_are_waited_for_and_missed_days_are_caught_up_with,
    |world| {
        paid(world, WECHAT).await;
        // Half past nine in the morning after: WeChat still makes it.
        world.pass(Span::minutes(24 * 60 + 31)).await;
        let waiting = run_now(world, DAY).await.data().clone();
        assert_eq!((&waiting["state"], &waiting["runs"]), (&json!("waiting"), &json!(1)));
        assert!(waiting["retryAt"].is_string() && waiting["error"].is_string(), "{waiting:#}");
        let id = waiting["id"].as_str().expect("id");
        let none = world.get(&world.operator, &format!("/admin/reconciliation/{id}/bill")).await;
        none.refused(404, "6002");
        world.pass(Span::hours(1)).await;
        assert_eq!(day_of(world, G::WECHAT, DAY).await["state"], "matched");

        // Three days of silence: each is looked at, at every gateway.
        world.pass(Span::hours(72)).await;
        world.pass(TO_NEXT_NOON).await;
        for day in ["2026-03-03", "2026-03-04", "2026-03-05"] {
            for gateway in [G::WECHAT, G::ALIPAY, G::UNIONPAY, G::PAYPAL, G::STRIPE] {
                let day = day_of(world, gateway, day).await;
                assert_eq!(day["state"], "matched", "{day:#}");
            }
        }
        let all = world.get(&world.operator, "/admin/reconciliation?state=matched&limit=1").await;
        assert!(all.body["meta"]["pagination"]["total"].as_i64().expect("total") >= 16);
        let none = world.get(&world.operator, "/admin/reconciliation?state=failed").await;
        assert_eq!(none.data(), &json!([]));
    }
);

journey!(
    /// The bill as it came, and the differences for a spreadsheet, in which nothing is a formula.
    the_bill_and_the_differences_can_be_kept_as_files,
    |world| {
        let (_, order, number) = paid(world, WECHAT).await;
        let to = "=cmd|' /C calc'!A0".to_owned();
        plant(world, Plant::ChangeTransactionId { number: number.clone(), to });
        plant(world, Plant::ForeignPayment { amount: 100 });
        world.pass(TO_NEXT_MORNING).await;
        let day = day_of(world, G::WECHAT, DAY).await;
        let path = format!("/admin/reconciliation/{}", day["id"].as_str().expect("id"));
        let bill = world.get(&world.operator, &format!("{path}/bill")).await;
        assert!(bill.status.is_success());
        let text = bill.body.as_str().expect("text");
        assert!(text.contains("商户订单号") && text.contains(&number), "{text}");
        let header = |name: &str| bill.headers[name].to_str().expect("ascii").to_owned();
        assert_eq!(header("content-type"), "application/octet-stream");
        assert_eq!(header("content-disposition"), format!("attachment; filename=\"wechat-{DAY}.bill\""));

        let file = world.get(&world.operator, &format!("{path}/differences.csv")).await;
        assert_eq!(file.headers["content-type"], "text/csv; charset=utf-8");
        // The HTTP client takes the mark away: the bytes themselves must have it.
        let url = format!("{}/api/v1{path}/differences.csv", world.base);
        let token = world.token(&world.operator).await;
        let raw = world.client.get(url).bearer_auth(token).send().await.expect("a file");
        let bytes = raw.bytes().await.expect("bytes");
        assert_eq!(&bytes[..3], [0xef, 0xbb, 0xbf]);
        let text = String::from_utf8(bytes.to_vec()).expect("UTF-8");
        let rows: Vec<&str> = text.trim_end().split("\r\n").collect();
        assert_eq!(rows.len(), 3, "{text}");
        assert!(rows[0].contains("\"Gateway's payment number\""), "{text}");
        let differ = rows.iter().find(|row| row.contains("PAYMENT_NUMBERS_DIFFER")).expect("row");
        assert!(differ.contains("\"'=cmd|' /C calc'!A0\"") && differ.contains(&order), "{differ}");
        assert!(rows.iter().any(|row| row.contains("PAYMENT_MISSING_HERE") && row.contains(",1.00,")));
        let bills = world.get(&world.operator, &path).await.data()["bills"].clone();
        assert_eq!(bills[0]["sha256"], day["billSha256"]);
    }
);

journey!(
    /// Operations and administrators alone, and what can't be asked is told in both languages.
    who_may_ask_and_what_is_refused,
    |world| {
        let patient = world.patient().await;
        for who in [&patient, &world.doctors[0]] {
            world.get(who, "/admin/reconciliation").await.refused(403, "1003");
            let body = json!({ "gateway": "wechat", "day": DAY });
            world.post(who, "/admin/reconciliation", body).await.refused(403, "1003");
        }
        let today = run_now(world, DAY).await;
        assert_eq!(today.refused(422, "6001"), "day: 2026-03-02 is not over: choose an earlier day");
        let body = json!({ "gateway": "offline", "day": "2026-03-01" });
        let counter = world.post(&world.operator, "/admin/reconciliation", body).await;
        assert_eq!(counter.refused(422, "6001"), "gateway: offline makes no bills");
        let body = json!({ "gateway": "nobody", "day": "2026-03-01" });
        let off = world.post(&world.operator, "/admin/reconciliation", body).await;
        off.refused(503, "5001");
        let body = json!({ "gateway": "wechat", "day": "2026-02-30" });
        world.post(&world.operator, "/admin/reconciliation", body).await.refused(422, "6001");
        for path in ["?state=lost", "?gateway=WeChat", "?from=yesterday", "?zzz=1", "/x"] {
            let path = format!("/admin/reconciliation{path}");
            world.get(&world.operator, &path).await.refused(422, "6001");
        }
        let nowhere = format!("/admin/reconciliation/{}", patient.id);
        let words = "there is no such reconciliation";
        assert_eq!(world.get(&world.operator, &nowhere).await.refused(404, "6002"), words);
        let nowhere = format!("/admin/reconciliation/differences/{}", patient.id);
        let missing = world.get(&world.operator, &nowhere).await;
        assert_eq!(missing.refused(404, "6002"), "there is no such difference");
        for method in ["preview", "propose", "approve", "accept"] {
            let body = match method {
                "preview" | "propose" => json!({ "repair": "RECORD_SUSPENSE" }),
                "accept" => json!({ "reason": "x" }),
                _ => json!({}),
            };
            let path = format!("{nowhere}/{method}");
            world.call(&world.admin, Method::POST, &path, Some(body)).await.refused(404, "6002");
        }
    }
);

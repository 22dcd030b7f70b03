//! A consultation's report as PDF (spec 10, the consultation itself).

use crate::harness::{Person, World};
use domain::Span;
use lopdf::Document;
use reqwest::header::{ACCEPT_LANGUAGE, CONTENT_LANGUAGE, CONTENT_TYPE};
use reqwest::{Method, Response};
use serde_json::json;

/// What a doctor of a finished consultation wrote.
const FINDINGS: &str = "神志清，BP 120/80 mmHg，SpO₂ 98%；颈软。";
const ADVICE: &str = "Rest; ibuprofen 0.2 g three times a day.";

impl World {
    /// Somebody asks for the report of an order.
    async fn report(&self, who: &Person, order: &str, query: &str) -> Response {
        let path = format!("/api/v1/orders/{order}/report{query}");
        let request = self.raw(Method::GET, &path).await;
        let request = request.bearer_auth(self.token(who).await);
        request.send().await.expect("an answer")
    }

    /// The report's bytes.
    async fn pdf(&self, who: &Person, order: &str, query: &str) -> Vec<u8> {
        let answer = self.report(who, order, query).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()[CONTENT_TYPE], "application/pdf");
        answer.bytes().await.expect("a body").to_vec()
    }

    /// A consultation in 900, and its doctor.
    async fn finished(&self, patient: &Person) -> (String, Person) {
        let (order, doctor) = self.in_progress(patient).await;
        self.pass(Span::minutes(12)).await;
        let body = json!({ "complaint": "头痛三天", "findings": FINDINGS, "advice": ADVICE });
        self.act(&doctor, &order, "finish", body).await.data();
        assert_eq!(self.status(&order).await, 900);
        (order, doctor)
    }
}

/// What is read when everything is selected, without spaces and line ends.
fn read(pdf: &[u8]) -> String {
    let document = Document::load_mem(pdf).expect("a PDF");
    let pages: Vec<u32> = document.get_pages().keys().copied().collect();
    let text = document.extract_text(&pages).expect("text");
    plain(&text)
}

fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn tells(pdf: &[u8], facts: &[&str]) {
    let text = read(pdf);
    for fact in facts {
        assert!(text.contains(&plain(fact)), "{fact} in {text}");
    }
}

journey!(a_report_tells_the_facts_in_both_languages, |world| {
    let patient = world.patient().await;
    let (order, doctor) = world.finished(&patient).await;
    let seen = world.order(&order).await;
    let paid = seen["payments"][0]["outTradeNo"]
        .as_str()
        .expect("a number");
    let facts = [
        &order,
        &patient.login,
        &doctor.login,
        "主治医师",
        "头痛三天",
    ];
    let facts = [
        &facts[..],
        &[FINDINGS, ADVICE, "2026-03-02 09:00", "09:12", paid],
    ]
    .concat();

    let chinese = world.pdf(&patient, &order, "?language=zh-CN").await;
    tells(&chinese, &facts);
    let words = [
        "杏林互联网医院",
        "问诊报告",
        "科室 内科",
        "图文问诊",
        "系统派单",
    ];
    tells(&chinese, &words);
    let words = [
        "北京时间（Asia/Shanghai",
        "接诊时长 12 分钟",
        "实付金额 30.00 元",
        "第 1 页，共 1 页",
    ];
    tells(&chinese, &words);

    let english = world.pdf(&patient, &order, "?language=en").await;
    tells(&english, &facts);
    let words = [
        "Xinglin Internet Hospital",
        "Consultation report",
        "Internal medicine",
    ];
    tells(&english, &words);
    tells(
        &english,
        &[
            "text and pictures",
            "12 minutes",
            "Paid 30.00 CNY",
            "Page 1 of 1",
        ],
    );
});

journey!(
    the_same_order_gives_the_same_report_to_all_who_may_read_it,
    |world| {
        let patient = world.patient().await;
        let (order, doctor) = world.finished(&patient).await;
        let first = world.pdf(&patient, &order, "?language=en").await;
        world.pass(Span::hours(30)).await;
        for who in [&patient, &doctor, &world.operator, &world.admin] {
            assert!(
                world.pdf(who, &order, "?language=en").await == first,
                "{}",
                who.login
            );
        }
        assert!(
            world.pdf(&patient, &order, "").await == first,
            "as Accept-Language says"
        );
        let wanting = async |language: &str, query: &str| {
            let path = format!("/api/v1/orders/{order}/report{query}");
            let request = world.raw(Method::GET, &path).await;
            let request = request.bearer_auth(world.token(&patient).await);
            let answer = request.header(ACCEPT_LANGUAGE, language).send().await;
            answer.expect("an answer").headers()[CONTENT_LANGUAGE].clone()
        };
        assert_eq!(wanting("zh-CN,zh;q=0.9", "").await, "zh-CN");
        assert_eq!(wanting("zh-CN", "?language=en").await, "en");
    }
);

journey!(strangers_learn_nothing_of_a_report, |world| {
    let patient = world.patient().await;
    let (order, _) = world.finished(&patient).await;
    let path = format!("/orders/{order}/report");
    for stranger in [&world.patient().await, &world.doctors[3]] {
        world.get(stranger, &path).await.refused(404, "2001");
    }
    let nobody = world.raw(Method::GET, &format!("/api/v1{path}")).await;
    world.send(nobody).await.refused(401, "1004");
    let none = "/orders/019cac0f-2680-7f27-ab24-f727eb990281/report";
    world.get(&patient, none).await.refused(404, "2001");
    let words = world.get(&patient, &format!("{path}?language=fr")).await;
    assert!(
        words
            .refused(422, "6001")
            .contains("`fr` is not zh-CN or en")
    );
    let words = world.get(&patient, &format!("{path}?lang=en")).await;
    assert!(words.refused(422, "6001").contains("lang"));
});

journey!(
    before_the_end_there_is_no_report_and_asking_changes_nothing,
    |world| {
        let patient = world.patient().await;
        let (order, doctor) = world.in_progress(&patient).await;
        let before = world.order(&order).await;
        let path = format!("/orders/{order}/report");
        for who in [&patient, &doctor, &world.operator] {
            let answer = world.get(who, &path).await;
            let words = "a consultation has a report once it is COMPLETED: this one is IN_PROGRESS";
            assert_eq!(answer.refused(409, "2003"), words);
            assert_eq!(answer.body["error"]["details"]["status"], "IN_PROGRESS");
        }
        let request = world.raw(Method::GET, &format!("/api/v1{path}")).await;
        let request = request.bearer_auth(world.token(&patient).await);
        let answer = world.send(request.header(ACCEPT_LANGUAGE, "zh-CN")).await;
        assert_eq!(
            answer.refused(409, "2003"),
            "问诊完成后才有报告：订单进行中"
        );
        assert_eq!(world.order(&order).await, before);

        // Nor is there one of a consultation that did not take place.
        let cancelled = world.book_dispatch(&patient).await;
        world.cancel(&patient, &cancelled).await;
        let answer = world
            .get(&patient, &format!("/orders/{cancelled}/report"))
            .await;
        assert!(answer.refused(409, "2003").ends_with("CANCELLED"));
    }
);

journey!(
    a_consultation_that_fell_silent_has_a_report_with_what_went_back,
    |world| {
        let patient = world.patient().await;
        let (order, _) = world.in_progress(&patient).await;
        world.pass(Span::minutes(61)).await;
        assert_eq!(world.status(&order).await, 900);
        let complaint = json!({ "reason": "医生没有回复" });
        world
            .act(&patient, &order, "refund", complaint)
            .await
            .data();
        let half = json!({ "decision": "share", "share": 50, "reason": "协商一致" });
        world.operate(&order, "review", half).await.data();
        let seen = world.order(&order).await;
        let back = seen["refunded"]["amount"].as_i64().expect("an amount");
        assert!(back > 0, "{seen:#}");
        let back = format!("已退金额 {}.{:02} 元", back / 100, back % 100);
        let number = seen["refunds"][0]["outRefundNo"]
            .as_str()
            .expect("a number");
        let pdf = world.pdf(&patient, &order, "?language=zh-CN").await;
        tells(&pdf, &["医生未填写小结。", &back, number]);
    }
);

journey!(a_report_bears_the_hospitals_own_name, |world| {
    let patient = world.patient().await;
    let (order, _) = world.finished(&patient).await;
    let path = "/admin/configs/hospital";
    let version = world.get(&world.admin, path).await.data()["version"].clone();
    let set = async |name: &str| {
        let value = json!({ "nameZh": name, "nameEn": "Riverside Hospital" });
        world
            .put(
                &world.admin,
                path,
                json!({ "value": value, "version": version }),
            )
            .await
    };
    assert!(set(" ").await.refused(422, "6001").contains("nameZh"));
    set("滨江医院（集团）").await.data();
    tells(
        &world.pdf(&patient, &order, "?language=zh-CN").await,
        &["滨江医院（集团）"],
    );
    tells(
        &world.pdf(&patient, &order, "?language=en").await,
        &["Riverside Hospital"],
    );
});

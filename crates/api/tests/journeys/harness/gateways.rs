//! Gateways in journeys: ways to pay, what payers' browsers do, and whether our ledger says of each
//! gateway what its own book says.

use super::{Answer, Person, World};
use domain::payment::GatewayName;
use domain::{Currency, Money};
use reqwest::{Method, Url, header};
use sandbox::views::{Faults, PayCallback, PayRequest};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A way to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    pub gateway: GatewayName,
    pub method: &'static str,
    pub currency: Currency,
    /// Who pays, where the method needs to know.
    pub payer: Option<&'static str>,
}

impl World {
    /// Consultations cost 30.00 of this currency from now on.
    pub async fn prices_in(&self, currency: Currency) {
        let path = "/admin/configs/consultation.prices";
        let version = self.get(&self.admin, path).await.data()["version"].clone();
        let price = json!({ "amount": 3_000, "currency": currency });
        let value = json!({ "text": price, "phone": price, "video": price });
        let body = json!({ "value": value, "version": version });
        self.put(&self.admin, path, body).await.data();
    }

    /// Asks to pay an order this way.
    pub async fn ask_to_pay(&self, patient: &Person, order: &str, way: Way) -> Answer {
        let body = json!({ "gateway": way.gateway, "method": way.method, "payer": way.payer });
        let path = format!("/orders/{order}/pay");
        self.post(patient, &path, body).await
    }

    /// Starts a payment, and the payer's browser goes where it is sent; gives the number.
    pub async fn submit_over(&self, patient: &Person, order: &str, way: Way) -> String {
        let answer = self.ask_to_pay(patient, order, way).await;
        let payment = &answer.data()["payment"];
        assert_eq!(payment["status"], "PROCESSING", "{payment:#}");
        self.goes_to_pay(&payment["payWith"]).await;
        payment["outTradeNo"].as_str().expect("number").to_owned()
    }

    /// The payer's browser follows what it was given, to the gateway's page if there is one.
    pub async fn goes_to_pay(&self, pay_with: &Value) {
        let text = |name: &str| pay_with[name].as_str().expect("a text").to_owned();
        let page = match text("kind").as_str() {
            "redirect" => self.browses(self.client.get(text("url"))).await,
            "form" => {
                let fields: BTreeMap<String, String> =
                    serde_json::from_value(pay_with["fields"].clone()).expect("fields");
                let form = Url::parse_with_params("http://form.invalid", fields).expect("a form");
                let body = form.query().expect("fields").to_owned();
                let kind = "application/x-www-form-urlencoded";
                let post = self.client.post(text("action"));
                self.browses(post.header(header::CONTENT_TYPE, kind).body(body))
                    .await
            }
            _ => return,
        };
        assert!(page.contains("<html"), "the gateway's page: {page}");
    }

    async fn browses(&self, request: reqwest::RequestBuilder) -> String {
        let answer = request.send().await.expect("a page");
        let (status, url) = (answer.status(), answer.url().clone());
        let page = answer.text().await.expect("text");
        assert!(status.is_success(), "{url}: {status}: {page}");
        page
    }

    /// The payer pays, and the gateway's notice comes in this way; refused where they can't.
    pub fn tries_to_pay(&self, number: &str, callback: PayCallback) -> Result<(), String> {
        let request = PayRequest {
            callback,
            ..Default::default()
        };
        let paid = self.sandbox.pay(number, request);
        paid.map(drop).map_err(|error| error.to_string())
    }

    /// An order in 200, paid this way.
    pub async fn paid_over(&self, patient: &Person, way: Way) -> String {
        let order = self.book_dispatch(patient).await;
        let number = self.submit_over(patient, &order, way).await;
        self.pay_telling(&number, PayCallback::Once).await;
        order
    }

    /// What goes wrong at one gateway from now on.
    pub fn faults_at(&self, way: Way, faults: Faults) {
        let set = self.sandbox.set_faults_of(way.gateway, faults);
        set.expect("faults");
    }

    /// Tells the journey's end that a gateway holds this, and our books say nothing of it.
    pub fn only_at(&self, gateway: GatewayName, money: Money) {
        let mut elsewhere = self.elsewhere.lock().expect("elsewhere");
        *elsewhere.entry((gateway, money.currency)).or_default() += money.amount;
    }

    /// How often a gateway gave money back, and how much, by its own book.
    pub fn gone_back(&self, gateway: GatewayName) -> (u64, i64) {
        let totals = self.sandbox.totals();
        let of = totals.gateways.iter().filter(|of| of.gateway == gateway);
        of.fold((0, 0), |(count, sum), of| {
            (count + of.refunded.count, sum + of.refunded.amount)
        })
    }

    /// Whether our ledger's clearing accounts hold, to the last minor unit, what the gateways' own
    /// book says that they hold for us.
    pub async fn agrees_with_the_gateways(&self) {
        let mut theirs: BTreeMap<(GatewayName, Currency), i64> = BTreeMap::new();
        for of in &self.sandbox.totals().gateways {
            theirs.insert((of.gateway, of.currency), of.net);
        }
        for (at, amount) in self.elsewhere.lock().expect("elsewhere").iter() {
            *theirs.entry(*at).or_default() -= amount;
        }
        let mut ours: BTreeMap<(GatewayName, Currency), i64> = BTreeMap::new();
        let balances = self.engine.store().clearing_balances().await;
        for (gateway, currency, amount) in balances.expect("balances") {
            // Money at the counter is at no gateway.
            if gateway != GatewayName::OFFLINE {
                ours.insert((gateway, currency), amount);
            }
        }
        ours.retain(|_, amount| *amount != 0);
        theirs.retain(|_, amount| *amount != 0);
        assert_eq!(ours, theirs, "our ledger and the gateways' own book");
    }

    /// A gateway's notices are asked for by hand: the sandbox's control API.
    pub async fn control(&self, method: Method, path: &str, body: Value) -> Answer {
        let url = format!("{}/control{path}", self.sandbox_address);
        self.send(self.client.request(method, url).json(&body))
            .await
    }
}

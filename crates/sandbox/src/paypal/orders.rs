//! Orders and captures, in PayPal's terms.

use super::refusal::Refusal;
use super::{Api, GATEWAY, ids};
use crate::book::{Book, NewPayment, Payment};
use crate::control::views::PaymentState;
use crate::refusal::MoneyRefusal;
use connectors::paypal::wire::{
    Amount, Capture, CreateOrder, ExperienceContext, Link, Order, Payments, PurchaseUnit,
    PurchaseUnitRequest, utc_time,
};
use domain::payment::Method;
use domain::{Money, Span, Ts};
use serde_json::{Value, json};

/// So long may the payer agree (Orders v2, "order ID is valid for 3 hours").
const PAYABLE_FOR: Span = Span::hours(3);
/// So long is a request's id remembered (Orders v2, `PayPal-Request-Id`).
const REMEMBERED_FOR: Span = Span::hours(6);

impl Api {
    /// Makes an order, or finds it made: then it is told as it stands. True where it is new.
    pub(super) fn create_order(
        &self,
        request: CreateOrder,
        request_id: &str,
        address: &str,
    ) -> Result<(Order, bool), Refusal> {
        let now = self.sandbox.now();
        let asked = new_payment(request, request_id, address, now)?;
        let (number, terms) = (asked.out_trade_no.clone(), asked.terms.clone());
        let known = self.sandbox.payment_at(GATEWAY, &number);
        match self.sandbox.open_payment(asked) {
            Ok(_) => {}
            // The same request is answered with how its order stands, whatever came of it.
            Err(
                MoneyRefusal::Paid
                | MoneyRefusal::Closed
                | MoneyRefusal::Failed
                | MoneyRefusal::Expired,
            ) if known
                .as_ref()
                .is_some_and(|(known, _)| known.terms == terms) => {}
            Err(refusal) => return Err(Refusal::of_capture(refusal)),
        }
        let book = self.sandbox.book();
        let payment = book.payment_at(GATEWAY, &number);
        let payment = payment.ok_or_else(Refusal::not_found)?;
        Ok((describe(&book, payment), known.is_none()))
    }

    /// How an order stands. PayPal forgets the ones that nobody agreed to in time.
    pub(super) fn told_order(&self, id: &str) -> Result<Order, Refusal> {
        let now = self.sandbox.now();
        let book = self.sandbox.book();
        let payment = book.payment_of_handle(GATEWAY, id);
        let payment = payment.ok_or_else(Refusal::not_found)?;
        if payment.state == PaymentState::NotPay && now > payment.payable_until {
            return Err(Refusal::not_found());
        }
        Ok(describe(&book, payment))
    }

    /// How a capture stands.
    pub(super) fn told_capture(&self, id: &str) -> Result<Capture, Refusal> {
        let book = self.sandbox.book();
        let payment = book.payment_of_transaction(GATEWAY, id);
        let payment = payment.ok_or_else(Refusal::not_found)?;
        let status = capture_status(&book, payment);
        capture(payment, status).ok_or_else(Refusal::not_found)
    }

    /// Fetches the money, or finds it fetched by the same request.
    pub(super) fn capture_order(
        &self,
        id: &str,
        request_id: Option<&str>,
    ) -> Result<Order, Refusal> {
        let number = {
            let book = self.sandbox.book();
            let payment = book.payment_of_handle(GATEWAY, id);
            let payment = payment.ok_or_else(Refusal::not_found)?;
            if self.is_repeated(payment, request_id) {
                return Ok(describe(&book, payment));
            }
            payment.out_trade_no.clone()
        };
        // Before the money moves, so that the request is known even if its answer gets lost.
        self.sandbox
            .remember_of_payment(GATEWAY, &number, |extra| {
                if extra["captureRequestId"].is_null() {
                    extra["captureRequestId"] = json!(request_id);
                }
            })
            .map_err(Refusal::of_capture)?;
        self.sandbox
            .capture_payment(GATEWAY, &number)
            .map_err(Refusal::of_capture)?;
        self.told_order(id)
    }

    fn is_repeated(&self, payment: &Payment, request_id: Option<&str>) -> bool {
        let first = payment.extra["captureRequestId"].as_str();
        let recent = payment
            .paid
            .as_ref()
            .is_some_and(|paid| self.sandbox.now().since(paid.at) < REMEMBERED_FOR);
        recent && first.is_some() && first == request_id
    }
}

/// The payment that an order asks for. One merchant's number is one order here: the request's id
/// must be the number that its purchase unit carries.
fn new_payment(
    request: CreateOrder,
    request_id: &str,
    address: &str,
    now: Ts,
) -> Result<NewPayment, Refusal> {
    let terms = json!({ "request": request, "id": request_id });
    let context = request.payment_source.paypal.experience_context;
    let [unit] = <[PurchaseUnitRequest; 1]>::try_from(request.purchase_units).map_err(|_| {
        Refusal::invalid(
            "INVALID_ARRAY_MAX_ITEMS",
            "one purchase unit is played here",
        )
    })?;
    if request.intent != "CAPTURE" {
        let words = "intent must be CAPTURE here";
        return Err(Refusal::invalid("INVALID_PARAMETER_VALUE", words));
    }
    check_texts(&unit, &context, request_id)?;
    let amount = money(&unit.amount)?;
    let order = ids::number();
    Ok(NewPayment {
        gateway: GATEWAY,
        out_trade_no: unit.custom_id,
        method: Method::CHECKOUT,
        description: unit.description,
        notify_url: None,
        return_url: Some(with_token(&context.return_url, &order, true)?),
        total: amount.amount,
        currency: amount.currency,
        payable_until: now + PAYABLE_FOR,
        payer: None,
        extra: json!({
            "address": address,
            "cancelUrl": with_token(&context.cancel_url, &order, false)?,
            "captureRequestId": Value::Null,
        }),
        handle: order,
        terms,
    })
}

fn check_texts(
    unit: &PurchaseUnitRequest,
    context: &ExperienceContext,
    request_id: &str,
) -> Result<(), Refusal> {
    let texts = [&unit.custom_id, &unit.invoice_id, &unit.description];
    let fits = |text: &&String| (1..=127).contains(&text.chars().count());
    if !texts.iter().all(fits) || request_id.len() > 108 {
        let words = "The value of a field is either too short or too long.";
        return Err(Refusal::invalid("INVALID_STRING_LENGTH", words));
    }
    if !["PAY_NOW", "CONTINUE"].contains(&context.user_action.as_str()) {
        let words = "user_action is unknown";
        return Err(Refusal::invalid("INVALID_PARAMETER_VALUE", words));
    }
    if request_id != unit.custom_id {
        let words = "the request's id must be the custom_id here";
        return Err(Refusal::invalid("INVALID_PARAMETER_VALUE", words));
    }
    Ok(())
}

/// An amount as PayPal takes it: positive, with no more decimals than the currency has.
pub(super) fn money(amount: &Amount) -> Result<Money, Refusal> {
    let money = amount
        .read()
        .map_err(|reason| Refusal::unprocessable("INVALID_CURRENCY_CODE", &reason))?;
    if money.amount < 1 {
        let words = "Must be greater than zero.";
        return Err(Refusal::unprocessable("CANNOT_BE_ZERO_OR_NEGATIVE", words));
    }
    if Amount::of(money) != *amount {
        let words = "Two decimals, and no more.";
        return Err(Refusal::unprocessable("DECIMAL_PRECISION", words));
    }
    Ok(money)
}

/// The merchant's page, told which order it is about.
fn with_token(url: &str, order: &str, agreed: bool) -> Result<String, Refusal> {
    let mut url = reqwest::Url::parse(url)
        .map_err(|_| Refusal::invalid("INVALID_PARAMETER_SYNTAX", "a URL is none"))?;
    url.query_pairs_mut().append_pair("token", order);
    if agreed {
        url.query_pairs_mut()
            .append_pair("PayerID", "QYR5Z8XDVJNXQ");
    }
    Ok(url.into())
}

/// An order as every answer and notice tells it.
pub(super) fn describe(book: &Book, payment: &Payment) -> Order {
    let status = match payment.state {
        PaymentState::NotPay => "PAYER_ACTION_REQUIRED",
        // The payer agreed, and then the capture was declined: PayPal lets them choose other means.
        PaymentState::Approved | PaymentState::PayError => "APPROVED",
        PaymentState::Success | PaymentState::Refund => "COMPLETED",
        PaymentState::Closed => "VOIDED",
    };
    let captured = capture(payment, capture_status(book, payment));
    order(payment, status, captured)
}

/// The order with this status.
pub(super) fn order(payment: &Payment, status: &str, captured: Option<Capture>) -> Order {
    let address = payment.extra["address"].as_str().unwrap_or_default();
    let id = &payment.handle;
    let link = |rel: &str, href: String, method: &str| Link {
        href,
        rel: rel.to_owned(),
        method: Some(method.to_owned()),
    };
    let own = format!("{address}/v2/checkout/orders/{id}");
    let mut links = vec![link("self", own.clone(), "GET")];
    match status {
        "PAYER_ACTION_REQUIRED" => {
            let page = format!("{address}/checkoutnow?token={id}");
            links.push(link("payer-action", page, "GET"));
        }
        "APPROVED" => links.push(link("capture", format!("{own}/capture"), "POST")),
        _ => {}
    }
    let number = Some(payment.out_trade_no.clone());
    let payments = captured.map(|capture| Payments {
        captures: vec![capture],
        refunds: Vec::new(),
    });
    Order {
        id: id.clone(),
        status: status.to_owned(),
        purchase_units: vec![PurchaseUnit {
            reference_id: Some("default".to_owned()),
            custom_id: number.clone(),
            invoice_id: number,
            description: Some(payment.description.clone()),
            amount: Some(Amount::of(Money::new(payment.total, payment.currency))),
            payments,
        }],
        create_time: Some(utc_time(payment.created_at)),
        links,
    }
}

/// The money of a payment, once fetched.
pub(super) fn capture(payment: &Payment, status: &str) -> Option<Capture> {
    let paid = payment.paid.as_ref()?;
    let number = Some(payment.out_trade_no.clone());
    let at = Some(utc_time(paid.at));
    Some(Capture {
        id: paid.transaction_id.clone(),
        status: status.to_owned(),
        status_details: None,
        amount: Some(Amount::of(Money::new(paid.total, payment.currency))),
        custom_id: number.clone(),
        invoice_id: number,
        create_time: at.clone(),
        update_time: at,
        links: Vec::new(),
    })
}

fn capture_status(book: &Book, payment: &Payment) -> &'static str {
    let back = book.refunded(&payment.out_trade_no);
    match payment.paid.as_ref().map(|paid| paid.total) {
        Some(total) if back >= total => "REFUNDED",
        Some(_) if back > 0 => "PARTIALLY_REFUNDED",
        Some(_) | None => "COMPLETED",
    }
}

//! Payments: orders made, asked about, captured, and given up.

use super::PayPal;
use super::errors::{GATEWAY, is_not_found, refusal};
use super::standing::{Taken, capture_taken, payment_state, taken};
use super::wire::{
    Amount, Capture, CreateOrder, ExperienceContext, Link, Order, PaymentSource,
    PurchaseUnitRequest, Wallet,
};
use crate::gateway::{
    GatewayError, Operation, PaymentRef, PaymentStarted, PaymentState, StartPayment,
};
use domain::payment::{Method, PayWith};
use domain::{Currency, Money, Ts};
use reqwest::Url;
use serde_json::json;

/// PayPal takes no more of a description, by characters (`purchase_units[].description`).
const MAX_DESCRIPTION: usize = 127;

/// Issues of a capture that say that this payer's money can't be had: nothing was taken.
/// From PayPal's list for `orders.capture`, 422.
const PAYER_CANNOT_PAY: [&str; 9] = [
    "INSTRUMENT_DECLINED",
    "PAYER_CANNOT_PAY",
    "PAYER_ACCOUNT_RESTRICTED",
    "PAYER_ACCOUNT_LOCKED_OR_CLOSED",
    "TRANSACTION_REFUSED",
    "TRANSACTION_BLOCKED_BY_PAYEE",
    "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED",
    "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING",
    "CARD_EXPIRED",
];

impl PayPal {
    /// Makes the order, or is told of it again: our number is the request's id.
    pub(super) async fn create_order(
        &self,
        start: &StartPayment,
        now: Ts,
    ) -> Result<PaymentStarted, GatewayError> {
        let (operation, payment) = (Operation::Start, &start.payment);
        check_number(operation, "out_trade_no", &payment.out_trade_no)?;
        check_amount(operation, payment.amount)?;
        if payment.method != Method::CHECKOUT {
            let message = format!("PayPal has no method `{}`", payment.method);
            return Err(operation.refused(GATEWAY, "PARAM_ERROR", &message));
        }
        let return_url = start.return_url.as_ref();
        let return_url = return_url.unwrap_or(&self.config.return_url);
        let request = CreateOrder {
            intent: "CAPTURE".to_owned(),
            purchase_units: vec![PurchaseUnitRequest {
                custom_id: payment.out_trade_no.clone(),
                invoice_id: payment.out_trade_no.clone(),
                description: cut(&start.description, MAX_DESCRIPTION),
                amount: Amount::of(payment.amount),
            }],
            payment_source: PaymentSource {
                paypal: Wallet {
                    experience_context: ExperienceContext {
                        return_url: return_url.clone(),
                        cancel_url: return_url.clone(),
                        user_action: "PAY_NOW".to_owned(),
                        shipping_preference: "NO_SHIPPING".to_owned(),
                        payment_method_preference: "IMMEDIATE_PAYMENT_REQUIRED".to_owned(),
                    },
                },
            },
        };
        let path = "/v2/checkout/orders";
        let id = &payment.out_trade_no;
        let order: Order = self.post(operation, path, id, &request, now).await?;
        if !is_id(&order.id) {
            let reason = format!("`{}` is no number of an order", order.id);
            return Err(operation.unanswered(GATEWAY, reason));
        }
        // The request id is ours alone, so an order under another number is a mix-up there.
        let unit = order.purchase_units.first();
        if let Some(told) = unit.and_then(|unit| unit.custom_id.as_ref())
            && told != id
        {
            let reason = format!("asked for {id}, told {told}");
            return Err(operation.unanswered(GATEWAY, reason));
        }
        let url = self
            .page(&order.links)
            .map_err(|reason| operation.unanswered(GATEWAY, reason))?;
        Ok(PaymentStarted {
            handle: Some(order.id),
            pay_with: PayWith::Redirect { url },
        })
    }

    /// The page on which the payer agrees.
    fn page(&self, links: &[Link]) -> Result<String, String> {
        // `payer-action` where a payment source was given, `approve` in older answers.
        let link = links
            .iter()
            .find(|link| matches!(link.rel.as_str(), "payer-action" | "approve"))
            .ok_or("the order has no link to PayPal's page")?;
        let url = Url::parse(&link.href).map_err(|_| format!("`{}` is no URL", link.href))?;
        // A browser is sent there, so it must be a page, and encrypted like the rest.
        if url.scheme() == "https" || (self.on_this_machine && url.scheme() == "http") {
            Ok(link.href.clone())
        } else {
            Err(format!("`{}` is no page to send a payer to", link.href))
        }
    }

    /// Asks how a payment stands.
    pub(super) async fn order_state(
        &self,
        operation: Operation,
        payment: &PaymentRef,
        now: Ts,
    ) -> Result<PaymentState, GatewayError> {
        let Some(order) = self.order(operation, payment, now).await? else {
            return self.capture_state(operation, payment, now).await;
        };
        payment_state(&order, payment, now).map_err(|reason| operation.unanswered(GATEWAY, reason))
    }

    /// The payment's order; nothing where there never was one, or where PayPal has forgotten it.
    async fn order(
        &self,
        operation: Operation,
        payment: &PaymentRef,
        now: Ts,
    ) -> Result<Option<Order>, GatewayError> {
        // Without a number of theirs the payer was never shown a page.
        let Some(handle) = &payment.handle else {
            return Ok(None);
        };
        check_id(operation, "order", handle)?;
        let path = format!("/v2/checkout/orders/{handle}");
        match self.get(operation, &path, now).await {
            Err(error) if is_not_found(&error) => Ok(None),
            answer => answer.map(Some),
        }
    }

    /// PayPal keeps captures for years, but orders for a while only: what was paid can still be
    /// asked for by the number of the money.
    async fn capture_state(
        &self,
        operation: Operation,
        payment: &PaymentRef,
        now: Ts,
    ) -> Result<PaymentState, GatewayError> {
        let Some(id) = &payment.transaction_id else {
            return Ok(PaymentState::NotFound);
        };
        check_id(operation, "capture", id)?;
        let path = format!("/v2/payments/captures/{id}");
        let capture: Capture = match self.get(operation, &path, now).await {
            Err(error) if is_not_found(&error) => return Ok(PaymentState::NotFound),
            answer => answer?,
        };
        let number = &payment.out_trade_no;
        let read = match capture.custom_id.as_ref().or(capture.invoice_id.as_ref()) {
            Some(told) if told == number => capture_taken(&capture, number),
            told => Err(format!("asked for {number}, told {told:?}")),
        };
        match read.map_err(|reason| operation.unanswered(GATEWAY, reason))? {
            Taken::Paid(paid) => Ok(PaymentState::Paid(paid)),
            Taken::Declined { reason } => Ok(PaymentState::Failed { reason }),
            Taken::Pending | Taken::Nothing => Ok(PaymentState::Open),
        }
    }

    /// Captures an order that the payer has agreed to. PayPal captures an order once, whatever the
    /// request's id, so that repeating this is safe however late.
    pub(super) async fn capture_order(
        &self,
        payment: &PaymentRef,
        now: Ts,
    ) -> Result<PaymentState, GatewayError> {
        let operation = Operation::Collect;
        let Some(handle) = &payment.handle else {
            return Ok(PaymentState::NotFound);
        };
        check_id(operation, "order", handle)?;
        check_number(operation, "out_trade_no", &payment.out_trade_no)?;
        let path = format!("/v2/checkout/orders/{handle}/capture");
        let id = format!("{}-capture", payment.out_trade_no);
        self.capturing.begin(handle, now);
        let answer = self.post(operation, &path, &id, &json!({}), now).await;
        if !matches!(answer, Err(GatewayError::Unknown { .. })) {
            self.capturing.end(handle);
        }
        let error = match answer {
            Ok(order) => {
                return payment_state(&order, payment, now)
                    .map_err(|reason| operation.unanswered(GATEWAY, reason));
            }
            Err(error) => error,
        };
        match refusal(&error) {
            // Done before, or too early: how it stands is what the order says. Asked as part of the
            // capture, so that no answer means that its outcome is unknown.
            Some("ORDER_ALREADY_CAPTURED" | "ORDER_NOT_APPROVED") => {
                self.order_state(operation, payment, now).await
            }
            Some("RESOURCE_NOT_FOUND" | "INVALID_RESOURCE_ID") => Ok(PaymentState::NotFound),
            Some(code) if PAYER_CANNOT_PAY.contains(&code) => Ok(PaymentState::Failed {
                reason: code.to_owned(),
            }),
            Some(_) | None => Err(error),
        }
    }

    /// Gives an order up. PayPal has no call for that with intent `CAPTURE`, and none is needed:
    /// the payer's consent moves no money, only a capture does, and only we capture
    /// ([`PaymentGateway::collects`]). So "closed" means that we will not capture, and there is
    /// nothing to send.
    ///
    /// What must not be given up is money that is taken or about to be. That is looked at here: in
    /// the order, and among our own captures whose answer has not come, since PayPal may carry one
    /// out a moment later ([`super::capturing`]).
    ///
    /// [`PaymentGateway::collects`]: crate::gateway::PaymentGateway::collects
    pub(super) async fn close_order(
        &self,
        payment: &PaymentRef,
        now: Ts,
    ) -> Result<(), GatewayError> {
        // Nothing is changed there, so no answer here is no unknown close.
        let Some(order) = self.order(Operation::Query, payment, now).await? else {
            return Ok(());
        };
        let operation = Operation::Close;
        if self.capturing.is_going_on(&order.id, now) {
            let reason = "a capture of ours may be on its way";
            return Err(operation.unavailable(GATEWAY, reason));
        }
        match taken(&order, payment).map_err(|reason| operation.unavailable(GATEWAY, reason))? {
            Taken::Nothing | Taken::Declined { .. } => Ok(()),
            Taken::Paid(_) => {
                let message = "the order's money is already here";
                Err(operation.refused(GATEWAY, "ORDER_ALREADY_CAPTURED", message))
            }
            Taken::Pending => {
                let message = "the order is captured and its money may still come";
                Err(operation.refused(GATEWAY, "CAPTURE_PENDING", message))
            }
        }
    }
}

/// Refuses here what PayPal would refuse, and what would change a URL's path or a header.
pub(super) fn check_number(
    operation: Operation,
    name: &str,
    number: &str,
) -> Result<(), GatewayError> {
    let allowed = (1..=64).contains(&number.len());
    if allowed && number.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(());
    }
    let message = format!("{name} `{number}` must be 1 to 64 letters or digits");
    Err(operation.refused(GATEWAY, "PARAM_ERROR", &message))
}

/// Whether this can be a number of PayPal's: nothing that would change a URL's path.
pub(super) fn is_id(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=64).contains(&id.len()) && id.bytes().all(allowed)
}

/// Refuses to ask with a number of PayPal's that can't be one.
pub(super) fn check_id(operation: Operation, what: &str, id: &str) -> Result<(), GatewayError> {
    if is_id(id) {
        return Ok(());
    }
    let message = format!("`{id}` is no number of a PayPal {what}");
    Err(operation.refused(GATEWAY, "PARAM_ERROR", &message))
}

pub(super) fn check_amount(operation: Operation, amount: Money) -> Result<(), GatewayError> {
    if amount.currency == Currency::NZD && amount.amount >= 1 {
        return Ok(());
    }
    let message = format!("PayPal takes NZD of at least 1 cent from us, not {amount}");
    Err(operation.refused(GATEWAY, "PARAM_ERROR", &message))
}

/// The text's first characters, whole ones.
pub(super) fn cut(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

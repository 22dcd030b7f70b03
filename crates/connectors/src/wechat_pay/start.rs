//! Starting a payment: by QR code, inside WeChat, or from a phone's browser.

use super::errors::GATEWAY;
use super::signature::{nonce, payer_message};
use super::wire::{
    H5Info, H5PrepayAnswer, JsapiPrepayAnswer, NativePrepayAnswer, Payer, PrepayAmount,
    PrepayRequest, SceneInfo, beijing_time,
};
use super::{WechatPay, check_amount, check_number, cut};
use crate::gateway::{GatewayError, Operation, PaymentStarted, StartPayment};
use domain::Ts;
use domain::payment::{Method, PayWith};
use reqwest::Url;
use serde_json::json;

/// WeChat shows no more of a description (prepay, `description`).
const MAX_DESCRIPTION: usize = 127;
const OPERATION: Operation = Operation::Start;

impl WechatPay {
    pub(super) async fn prepay(
        &self,
        start: &StartPayment,
        now: Ts,
    ) -> Result<PaymentStarted, GatewayError> {
        let payment = &start.payment;
        check_number(
            OPERATION,
            "out_trade_no",
            &payment.out_trade_no,
            6..=32,
            "_-|*",
        )?;
        check_amount(OPERATION, payment.amount)?;
        let request = PrepayRequest {
            appid: self.config.appid.clone(),
            mchid: self.config.mchid.clone(),
            description: one_line(&cut(&start.description, MAX_DESCRIPTION)),
            out_trade_no: payment.out_trade_no.clone(),
            time_expire: Some(beijing_time(payment.expires_at)),
            attach: None,
            notify_url: self.config.notify_url.clone(),
            amount: PrepayAmount {
                total: payment.amount.amount,
                currency: payment.amount.currency.to_string(),
            },
            payer: None,
            scene_info: None,
        };
        let pay_with = match payment.method {
            Method::NATIVE => self.native(&request, now).await?,
            Method::JSAPI => self.jsapi(request, start.payer.as_deref(), now).await?,
            Method::H5 => self.h5(request, start, now).await?,
            other => {
                let message = format!("WeChat Pay has no method `{other}`");
                return Err(OPERATION.refused(GATEWAY, "PARAM_ERROR", &message));
            }
        };
        Ok(PaymentStarted {
            handle: None,
            pay_with,
        })
    }

    async fn native(&self, request: &PrepayRequest, now: Ts) -> Result<PayWith, GatewayError> {
        let path = "/v3/pay/transactions/native";
        let answer: NativePrepayAnswer = self.post(OPERATION, path, request, now).await?;
        Ok(PayWith::Qr {
            code_url: answer.code_url,
        })
    }

    async fn jsapi(
        &self,
        mut request: PrepayRequest,
        openid: Option<&str>,
        now: Ts,
    ) -> Result<PayWith, GatewayError> {
        let openid = openid.ok_or_else(|| {
            let message = "a JSAPI payment needs the payer's openid";
            OPERATION.refused(GATEWAY, "PARAM_ERROR", message)
        })?;
        request.payer = Some(Payer {
            openid: openid.to_owned(),
        });
        let path = "/v3/pay/transactions/jsapi";
        let answer: JsapiPrepayAnswer = self.post(OPERATION, path, &request, now).await?;
        self.payer_fields(&answer.prepay_id, now)
    }

    async fn h5(
        &self,
        mut request: PrepayRequest,
        start: &StartPayment,
        now: Ts,
    ) -> Result<PayWith, GatewayError> {
        let client_ip = start.client_ip.clone().ok_or_else(|| {
            let message = "an H5 payment needs the payer's internet address";
            OPERATION.refused(GATEWAY, "PARAM_ERROR", message)
        })?;
        request.scene_info = Some(SceneInfo {
            payer_client_ip: client_ip,
            h5_info: H5Info {
                kind: "Wap".to_owned(),
            },
        });
        let path = "/v3/pay/transactions/h5";
        let answer: H5PrepayAnswer = self.post(OPERATION, path, &request, now).await?;
        // The address is good for five minutes; the same start again gives a fresh one. WeChat
        // sends the payer to `redirect_url` whether they paid or not (H5, back to the page).
        let mut url = Url::parse(&answer.h5_url)
            .map_err(|reason| OPERATION.unanswered(GATEWAY, format!("h5_url: {reason}")))?;
        if let Some(back) = &start.return_url {
            url.query_pairs_mut().append_pair("redirect_url", back);
        }
        Ok(PayWith::Redirect { url: url.into() })
    }

    /// The fields for `wx.requestPayment`, signed (WeChat Pay API v3, JSAPI invocation).
    fn payer_fields(&self, prepay_id: &str, now: Ts) -> Result<PayWith, GatewayError> {
        let (appid, timestamp, nonce) = (&self.config.appid, now.unix_seconds(), nonce());
        let package = format!("prepay_id={prepay_id}");
        let signature = self
            .signing_key
            .sign(&payer_message(appid, timestamp, &nonce, &package))
            .map_err(|reason| OPERATION.unavailable(GATEWAY, reason.to_string()))?;
        let fields = json!({
            "appId": appid,
            "timeStamp": timestamp.to_string(),
            "nonceStr": nonce,
            "package": package,
            "signType": "RSA",
            "paySign": signature,
        });
        Ok(PayWith::InApp { fields })
    }
}

/// A line break in a description would tear the bill apart, where nothing is quoted.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

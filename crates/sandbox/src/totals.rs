//! Where the money is, by the gateways' book.

use crate::Sandbox;
use crate::control::views::{GatewayTotals, RefundStatus, Sum, Total, Totals};
use domain::Currency;
use domain::payment::GatewayName;
use std::collections::BTreeMap;

impl Sandbox {
    /// Where the money is: renminbi over all gateways, then each gateway and currency.
    pub fn totals(&self) -> Totals {
        let book = self.book();
        let mut gateways = BTreeMap::new();
        for payment in book.payments() {
            if let Some(paid) = &payment.paid {
                let totals = of(&mut gateways, payment.gateway, payment.currency);
                add(&mut totals.paid, paid.total);
            }
        }
        for refund in book.refunds() {
            if refund.status == RefundStatus::Success {
                let totals = of(&mut gateways, refund.gateway, refund.currency);
                add(&mut totals.refunded, refund.amount);
            }
        }
        let mut totals = Totals::default();
        for mut each in gateways.into_values() {
            each.net = each.paid.amount - each.refunded.amount;
            if each.currency == Currency::CNY {
                more(&mut totals.paid, each.paid);
                more(&mut totals.refunded, each.refunded);
            }
            totals.gateways.push(each);
        }
        totals.net_fen = totals.paid.fen - totals.refunded.fen;
        totals
    }

    /// Where the money of one gateway and currency is.
    pub fn gateway_totals(&self, gateway: GatewayName, currency: Currency) -> GatewayTotals {
        let all = self.totals().gateways;
        all.into_iter()
            .find(|totals| totals.gateway == gateway && totals.currency == currency)
            .unwrap_or_else(|| nothing(gateway, currency))
    }
}

type All = BTreeMap<(GatewayName, Currency), GatewayTotals>;

fn of(all: &mut All, gateway: GatewayName, currency: Currency) -> &mut GatewayTotals {
    all.entry((gateway, currency))
        .or_insert_with(|| nothing(gateway, currency))
}

fn nothing(gateway: GatewayName, currency: Currency) -> GatewayTotals {
    GatewayTotals {
        gateway,
        currency,
        paid: Sum::default(),
        refunded: Sum::default(),
        net: 0,
    }
}

fn add(sum: &mut Sum, amount: i64) {
    sum.count += 1;
    sum.amount += amount;
}

fn more(total: &mut Total, sum: Sum) {
    total.count += sum.count;
    total.fen += sum.amount;
}

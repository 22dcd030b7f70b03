//! The chart of accounts (spec 20, ledger).

use crate::lifecycle::Language;
use crate::payment::GatewayName;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A side of an account.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Side {
    /// Left; amounts of the program are positive here.
    Debit,
    /// Right; amounts of the program are negative here.
    Credit,
}

impl Side {
    /// As in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Debit => "debit",
            Self::Credit => "credit",
        }
    }

    /// For people.
    pub const fn label(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Debit, Language::Zh) => "借",
            (Self::Credit, Language::Zh) => "贷",
            (Self::Debit, Language::En) => "Debit",
            (Self::Credit, Language::En) => "Credit",
        }
    }
}

/// What an account is. The first digit of its code says the same.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AccountType {
    /// 1: what we have, or others owe us.
    Asset,
    /// 2: what we owe others.
    Liability,
    /// 4: what we earned.
    Income,
    /// 5: what it cost us.
    Expense,
}

impl AccountType {
    /// As in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asset => "asset",
            Self::Liability => "liability",
            Self::Income => "income",
            Self::Expense => "expense",
        }
    }

    /// For people.
    pub const fn label(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Asset, Language::Zh) => "资产",
            (Self::Liability, Language::Zh) => "负债",
            (Self::Income, Language::Zh) => "收入",
            (Self::Expense, Language::Zh) => "费用",
            (Self::Asset, Language::En) => "Asset",
            (Self::Liability, Language::En) => "Liability",
            (Self::Income, Language::En) => "Income",
            (Self::Expense, Language::En) => "Expense",
        }
    }

    /// On which side its balance stands as a rule.
    pub const fn normal_side(self) -> Side {
        match self {
            Self::Asset | Self::Expense => Side::Debit,
            Self::Liability | Self::Income => Side::Credit,
        }
    }

    /// The first digit of its accounts' codes.
    pub const fn digit(self) -> u16 {
        match self {
            Self::Asset => 1,
            Self::Liability => 2,
            Self::Income => 4,
            Self::Expense => 5,
        }
    }
}

/// A line of the chart.
struct Row {
    code: u16,
    name: &'static str,
    kind: AccountType,
    zh: &'static str,
    en: &'static str,
}

macro_rules! chart {
    (
        for each gateway: $(#[$doc_each:meta])* $each:ident $code_each:literal $name_each:literal
            $kind_each:ident $zh_each:literal $en_each:literal;
        $($(#[$doc:meta])* $heading:ident $code:literal $name:literal $kind:ident $zh:literal $en:literal;)+
    ) => {
        /// A line of the chart: an account, or the accounts of all gateways.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Heading {
            $(#[$doc_each])*
            $each,
            $($(#[$doc])* $heading,)+
        }

        /// An account: money is posted to it.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Account {
            $(#[$doc_each])*
            $each(GatewayName),
            $($(#[$doc])* $heading,)+
        }

        impl Heading {
            /// All lines, in the order of their codes.
            pub const ALL: &'static [Self] = &[Self::$each, $(Self::$heading),+];

            const fn row(self) -> Row {
                match self {
                    Self::$each => Row {
                        code: $code_each, name: $name_each, kind: AccountType::$kind_each,
                        zh: $zh_each, en: $en_each,
                    },
                    $(Self::$heading => Row {
                        code: $code, name: $name, kind: AccountType::$kind, zh: $zh, en: $en,
                    },)+
                }
            }

            /// Its account, where it has only one.
            pub const fn account(self) -> Option<Account> {
                match self {
                    Self::$each => None,
                    $(Self::$heading => Some(Account::$heading),)+
                }
            }
        }

        impl Account {
            /// Its line of the chart.
            pub const fn heading(self) -> Heading {
                match self {
                    Self::$each(_) => Heading::$each,
                    $(Self::$heading => Heading::$heading,)+
                }
            }
        }
    };
}

chart! {
    for each gateway:
    /// Money that a gateway holds for us: what it took less what it gave back.
    GatewayClearing 1010 "gateway_clearing" Asset "支付渠道清算" "Gateway clearing";
    /// Money that moved outside the gateways, each time with an operator's evidence: taken at the
    /// counter or by transfer, and refunds that were made elsewhere.
    Offline 1020 "offline" Asset "渠道外资金" "Money outside the gateways";
    /// Money of patients for services not yet given.
    Patient 2010 "patient" Liability "患者预付款" "Patients' money";
    /// Refunds granted and not yet paid out.
    RefundReserve 2020 "refund_reserve" Liability "待付退款" "Refunds to be paid out";
    /// What doctors have earned and not been paid.
    DoctorPayable 2030 "doctor_payable" Liability "应付医生款" "Payable to doctors";
    /// What pharmacies have earned and not been paid.
    PharmacyPayable 2040 "pharmacy_payable" Liability "应付药房款" "Payable to pharmacies";
    /// Money that clinics paid ahead, to pay orders with.
    ClinicAccount 2050 "clinic_account" Liability "诊所账户" "Clinics' accounts";
    /// Money found in a gateway's bill that is nobody's yet.
    Suspense 2090 "suspense" Liability "待查款项" "Suspense";
    /// What the platform has earned.
    PlatformRevenue 4010 "platform_revenue" Income "平台收入" "Platform revenue";
    /// What gateways keep for their service.
    GatewayFees 5010 "gateway_fees" Expense "支付渠道手续费" "Gateway fees";
    /// Parts of a fen that no rule gives to anybody.
    Rounding 5090 "rounding" Expense "尾差" "Rounding differences";
}

impl Heading {
    /// Its number: four digits, the first of which is the [type's](AccountType::digit).
    pub const fn code(self) -> u16 {
        self.row().code
    }

    /// Its name; for the accounts of gateways, what stands before `:` and the gateway's name.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// What its accounts are.
    pub const fn account_type(self) -> AccountType {
        self.row().kind
    }

    /// For people.
    pub const fn label(self, language: Language) -> &'static str {
        match language {
            Language::Zh => self.row().zh,
            Language::En => self.row().en,
        }
    }
}

impl Account {
    /// Where money is that came over this gateway. What an operator took is in no gateway's hands:
    /// `offline` has no clearing account (docs/decisions/0013).
    pub fn holding(gateway: GatewayName) -> Self {
        if gateway == GatewayName::OFFLINE {
            Self::Offline
        } else {
            Self::GatewayClearing(gateway)
        }
    }

    /// The account of this name, as [`fmt::Display`] writes it.
    pub fn from_name(name: &str) -> Option<Self> {
        let account = match name.split_once(':') {
            Some((heading, gateway)) if heading == Heading::GatewayClearing.name() => {
                Self::GatewayClearing(GatewayName::from_name(gateway)?)
            }
            Some(_) => return None,
            None => {
                let heading = Heading::ALL.iter().find(|heading| heading.name() == name)?;
                heading.account()?
            }
        };
        account.is_in_the_chart().then_some(account)
    }

    /// Whether there is such an account: every one but a clearing account of `offline`.
    pub fn is_in_the_chart(self) -> bool {
        self != Self::GatewayClearing(GatewayName::OFFLINE)
    }

    /// The gateway that holds its money, where one does.
    pub const fn gateway(self) -> Option<GatewayName> {
        match self {
            Self::GatewayClearing(gateway) => Some(gateway),
            Self::Offline
            | Self::Patient
            | Self::RefundReserve
            | Self::DoctorPayable
            | Self::PharmacyPayable
            | Self::ClinicAccount
            | Self::Suspense
            | Self::PlatformRevenue
            | Self::GatewayFees
            | Self::Rounding => None,
        }
    }

    /// For people: the heading's label, and the gateway.
    pub fn label(self, language: Language) -> String {
        let heading = self.heading().label(language);
        match (self.gateway(), language) {
            (None, _) => heading.to_owned(),
            (Some(gateway), Language::Zh) => format!("{heading}（{gateway}）"),
            (Some(gateway), Language::En) => format!("{heading} ({gateway})"),
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heading = self.heading().name();
        match self.gateway() {
            Some(gateway) => write!(f, "{heading}:{gateway}"),
            None => f.write_str(heading),
        }
    }
}

impl Serialize for Account {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Account {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let unknown = || serde::de::Error::custom(format!("`{name}` is no account of the chart"));
        Self::from_name(&name).ok_or_else(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_have_four_digits_rise_and_begin_with_their_types_digit() {
        let mut last = 0;
        for heading in Heading::ALL {
            let code = heading.code();
            assert!((1000..10_000).contains(&code) && last < code, "{code}");
            assert_eq!(code / 1000, heading.account_type().digit(), "{code}");
            last = code;
        }
    }

    #[test]
    fn names_and_labels_are_each_used_once() {
        let names: BTreeSet<&str> = Heading::ALL.iter().map(|heading| heading.name()).collect();
        assert_eq!(names.len(), Heading::ALL.len());
        for language in [Language::Zh, Language::En] {
            let all = Heading::ALL.iter();
            let labels: BTreeSet<&str> = all.map(|heading| heading.label(language)).collect();
            assert_eq!(labels.len(), Heading::ALL.len());
        }
    }

    #[test]
    fn accounts_are_read_as_they_are_written() {
        let gateways = [GatewayName::WECHAT, GatewayName::STRIPE];
        let of_gateways = gateways.map(Account::GatewayClearing);
        let others = Heading::ALL.iter().filter_map(|heading| heading.account());
        for account in others.chain(of_gateways) {
            assert_eq!(Account::from_name(&account.to_string()), Some(account));
            let json = serde_json::to_string(&account).unwrap();
            assert_eq!(serde_json::from_str::<Account>(&json).unwrap(), account);
        }
        assert_eq!(of_gateways[0].to_string(), "gateway_clearing:wechat");
        for name in ["", "gateway_clearing", "gateway_clearing:", "patient:x"] {
            assert_eq!(Account::from_name(name), None, "{name}");
        }
    }

    #[test]
    fn what_an_operator_takes_is_in_no_gateways_hands() {
        assert_eq!(Account::holding(GatewayName::OFFLINE), Account::Offline);
        let wechat = Account::GatewayClearing(GatewayName::WECHAT);
        assert_eq!(Account::holding(GatewayName::WECHAT), wechat);
        assert_eq!(Account::from_name("gateway_clearing:offline"), None);
    }
}

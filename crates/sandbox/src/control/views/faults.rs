//! What goes wrong, of everybody or of one gateway.

use domain::payment::GatewayName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Why new refunds are refused. The names are WeChat's; each gateway says it with its own code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RefundRefusal {
    /// The merchant's balance is short.
    NotEnough,
    /// The payer's account can't take it.
    UserAccountAbnormal,
    /// The merchant may not.
    NoAuth,
    /// Blocked for risk.
    RequestBlocked,
    /// It can't be refunded.
    InvalidRequest,
    /// Too many requests: nothing was done, and it may be asked again.
    FrequencyLimited,
    /// The gateway itself failed, and did nothing; the merchant can't know that.
    SystemError,
}

/// Which write is done and then answered as if the gateway had failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnknownOutcome {
    /// Starting a payment.
    Prepay,
    /// Fetching the money of an approved payment.
    Capture,
    /// A refund.
    Refund,
    /// Closing a payment.
    Close,
}

/// Bad luck by chance, the same each time for the same seed and number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RandomFaults {
    /// Another seed hits other numbers.
    pub seed: u64,
    /// So many of a hundred payments and refunds are hit, each by one of: its callback is lost,
    /// comes twice or late, its answers are slow, its first write is done but not told, its
    /// refund hangs for an hour.
    #[schema(maximum = 100)]
    pub percent: u8,
    /// How long slow answers are held back in real time.
    #[serde(default = "default_slow_millis")]
    #[schema(maximum = 600_000)]
    pub slow_millis: u32,
}

const fn default_slow_millis() -> u32 {
    200
}

/// What goes wrong, until it is set otherwise. What is left out is off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Faults {
    /// Every API call is answered 503, unsigned, and not carried out.
    pub down: bool,
    /// New refunds are refused for this reason.
    pub refuse_refunds: Option<RefundRefusal>,
    /// Refunds stay `PROCESSING` while this is on; afterwards they arrive.
    pub refunds_hang: bool,
    /// Every answer is held back for so long in real time, after the work is done.
    #[schema(maximum = 600_000)]
    pub slow_millis: u32,
    /// This write is done, and then answered as if the gateway had failed.
    pub unknown_outcome: Option<UnknownOutcome>,
    /// Notices get lost on their way; they are repeated by the gateway's schedule.
    pub drop_callbacks: bool,
    /// Bad luck by chance.
    pub random: Option<RandomFaults>,
}

/// Of which gateway.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct FaultsOf {
    /// The gateway whose own faults are meant, such as `alipay`; without it, everybody's. A
    /// gateway has everybody's faults and its own.
    #[param(value_type = Option<String>)]
    pub gateway: Option<GatewayName>,
}

/// Whether payments pay themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Autopay {
    /// Whether new payments do.
    pub enabled: bool,
    /// How long after they were opened.
    #[serde(default)]
    #[schema(maximum = 2_592_000)]
    pub delay_seconds: u32,
}

/// Where a gateway sends its notices whose requests don't say it (PayPal, Stripe).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Webhook {
    /// Which gateway.
    #[schema(value_type = String)]
    pub gateway: GatewayName,
    /// The merchant's address for its notices; `null` for nowhere.
    pub url: Option<String>,
}

/// Everything that can be set.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Settings {
    /// Everybody's.
    pub(crate) faults: Faults,
    /// A gateway's own.
    pub(crate) faults_of: BTreeMap<GatewayName, Faults>,
    pub(crate) autopay: Autopay,
    pub(crate) webhooks: BTreeMap<GatewayName, String>,
}

impl Settings {
    /// The faults that a gateway has: everybody's and its own. Where both say which, its own.
    pub(crate) fn faults_at(&self, gateway: GatewayName) -> Faults {
        let Some(own) = self.faults_of.get(&gateway) else {
            return self.faults.clone();
        };
        let all = &self.faults;
        Faults {
            down: all.down || own.down,
            refuse_refunds: own.refuse_refunds.or(all.refuse_refunds),
            refunds_hang: all.refunds_hang || own.refunds_hang,
            slow_millis: all.slow_millis.max(own.slow_millis),
            unknown_outcome: own.unknown_outcome.or(all.unknown_outcome),
            drop_callbacks: all.drop_callbacks || own.drop_callbacks,
            random: own.random.clone().or_else(|| all.random.clone()),
        }
    }

    pub(crate) fn refunds_hang(&self, gateway: GatewayName) -> bool {
        let own = self.faults_of.get(&gateway);
        self.faults.refunds_hang || own.is_some_and(|faults| faults.refunds_hang)
    }
}

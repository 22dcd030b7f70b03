//! The 22 statuses of a consultation (spec 10; source 000, section 6.3.2).

use crate::lifecycle;

lifecycle! {
    /// Where a consultation stands (spec 10). Numbers are the specification's.
    ConsultationStatus of "consultation" {
        100 PendingPayment PENDING_PAYMENT "待支付" "Awaiting payment" Both Patient => [Paying, Cancelled];
        101 Paying PAYING "支付中" "Payment in progress" Both Gateway => [PaymentFailed, Dispatching, QueuingNumber, Refunding];
        102 PaymentFailed PAYMENT_FAILED "支付失败" "Payment failed" Both Patient => [PendingPayment, Paying, Cancelled];
        200 Dispatching DISPATCHING "派单中" "Finding a doctor" Dispatch System => [PendingAccept, DispatchFailed, RefundRequested];
        201 PendingAccept PENDING_ACCEPT "待接单" "Waiting for the doctor to accept" Dispatch Doctor => [Dispatching, PendingConsultation, RefundRequested, Refunding];
        202 DispatchFailed DISPATCH_FAILED "派单失败" "No doctor found" Dispatch System => [Refunding];
        300 QueuingNumber QUEUING_NUMBER "取号中" "Taking a number" Clinic System => [PendingActivation, InQueue, Refunding, RefundRequested];
        301 PendingActivation PENDING_ACTIVATION "预约待生效" "Booked, not yet open" Clinic Doctor => [InQueue, RefundRequested, Refunding, Cancelled];
        302 InQueue IN_QUEUE "排队中" "In the queue" Clinic Doctor => [Calling, RefundRequested, Refunding];
        303 Calling CALLING "叫号中" "Being called" Clinic Patient => [CallFailed, ReQueuing, PendingConsultation, RefundRequested];
        304 CallFailed CALL_FAILED "叫号失败" "Did not answer three calls" Clinic System => [Refunding];
        305 ReQueuing RE_QUEUING "过号重排" "Moved back in the queue" Clinic System => [InQueue];
        400 PendingConsultation PENDING_CONSULTATION "待接诊" "Ready to start" Both Doctor => [InProgress, RefundRequested, Refunding];
        401 InProgress IN_PROGRESS "进行中" "In progress" Both Doctor => [ServiceTimeout, RefundRequested, Completed];
        402 ServiceTimeout SERVICE_TIMEOUT "服务超时" "Timed out" Both System => [Completed];
        500 RefundRequested REFUND_REQUESTED "退款申请中" "Refund requested" Both System => [RefundReviewing];
        501 RefundReviewing REFUND_REVIEWING "退款审核中" "Refund under review" Both Operations => [Refunding] + original;
        502 Refunding REFUNDING "退款处理中" "Being refunded" Both Gateway => [RefundFailed, Refunded];
        503 RefundFailed REFUND_FAILED "退款失败" "Refund failed" Both Operations => [Refunding];
        900 Completed COMPLETED "已完成" "Completed" Both Nobody => [];
        901 Refunded REFUNDED "已退款" "Refunded" Both Nobody => [];
        902 Cancelled CANCELLED "已取消" "Cancelled" Both Nobody => [];
    }
}

/// How a consultation finds its doctor (spec 10).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The platform finds a doctor.
    Dispatch,
    /// The patient books a session and queues.
    Clinic,
}

impl Mode {
    /// As in the API and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dispatch => "dispatch",
            Self::Clinic => "clinic",
        }
    }

    /// The mode of this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Dispatch, Self::Clinic]
            .into_iter()
            .find(|mode| mode.name() == name)
    }
}

//! Orders, consultations, payments.

use super::requests as asked;
use super::schemas as seen;
use super::{Gives, PAGE, Row, Who, refer, row};
use crate::error::Code as C;
use utoipa::openapi::path::HttpMethod::{Get, Patch, Post, Put};
use utoipa::openapi::schema::Type;

const PATIENT: Who = Who::Only("the order's patient");
const DOCTOR: Who = Who::Only("the order's doctor");
const STAFF: Who = Who::Only("operator, admin");

/// What may stand against a command.
const REFUSED: [C; 3] = [C::OrderNotFound, C::InvalidOrderStatus, C::Conflict];

pub fn orders() -> Vec<Row> {
    use Gives::{Bare, Many, One, Page};
    vec![
        row(
            Post,
            "/orders",
            ("Create an order", "下单"),
            One(refer::<seen::Order>),
        )
        .takes::<asked::NewOrder>()
        .by(Who::Only("patient"))
        .creates()
        .fails(&[C::Conflict]),
        row(
            Get,
            "/orders",
            ("Orders: one's own, or all for operations", "订单列表"),
            Page(refer::<seen::Order>),
        )
        .asks(&[
            ("kind", "`consultation`.", Type::String),
            (
                "status",
                "By constant or number: IN_QUEUE or 302.",
                Type::String,
            ),
            ("mode", "`dispatch` or `clinic`.", Type::String),
            ("patient", "Of this patient.", Type::String),
            ("doctor", "Of this doctor.", Type::String),
            ("from", "Created at this time or later.", Type::String),
            ("to", "Created before this time.", Type::String),
            (
                "q",
                "Words of the complaint, the patient's name, or a payment's number.",
                Type::String,
            ),
            (
                "cursor",
                "The `nextCursor` of the part before: for walking through long lists.",
                Type::String,
            ),
            (
                "sort",
                "`created_at:desc` or `created_at:asc`.",
                Type::String,
            ),
        ])
        .asks(&PAGE),
        row(
            Get,
            "/orders/{id}",
            ("An order", "订单详情"),
            One(refer::<seen::Order>),
        )
        .fails(&[C::OrderNotFound]),
        row(
            Put,
            "/orders/{id}/cancel",
            ("Cancel", "取消"),
            One(refer::<seen::Order>),
        )
        .takes::<asked::Cancel>()
        .by(PATIENT)
        .fails(&REFUSED),
        row(
            Get,
            "/orders/{id}/refund-quote",
            (
                "What cancelling now would give back; it holds for 60 seconds",
                "退款试算（60 秒有效）",
            ),
            One(refer::<seen::Quote>),
        )
        .fails(&[C::OrderNotFound, C::InvalidOrderStatus]),
        row(
            Post,
            "/orders/{id}/refund",
            (
                "Complain after the end; operations decide",
                "完成后申诉退款",
            ),
            One(refer::<seen::Order>),
        )
        .takes::<asked::Complaint>()
        .by(PATIENT)
        .fails(&REFUSED),
        row(
            Patch,
            "/orders/{id}/status",
            (
                "The general form: allowed when exactly one action of the caller leads there",
                "通用状态变更",
            ),
            One(refer::<seen::Order>),
        )
        .takes::<asked::Target>()
        .fails(&REFUSED),
        row(
            Get,
            "/orders/{id}/journal",
            ("Every step, oldest first", "状态流水"),
            Many(refer::<seen::JournalLine>),
        )
        .fails(&[C::OrderNotFound]),
        row(
            Get,
            "/orders/{id}/assignments",
            (
                "Every offer to a doctor, oldest first, with the candidates' scores",
                "派单记录及候选医生评分",
            ),
            Many(refer::<seen::Offer>),
        )
        .by(STAFF)
        .fails(&[C::OrderNotFound]),
        row(
            Get,
            "/orders/{id}/snapshots/{version}",
            ("The whole order as it was after a version", "历史快照"),
            One(refer::<seen::Snapshot>),
        )
        .by(STAFF)
        .fails(&[C::OrderNotFound, C::NotFound]),
        row(
            Get,
            "/orders/{id}/events",
            (
                "Live: an event `order` at once and after each change",
                "实时推送（SSE）",
            ),
            Bare("text/event-stream", Some(refer::<seen::Order>)),
        )
        .fails(&[C::OrderNotFound]),
    ]
}

pub fn consultation() -> Vec<Row> {
    use Gives::{Bare, Many, One};
    let act = |path, words, who| {
        row(Post, path, words, One(refer::<seen::Order>))
            .by(who)
            .fails(&REFUSED)
    };
    vec![
        act("/orders/{id}/accept", ("Accept an offer", "接单"), DOCTOR).takes::<asked::Nothing>(),
        act("/orders/{id}/decline", ("Decline an offer", "拒单"), DOCTOR).takes::<asked::Reason>(),
        act("/orders/{id}/check-in", ("\"I'm here\"", "报到"), PATIENT).takes::<asked::Nothing>(),
        act("/orders/{id}/call", ("Call this patient", "叫号"), DOCTOR).takes::<asked::Reason>(),
        act(
            "/orders/{id}/answer",
            ("Answer the call", "应答叫号"),
            PATIENT,
        )
        .takes::<asked::Nothing>(),
        act("/orders/{id}/start", ("Start", "开始接诊"), DOCTOR).takes::<asked::Nothing>(),
        act(
            "/orders/{id}/finish",
            ("End, with the summary", "结束接诊"),
            DOCTOR,
        )
        .takes::<asked::Summary>(),
        act(
            "/orders/{id}/connection-failed",
            ("Audio or video could not be connected", "连接失败"),
            Who::Only("the order's patient, its doctor"),
        )
        .takes::<asked::Attempt>(),
        act("/orders/{id}/rate", ("Rate, once", "评价"), PATIENT).takes::<asked::Stars>(),
        act(
            "/orders/{id}/system-fault",
            ("A fault of the system ended it", "系统故障终止"),
            STAFF,
        )
        .takes::<asked::Complaint>(),
        row(
            Get,
            "/orders/{id}/messages",
            ("The conversation", "会话消息"),
            Many(refer::<seen::Message>),
        )
        .asks(&[
            (
                "after",
                "Only lines after this `seq`, oldest first.",
                Type::Integer,
            ),
            (
                "before",
                "Only lines before this `seq`, newest first.",
                Type::Integer,
            ),
            (
                "limit",
                "How many: 1 to 100, 20 if left out.",
                Type::Integer,
            ),
        ])
        .fails(&[C::OrderNotFound]),
        row(
            Post,
            "/orders/{id}/messages",
            ("Write a line", "发送消息"),
            One(refer::<seen::Message>),
        )
        .takes::<asked::NewMessage>()
        .by(Who::Only("the order's patient, its doctor"))
        .creates()
        .fails(&[C::OrderNotFound, C::InvalidOrderStatus]),
        row(
            Get,
            "/orders/{id}/report",
            (
                "The report of a completed consultation, as PDF",
                "问诊报告（PDF，完成后可取）",
            ),
            Bare("application/pdf", None),
        )
        .asks(&[(
            "language",
            "`zh-CN` or `en`; as `Accept-Language` says if left out.",
            Type::String,
        )])
        .fails(&[C::OrderNotFound, C::InvalidOrderStatus]),
    ]
}

/// The room; its frames are described in docs/api/room.md.
pub fn room() -> Vec<Row> {
    use Gives::{Bare, One};
    vec![
        row(
            Get,
            "/orders/{id}/room",
            (
                "The room, over a WebSocket: the first frame is `hello`",
                "会话房间（WebSocket）",
            ),
            Bare("application/json", Some(refer::<seen::Frame>)),
        )
        .fails(&[C::OrderNotFound, C::MalformedRequest]),
        row(
            Get,
            "/orders/{id}/room/stream",
            (
                "The room's frames, as server-sent events",
                "会话房间（SSE）",
            ),
            Bare("text/event-stream", Some(refer::<seen::Frame>)),
        )
        .asks(&[("after", "The last line that is known.", Type::Integer)])
        .fails(&[C::OrderNotFound]),
        row(
            Post,
            "/orders/{id}/room",
            ("Send one frame, where there is no WebSocket", "发送一帧"),
            One(refer::<seen::Frame>),
        )
        .takes::<asked::AnyFrame>()
        .fails(&[C::OrderNotFound, C::InvalidOrderStatus]),
    ]
}

pub fn payments() -> Vec<Row> {
    use Gives::{Bare, Many, One, Page};
    let paid = [
        C::OrderNotFound,
        C::InvalidOrderStatus,
        C::PaymentAlreadyProcessed,
        C::Conflict,
    ];
    let pay = |path, words| {
        row(Post, path, words, One(refer::<seen::Paying>))
            .by(PATIENT)
            .fails(&paid)
    };
    let review = |path, words| {
        row(Post, path, words, One(refer::<seen::Order>))
            .by(STAFF)
            .fails(&REFUSED)
            .fails(&[C::NotFound])
    };
    vec![
        pay("/orders/{id}/pay", ("Pay", "支付")).takes::<asked::Pay>(),
        row(
            Put,
            "/orders/{id}/payment-method",
            ("Pay another way after a failure", "更换支付方式"),
            One(refer::<seen::Order>),
        )
        .takes::<asked::Nothing>()
        .by(PATIENT)
        .fails(&REFUSED),
        pay(
            "/payments/intent",
            ("Pay, naming the order in the body", "创建支付"),
        )
        .takes::<asked::Intent>(),
        pay(
            "/payments/create-intent",
            ("The same by its older name", "创建支付（旧名）"),
        )
        .takes::<asked::Intent>(),
        row(
            Get,
            "/payments/status/{id}",
            ("How an order's payments stand", "支付状态"),
            One(refer::<seen::PaymentsOf>),
        )
        .fails(&[C::OrderNotFound]),
        row(
            Get,
            "/payments/gateways",
            (
                "Gateways: which can be chosen, and why others can't",
                "支付渠道",
            ),
            Many(refer::<seen::Gateway>),
        )
        .asks(&[
            ("orderId", "For paying this order.", Type::String),
            ("currency", "For a price in it: `CNY`, `NZD`.", Type::String),
            ("country", "For a payer there, such as `CN`.", Type::String),
        ])
        .fails(&[C::OrderNotFound]),
        row(
            Post,
            "/payments/confirm",
            ("\"I have paid\": ask the gateway now", "我已支付：立即查询"),
            One(refer::<seen::PaymentsOf>),
        )
        .takes::<asked::Confirm>()
        .fails(&[C::OrderNotFound]),
        row(
            Post,
            "/payments/record",
            (
                "Record money taken at the counter or by transfer",
                "登记线下收款",
            ),
            One(refer::<seen::Order>),
        )
        .takes::<asked::RecordedPayment>()
        .by(STAFF)
        .fails(&paid),
        row(
            Post,
            "/payments/{id}/settle/preview",
            (
                "What an outcome by evidence would do",
                "凭证据核定支付结果：预览",
            ),
            One(refer::<seen::Preview>),
        )
        .by(STAFF)
        .fails(&REFUSED)
        .fails(&[C::NotFound])
        .takes::<asked::Settle>(),
        review(
            "/payments/{id}/settle",
            (
                "Say how a payment of unknown outcome ended, with evidence",
                "凭证据核定支付结果",
            ),
        )
        .takes::<asked::Settle>(),
        row(
            Get,
            "/payments/refunds",
            ("Refunds that wait for a person", "待处理退款"),
            Page(refer::<seen::RefundOf>),
        )
        .by(STAFF)
        .asks(&PAGE),
        row(
            Post,
            "/payments/refunds/{id}/preview",
            ("What a decision on a refund would do", "退款审核预览"),
            One(refer::<seen::Preview>),
        )
        .by(STAFF)
        .fails(&REFUSED)
        .fails(&[C::NotFound])
        .takes::<asked::Review>(),
        review(
            "/payments/refunds/{id}/review",
            ("Decide on a refund", "退款审核"),
        )
        .takes::<asked::Review>(),
        review(
            "/payments/refunds/{id}/retry",
            ("Send a failed refund again", "重发退款"),
        )
        .takes::<asked::Nothing>(),
        review(
            "/payments/refunds/{id}/record",
            ("Record a refund made elsewhere", "登记线下退款"),
        )
        .takes::<asked::Proof>(),
        review(
            "/payments/refunds/{id}/elsewhere",
            (
                "Send a refund elsewhere, where the payer's card is dead",
                "异常退款改退",
            ),
        )
        .takes::<asked::Elsewhere>(),
        row(
            Post,
            "/payments/webhook/{gateway}",
            (
                "A gateway's notice, signed and in its own form",
                "支付渠道回调",
            ),
            Bare("application/json", Some(refer::<seen::NoticeAnswer>)),
        )
        .by(Who::Anybody)
        .unkeyed(),
    ]
}

//! Sign-in, doctors, sessions, operations, health.

use super::requests as asked;
use super::schemas as seen;
use super::{Asks, Gives, PAGE, Row, Who, refer, row};
use crate::error::Code as C;
use utoipa::openapi::path::HttpMethod::{Delete, Get, Post, Put};
use utoipa::openapi::schema::Type;

const DOCTORS: Who = Who::Only("doctor");
const STAFF: Who = Who::Only("operator, admin");
const FROM_TO: [Asks; 2] = [
    ("from", "Not before this time.", Type::String),
    ("to", "Before this time.", Type::String),
];

pub fn sign_in() -> Vec<Row> {
    use Gives::One;
    let anybody = |row: Row| row.by(Who::Anybody).unkeyed();
    vec![
        anybody(row(
            Post,
            "/auth/register",
            ("Register as a patient", "患者注册"),
            One(refer::<seen::Me>),
        ))
        .takes::<asked::Registration>()
        .creates(),
        anybody(row(
            Post,
            "/auth/login",
            ("Sign in", "登录"),
            One(refer::<seen::SignedIn>),
        ))
        .takes::<asked::SignIn>()
        .fails(&[C::InvalidCredentials]),
        anybody(row(
            Post,
            "/auth/refresh",
            (
                "Exchange a refresh token: each is good once",
                "刷新令牌（每个仅可用一次）",
            ),
            One(refer::<seen::Tokens>),
        ))
        .takes::<asked::Refresh>()
        .fails(&[C::TokenExpired]),
        anybody(row(
            Post,
            "/auth/logout",
            ("Sign out", "退出登录"),
            One(refer::<seen::SignedOut>),
        ))
        .takes::<asked::Refresh>(),
        row(
            Get,
            "/auth/me",
            ("Who am I", "当前用户"),
            One(refer::<seen::Me>),
        ),
    ]
}

pub fn doctors() -> Vec<Row> {
    use Gives::{Many, One, Page};
    vec![
        row(
            Get,
            "/departments",
            ("Departments", "科室列表"),
            Many(refer::<seen::Department>),
        )
        .by(Who::Anybody),
        row(
            Get,
            "/doctors",
            ("Doctors", "医生列表"),
            Page(refer::<seen::Doctor>),
        )
        .asks(&[
            ("department", "Of this department.", Type::String),
            ("online", "Who are there, or who are not.", Type::Boolean),
        ])
        .asks(&PAGE),
        row(
            Get,
            "/doctors/{id}",
            ("A doctor", "医生详情"),
            One(refer::<seen::Doctor>),
        )
        .fails(&[C::NotFound]),
        row(
            Put,
            "/doctors/me/presence",
            ("Come or go, as a doctor", "医生上线或下线"),
            One(refer::<seen::Presence>),
        )
        .takes::<asked::ComeOrGo>()
        .by(DOCTORS),
    ]
}

pub fn sessions() -> Vec<Row> {
    use Gives::{Many, One, Page};
    let moved = |path, words| {
        row(Post, path, words, One(refer::<seen::Session>))
            .by(DOCTORS)
            .fails(&[C::NotFound, C::Conflict])
    };
    vec![
        row(
            Get,
            "/sessions",
            ("Sessions", "门诊场次列表"),
            Page(refer::<seen::Session>),
        )
        .asks(&[
            ("doctor", "Of this doctor.", Type::String),
            ("department", "Of this department.", Type::String),
            ("status", "In this status.", Type::String),
        ])
        .asks(&FROM_TO)
        .asks(&PAGE),
        row(
            Post,
            "/sessions",
            ("Publish a session", "发布场次"),
            One(refer::<seen::Session>),
        )
        .takes::<asked::NewSession>()
        .by(DOCTORS)
        .creates()
        .fails(&[C::NotFound]),
        row(
            Get,
            "/doctors/me/weekly",
            (
                "Your weekly hours, with their sessions of the next seven days",
                "每周出诊时间及未来七天的场次",
            ),
            Many(refer::<seen::WeeklyHours>),
        )
        .by(DOCTORS),
        row(
            Post,
            "/doctors/me/weekly",
            (
                "Begin weekly hours: each day's session is published seven days ahead",
                "设置每周出诊时间（提前七天自动发布）",
            ),
            One(refer::<seen::WeeklyHours>),
        )
        .takes::<asked::Weekly>()
        .by(DOCTORS)
        .unkeyed()
        .creates()
        .fails(&[C::NotFound]),
        row(
            Delete,
            "/doctors/me/weekly/{id}",
            (
                "End weekly hours; what nobody has booked is cancelled, what somebody has is the answer",
                "停止每周出诊（未约场次取消，已约场次保留并列出）",
            ),
            One(refer::<seen::StillBooked>),
        )
        .by(DOCTORS)
        .unkeyed()
        .fails(&[C::NotFound]),
        moved("/sessions/{id}/open", ("Open a session", "开诊")).takes::<asked::Nothing>(),
        moved("/sessions/{id}/pause", ("Pause a session", "暂停")).takes::<asked::Nothing>(),
        moved("/sessions/{id}/resume", ("Go on after a pause", "恢复")).takes::<asked::Nothing>(),
        moved(
            "/sessions/{id}/close",
            (
                "End a session; who waits is refunded, so it must be confirmed",
                "结束场次（有人候诊须确认）",
            ),
        )
        .takes::<asked::Close>(),
        moved(
            "/sessions/{id}/cancel",
            (
                "Cancel a session: everybody is refunded",
                "停诊（全部退款）",
            ),
        )
        .takes::<asked::Reason>(),
        row(
            Get,
            "/sessions/{id}/queue",
            ("A session's queue", "候诊队列"),
            One(refer::<seen::Queue>),
        )
        .by(Who::Only("the session's doctor, operator, admin"))
        .fails(&[C::NotFound]),
        row(
            Post,
            "/sessions/{id}/call-next",
            ("Call the next patient", "叫下一位"),
            One(refer::<seen::Order>),
        )
        .takes::<asked::Nothing>()
        .by(DOCTORS)
        .fails(&[C::NotFound, C::Conflict]),
    ]
}

pub fn operations() -> Vec<Row> {
    use Gives::{Many, One, Page};
    vec![
        row(
            Get,
            "/admin/configs",
            ("Settings", "业务配置"),
            Many(refer::<seen::Config>),
        )
        .by(STAFF),
        row(
            Get,
            "/admin/configs/{name}",
            ("A setting", "单项配置"),
            One(refer::<seen::Config>),
        )
        .by(STAFF)
        .fails(&[C::NotFound]),
        row(
            Put,
            "/admin/configs/{name}",
            (
                "Change a setting; say at which version you read it",
                "修改配置（须带读取时的版本）",
            ),
            One(refer::<seen::ConfigWritten>),
        )
        .takes::<asked::NewConfig>()
        .by(Who::Only("admin"))
        .fails(&[C::Conflict]),
        row(
            Get,
            "/admin/outbox",
            ("Effects that were given up", "已放弃的外部动作"),
            Page(refer::<seen::Effect>),
        )
        .by(STAFF)
        .asks(&PAGE),
        row(
            Post,
            "/admin/outbox/{id}/retry",
            ("Try one again", "重试"),
            One(refer::<seen::Retried>),
        )
        .takes::<asked::Nothing>()
        .by(STAFF)
        .fails(&[C::NotFound]),
        row(
            Get,
            "/admin/check",
            (
                "What is inconsistent; nothing, if all is well",
                "一致性检查",
            ),
            Many(refer::<seen::Finding>),
        )
        .by(STAFF),
        row(
            Get,
            "/admin/totals",
            ("Orders and money at a glance", "订单与资金汇总"),
            One(refer::<seen::Totals>),
        )
        .by(STAFF),
    ]
}

pub fn health() -> Vec<Row> {
    let alive = Gives::Bare("application/json", Some(refer::<seen::Alive>));
    vec![
        row(Get, "/health/live", ("The process runs", "进程存活"), alive).by(Who::Anybody),
        row(
            Get,
            "/health/ready",
            ("The database answers", "数据库可用"),
            Gives::One(refer::<seen::Ready>),
        )
        .by(Who::Anybody),
        row(
            Get,
            "/metrics",
            ("What was counted, for Prometheus", "监控指标"),
            Gives::Bare("text/plain", None),
        )
        .by(Who::Anybody),
    ]
}

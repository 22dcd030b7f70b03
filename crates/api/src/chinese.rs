//! What the engine and the rules say, in Chinese: as exact as their own English words.

use domain::consultation::ConsultationStatus;
use domain::file::{FileKind, Media};
use domain::lifecycle::{Language, Status};
use domain::order::{Guard, Refusal};
use domain::reconciliation::{DifferenceStatus, SettleRefusal};
use domain::session::SessionStatus;
use engine::EngineError;
use engine::files::{FileRefusal, accepted};

/// A refusal in Chinese; `None` where only the field is to be named.
pub fn of_refusal(refusal: &Refusal) -> Option<String> {
    Some(match refusal {
        Refusal::Status { command, status } => {
            format!("订单{}，不能{}", order_status(status), action(command))
        }
        Refusal::NotYours { command, who } => {
            format!("只有{}可以{}", person(who), action(command))
        }
        Refusal::PaymentAlreadyProcessed { status } => {
            format!("订单{}，不能重复支付", order_status(status))
        }
        Refusal::QuoteMovedOn { .. } => {
            "退款报价已失效（超过 60 秒，或订单已进入下一阶段），请重新获取报价".to_owned()
        }
        Refusal::NoSuch { thing, id } => format!("该订单没有这笔{}：{id}", thing_name(thing)),
        Refusal::Invalid { .. } | Refusal::OutsideTable { .. } | Refusal::NoEntry(_) => {
            return None;
        }
    })
}

/// An error of the engine in Chinese; `None` where the code's own words say as much.
pub fn of_error(error: &EngineError) -> Option<String> {
    Some(match error {
        EngineError::Refused(refusal) => return of_refusal(refusal),
        EngineError::File(refusal) => return Some(of_file(refusal)),
        EngineError::NoSuch { thing } => format!("没有这个{}", thing_name(thing)),
        EngineError::SlotFull => "该时段已约满，请选择其他时段".to_owned(),
        EngineError::GuardRefused(Guard::TakeDoctor(_)) => "医生的接诊名额已满".to_owned(),
        EngineError::SessionStatus { status } => {
            format!("门诊场次{}，不能这样操作", session_label(status))
        }
        EngineError::NobodyIsCalled { status } => {
            format!(
                "门诊场次{}，不能叫号：请先开诊或恢复",
                session_label(status)
            )
        }
        EngineError::PeopleWait { waiting } => {
            format!("还有 {waiting} 位患者在等候：请确认为他们全额退款")
        }
        EngineError::NotClosed { month, against } => {
            let words = against.iter().map(|one| one.words(Language::Zh));
            format!("{month} 不能结账：{}", words.collect::<Vec<_>>().join("；"))
        }
        EngineError::KeyTaken => "使用同一幂等键的另一个请求先到了".to_owned(),
        EngineError::Contended => "多人同时在修改，请重试".to_owned(),
        EngineError::Busy => "系统繁忙，请一秒后重试".to_owned(),
        EngineError::GatewayOff(name) => format!("支付渠道 {name} 未开通"),
        EngineError::Gateway(error) => format!("支付渠道未能完成：{error}"),
        EngineError::UnderWay { thing } => format!("{}正在进行，请等它结束", thing_name(thing)),
        EngineError::Settle(refusal) => of_settling(refusal),
        EngineError::NotFound
        | EngineError::Invalid { .. }
        | EngineError::GuardRefused(_)
        | EngineError::Corrupt(_)
        | EngineError::Storage(_)
        | EngineError::Store(_) => return None,
    })
}

/// Why a file is not taken or not shown, in Chinese, with the field that is wrong.
fn session_label(constant: &'static str) -> &'static str {
    let known = SessionStatus::ALL
        .iter()
        .find(|status| status.constant() == constant);
    known.map_or(constant, |status| status.label(Language::Zh))
}

fn of_file(refusal: &FileRefusal) -> String {
    let words = match refusal {
        FileRefusal::Off => "本系统未开通文件上传".to_owned(),
        FileRefusal::Type { given } => format!("不支持 `{given}`，请使用 {}", accepted(None)),
        FileRefusal::Name => "文件名须为 1 至 200 个字符，例如 rash.jpg".to_owned(),
        FileRefusal::Size { kind, most } => {
            format!("{}的大小须为 1 至 {most} 字节", kind_name(*kind))
        }
        FileRefusal::NotUploaded => "文件尚未上传，请先用 PUT 上传".to_owned(),
        FileRefusal::SizeDiffers { announced, found } => {
            format!("申报 {announced} 字节，实为 {found} 字节，请重新申报上传")
        }
        FileRefusal::TooMuch { announced } => {
            format!("上传超过申报的 {announced} 字节，请重新申报上传")
        }
        FileRefusal::HashDiffers { found } => {
            format!("收到内容的 SHA-256 为 {found}，请重新申报上传")
        }
        FileRefusal::Content { announced, found } => {
            let found = found.map_or("不支持的内容", Media::mime);
            let kinds = accepted(Some(*announced));
            format!(
                "申报为{}，实为{found}，请上传 {kinds}",
                kind_name(*announced)
            )
        }
        FileRefusal::Unreadable(media) => {
            format!("内容不能按 {} 读取，请上传能正常打开的文件", media.mime())
        }
        FileRefusal::Pixels { found, most } => format!("图片有 {found} 像素，最多 {most} 像素"),
        FileRefusal::Lasting { found, most } => format!("语音长 {found} 秒，最长 {most} 秒"),
        FileRefusal::Confirmed => "文件已确认，不能再更改".to_owned(),
        FileRefusal::LinkForged => "链接无效，请重新获取".to_owned(),
        FileRefusal::LinkExpired => "链接已过期，请重新获取".to_owned(),
    };
    match refusal.field() {
        Some(field) => format!("请求内容有误：{field}（{words}）"),
        None => words,
    }
}

fn kind_name(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Picture => "图片",
        FileKind::Voice => "语音",
        FileKind::Document => "文档",
    }
}

/// Why a difference is not settled that way, in Chinese, with the field that is wrong.
fn of_settling(refusal: &SettleRefusal) -> String {
    match refusal {
        SettleRefusal::Status { status } => {
            let known = DifferenceStatus::from_constant(status);
            let label = known.map_or(*status, |status| status.label(Language::Zh));
            format!("该差异{label}，不能这样处理")
        }
        SettleRefusal::SamePerson => {
            "金额超过限额，须由另一人复核：您不能复核自己的提议".to_owned()
        }
        SettleRefusal::NotThat { kind, repair } => {
            let (kind, repair) = (kind.label(Language::Zh), repair.label(Language::Zh));
            format!("请求内容有误：repair（“{kind}”不能用“{repair}”处理）")
        }
        SettleRefusal::NoReason { repair } => {
            format!(
                "请求内容有误：reason（“{}”须说明原因）",
                repair.label(Language::Zh)
            )
        }
    }
}

fn order_status(constant: &str) -> &str {
    ConsultationStatus::from_constant(constant).map_or(constant, |s| s.label(Language::Zh))
}

/// What people do, as a verb.
fn action(command: &str) -> &str {
    match command {
        "pay" => "支付",
        "record_payment" => "登记线下收款",
        "settle_payment" => "凭证据核定支付结果",
        "refund_elsewhere" => "改退到其他账户",
        "change_method" => "更换支付方式",
        "cancel" => "取消",
        "check_in" => "签到",
        "answer" => "应答叫号",
        "rate" => "评价",
        "complain" => "申请售后退款",
        "accept" => "接单",
        "decline" => "拒单",
        "call" => "叫号",
        "start" => "开始接诊",
        "finish" => "结束接诊",
        "connection_failed" => "报告连接失败",
        "review_refund" => "审核退款",
        "retry_refund" => "重试退款",
        "record_refund" => "登记线下退款",
        "message" => "发消息",
        "upload" => "上传文件",
        "system_fault" => "登记系统故障",
        other => other,
    }
}

fn person(who: &str) -> &str {
    match who {
        "the patient" => "下单的患者",
        "the patient or operations" => "下单的患者或运营人员",
        "the order's doctor" => "该订单的医生",
        "the patient or the order's doctor" => "下单的患者或该订单的医生",
        "operations" => "运营人员",
        "the program" => "系统",
        other => other,
    }
}

fn thing_name(thing: &str) -> &str {
    match thing {
        "payment" => "支付",
        "refund" => "退款",
        "session" => "门诊场次",
        "doctor" => "医生",
        "file" => "文件",
        "weekly hours" => "每周出诊时间",
        "reconciliation" => "对账",
        "difference" => "对账差异",
        other => other,
    }
}

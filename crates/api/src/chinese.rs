//! What the engine and the rules say, in Chinese: as exact as their own English words.

use domain::consultation::ConsultationStatus;
use domain::lifecycle::{Language, Status};
use domain::order::{Guard, Refusal};
use domain::session::SessionStatus;
use engine::EngineError;

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
        Refusal::Invalid { .. } | Refusal::OutsideTable { .. } => return None,
    })
}

/// An error of the engine in Chinese; `None` where the code's own words say as much.
pub fn of_error(error: &EngineError) -> Option<String> {
    Some(match error {
        EngineError::Refused(refusal) => return of_refusal(refusal),
        EngineError::NoSuch { thing } => format!("没有这个{}", thing_name(thing)),
        EngineError::SlotFull => "该时段已约满，请选择其他时段".to_owned(),
        EngineError::GuardRefused(Guard::TakeDoctor(_)) => "医生的接诊名额已满".to_owned(),
        EngineError::SessionStatus { status } => {
            let label = SessionStatus::ALL.iter().find(|s| s.constant() == *status);
            let label = label.map_or(*status, |s| s.label(Language::Zh));
            format!("门诊场次{label}，不能这样操作")
        }
        EngineError::PeopleWait { waiting } => {
            format!("还有 {waiting} 位患者在等候：请确认为他们全额退款")
        }
        EngineError::KeyTaken => "使用同一幂等键的另一个请求先到了".to_owned(),
        EngineError::Contended => "多人同时在修改，请重试".to_owned(),
        EngineError::Busy => "系统繁忙，请一秒后重试".to_owned(),
        EngineError::GatewayOff(name) => format!("支付渠道 {name} 未开通"),
        EngineError::NotFound
        | EngineError::Invalid { .. }
        | EngineError::GuardRefused(_)
        | EngineError::Corrupt(_)
        | EngineError::Store(_) => return None,
    })
}

fn order_status(constant: &str) -> &str {
    ConsultationStatus::from_constant(constant).map_or(constant, |s| s.label(Language::Zh))
}

/// What people do, as a verb.
fn action(command: &str) -> &str {
    match command {
        "pay" => "支付",
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
        other => other,
    }
}

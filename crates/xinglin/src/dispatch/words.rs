//! A replayed day in words.

use super::Replayed;
use domain::consultation::matching::PARTS;
use domain::lifecycle::Language;
use std::fmt::Write;

/// The words of one language.
struct Words {
    weights: &'static str,
    as_they_were: &'static str,
    assignments: &'static str,
    moved: &'static str,
    unplaced: &'static str,
    cut_short: &'static str,
    doctors: &'static str,
    gini: &'static str,
    parts: &'static str,
    names: [&'static str; 6],
    note: &'static str,
}

const ENGLISH: Words = Words {
    weights: "Weights replaced",
    as_they_were: "none, every offer keeps its own",
    assignments: "Offers to doctors",
    moved: "Would have gone to another doctor",
    unplaced: "Would have found nobody with room",
    cut_short: "Had more candidates than are kept",
    doctors: "Orders offered, before → after",
    gini: "Gini of orders per doctor, before → after",
    parts: "Mean score of whoever was asked, 0 to 1000, before → after",
    names: PARTS,
    note: "Loads and waiting times are carried forward. How offers ended, and for how long they kept \
           a doctor busy, is taken as it was.",
};

const CHINESE: Words = Words {
    weights: "替换的权重",
    as_they_were: "无（每次派单沿用当时的权重）",
    assignments: "派单次数",
    moved: "会改派给其他医生",
    unplaced: "会找不到有空的医生",
    cut_short: "候选医生多于保留数",
    doctors: "各医生派单数，之前 → 之后",
    gini: "医生间派单数的基尼系数，之前 → 之后",
    parts: "被选医生的平均得分（0 到 1000），之前 → 之后",
    names: [
        "专长匹配",
        "接单率",
        "空闲程度",
        "等待公平",
        "患者评分",
        "曾诊此患者",
    ],
    note: "医生的在诊数与等待时间按改派结果逐单推演；每次派单如何结束、占用医生多久，沿用实际情况。",
};

/// The day in this language.
pub(super) fn of(replayed: &Replayed, language: Language) -> String {
    let words = match language {
        Language::Zh => CHINESE,
        Language::En => ENGLISH,
    };
    let colon = match language {
        Language::Zh => "：",
        Language::En => ": ",
    };
    let replay = &replayed.replay;
    let mut text = format!("{} ({})\n", replayed.day, replayed.zone);
    let mut line = |name: &str, value: &str| {
        // Writing to a String can't fail.
        writeln!(text, "{name}{colon}{value}").ok();
    };
    let weights = replayed.weights.as_deref().unwrap_or(words.as_they_were);
    line(words.weights, weights);
    line(words.assignments, &replay.assignments.to_string());
    line(words.moved, &replay.moved.to_string());
    let exceptions = [
        (words.unplaced, replay.unplaced),
        (words.cut_short, replay.cut_short),
    ];
    for (name, count) in exceptions.into_iter().filter(|(_, count)| *count > 0) {
        line(name, &count.to_string());
    }
    let (before, after) = (
        thousandths(replay.gini_before),
        thousandths(replay.gini_after),
    );
    line(words.gini, &format!("{before} → {after}"));

    // Numbers first: names are of any width.
    writeln!(text, "\n{}", words.doctors).ok();
    for row in &replay.doctors {
        let name = replayed.name(row.doctor);
        writeln!(text, "{:>7} → {:<7} {name}", row.before, row.after).ok();
    }
    writeln!(text, "\n{}", words.parts).ok();
    for (part, name) in replay.parts.iter().zip(words.names) {
        writeln!(text, "{:>7} → {:<7} {name}", part.before, part.after).ok();
    }
    writeln!(text, "\n{}", words.note).ok();
    text
}

fn thousandths(value: u32) -> String {
    format!("{}.{:03}", value / 1000, value % 1000)
}

//! The colours of both themes against WCAG 2.2, level AA: text 4.5 to 1 on its ground (1.4.3), edges
//! of what is operated and the focus ring 3 to 1 (1.4.11).
#![allow(
    clippy::expect_used,
    reason = "a test that can't go on says why and fails"
)]

use std::collections::BTreeMap;

const STYLE: &str = include_str!("../assets/xinglin.css");

/// Every text and what it stands on.
const TEXTS: [(&str, &[&str]); 9] = [
    (
        "ink",
        &[
            "ground",
            "surface",
            "sunken",
            "good-ground",
            "warn-ground",
            "bad-ground",
        ],
    ),
    (
        "ink-soft",
        &[
            "ground",
            "surface",
            "sunken",
            "good-ground",
            "warn-ground",
            "bad-ground",
        ],
    ),
    ("accent", &["ground", "surface", "sunken"]),
    ("accent-deep", &["ground", "surface", "sunken"]),
    ("on-accent", &["accent", "accent-deep"]),
    ("good", &["surface", "good-ground"]),
    ("warn", &["surface", "warn-ground"]),
    ("bad", &["surface", "bad-ground"]),
    ("play", &["play-ground", "surface"]),
];

/// What is seen as a line, and beside what.
const LINES: [(&str, &[&str]); 3] = [
    ("edge", &["surface"]),
    ("focus", &["ground", "surface", "sunken", "play-ground"]),
    ("play", &["surface"]),
];

type Colours = BTreeMap<String, [f64; 3]>;

/// The colours of the tokens in a text of declarations.
fn colours(declarations: &str) -> Colours {
    let read = |line: &str| {
        let (name, value) = line.trim().strip_prefix("--")?.split_once(':')?;
        let hex = value.trim().strip_prefix('#')?.strip_suffix(';')?;
        let part = |at: usize| {
            let byte = u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()?;
            Some(f64::from(byte) / 255.0)
        };
        Some((name.to_owned(), [part(0)?, part(2)?, part(4)?]))
    };
    declarations.lines().filter_map(read).collect()
}

/// Relative luminance, as WCAG defines it.
fn luminance(colour: [f64; 3]) -> f64 {
    let linear = |part: f64| {
        if part <= 0.04045 {
            part / 12.92
        } else {
            ((part + 0.055) / 1.055).powf(2.4)
        }
    };
    let [red, green, blue] = colour.map(linear);
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// The tokens of the light and of the dark theme.
fn themes() -> [(&'static str, Colours); 2] {
    let mut blocks = STYLE.split(":root {").skip(1);
    let mut block = || {
        let rest = blocks.next().expect("a block of tokens");
        colours(rest.split('}').next().unwrap_or_default())
    };
    [("light", block()), ("dark", block())]
}

#[test]
fn every_text_can_be_read_on_its_ground_in_both_themes() {
    for (theme, colours) in themes() {
        for (wanted, pairs) in [(4.5, &TEXTS[..]), (3.0, &LINES[..])] {
            for (front, grounds) in pairs {
                for ground in *grounds {
                    let ratio = contrast(colours[*front], colours[*ground]);
                    assert!(
                        ratio >= wanted,
                        "{theme}: {front} on {ground} is {ratio:.2}"
                    );
                }
            }
        }
    }
}

#[test]
fn both_themes_have_the_same_tokens() {
    let [(_, light), (_, dark)] = themes();
    let names = |colours: &Colours| colours.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&light), names(&dark));
    assert!(light.len() > 15);
}

#[test]
fn the_measure_is_wcag_s() {
    let grey = [f64::from(0x76_u8) / 255.0; 3];
    assert!((contrast([0.0; 3], [1.0; 3]) - 21.0).abs() < 0.001);
    // The well-known lightest grey that passes on white.
    assert!((4.5..4.6).contains(&contrast(grey, [1.0; 3])));
}

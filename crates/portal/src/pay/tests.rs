//! The page in every standing, with every way to pay, in both languages.

use super::address::Asked;
use super::page::PayPage;
use super::samples::{COMPLAINT, Sample, all, kinds, waiting};
use super::standing::Standing;
use super::view::View;
use crate::PortalConfig;
use crate::headers::{Framing, policy};
use askama::Template;
use domain::lifecycle::Language;
use domain::payment::{GatewayName, Method, PayWith};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

const LANGUAGES: [Language; 2] = [Language::Zh, Language::En];

/// A page as it would be sent, with its content policy.
struct Rendered {
    html: String,
    policy: String,
    view: View,
}

fn rendered(sample: &Sample, language: Language, embedded: bool) -> Rendered {
    let asked = Asked::sample(language, embedded);
    let config = PortalConfig {
        sandbox_url: sample.sandbox_url.map(str::to_owned),
        zone: TimeZone::UTC,
    };
    let frame = asked.frame_of_link(&config);
    let view = View::of(&sample.told(), language);
    let page = PayPage::new(&frame, &asked, &view);
    let (html, policy) = (
        page.render().unwrap(),
        policy(page.needs(), Framing::Nobody),
    );
    Rendered { html, policy, view }
}

fn sample(name: &str) -> Sample {
    let found = all().into_iter().find(|sample| sample.name == name);
    found.unwrap_or_else(|| panic!("no sample {name}"))
}

fn english(name: &str) -> Rendered {
    rendered(&sample(name), Language::En, false)
}

#[test]
fn every_page_is_the_same_bytes_twice() {
    for sample in all() {
        for language in LANGUAGES {
            for embedded in [false, true] {
                let once = rendered(&sample, language, embedded).html;
                let again = rendered(&sample, language, embedded).html;
                assert_eq!(once, again, "{}", sample.name);
            }
        }
    }
}

#[test]
fn every_page_says_where_it_stands_in_its_language() {
    for sample in all() {
        for language in LANGUAGES {
            let Rendered { html, view, .. } = rendered(&sample, language, false);
            let name = &sample.name;
            assert!(
                !view.heading.contains('{') && !view.lead.contains('{'),
                "{name}"
            );
            assert!(
                html.contains(&format!("</svg>{}</h1>", view.heading)),
                "{name}"
            );
            assert!(html.contains("aria-labelledby=\"standing\""), "{name}");
            assert!(html.contains("role=\"status\""), "{name}");
            let chinese = view.heading.chars().any(|c| ('一'..='鿿').contains(&c));
            assert_eq!(
                chinese,
                language == Language::Zh,
                "{name}: {}",
                view.heading
            );
        }
    }
}

#[test]
fn no_page_has_script_or_style_of_its_own_or_says_anything_of_the_illness() {
    for sample in all() {
        for language in LANGUAGES {
            let html = rendered(&sample, language, false).html;
            for script in html.split("<script").skip(1) {
                assert!(script.starts_with(" src="), "{}: {script}", sample.name);
            }
            for never in [
                "<style",
                " style=",
                " onclick=",
                " onload=",
                "javascript:",
                COMPLAINT,
            ] {
                assert!(!html.contains(never), "{}: {never}", sample.name);
            }
        }
    }
}

#[test]
fn only_who_may_pay_is_shown_how() {
    for sample in all() {
        let Rendered { html, view, .. } = rendered(&sample, Language::En, false);
        let may_pay = view.watched.standing == Standing::Waiting;
        let shown = [
            "class=\"code\"",
            "data-card",
            "data-inapp",
            "/cashier/",
            "paypal.com",
            "95516",
        ];
        let offered = shown.iter().any(|way| html.contains(way));
        let at_counter = sample.name.starts_with("waiting-counter");
        assert_eq!(offered, may_pay && !at_counter, "{}", sample.name);
        assert_eq!(
            html.contains("data-left="),
            view.until.is_some(),
            "{}",
            sample.name
        );
        let may_say_so = may_pay && !at_counter || view.watched.standing == Standing::Checking;
        assert_eq!(html.contains("/confirm?"), may_say_so, "{}", sample.name);
    }
}

#[test]
fn a_code_is_drawn_with_a_name() {
    let html = english("waiting-qr").html;
    assert!(html.contains("role=\"img\" aria-labelledby=\"code\""));
    assert!(html.contains("<title id=\"code\">QR code to pay CN¥30.00 with WeChat</title>"));
    assert!(html.contains("<path class=\"code-dark\" d=\"M4 4h7v1h-7z"));
}

#[test]
fn the_gateway_s_page_is_one_button_away() {
    let link = english("waiting-redirect").html;
    let there =
        "https://www.paypal.com/checkoutnow?token=5O190127TN364715T&#38;fundingSource=paypal";
    assert!(
        link.contains(&format!("<a class=\"button\" href=\"{there}\">")),
        "{link}"
    );
    let form = english("waiting-form");
    let action = "https://gateway.95516.com/gateway/api/frontTransReq.do";
    assert!(
        form.html
            .contains(&format!("<form method=\"post\" action=\"{action}\""))
    );
    assert!(form.html.contains("name=\"signature\" value=\"a+b/c==\""));
    assert!(
        form.policy
            .contains("form-action 'self' https://gateway.95516.com")
    );
}

#[test]
fn a_card_is_filled_in_at_stripe_and_only_there() {
    let card = english("waiting-card");
    assert!(
        card.html
            .contains("<script src=\"https://js.stripe.com/v3\" defer>")
    );
    assert!(
        card.html
            .contains("data-secret=\"pi_3MtwBwLkdIwHu7ix28a3tqPa_secret_")
    );
    assert!(
        card.policy
            .contains("script-src 'self' https://js.stripe.com")
    );
    for sample in all() {
        let Rendered { html, policy, .. } = rendered(&sample, Language::En, false);
        let stripe = html.contains("stripe.com") || policy.contains("stripe.com");
        assert_eq!(stripe, sample.name == "waiting-card", "{}", sample.name);
    }
}

#[test]
fn in_the_sandbox_the_payer_is_played_where_a_page_cannot_lead() {
    let number = sample("waiting-qr").order.payments[0].out_trade_no.clone();
    let cashier = format!("href=\"http://127.0.0.1:8090/cashier/{number}\"");
    for (kind, ..) in kinds() {
        let html = english(&format!("waiting-{kind}-sandbox")).html;
        let played = ["qr", "inapp", "card"].contains(&kind);
        assert_eq!(html.contains(&cashier), played, "{kind}");
        assert!(html.contains("play money"), "{kind}");
        let real = english(&format!("waiting-{kind}")).html;
        assert!(
            !real.contains("/cashier/") && !real.contains("play money"),
            "{kind}"
        );
    }
}

#[test]
fn an_embedded_page_is_the_payment_alone() {
    for sample in all() {
        let html = rendered(&sample, Language::Zh, true).html;
        for around in ["<header", "<nav", "class=\"sandbox\"", "class=\"skip\""] {
            assert!(!html.contains(around), "{}: {around}", sample.name);
        }
        assert!(html.contains("<main id=\"main\""), "{}", sample.name);
    }
    // A gateway's page does not stand in a frame.
    for name in ["waiting-redirect", "waiting-form"] {
        let html = rendered(&sample(name), Language::Zh, true).html;
        assert!(html.contains("target=\"_top\""), "{name}");
        assert!(html.contains("&#38;embed=1"), "{name}");
    }
}

#[test]
fn a_page_that_may_change_loads_again_without_a_script_and_can_be_told_not_to() {
    let open = english("waiting-qr").html;
    let reload = "<noscript><meta http-equiv=\"refresh\" content=\"15\"></noscript>";
    assert!(open.contains(reload));
    assert!(open.contains("&#38;still=1\">Stop reloading</a>"));
    for ended in ["paid", "failed", "closed", "refunded"] {
        assert!(!english(ended).html.contains("http-equiv"), "{ended}");
    }
    assert!(english("refund-processing").html.contains(reload));
}

#[test]
fn what_became_of_the_money_is_told_with_its_time() {
    let paid = english("paid").html;
    assert!(paid.contains("<time datetime=\"2026-03-02T01:01:00Z\" data-offset=\"480\">"));
    let part = english("partly-refunded");
    assert_eq!(
        part.view.lead,
        "CN¥10.00 went back to the account it came from."
    );
    let lines: Vec<(&str, Option<&str>)> = part
        .view
        .refunds
        .iter()
        .map(|line| (line.words.as_str(), line.amount.as_deref()))
        .collect();
    let due = "Being refunded, with you by 5 March 2026 at the latest";
    assert_eq!(
        lines,
        [("Refunded", Some("CN¥10.00")), (due, Some("CN¥5.00"))]
    );
    let gone = &part.view.refunds[0].gone_at;
    assert_eq!(gone.as_ref().unwrap().text, "2 March 2026, 09:02 (UTC+8)");
}

// --- what comes from outside ---

const HOSTILE: &str = "\"><script>alert(1)</script><a href='javascript:alert(2)'>&";

/// The page of every way to pay in which this text stands wherever a gateway may write.
fn written_by_a_gateway(text: &str) -> Vec<String> {
    let own = || text.to_owned();
    let ways = [
        PayWith::Qr { code_url: own() },
        PayWith::InApp {
            fields: serde_json::json!({ text: text }),
        },
        PayWith::Redirect {
            url: format!("https://gateway.example/?{text}"),
        },
        PayWith::Form {
            action: "https://gateway.example/".to_owned(),
            fields: BTreeMap::from([(own(), own())]),
        },
        PayWith::Card {
            client_secret: own(),
            publishable_key: own(),
        },
    ];
    let page = |with: PayWith| {
        let mut sample = waiting(GatewayName::STRIPE, Method::CARD, with);
        sample.order.payments[0].out_trade_no = own();
        let asked = Asked::sample(Language::En, false);
        let frame = asked.frame_of_link(&PortalConfig::default());
        let mut told = sample.told();
        told.names.gateway = (own(), own());
        told.names.method = (own(), own());
        told.asked_just_now = true;
        let view = View::of(&told, Language::En);
        let page = PayPage::new(&frame, &asked, &view);
        assert!(!policy(page.needs(), Framing::Nobody).contains("alert"));
        page.render().unwrap()
    };
    ways.into_iter().map(page).collect()
}

#[test]
fn hostile_text_stays_text() {
    let harmless = written_by_a_gateway("harmless");
    let hostile = written_by_a_gateway(HOSTILE);
    for (harmless, hostile) in harmless.iter().zip(&hostile) {
        // Not one tag or attribute more.
        for sign in ['<', '>', '"'] {
            let count = |html: &str| html.matches(sign).count();
            // An address that is none is not linked at all.
            assert!(count(hostile) <= count(harmless), "{sign} {hostile}");
        }
        assert!(hostile.contains("&#60;script&#62;"), "{hostile}");
        assert!(!hostile.contains("<script>"), "{hostile}");
    }
}

#[test]
fn nobody_is_led_where_no_browser_should_go() {
    for address in [
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "",
        "https://a b",
    ] {
        let ways = [
            PayWith::Redirect {
                url: address.to_owned(),
            },
            PayWith::Form {
                action: address.to_owned(),
                fields: BTreeMap::new(),
            },
        ];
        for with in ways {
            let sample = waiting(GatewayName::PAYPAL, Method::CHECKOUT, with);
            let Rendered { html, view, .. } = rendered(&sample, Language::En, false);
            assert!(view.lead.contains("can’t be shown"), "{}", view.lead);
            assert!(
                !html.contains("javascript:") && !html.contains("evil"),
                "{html}"
            );
        }
    }
    let long = PayWith::Qr {
        code_url: "x".repeat(5_000),
    };
    let sample = waiting(GatewayName::WECHAT, Method::NATIVE, long);
    let Rendered { html, view, .. } = rendered(&sample, Language::Zh, false);
    assert!(view.lead.contains("无法显示"), "{}", view.lead);
    assert!(!html.contains("class=\"code\""));
}

// --- what a script watches ---

#[test]
fn what_is_seen_changes_with_the_page_and_nothing_else() {
    let mut seen = BTreeMap::<String, Vec<String>>::new();
    for sample in all() {
        let view = rendered(&sample, Language::Zh, false).view;
        seen.entry(view.watched.seen)
            .or_default()
            .push(view.heading);
    }
    // Two pages that are seen as the same have the same heading, or differ in how they are paid,
    // which never changes for one payment.
    for (seen, headings) in seen {
        let same = headings.windows(2).all(|pair| pair[0] == pair[1]);
        assert!(same || seen == "Waiting", "{seen}: {headings:?}");
    }
}

#[test]
fn the_countdown_begins_with_what_is_left() {
    let view = english("waiting-qr").view;
    assert_eq!(view.watched.left_seconds, Some(180));
    let (until, left) = view.until.unwrap();
    assert_eq!(
        (until.text.as_str(), left.as_str()),
        ("09:05 (UTC+8)", "3:00")
    );
    assert_eq!(view.watched.again_seconds, Some(3));
    assert_eq!(english("overdue").view.watched.left_seconds, None);
    assert_eq!(english("paid").view.watched.again_seconds, None);
}

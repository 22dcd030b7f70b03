//! What stands in the address of a payment's page: the signed link, the reader's wishes, and
//! whatever a gateway put behind it.

use crate::frame::Frame;
use crate::language::{chosen, of_tag, other, tag};
use crate::{Portal, PortalConfig};
use axum::extract::{FromRequestParts, Query, RawPathParams};
use axum::http::request::Parts;
use domain::lifecycle::Language;
use domain::{OrderId, PaymentId};
use engine::PayLink;
use std::convert::Infallible;

/// What somebody asks for, by the address alone. It can always be read; whether it is good is
/// another question.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The link, where there is a whole one; nobody looked at its signature yet.
    pub link: Option<PayLink>,
    /// In which language to answer.
    pub language: Language,
    /// Whether the address chose it.
    chose_language: bool,
    /// `embed=1`: only the payment, for a page of ours around it.
    pub embedded: bool,
    /// `still=1`: the page is not to load itself again, where no script watches.
    pub still: bool,
    /// `asked=1`: the gateway was asked a moment ago.
    pub asked_just_now: bool,
    /// Somebody wrote more behind the link: a gateway that sends the payer back.
    pub came_back: bool,
}

impl FromRequestParts<Portal> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, portal: &Portal) -> Result<Self, Infallible> {
        let path = RawPathParams::from_request_parts(parts, portal).await;
        let path: Vec<(String, String)> = path.map_or_else(
            |_| Vec::new(),
            |found| {
                let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
                found.iter().map(pair).collect()
            },
        );
        let query = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
        let query = query.map_or_else(|_| Vec::new(), |Query(query)| query);
        Ok(Self::read(&path, &query, |asked| {
            chosen(asked, &parts.headers)
        }))
    }
}

impl Asked {
    fn read(
        path: &[(String, String)],
        query: &[(String, String)],
        language: impl Fn(Option<&str>) -> Language,
    ) -> Self {
        let (in_path, in_query) = (|name| first(path, name), |name| first(query, name));
        let link = || {
            Some(PayLink {
                order: in_path("order")?.parse::<OrderId>().ok()?,
                payment: in_path("payment")?.parse::<PaymentId>().ok()?,
                until: in_query("until")?.parse().ok()?,
                signature: in_query("signature")?.to_owned(),
            })
        };
        let is_on = |name| in_query(name) == Some("1");
        let ours = ["until", "signature", "lang", "embed", "still", "asked"];
        Self {
            link: link(),
            language: language(in_query("lang")),
            chose_language: in_query("lang").and_then(of_tag).is_some(),
            embedded: is_on("embed"),
            still: is_on("still"),
            asked_just_now: is_on("asked"),
            came_back: query.iter().any(|(name, _)| !ours.contains(&name.as_str())),
        }
    }

    /// What stands around a page of which it is not known whether it may be looked at: nothing of
    /// the address is repeated there.
    pub fn frame(&self, config: &PortalConfig) -> Frame {
        Frame {
            language: self.language,
            sandbox: config.sandbox_url.is_some(),
            embedded: self.embedded,
            in_other_language: None,
        }
    }

    /// What stands around a page to which we signed the link.
    pub fn frame_of_link(&self, config: &PortalConfig) -> Frame {
        let there = |link: &PayLink| {
            let language = other(self.language);
            self.address(link, "", &[("lang", tag(language))])
        };
        Frame {
            in_other_language: self.link.as_ref().map(there),
            ..self.frame(config)
        }
    }

    /// The page, without what a gateway put behind its link.
    pub fn page(&self) -> String {
        self.with("", &[])
    }

    /// The page that does not load itself again.
    pub fn still_page(&self) -> String {
        self.with("", &[("still", "1")])
    }

    /// The page, once the gateway was asked.
    pub fn after_asking(&self) -> String {
        let still: &[_] = if self.still { &[("still", "1")] } else { &[] };
        self.with("", &[still, &[("asked", "1")]].concat())
    }

    /// Where "I have paid" is said.
    pub fn confirm(&self) -> String {
        self.with("/confirm", &[])
    }

    /// Where the script asks how it stands.
    pub fn state(&self) -> String {
        // The answer's label is in the page's language, however that was chosen.
        match &self.link {
            Some(link) => self.address(link, "/state", &[("lang", tag(self.language))]),
            None => String::new(),
        }
    }

    fn with(&self, below: &str, more: &[(&str, &str)]) -> String {
        let Some(link) = &self.link else {
            return String::new();
        };
        let mut pairs = more.to_vec();
        if self.chose_language {
            pairs.push(("lang", tag(self.language)));
        }
        self.address(link, below, &pairs)
    }

    fn address(&self, link: &PayLink, below: &str, more: &[(&str, &str)]) -> String {
        // Only a link whose signature was verified gets into a page: it is of our own making.
        let mut address = link.path().replacen('?', &format!("{below}?"), 1);
        let embed: &[_] = if self.embedded {
            &[("embed", "1")]
        } else {
            &[]
        };
        for (name, value) in more.iter().chain(embed) {
            address.push_str(&format!("&{name}={value}"));
        }
        address
    }
}

/// The first value of a name.
fn first<'a>(pairs: &'a [(String, String)], wanted: &str) -> Option<&'a str> {
    let mut pairs = pairs.iter();
    let found = pairs.find(|(name, _)| name == wanted);
    found.map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    impl Asked {
        /// A whole link, as a browser opens it that wishes this language.
        pub fn sample(language: Language, embedded: bool) -> Self {
            let embed: &[_] = if embedded { &[("embed", "1")] } else { &[] };
            let link = [("until", "1795686160"), ("signature", "c2lnbmF0dXJl")];
            read(&[&link, embed].concat(), language)
        }
    }

    fn read(query: &[(&str, &str)], wished: Language) -> Asked {
        let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            pairs.iter().map(owned).collect()
        };
        let (order, payment) = (
            Uuid::from_u128(1).to_string(),
            Uuid::from_u128(2).to_string(),
        );
        let path = pairs(&[("order", &order), ("payment", &payment)]);
        Asked::read(&path, &pairs(query), |asked| {
            asked.and_then(of_tag).unwrap_or(wished)
        })
    }

    const LINK: [(&str, &str); 2] = [("until", "17"), ("signature", "abc")];
    const PAGE: &str = "/pay/00000000-0000-0000-0000-000000000001/\
                        00000000-0000-0000-0000-000000000002?until=17&signature=abc";

    #[test]
    fn a_whole_link_is_a_link() {
        let asked = read(&LINK, Language::Zh);
        assert_eq!(asked.page(), PAGE);
        assert!(!asked.came_back && !asked.embedded && !asked.still && !asked.asked_just_now);
        for part in [
            &LINK[..1],
            &LINK[1..],
            &[("until", "soon"), ("signature", "abc")],
        ] {
            assert_eq!(read(part, Language::Zh).link, None, "{part:?}");
        }
    }

    #[test]
    fn what_a_gateway_puts_behind_the_link_is_noticed_and_not_kept() {
        for more in [
            ("token", "5O1"),
            ("payment_intent", "pi_1"),
            ("trade_no", "2026"),
            ("", ""),
        ] {
            let asked = read(&[&LINK[..], &[more]].concat(), Language::Zh);
            assert!(asked.came_back, "{more:?}");
            assert_eq!(asked.page(), PAGE);
            assert_eq!(asked.after_asking(), format!("{PAGE}&asked=1"));
        }
        // The first of a name is ours.
        let twice = [LINK[0], LINK[1], ("signature", "forged")];
        assert_eq!(read(&twice, Language::Zh).page(), PAGE);
    }

    #[test]
    fn the_reader_s_wishes_go_with_them() {
        let wishes = [
            LINK[0],
            LINK[1],
            ("lang", "en"),
            ("embed", "1"),
            ("still", "1"),
        ];
        let asked = read(&wishes, Language::Zh);
        assert_eq!(asked.page(), format!("{PAGE}&lang=en&embed=1"));
        assert_eq!(
            asked.after_asking(),
            format!("{PAGE}&still=1&asked=1&lang=en&embed=1")
        );
        let confirm = PAGE.replace('?', "/confirm?");
        assert_eq!(asked.confirm(), format!("{confirm}&lang=en&embed=1"));
        let there = asked
            .frame_of_link(&PortalConfig::default())
            .in_other_language;
        assert_eq!(there.unwrap(), format!("{PAGE}&lang=zh-CN&embed=1"));
        // A language that only the browser wished stays out of the address, but for the script.
        let asked = read(&LINK, Language::En);
        assert_eq!(asked.page(), PAGE);
        let state = PAGE.replace('?', "/state?");
        assert_eq!(asked.state(), format!("{state}&lang=en"));
    }

    #[test]
    fn without_a_whole_link_there_is_nowhere_to_go() {
        let asked = read(&[("lang", "en")], Language::Zh);
        assert_eq!(
            asked
                .frame_of_link(&PortalConfig::default())
                .in_other_language,
            None
        );
        assert_eq!(asked.page(), "");
    }
}

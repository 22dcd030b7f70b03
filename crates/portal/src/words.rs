//! Every text of the pages, in both languages: one catalogue a part, in `i18n/zh-CN` and `i18n/en`.
//! Nothing that people read stands anywhere else in this crate.

use domain::lifecycle::Language;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The parts of a language, as files.
const ZH: [&str; 2] = [
    include_str!("../i18n/zh-CN/common.json"),
    include_str!("../i18n/zh-CN/pay.json"),
];
const EN: [&str; 2] = [
    include_str!("../i18n/en/common.json"),
    include_str!("../i18n/en/pay.json"),
];

/// The texts of one language, by key.
#[derive(Debug)]
pub struct Words(BTreeMap<String, String>);

impl Words {
    /// The texts of a language.
    pub fn of(language: Language) -> &'static Self {
        static CHINESE: LazyLock<Words> = LazyLock::new(|| Words::read(&ZH));
        static ENGLISH: LazyLock<Words> = LazyLock::new(|| Words::read(&EN));
        match language {
            Language::Zh => &CHINESE,
            Language::En => &ENGLISH,
        }
    }

    fn read(parts: &[&str]) -> Self {
        let mut all = BTreeMap::new();
        for part in parts {
            match serde_json::from_str::<BTreeMap<String, String>>(part) {
                Ok(texts) => all.extend(texts),
                // A test reads every catalogue, so that this can't be.
                Err(error) => tracing::error!(%error, "a catalogue of texts can't be read"),
            }
        }
        Self(all)
    }

    /// The text of this key; the key itself where there is none, which a test rules out.
    pub fn say<'a>(&'a self, key: &'a str) -> &'a str {
        self.0.get(key).map_or(key, String::as_str)
    }

    /// The text of this key with its `{places}` filled in.
    pub fn fill(&self, key: &str, places: &[(&str, &str)]) -> String {
        let (mut rest, mut filled) = (self.say(key), String::new());
        // From left to right and never over what was filled in: a value may look like a place.
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let found = after.split_once('}').and_then(|(name, after)| {
                let (_, value) = places.iter().find(|(place, _)| *place == name)?;
                Some((*value, after))
            });
            match found {
                Some((value, after)) => {
                    filled.push_str(value);
                    rest = after;
                }
                None => {
                    filled.push('{');
                    rest = after;
                }
            }
        }
        filled + rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    /// The names in braces of a text.
    fn places(text: &str) -> BTreeSet<&str> {
        let after_braces = text.split('{').skip(1);
        after_braces
            .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
            .collect()
    }

    /// The text of every Rust file and template of this crate.
    fn sources() -> String {
        fn read(folder: &Path, all: &mut String) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    read(&path, all);
                } else {
                    all.push_str(&std::fs::read_to_string(&path).unwrap());
                }
            }
        }
        let mut all = String::new();
        for folder in ["src", "templates"] {
            read(
                &Path::new(env!("CARGO_MANIFEST_DIR")).join(folder),
                &mut all,
            );
        }
        all
    }

    #[test]
    fn both_languages_have_the_same_keys_with_the_same_places() {
        for (chinese, english) in ZH.iter().zip(EN) {
            let read = |part: &str| -> BTreeMap<String, String> {
                let texts: BTreeMap<String, String> = serde_json::from_str(part).unwrap();
                // One line a key: a key that is written twice would vanish.
                assert_eq!(part.matches("\": \"").count(), texts.len());
                texts
            };
            let (chinese, english) = (read(chinese), read(english));
            let keys = |texts: &BTreeMap<String, String>| -> Vec<String> {
                texts.keys().cloned().collect()
            };
            assert_eq!(keys(&chinese), keys(&english));
            for (key, text) in &chinese {
                assert_eq!(places(text), places(&english[key]), "{key}");
                assert!(
                    !text.trim().is_empty() && !english[key].trim().is_empty(),
                    "{key}"
                );
            }
        }
    }

    #[test]
    fn every_key_is_used_and_every_key_that_is_used_is_there() {
        let sources = sources();
        let known = &Words::of(Language::En).0;
        for key in known.keys() {
            assert!(sources.contains(&format!("\"{key}\"")), "nobody says {key}");
        }
        for part in ["common", "pay"] {
            for rest in sources.split(&format!("\"{part}.")).skip(1) {
                let name = rest.split('"').next().unwrap_or_default();
                let key = format!("{part}.{name}");
                assert!(known.contains_key(&key), "{key} is in no catalogue");
            }
        }
    }

    #[test]
    fn places_are_filled_once() {
        let words = Words(BTreeMap::from([(
            "a".to_owned(),
            "{who} owes {much} {".to_owned(),
        )]));
        let filled = words.fill("a", &[("who", "{much}"), ("much", "5")]);
        assert_eq!(filled, "{much} owes 5 {");
        assert_eq!(words.fill("a", &[("who", "x")]), "x owes {much} {");
        assert_eq!(words.fill("b", &[]), "b");
    }
}

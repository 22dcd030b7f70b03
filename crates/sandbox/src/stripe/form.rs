//! Forms and queries: flat names with brackets, such as `metadata[order]` and `expand[]`.

use super::refusal::Refusal;
use std::collections::BTreeMap;

/// Stripe's limits on metadata: pairs, and characters of a name and of a value.
const MAX_METADATA: (usize, usize, usize) = (50, 40, 500);
/// The most that a list gives at a time, and what it gives unless asked.
const LIST_LIMITS: (usize, usize) = (100, 10);

/// The fields of a form or query.
#[derive(Debug)]
pub(super) struct Form(BTreeMap<String, Vec<String>>);

impl Form {
    /// Reads the fields; one that is not among the known ones is refused, as Stripe does. A known
    /// name that ends in `[` stands for all that begin with it.
    pub(super) fn read(encoded: &[u8], known: &[&str]) -> Result<Self, Refusal> {
        let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(encoded).into_owned() {
            let is_known = |known: &&str| {
                name == **known || (known.ends_with('[') && name.starts_with(*known))
            };
            if !known.iter().any(is_known) {
                let message = format!("Received unknown parameter: {name}");
                return Err(Refusal::param(&name, "parameter_unknown", &message));
            }
            fields.entry(name).or_default().push(value);
        }
        Ok(Self(fields))
    }

    /// Everything in one text, the same for the same fields.
    pub(super) fn fingerprint(&self) -> String {
        let pairs = self.0.iter().flat_map(|(name, values)| {
            let name = name.as_str();
            values.iter().map(move |value| (name, value.as_str()))
        });
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish()
    }

    /// A field that may be left out; empty is as good as left out.
    pub(super) fn optional(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name).and_then(|values| values.last());
        value.map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A field that must be given.
    pub(super) fn text(&self, name: &str) -> Result<&str, Refusal> {
        self.optional(name).ok_or_else(|| {
            let message = format!("Missing required param: {name}.");
            Refusal::param(name, "parameter_missing", &message)
        })
    }

    /// A whole number that may be left out.
    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let text = self.optional(name);
        text.map(|text| {
            text.parse().map_err(|_| {
                let message = format!("Invalid integer: {text}");
                Refusal::param(name, "parameter_invalid_integer", &message)
            })
        })
        .transpose()
    }

    /// How many objects a list shall give.
    pub(super) fn limit(&self) -> Result<usize, Refusal> {
        let (most, usual) = LIST_LIMITS;
        let given = self.integer("limit")?;
        let limit = given.map_or(Some(usual), |given| usize::try_from(given).ok());
        limit
            .filter(|limit| (1..=most).contains(limit))
            .ok_or_else(|| {
                let message = format!("limit must be 1 to {most}");
                Refusal::param("limit", "parameter_invalid_integer", &message)
            })
    }

    /// Whether this is asked for in full. Nothing else can be.
    pub(super) fn expands(&self, expandable: &str) -> Result<bool, Refusal> {
        let wanted = self.0.get("expand[]").map_or(&[][..], Vec::as_slice);
        match wanted.iter().find(|wanted| **wanted != expandable) {
            Some(other) => {
                let message = format!("This property cannot be expanded ({other}).");
                Err(Refusal::invalid(None, &message))
            }
            None => Ok(!wanted.is_empty()),
        }
    }

    /// What the merchant writes on the object.
    pub(super) fn metadata(&self) -> Result<BTreeMap<String, String>, Refusal> {
        let mut metadata = BTreeMap::new();
        for (name, values) in &self.0 {
            let key = name
                .strip_prefix("metadata[")
                .and_then(|rest| rest.strip_suffix(']'));
            if let (Some(key), Some(value)) = (key, values.last()) {
                metadata.insert(key.to_owned(), value.clone());
            }
        }
        let (pairs, of_name, of_value) = MAX_METADATA;
        let fits = |(key, value): (&String, &String)| {
            key.chars().count() <= of_name && value.chars().count() <= of_value
        };
        if metadata.len() > pairs || !metadata.iter().all(fits) {
            let message = format!(
                "Metadata can have up to {pairs} keys of {of_name} characters with values of \
                 {of_value}."
            );
            return Err(Refusal::param("metadata", "parameter_invalid", &message));
        }
        Ok(metadata)
    }
}

//! The API described by itself: OpenAPI 3.1 (spec 80).
//!
//! What an operation takes and gives is a schema here, and one row of a table. Tests hold the table
//! against the routes, and the schemas against what the handlers really read and answer.

mod files;
mod ledger;
mod operations;
mod order_schemas;
mod orders;
mod reconciliation;
mod requests;
mod schemas;
#[cfg(test)]
mod tests;

use crate::error::Code;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use utoipa::ToSchema;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder, Parameter, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{Array, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::tag::{Tag, TagBuilder};
use utoipa::openapi::{
    Components, ContentBuilder, InfoBuilder, KnownFormat, OpenApi, Paths, Ref, RefOr, Required,
    Response, ResponseBuilder,
};

/// Where everything but health is.
const BASE: &str = "/api/v1";

/// Schemas on their way into the document.
type Named = Vec<(String, RefOr<Schema>)>;
/// Puts a schema into the document and points at it.
type Refers = fn(&mut Named) -> Ref;

/// Puts a type's schema, and those that it uses, into the document.
fn refer<T: ToSchema>(named: &mut Named) -> Ref {
    T::schemas(named);
    named.push((T::name().into_owned(), T::schema()));
    Ref::from_schema_name(T::name())
}

/// Who may ask.
#[derive(Clone, Copy)]
enum Who {
    Anybody,
    SignedIn,
    Only(&'static str),
}

/// What a success carries.
#[derive(Clone, Copy)]
enum Gives {
    One(Refers),
    Many(Refers),
    Page(Refers),
    /// One, with a page of what belongs to it.
    Part(Refers),
    /// Not in the envelope.
    Bare(&'static str, Option<Refers>),
}

/// A query parameter: its name, what it says, and whether it is a number.
type Asks = (&'static str, &'static str, Type);

const PAGE: [Asks; 2] = [
    ("page", "Which page, from 1.", Type::Integer),
    (
        "limit",
        "How many on a page: 1 to 100, 20 if left out.",
        Type::Integer,
    ),
];

/// A row of the table.
struct Row {
    method: HttpMethod,
    path: &'static str,
    tag: &'static str,
    en: &'static str,
    zh: &'static str,
    who: Who,
    takes: Option<Refers>,
    takes_bytes: bool,
    gives: Gives,
    /// What it gives instead of the envelope where that is what is accepted.
    or: Option<&'static str>,
    created: bool,
    keyed: bool,
    asks: Vec<Asks>,
    errors: Vec<Code>,
}

fn row(
    method: HttpMethod,
    path: &'static str,
    (en, zh): (&'static str, &'static str),
    gives: Gives,
) -> Row {
    let keyed = !matches!(method, HttpMethod::Get);
    Row {
        method,
        path,
        tag: "",
        en,
        zh,
        who: Who::SignedIn,
        takes: None,
        takes_bytes: false,
        gives,
        or: None,
        created: false,
        keyed,
        asks: Vec::new(),
        errors: Vec::new(),
    }
}

impl Row {
    fn by(mut self, who: Who) -> Self {
        self.who = who;
        self
    }

    fn takes<T: ToSchema>(mut self) -> Self {
        self.takes = Some(refer::<T>);
        self
    }

    fn takes_bytes(mut self) -> Self {
        self.takes_bytes = true;
        self
    }

    fn creates(mut self) -> Self {
        self.created = true;
        self
    }

    /// Or bare, in this media type.
    fn or(mut self, media: &'static str) -> Self {
        self.or = Some(media);
        self
    }

    fn unkeyed(mut self) -> Self {
        self.keyed = false;
        self
    }

    fn asks(mut self, asks: &[Asks]) -> Self {
        self.asks.extend_from_slice(asks);
        self
    }

    fn fails(mut self, codes: &[Code]) -> Self {
        self.errors.extend_from_slice(codes);
        self
    }

    /// Every code that it may answer with, by HTTP status.
    fn codes(&self) -> BTreeMap<u16, BTreeSet<&'static str>> {
        let mut codes = self.errors.clone();
        codes.extend([Code::Internal, Code::ExternalServiceError]);
        if !matches!(self.who, Who::Anybody) {
            codes.extend([Code::Unauthenticated, Code::TokenExpired]);
        }
        if matches!(self.who, Who::Only(_)) {
            codes.push(Code::InsufficientPermissions);
        }
        if self.takes.is_some() {
            codes.push(Code::MalformedRequest);
        }
        if self.takes.is_some() || self.path.contains('{') || !self.asks.is_empty() {
            codes.push(Code::ValidationFailed);
        }
        if self.keyed {
            codes.push(Code::IdempotencyKeyReused);
        }
        let mut by_status: BTreeMap<u16, BTreeSet<&'static str>> = BTreeMap::new();
        for (code, _, http) in codes.into_iter().map(Code::row) {
            by_status.entry(http).or_default().insert(code);
        }
        if self.takes_bytes {
            by_status
                .entry(413)
                .or_default()
                .insert(Code::ValidationFailed.row().0);
        }
        if self.takes.is_some() {
            by_status
                .entry(413)
                .or_default()
                .insert(Code::MalformedRequest.row().0);
        }
        by_status
    }

    fn parameters(&self) -> Vec<Parameter> {
        let in_path = self.path.split('/').filter_map(|part| {
            let name = part.strip_prefix('{')?.strip_suffix('}')?;
            let number = ObjectBuilder::new().schema_type(Type::Integer);
            let schema = match name {
                "version" => number,
                "name" | "gateway" => ObjectBuilder::new().schema_type(Type::String),
                _ => uuid(),
            };
            Some(parameter(name, ParameterIn::Path, None, schema))
        });
        let asked = self.asks.iter().map(|(name, says, kind)| {
            let schema = ObjectBuilder::new().schema_type(kind.clone());
            parameter(name, ParameterIn::Query, Some(says), schema)
        });
        let mut all: Vec<Parameter> = in_path.chain(asked).collect();
        if self.keyed {
            let says = "1 to 128 visible ASCII characters. The same request with the same key has \
                        one effect and, for 24 hours, one answer.";
            let schema = ObjectBuilder::new()
                .schema_type(Type::String)
                .min_length(Some(1))
                .max_length(Some(128));
            all.push(parameter(
                "Idempotency-Key",
                ParameterIn::Header,
                Some(says),
                schema,
            ));
        }
        all
    }

    fn body(&self, named: &mut Named) -> Option<RequestBody> {
        if self.takes_bytes {
            let any = ContentBuilder::new().build();
            return Some(RequestBodyBuilder::new().content("*/*", any).build());
        }
        let schema = (self.takes?)(named);
        let content = ContentBuilder::new().schema(Some(schema)).build();
        Some(
            RequestBodyBuilder::new()
                .content("application/json", content)
                .build(),
        )
    }

    fn success(&self, named: &mut Named) -> Response {
        let answer = ResponseBuilder::new().description("Done.");
        let (data, meta): (RefOr<Schema>, _) = match self.gives {
            Gives::Bare(media, refers) => {
                let schema = refers.map(|refers| refers(named));
                return answer
                    .content(media, ContentBuilder::new().schema(schema).build())
                    .build();
            }
            Gives::One(refers) => (refers(named).into(), refer::<schemas::Meta>(named)),
            Gives::Many(refers) => (
                Array::new(refers(named)).into(),
                refer::<schemas::Meta>(named),
            ),
            Gives::Part(refers) => (refers(named).into(), refer::<schemas::PageMeta>(named)),
            Gives::Page(refers) => (
                Array::new(refers(named)).into(),
                refer::<schemas::PageMeta>(named),
            ),
        };
        let envelope = ObjectBuilder::new()
            .property("success", ObjectBuilder::new().schema_type(Type::Boolean))
            .required("success")
            .property("data", data)
            .required("data")
            .property("meta", meta)
            .required("meta");
        let schema = Schema::Object(envelope.build());
        let answer = match self.or {
            Some(media) => answer.content(media, ContentBuilder::new().build()),
            None => answer,
        };
        answer
            .content(
                "application/json",
                ContentBuilder::new().schema(Some(schema)).build(),
            )
            .build()
    }

    fn operation(&self, named: &mut Named) -> Operation {
        let who = match self.who {
            Who::Anybody => "Anybody.".to_owned(),
            Who::SignedIn => "Whoever is signed in.".to_owned(),
            Who::Only(who) => format!("Only: {who}."),
        };
        let zh = Extensions::builder().add("x-summary-zh", self.zh).build();
        let status = if self.created { "201" } else { "200" };
        let mut operation = OperationBuilder::new()
            .tag(self.tag)
            .summary(Some(self.en))
            .description(Some(who))
            .operation_id(Some(operation_id(&self.method, self.path)))
            .parameters(Some(self.parameters()))
            .request_body(self.body(named))
            .response(status, self.success(named))
            .extensions(Some(zh));
        for (status, codes) in self.codes() {
            operation = operation.response(status.to_string(), refusal(&codes, named));
        }
        if !matches!(self.who, Who::Anybody) {
            let nothing: [&str; 0] = [];
            operation = operation.security(SecurityRequirement::new("bearer", nothing));
        }
        operation.build()
    }
}

/// An error in the envelope, with the codes that it may be.
fn refusal(codes: &BTreeSet<&'static str>, named: &mut Named) -> Response {
    let mut says: Vec<String> = Vec::new();
    for (code, name, _) in Code::ALL.iter().map(|code| code.row()) {
        if codes.contains(code) {
            says.push(format!("{code} {name}"));
        }
    }
    let content = ContentBuilder::new()
        .schema(Some(refer::<schemas::ErrorAnswer>(named)))
        .build();
    ResponseBuilder::new()
        .description(says.join(", "))
        .content("application/json", content)
        .build()
}

fn parameter(
    name: &str,
    place: ParameterIn,
    says: Option<&str>,
    schema: ObjectBuilder,
) -> Parameter {
    let mut parameter = Parameter::new(name);
    parameter.required = if matches!(place, ParameterIn::Path) {
        Required::True
    } else {
        Required::False
    };
    parameter.parameter_in = place;
    parameter.description = says.map(str::to_owned);
    parameter.schema = Some(Schema::Object(schema.build()).into());
    parameter
}

fn uuid() -> ObjectBuilder {
    let format = SchemaFormat::KnownFormat(KnownFormat::Uuid);
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(format))
}

fn verb(method: &HttpMethod) -> &'static str {
    match method {
        HttpMethod::Post => "post",
        HttpMethod::Put => "put",
        HttpMethod::Patch => "patch",
        HttpMethod::Delete => "delete",
        _ => "get",
    }
}

/// `get` and `/orders/{id}/journal` make `getOrdersByIdJournal`.
fn operation_id(method: &HttpMethod, path: &str) -> String {
    let mut id = verb(method).to_owned();
    for part in path.split(['/', '-']).filter(|part| !part.is_empty()) {
        let name = part.trim_matches(['{', '}']);
        if name.len() < part.len() {
            id.push_str("By");
        }
        let mut letters = name.chars();
        id.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        id.extend(letters);
    }
    id
}

fn rows() -> Vec<Row> {
    let of = |tag, rows: Vec<Row>| rows.into_iter().map(move |row| Row { tag, ..row });
    let mut all: Vec<Row> = of("Sign-in", operations::sign_in()).collect();
    all.extend(of("Doctors and sessions", operations::doctors()));
    all.extend(of("Doctors and sessions", operations::sessions()));
    all.extend(of("Orders", orders::orders()));
    all.extend(of("Consultation", orders::consultation()));
    all.extend(of("Consultation", orders::room()));
    all.extend(of("Files", files::files()));
    all.extend(of("Payments", orders::payments()));
    all.extend(of("Ledger", ledger::ledger()));
    all.extend(of("Reconciliation", reconciliation::reconciliation()));
    all.extend(of("Operations", operations::operations()));
    all.extend(of("Health", operations::health()));
    all
}

fn tags() -> Vec<Tag> {
    let tag =
        |(name, says): (&str, &str)| TagBuilder::new().name(name).description(Some(says)).build();
    [
        ("Sign-in", "Accounts and tokens."),
        ("Doctors and sessions", "Who treats what, and when; queues."),
        ("Orders", "Orders of every kind."),
        (
            "Consultation",
            "What patients and doctors do in a consultation.",
        ),
        (
            "Files",
            "Pictures, voice and documents of a conversation: announced, put, confirmed, read.",
        ),
        ("Payments", "Paying, refunds, gateways."),
        (
            "Reconciliation",
            "Gateways' bills against our books: days, differences, and what is decided about them.",
        ),
        (
            "Ledger",
            "Accounts, days, trial balances, and the closing of months.",
        ),
        ("Operations", "For operators and administrators."),
        ("Health", "For load balancers."),
    ]
    .map(tag)
    .to_vec()
}

const ABOUT: &str = "An internet hospital's orders. Every answer is in one envelope: `success`, and \
`data` with `meta`, or `error`. Times are RFC 3339 in UTC with six decimals; amounts are integers in \
minor units beside their currency. Unknown fields are refused; bodies are at most 1 MiB, but for files. Send \
`Accept-Language: en` or `zh-CN` for labels and messages. `X-Request-Id` is taken from you or made, \
and is in every answer.";

fn parts() -> (Named, Paths) {
    let mut named = Named::new();
    let mut paths = Paths::new();
    for row in rows() {
        let path = if row.tag == "Health" {
            row.path.to_owned()
        } else {
            format!("{BASE}{}", row.path)
        };
        let operation = row.operation(&mut named);
        paths.add_path_operation(path, vec![row.method], operation);
    }
    (named, paths)
}

/// The document.
pub fn document() -> OpenApi {
    let (named, paths) = parts();
    let mut components = Components::new();
    components.schemas = named.into_iter().collect();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .build();
    components
        .security_schemes
        .insert("bearer".to_owned(), SecurityScheme::Http(bearer).into());
    let info = InfoBuilder::new()
        .title("Xinglin 杏林")
        .version(env!("CARGO_PKG_VERSION"));
    let mut document = OpenApi::new(info.description(Some(ABOUT)).build(), paths);
    document.components = Some(components);
    document.tags = Some(tags());
    document
}

/// The document as it is sent.
pub fn json() -> &'static str {
    static JSON: LazyLock<String> =
        LazyLock::new(|| serde_json::to_string(&document()).unwrap_or_default());
    &JSON
}

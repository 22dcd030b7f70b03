//! A consultation's report: what patient and doctor keep of it, as a PDF (spec 10).

mod face;
mod page;
mod paint;
mod words;
mod wrap;

use crate::AppState;
use crate::envelope::Context;
use crate::error::{ApiError, Code};
use crate::extract::{Caller, Query, id};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::consultation::{Consultation, ConsultationStatus};
use domain::lifecycle::{Language, Status};
use domain::{OrderId, Ts};
use engine::settings::hospital;
use face::Faces;
use jiff::tz::TimeZone;
use serde_json::json;
use thiserror::Error;

/// The addresses.
pub fn routes() -> Router<AppState> {
    Router::new().route("/orders/{id}/report", get(report))
}

/// Everything that a report tells. Neither who asks nor when is in it: the same order, unchanged,
/// gives the same bytes.
struct Told {
    order: Consultation,
    hospital: String,
    patient: Option<String>,
    doctor: Option<String>,
    /// The doctor's.
    title: Option<String>,
    department: Option<String>,
    /// When the doctor first began; the order's own time is put off by reviews.
    began: Option<Ts>,
    zone: TimeZone,
    language: Language,
}

/// Why a report could not be made.
#[derive(Debug, Error)]
enum ReportError {
    /// The typeface in the program is not one.
    #[error("the typeface of reports can't be read")]
    Typeface,
    /// No page has this size.
    #[error("no page can be as large as A4 is said to be")]
    Size,
    /// The library refused.
    #[error("the report can't be written as PDF: {0}")]
    Pdf(String),
}

impl From<ReportError> for ApiError {
    fn from(error: ReportError) -> Self {
        tracing::error!(%error, "a report failed");
        Self::from(Code::Internal)
    }
}

impl Told {
    fn pdf(&self) -> Result<Vec<u8>, ReportError> {
        let faces = Faces::get().ok_or(ReportError::Typeface)?;
        let report = words::report(self);
        let pages = page::pages(&report, faces);
        paint::pdf(self, &report, &pages, faces)
    }
}

async fn report(
    State(state): State<AppState>,
    caller: Caller,
    context: Context,
    Path(order): Path<String>,
    uri: Uri,
) -> Result<Response, ApiError> {
    let asked = Query::of(&uri, &["language"])?;
    let asked = asked.get("language", "zh-CN or en", |name| match name {
        "zh-CN" => Some(Language::Zh),
        "en" => Some(Language::En),
        _ => None,
    })?;
    let order = state.visible(id(&order)?, caller).await?;
    if order.status != ConsultationStatus::Completed {
        return Err(too_early(order.status));
    }
    let name = file_name(order.id);
    let language = asked.unwrap_or(context.language);
    let told = told(&state, order, language).await?;
    // Some milliseconds of work: not on a thread that others wait for.
    let made = tokio::task::spawn_blocking(move || told.pdf()).await;
    let bytes = made.map_err(|error| {
        tracing::error!(%error, "a report was not made to its end");
        ApiError::from(Code::Internal)
    })??;
    let language = match language {
        Language::Zh => "zh-CN",
        Language::En => "en",
    };
    let headers = [
        (header::CONTENT_TYPE, "application/pdf".to_owned()),
        (header::CONTENT_LANGUAGE, language.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}

/// Only what an id is written with: nothing that could end the header or name a folder.
fn file_name(order: OrderId) -> String {
    let id = order.to_string();
    let plain = id
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-');
    format!("xinglin-report-{}.pdf", plain.collect::<String>())
}

fn too_early(status: ConsultationStatus) -> ApiError {
    let (en, zh) = (status.constant(), status.label(Language::Zh));
    let words = format!("a consultation has a report once it is COMPLETED: this one is {en}");
    let chinese = format!("问诊完成后才有报告：订单{zh}");
    ApiError::from(Code::InvalidOrderStatus)
        .saying(words)
        .in_chinese(Some(chinese))
        .with(json!({ "status": en }))
}

/// The hospital's clock, by which its reports tell times.
fn zone() -> TimeZone {
    TimeZone::get("Asia/Shanghai").unwrap_or_else(|_| TimeZone::fixed(jiff::tz::offset(8)))
}

async fn told(state: &AppState, order: Consultation, language: Language) -> Result<Told, ApiError> {
    let store = state.engine.store();
    let patient = store.user(order.patient).await?.map(|user| user.name);
    let doctor = match order.detail.doctor {
        Some(doctor) => store.doctor(doctor).await?,
        None => None,
    };
    let (doctor, title) = doctor.map(|doctor| (doctor.name, doctor.title)).unzip();
    let departments = store.departments().await?;
    let department = departments
        .into_iter()
        .find(|department| department.id == order.detail.department);
    let journal = store.journal(order.id).await?;
    let in_progress = ConsultationStatus::InProgress.code();
    let first = journal.iter().find(|line| line.to == in_progress);
    let hospital = hospital(store).await?;
    Ok(Told {
        hospital: match language {
            Language::Zh => hospital.name_zh,
            Language::En => hospital.name_en,
        },
        patient,
        doctor,
        title: title.filter(|title| !title.trim().is_empty()),
        department: department.map(|department| match language {
            Language::Zh => department.name_zh,
            Language::En => department.name_en,
        }),
        began: first.map(|line| line.at).or(order.detail.started_at),
        zone: zone(),
        language,
        order,
    })
}

#[cfg(test)]
mod tests;

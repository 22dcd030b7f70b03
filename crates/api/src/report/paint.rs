//! Pages as PDF: the same pages give the same bytes.

use super::face::Faces;
use super::page::{Drawn, HEIGHT, Ink, Page, Rule, Text, WIDTH};
use super::words::Report;
use super::wrap::gaps;
use super::{ReportError, Told};
use jiff::Timestamp;
use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point};
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, Stroke};
use krilla::surface::Surface;
use krilla::{Document, SerializeSettings};

/// The PDF of these pages.
pub fn pdf(
    told: &Told,
    report: &Report,
    pages: &[Page],
    faces: &Faces,
) -> Result<Vec<u8>, ReportError> {
    let settings = PageSettings::from_wh(WIDTH, HEIGHT).ok_or(ReportError::Size)?;
    let mut document = Document::new_with(SerializeSettings::default());
    document.set_metadata(metadata(told, report));
    for page in pages {
        let mut sheet = document.start_page_with(settings.clone());
        let mut surface = sheet.surface();
        for drawn in page {
            match drawn {
                Drawn::Text(text) => write(&mut surface, text, faces),
                Drawn::Rule(rule) => draw(&mut surface, rule),
            }
        }
        surface.finish();
        sheet.finish();
    }
    document
        .finish()
        .map_err(|error| ReportError::Pdf(format!("{error:?}")))
}

/// Times and ids are those of the order, so that nothing in the bytes depends on who asks when.
fn metadata(told: &Told, report: &Report) -> Metadata {
    let (order, language) = (&told.order, report.language);
    let metadata = Metadata::new()
        .title(format!("{} · {}", report.hospital, report.title))
        .description(report.number.clone())
        .authors(vec![report.hospital.clone()])
        .language(language.to_owned())
        .creator("Xinglin".to_owned())
        .document_id(format!("{}/{}/{language}", order.id, order.version));
    let kept = Timestamp::from(order.updated_at).to_zoned(told.zone.clone());
    let unsigned = |part: i8| u8::try_from(part).unwrap_or_default();
    let Ok(year) = u16::try_from(kept.year()) else {
        return metadata;
    };
    let hours = kept.offset().seconds() / 3600;
    metadata.creation_date(
        DateTime::new(year)
            .month(unsigned(kept.month()))
            .day(unsigned(kept.day()))
            .hour(unsigned(kept.hour()))
            .minute(unsigned(kept.minute()))
            .second(unsigned(kept.second()))
            .utc_offset_hour(i8::try_from(hours).unwrap_or_default())
            .utc_offset_minute(0),
    )
}

fn colour(ink: Ink) -> rgb::Color {
    match ink {
        Ink::Text => rgb::Color::new(0x1F, 0x24, 0x21),
        Ink::Pale => rgb::Color::new(0x6B, 0x75, 0x70),
        Ink::Leaf => rgb::Color::new(0x1E, 0x6B, 0x52),
        Ink::Hair => rgb::Color::new(0xD5, 0xDD, 0xD9),
    }
}

fn write(surface: &mut Surface<'_>, text: &Text, faces: &Faces) {
    surface.set_stroke(None);
    surface.set_fill(Some(Fill {
        paint: colour(text.ink).into(),
        opacity: NormalizedF32::ONE,
        rule: krilla::paint::FillRule::default(),
    }));
    let face = faces.of(text.weight, &text.words);
    let gaps = gaps(&text.words);
    let widened = text.slack / text.size / f32::from(u16::try_from(gaps.len()).unwrap_or(u16::MAX));
    let after = |place| if gaps.contains(&place) { widened } else { 0.0 };
    let glyphs = face.glyphs(&text.words, after);
    let start = Point::from_xy(text.x, text.baseline);
    let font = face.font.clone();
    surface.draw_glyphs(start, &glyphs, font, &text.words, text.size, false);
}

fn draw(surface: &mut Surface<'_>, rule: &Rule) {
    let mut line = PathBuilder::new();
    line.move_to(rule.x, rule.y);
    line.line_to(rule.to, rule.y);
    surface.set_fill(None);
    surface.set_stroke(Some(Stroke {
        paint: colour(rule.ink).into(),
        width: rule.thick,
        ..Stroke::default()
    }));
    if let Some(line) = line.finish() {
        surface.draw_path(&line);
    }
}

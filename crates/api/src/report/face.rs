//! The typefaces of reports: which characters they have and how wide those are. No text is shaped:
//! in Chinese and English one character is one glyph.

use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::charmap::Charmap;
use skrifa::instance::{LocationRef, Size};
use skrifa::metrics::GlyphMetrics;
use skrifa::{FontRef, MetadataProvider};
use std::sync::LazyLock;

/// Noto Sans CJK SC: GB 2312, Latin, and characters usual in names and in medicine.
static REGULAR: &[u8] = include_bytes!("fonts/NotoSansCJKsc-subset.otf");
/// Its bold: only ASCII and what headings say.
static BOLD: &[u8] = include_bytes!("fonts/NotoSansCJKsc-Bold-subset.otf");

/// What is shown in the place of a character that the typeface lacks.
pub const MISSING: char = '□';

/// How much of its square goes on each side of a sign that stands in the middle of it, in parts of
/// the type's size: beside digits and between words the square is too wide.
const fn tightened(letter: char) -> f32 {
    match letter {
        '·' => 0.22,
        '×' | '±' | '÷' => 0.12,
        _ => 0.0,
    }
}

/// How strong letters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// What people wrote.
    Regular,
    /// Headings.
    Bold,
}

/// Both weights.
pub struct Faces {
    regular: Face,
    bold: Face,
}

impl Faces {
    /// The typefaces in the program, read when they are first needed.
    pub fn get() -> Option<&'static Self> {
        static FACES: LazyLock<Option<Faces>> = LazyLock::new(|| {
            Some(Faces {
                regular: Face::read(REGULAR)?,
                bold: Face::read(BOLD)?,
            })
        });
        FACES.as_ref()
    }

    /// The face for a text. Bold knows few characters: a text with others stays regular.
    pub fn of(&self, weight: Weight, text: &str) -> &Face {
        match weight {
            Weight::Bold if text.chars().all(|letter| self.bold.has(letter)) => &self.bold,
            Weight::Bold | Weight::Regular => &self.regular,
        }
    }

    /// The face of what people wrote.
    pub const fn regular(&self) -> &Face {
        &self.regular
    }
}

/// A typeface that can be measured and drawn with.
pub struct Face {
    /// For drawing.
    pub font: Font,
    charmap: Charmap<'static>,
    widths: GlyphMetrics<'static>,
    units: f32,
}

/// Where a character's shape is, and its place on the line, in parts of the type's size.
struct Shape {
    glyph: skrifa::GlyphId,
    width: f32,
    shift: f32,
}

impl Face {
    fn read(bytes: &'static [u8]) -> Option<Self> {
        let font = Font::new(bytes.into(), 0)?;
        let tables = FontRef::new(bytes).ok()?;
        Some(Self {
            units: font.units_per_em(),
            font,
            charmap: tables.charmap(),
            widths: tables.glyph_metrics(Size::unscaled(), LocationRef::default()),
        })
    }

    /// Whether it has a shape for this character.
    pub fn has(&self, letter: char) -> bool {
        self.charmap.map(letter).is_some()
    }

    fn shape(&self, letter: char) -> Shape {
        let glyph = self.charmap.map(letter);
        let glyph = glyph
            .or_else(|| self.charmap.map(MISSING))
            .unwrap_or_default();
        let width = self.widths.advance_width(glyph).unwrap_or(self.units) / self.units;
        let shift = if width > 0.9 { -tightened(letter) } else { 0.0 };
        Shape {
            glyph,
            width: shift.mul_add(2.0, width),
            shift,
        }
    }

    /// A character's width, in parts of the type's size.
    pub fn width(&self, letter: char) -> f32 {
        self.shape(letter).width
    }

    /// A text's width, in parts of the type's size.
    pub fn width_of(&self, text: &str) -> f32 {
        text.chars().map(|letter| self.width(letter)).sum()
    }

    /// A line's glyphs, each with the characters that it stands for; `after` gives what is to be
    /// added behind a character, by its place, in parts of the type's size.
    pub fn glyphs(&self, text: &str, after: impl Fn(usize) -> f32) -> Vec<KrillaGlyph> {
        let glyph = |(place, (at, letter)): (usize, (usize, char))| {
            let shape = self.shape(letter);
            let range = at..at + letter.len_utf8();
            let id = GlyphId::new(shape.glyph.to_u32());
            let advance = shape.width + after(place);
            KrillaGlyph::new(id, advance, shape.shift, 0.0, 0.0, range, None)
        };
        text.char_indices().enumerate().map(glyph).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_reports_say_by_themselves_has_a_shape() {
        let faces = Faces::get().unwrap();
        let said = include_str!("words.rs");
        for letter in said.chars().filter(|letter| !letter.is_control()) {
            assert!(faces.regular.has(letter), "{letter}");
            assert!(
                faces.bold.has(letter),
                "bold {letter}: make the subsets anew"
            );
        }
        for letter in "玥喆堃℃≤≥μ×±αβγ⁰⁹⁺⁻₀₂₉㎎〇".chars() {
            assert!(faces.regular.has(letter), "{letter}");
        }
    }

    #[test]
    fn a_character_without_a_shape_becomes_a_box() {
        let face = Faces::get().unwrap().regular();
        assert!(!face.has('😀') && face.has(MISSING));
        let (lacking, shown) = (face.glyphs("😀", |_| 0.0), face.glyphs("□", |_| 0.0));
        assert_eq!(lacking[0].glyph_id, shown[0].glyph_id);
        assert!(face.width('😀') > 0.5);
    }

    #[test]
    fn a_heading_that_bold_cannot_write_is_regular() {
        let faces = Faces::get().unwrap();
        assert!(std::ptr::eq(
            faces.of(Weight::Bold, "Advice"),
            &raw const faces.bold
        ));
        assert!(std::ptr::eq(
            faces.of(Weight::Bold, "龘龘"),
            &raw const faces.regular
        ));
    }
}

//! A QR code as the path of a drawing that stands in the page. Drawn here instead of by the
//! library, whose drawing is a document of its own: without a name for those who can't see it.

use qrcode::{Color, EcLevel, QrCode};
use std::fmt::Write;

/// Blank modules on each side, without which telephones find no code (ISO/IEC 18004, 6.3.8).
const QUIET: usize = 4;

/// A code to be drawn: one unit is one module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawing {
    /// How wide and high it is, with the blank around.
    pub size: usize,
    /// Its dark modules, in rows, as an SVG path.
    pub path: String,
}

/// The code of a text; nothing where it is longer than a code holds (2,331 bytes at this level).
pub fn draw(text: &str) -> Option<Drawing> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = code.width();
    let mut path = String::new();
    for (row, modules) in code.to_colors().chunks(width).enumerate() {
        let mut column = 0;
        for run in modules.chunk_by(|one, next| one == next) {
            if run[0] == Color::Dark {
                let (x, y, length) = (QUIET + column, QUIET + row, run.len());
                // Writing to a text never fails.
                write!(path, "M{x} {y}h{length}v1h-{length}z").ok();
            }
            column += run.len();
        }
    }
    Some(Drawing {
        size: width + 2 * QUIET,
        path,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The modules of a drawing, by reading its path as a browser would.
    fn modules(drawing: &Drawing) -> Vec<Vec<bool>> {
        let mut dark = vec![vec![false; drawing.size]; drawing.size];
        for run in drawing.path.split('M').skip(1) {
            let (at, rest) = run.split_once('h').unwrap();
            let (x, y) = at.split_once(' ').unwrap();
            let length: usize = rest.split('v').next().unwrap().parse().unwrap();
            let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
            dark[y][x..x + length].fill(true);
        }
        dark
    }

    #[test]
    fn the_drawing_is_the_code_with_a_blank_around_it() {
        let text = "weixin://wxpay/bizpayurl?pr=abcdef";
        let drawing = draw(text).unwrap();
        let code = QrCode::with_error_correction_level(text, EcLevel::M).unwrap();
        assert_eq!(drawing.size, code.width() + 8);
        for (y, row) in modules(&drawing).iter().enumerate() {
            for (x, dark) in row.iter().enumerate() {
                let inside = |place: usize| place.checked_sub(4).filter(|p| *p < code.width());
                let wanted = match (inside(x), inside(y)) {
                    (Some(x), Some(y)) => code[(x, y)] == Color::Dark,
                    _ => false,
                };
                assert_eq!(*dark, wanted, "{x} {y}");
            }
        }
    }

    #[test]
    fn a_text_that_no_code_holds_has_no_drawing() {
        assert!(draw(&"x".repeat(2_331)).is_some());
        assert_eq!(draw(&"x".repeat(2_332)), None);
    }
}

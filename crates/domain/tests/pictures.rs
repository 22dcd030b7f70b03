//! The drawings in `docs/lifecycles` are those of the tables as they are.

use domain::consultation::ConsultationStatus;
use domain::lifecycle::{Language, Status, svg};
use domain::payment::{PaymentStatus, RefundStatus};
use domain::session::SessionStatus;
use std::path::Path;

fn is_drawn<S: Status>(name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/lifecycles");
    for (language, short) in [(Language::Zh, "zh"), (Language::En, "en")] {
        let file = folder.join(format!("{name}.{short}.svg"));
        let kept = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            kept == svg::<S>(language),
            "draw it anew: xinglin lifecycle {name} --svg --language {short} > docs/lifecycles/{name}.{short}.svg"
        );
    }
}

#[test]
fn the_drawings_in_the_documentation_are_the_tables() {
    is_drawn::<ConsultationStatus>("consultation");
    is_drawn::<PaymentStatus>("payment");
    is_drawn::<RefundStatus>("refund");
    is_drawn::<SessionStatus>("session");
}

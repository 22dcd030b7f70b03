//! New migrations are embedded: the macro that embeds them doesn't see new files by itself.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}

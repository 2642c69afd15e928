//! The checked-in TypeScript types are those of the Rust types.

use std::path::Path;

#[test]
fn the_typescript_types_are_not_stale() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/src/generated/wire.ts");
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(found == protocol::typescript(), "wire.ts is stale: run `cargo xtask types`");
}

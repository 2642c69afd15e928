//! Query plans: no statement may cost more as history grows.

use rusqlite::Connection;

/// Fails when a statement reads a whole table that grows with history.
pub(crate) fn check_plan(conn: &Connection, sql: &str) {
    let mut explain = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let parameters = explain.parameter_count();
    let nulls = vec![rusqlite::types::Null; parameters];
    let plan: Vec<String> = explain
        .query_map(rusqlite::params_from_iter(nulls), |row| row.get("detail"))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for step in &plan {
        assert!(is_bounded(step), "{sql}\n{plan:#?}");
    }
}

/// A search is bounded by what is sought; so is a walk along an index of few rows, or in a table
/// that has few.
fn is_bounded(step: &str) -> bool {
    let few = ["_open", "_pinned", "_busy", "_removed"];
    let small = ["SCAN projects", "SCAN tokens"];
    !step.starts_with("SCAN ")
        || small.iter().any(|table| step.starts_with(table))
        || few.iter().any(|index| step.ends_with(index))
}

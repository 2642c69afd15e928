//! The document on Kilo names all that the pinned version describes of itself.

#[test]
fn every_endpoint_and_event_of_the_pinned_version_is_in_the_document() {
    let document = include_str!("../../../docs/providers/kilo.md");
    let all = include_str!("../kilo-7.7.7.txt");
    let unnamed: Vec<&str> = all
        .lines()
        .map(|line| line.strip_prefix("event ").unwrap_or(line))
        .filter(|name| !document.contains(&format!("`{name}`")))
        .collect();
    assert_eq!(unnamed, Vec::<&str>::new(), "say in docs/providers/kilo.md whether they are used");
}

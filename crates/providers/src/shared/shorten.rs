//! How much of what an agent says travels within an item or a request. Bodies have bounds of their
//! own; whatever stands inline is cut to these, with its beginning and its end kept.

use domain::ItemContent;

/// The command of an approval: a person must see what runs. In bytes, as all here.
pub(crate) const MAX_COMMAND: usize = 64 * 1024;
/// The diff of an approval.
pub(crate) const MAX_DIFF: usize = 256 * 1024;
/// A text of several lines: a tool's command, input or error, a question, a fact.
pub(crate) const MAX_TEXT: usize = 16 * 1024;
/// A text of one line: a title, a path, a pattern, an option's label.
pub(crate) const MAX_LINE: usize = 4 * 1024;
/// Entries of a list: patterns, facts, options, to-dos.
pub(crate) const MAX_LISTED: usize = 200;

/// The text, or its head and its tail with how much is missing between them. The two have `most`
/// bytes together, the head three quarters of them.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let head = text.floor_char_boundary(most / 4 * 3);
    let tail = text.ceil_char_boundary(text.len() - most / 4);
    let (start, end) = (text.get(..head), text.get(tail..));
    let missing = text.get(head..tail).map_or(0, |missing| missing.chars().count());
    let (start, end) = (start.unwrap_or_default(), end.unwrap_or_default());
    format!("{start}\n… {missing} more characters …\n{end}")
}

/// A text of one line.
pub(crate) fn line(text: &str) -> String {
    cut(text, MAX_LINE)
}

/// The lines of a list, the last of them saying how many were left out.
pub(crate) fn listed<'a>(lines: impl ExactSizeIterator<Item = &'a String>) -> Vec<String> {
    let more = lines.len().saturating_sub(MAX_LISTED);
    let mut kept: Vec<String> = lines.take(MAX_LISTED).map(|text| line(text)).collect();
    if more > 0 {
        kept.push(format!("… {more} more"));
    }
    kept
}

/// Cuts whatever of an item stands inline.
pub(crate) fn bound(content: &mut ItemContent) {
    let to = |text: &mut String, most: usize| {
        if text.len() > most {
            *text = cut(text, most);
        }
    };
    let maybe = |text: &mut Option<String>| {
        if let Some(text) = text {
            to(text, MAX_LINE);
        }
    };
    match content {
        ItemContent::Command { command, description, cwd, exit_code: _ } => {
            to(command, MAX_TEXT);
            maybe(description);
            maybe(cwd);
        }
        ItemContent::FileChange { path, .. } | ItemContent::Read { path } => to(path, MAX_LINE),
        ItemContent::Search { query, path, matches: _ } => {
            to(query, MAX_LINE);
            maybe(path);
        }
        ItemContent::Web { target } => to(target, MAX_LINE),
        ItemContent::McpCall { server, tool, input } => {
            to(server, MAX_LINE);
            to(tool, MAX_LINE);
            to(input, MAX_TEXT);
        }
        ItemContent::Tool { name, title, input } => {
            to(name, MAX_LINE);
            maybe(title);
            to(input, MAX_TEXT);
        }
        // The session is the agent's name for it and never cut: it would name another.
        ItemContent::SubAgent { agent, task, .. } => {
            to(agent, MAX_LINE);
            to(task, MAX_LINE);
        }
        ItemContent::TodoList { todos } => {
            let more = todos.len().saturating_sub(MAX_LISTED);
            todos.truncate(MAX_LISTED);
            todos.iter_mut().for_each(|todo| to(&mut todo.text, MAX_LINE));
            if let Some(last) = todos.last_mut().filter(|_| more > 0) {
                last.text.push_str(&format!(" … {more} more"));
            }
        }
        ItemContent::Plan { path } => maybe(path),
        ItemContent::Question { title } => to(title, MAX_LINE),
        ItemContent::Error { message, .. } => to(message, MAX_TEXT),
        ItemContent::UserMessage
        | ItemContent::AgentMessage
        | ItemContent::Reasoning
        | ItemContent::Compaction { .. }
        | ItemContent::Notice { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_keeps_both_ends_and_says_how_much_is_missing() {
        assert_eq!(cut("äöü", 6), "äöü");
        assert_eq!(cut("aäöü789b", 8), "aäö\n… 3 more characters …\n9b");
        let rm = format!("echo {}; rm -rf /", "x".repeat(2 * MAX_COMMAND));
        let shown = cut(&rm, MAX_COMMAND);
        assert!(shown.starts_with("echo x") && shown.ends_with("x; rm -rf /"));
        assert!(shown.len() < MAX_COMMAND + 100);
    }
}

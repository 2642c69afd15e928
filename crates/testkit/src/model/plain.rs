//! What the model answers to people who write without a script.
//!
//! A demonstration without an account: a handful of words choose what there is to see, and
//! everything else is answered with a look at the project and a page of markdown.

use std::time::Duration;

use serde_json::json;

use super::request::Request;
use super::script::{Action, Pace, Script, Step};

/// Chooses the steps for what a person wrote. They may depend on what tools gave back so far.
pub(crate) fn steps(words: &str, request: &Request) -> Vec<Step> {
    let scene = Scene { directory: working_directory(request), request };
    let said = own_words(words);
    let has = |any: &[&str]| any.iter().any(|word| said.contains(&(*word).to_owned()));
    let script = if is_planning(request) {
        scene.plan()
    } else if has(&["fail", "error", "break"]) {
        Script::new().status(400, "This model fails when it is asked to")
    } else if has(&["todo", "todos", "steps"]) && request.offers("todowrite") {
        todos()
    } else if has(&["question", "ask", "choose"]) && request.offers("question") {
        question()
    } else if has(&["agent", "subagent", "delegate", "explore"]) && request.offers("task") {
        delegate()
    } else if has(&["fix", "edit", "change", "improve"]) && request.offers("edit") {
        scene.edit()
    } else if has(&["test", "tests", "run", "check"]) && request.offers("bash") {
        tests()
    } else if has(&["long", "slow", "count", "story"]) {
        long()
    } else if has(&["implement"]) && request.offers("bash") {
        tests()
    } else {
        scene.overview()
    };
    script.steps
}

/// Kilo 7.7.7 says so to its plan agent alone; sub-agents may be offered `plan_exit` as well, and
/// a conversation that has left plan mode still holds the words.
fn is_planning(request: &Request) -> bool {
    let told = request.messages.iter().any(|message| message.text.contains("Plan Mode"));
    told && request.offers("plan_exit")
}

/// What a plan's or an edit's paths need.
struct Scene<'a> {
    directory: String,
    request: &'a Request,
}

impl Scene<'_> {
    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.directory)
    }

    fn overview(&self) -> Script {
        let script = think("Let me see what this project is before I answer.");
        if !self.request.offers("read") {
            return speak(script, OVERVIEW);
        }
        let script = speak(script, "I'll start with the README.");
        let script = script.tool("read", json!({ "filePath": self.path("README.md") })).step();
        speak(script, OVERVIEW)
    }

    fn plan(&self) -> Script {
        let path = self.path(".kilo/plans/apostrophes.md");
        let script = think("A plan first: what to change, where, and how to know it works.");
        speak(script, "I have looked around; here is my plan.")
            .tool("write", json!({ "filePath": path, "content": PLAN }))
            .step()
            .tool("plan_exit", json!({ "path": ".kilo/plans/apostrophes.md" }))
    }

    /// Edits the sample project to and fro, so that it works again and again.
    fn edit(&self) -> Script {
        let path = self.path("src/tally.js");
        let edited = self.request.messages.iter().rev().find(|message| message.role == "tool");
        let edited = edited.is_some_and(|read| read.text.contains(BETTER_PATTERN));
        let (old, new) = if edited { (BETTER_PATTERN, PATTERN) } else { (PATTERN, BETTER_PATTERN) };
        let script = think("The pattern for words decides this. Where is it?");
        let script = speak(script, "Let me look at how words are found.")
            .tool("read", json!({ "filePath": path }))
            .step();
        let script = speak(script, "One expression does it.")
            .tool("edit", json!({ "filePath": path, "oldString": old, "newString": new }))
            .step();
        speak(script, "Done: the pattern for words in `src/tally.js` is changed.")
    }
}

fn tests() -> Script {
    let script = think("The project has a test script; I'll run that.");
    let script = speak(script, "Running the tests.")
        .tool("bash", json!({ "command": "npm test", "description": "Run the tests" }))
        .step();
    speak(script, "That is what the tests say. Ask me to *fix* something next.")
}

fn todos() -> Script {
    let list = |states: [&str; 3]| {
        let todo = |(content, status)| json!({ "content": content, "status": status, "priority": "medium" });
        let contents = ["Read the code", "Change the pattern", "Run the tests"];
        let todos: Vec<_> = contents.into_iter().zip(states).map(todo).collect();
        json!({ "todos": todos })
    };
    let script = speak(Script::new(), "Three steps.")
        .tool("todowrite", list(["in_progress", "pending", "pending"]))
        .step();
    let script = speak(script, "The first is done.")
        .tool("todowrite", list(["completed", "in_progress", "pending"]))
        .step();
    let script = script.tool("todowrite", list(["completed"; 3])).step();
    speak(script, "All three are done.")
}

fn question() -> Script {
    let script = speak(Script::new(), "I need to know one thing.");
    let script = script.tool(
        "question",
        json!({ "questions": [{
            "question": "How should ties be ordered?",
            "header": "Ties",
            "options": [
                { "label": "By appearance", "description": "As now: the word seen first comes first" },
                { "label": "Alphabetically", "description": "The same order for any text" },
            ],
        }] }),
    );
    speak(script.step(), "Understood; I'll do it that way.")
}

fn delegate() -> Script {
    let script = speak(Script::new(), "A sub-agent can look into this.").tool(
        "task",
        json!({
            "description": "Survey the project",
            "prompt": "Say what this project does.",
            "subagent_type": "general",
        }),
    );
    speak(script.step(), "The sub-agent has reported; its findings are above.")
}

fn long() -> Script {
    let pace = Pace { sizes: vec![6], delay: TICK, repeat: Some(40) };
    Script::new().action(Action::Text(PARAGRAPH.to_owned(), pace))
}

/// The pause between chunks: as fast as a model that is read along with.
const TICK: Duration = Duration::from_millis(15);

fn think(text: &str) -> Script {
    Script::new().action(Action::Reasoning(text.to_owned(), Pace::new(4, TICK)))
}

fn speak(script: Script, text: &str) -> Script {
    script.stream(text, 5, TICK)
}

/// Returns the words a person wrote, in lower case, without what the client added to them.
fn own_words(text: &str) -> Vec<String> {
    let own = text.split(['<', '`']).next().unwrap_or_default().to_lowercase();
    let words = own.split(|character: char| !character.is_alphanumeric());
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Kilo 7.7.7 says where it works in each message's `<environment_details>`.
fn working_directory(request: &Request) -> String {
    let lines = request.messages.iter().rev().flat_map(|message| message.text.lines());
    let mut found = lines.filter_map(|line| line.trim().strip_prefix("Working directory: "));
    found.next().unwrap_or(".").to_owned()
}

const PATTERN: &str = "/[a-z]+/g";
const BETTER_PATTERN: &str = "/[a-z]+(?:'[a-z]+)*/g";

const OVERVIEW: &str = "\
## What this is

A **scripted model** is answering, not a real one. It can still show what there is to see:

| write | and see |
|---|---|
| *run the tests* | a command that needs your approval |
| *fix the words* | a file change with its diff |
| *make todos* | a list of steps being ticked off |
| *ask me a question* | a question to answer |
| *delegate it to an agent* | a sub-agent at work |
| *tell a long story* | a long answer, to try Stop on |
| *fail* | an error of the provider |

In plan mode I write a plan and wait for you to accept it.

```js
// Code is shown as code:
export const top = (counts, limit = 10) =>
  [...counts].sort(([, a], [, b]) => b - a).slice(0, limit);
```

1. Lists are lists,
2. with `inline code` and [links](https://example.invalid/).

> And whatever you write with a script block in it, I play to the letter.
";

const PLAN: &str = "\
# Count words with apostrophes as one

1. In `src/tally.js`, let the pattern of words take apostrophes between letters.
2. Add a test: *don't* is one word.
3. Run `npm test`.
";

const PARAGRAPH: &str = "\
The counter counts one word, and then the next, and it is in no hurry; there are more words where \
these come from, and each of them arrives in its own time.\n\n";

#[cfg(test)]
mod tests {
    use super::super::request::Message;
    use super::*;

    fn request(tools: &[&str], tool_result: &str) -> Request {
        let asked = "fix it\n<environment_details>\nWorking directory: /code/tally\nrun tests";
        Request {
            tools: tools.iter().map(|name| (*name).to_owned()).collect(),
            messages: vec![Message::new("user", asked), Message::new("tool", tool_result)],
            ..Request::default()
        }
    }

    fn first_tool(words: &str, request: &Request) -> Option<String> {
        let actions = steps(words, request).into_iter().flatten();
        actions.into_iter().find_map(|action| match action {
            Action::Tool { name, .. } => Some(name),
            _ => None,
        })
    }

    #[test]
    fn words_choose_what_there_is_to_see() {
        let all = request(&["read", "bash", "edit", "task", "question", "todowrite"], "");
        let none = request(&[], "");
        let cases = [
            ("Please run the tests!", "bash"),
            ("Fix it", "edit"),
            ("Make a todo list", "todowrite"),
            ("Ask me", "question"),
            ("delegate", "task"),
            ("Hello <details>run tests</details>", "read"),
        ];
        for (words, expected) in cases {
            let tools: Vec<_> = steps(words, &all).into_iter().flatten().collect();
            let called = tools
                .iter()
                .any(|action| matches!(action, Action::Tool { name, .. } if name == expected));
            assert!(called, "{words}: {tools:?}");
            assert_eq!(first_tool(words, &none), None, "{words}: tools that are not offered");
        }
    }

    #[test]
    fn plans_where_plans_are_made() {
        let mut plan = request(&["read", "write", "plan_exit"], "");
        let elsewhere = format!("{:?}", steps("anything", &plan));
        assert!(!elsewhere.contains("plans"), "{elsewhere}");
        plan.messages.push(Message::new("user", "# Native Plan Mode"));
        let script = steps("anything", &plan);
        let written = format!("{script:?}");
        assert!(written.contains("/code/tally/.kilo/plans/"), "{written}");
    }

    #[test]
    fn edits_to_and_fro() {
        let there = format!("{:?}", steps("fix", &request(&["edit"], PATTERN)));
        let back = format!("{:?}", steps("fix", &request(&["edit"], BETTER_PATTERN)));
        assert_ne!(there, back);
    }
}

//! What the model answers to people who write without a script.
//!
//! A demonstration without an account: a handful of words choose what there is to see, and
//! everything else is answered with a look at the project and a page of markdown.

mod hands;

use std::time::Duration;

use self::hands::Hands;
use super::request::Request;
use super::script::{Action, Pace, Script, Step};

/// Chooses the steps for what a person wrote. They may depend on what tools gave back so far.
pub(crate) fn steps(words: &str, request: &Request) -> Vec<Step> {
    let scene = Scene { hands: Hands::of(request), request };
    let (said, able) = (own_words(words), &scene.hands);
    let has = |any: &[&str]| any.iter().any(|word| said.contains(&(*word).to_owned()));
    let script = if able.is_planning(request) {
        scene.plan()
    } else if has(&["fail", "error", "break"]) {
        Script::new().status(400, "This model fails when it is asked to")
    } else if has(&["todo", "todos", "steps"]) && able.can_list(request) {
        scene.todos()
    } else if has(&["question", "ask", "choose"]) && able.can_ask(request) {
        scene.question()
    } else if has(&["agent", "subagent", "delegate", "explore"]) && able.can_delegate(request) {
        scene.delegate()
    } else if has(&["fix", "edit", "change", "improve"]) && able.can_edit(request) {
        scene.edit()
    } else if has(&["test", "tests", "run", "check", "implement"]) && able.can_run(request) {
        scene.tests()
    } else if has(&["long", "slow", "count", "story"]) {
        long()
    } else {
        scene.overview()
    };
    script.steps
}

/// What there is to see, and whose tools show it.
struct Scene<'a> {
    hands: Hands,
    request: &'a Request,
}

impl Scene<'_> {
    fn overview(&self) -> Script {
        let script = think("Let me see what this project is before I answer.");
        if !self.hands.can_read(self.request) {
            return speak(script, OVERVIEW);
        }
        let script = speak(script, "I'll start with the README.");
        speak(self.hands.read(script, "README.md").step(), OVERVIEW)
    }

    fn plan(&self) -> Script {
        let script = think("A plan first: what to change, where, and how to know it works.");
        let script = speak(script, "I have looked around; here is my plan.\n\n");
        let script = self.hands.plan(script, PLAN);
        if self.hands.is_built_at_once(self.request) {
            let script = self.hands.run(script.step(), "npm test", "Run the tests").step();
            return speak(script, "That is what the tests say.");
        }
        script
    }

    /// Edits the sample project to and fro, so that it works again and again.
    fn edit(&self) -> Script {
        let edited = self.request.messages.iter().rev().find(|message| message.role == "tool");
        let edited = edited.is_some_and(|read| read.text.contains(BETTER));
        let (old, new) = if edited { (BETTER, LINE) } else { (LINE, BETTER) };
        let script = think("The pattern for words decides this. Where is it?");
        let script = speak(script, "Let me look at how words are found.");
        let script = self.hands.read(script, "src/tally.js").step();
        let script = speak(script, "One expression does it.");
        let script = self.hands.edit(script, "src/tally.js", old, new).step();
        speak(script, "Done: the pattern for words in `src/tally.js` is changed.")
    }

    fn tests(&self) -> Script {
        let script = think("The project has a test script; I'll run that.");
        let script = speak(script, "Running the tests.");
        let script = self.hands.run(script, "npm test", "Run the tests").step();
        speak(script, "That is what the tests say. Ask me to *fix* something next.")
    }

    fn todos(&self) -> Script {
        let contents = ["Read the code", "Change the pattern", "Run the tests"];
        let list =
            |script, states: [&str; 3]| self.hands.list(script, contents.into_iter().zip(states));
        let script = speak(Script::new(), "Three steps.");
        let script = list(script, ["in_progress", "pending", "pending"]).step();
        let script = speak(script, "The first is done.");
        let script = list(script, ["completed", "in_progress", "pending"]).step();
        speak(list(script, ["completed"; 3]).step(), "All three are done.")
    }

    fn question(&self) -> Script {
        let script = speak(Script::new(), "I need to know one thing.");
        let options = [
            ("By appearance", "As now: the word seen first comes first"),
            ("Alphabetically", "The same order for any text"),
        ];
        let script = self.hands.ask(script, "Ties", "How should ties be ordered?", options);
        speak(script.step(), "Understood; I'll do it that way.")
    }

    fn delegate(&self) -> Script {
        let script = speak(Script::new(), "A sub-agent can look into this.");
        let script =
            self.hands.delegate(script, "Survey the project", "Say what this project does.");
        speak(script.step(), "The sub-agent was told what to do; see above.")
    }
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

/// Returns the words a person wrote, in lower case, without what the client added to them in tags.
fn own_words(text: &str) -> Vec<String> {
    let text = without_tagged(text);
    let own = text.split(['<', '`']).next().unwrap_or_default().to_lowercase();
    let words = own.split(|character: char| !character.is_alphanumeric());
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Takes out each `<tag>…</tag>` that has an end.
fn without_tagged(text: &str) -> String {
    let mut own = String::new();
    let mut rest = text;
    while let Some((before, tagged)) = rest.split_once('<') {
        own.push_str(before);
        let name = tagged.split(['>', ' ', '\n']).next().unwrap_or_default();
        let end = format!("</{name}>");
        match tagged.split_once(&end).filter(|_| !name.is_empty()) {
            Some((_, after)) => rest = after,
            None => return own + "<" + tagged,
        }
    }
    own + rest
}

/// The line of the sample that finds words, and a better one.
const LINE: &str = "  return text.toLowerCase().match(/[a-z]+/g) ?? [];";
const BETTER: &str = "  return text.toLowerCase().match(/[a-z]+(?:'[a-z]+)*/g) ?? [];";

const OVERVIEW: &str = "\
## What this is

A **scripted model** is answering, not a real one. It can still show what there is to see:

| write | and see |
|---|---|
| *run the tests* | a command that needs your approval |
| *fix the words* | a file change with its diff |
| *make todos* | a list of steps being ticked off |
| *ask me a question* | a question to answer (Codex asks in plan mode alone) |
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
    use super::super::protocol::Protocol;
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
            ("<reminder>\nask the user\n</reminder>\nfix it", "edit"),
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
        let there = format!("{:?}", steps("fix", &request(&["edit"], LINE)));
        let back = format!("{:?}", steps("fix", &request(&["edit"], BETTER)));
        assert_ne!(there, back);
    }

    #[test]
    fn each_agent_s_own_tools_are_called() {
        let codex = Request {
            protocol: Protocol::Responses,
            ..request(&["exec_command", "apply_patch", "update_plan", "tool_search"], "")
        };
        let claude = Request {
            protocol: Protocol::Messages,
            ..request(&["Read", "Bash", "Edit", "TodoWrite", "AskUserQuestion", "Agent"], "")
        };
        let cases = [
            ("run the tests", Some("exec_command"), Some("Bash")),
            ("fix it", Some("exec_command"), Some("Read")),
            ("make todos", Some("update_plan"), Some("TodoWrite")),
            ("ask me", Some("exec_command"), Some("AskUserQuestion")),
            ("delegate it", Some("tool_search"), Some("Task")),
        ];
        for (words, of_codex, of_claude) in cases {
            assert_eq!(first_tool(words, &codex).as_deref(), of_codex, "{words}");
            assert_eq!(first_tool(words, &claude).as_deref(), of_claude, "{words}");
        }
    }

    #[test]
    fn codex_plans_while_its_last_mode_is_the_plan_mode() {
        let mut request = Request { protocol: Protocol::Responses, ..request(&[], "") };
        let mode = |mode| format!("<collaboration_mode># {mode} Mode</collaboration_mode>");
        for (told, planned) in [("Plan", true), ("Default", false)] {
            request.messages.insert(0, Message::new("system", "instructions"));
            request.messages.insert(2, Message::new("system", mode(told)));
            let script = format!("{:?}", steps("anything", &request));
            assert_eq!(script.contains("<proposed_plan>"), planned, "{told}");
            request.messages.remove(2);
        }
    }
}

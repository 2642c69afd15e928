//! What the model is made to do: something else each time.

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use testkit::dice::Dice;
use testkit::model::Script;

/// A piece of work.
pub(crate) struct Work {
    pub(crate) script: Script,
    /// How often the model may begin it: more than once only where Kilo itself tries again.
    pub(crate) plays: u32,
    /// It does not end by itself.
    pub(crate) endless: bool,
    pub(crate) name: &'static str,
}

/// Some work, by chance. `mark` tells it from all other.
pub(crate) fn some(dice: &mut Dice, mark: &str, workspace: &Path) -> Work {
    let work =
        |name, script: Script| Work { script: script.id(mark), plays: 1, endless: false, name };
    match dice.within(0..100) {
        0..22 => work("text", speak(dice, Script::new())),
        22..32 => {
            let thought = words(dice, 5..120);
            let pace = dice.millis(1..6);
            work("reasoning", speak(dice, thinking(Script::new(), thought, pace)))
        }
        32..48 => work("command", speak(dice, command(dice.clone(), Script::new(), mark).step())),
        48..56 => {
            let several = (0..dice.within(2..4)).fold(Script::new(), |script, n| {
                script.bash(format!("sleep 0.{n}; echo {mark} part {n}"))
            });
            work("commands", speak(dice, several.step()))
        }
        56..64 => {
            let path = workspace.join(format!("{mark}.txt"));
            let file = json!({ "filePath": path, "content": words(dice, 3..80) });
            work("file", speak(dice, Script::new().tool("write", file).step()))
        }
        64..72 => work("question", speak(dice, question(Script::new()).step())),
        72..76 => {
            let todos = json!({ "todos": [
                { "content": "Look", "status": "completed", "priority": "high" },
                { "content": mark, "status": "in_progress", "priority": "medium" },
            ] });
            work("todos", speak(dice, Script::new().tool("todowrite", todos).step()))
        }
        76..84 => {
            let inner = command(dice.clone(), Script::new(), mark).step().text(words(dice, 5..60));
            let outer = Script::new().task("general", "Help out", &inner).step();
            work("sub-agent", speak(dice, outer))
        }
        84..87 => work("large output", speak(dice, Script::new().bash("seq 1 30000").step())),
        87..89 => work("refused", Script::new().status(400, "this cannot be done")),
        89..91 => {
            let script = Script::new().status_times(429, "slow down", 1);
            Work { plays: 3, ..work("retried", speak(dice, script)) }
        }
        91..93 => Work { plays: 3, ..work("cut", speak(dice, Script::new()).cut()) },
        93..94 => Work { plays: 3, ..work("odd end", speak(dice, Script::new()).end()) },
        94..97 => {
            let script = Script::new().bash(format!("echo {mark} begun; sleep 900")).step();
            Work { endless: true, ..work("long command", speak(dice, script)) }
        }
        _ => Work { endless: true, ..work("silence", speak(dice, Script::new()).hang()) },
    }
}

/// A plan, and what is said once it was decided about.
pub(crate) fn plan(dice: &mut Dice, mark: &str, workspace: &Path) -> Work {
    let path = format!(".kilo/plans/{mark}.md");
    let file = json!({ "filePath": workspace.join(&path), "content": words(dice, 5..60) });
    let script = Script::new().id(mark).tool("write", file).step();
    let script = script.tool("plan_exit", json!({ "path": path })).then();
    Work { script: speak(dice, script), plays: 1, endless: false, name: "plan" }
}

/// A text to go with a message.
pub(crate) fn note(dice: &mut Dice) -> String {
    words(dice, 5..200)
}

fn speak(dice: &mut Dice, script: Script) -> Script {
    let text = words(dice, 5..400);
    let size = usize::try_from(dice.within(1..40)).unwrap_or(10);
    script.stream(text, size, Duration::from_millis(dice.within(0..12)))
}

fn thinking(script: Script, text: String, pace: Duration) -> Script {
    use testkit::model::{Action, Pace};
    script.action(Action::Reasoning(text, Pace::new(6, pace)))
}

fn command(mut dice: Dice, script: Script, mark: &str) -> Script {
    let tenths = dice.within(0..15);
    script.bash(format!("sleep {}.{}; echo {mark} done", tenths / 10, tenths % 10))
}

fn question(script: Script) -> Script {
    let option = |label: &str| json!({ "label": label, "description": "one of two" });
    script.tool(
        "question",
        json!({ "questions": [{
            "question": "Which way?", "header": "Way",
            "options": [option("Left"), option("Right")],
        }] }),
    )
}

/// Words in which a loss, a repetition and a torn character show.
fn words(dice: &mut Dice, count: std::ops::Range<u64>) -> String {
    const WORDS: [&str; 8] =
        ["aaaa", "wörd", "👍🏽", "| a | b |\n", "\n\n", "*bold*", "`code`", "日本語"];
    let count = dice.within(count);
    (0..count).map(|n| format!("{n} {} ", dice.pick(&WORDS).copied().unwrap_or_default())).collect()
}

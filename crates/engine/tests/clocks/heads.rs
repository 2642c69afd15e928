//! What is checked out in a project's directory is told when it changes.

use domain::{Head, ProjectHead, ShellChange, TurnEvent, TurnOutcome};
use engine::{FeedItem, ShellFeed};

use crate::kit::{Bench, make_thread};

/// Writes what is checked out, as git does.
fn check_out(bench: &Bench, head: &str) {
    let git = bench.directory().join("project/.git");
    std::fs::create_dir_all(&git).unwrap();
    std::fs::write(git.join("HEAD"), head).unwrap();
}

/// Follows the shell, and what is known of heads by now.
async fn follow(bench: &Bench) -> (ShellFeed, Vec<ProjectHead>) {
    let mut shell = bench.engine.follow_shell(None).await.unwrap();
    let Some(FeedItem::Gap { snapshot, .. }) = shell.take().await.unwrap() else {
        panic!("a snapshot comes first");
    };
    (shell, snapshot.heads)
}

/// The next change of a head that is told.
async fn told(shell: &mut ShellFeed) -> ProjectHead {
    loop {
        shell.ready().await;
        let Some(FeedItem::Changes { changes, .. }) = shell.take().await.unwrap() else { continue };
        let head = changes.into_iter().find_map(|change| match change {
            ShellChange::Head { head } => Some(head),
            _ => None,
        });
        if let Some(head) = head {
            return head;
        }
    }
}

fn branch(name: &str) -> Option<Head> {
    Some(Head::Branch { name: name.to_owned() })
}

#[tokio::test(start_paused = true)]
async fn what_is_checked_out_is_told_at_the_end_of_a_turn_and_when_a_person_looks() {
    let bench = Bench::start().await;
    let project = bench.window().await.thread.project_id;
    let (mut shell, heads) = follow(&bench).await;
    assert_eq!(heads, [], "there is no git");

    let turn = bench.running().await;
    check_out(&bench, "ref: refs/heads/fix/one\n");
    bench.tell(&turn, TurnEvent::Ended(TurnOutcome::Completed)).await;
    let first = ProjectHead { project: project.clone(), head: branch("fix/one") };
    assert_eq!(told(&mut shell).await, first);

    check_out(&bench, "0123456789abcdef0123456789abcdef01234567\n");
    bench.engine.look_at_heads().await.unwrap();
    let commit = Head::Detached { commit: "0123456789ab".to_owned() };
    assert_eq!(told(&mut shell).await.head, Some(commit.clone()));

    assert_eq!(follow(&bench).await.1, [ProjectHead { project, head: Some(commit) }]);

    std::fs::remove_dir_all(bench.directory().join("project/.git")).unwrap();
    bench.engine.look_at_heads().await.unwrap();
    assert_eq!(told(&mut shell).await.head, None);
}

#[tokio::test(start_paused = true)]
async fn a_project_that_is_added_says_what_is_checked_out_and_one_that_is_removed_is_forgotten() {
    let bench = Bench::start().await;
    let elsewhere = tempfile::tempdir().unwrap();
    let git = elsewhere.path().join("project/.git");
    std::fs::create_dir_all(&git).unwrap();
    std::fs::write(git.join("HEAD"), "ref: refs/heads/main\n").unwrap();
    let (mut shell, _) = follow(&bench).await;
    make_thread(&bench.engine, elsewhere.path()).await;
    let head = told(&mut shell).await;
    assert_eq!(head.head, branch("main"));

    bench.engine.remove_project(&head.project).await.unwrap();
    assert_eq!(follow(&bench).await.1, []);
}

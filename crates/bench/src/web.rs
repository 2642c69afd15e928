//! What the page loads before it is first painted, as the real program serves it.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::program::{Program, Running};
use crate::report::{Budget, Row};

/// What stands before the name of a script that has to be there first: scripts and preloaded
/// modules of the page, static imports of a module as the bundler writes them.
const MARKS: [&str; 4] = ["src=\"", "href=\"", "from\"", "import\""];

pub(crate) async fn web(program: &Program) -> Result<Vec<Row>> {
    let data = tempfile::tempdir()?;
    let running = program.start(data.path()).await?;
    let page = running.get("/", "").await?;
    let page = String::from_utf8_lossy(&page.body).into_owned();
    let (mut plain, mut zipped) = (0, 0);
    let mut known = BTreeSet::new();
    let mut open = scripts("/", &page);
    while let Some(path) = open.pop() {
        if !known.insert(path.clone()) {
            continue;
        }
        let script = running.get(&path, "").await?.body;
        plain += script.len();
        zipped += gzipped(&running, &path).await?;
        open.extend(scripts(&path, &String::from_utf8_lossy(&script)));
    }
    running.stop().await?;
    if known.is_empty() {
        eprintln!("this baton was built without its web app, so there is nothing to measure");
        return Ok(Vec::new());
    }
    Ok(vec![
        Row::new("JavaScript before the first paint", zipped as f64 / 1024.0, "KiB gzip")
            .budget(Budget::AtMost(80.0))
            .detail(format!("{} files, {} KiB unpacked", known.len(), plain / 1024)),
    ])
}

async fn gzipped(running: &Running, path: &str) -> Result<usize> {
    let answer = running.get(path, "Accept-Encoding: gzip\r\n").await?;
    let packed = answer.head.to_ascii_lowercase().contains("content-encoding: gzip");
    if !packed {
        eprintln!("{path} is not served packed");
    }
    Ok(answer.body.len())
}

/// The scripts that a page or a script names, as paths.
fn scripts(from: &str, text: &str) -> Vec<String> {
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let named = |mark: &'static str| {
        text.split(mark).skip(1).filter_map(move |rest| {
            let name = rest.split('"').next().filter(|name| name.ends_with(".js"))?;
            Some(match name.strip_prefix("./") {
                Some(name) => format!("{folder}/{name}"),
                None => name.to_owned(),
            })
        })
    };
    MARKS.into_iter().flat_map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_and_a_module_name_their_scripts() {
        let page = r#"<script src="./theme.js"></script>
            <script type="module" crossorigin src="./assets/index-a1.js"></script>
            <link rel="modulepreload" crossorigin href="/assets/solid-b2.js">
            <link rel="stylesheet" crossorigin href="/assets/index-c3.css">"#;
        let wanted = ["/theme.js", "/assets/index-a1.js", "/assets/solid-b2.js"];
        assert_eq!(scripts("/", page), wanted);
        let module =
            r#"import{a as b}from"./x-1.js";import"./y-2.js";const z=()=>import("./z-3.js")"#;
        assert_eq!(scripts("/assets/index-a1.js", module), ["/assets/x-1.js", "/assets/y-2.js"]);
    }
}

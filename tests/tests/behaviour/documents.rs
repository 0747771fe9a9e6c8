//! The documents: each relative link has a target, and each measured table and chart is present.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// Folders with files that were built or installed.
const NOT_OURS: [&str; 5] = ["target", "node_modules", ".work", ".git", "corpus"];

#[test]
fn every_relative_link_leads_somewhere() {
    let documents = documents();
    let mut broken = Vec::new();
    for document in &documents {
        for link in links(&fs::read_to_string(document).unwrap()) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (path, fragment) = link.split_once('#').map_or((&*link, None), |(path, name)| (path, Some(name)));
            let target = if path.is_empty() { document.clone() } else { document.parent().unwrap().join(path) };
            let is_there = match fragment {
                None => target.exists(),
                Some(name) => fs::read_to_string(&target).is_ok_and(|text| anchors(&text).contains(name)),
            };
            if !is_there {
                broken.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
}

#[test]
fn the_guide_leads_to_every_page() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let listed: BTreeSet<_> = links(&fs::read_to_string(docs.join("README.md")).unwrap()).into_iter().collect();
    for entry in fs::read_dir(&docs).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let is_page = name.ends_with(".md") && name != "README.md";
        assert!(
            !is_page || listed.iter().any(|link| link.split('#').next() == Some(&*name)),
            "{name} is not in docs/README.md"
        );
    }
}

#[test]
fn every_code_of_a_rejection_is_explained() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let explained = fs::read_to_string(root.join("docs/rejections.md")).unwrap();
    let mut codes = BTreeSet::new();
    for file in ["engine/src/rejection.rs", "engine/src/unavailable.rs", "engine/src/dpop/error.rs", "jwt/src/error.rs"]
    {
        let source = fs::read_to_string(root.join("crates").join(file)).unwrap();
        let (_, body) = source.split_once("pub fn code(&self) -> &'static str {").unwrap();
        let (body, _) = body.split_once("\n    }\n").unwrap();
        codes.extend(body.lines().filter_map(|line| Some(line.split_once("=> \"")?.1.split_once('"')?.0.to_owned())));
    }
    assert!(codes.len() > 60, "the codes were not found: {codes:?}");
    codes.retain(|code| !explained.contains(&format!("`{code}`")));
    assert!(codes.is_empty(), "docs/rejections.md does not explain {codes:?}");
}

#[test]
fn every_marker_of_a_measurement_has_something_behind_it() {
    let mut markers = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for (_, after) in text.match_indices("<!-- measured: ").map(|(at, begin)| text.split_at(at + begin.len())) {
            let (name, rest) = after.split_once(" -->").unwrap();
            let content = rest.split_once(&format!("<!-- end: {name} -->")).map(|(content, _)| content.trim());
            let content = content.unwrap_or_else(|| panic!("{}: `{name}` has no end", document.display()));
            assert!(!content.is_empty(), "{}: nothing was measured for `{name}`", document.display());
            assert!(!content.contains("<!-- measured: "), "{}: `{name}` ends too late", document.display());
            markers += 1;
        }
    }
    assert!(markers >= 10, "the markers were not found: {markers}");
}

#[test]
fn anchors_are_as_github_makes_them() {
    let text = "# A `b` *c*, d\n## Twice\n## Twice\n";
    assert_eq!(anchors(text), BTreeSet::from(["a-b-c-d", "twice", "twice-1"].map(str::to_owned)));
    assert_eq!(links("[a](b.md#c) ![d](e.svg) `[f](g)`"), ["b.md#c", "e.svg"]);
}

/// The targets of a document's links and images.
fn links(text: &str) -> Vec<String> {
    let target = |event| match event {
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => Some(dest_url.into_string()),
        _ => None,
    };
    Parser::new_ext(text, Options::ENABLE_TABLES).filter_map(target).collect()
}

/// The anchors of a document's headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    let mut heading: Option<String> = None;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match (event, &mut heading) {
            (Event::Start(Tag::Heading { .. }), _) => heading = Some(String::new()),
            (Event::Text(text) | Event::Code(text), Some(heading)) => heading.push_str(&text),
            (Event::End(TagEnd::Heading(_)), Some(text)) => {
                let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
                let name: String = text.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-");
                // A duplicate name gets a number.
                let mut numbered = (1..).map(|number| format!("{name}-{number}"));
                let free = Some(name.clone()).into_iter().chain(&mut numbered).find(|name| !anchors.contains(name));
                anchors.extend(free);
                heading = None;
            }
            _ => {}
        }
    }
    anchors
}

fn documents() -> Vec<PathBuf> {
    let mut documents = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), &mut documents);
    assert!(documents.len() > 10, "the documents were not found: {documents:?}");
    documents
}

fn collect(folder: &Path, documents: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_ours = path.file_name().is_none_or(|name| NOT_OURS.iter().all(|folder| name != *folder));
        if path.is_dir() && is_ours {
            collect(&path, documents);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            documents.push(path);
        }
    }
}

//! Links between the pages, and from the library's documentation to the specification.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Document, repository};

/// Every page of the project.
fn pages() -> Vec<Document> {
    let mut open = ["src", "tests", "benches", "examples", "scripts"].map(PathBuf::from).to_vec();
    let mut pages: Vec<PathBuf> = names("").into_iter().filter(|name| is_page(name)).collect();
    while let Some(dir) = open.pop() {
        for name in names(&dir).into_iter().map(|name| dir.join(name)) {
            if repository().join(&name).is_dir() {
                open.extend((!name.ends_with("target")).then_some(name));
            } else if is_page(&name) {
                pages.push(name);
            }
        }
    }
    pages.iter().map(|page| Document::read(page.to_str().unwrap())).collect()
}

fn names(dir: impl AsRef<Path>) -> Vec<PathBuf> {
    let entries = fs::read_dir(repository().join(dir)).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into()).collect()
}

fn is_page(name: &Path) -> bool {
    name.extension().is_some_and(|extension| extension == "md")
}

/// The heading is on the page that a link leads to.
#[track_caller]
fn has_anchor(path: &Path, anchor: &str) -> bool {
    let page = pages()
        .into_iter()
        .find(|page| fs::canonicalize(repository().join(page.path())).ok() == path.canonicalize().ok());
    let page = page.unwrap_or_else(|| panic!("{} is no page with headings", path.display()));
    page.anchors().iter().any(|heading| heading == anchor)
}

#[test]
fn every_link_of_a_page_leads_to_a_file_and_heading_that_exist() {
    for page in pages() {
        for link in page.links().iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { repository().join(page.path()) } else { page.dir().join(file) };
            assert!(target.exists(), "{}: {link} leads nowhere", page.path());
            assert!(anchor.is_empty() || has_anchor(&target, anchor), "{}: {link} is no heading", page.path());
        }
    }
}

/// Every Rust file below a directory.
fn sources(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

#[test]
fn every_link_of_the_library_to_the_specification_leads_to_a_heading() {
    const LINK: &str = "crate::specification#";
    let anchors = super::specification().anchors();
    let mut count = 0;
    for source in sources(&repository().join("src")) {
        for rest in fs::read_to_string(&source).unwrap().split(LINK).skip(1) {
            let anchor = rest.split([')', ']']).next().unwrap();
            assert!(anchors.iter().any(|heading| heading == anchor), "{}: {LINK}{anchor}", source.display());
            count += 1;
        }
    }
    assert!(count > 0, "there is no link to the specification");
}

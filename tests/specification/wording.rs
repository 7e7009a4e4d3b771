//! Comments that people read in a terminal, and as documentation.

use std::fs;
use std::path::{Path, PathBuf};

/// The longest line of a comment, in characters.
const WIDTH: usize = 120;

/// Beginnings that keep from the reader what a thing is: a noun, or a verb.
const FOREIGN: [&str; 2] = ["What ", "Whether "];

/// Everything that is wrong with the comments of a file: `FILE:LINE: what`.
fn faults(file: &str, text: &str) -> Vec<String> {
    let comments = text.lines().zip(1..).filter(|(line, _)| line.trim_start().starts_with("//"));
    // A test's name is the sentence; what stands at its head is for those who look into the file.
    let is_documented = ["src/", "examples/", "tests/support/"].into_iter().any(|dir| file.starts_with(dir));
    let fault = |line| if is_documented { foreign(line).or_else(|| too_long(line)) } else { too_long(line) };
    comments.filter_map(|(line, number)| Some(format!("{file}:{number}: {}", fault(line)?))).collect()
}

fn foreign(line: &str) -> Option<String> {
    let line = line.trim_start();
    let doc = line.strip_prefix("/// ").or_else(|| line.strip_prefix("//! "))?;
    let word = FOREIGN.iter().find(|word| doc.starts_with(**word))?;
    Some(format!("a sentence that begins with `{}`: name the thing or the action", word.trim_end()))
}

fn too_long(line: &str) -> Option<String> {
    // A table can't be broken, nor can an example with JSON in it.
    let is_prose = !line.contains(['|', '"']);
    let length = line.chars().count();
    (is_prose && length > WIDTH).then(|| format!("{length} characters, more than {WIDTH}"))
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            found.extend(sources(&entry));
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            found.push(entry);
        }
    }
    found
}

#[test]
fn comments_are_easy_to_read() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = ["src", "examples", "tests", "benches"].into_iter().flat_map(|dir| sources(&top.join(dir)));
    let of_file = |file: PathBuf| {
        let name = file.strip_prefix(top).unwrap().display().to_string();
        faults(&name, &fs::read_to_string(file).unwrap())
    };
    let found: Vec<_> = files.flat_map(of_file).collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn a_comment_that_is_hard_to_read_is_found() {
    let long = format!("fn f() {{\n    // {}\n}}\n", "a ".repeat(60));
    assert_eq!(faults("src/f.rs", &long), ["src/f.rs:2: 127 characters, more than 120"]);
    let foreign = "/// Whether it is so.\nconst A: u8 = 1; // Whether.\n";
    let says = "a sentence that begins with `Whether`: name the thing or the action";
    assert_eq!(faults("src/f.rs", foreign), [format!("src/f.rs:1: {says}")]);
    assert_eq!(faults("src/f.rs", &format!("// {}|\n", "a ".repeat(60))), [""; 0]);
}

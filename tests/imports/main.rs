//! Which module may use which, and which may touch the system, as the table of CONTRIBUTING.md says; and that no two
//! files of a program need each other. `scripts/check-imports.sh` runs this.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test, in helpers too")]

mod circles;
mod paths;
mod planted;
mod rules;
mod source;
mod table;

use source::Source;

/// Something that is not as it must be.
#[derive(Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Violation {
    file: String,
    line: usize,
    says: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.says)
    }
}

/// Everything that is wrong with a source tree.
fn violations(source: &Source) -> Vec<Violation> {
    let mut all = rules::violations(source);
    all.extend(circles::violations(source));
    all.sort();
    all.dedup();
    all
}

#[test]
fn every_file_uses_only_what_it_may() {
    let found = violations(&Source::read());
    let told: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "\n{}\n", told.join("\n"));
}

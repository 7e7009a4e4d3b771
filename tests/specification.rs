//! The documents: what SPECIFICATION.md shows is what the library does, what it promises is tested, and every link
//! leads somewhere.

use crate::support::Document;

mod conventions;
mod examples;
mod links;
mod promises;
mod threats;
mod tutorial;
mod wording;

fn specification() -> Document {
    Document::read("SPECIFICATION.md")
}

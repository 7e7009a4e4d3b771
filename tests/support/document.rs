//! A page of the project, in Markdown: its blocks of code, headings and links.

use std::fs;
use std::path::{Path, PathBuf};

/// A page, by its path in the repository.
pub(crate) struct Document {
    path: String,
    text: String,
}

/// A block of code.
pub(crate) struct Block {
    /// The comment in front of it, `<!-- example: NAME -->`.
    pub(crate) example: Option<String>,
    pub(crate) language: String,
    pub(crate) text: String,
    /// Where it begins; counts from 1.
    pub(crate) line: usize,
}

pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

impl Document {
    #[track_caller]
    pub(crate) fn read(path: &str) -> Self {
        let file = repository().join(path);
        let text = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        Self { path: path.to_owned(), text }
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The directory that links of the page count from.
    pub(crate) fn dir(&self) -> PathBuf {
        repository().join(&self.path).parent().unwrap().to_owned()
    }

    pub(crate) fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut lines = self.text.lines().zip(1..);
        let mut example = None;
        while let Some((line, number)) = lines.next() {
            let Some(language) = line.trim_start().strip_prefix("```") else {
                let comment = line.strip_prefix("<!-- example: ").and_then(|rest| rest.strip_suffix(" -->"));
                example = comment.map(str::to_owned);
                continue;
            };
            let inside = lines.by_ref().map(|(line, _)| line).take_while(|line| line.trim_start() != "```");
            let text = inside.collect::<Vec<_>>().join("\n");
            blocks.push(Block { example: example.take(), language: language.to_owned(), text, line: number });
        }
        blocks
    }

    /// The text of the example of a name.
    #[track_caller]
    pub(crate) fn example(&self, name: &str) -> String {
        let found = self.blocks().into_iter().find(|block| block.example.as_deref() == Some(name));
        found.unwrap_or_else(|| panic!("{} has no example {name}", self.path)).text
    }

    /// The lines that are not in a block of code.
    pub(crate) fn prose(&self) -> impl Iterator<Item = &str> {
        let mut in_block = false;
        self.text.lines().filter(move |line| {
            let is_fence = line.trim_start().starts_with("```");
            in_block ^= is_fence;
            !in_block && !is_fence
        })
    }

    /// The part after `#` of a link to each heading.
    pub(crate) fn anchors(&self) -> Vec<String> {
        let titles = self.prose().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
        let kept = |c: &char| c.is_alphanumeric() || matches!(c, '-' | '_' | ' ');
        titles.map(|title| title.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
    }

    /// Where the links of the page lead.
    pub(crate) fn links(&self) -> Vec<String> {
        let prose = self.prose().collect::<Vec<_>>().join(" ");
        prose.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect()
    }
}

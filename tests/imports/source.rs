//! The files of the library and of the programs, and what the paths in them lead to.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::Violation;
use crate::paths::{Named, named};

/// A module, or an item in one: the crate's name first.
pub(crate) type Absolute = Vec<String>;

/// The library's name in paths of this kind.
pub(crate) const LIBRARY: &str = "libcni";

/// A file, which is a module.
#[derive(Clone)]
pub(crate) struct File {
    /// From the top of the project.
    pub(crate) path: String,
    pub(crate) module: Absolute,
    pub(crate) named: Vec<Named>,
}

/// So many names are looked behind; no honest file needs more.
const DEPTH: usize = 9;

impl File {
    /// The `use` that brings a name into a file.
    fn import(&self, name: &str) -> Option<&Named> {
        self.named.iter().find(|named| named.imported_as.as_deref() == Some(name))
    }

    pub(crate) fn violation(&self, line: usize, says: impl Into<String>) -> Violation {
        Violation { file: self.path.clone(), line, says: says.into() }
    }
}

/// All files below `src`, and the page with the table.
#[derive(Clone)]
pub(crate) struct Source {
    files: BTreeMap<Absolute, File>,
    pub(crate) page: String,
}

impl Source {
    /// Reads those of this project.
    pub(crate) fn read() -> Self {
        let top = Path::new(env!("CARGO_MANIFEST_DIR"));
        let page = fs::read_to_string(top.join("CONTRIBUTING.md")).unwrap();
        let mut source = Self { files: BTreeMap::new(), page };
        source.read_dir(top, "src");
        source
    }

    fn read_dir(&mut self, top: &Path, dir: &str) {
        for entry in fs::read_dir(top.join(dir)).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{dir}/{}", entry.file_name().into_string().unwrap());
            if entry.file_type().unwrap().is_dir() {
                self.read_dir(top, &path);
            } else if path.ends_with(".rs") {
                self.put(&path, &fs::read_to_string(top.join(&path)).unwrap());
            }
        }
    }

    /// Puts a file where none is, or in place of the one that is there.
    pub(crate) fn put(&mut self, path: &str, text: &str) {
        let file = File { path: path.into(), module: module(path), named: named(text) };
        self.files.insert(file.module.clone(), file);
    }

    /// Tells whether the library has a module of this name at its top.
    pub(crate) fn has_module(&self, name: &str) -> bool {
        let module = vec![LIBRARY.to_owned(), name.to_owned()];
        let first = self.files.range(module.clone()..).next();
        first.is_some_and(|(first, _)| first.starts_with(&module))
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &File> {
        self.files.values()
    }

    /// The file that a path leads to: that of the module itself, or of the one that has the item.
    pub(crate) fn file_of(&self, path: &[String]) -> Option<&File> {
        (1..=path.len()).rev().find_map(|length| self.files.get(&path[..length]))
    }

    /// What a path in a file says, where what it begins with may have been imported under another name.
    pub(crate) fn written(&self, file: &File, named: &Named) -> Absolute {
        self.absolute(file, named, 0)
    }

    fn absolute(&self, file: &File, named: &Named, depth: usize) -> Absolute {
        let here = || file.module.iter().chain(&named.inside).cloned().collect::<Absolute>();
        let (first, rest) = named.segments.split_first().unwrap();
        let ups = rest.iter().take_while(|segment| *segment == "super").count();
        let (base, rest) = match first.as_str() {
            "crate" => (file.module[..1].to_vec(), rest),
            "self" => (up(here(), ups), &rest[ups..]),
            "super" => (up(here(), ups + 1), &rest[ups..]),
            name => (self.begins(file, name, here(), depth), rest),
        };
        base.into_iter().chain(rest.iter().cloned()).collect()
    }

    /// What the first word of a path means: a module below, an import, or another crate.
    fn begins(&self, file: &File, name: &str, mut here: Absolute, depth: usize) -> Absolute {
        here.push(name.into());
        if self.files.contains_key(&here) {
            return here;
        }
        match file.import(name).filter(|import| import.segments[0] != name && depth < DEPTH) {
            Some(import) => self.absolute(file, import, depth + 1),
            None => vec![name.into()],
        }
    }

    /// Goes on from the module that a path leads to, where that has the name from elsewhere.
    pub(crate) fn follow(&self, path: &[String]) -> Absolute {
        let mut path = path.to_vec();
        for _ in 0..DEPTH {
            let Some(file) = self.file_of(&path) else { break };
            let Some((name, rest)) = path[file.module.len()..].split_first() else { break };
            let Some(import) = file.import(name) else { break };
            path = self.written(file, import).into_iter().chain(rest.iter().cloned()).collect();
        }
        path
    }
}

/// The module that a file is: `src/spec/mod.rs` is `libcni::spec`, `src/bin/cnitool/main.rs` is `cnitool`.
fn module(path: &str) -> Absolute {
    let inner = path.strip_prefix("src/").unwrap().strip_suffix(".rs").unwrap();
    let (name, inner) = match inner.strip_prefix("bin/") {
        Some(program) => program.split_once('/').unwrap_or((program, "main")),
        None => (LIBRARY, inner),
    };
    let mut module = vec![name.to_owned()];
    module.extend(inner.split('/').filter(|name| !["mod", "main", "lib"].contains(name)).map(str::to_owned));
    module
}

/// A module so many levels above.
fn up(mut module: Absolute, levels: usize) -> Absolute {
    module.truncate(module.len().saturating_sub(levels).max(1));
    module
}

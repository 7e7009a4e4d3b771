//! Replaces a file in one step, and keeps its owner and mode.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::file::{Found, read_unchanged};
use super::{Problem, system};

/// Replaces a file that still has the content from before.
pub(super) fn replace(path: &Path, before: &str, content: &str) -> Result<(), Problem> {
    let path = fs::canonicalize(path).map_err(problem("find"))?;
    let new = unfinished_name(&path);
    let replaced = write(&new, &path, content).and_then(|()| rename(&new, &path, before));
    if replaced.is_err() {
        // It is of no use; why it came to nothing is what the caller must hear.
        let _ = fs::remove_file(&new);
    }
    replaced
}

/// A name beside the file that no runtime takes for a configuration, and nobody else uses.
fn unfinished_name(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}-{count}~", std::process::id()))
}

fn write(new: &Path, old: &Path, content: &str) -> Result<(), Problem> {
    let mut file = system::create(new).map_err(problem("create"))?;
    system::own_like(&file, old).map_err(problem("keep the owner and mode of"))?;
    file.write_all(content.as_bytes()).and_then(|()| file.sync_all()).map_err(problem("write"))
}

fn rename(new: &Path, path: &Path, before: &str) -> Result<(), Problem> {
    if !read_unchanged(&Found::at(path)).is_ok_and(|now| now == before) {
        return Err(Problem::Changed);
    }
    fs::rename(new, path).map_err(problem("replace"))?;
    let dir = path.parent().unwrap_or(path);
    system::sync(dir).map_err(problem("sync"))
}

fn problem(doing: &'static str) -> impl FnOnce(io::Error) -> Problem {
    move |source| Problem::Write { doing, source }
}

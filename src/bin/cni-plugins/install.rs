//! `cni-plugins install` and `uninstall`: the program in a plugin directory, and a link to it for each plugin.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::plugins;

/// The program's name in a plugin directory.
const PROGRAM: &str = "cni-plugins";

#[derive(Debug, thiserror::Error)]
pub(crate) enum InstallError {
    #[error("cannot {doing} {}", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("{} is another program; to replace it, use --force", .0.display())]
    Foreign(PathBuf),
    #[error("{} is in the way, and is not a file", .0.display())]
    NoFile(PathBuf),
}

fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> InstallError {
    move |source| InstallError::Io { doing, path: path.to_owned(), source }
}

/// The name and version of this program, in every build of it.
pub(crate) const ABOUT: &str = concat!("cni-plugins ", env!("CARGO_PKG_VERSION"), ", the CNI plugins of libcni");
const MARK: &[u8] = b", the CNI plugins of libcni";

/// The treatment of existing plugins of other projects.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Existing {
    Keep,
    Replace,
}

/// Copies this program into a directory and makes a link to the copy for each plugin. Nothing is touched before it is
/// known that all can be.
///
/// A copy, and not a link to where the program is: that may be somebody's home, or outside of what a container sees.
pub(crate) fn install(dir: &Path, existing: Existing) -> Result<(), InstallError> {
    fs::create_dir_all(dir).map_err(io_error("make", dir))?;
    let program = dir.join(PROGRAM);
    let links: Vec<_> = plugins::names().map(|name| dir.join(name)).collect();
    links.iter().chain([&program]).try_for_each(|path| refuse_no_file(path))?;
    let is_current = is_current(&program).map_err(io_error("read", &program))?;
    for path in links.iter().chain([&program]) {
        may_replace(path, existing, is_current.then_some(&program))?;
    }
    if !is_current {
        place(&program, |new| fs::copy(OWN, new).map(drop))?;
    }
    links.iter().try_for_each(|link| place(link, |new| symlink(PROGRAM, new)))
}

/// Removes from a directory the links to this program, or a build of it, and then the program. Plugins of others stay.
pub(crate) fn uninstall(dir: &Path) -> Result<(), InstallError> {
    for name in plugins::names().chain([PROGRAM]) {
        let path = dir.join(name);
        // Neither a FIFO nor a device is read.
        let is_file = fs::metadata(&path).is_ok_and(|found| found.is_file());
        if is_file && is_ours(&path).map_err(io_error("read", &path))? {
            fs::remove_file(&path).map_err(io_error("remove", &path))?;
        }
    }
    Ok(())
}

const OWN: &str = "/proc/self/exe";

/// Returns true if a copy need not be written.
fn is_current(copy: &Path) -> io::Result<bool> {
    match fs::read(copy) {
        Ok(content) => Ok(content == fs::read(OWN)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Fails where something else than a file is in the way. To read a FIFO would be to wait for somebody to write to it.
fn refuse_no_file(path: &Path) -> Result<(), InstallError> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => Err(InstallError::NoFile(path.to_owned())),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error("read", path)(error)),
        _ => Ok(()),
    }
}

/// Fails where a file is in the way that must stay. `current` is known to be this program.
fn may_replace(path: &Path, existing: Existing, current: Option<&PathBuf>) -> Result<(), InstallError> {
    if !path.exists() {
        return Ok(());
    }
    let is_current = current.is_some() && path.canonicalize().ok() == current.and_then(|path| path.canonicalize().ok());
    if existing == Existing::Replace || is_current || is_ours(path).map_err(io_error("read", path))? {
        return Ok(());
    }
    Err(InstallError::Foreign(path.to_owned()))
}

/// Returns true if a file, or what a link leads to, is a build of this program.
fn is_ours(path: &Path) -> io::Result<bool> {
    Ok(fs::read(path)?.windows(MARK.len()).any(|part| part == MARK))
}

/// Makes a file beside its place and moves it there, so that a reader finds either the old one or the new one, whole.
fn place(path: &Path, make: impl FnOnce(&Path) -> io::Result<()>) -> Result<(), InstallError> {
    let mut name = std::ffi::OsString::from(".new-");
    name.push(std::process::id().to_string());
    name.push(path.file_name().unwrap_or_default());
    let new = path.with_file_name(name);
    let placed = make(&new).and_then(|()| fs::rename(&new, path));
    placed.map_err(|error| {
        let _ = fs::remove_file(&new);
        io_error("write", path)(error)
    })
}

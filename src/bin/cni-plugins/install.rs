//! `cni-plugins install`: the program in a plugin directory, and a link to it for each plugin.

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
    #[error("{} is another program: `--force` replaces it", .0.display())]
    Foreign(PathBuf),
}

fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> InstallError {
    move |source| InstallError::Io { doing, path: path.to_owned(), source }
}

/// Copies this program into a directory and makes a link to the copy for each plugin.
///
/// Nothing is touched where a file is in the way that is no plugin of this project, unless `force` is set.
pub(crate) fn install(dir: &Path, force: bool) -> Result<(), InstallError> {
    fs::create_dir_all(dir).map_err(io_error("make", dir))?;
    let links: Vec<_> = plugins::names().map(|name| dir.join(name)).collect();
    if let Some(foreign) = links.iter().find(|link| !force && !may_replace(link)) {
        return Err(InstallError::Foreign(foreign.clone()));
    }
    let (program, own) = (dir.join(PROGRAM), Path::new("/proc/self/exe"));
    if !is_same(own, &program).map_err(io_error("read", &program))? {
        place(&program, |new| fs::copy(own, new).map(drop))?;
    }
    links.iter().try_for_each(|link| place(link, |new| symlink(PROGRAM, new)))
}

/// Whether a copy is up to date, so that it need not be written.
fn is_same(program: &Path, copy: &Path) -> io::Result<bool> {
    match fs::read(copy) {
        Ok(content) => Ok(content == fs::read(program)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether nothing is there, or a link of an earlier installation.
fn may_replace(link: &Path) -> bool {
    match fs::read_link(link) {
        Ok(target) => target.file_name().is_some_and(|name| name == PROGRAM),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Makes a file beside its place and moves it there: whoever looks finds the old one or the new one, whole.
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

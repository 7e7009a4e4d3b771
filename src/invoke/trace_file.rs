//! A file that records executions. Configurations may have secrets in them, so only one user may read it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rustix::fs::OFlags;
use rustix::process::geteuid;

use super::ExecEvent;
use crate::PrintableJson;

/// A file to which every execution is appended, a line of JSON for each ([`ExecEvent::record`]).
///
/// ```no_run
/// use libcni::Cni;
/// use libcni::invoke::{ObservedExec, ProcessExec, TraceFile};
///
/// let file = TraceFile::open("/var/log/cni.trace")?;
/// let exec = ObservedExec::new(ProcessExec, move |event| {
///     if let Err(error) = file.append(event) {
///         eprintln!("cannot write to the trace file: {error}");
///     }
/// });
/// let cni = Cni::builder().exec(exec).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TraceFile(Mutex<Option<File>>);

/// A file that the library does not append to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnfitTraceFile {
    /// The system refuses.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is a device, a FIFO, a link or the like.
    #[error("it is not a regular file")]
    NotAFile,
    /// It belongs to another user.
    #[error("it belongs to user {0}")]
    Foreign(u32),
    /// It has a second name, so it may be a file of another program.
    #[error("it has a second name elsewhere")]
    Linked,
    /// Its mode lets others in.
    #[error("others may read or write it; remove it, or do `chmod 600`")]
    Shared,
}

impl TraceFile {
    /// Opens a file to append to. A missing file is created, for this user alone.
    ///
    /// # Errors
    /// See [`UnfitTraceFile`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, UnfitTraceFile> {
        let path = path.as_ref();
        // Looked at before it is opened, since opening alone makes some devices act, and waits for the reader of a
        // FIFO.
        match fs::symlink_metadata(path) {
            Ok(found) if !found.is_file() => return Err(UnfitTraceFile::NotAFile),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        // The name may lead to another file now.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let mut options = OpenOptions::new();
        let options = options.append(true).create(true).mode(0o600).custom_flags(flags.bits() as i32);
        let file = options.open(path)?;
        refuse_unfit(&file.metadata()?)?;
        Ok(Self(Mutex::new(Some(file))))
    }

    /// Appends an execution that has ended; one that only begins is ignored.
    ///
    /// # Errors
    /// The system refuses. Only the first such error is returned: nothing is appended after it, and executions
    /// continue.
    pub fn append(&self, event: &ExecEvent<'_>) -> io::Result<()> {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some(open), Some(line)) = (file.as_mut(), event.line()) else { return Ok(()) };
        open.write_all(format!("{line}\n").as_bytes()).inspect_err(|_| *file = None)
    }
}

impl ExecEvent<'_> {
    /// Returns the [record](ExecEvent::record) in one line, which can be shown as it is.
    pub fn line(&self) -> Option<String> {
        // A line break can only be between tokens: in a text it is escaped.
        let line = |text: String| PrintableJson(&text).to_string().replace(['\n', '\t'], " ");
        self.record().map(|object| line(object.to_string()))
    }
}

fn refuse_unfit(opened: &fs::Metadata) -> Result<(), UnfitTraceFile> {
    const OTHERS: u32 = 0o066;
    match () {
        () if !opened.is_file() => Err(UnfitTraceFile::NotAFile),
        () if opened.uid() != geteuid().as_raw() => Err(UnfitTraceFile::Foreign(opened.uid())),
        () if opened.nlink() > 1 => Err(UnfitTraceFile::Linked),
        () if opened.mode() & OTHERS != 0 => Err(UnfitTraceFile::Shared),
        () => Ok(()),
    }
}

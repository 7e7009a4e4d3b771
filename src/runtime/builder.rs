//! The settings of a [`Cni`], checked before the first verb.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::removal::Removals;
use super::{Caution, Cni, Notice, Removal, notice, version};
use crate::CancelToken;
use crate::cache::Cache;
use crate::invoke::{Exec, Inherited, InvalidSetting, Limits, has_separator, is_variable};
use crate::lock::Locking;
use crate::spec::TraceContext;

/// The settings of a [`Cni`], each with a default ([`Cni::new`]).
///
/// ```
/// use std::time::Duration;
///
/// use libcni::Cni;
///
/// let cni = Cni::builder().plugin_dirs(["/opt/cni/bin"]).timeout(Duration::from_secs(10)).build()?;
/// # Ok::<(), libcni::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    cni: Cni,
    /// The first setting that can't be used.
    invalid: Option<InvalidSetting>,
    #[cfg(feature = "tracing")]
    pub(super) is_traced: bool,
}

impl Cni {
    /// Returns a builder with the settings of [`Cni::new`].
    pub fn builder() -> Builder {
        Self::new().to_builder()
    }

    /// Returns a builder with the settings of this value, to make another [`Cni`] that differs in some of them. Both
    /// share the answers of plugins to VERSION.
    pub fn to_builder(&self) -> Builder {
        Builder {
            cni: self.clone(),
            invalid: None,
            #[cfg(feature = "tracing")]
            is_traced: false,
        }
    }
}

impl Builder {
    /// Looks for plugins in these directories, in this order.
    pub fn plugin_dirs(mut self, dirs: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        self.cni.plugin_dirs = dirs.into_iter().map(Into::into).collect();
        let unspeakable = self.cni.plugin_dirs.iter().find(|dir| has_separator(dir)).cloned();
        self.refuse(unspeakable.map(|dir| InvalidSetting::PluginDir { dir }))
    }

    /// Keeps results in another directory.
    #[doc(alias = "NewCNIConfigWithCacheDir")]
    pub fn cache_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.cni.cache = Cache::new(dir);
        self
    }

    /// Runs plugins in another way: a fake in tests, some other kind of process.
    pub fn exec(mut self, exec: impl Exec + 'static) -> Self {
        self.cni.exec = Arc::new(exec);
        self.cni.answers = version::Answers::default();
        self
    }

    /// Gives plugins another environment than that of this process, in addition to the protocol's variables.
    ///
    /// ```
    /// let cni = libcni::Cni::builder().env([("PATH", "/usr/sbin:/usr/bin")]).build()?;
    /// # Ok::<(), libcni::Error>(())
    /// ```
    pub fn env<K, V>(mut self, env: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<OsString>,
        V: Into<OsString>,
    {
        let env: Vec<_> = env.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let impossible = env.iter().find(|variable| !is_variable(variable)).map(|(name, _)| name.clone());
        self.cni.env = Inherited::new(env);
        self.cni.answers = version::Answers::default();
        self.refuse(impossible.map(|name| InvalidSetting::Variable { name }))
    }

    /// Gives plugins the place of a distributed trace that they continue from, in place of the one that this process
    /// inherited. For one call, use [`Cni::with_trace_context`].
    pub fn trace_context(mut self, context: TraceContext) -> Self {
        self.cni.trace_context = Some(context);
        self
    }

    /// Limits how long each execution of a plugin may take.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.cni.limits.timeout = timeout;
        self
    }

    /// Sets the limits of each execution of a plugin, time included.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.cni.limits = limits;
        self
    }

    /// Ends running and future executions when the token is cancelled. For one call, there is [`Cni::with_cancel`].
    pub fn cancel(mut self, token: CancelToken) -> Self {
        self.cni.limits.cancel = Some(token);
        self
    }

    /// Keeps operations apart in another way than with files in the cache directory
    /// ([`FileLocks`](crate::lock::FileLocks)).
    pub fn locking(mut self, locking: impl Locking + 'static) -> Self {
        self.cni.locking = Some(Arc::new(locking));
        self
    }

    /// Limits how long to wait for another operation on the same container or network: one minute, unless set.
    pub fn lock_timeout(mut self, lock_timeout: Duration) -> Self {
        self.cni.lock_timeout = lock_timeout;
        self
    }

    /// Sets the function that gets notices: events to log that are not errors. By default they go to stderr.
    pub fn on_notice(mut self, hear: impl Fn(&Notice<'_>) + Send + Sync + 'static) -> Self {
        self.cni.notices = notice::Sink::new(hear);
        self
    }

    /// Sets the function that gets every attachment that DEL has removed, whichever call ran it: [`Cni::del`],
    /// [`Cni::gc`], or the rollback of an ADD that failed. By default there is none.
    ///
    /// ```
    /// let cni = libcni::Cni::builder().on_removal(|removal| println!("{removal}")).build()?;
    /// # Ok::<(), libcni::Error>(())
    /// ```
    pub fn on_removal(mut self, hear: impl Fn(&Removal) + Send + Sync + 'static) -> Self {
        self.cni.removals = Removals::new(hear);
        self
    }

    /// Chooses the checks that a verb makes before it runs plugins: all of them, by default.
    pub fn caution(mut self, caution: Caution) -> Self {
        self.cni.caution = caution;
        self
    }

    /// Makes every verb use the highest version that the network's configuration and all its plugins support, as
    /// [`Cni::negotiate`] finds it, in place of the highest of the configuration. The library asks each plugin once,
    /// and again when its file changes.
    pub fn negotiate(mut self) -> Self {
        self.cni.negotiates = true;
        self
    }

    /// Makes a [`Cni`] of the settings.
    ///
    /// # Errors
    /// The first setting that can't be used.
    pub fn build(self) -> Result<Cni, InvalidSetting> {
        match self.invalid {
            Some(invalid) => Err(invalid),
            #[cfg(feature = "tracing")]
            None if self.is_traced => Ok(self.cni.traced()),
            None => Ok(self.cni),
        }
    }

    /// Remembers what [`build`](Self::build) is to fail with.
    fn refuse(mut self, invalid: Option<InvalidSetting>) -> Self {
        self.invalid = self.invalid.or(invalid);
        self
    }
}

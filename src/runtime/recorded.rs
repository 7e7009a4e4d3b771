//! Changes a recorded result, under the lock of its attachment.

use super::Cni;
use crate::cache::{Cached, Entry, Key};
use crate::error::Error;
use crate::result::AddResult;
use crate::waiting::block_on;

impl Cni {
    /// Changes the recorded result of an attachment, which CHECK and DEL pass to plugins, for example when an interface
    /// has got another address or MTU since ADD. No other operation on the container runs meanwhile, and the rest of
    /// the entry stays as it is. Returns the new recorded result.
    ///
    /// ```no_run
    /// use libcni::result::AddResult;
    /// # fn example(cni: &libcni::Cni, key: &libcni::cache::Key) -> Result<(), libcni::Error> {
    /// cni.update_result(key, |result| {
    ///     let mut body = result.latest();
    ///     body.interfaces.iter_mut().for_each(|interface| interface.mtu = Some(9000));
    ///     Ok(AddResult::from(body).to_version(result.version())?)
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The attachment is not on record, its record has no result, the system refuses, or the function fails. The entry
    /// then stays as it was.
    pub fn update_result(
        &self,
        key: &Key,
        change: impl FnOnce(AddResult) -> Result<AddResult, Error>,
    ) -> Result<AddResult, Error> {
        block_on(self.update_result_async(key, change))
    }

    pub(super) async fn update_result_async(
        &self,
        key: &Key,
        change: impl FnOnce(AddResult) -> Result<AddResult, Error>,
    ) -> Result<AddResult, Error> {
        let attachment =
            || format!("interface `{}` of container `{}` on network `{}`", key.ifname, key.container_id, key.network);
        let _locks = self.lock_attachment(key).await?;
        let Some(Cached::Entry(entry)) = self.cache.read(key)? else {
            return Err(self.not_cached(key));
        };
        let invalid = |source| Error::InvalidCachedResult { attachment: attachment(), source };
        let result = change(entry.result().map_err(invalid)?)?;
        self.cache.write(key, &Entry { result: result.to_object(), ..entry })?;
        Ok(result)
    }
}

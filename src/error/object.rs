//! Errors as JSON, for programs.

use super::Error;
use crate::spec::{ErrorReply, Object};

impl Error {
    /// Describes the error: `code`, `msg`, and where they are known `details` (those of the plugin, or the causes),
    /// `network`, `plugin`, `verb`, `file`, and `errors` for several.
    ///
    /// ```
    /// let error = libcni::conf::ConfDir::new("/nowhere").load("mynet").map_err(libcni::Error::from).unwrap_err();
    /// assert_eq!(error.to_object().get("code").unwrap().as_str(), "7");
    /// ```
    pub fn to_object(&self) -> Object {
        let ErrorReply { code, msg, details, .. } = self.to_reply();
        let mut object = Object::new();
        object.set("code", &code);
        object.set("msg", &msg);
        let facts = [
            ("details", details),
            ("network", self.network().map(str::to_owned)),
            ("plugin", self.plugin().map(str::to_owned)),
            ("verb", self.command().map(|command| command.to_string())),
            ("file", self.file().map(|file| file.to_string_lossy().into_owned())),
        ];
        for (key, value) in facts.iter().filter_map(|(key, value)| Some((key, value.as_ref()?))) {
            object.set(key, value);
        }
        if let Error::Several(failures) = self {
            object.set("errors", &failures.iter().map(Error::to_object).collect::<Vec<_>>());
        }
        object
    }
}

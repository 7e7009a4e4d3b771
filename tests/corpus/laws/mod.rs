//! What must hold for any bytes that reach the library from outside: a module for each kind of input, whose `holds`
//! panics where something does not. The fuzz targets feed it what they invent; the crate's own tests feed it the
//! corpus.

pub mod arguments;
pub mod cache_entry;
pub mod configuration;
pub mod dispatch;
pub mod parts;
pub mod reply;
pub mod request;
pub mod result;

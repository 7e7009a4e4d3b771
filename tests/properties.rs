//! What must hold for any input that can be made up.

use proptest::prelude::ProptestConfig;

mod args;
mod cached;
mod convert;
mod derive;
mod json;
mod made_up;
mod typed;
mod version;

/// Few enough cases for every test run; the fuzz targets look at more.
fn few() -> ProptestConfig {
    ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() }
}

/// For what writes files.
fn very_few() -> ProptestConfig {
    ProptestConfig { cases: 12, ..few() }
}

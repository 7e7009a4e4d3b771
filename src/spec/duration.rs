//! Durations as people write them.

use std::time::Duration;

/// A text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidDuration {
    /// A number is missing.
    #[error("`{0}` does not begin with a number; write 10s, 500ms, 1m30s or 1.5h")]
    Number(String),
    /// The unit is unknown.
    #[error("unknown unit `{0}`: use h, m, s, ms, us or ns")]
    Unit(String),
}

/// Reads a duration as Go writes it: numbers, each with a unit (`h`, `m`, `s`, `ms`, `us`, `µs`, `ns`), such as `1m30s`
/// or `1.5h`. A number without a unit counts seconds; a duration that is too long becomes the longest [`Duration`].
///
/// ```
/// use std::time::Duration;
///
/// assert_eq!(libcni::spec::duration("1m30s")?, Duration::from_secs(90));
/// assert_eq!(libcni::spec::duration("2.5s")?, Duration::from_millis(2500));
/// assert!(libcni::spec::duration("3 days").is_err());
/// # Ok::<(), libcni::spec::InvalidDuration>(())
/// ```
///
/// # Errors
/// See [`InvalidDuration`].
#[doc(alias = "ParseDuration")]
pub fn duration(text: &str) -> Result<Duration, InvalidDuration> {
    let (mut rest, mut sum) = (text, Duration::ZERO);
    loop {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, behind) = rest.split_at(end);
        let number: f64 = number.parse().map_err(|_| InvalidDuration::Number(rest.to_owned()))?;
        let end = behind.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(end);
        let seconds = match unit {
            "" if rest == text => 1.0,
            _ => seconds(unit).ok_or_else(|| InvalidDuration::Unit(unit.to_owned()))?,
        };
        // What is too long for a duration is one without end.
        let part = Duration::try_from_secs_f64(number * seconds).unwrap_or(Duration::MAX);
        sum = sum.saturating_add(part);
        rest = behind;
        if rest.is_empty() {
            return Ok(sum);
        }
    }
}

fn seconds(unit: &str) -> Option<f64> {
    Some(match unit {
        "h" => 3600.0,
        "m" => 60.0,
        "s" => 1.0,
        "ms" => 1e-3,
        "us" | "µs" | "μs" => 1e-6,
        "ns" => 1e-9,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_go_and_bare_numbers_are_seconds() {
        let milliseconds = |text| duration(text).map(|duration| duration.as_micros() as f64 / 1000.0);
        for (text, expected) in [
            ("2.0s", 2000.0),
            ("25", 25_000.0),
            ("1.5", 1500.0),
            ("1h", 3_600_000.0),
            ("1h1m1s", 3_661_000.0),
            ("1m0.5s", 60_500.0),
            (".5s", 500.0),
            ("500us", 0.5),
            ("7µs", 0.007),
            ("0", 0.0),
        ] {
            assert_eq!(milliseconds(text), Ok(expected), "{text}");
        }
        assert_eq!(duration("99999999999999999999h1s"), Ok(Duration::MAX));
    }

    #[test]
    fn what_is_no_duration_is_named() {
        for (text, words) in [
            ("", "does not begin with a number"),
            ("soon", "does not begin with a number"),
            ("-1s", "does not begin with a number"),
            ("1.2.3s", "does not begin with a number"),
            ("3d", "unknown unit `d`"),
            ("1m30", "unknown unit ``"),
            ("1 s", "unknown unit ` s`"),
            ("1e3s", "unknown unit `e`"),
        ] {
            let error = duration(text).unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}

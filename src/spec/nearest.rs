//! Names that are nearly right.

/// Returns the name that is nearest to an unknown one, if any is near enough: at most one mistake in three letters,
/// where a mistake is a letter that is missing, added, changed, or in the other case.
///
/// ```
/// assert_eq!(libcni::spec::nearest("mynett", ["lo", "mynet", "mynets"]), Some("mynet"));
/// assert_eq!(libcni::spec::nearest("bridge", ["portmap"]), None);
/// ```
pub fn nearest<'a>(name: &str, among: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = |other: &&'a str| {
        let mistakes = mistakes(&name.to_lowercase(), &other.to_lowercase());
        (mistakes <= name.chars().count().max(3) / 3).then_some(mistakes)
    };
    let found = among.into_iter().filter_map(|other| Some((near(&other)?, other)));
    found.min_by_key(|(mistakes, _)| *mistakes).map(|(_, other)| other)
}

/// How many letters must be left out, added or changed to make one text of the other.
fn mistakes(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    // The mistakes between the letters of `one` so far and each beginning of `other`.
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (before, letter) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], before + 1);
        for (at, found) in other.iter().enumerate() {
            let changed = diagonal + usize::from(*found != letter);
            diagonal = row[at + 1];
            row[at + 1] = changed.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_near_with_one_mistake_in_three_letters() {
        for (name, near) in [
            ("mynett", Some("mynet")),
            ("mnet", Some("mynet")),
            ("MyNet", Some("mynet")),
            ("brdige", Some("bridge")),
            ("l0", Some("lo")),
            ("", None),
            ("web", None),
        ] {
            assert_eq!(nearest(name, ["mynet", "bridge", "lo"]), near, "{name}");
        }
    }
}

//! JSON text, indented without decoding it.

/// The deepest level that has lines of its own. Below it the text stays compact: the indentation of n levels is n²
/// spaces, 40 GB for 100,000.
const DEEPEST: usize = 64;

/// Indents compact or loose JSON by four spaces a level, as Go does. Every number keeps its text.
pub(crate) fn indent(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0;
    let mut chars = Structure::of(json);
    while let Some((c, inside_text)) = chars.next() {
        match c {
            _ if inside_text => out.push(c),
            '{' | '[' => {
                out.push(c);
                if let Some(close) = chars.next_if_closing() {
                    out.push(close);
                    continue;
                }
                depth += 1;
                new_line(&mut out, depth, depth);
            }
            '}' | ']' => {
                let inside = depth;
                depth = usize::saturating_sub(depth, 1);
                new_line(&mut out, inside, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                new_line(&mut out, depth, depth);
            }
            ':' => out.push_str(": "),
            _ => out.push(c),
        }
    }
    out
}

/// Begins a line for what is on a level or, at its end, closes it.
fn new_line(out: &mut String, level: usize, indentation: usize) {
    if level <= DEEPEST {
        out.push('\n');
        out.extend(std::iter::repeat_n("    ", indentation));
    }
}

/// The characters of a JSON text, each with whether it is part of a string; white space between tokens is left out.
struct Structure<'a> {
    chars: std::iter::Peekable<std::str::Chars<'a>>,
    inside_text: bool,
    escaped: bool,
}

impl<'a> Structure<'a> {
    fn of(json: &'a str) -> Self {
        Self { chars: json.chars().peekable(), inside_text: false, escaped: false }
    }
}

impl Structure<'_> {
    fn skip_white_space(&mut self) {
        while !self.inside_text && self.chars.next_if(|c| c.is_ascii_whitespace()).is_some() {}
    }

    fn next_if_closing(&mut self) -> Option<char> {
        self.skip_white_space();
        self.chars.next_if(|c| matches!(c, '}' | ']'))
    }
}

impl Iterator for Structure<'_> {
    type Item = (char, bool);

    fn next(&mut self) -> Option<(char, bool)> {
        self.skip_white_space();
        let c = self.chars.next()?;
        let was_inside = self.inside_text;
        if c == '"' && !self.escaped {
            self.inside_text = !self.inside_text;
        }
        self.escaped = was_inside && c == '\\' && !self.escaped;
        Some((c, was_inside || self.inside_text))
    }
}

#[cfg(test)]
mod tests {
    use super::{DEEPEST, indent};

    #[test]
    fn structure_in_strings_and_numbers_stay_as_they_are() {
        let loose = r#"{"a":[1, {"b":"x,{\"y\": \\"}],"c" : {},"d":[ ],"n":1e400}"#;
        let expected = r#"{
    "a": [
        1,
        {
            "b": "x,{\"y\": \\"
        }
    ],
    "c": {},
    "d": [],
    "n": 1e400
}"#;
        assert_eq!(indent(loose), expected);
    }

    #[test]
    fn what_is_very_deep_stays_compact() {
        let deep = |levels: usize| "[".repeat(levels) + "1,2" + &"]".repeat(levels);
        assert!(indent(&deep(DEEPEST)).contains(&format!("\n{}1,\n", "    ".repeat(DEEPEST))));
        assert!(indent(&deep(DEEPEST + 1)).contains(&format!("\n{}[1,2]\n", "    ".repeat(DEEPEST))));
        assert!(indent(&deep(100_000)).len() < 300_000);
    }
}

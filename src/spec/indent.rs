//! JSON text, indented without decoding it.

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
                new_line(&mut out, depth);
            }
            '}' | ']' => {
                depth = usize::saturating_sub(depth, 1);
                new_line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            _ => out.push(c),
        }
    }
    out
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("    ", depth));
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
    use super::indent;

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
}

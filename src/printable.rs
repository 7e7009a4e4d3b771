//! Strangers' words in a message: what a terminal would act upon is written as an escape.

use std::fmt::{self, Write};

/// Displays a text without what moves a terminal's cursor, or hides or reorders characters. Line breaks and tabs stay.
///
/// ```
/// use libcni::Printable;
///
/// assert_eq!(Printable("\u{1b}[2Jgone, and \u{202e}backwards").to_string(), r"\u{1b}[2Jgone, and \u{202e}backwards");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Printable<'a>(pub &'a str);

impl Printable<'_> {
    /// Returns true if a character is written as it is.
    pub fn allows(c: char) -> bool {
        match c {
            '\n' | '\t' => true,
            // Direction and invisible characters: what is read must be what was written. Joiners, which many
            // scripts need, stay.
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}' => false,
            // Separators of lines, directions, invisible operators, annotations, tags.
            '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}' => false,
            '\u{e0000}'..='\u{e007f}' => false,
            _ => !c.is_control(),
        }
    }
}

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_to(f, self.0)
    }
}

fn write_to(out: &mut impl fmt::Write, text: &str) -> fmt::Result {
    let mut rest = text;
    while let Some(at) = rest.find(|c| !Printable::allows(c)) {
        let (before, from) = rest.split_at(at);
        out.write_str(before)?;
        let mut chars = from.chars();
        chars.next().into_iter().flat_map(char::escape_default).try_for_each(|c| out.write_char(c))?;
        rest = chars.as_str();
    }
    out.write_str(rest)
}

/// Displays a JSON text that means what it meant before, and moves no cursor: within its strings the characters may be
/// written as `\u`, and between them there is none but white space.
///
/// ```
/// use libcni::PrintableJson;
///
/// assert_eq!(PrintableJson("{\"a\":\r\"b\u{9b}c\u{e0001}\"}").to_string(), r#"{"a": "b\u009bc\udb40\udc01"}"#);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PrintableJson<'a>(pub &'a str);

impl fmt::Display for PrintableJson<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '\r' => f.write_str(" "),
            _ if Printable::allows(c) => f.write_char(c),
            _ => c.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(f, "\\u{unit:04x}")),
        })
    }
}

/// Passes on what is written to it, printable and with every line but the first indented: a text in it can't begin a
/// line that looks like another message.
pub(crate) struct Indented<'a, 'f> {
    out: &'a mut fmt::Formatter<'f>,
    begins_line: bool,
}

impl<'a, 'f> Indented<'a, 'f> {
    pub(crate) fn new(out: &'a mut fmt::Formatter<'f>) -> Self {
        Self { out, begins_line: false }
    }

    fn write_line(&mut self, line: &str) -> fmt::Result {
        if line.is_empty() {
            return Ok(());
        }
        if std::mem::take(&mut self.begins_line) && !line.starts_with(' ') {
            self.out.write_str("    ")?;
        }
        write_to(self.out, line)
    }
}

impl fmt::Write for Indented<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut lines = text.split('\n');
        self.write_line(lines.next().unwrap_or_default())?;
        lines.try_for_each(|line| {
            self.out.write_str("\n")?;
            self.begins_line = true;
            self.write_line(line)
        })
    }
}

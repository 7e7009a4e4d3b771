//! The places and the layout of the parts of a JSON text, so that one part can be changed without the others.

use std::ops::Range;

use serde_json::value::RawValue;

use crate::spec::{Entries, indent};

/// The pairs of an object, or the entries of a list, by their places in the text.
pub(super) struct Places {
    /// The text between the brackets.
    inside: Range<usize>,
    pub(super) parts: Vec<Part>,
}

/// A pair, or an entry, which has no key.
pub(super) struct Part {
    pub(super) key: String,
    pub(super) whole: Range<usize>,
    pub(super) value: Range<usize>,
}

impl Places {
    /// The pairs of the object at a place of a text.
    pub(super) fn of_object(text: &str, at: &Range<usize>) -> serde_json::Result<Self> {
        let Entries(pairs) = serde_json::from_str(&text[at.clone()])?;
        Ok(Self::new(text, at, pairs.into_iter().map(|(key, value)| (key.into_owned(), value))))
    }

    /// The entries of the list at a place of a text.
    pub(super) fn of_list(text: &str, at: &Range<usize>) -> serde_json::Result<Self> {
        let entries: Vec<&RawValue> = serde_json::from_str(&text[at.clone()])?;
        Ok(Self::new(text, at, entries.into_iter().map(|value| (String::new(), value))))
    }

    fn new<'a>(text: &'a str, at: &Range<usize>, values: impl Iterator<Item = (String, &'a RawValue)>) -> Self {
        let outside = &text[at.clone()];
        let start = at.start + outside.len() - outside.trim_start().len();
        let inside = start + 1..at.start + outside.trim_end().len() - 1;
        let mut parts: Vec<Part> = Vec::new();
        for (key, value) in values {
            let end = parts.last().map_or(inside.start, |part| part.whole.end);
            let value = place(text, value);
            let before = &text[end..value.start];
            let begin = value.start - before.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',').len();
            parts.push(Part { key, whole: begin..value.end, value });
        }
        Self { inside, parts }
    }

    /// Puts a part before that of an index, or at the end. It is written by `write`, on a line that begins so.
    pub(super) fn insert(&self, text: &mut String, index: usize, write: impl Fn(&Layout) -> String) {
        let layout = self.layout(text);
        let part = write(&layout);
        match (self.parts.get(index), self.parts.last()) {
            (Some(next), _) => text.insert_str(next.whole.start, &format!("{part}{}", self.separator(text))),
            (None, Some(last)) => text.insert_str(last.whole.end, &format!("{}{part}", self.separator(text))),
            (None, None) => {
                let (begin, end) = layout.around();
                text.replace_range(self.inside.clone(), &format!("{begin}{part}{end}"));
            }
        }
    }

    /// Removes a part with what separates it from its neighbour.
    pub(super) fn remove(&self, text: &mut String, index: usize) {
        let gone = match (index.checked_sub(1), self.parts.get(index + 1)) {
            (Some(before), _) => self.parts[before].whole.end..self.parts[index].whole.end,
            (None, Some(next)) => self.parts[index].whole.start..next.whole.start,
            (None, None) => self.inside.clone(),
        };
        text.replace_range(gone, "");
    }

    /// The text between two parts.
    fn separator(&self, text: &str) -> String {
        match self.parts.as_slice() {
            [] => String::new(),
            [only] => format!(",{}", &text[self.inside.start..only.whole.start]),
            [one, next, ..] => text[one.whole.end..next.whole.start].to_owned(),
        }
    }

    /// How the parts are laid out.
    pub(super) fn layout(&self, text: &str) -> Layout {
        let laid_out = if self.parts.is_empty() { text } else { &text[self.inside.clone()] };
        let has_lines = laid_out.contains('\n');
        let unit = unit(text);
        let indentation = match self.parts.first() {
            Some(part) => line(text, part.whole.start).to_owned(),
            None => format!("{}{unit}", line(text, self.inside.start)),
        };
        let colon = self.parts.first().map(|part| &text[part.whole.start..part.value.start]);
        let colon = colon.and_then(|key| key.rsplit('"').next()).filter(|colon| !colon.is_empty());
        let colon = colon.unwrap_or(if has_lines { ": " } else { ":" }).to_owned();
        let new_line = if text.contains("\r\n") { "\r\n" } else { "\n" };
        Layout { has_lines, unit, indentation, colon, new_line }
    }
}

/// Where a value is that was borrowed from the text.
fn place(text: &str, value: &RawValue) -> Range<usize> {
    let start = value.get().as_ptr() as usize - text.as_ptr() as usize;
    start..start + value.get().len()
}

/// The white space that the line of a place begins with.
fn line(text: &str, at: usize) -> &str {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let rest = &text[start..at];
    &rest[..rest.len() - rest.trim_start().len()]
}

/// The white space of one level: that before the first key of the text.
fn unit(text: &str) -> String {
    let key = text.find('"').unwrap_or_default();
    match text[..key].rsplit_once('\n') {
        Some((_, unit)) if unit.trim().is_empty() => unit.to_owned(),
        _ => "    ".to_owned(),
    }
}

/// How a text is laid out where a part is to be written.
pub(super) struct Layout {
    has_lines: bool,
    unit: String,
    indentation: String,
    colon: String,
    new_line: &'static str,
}

impl Layout {
    /// A value as it is written here: in one line, or in several of which the first is begun.
    pub(super) fn value(&self, json: &str) -> String {
        if !self.has_lines {
            return json.to_owned();
        }
        let indented = indent(json);
        let lines: Vec<_> = indented.lines().map(|line| self.line(line)).collect();
        lines.join(&format!("{}{}", self.new_line, self.indentation))
    }

    /// A line with its levels in the unit of the text.
    fn line(&self, line: &str) -> String {
        let content = line.trim_start();
        format!("{}{content}", self.unit.repeat((line.len() - content.len()) / 4))
    }

    /// A key and a value as they are written here.
    pub(super) fn pair(&self, key: &str, json: &str) -> String {
        format!("{}{}{}", serde_json::Value::from(key), self.colon, self.value(json))
    }

    /// The text before and after the first part of an object or list.
    fn around(&self) -> (String, String) {
        if !self.has_lines {
            return (String::new(), String::new());
        }
        let outer = self.indentation.strip_suffix(&*self.unit).unwrap_or_default();
        (format!("{}{}", self.new_line, self.indentation), format!("{}{outer}", self.new_line))
    }
}

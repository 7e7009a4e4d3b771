//! Tables, for people and for scripts.

use super::printable;

/// Rows with columns below each other, under a line of titles.
pub(crate) struct Table<const N: usize> {
    titles: [&'static str; N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    pub(crate) fn new(titles: [&'static str; N]) -> Self {
        Self { titles, rows: Vec::new() }
    }

    /// Appends a row. An empty cell shows as `-`, so that columns can be counted.
    pub(crate) fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells.map(|cell| if cell.is_empty() { "-".to_owned() } else { one_line(&cell) }));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table for people, with aligned columns. A very long cell does not make all others as wide.
    pub(crate) fn aligned(&self) -> String {
        const WIDEST: usize = 80;
        let titles = self.titles.map(str::to_owned);
        let rows = || std::iter::once(&titles).chain(&self.rows);
        let width = |i: usize| rows().map(|row| row[i].chars().count()).max().unwrap_or_default();
        let widths: [usize; N] = std::array::from_fn(|i| width(i).min(WIDEST));
        let line = |row: &[String; N]| {
            let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        rows().map(line).collect::<Vec<_>>().join("\n")
    }

    /// The rows for programs: cells separated by tabs, no titles.
    pub(crate) fn plain(&self) -> String {
        self.rows.iter().map(|row| row.join("\t")).collect::<Vec<_>>().join("\n")
    }
}

/// Names and values, the values below each other. Empty ones are left out.
pub(crate) fn fields(pairs: &[(&str, String)]) -> String {
    let filled: Vec<_> = pairs.iter().filter(|(_, value)| !value.is_empty()).collect();
    let width = filled.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    let line = |(name, value): &&(&str, String)| format!("{name:width$}  {}", one_line(value));
    filled.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A text that stays in its line: line breaks and tabs, too, are escaped.
pub(crate) fn one_line(text: &str) -> String {
    printable(text).replace('\n', "\\n").replace('\t', "\\t")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_characters_and_plain_rows_separated_by_tabs() {
        let mut table = Table::new(["NAME", "FILE"]);
        table.row(["größe".to_owned(), "a".to_owned()]);
        table.row(["b\tc\n".to_owned(), String::new()]);
        assert_eq!(table.aligned(), "NAME    FILE\ngröße   a\nb\\tc\\n  -");
        assert_eq!(table.plain(), "größe\ta\nb\\tc\\n\t-");
    }

    #[test]
    fn a_cell_of_any_length_fits_in_a_table() {
        let mut table = Table::new(["A", "B"]);
        table.row(["x".repeat(100_000), "y".to_owned()]);
        assert!(table.aligned().ends_with("x  y"));
    }

    #[test]
    fn fields_are_aligned_and_empty_ones_left_out() {
        let pairs = [("a", "1".to_owned()), ("long", String::new()), ("bcd", "2\u{1b}".to_owned())];
        assert_eq!(fields(&pairs), "a    1\nbcd  2\\u{1b}");
    }
}

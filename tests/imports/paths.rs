//! The paths that a file names: in `use` trees, in code, in types, in macros.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

/// A path as it is written, without generic arguments. One that ends in `*` names everything in there.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
    /// The inline modules around it, outermost first.
    pub(crate) inside: Vec<String>,
    /// The name that a `use` gives it here.
    pub(crate) imported_as: Option<String>,
}

/// Reads the paths of a file. A word that stands alone is one only where a `use` has it.
pub(crate) fn named(text: &str) -> Vec<Named> {
    let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{error} in:\n{text}"));
    let mut reader = Reader::default();
    reader.code(tokens);
    reader.found
}

#[derive(Default)]
struct Reader {
    found: Vec<Named>,
    inside: Vec<String>,
}

/// What is still to be read.
type Tokens<'a> = &'a [TokenTree];

impl Reader {
    fn code(&mut self, tokens: TokenStream) {
        let all: Vec<_> = tokens.into_iter().collect();
        let mut rest = all.as_slice();
        while let [token, after @ ..] = rest {
            rest = match token {
                TokenTree::Ident(word) if *word == "use" => self.tree(after, Vec::new()),
                TokenTree::Ident(word) if *word == "mod" => self.module(after),
                TokenTree::Ident(word) if *word == "crate" => self.own_crate(word, after),
                TokenTree::Ident(word) => self.path(word, after),
                TokenTree::Group(group) => {
                    self.code(group.stream());
                    after
                }
                _ => after,
            };
        }
    }

    /// After `mod`: its name, and what is in it.
    fn module<'a>(&mut self, tokens: Tokens<'a>) -> Tokens<'a> {
        let [TokenTree::Ident(name), TokenTree::Group(body), after @ ..] = tokens else { return tokens };
        if body.delimiter() != Delimiter::Brace {
            return tokens;
        }
        self.inside.push(name.to_string());
        self.code(body.stream());
        self.inside.pop();
        after
    }

    /// After `crate`, which `extern crate self as NAME` has, too.
    fn own_crate<'a>(&mut self, word: &Ident, tokens: Tokens<'a>) -> Tokens<'a> {
        match tokens {
            [TokenTree::Ident(own), after @ ..] if *own == "self" => self.leaf(vec!["crate".into()], word, after),
            _ => self.path(word, tokens),
        }
    }

    /// After the first word of what may be a path in code.
    fn path<'a>(&mut self, first: &Ident, mut tokens: Tokens<'a>) -> Tokens<'a> {
        let mut segments = vec![first.to_string()];
        while let Some([TokenTree::Ident(word), after @ ..]) = after_colons(tokens) {
            segments.push(word.to_string());
            tokens = after;
        }
        if segments.len() > 1 {
            self.add(segments, first.span().start().line, None);
        }
        tokens
    }

    /// After `use`, after `::` in one, or at an element of a group: a tree with all its leaves.
    fn tree<'a>(&mut self, tokens: Tokens<'a>, mut segments: Vec<String>) -> Tokens<'a> {
        match after_colons(tokens).unwrap_or(tokens) {
            [TokenTree::Ident(word), after @ ..] => {
                segments.push(word.to_string());
                match after_colons(after) {
                    Some(_) => self.tree(after, segments),
                    None => self.leaf(segments, word, after),
                }
            }
            [TokenTree::Punct(mark), after @ ..] if mark.as_char() == '*' => {
                segments.push("*".into());
                self.add(segments, mark.span().start().line, None);
                after
            }
            [TokenTree::Group(group), after @ ..] => {
                self.group(group.stream(), &segments);
                after
            }
            // `use<'a>`, of a captured lifetime.
            _ => tokens,
        }
    }

    fn group(&mut self, tokens: TokenStream, segments: &[String]) {
        let all: Vec<_> = tokens.into_iter().collect();
        let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(mark) if mark.as_char() == ',');
        for element in all.split(is_comma).filter(|element| !element.is_empty()) {
            self.tree(element, segments.to_vec());
        }
    }

    /// After the last word of a `use`: the name that it gets here.
    fn leaf<'a>(&mut self, mut segments: Vec<String>, last: &Ident, tokens: Tokens<'a>) -> Tokens<'a> {
        // `{self}` in a group is the module itself.
        if segments.len() > 1 && *last == "self" {
            segments.pop();
        }
        let (name, after) = match tokens {
            [TokenTree::Ident(word), TokenTree::Ident(name), after @ ..] if *word == "as" => (name.to_string(), after),
            _ => (segments.last().cloned().unwrap_or_default(), tokens),
        };
        self.add(segments, last.span().start().line, Some(name));
        after
    }

    fn add(&mut self, segments: Vec<String>, line: usize, imported_as: Option<String>) {
        self.found.push(Named { segments, line, inside: self.inside.clone(), imported_as });
    }
}

/// What follows `::`, where that is next.
fn after_colons(tokens: Tokens<'_>) -> Option<Tokens<'_>> {
    match tokens {
        [TokenTree::Punct(first), TokenTree::Punct(second), after @ ..]
            if first.as_char() == ':' && second.as_char() == ':' =>
        {
            Some(after)
        }
        _ => None,
    }
}

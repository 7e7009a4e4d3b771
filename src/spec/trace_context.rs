//! The context of a call in a distributed trace, by the W3C's Trace Context and Baggage.

/// The variable with the trace and its current span.
pub const TRACEPARENT: &str = "TRACEPARENT";
/// The variable with the data of tracing systems.
pub const TRACESTATE: &str = "TRACESTATE";
/// The variable with the data of the application.
pub const BAGGAGE: &str = "BAGGAGE";

/// The place in a distributed trace that plugins are to continue from: the texts of the three headers, which reach a
/// plugin as environment variables ([`Cni::with_trace_context`](crate::Cni::with_trace_context)).
///
/// ```
/// use libcni::spec::TraceContext;
///
/// let context = TraceContext::new("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")?
///     .state("vendor=00f067aa0ba902b7")?
///     .baggage("tenant=blue")?;
/// assert!(TraceContext::new("00-0-0-0").is_err());
/// assert!(context.state("one line\nand another").is_err());
/// # Ok::<(), libcni::spec::InvalidTraceContext>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    parent: String,
    state: Option<String>,
    baggage: Option<String>,
}

/// A text can't be part of a trace context.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid {variable} `{}`: {reason}", value.escape_debug())]
pub struct InvalidTraceContext {
    variable: &'static str,
    value: String,
    reason: &'static str,
}

impl TraceContext {
    /// The trace and the span that plugins are children of: `VERSION-TRACE-SPAN-FLAGS` in lower-case hexadecimal
    /// digits, two, 32, 16 and two of them.
    ///
    /// # Errors
    /// The text is something else.
    pub fn new(traceparent: impl Into<String>) -> Result<Self, InvalidTraceContext> {
        let parent = traceparent.into();
        if !is_parent(&parent) {
            let reason = "it must be VERSION-TRACE-SPAN-FLAGS in lower-case hexadecimal digits";
            return Err(InvalidTraceContext { variable: TRACEPARENT, value: parent, reason });
        }
        Ok(Self { parent, state: None, baggage: None })
    }

    /// The same with data of tracing systems.
    ///
    /// # Errors
    /// The text is empty, or has other characters than those of a header: printable ASCII.
    pub fn state(self, tracestate: impl Into<String>) -> Result<Self, InvalidTraceContext> {
        let state = header(TRACESTATE, tracestate.into())?;
        Ok(Self { state: Some(state), ..self })
    }

    /// The same with data of the application.
    ///
    /// # Errors
    /// The text is empty, or has other characters than those of a header: printable ASCII.
    pub fn baggage(self, baggage: impl Into<String>) -> Result<Self, InvalidTraceContext> {
        let baggage = header(BAGGAGE, baggage.into())?;
        Ok(Self { baggage: Some(baggage), ..self })
    }

    /// The variables, and the values of those that are set. One that is not must not be inherited from another trace.
    pub fn variables(&self) -> impl Iterator<Item = (&'static str, Option<&str>)> {
        let (state, baggage) = (self.state.as_deref(), self.baggage.as_deref());
        [(TRACEPARENT, Some(self.parent.as_str())), (TRACESTATE, state), (BAGGAGE, baggage)].into_iter()
    }
}

/// Versions after 00 may have further parts; ff is none, and IDs of zeros are those of nothing.
fn is_parent(text: &str) -> bool {
    let hex = |part: &str, length| part.len() == length && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let id = |part: &str, length| hex(part, length) && part.bytes().any(|b| b != b'0');
    match text.split('-').collect::<Vec<_>>()[..] {
        ["00", trace, span, flags] => id(trace, 32) && id(span, 16) && hex(flags, 2),
        ["00" | "ff", ..] => false,
        [version, trace, span, flags, ..] => {
            hex(version, 2) && id(trace, 32) && id(span, 16) && hex(flags, 2) && is_header(text)
        }
        _ => false,
    }
}

fn header(variable: &'static str, value: String) -> Result<String, InvalidTraceContext> {
    if is_header(&value) {
        Ok(value)
    } else {
        Err(InvalidTraceContext { variable, value, reason: "it must be printable ASCII, and not empty" })
    }
}

fn is_header(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| matches!(b, b' '..=b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";

    #[test]
    fn a_parent_has_the_form_of_its_version() {
        for good in [format!("00-{TRACE}-01"), format!("cc-{TRACE}-00"), format!("01-{TRACE}-00-what-comes")] {
            assert!(TraceContext::new(&*good).is_ok(), "{good}");
        }
        let zeros = "0".repeat(32);
        for bad in [
            String::new(),
            format!("00-{TRACE}"),
            format!("00-{TRACE}-01-more"),
            format!("ff-{TRACE}-01"),
            format!("0-{TRACE}-01"),
            format!("00-{}-01", TRACE.to_uppercase()),
            format!("00-{zeros}-00f067aa0ba902b7-01"),
            format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{}-01", "0".repeat(16)),
            format!("00-{TRACE}-01\n"),
            format!("01-{TRACE}-01-\0"),
        ] {
            assert!(TraceContext::new(&*bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_travels_along_is_text_of_a_header() {
        let context = TraceContext::new(format!("00-{TRACE}-01")).unwrap();
        for bad in ["", "a\0b", "a\nb", "a\rb", "größe"] {
            assert!(context.clone().state(bad).is_err() && context.clone().baggage(bad).is_err(), "{bad:?}");
        }
        let error = context.baggage("a\nb").unwrap_err().to_string();
        assert_eq!(error, r"invalid BAGGAGE `a\nb`: it must be printable ASCII, and not empty");
    }
}

//! A subscriber that remembers.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_core::span::Current;

/// What a span or an event said.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) what: &'static Metadata<'static>,
    pub(super) fields: Fields,
    /// The number of the span that it is in.
    pub(super) parent: Option<usize>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl Said {
    /// A field; empty where there is none.
    pub(super) fn field(&self, name: &str) -> &str {
        self.fields.0.get(name).map_or("", String::as_str)
    }

    /// An event in one line.
    pub(super) fn line(&self) -> String {
        format!("{} {}: {}", self.what.level(), self.what.target(), self.field("message"))
    }
}

#[derive(Debug, Default)]
struct Memory {
    spans: Vec<Said>,
    events: Vec<Said>,
    entered: HashMap<ThreadId, Vec<usize>>,
}

impl Memory {
    fn current(&mut self) -> &mut Vec<usize> {
        self.entered.entry(std::thread::current().id()).or_default()
    }
}

/// Remembers spans and events up to a level. Clones share what they remember.
#[derive(Clone)]
pub(super) struct Recorder {
    up_to: Level,
    memory: Arc<Mutex<Memory>>,
}

impl Recorder {
    pub(super) fn new(up_to: Level) -> Self {
        Self { up_to, memory: Arc::default() }
    }

    pub(super) fn spans(&self) -> Vec<Said> {
        self.memory.lock().unwrap().spans.clone()
    }

    pub(super) fn events(&self) -> Vec<Said> {
        self.memory.lock().unwrap().events.clone()
    }

    /// The only span.
    #[track_caller]
    pub(super) fn span(&self) -> Said {
        let spans = self.spans();
        <[Said; 1]>::try_from(spans).unwrap_or_else(|spans| panic!("not one span: {spans:#?}"))[0].clone()
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.events().iter().map(Said::line).collect()
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.up_to
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let mut memory = self.memory.lock().unwrap();
        let parent = memory.current().last().copied();
        memory.spans.push(Said { what: attributes.metadata(), fields, parent });
        // 0 is no ID.
        Id::from_u64(memory.spans.len() as u64)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        values.record(&mut self.memory.lock().unwrap().spans[number(span)].fields);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut memory = self.memory.lock().unwrap();
        let parent = memory.current().last().copied();
        memory.events.push(Said { what: event.metadata(), fields, parent });
    }

    fn enter(&self, span: &Id) {
        self.memory.lock().unwrap().current().push(number(span));
    }

    fn exit(&self, _: &Id) {
        self.memory.lock().unwrap().current().pop();
    }

    fn current_span(&self) -> Current {
        let mut memory = self.memory.lock().unwrap();
        match memory.current().last().copied() {
            Some(span) => Current::new(Id::from_u64(span as u64 + 1), memory.spans[span].what),
            None => Current::none(),
        }
    }
}

fn number(span: &Id) -> usize {
    span.into_u64() as usize - 1
}

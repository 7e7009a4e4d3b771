//! The calls that are at work, each with the runtime that it was made in.

use std::collections::{BTreeMap, HashMap};
use std::future::pending;

use tokio::runtime::{Handle, Id};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::CancelToken;
use crate::spec::ContainerId;
use crate::waiting::block_on;

/// The calls at work. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct AtWork(watch::Sender<Calls>);

#[derive(Debug, Default)]
struct Calls {
    next: u64,
    by_number: BTreeMap<u64, Call>,
    /// The group of each runtime in which calls are made.
    groups: HashMap<Id, Group>,
}

#[derive(Debug)]
struct Call {
    token: CancelToken,
    containers: Vec<ContainerId>,
    runtime: Id,
    group: u64,
}

/// Calls of one runtime, from one moment without any to the next.
#[derive(Debug)]
struct Group {
    /// The number of its first call.
    number: u64,
    /// Ends the task that watches over it.
    watch: Option<AbortHandle>,
}

impl AtWork {
    /// Counts a call until the first value is dropped. The second is there where nothing watches over the runtime yet.
    pub(super) fn begin(
        &self,
        runtime: &Handle,
        token: &CancelToken,
        containers: Vec<ContainerId>,
    ) -> (Counted, Option<Watch>) {
        let (mut number, mut group, runtime) = (0, 0, runtime.id());
        self.0.send_modify(|calls| {
            number = calls.next;
            calls.next += 1;
            group = calls.groups.entry(runtime).or_insert(Group { number, watch: None }).number;
            calls.by_number.insert(number, Call { token: token.clone(), containers, runtime, group });
        });
        let watch = (group == number).then(|| Watch { at_work: self.clone(), group });
        (Counted { at_work: self.clone(), number }, watch)
    }

    /// Waits until none of the calls that are at work now is at work any more; those that begin later don't count.
    pub(super) async fn settled(&self, is_meant: impl Fn(&[ContainerId]) -> bool) {
        let next = self.0.borrow().next;
        self.until(|calls| !calls.by_number.range(..next).any(|(_, call)| is_meant(&call.containers))).await;
    }

    async fn until(&self, holds: impl FnMut(&Calls) -> bool) {
        // Fails when the sender is gone, but this value has one.
        let _ = self.0.subscribe().wait_for(holds).await;
    }
}

/// A call that is at work.
pub(super) struct Counted {
    at_work: AtWork,
    number: u64,
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut watch = None;
        self.at_work.0.send_modify(|calls| {
            let Some(ended) = calls.by_number.remove(&self.number) else { return };
            if !calls.by_number.values().any(|call| call.group == ended.group) {
                watch = calls.groups.remove(&ended.runtime).and_then(|group| group.watch);
            }
        });
        // Its value is dropped by that, which looks at the calls.
        if let Some(watch) = watch {
            watch.abort();
        }
    }
}

/// Ends the calls of a group when their runtime shuts down, and keeps the runtime until they have ended: it drops the
/// task that has this value.
pub(super) struct Watch {
    at_work: AtWork,
    group: u64,
}

impl Watch {
    /// Watches over a runtime from now on.
    pub(super) fn over(self, runtime: &Handle) {
        let (at_work, group) = (self.at_work.clone(), self.group);
        let task = runtime.spawn(async move {
            let _watch = self;
            pending::<()>().await;
        });
        let mut handle = Some(task.abort_handle());
        at_work.0.send_if_modified(|calls| {
            if let Some(group) = calls.groups.get_mut(&runtime.id()).filter(|there| there.number == group) {
                group.watch = handle.take();
            }
            false
        });
        // The calls have ended already.
        if let Some(handle) = handle {
            handle.abort();
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let tokens: Vec<_> = {
            let calls = self.at_work.0.borrow();
            let of_group = calls.by_number.values().filter(|call| call.group == self.group);
            of_group.map(|call| call.token.clone()).collect()
        };
        // Not known to fail, and nobody to tell.
        tokens.iter().for_each(|token| drop(token.cancel()));
        block_on(self.at_work.until(|calls| !calls.by_number.values().any(|call| call.group == self.group)));
    }
}

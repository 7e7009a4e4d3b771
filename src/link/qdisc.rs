//! Queueing disciplines: how fast packets leave through a link.

use std::time::Duration;

use netlink_packet_core::{DefaultNla, Emitable, NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::tc::{TcAttribute, TcHandle, TcHeader, TcMessage};
use nix::errno::Errno;

use super::message::{Message, Thing};
use super::{Handle, LinkError, Request, attribute};

/// A limit on the traffic that leaves through a link: the token bucket filter (`tbf`) of the kernel.
///
/// Two of them are equal if the kernel does the same for both, so a limit that it reports can be compared with one that
/// was set.
///
/// ```
/// use std::time::Duration;
///
/// use libcni::link::TokenBucket;
///
/// // 10 Mbit/s, 100 kB at once, and up to 25 ms of waiting.
/// let bucket = TokenBucket::new(1_250_000, 100_000, Duration::from_millis(25));
/// assert_eq!(bucket.limit, 131_250);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenBucket {
    /// The rate in bytes per second.
    pub rate: u64,
    /// How long the bucket takes to fill at that rate, in units of 64 ns, in which the kernel counts.
    pub fill_time: u32,
    /// How many bytes may wait.
    pub limit: u32,
}

impl TokenBucket {
    /// Makes the limit for a rate in bytes per second, the number of bytes that may leave at once, and the time that a
    /// packet may wait for its turn.
    pub fn new(rate: u64, burst: u32, latency: Duration) -> Self {
        const MICROSECONDS: f64 = 1e6;
        const TICKS: f64 = 15.625;
        // Whole microseconds, as other tools count. Numbers that are too great become the greatest.
        let fill_time = (f64::from(burst) * MICROSECONDS / rate.max(1) as f64) as u32;
        let waiting = (rate as f64 * latency.as_secs_f64()) as u32;
        Self { rate, fill_time: (f64::from(fill_time) * TICKS) as u32, limit: waiting.saturating_add(burst) }
    }

    /// The bucket as the attributes of `tbf`.
    fn options(self) -> Vec<u8> {
        const PARAMETERS: u16 = 1;
        const RATE_64: u16 = 4;
        let peak = rate_spec(0);
        let parameters =
            [&rate_spec(self.rate)[..], &peak, &self.limit.to_ne_bytes(), &self.fill_time.to_ne_bytes(), &[0; 4]];
        let mut options = vec![DefaultNla::new(PARAMETERS, parameters.concat())];
        if self.rate > u32::MAX.into() {
            options.push(DefaultNla::new(RATE_64, self.rate.to_ne_bytes().to_vec()));
        }
        nested(&options)
    }

    fn of(options: &[u8]) -> Option<Self> {
        const PARAMETERS: u16 = 1;
        const RATE_64: u16 = 4;
        let parameters = attribute::first(options, PARAMETERS)?;
        let number = |at| parameters.get(at..at + 4).and_then(attribute::number);
        let rate_64 =
            attribute::first(options, RATE_64).and_then(|rate| Some(u64::from_ne_bytes(rate.try_into().ok()?)));
        let rate = rate_64.or_else(|| number(8).map(u64::from))?;
        Some(Self { rate, limit: number(24)?, fill_time: number(28)? })
    }
}

/// A rate of up to 4 GB/s; the greatest of these for a greater one.
pub(super) fn rate_spec(rate: u64) -> [u8; 12] {
    const ETHERNET: u8 = 1;
    let mut spec = [0; 12];
    spec[1] = ETHERNET;
    spec[8..].copy_from_slice(&u32::try_from(rate).unwrap_or(u32::MAX).to_ne_bytes());
    spec
}

pub(super) fn nested(attributes: &[DefaultNla]) -> Vec<u8> {
    let mut bytes = vec![0; attributes.buffer_len()];
    attributes.emit(&mut bytes);
    bytes
}

/// The attribute that has the settings of a thing's kind.
pub(super) const OPTIONS: u16 = 2;

/// The handle of the discipline of what leaves through a link.
pub(super) const ROOT: TcHandle = TcHandle { major: 1, minor: 0 };
/// The handle of the place for filters of what comes in through a link.
pub(super) const INGRESS: TcHandle = TcHandle { major: 0xffff, minor: 0 };

/// A message about a thing of a kind: its handle, and that of the thing it belongs to.
pub(super) fn message(index: u32, kind: &str, handle: TcHandle, parent: TcHandle) -> TcMessage {
    let mut message = TcMessage::with_index(i32::try_from(index).unwrap_or_default());
    message.header.handle = handle;
    message.header.parent = parent;
    message.attributes.push(TcAttribute::Kind(kind.to_owned()));
    message
}

pub(super) fn with_options(mut message: TcMessage, options: Vec<u8>) -> TcMessage {
    message.attributes.push(TcAttribute::Other(DefaultNla::new(OPTIONS, options)));
    message
}

pub(super) fn new_qdisc(doing: &str, message: TcMessage) -> Request {
    Request::new(doing, RouteNetlinkMessage::NewQueueDiscipline(message), NLM_F_CREATE | NLM_F_EXCL)
}

impl Request {
    /// Limits all traffic that leaves through a link.
    pub fn add_token_bucket(index: u32, bucket: TokenBucket) -> Self {
        Self::token_bucket(index, bucket, ROOT, TcHandle::ROOT)
    }

    pub(super) fn token_bucket(index: u32, bucket: TokenBucket, handle: TcHandle, parent: TcHandle) -> Self {
        let message = with_options(message(index, "tbf", handle, parent), bucket.options());
        new_qdisc("add a token bucket to the link", message)
    }

    /// Removes the limit that [`Request::add_token_bucket`] or [`Request::shape`] made; fine when there is none, or
    /// another discipline in its place.
    pub fn remove_limit(index: u32) -> [Self; 2] {
        ["tbf", "htb"].map(|kind| {
            let message = RouteNetlinkMessage::DelQueueDiscipline(message(index, kind, ROOT, TcHandle::ROOT));
            let request = Self::new(format!("remove the {kind} of the link"), message, 0);
            request.fine_with(&[Errno::ENOENT as i32, Errno::EINVAL as i32, Errno::ENODEV as i32])
        })
    }
}

/// A queueing discipline of a link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Qdisc {
    /// Its kind, as `tc` calls it: `tbf`, `fq_codel`.
    pub kind: String,
    /// True if all traffic that leaves through the link passes it first.
    pub is_root: bool,
    /// The limit, if it is one.
    pub bucket: Option<TokenBucket>,
}

impl Handle {
    /// Lists the queueing disciplines of a link, except the kernel's default ones.
    ///
    /// # Errors
    /// The kernel could not be asked.
    pub fn qdiscs(&mut self, index: u32) -> Result<Vec<Qdisc>, LinkError> {
        let request = RouteNetlinkMessage::GetQueueDiscipline(TcMessage::default());
        self.list("list the queueing disciplines", request, |qdiscs: &mut Vec<_>, item| {
            let Message::Qdisc(message) = item else { return };
            // The kernel lists those of all links.
            if u32::try_from(message.header.index) == Ok(index) {
                qdiscs.push(Qdisc::of(&message));
            }
        })
    }
}

impl Qdisc {
    fn of(message: &Thing<TcHeader>) -> Self {
        const KIND: u16 = 1;
        let kind = attribute::first(&message.attributes, KIND).and_then(attribute::text).unwrap_or_default();
        let options = attribute::first(&message.attributes, OPTIONS).filter(|_| kind == "tbf");
        Self { kind, is_root: message.header.parent == TcHandle::ROOT, bucket: options.and_then(TokenBucket::of) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_survives_the_way_to_the_kernel() {
        for rate in [1, 1_250_000, 10_000_000_000] {
            let bucket = TokenBucket::new(rate, 100_000, Duration::from_millis(25));
            assert_eq!(TokenBucket::of(&bucket.options()), Some(bucket));
        }
    }

    // As seen of the reference plugin 1.9.
    #[test]
    fn numbers_are_those_of_other_tools() {
        let bucket = TokenBucket::new(1000, 10, Duration::from_millis(25));
        assert_eq!(bucket, TokenBucket { rate: 1000, fill_time: 156_250, limit: 35 });
        assert_eq!(TokenBucket::new(1, u32::MAX, Duration::from_millis(25)).fill_time, u32::MAX);
    }
}

//! Traffic between namespaces that the test made, and what it looks like at the other end.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use libcni::netns::run_in;
use rustix::net::{self, AddressFamily, SocketType, ipproto};

/// How long an answer may take; how long is waited for one that does not come.
const PATIENCE: Duration = Duration::from_secs(10);
const IMPATIENCE: Duration = Duration::from_millis(300);

/// The namespace of the host itself, as a place to talk from.
pub(crate) const HOST: &str = "host";

fn inside<T: Send>(place: &str, act: impl FnOnce() -> T + Send) -> T {
    match place {
        HOST => act(),
        _ => run_in(Path::new("/run/netns").join(place), act).unwrap(),
    }
}

/// Answers TCP connections to a port of a place, until the test ends, with the place's name and where they come from.
pub(crate) fn serve(place: &'static str, port: u16) {
    answer_all(inside(place, || TcpListener::bind(("::", port))).unwrap(), place);
}

fn answer_all(listener: TcpListener, place: &'static str) {
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let peer = connection.peer_addr().unwrap().ip().to_canonical();
            // A client that went away is none of ours.
            let _ = write!(connection, "{place} {peer}");
        }
    });
}

/// Answers UDP packets with what they say and the place's name.
pub(crate) fn serve_udp(place: &'static str, port: u16) {
    let socket = inside(place, || UdpSocket::bind(("::", port))).unwrap();
    std::thread::spawn(move || {
        loop {
            let mut question = [0; 64];
            let (length, peer) = socket.recv_from(&mut question).unwrap();
            let question = String::from_utf8_lossy(&question[..length]).into_owned();
            let _ = socket.send_to(format!("{question} {place}").as_bytes(), peer);
        }
    });
}

/// A socket for SCTP, which has connections like those of TCP.
fn sctp() -> rustix::io::Result<OwnedFd> {
    net::socket(AddressFamily::INET, SocketType::STREAM, Some(ipproto::SCTP))
}

/// Why this machine has no SCTP, if it has none.
pub(crate) fn lacks_sctp() -> Option<String> {
    sctp().err().map(|error| format!("no SCTP: {error}"))
}

/// Answers SCTP connections as [`serve`] does those of TCP.
pub(crate) fn serve_sctp(place: &'static str, port: u16) {
    let listener = inside(place, sctp).unwrap();
    net::bind(&listener, &SocketAddr::from(([0, 0, 0, 0], port))).unwrap();
    net::listen(&listener, 8).unwrap();
    answer_all(listener.into(), place);
}

/// Checks that an SCTP connection from a place is answered, by whom, and as whom they see it.
#[track_caller]
pub(crate) fn reaches_by_sctp(from: &str, to: &str, who: &str, as_whom: &str) {
    let socket = inside(from, sctp).unwrap();
    let connected = net::connect(&socket, &to.parse::<SocketAddr>().unwrap());
    let answer = connected.ok().and_then(|()| said_on(socket.into(), PATIENCE));
    assert_eq!(answer, Some(format!("{who} {as_whom}")), "{from} -> {to}");
}

/// Who answers a connection from a place, and as whom they see it; `None` when nobody does.
fn answer(from: &str, to: &str, patience: Duration) -> Option<String> {
    let address: SocketAddr = to.parse().unwrap();
    said_on(inside(from, || TcpStream::connect_timeout(&address, patience)).ok()?, patience)
}

fn said_on(mut connection: TcpStream, patience: Duration) -> Option<String> {
    connection.set_read_timeout(Some(patience)).unwrap();
    let mut said = String::new();
    connection.read_to_string(&mut said).ok()?;
    Some(said)
}

/// Checks that a connection from a place is answered, by whom, and as whom they see it.
#[track_caller]
pub(crate) fn reaches(from: &str, to: &str, who: &str, as_whom: &str) {
    let expected = format!("{who} {}", as_whom.parse::<IpAddr>().unwrap());
    assert_eq!(answer(from, to, PATIENCE), Some(expected), "{from} -> {to}");
}

/// Checks that nobody answers.
#[track_caller]
pub(crate) fn does_not_reach(from: &str, to: &str) {
    assert_eq!(answer(from, to, IMPATIENCE), None, "{from} -> {to}");
}

/// Whether a datagram from a place arrives at the host, sent from and to these addresses.
pub(crate) fn arrives(from: &str, source: &str, to: &str) -> bool {
    let socket = UdpSocket::bind(("0.0.0.0", to.parse::<SocketAddr>().unwrap().port())).unwrap();
    socket.set_read_timeout(Some(IMPATIENCE)).unwrap();
    let sender = inside(from, || UdpSocket::bind(source)).unwrap();
    // The first one may be lost to the neighbour's resolution.
    (0..3).any(|_| sender.send_to(b"?", to).is_ok() && socket.recv_from(&mut [0; 8]).is_ok())
}

/// A socket of a place that sends to an address, always as the same peer.
pub(crate) struct Sender {
    socket: UdpSocket,
    sent: AtomicUsize,
}

impl Sender {
    pub(crate) fn new(from: &str, to: &str) -> Self {
        let to: SocketAddr = to.parse().unwrap();
        let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = inside(from, || UdpSocket::bind(any)).unwrap();
        socket.connect(to).unwrap();
        socket.set_read_timeout(Some(IMPATIENCE)).unwrap();
        Self { socket, sent: AtomicUsize::new(0) }
    }

    /// Checks who answers, sooner or later: a packet may be lost.
    #[track_caller]
    pub(crate) fn is_answered_by(&self, who: &str) {
        let answer = (0..30).find_map(|_| self.answer());
        assert_eq!(answer.as_deref(), Some(who));
    }

    /// Who answers a packet; `None` when nobody does.
    fn answer(&self) -> Option<String> {
        let question = format!("{} ", self.sent.fetch_add(1, Ordering::Relaxed));
        self.socket.send(question.as_bytes()).ok()?;
        loop {
            let mut answer = [0; 64];
            let length = self.socket.recv(&mut answer).ok()?;
            // Answers to earlier packets may come late.
            if let Some(who) = String::from_utf8_lossy(&answer[..length]).strip_prefix(&question) {
                return Some(who.trim().to_owned());
            }
        }
    }
}

/// Takes whatever is sent by TCP to a port of a place, and says so at its end.
pub(crate) fn swallow(place: &'static str, port: u16) {
    let listener = inside(place, || TcpListener::bind(("::", port))).unwrap();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut connection, &mut std::io::sink());
                let _ = connection.write_all(b"all");
            });
        }
    });
}

/// How long it takes until a place has got all that another one sends.
pub(crate) fn time_to_send(from: &str, to: &str, bytes: usize) -> Duration {
    let address: SocketAddr = to.parse().unwrap();
    let mut connection = inside(from, || TcpStream::connect_timeout(&address, PATIENCE)).unwrap();
    let began = std::time::Instant::now();
    connection.write_all(&vec![0; bytes]).unwrap();
    connection.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(said_on(connection, PATIENCE).as_deref(), Some("all"), "{from} -> {to}");
    began.elapsed()
}

/// A TCP connection on which one place sends to another all the time.
pub(crate) struct Stream {
    arrived: Arc<AtomicUsize>,
    is_broken: Arc<AtomicBool>,
}

impl Stream {
    /// Connects to a place, which listens at the port of that address, and begins to send.
    pub(crate) fn new(from: &str, place: &str, to: &str) -> Self {
        let address: SocketAddr = to.parse().unwrap();
        let listener = inside(place, || TcpListener::bind(("::", address.port()))).unwrap();
        let mut sender = inside(from, || TcpStream::connect_timeout(&address, PATIENCE)).unwrap();
        let mut receiver = listener.accept().unwrap().0;
        let stream = Self { arrived: Arc::default(), is_broken: Arc::default() };
        let (arrived, is_broken) = (stream.arrived.clone(), stream.is_broken.clone());
        std::thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            while let Ok(length @ 1..) = receiver.read(&mut buffer) {
                arrived.fetch_add(length, Ordering::Relaxed);
            }
            is_broken.store(true, Ordering::Relaxed);
        });
        // Until the test ends.
        std::thread::spawn(move || while sender.write_all(&[0; 1 << 14]).is_ok() {});
        stream
    }

    /// Checks that it goes on, at a rate in bits per second, give or take 15 %: in one second of several, since others
    /// may use this machine.
    #[track_caller]
    pub(crate) fn has_rate(&self, rate: u32) {
        let mut seen = Vec::new();
        for _ in 0..15 {
            let (before, began) = (self.arrived.load(Ordering::Relaxed), std::time::Instant::now());
            std::thread::sleep(Duration::from_secs(1));
            let bits = 8 * (self.arrived.load(Ordering::Relaxed) - before);
            #[expect(clippy::cast_precision_loss, reason = "a rate, more or less")]
            seen.push(bits as f64 / began.elapsed().as_secs_f64());
            assert!(!self.is_broken.load(Ordering::Relaxed), "the connection broke");
            if seen.last().is_some_and(|seen| (seen / f64::from(rate) - 1.0).abs() <= 0.15) {
                return;
            }
        }
        panic!("{seen:?} bit/s, not {rate}");
    }

    /// Checks that it goes on.
    #[track_caller]
    pub(crate) fn goes_on(&self) {
        let before = self.arrived.load(Ordering::Relaxed);
        crate::host::eventually(|| self.arrived.load(Ordering::Relaxed) > before + (1 << 20));
        assert!(!self.is_broken.load(Ordering::Relaxed), "the connection broke");
        assert!(self.arrived.load(Ordering::Relaxed) > before + (1 << 20), "the connection stands still");
    }
}

/// Counts what is lost of datagrams that a place sends to a port which answers, one every millisecond, while something
/// is done.
pub(crate) fn lost_while(from: &str, to: &str, act: impl FnOnce()) -> usize {
    let to: SocketAddr = to.parse().unwrap();
    let socket = inside(from, || UdpSocket::bind(("0.0.0.0", 0))).unwrap();
    socket.connect(to).unwrap();
    socket.set_read_timeout(Some(IMPATIENCE)).unwrap();
    let answers = socket.try_clone().unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let sent = scope.spawn(|| {
            let mut sent = 0;
            while !is_over.load(Ordering::Relaxed) {
                socket.send(b"?").unwrap();
                sent += 1;
                std::thread::sleep(Duration::from_millis(1));
            }
            sent
        });
        let answered = scope.spawn(|| {
            let mut answered = 0;
            let mut buffer = [0; 64];
            loop {
                match answers.recv(&mut buffer) {
                    Ok(_) => answered += 1,
                    Err(_) if is_over.load(Ordering::Relaxed) => return answered,
                    Err(_) => {}
                }
            }
        });
        act();
        is_over.store(true, Ordering::Relaxed);
        let (sent, answered): (usize, usize) = (sent.join().unwrap(), answered.join().unwrap());
        assert!(sent > 0);
        sent - answered
    })
}

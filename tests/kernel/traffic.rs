//! Traffic between namespaces that the test made, and what it looks like at the other end.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
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

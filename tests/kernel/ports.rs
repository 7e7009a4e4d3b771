//! Traffic, between namespaces that the test made.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use libcni::netns::run_in;

use crate::Test;
use crate::chain::{network, with_port};
use crate::host::Host;

pub(crate) const TESTS: &[Test] = &[
    ("ports::the_host_reaches_the_container", |host| reaches_container(host, "10.77.0.2:80")),
    ("ports::a_mapped_port_of_the_host_leads_to_the_container", |host| reaches_container(host, "10.77.0.1:8080")),
];

/// Serves one connection in the container.
fn serve_in_container() -> std::thread::JoinHandle<()> {
    let (ready, is_ready) = std::sync::mpsc::channel();
    let serve = move || {
        let listener = TcpListener::bind("10.77.0.2:80").unwrap();
        ready.send(()).unwrap();
        let (mut connection, _) = listener.accept().unwrap();
        connection.write_all(b"hello from blue").unwrap();
    };
    let serving = std::thread::spawn(|| run_in("/run/netns/blue", serve).unwrap());
    is_ready.recv().expect("the service listens");
    serving
}

#[track_caller]
fn reaches_container(host: &Host, address: &str) {
    let (cni, network, attachment) = (host.cni(), network(host, "1.0.0"), with_port(host));
    cni.add(&network, &attachment).unwrap();
    let serving = serve_in_container();
    let address: SocketAddr = address.parse().unwrap();
    let mut connection = TcpStream::connect_timeout(&address, Duration::from_secs(5)).unwrap();
    let mut said = String::new();
    connection.read_to_string(&mut said).unwrap();
    assert_eq!(said, "hello from blue");
    serving.join().unwrap();
    cni.del(&network, &attachment).unwrap();
    TcpStream::connect_timeout(&address, Duration::from_millis(200)).expect_err("the port is closed after DEL");
    host.has_no_trace();
}

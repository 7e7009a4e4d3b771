//! A hostile plugin, root in its namespaces: what it tries to reach of the host, of the caller and of the judge.
//!
//! Each attack is tried with the suite run as whoever runs the tests, and where that is root, as an ordinary user, too.

use std::fs::{self, File, Permissions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::process::{Child, Command, Stdio};

use nix::unistd::Uid;
use tempfile::TempDir;

use crate::Test;
use crate::faults::Faulty;
use crate::tool::{Caller, Report};

mod attacks;

use self::attacks::ATTACKS;

type Attempt = fn(Caller);

pub(crate) fn tests() -> Vec<Test> {
    let callers: &[Caller] = if Uid::effective().is_root() { &[Caller::Own, Caller::Ordinary] } else { &[Caller::Own] };
    let each = |caller: Caller| {
        let attacks = ATTACKS.iter().map(move |(name, shell)| {
            let test: Box<dyn FnOnce() + Send> = Box::new(move || fails(name, shell, caller));
            (format!("hostile::{}::{name}", caller.name()), test)
        });
        let others: [(&str, Attempt); 8] = [
            ("writes_into_its_own_directory", its_directory_stays),
            ("leaves_files_in_shared_memory", shared_memory_stays),
            ("reads_the_callers_keys", keys_stay),
            ("types_into_the_callers_terminal", terminal_stays),
            ("ends_the_judge_and_fails", judge_stays),
            ("takes_the_judges_limits_and_fails", limits_stay),
            ("stops_whatever_the_judge_starts", no_stop_is_for_ever),
            ("starts_any_number_of_processes", processes_are_few),
        ];
        let others = others.into_iter().map(move |(name, test)| {
            let test: Box<dyn FnOnce() + Send> = Box::new(move || test(caller));
            (format!("hostile::{}::{name}", caller.name()), test)
        });
        attacks.chain(others)
    };
    let told = |(name, test): (&str, fn())| (format!("hostile::{name}"), Box::new(test) as Box<dyn FnOnce() + Send>);
    let weakness = Uid::effective().is_root().then(|| told(("what_does_not_hold_is_told", weakness_is_told)));
    callers.iter().flat_map(|caller| each(*caller)).chain(weakness).collect()
}

/// Things of the host that are none of a plugin's business.
struct Host {
    /// Directories with a file `secret` and a socket `socket`, where daemons and users keep such.
    dirs: Vec<TempDir>,
    _sockets: Vec<UnixListener>,
    process: Child,
}

/// The argument by which the host's process is known.
const MARK: &str = "299.8125";

impl Host {
    fn new() -> Self {
        let is_writable = |dir: &&str| tempfile::tempdir_in(dir).is_ok();
        let places = ["/run", "/var/lib", "/var/tmp", "/dev/shm", "/tmp"].into_iter().filter(is_writable);
        let dirs: Vec<_> = places.map(|dir| tempfile::tempdir_in(dir).unwrap()).collect();
        let mut sockets = Vec::new();
        for dir in &dirs {
            fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
            fs::write(dir.path().join("secret"), "secret").unwrap();
            sockets.push(UnixListener::bind(dir.path().join("socket")).unwrap());
            fs::set_permissions(dir.path().join("socket"), Permissions::from_mode(0o777)).unwrap();
        }
        let process = Command::new("sleep").arg(MARK).stdin(Stdio::null()).spawn().unwrap();
        Self { dirs, _sockets: sockets, process }
    }

    /// Shell that knows where they are.
    fn shell(&self) -> String {
        let dirs: Vec<_> = self.dirs.iter().map(|dir| dir.path().display().to_string()).collect();
        let netns = fs::read_link("/proc/self/ns/net").unwrap();
        format!("secrets='{}'; mark={MARK}; hostnet='{}'\n", dirs.join(" "), netns.display())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The same command, which is ended when it hangs.
fn bounded(tool: Command) -> Command {
    let mut command = Command::new("timeout");
    command.args(["--signal=KILL", "100"]).arg(tool.get_program()).args(tool.get_args()).stdin(Stdio::null());
    command
}

/// Shell for attacks, on every ADD that could succeed.
fn attacking(host: &Host, attack: &str) -> String {
    let before = r#"
        broke() { fail 100 "broke out: $1"; }
        uncover() { umount -l /proc /sys /run /var/run /var/lib /var /tmp /dev/shm /dev /etc /usr 2>/dev/null; }
        on ADD && [ -n "$container" ] && [ -e "$CNI_NETNS" ] && {
    "#;
    format!("{}{before}{attack}\n:\n}}\n", host.shell())
}

#[track_caller]
fn fails(name: &str, attack: &str, caller: Caller) {
    let host = Host::new();
    let mut faulty = Faulty::new("noop", &attacking(&host, attack));
    let mut command = bounded(faulty.conformance_by(caller));
    // Of the caller's: a variable, and a descriptor that is not closed by itself.
    command.env("LIBCNI_SECRET", "secret");
    let secret = File::open(host.dirs[0].path().join("secret")).unwrap();
    nix::fcntl::fcntl(&secret, nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty())).unwrap();
    assert!(secret.as_raw_fd() > 2);
    let report = Report::of(command.args(["--only", "401"]));
    assert!(!report.to_string().contains("broke out"), "{name}\n{report}");
    report.passes(401);
}

fn its_directory_stays(caller: Caller) {
    let host = Host::new();
    let attack = r#": >"$home/left"; echo 'exit 0' >>"$home/plugin" || :"#;
    let mut faulty = Faulty::new("noop", &attacking(&host, attack));
    let report = Report::of(bounded(faulty.conformance_by(caller)).args(["--only", "401"]));
    let left = faulty.program().with_file_name("left");
    assert!(!left.exists(), "{} is left\n{report}", left.display());
}

fn shared_memory_stays(caller: Caller) {
    let host = Host::new();
    let name = format!("libcni-left-{}-{}", std::process::id(), caller.name());
    let mut faulty =
        Faulty::new("noop", &attacking(&host, &format!(": >/dev/shm/{name}; : >/var/tmp/{name}; : >/tmp/{name}")));
    let report = Report::of(bounded(faulty.conformance_by(caller)).args(["--only", "401"]));
    for dir in ["/dev/shm", "/var/tmp", "/tmp"] {
        let left = std::path::Path::new(dir).join(&name);
        let was_left = left.exists();
        let _ = fs::remove_file(&left);
        assert!(!was_left, "{} is left\n{report}", left.display());
    }
}

/// Where root has no user IDs to give away, the plugin's root is that of the machine, and the report begins with it.
fn weakness_is_told() {
    let mut faulty = Faulty::new("noop", "");
    let tool = bounded(faulty.conformance());
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user"]).arg(tool.get_program()).args(tool.get_args()).stdin(Stdio::null());
    let report = Report::of(command.args(["--only", "101"]));
    report.passes(101);
    let weakness = &report.json["weaknesses"][0];
    assert!(weakness.as_str().is_some_and(|weakness| weakness.contains("the user ID of root")), "{}", report.json);
}

/// The numbers of `add_key`, `keyctl` and `ptrace`.
fn system_calls() -> [u32; 3] {
    if cfg!(target_arch = "x86_64") { [248, 250, 101] } else { [217, 219, 117] }
}

fn keys_stay(caller: Caller) {
    let host = Host::new();
    let [add_key, keyctl, _] = system_calls();
    let search = format!(
        r#"perl -e 'exit(syscall({keyctl}, 10, -3, my $t = "user", my $n = "libcni-secret", 0) > 0 ? 0 : 1)' && broke "a key""#
    );
    let mut faulty = Faulty::new("noop", &attacking(&host, &search));
    let tool = bounded(faulty.conformance_by(caller));
    // In a session keyring of this test's own, with a key in it.
    let session = format!(
        r#"syscall({keyctl}, 1, 0) > 0 && syscall({add_key}, my $t = "user", my $n = "libcni-secret", my $s = "secret", 6, -3) > 0
           or die "no keyring: $!"; exec @ARGV or die"#
    );
    let mut command = Command::new("perl");
    command.args(["-e", &session]).arg(tool.get_program()).args(tool.get_args()).stdin(Stdio::null());
    let report = Report::of(command.args(["--only", "401"]));
    report.passes(401);
}

fn terminal_stays(caller: Caller) {
    let host = Host::new();
    // In every way to a terminal that there is: its own, those of others, those behind descriptors.
    let types = r#"
        perl -e 'for my $t ("/dev/tty", "/dev/console", glob("/dev/pts/*"), glob("/dev/tty[0-9]*"), glob("/proc/[0-9]*/fd/*")) {
            next if $t =~ m{/proc/} && !(readlink($t) // "" =~ m{^/dev/});
            open(my $f, "+<", $t) or next; -t $f or next; my $c = "x";
            print("$t\n"), exit 0 if ioctl($f, 0x5412, $c) } exit 1' >&2 && broke "typed into a terminal"
        read -r _ _ _ _ _ _ tty _ </proc/self/stat; [ "$tty" = 0 ] || broke "it has a controlling terminal"
    "#;
    let mut faulty = Faulty::new("noop", &attacking(&host, types));
    let mut tool = bounded(faulty.conformance_by(caller));
    tool.args(["--only", "401", "--format", "json"]);
    let words: Vec<_> = std::iter::once(tool.get_program()).chain(tool.get_args()).collect();
    let line: Vec<_> = words.iter().map(|word| format!("'{}'", word.to_str().unwrap())).collect();
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    File::create(&out).unwrap().set_permissions(Permissions::from_mode(0o666)).unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let line = format!("{} >{}", line.join(" "), out.display());
    let output = Command::new("script").args(["-qec", &line, "/dev/null"]).stdin(Stdio::null()).output().unwrap();
    let report = fs::read_to_string(&out).unwrap();
    assert!(!report.contains("broke out") && output.status.code() == Some(0), "{output:?}\n{report}");
}

/// The verdict is whole, and that of a plugin that fails.
#[track_caller]
fn fails_whatever(caller: Caller, attack: &str) {
    let host = Host::new();
    let mut faulty = Faulty::new("noop", &attacking(&host, &format!("{attack}\nfail 100")));
    let report = Report::of(bounded(faulty.conformance_by(caller)).args(["--only", "101,401"]));
    report.passes(101);
    report.deviates_in(&[401]);
}

fn judge_stays(caller: Caller) {
    let ptrace = system_calls()[2];
    // What it can trace, it makes exit: 60 and 93 are the calls for it.
    let attack = format!(
        r#"
        for pid in /proc/[0-9]*; do pid=${{pid#/proc/}}; [ "$pid" = $$ ] || {{
            perl -e 'exit(syscall({ptrace}, 16, $ARGV[0]+0, 0, 0) == 0 ? 0 : 1)' "$pid" && [ "$pid" = 1 ] && broke "traces the judge"
            kill -TERM "$pid"; kill -STOP "$pid"; kill -KILL "$pid"
        }}; done 2>/dev/null
        exec 3<>/proc/1/mem && broke "writes to the judge"
        "#
    );
    let host = Host::new();
    let mut faulty = Faulty::new("noop", &attacking(&host, &attack));
    let report = Report::of(bounded(faulty.conformance_by(caller)).args(["--only", "101,401"]));
    assert!(!report.to_string().contains("broke out"), "{report}");
    fails_whatever(caller, &attack.replace("broke", ":"));
}

fn limits_stay(caller: Caller) {
    let attack = r#"
        for pid in /proc/[0-9]*; do prlimit --pid "${pid#/proc/}" --nofile=0:0 --nproc=0:0 --as=4096:4096; done 2>/dev/null
        for pid in /proc/[0-9]*; do echo 1000 >"$pid/oom_score_adj"; done 2>/dev/null
    "#;
    fails_whatever(caller, attack);
}

/// What it leaves behind stops every process of its namespace, also one that has not become the next plugin yet.
fn no_stop_is_for_ever(caller: Caller) {
    let host = Host::new();
    // From when ADD has succeeded.
    // DEL goes on for long enough to be stopped.
    let attack = r#"
        (setsid sh -c "while kill -0 $$; do :; done; while :; do kill -STOP -1; done" >/dev/null 2>&1 &)
        }
        on DEL && {
        sleep 1
    "#;
    let mut faulty = Faulty::new("noop", &attacking(&host, attack));
    let report = Report::of(bounded(faulty.conformance_by(caller)).args(["--timeout", "3s", "--only", "101,501"]));
    report.passes(101);
    report.deviates_in(&[501]);
}

/// As many as it can: the judge has room for its own meanwhile, and the plugin can't give itself more.
fn processes_are_few(caller: Caller) {
    let attack = r#"
        prlimit --nproc=unlimited:unlimited --pid $$ 2>/dev/null
        ulimit -u unlimited 2>/dev/null
        count=$(perl -e 'my $n = 0;
            while ($n < 6000 && defined(my $child = fork)) { if (!$child) { close STDOUT; sleep 100; exit } $n++ }
            print $n')
        [ "$count" -lt 6000 ] || broke "$count processes"
    "#;
    let host = Host::new();
    let mut faulty = Faulty::new("noop", &attacking(&host, attack));
    let report = Report::of(bounded(faulty.conformance_by(caller)).args(["--only", "101,401"]));
    assert!(!report.to_string().contains("broke out"), "{report}");
    report.passes(101);
    // With none left, nothing of it can go on.
    report.deviates_in(&[401]);
}

//! What every Tokio program of the suite shares; see bench.h.
use std::fs;
use std::io::Write;
use std::sync::Mutex;
use std::time::Instant;

/// Does `n` operations and returns a number that shows that it did them.
pub type Form = fn(n: i64) -> i64;

/// Bytes of a large process.
pub const LARGE: usize = 4 << 30;

struct Figures {
    wall: Instant,
    cpu: f64,
    bytes: f64,
    line: Option<String>,
}

static NOW: Mutex<Option<Figures>> = Mutex::new(None);

fn cpu() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    let mut children: libc::rusage = unsafe { std::mem::zeroed() };
    unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, &mut children) };
    let of = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 * 1e-6;
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9 + of(children.ru_utime) + of(children.ru_stime)
}

fn resident_bytes() -> f64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<f64>().unwrap() * 4096.0
}

/// The measured part begins here, not where the form does.
pub fn start_clock() {
    *NOW.lock().unwrap() =
        Some(Figures { wall: Instant::now(), cpu: cpu(), bytes: resident_bytes(), line: None });
}

/// It ends here, not where the form does.
pub fn stop_clock() {
    let mut now = NOW.lock().unwrap();
    let begun = now.as_mut().unwrap();
    begun.line = Some(format!(
        "wall={:.9} cpu={:.9} bytes={:.0}",
        begun.wall.elapsed().as_secs_f64(),
        cpu() - begun.cpu,
        resident_bytes() - begun.bytes
    ));
}

/// Prints the figures and ends the program, whatever is still under way.
pub fn finish(operations: i64, check: i64) -> ! {
    if NOW.lock().unwrap().as_ref().unwrap().line.is_none() {
        stop_clock();
    }
    let line = NOW.lock().unwrap().as_mut().unwrap().line.take().unwrap();
    println!("operations={} {} check={}", operations, line, check);
    std::io::stdout().flush().unwrap();
    std::process::exit(0)
}

/// Runs the form that the command line names.
pub fn main(forms: &[(&str, Form)]) {
    let arguments: Vec<String> = std::env::args().collect();
    for (name, form) in forms {
        if arguments.len() == 3 && arguments[1] == *name {
            let n = arguments[2].parse().unwrap();
            start_clock();
            finish(n, form(n));
        }
    }
    eprintln!("usage: {} FORM N", arguments[0]);
    std::process::exit(2)
}

/// A runtime of one thread, with timers and sockets.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// The same numbers in every language: xorshift32.
pub struct Random(u32);

impl Default for Random {
    fn default() -> Self {
        Random(12345)
    }
}

impl Random {
    pub fn below(&mut self, end: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 % end
    }
}

/// As many open files as the system allows.
pub fn allow_connections() {
    let mut files = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &mut files);
        files.rlim_cur = files.rlim_max;
        libc::setrlimit(libc::RLIMIT_NOFILE, &files);
    }
}

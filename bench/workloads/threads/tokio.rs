//! There are no callbacks: a task takes the place of one.
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{mpsc, Arc};
use std::thread;
use tokio::sync::Notify;

/// Calls `body` with a handle of a runtime that runs in another thread.
fn beside(body: impl FnOnce(&tokio::runtime::Handle, Arc<Notify>)) {
    let (sender, receiver) = mpsc::channel();
    let stop = Arc::new(Notify::new());
    let stopped = stop.clone();
    let thread = thread::spawn(move || {
        let runtime = bench::runtime();
        sender.send(runtime.handle().clone()).unwrap();
        runtime.block_on(stopped.notified());
    });
    body(&receiver.recv().unwrap(), stop);
    thread.join().unwrap();
}

async fn next(value: i64) -> i64 {
    value + 1
}

fn round_trip(n: i64) -> i64 {
    let mut sum = 0;
    beside(|handle, stop| {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..n {
            let reply = sender.clone();
            handle.spawn(async move {
                let value = next(0).await;
                reply.send(value).unwrap()
            });
            sum += receiver.recv().unwrap();
        }
        stop.notify_one();
    });
    sum
}

static COUNT: AtomicI64 = AtomicI64::new(0);

fn post(n: i64) -> i64 {
    beside(|handle, stop| {
        for _ in 0..n {
            let stop = stop.clone();
            handle.spawn(async move {
                if COUNT.fetch_add(1, Relaxed) + 1 == n {
                    stop.notify_one();
                }
            });
        }
    });
    COUNT.load(Relaxed)
}

fn main() {
    bench::main(&[("round_trip", round_trip), ("post", post)])
}

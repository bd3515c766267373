//! A Notify takes the place of an event.
use std::cell::Cell;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::sleep;

thread_local!(static COUNT: Cell<i64> = Cell::new(0));

fn begin() {
    COUNT.with(|count| count.set(count.get() + 1));
}

fn park<Parked: Future<Output = ()> + Send + 'static>(n: i64, make: impl Fn() -> Parked) -> i64 {
    bench::runtime().block_on(async {
        for _ in 0..n {
            tokio::spawn(make());
        }
        while COUNT.with(Cell::get) < n {
            yield_now().await;
        }
        bench::finish(n, COUNT.with(Cell::get))
    })
}

fn nap(n: i64) -> i64 {
    park(n, || async {
        begin();
        sleep(Duration::from_secs(3600)).await;
    })
}

fn event(n: i64) -> i64 {
    let never = Arc::new(Notify::new());
    park(n, || {
        let event = never.clone();
        async move {
            begin();
            event.notified().await;
        }
    })
}

fn main() {
    bench::main(&[("sleep", nap), ("event", event)])
}

//! A task that is aborted is dropped where it waits: its clean-up is what a value in it does when it is dropped.
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::Duration;
use tokio::task::{yield_now, JoinHandle};
use tokio::time::sleep;

static CLEANED_UP: AtomicI64 = AtomicI64::new(0);

struct CleanUp;

impl Drop for CleanUp {
    fn drop(&mut self) {
        CLEANED_UP.fetch_add(1, Relaxed);
    }
}

async fn nap() {
    sleep(Duration::from_secs(3600)).await;
}

async fn nap_and_clean_up() {
    let _clean_up = CleanUp;
    sleep(Duration::from_secs(3600)).await;
}

async fn cancel(tasks: Vec<JoinHandle<()>>, begun: bool) -> i64 {
    if begun {
        for _ in 0..=tasks.len() / 16 {
            yield_now().await;
        }
    }
    bench::start_clock();
    for task in &tasks {
        task.abort();
    }
    let mut cancelled = 0;
    for task in tasks {
        cancelled += task.await.unwrap_err().is_cancelled() as i64;
    }
    bench::stop_clock();
    cancelled
}

fn begun(n: i64) -> i64 {
    bench::runtime().block_on(async { cancel((0..n).map(|_| tokio::spawn(nap())).collect(), true).await })
}

fn handled(n: i64) -> i64 {
    bench::runtime().block_on(async {
        cancel((0..n).map(|_| tokio::spawn(nap_and_clean_up())).collect(), true).await;
        CLEANED_UP.load(Relaxed)
    })
}

fn not_begun(n: i64) -> i64 {
    bench::runtime().block_on(async { cancel((0..n).map(|_| tokio::spawn(nap())).collect(), false).await })
}

fn main() {
    bench::main(&[("begun", begun), ("handled", handled), ("not_begun", not_begun)])
}

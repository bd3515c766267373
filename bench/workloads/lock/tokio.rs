use std::sync::Arc;
use tokio::sync::Mutex;
use tokio::task::yield_now;

const TASKS: i64 = 100;

async fn take_turns(lock: Arc<Mutex<i64>>, times: i64) {
    for _ in 0..times {
        *lock.lock().await += 1;
    }
}

fn hand_over(n: i64) -> i64 {
    bench::runtime().block_on(async {
        let lock = Arc::new(Mutex::new(0));
        let first = lock.lock().await;
        let tasks: Vec<_> =
            (0..TASKS).map(|_| tokio::spawn(take_turns(lock.clone(), n / TASKS))).collect();
        for _ in 0..TASKS {
            yield_now().await;
        }
        drop(first);
        for task in tasks {
            task.await.unwrap();
        }
        let count = *lock.lock().await;
        count
    })
}

fn main() {
    bench::main(&[("hand_over", hand_over)])
}

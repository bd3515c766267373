use std::time::Duration;
use tokio::task::yield_now;
use tokio::time::sleep;

const TASKS: i64 = 1000;

async fn give_way(times: i64) -> i64 {
    let mut count = 0;
    for _ in 0..times {
        yield_now().await;
        count += 1;
    }
    count
}

fn one(n: i64) -> i64 {
    bench::runtime().block_on(async {
        let timer = tokio::spawn(sleep(Duration::from_secs(3600)));
        let count = tokio::spawn(give_way(n)).await.unwrap();
        timer.abort();
        count
    })
}

fn many(n: i64) -> i64 {
    bench::runtime().block_on(async {
        let tasks: Vec<_> = (0..TASKS).map(|_| tokio::spawn(give_way(n / TASKS))).collect();
        let mut count = 0;
        for task in tasks {
            count += task.await.unwrap();
        }
        count
    })
}

fn main() {
    bench::main(&[("one", one), ("many", many)])
}

//! The group is a JoinSet, gather() a vector of handles.
use tokio::task::JoinSet;

const BATCH: i64 = 1000;

#[inline(never)]
async fn child(value: i64) -> i64 {
    value + 1
}

fn group(n: i64) -> i64 {
    bench::runtime().block_on(async {
        let mut sum = 0;
        for _ in 0..n / BATCH {
            let mut tasks = JoinSet::new();
            for i in 0..BATCH {
                tasks.spawn(child(i));
            }
            while let Some(value) = tasks.join_next().await {
                sum += value.unwrap();
            }
        }
        sum
    })
}

fn gather(n: i64) -> i64 {
    bench::runtime().block_on(async {
        let mut sum = 0;
        for _ in 0..n / BATCH {
            let tasks: Vec<_> = (0..BATCH).map(|i| tokio::spawn(child(i))).collect();
            for task in tasks {
                sum += task.await.unwrap();
            }
        }
        sum
    })
}

fn main() {
    bench::main(&[("group", group), ("gather", gather)])
}

use std::time::Duration;
use tokio::time::sleep;

async fn nap(milliseconds: u64) -> i64 {
    sleep(Duration::from_millis(milliseconds)).await;
    1
}

fn sleepers(n: i64) -> i64 {
    bench::runtime().block_on(async {
        let mut random = bench::Random::default();
        let tasks: Vec<_> =
            (0..n).map(|_| tokio::spawn(nap(random.below(1000) as u64))).collect();
        let mut count = 0;
        for task in tasks {
            count += task.await.unwrap();
        }
        count
    })
}

fn main() {
    bench::main(&[("sleepers", sleepers)])
}

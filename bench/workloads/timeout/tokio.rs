use std::time::Duration;
use tokio::task::yield_now;
use tokio::time::timeout;

fn block(n: i64) -> i64 {
    bench::runtime().block_on(async {
        let mut count = 0;
        for _ in 0..n {
            count += timeout(Duration::from_secs(1), async {
                yield_now().await;
                1
            })
            .await
            .unwrap();
        }
        count
    })
}

fn main() {
    bench::main(&[("block", block)])
}

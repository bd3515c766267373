use tokio::sync::mpsc;

fn hand_over(n: i64, size: usize) -> i64 {
    bench::runtime().block_on(async {
        let (sender, mut receiver) = mpsc::channel(size);
        let producer = tokio::spawn(async move {
            for i in 0..n {
                sender.send(i).await.unwrap();
            }
        });
        let consumer = tokio::spawn(async move {
            let mut sum = 0;
            for _ in 0..n {
                sum += receiver.recv().await.unwrap();
            }
            sum
        });
        producer.await.unwrap();
        consumer.await.unwrap()
    })
}

fn main() {
    bench::main(&[("size_1", |n| hand_over(n, 1)), ("size_1024", |n| hand_over(n, 1024))])
}

use std::process::Stdio;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

async fn spawn(n: i64) -> i64 {
    let mut good = 0;
    for _ in 0..n {
        let status = Command::new("/bin/true").spawn().unwrap().wait().await.unwrap();
        good += status.success() as i64;
    }
    good
}

fn one(n: i64) -> i64 {
    bench::runtime().block_on(spawn(n))
}

fn large(n: i64) -> i64 {
    let memory = vec![1u8; bench::LARGE];
    bench::start_clock();
    let good = one(n);
    bench::stop_clock();
    assert_eq!(memory[memory.len() / 2], 1);
    good
}

fn many(n: i64) -> i64 {
    bench::runtime().block_on(async {
        let tasks: Vec<_> = (0..64).map(|_| tokio::spawn(spawn(n / 64))).collect();
        let mut good = 0;
        for task in tasks {
            good += task.await.unwrap();
        }
        good
    })
}

fn bytes(mebibytes: i64) -> i64 {
    bench::runtime().block_on(async {
        let mut child = Command::new("/bin/cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let mut output = child.stdout.take().unwrap();
        let writing = tokio::spawn(async move {
            let piece = vec![b'x'; 65536];
            for _ in 0..mebibytes * 16 {
                input.write_all(&piece).await.unwrap();
            }
        });
        let mut received = 0;
        let mut buffer = vec![0; 65536];
        loop {
            let size = output.read(&mut buffer).await.unwrap();
            if size == 0 {
                break;
            }
            received += size as i64;
        }
        writing.await.unwrap();
        child.wait().await.unwrap();
        received
    })
}

fn main() {
    bench::main(&[("one", one), ("large", large), ("many", many), ("bytes", bytes)])
}

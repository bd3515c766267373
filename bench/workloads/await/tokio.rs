//! A future is part of the one that awaits it unless it is boxed, as a recursive one must be.
use std::future::Future;
use std::pin::Pin;

const DEPTH: i64 = 1000;

#[inline(never)]
async fn next(value: i64) -> i64 {
    value + 1
}

fn child(n: i64) -> i64 {
    bench::runtime().block_on(async {
        let mut sum = 0;
        for i in 0..n {
            // Read so that the loop is not computed by the compiler.
            let value = unsafe { std::ptr::read_volatile(&i) } & 7;
            sum += next(value).await;
        }
        sum
    })
}

fn recurse(below: i64) -> Pin<Box<dyn Future<Output = i64>>> {
    Box::pin(async move {
        if below == 0 {
            return 0;
        }
        recurse(below - 1).await + 1
    })
}

fn deep(n: i64) -> i64 {
    bench::runtime().block_on(async {
        let mut sum = 0;
        for _ in 0..n / DEPTH {
            sum += recurse(DEPTH).await;
        }
        sum
    })
}

fn main() {
    bench::main(&[("child", child), ("deep", deep)])
}

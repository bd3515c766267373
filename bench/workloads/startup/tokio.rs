async fn one() -> i64 {
    1
}

fn run_and_close(n: i64) -> i64 {
    (0..n).map(|_| bench::runtime().block_on(one())).sum()
}

fn main() {
    bench::main(&[("run", run_and_close)])
}

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn echo(mut connection: TcpStream) {
    let mut buffer = vec![0; 65536];
    while let Ok(size) = connection.read(&mut buffer).await {
        if size == 0 || connection.write_all(&buffer[..size]).await.is_err() {
            return;
        }
    }
}

fn main() {
    bench::allow_connections();
    bench::runtime().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("port={}", listener.local_addr().unwrap().port());
        loop {
            let (connection, _) = listener.accept().await.unwrap();
            connection.set_nodelay(true).unwrap();
            tokio::spawn(echo(connection));
        }
    })
}

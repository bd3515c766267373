//! By rustls, which does without OpenSSL.
use std::fs;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::{Certificate, PrivateKey, ServerConfig};
use tokio_rustls::TlsAcceptor;

async fn serve(way: Arc<String>, acceptor: TlsAcceptor, connection: TcpStream) {
    let mut connection = match acceptor.accept(connection).await {
        Ok(connection) => connection,
        Err(_) => return,
    };
    let mut buffer = vec![0; 65536];
    loop {
        let mut size = buffer.len();
        if way.as_str() != "download" {
            size = match connection.read(&mut buffer).await {
                Ok(size) if size > 0 => size,
                _ => break,
            };
        }
        if way.as_str() == "upload" {
            continue;
        }
        if connection.write_all(&buffer[..size]).await.is_err() || connection.flush().await.is_err() {
            return;
        }
    }
    let _ = connection.shutdown().await;
}

fn main() {
    bench::allow_connections();
    let way = Arc::new(std::env::args().nth(1).unwrap());
    let folder = std::env::var("BENCH_TLS").unwrap();
    let config = ServerConfig::builder()
        .with_safe_defaults()
        .with_no_client_auth()
        .with_single_cert(
            vec![Certificate(fs::read(format!("{}/cert.der", folder)).unwrap())],
            PrivateKey(fs::read(format!("{}/key.der", folder)).unwrap()),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    bench::runtime().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("port={}", listener.local_addr().unwrap().port());
        loop {
            let (connection, _) = listener.accept().await.unwrap();
            connection.set_nodelay(true).unwrap();
            tokio::spawn(serve(way.clone(), acceptor.clone(), connection));
        }
    })
}

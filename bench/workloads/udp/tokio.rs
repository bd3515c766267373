// echo: every datagram goes back. sink: every 64th is answered.
use tokio::net::UdpSocket;

fn main() {
    let way = std::env::args().nth(1).unwrap_or_default();
    if way != "echo" && way != "sink" {
        eprintln!("usage: udp echo|sink");
        std::process::exit(2);
    }
    let is_echo = way == "echo";
    bench::runtime().block_on(async {
        let endpoint = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        println!("port={}", endpoint.local_addr().unwrap().port());
        let mut buffer = vec![0; 65536];
        let mut received = 0;
        loop {
            let (size, sender) = endpoint.recv_from(&mut buffer).await.unwrap();
            received += 1;
            if is_echo {
                endpoint.send_to(&buffer[..size], sender).await.unwrap();
            } else if received % 64 == 0 {
                endpoint.send_to(&buffer[..1], sender).await.unwrap();
            }
        }
    })
}

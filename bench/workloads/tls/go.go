package main

import (
	"bench/support"
	"crypto/tls"
	"fmt"
	"net"
	"os"
)

func serve(way string, connection net.Conn) {
	defer connection.Close()
	buffer := make([]byte, 65536)
	for {
		size := len(buffer)
		if way != "download" {
			var err error
			if size, err = connection.Read(buffer); err != nil {
				return
			}
		}
		if way != "upload" {
			if _, err := connection.Write(buffer[:size]); err != nil {
				return
			}
		}
	}
}

func main() {
	support.OneProcessor()
	folder := os.Getenv("BENCH_TLS")
	certificate, err := tls.LoadX509KeyPair(folder+"/cert.pem", folder+"/key.pem")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	listener, err := tls.Listen("tcp4", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("port=%d\n", listener.Addr().(*net.TCPAddr).Port)
	for {
		connection, err := listener.Accept()
		if err != nil {
			continue
		}
		go serve(os.Args[1], connection)
	}
}

package main

import "bench/support"

func handOver(n, size int) int {
	queue := make(chan int, size)
	go func() {
		for i := 0; i < n; i++ {
			queue <- i
		}
	}()
	sum := 0
	for i := 0; i < n; i++ {
		sum += <-queue
	}
	return sum
}

func main() {
	support.Main(map[string]support.Form{
		"size_1":    func(n int) int { return handOver(n, 1) },
		"size_1024": func(n int) int { return handOver(n, 1024) },
	})
}

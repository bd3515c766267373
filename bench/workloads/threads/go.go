// Two goroutines that are locked to threads of their own.
package main

import (
	"bench/support"
	"runtime"
)

func roundTrip(n int) int {
	runtime.GOMAXPROCS(2)
	requests, replies := make(chan int), make(chan int)
	go func() {
		runtime.LockOSThread()
		for value := range requests {
			replies <- value + 1
		}
	}()
	runtime.LockOSThread()
	sum := 0
	for i := 0; i < n; i++ {
		requests <- 0
		sum += <-replies
	}
	return sum
}

func post(n int) int {
	runtime.GOMAXPROCS(2)
	calls, end := make(chan func(), 1024), make(chan struct{})
	count := 0
	go func() {
		runtime.LockOSThread()
		for call := range calls {
			call()
		}
		close(end)
	}()
	runtime.LockOSThread()
	for i := 0; i < n; i++ {
		calls <- func() { count++ }
	}
	close(calls)
	<-end
	return count
}

func main() { support.Main(map[string]support.Form{"round_trip": roundTrip, "post": post}) }

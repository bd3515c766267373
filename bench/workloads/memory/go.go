// A channel that is never closed takes the place of an event.
package main

import (
	"bench/support"
	"runtime"
	"sync/atomic"
	"time"
)

func park(n int, wait func()) int {
	var count int64
	for i := 0; i < n; i++ {
		go func() {
			atomic.AddInt64(&count, 1)
			wait()
		}()
	}
	for atomic.LoadInt64(&count) < int64(n) {
		runtime.Gosched()
	}
	support.Finish(n, int(count))
	return 0
}

func main() {
	event := make(chan struct{})
	support.Main(map[string]support.Form{
		"sleep": func(n int) int { return park(n, func() { time.Sleep(time.Hour) }) },
		"event": func(n int) int { return park(n, func() { <-event }) },
	})
}

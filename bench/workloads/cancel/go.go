// A context for each goroutine. One that has not begun runs to its first wait all the same: no form for that.
package main

import (
	"bench/support"
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

func cancelAll(n int) int {
	var begun, cancelled int64
	var group sync.WaitGroup
	group.Add(n)
	cancels := make([]context.CancelFunc, n)
	for i := range cancels {
		ctx, cancel := context.WithCancel(context.Background())
		cancels[i] = cancel
		go func() {
			defer group.Done()
			timer := time.NewTimer(time.Hour)
			defer timer.Stop()
			atomic.AddInt64(&begun, 1)
			select {
			case <-timer.C:
			case <-ctx.Done():
				atomic.AddInt64(&cancelled, 1)
			}
		}()
	}
	for atomic.LoadInt64(&begun) < int64(n) {
		runtime.Gosched()
	}
	support.StartClock()
	for _, cancel := range cancels {
		cancel()
	}
	group.Wait()
	support.StopClock()
	return int(cancelled)
}

func main() { support.Main(map[string]support.Form{"begun": cancelAll, "handled": cancelAll}) }

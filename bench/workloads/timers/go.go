package main

import (
	"bench/support"
	"sync"
	"sync/atomic"
	"time"
)

func sleepers(n int) int {
	random := support.NewRandom()
	var count int64
	var group sync.WaitGroup
	group.Add(n)
	for i := 0; i < n; i++ {
		go func(delay time.Duration) {
			time.Sleep(delay)
			atomic.AddInt64(&count, 1)
			group.Done()
		}(time.Duration(random.Below(1000)) * time.Millisecond)
	}
	group.Wait()
	return int(count)
}

func main() { support.Main(map[string]support.Form{"sleepers": sleepers}) }

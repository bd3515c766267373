// A sync.Mutex is not handed over in turn: a channel for one token is.
package main

import (
	"bench/support"
	"runtime"
	"sync"
)

const tasks = 100

func handOver(n int) int {
	count := 0
	lock := make(chan struct{}, 1)
	var group sync.WaitGroup
	group.Add(tasks)
	lock <- struct{}{}
	for i := 0; i < tasks; i++ {
		go func() {
			for i := 0; i < n/tasks; i++ {
				lock <- struct{}{}
				count++
				<-lock
			}
			group.Done()
		}()
	}
	runtime.Gosched()
	<-lock
	group.Wait()
	return count
}

func main() { support.Main(map[string]support.Form{"hand_over": handOver}) }

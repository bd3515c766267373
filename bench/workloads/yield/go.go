package main

import (
	"bench/support"
	"runtime"
	"sync"
	"time"
)

const tasks = 1000

func yield(times int, count *int, group *sync.WaitGroup) {
	for i := 0; i < times; i++ {
		runtime.Gosched()
		*count++
	}
	group.Done()
}

func one(n int) int {
	count := 0
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var group sync.WaitGroup
	group.Add(1)
	go yield(n, &count, &group)
	group.Wait()
	return count
}

func many(n int) int {
	counts := make([]int, tasks)
	var group sync.WaitGroup
	group.Add(tasks)
	for i := range counts {
		go yield(n/tasks, &counts[i], &group)
	}
	group.Wait()
	sum := 0
	for _, count := range counts {
		sum += count
	}
	return sum
}

func main() { support.Main(map[string]support.Form{"one": one, "many": many}) }

package main

import (
	"bench/support"
	"sync"
)

const batch = 1000

//go:noinline
func child(value int) int { return value + 1 }

func group(n int) int {
	sum := 0
	values := make([]int, batch)
	for done := 0; done < n; done += batch {
		var group sync.WaitGroup
		group.Add(batch)
		for i := 0; i < batch; i++ {
			go func(i int) {
				values[i] = child(i)
				group.Done()
			}(i)
		}
		group.Wait()
		for _, value := range values {
			sum += value
		}
	}
	return sum
}

func main() { support.Main(map[string]support.Form{"group": group}) }

package main

import (
	"bench/support"
	"context"
	"runtime"
	"time"
)

func block(n int) int {
	count := 0
	for i := 0; i < n; i++ {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		runtime.Gosched()
		if ctx.Err() == nil {
			count++
		}
		cancel()
	}
	return count
}

func main() { support.Main(map[string]support.Form{"block": block}) }

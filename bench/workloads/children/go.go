package main

import (
	"bench/support"
	"io"
	"os/exec"
	"runtime"
	"sync"
)

func spawn(n int) int {
	good := 0
	for i := 0; i < n; i++ {
		if exec.Command("/bin/true").Run() == nil {
			good++
		}
	}
	return good
}

func large(n int) int {
	memory := make([]byte, support.Large)
	for i := 0; i < len(memory); i += 4096 {
		memory[i] = 1
	}
	support.StartClock()
	good := spawn(n)
	support.StopClock()
	runtime.KeepAlive(memory)
	return good
}

func many(n int) int {
	var group sync.WaitGroup
	results := make([]int, 64)
	for i := range results {
		group.Add(1)
		go func(result *int) {
			*result = spawn(n / 64)
			group.Done()
		}(&results[i])
	}
	group.Wait()
	good := 0
	for _, result := range results {
		good += result
	}
	return good
}

func bytes(mebibytes int) int {
	child := exec.Command("/bin/cat")
	in, _ := child.StdinPipe()
	out, _ := child.StdoutPipe()
	child.Start()
	go func() {
		piece := make([]byte, 65536)
		for i := 0; i < mebibytes*16; i++ {
			in.Write(piece)
		}
		in.Close()
	}()
	received := 0
	buffer := make([]byte, 65536)
	for {
		size, err := out.Read(buffer)
		received += size
		if err == io.EOF || err != nil {
			break
		}
	}
	child.Wait()
	return received
}

func main() {
	support.Main(map[string]support.Form{"one": spawn, "large": large, "many": many, "bytes": bytes})
}

// Package support is what every Go program of the suite shares; see bench.h.
package support

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// Form does n operations and returns a number that shows that it did them.
type Form func(n int) int

type figures struct {
	wall    time.Time
	cpu     float64
	bytes   float64
	stopped bool
	line    string
}

var now figures

// Large is what a large process has, in bytes.
const Large = 4 << 30

func cpu() float64 {
	var own, children syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &own)
	syscall.Getrusage(syscall.RUSAGE_CHILDREN, &children)
	return float64(own.Utime.Nano()+own.Stime.Nano()+children.Utime.Nano()+children.Stime.Nano()) * 1e-9
}

func residentBytes() float64 {
	var size, pages float64
	statm, _ := os.ReadFile("/proc/self/statm")
	fmt.Sscan(string(statm), &size, &pages)
	return pages * 4096
}

// StartClock says that the measured part begins here, not where the form does.
func StartClock() { now = figures{wall: time.Now(), cpu: cpu(), bytes: residentBytes()} }

// StopClock says that it ends here, not where the form does.
func StopClock() {
	now.line = fmt.Sprintf("wall=%.9f cpu=%.9f bytes=%.0f", time.Since(now.wall).Seconds(), cpu()-now.cpu,
		residentBytes()-now.bytes)
	now.stopped = true
}

// Finish prints the figures and ends the program.
func Finish(operations, check int) {
	if !now.stopped {
		StopClock()
	}
	fmt.Printf("operations=%d %s check=%d\n", operations, now.line, check)
	os.Exit(0)
}

// OneProcessor makes Go run goroutines on one thread at a time, as the others do.
func OneProcessor() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(1)
	}
}

// Main runs the form that the command line names.
func Main(forms map[string]Form) {
	if len(os.Args) != 3 || forms[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: PROGRAM FORM N")
		os.Exit(2)
	}
	OneProcessor()
	n, _ := strconv.Atoi(os.Args[2])
	StartClock()
	Finish(n, forms[os.Args[1]](n))
}

// Random gives the same numbers in every language: xorshift32.
type Random struct{ state uint32 }

// NewRandom starts the sequence.
func NewRandom() *Random { return &Random{12345} }

// Below gives the next number, which is less than end.
func (r *Random) Below(end uint32) uint32 {
	r.state ^= r.state << 13
	r.state ^= r.state >> 17
	r.state ^= r.state << 5
	return r.state % end
}

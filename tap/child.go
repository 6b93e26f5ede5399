package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

const (
	perMiB     = 50 * time.Millisecond   // how long a pipe may gather for each MiB that it holds
	shortest   = time.Millisecond        // that it gathers
	termGrace  = 2 * time.Second         // of ig at the deadline
	stopGrace  = 3500 * time.Millisecond // of ig when told to stop: less than kubelets give the tap
	afterwards = time.Second             // for what is left in ig's pipes
)

const setPipeSize = 1031 // F_SETPIPE_SZ

// What a pipe may hold: with CAP_SYS_RESOURCE, what Linux gives to anybody, and without asking.
var pipeSizes = [...]int{4 << 20, 1 << 20}

const plainPipe = 64 << 10

// child is ig: its process, and the read ends of its pipes, which do not block.
type child struct {
	process *exec.Cmd
	pipes   [2]int // output, stderr
	holds   int    // bytes that a pipe holds
	over    atomic.Bool
}

// start runs ig; nothing keeps it alive when the tap is gone.
//
// It must be called on a thread that lives as long as the process: the parent-death signal comes
// when the thread that forked ends.
func start(o options) (*child, error) {
	c := &child{process: exec.Command(o.command[0], o.command[1:]...), holds: pipeSizes[0]}
	if o.store != "" {
		if err := lay(o.store, igStore); err != nil {
			return c, fmt.Errorf("the store of gadget images: %w", err)
		}
	}
	var ends [2]*os.File
	for i := range ends {
		var pair [2]int
		if err := syscall.Pipe2(pair[:], syscall.O_CLOEXEC); err != nil {
			return c, err
		}
		c.pipes[i], ends[i] = pair[0], os.NewFile(uintptr(pair[1]), "pipe")
		defer ends[i].Close()
		if err := syscall.SetNonblock(pair[0], true); err != nil {
			return c, err
		}
		c.holds = min(c.holds, widen(pair[0]))
	}
	c.process.Stdout, c.process.Stderr = ends[0], ends[1]
	c.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return c, c.process.Start()
}

// widen lets a pipe hold as much as it may, and returns how much that is.
func widen(pipe int) int {
	for _, size := range pipeSizes {
		if _, _, fault := syscall.Syscall(syscall.SYS_FCNTL, uintptr(pipe), setPipeSize, uintptr(size)); fault == 0 {
			return size
		}
	}
	return plainPipe
}

// read feeds both pipes to the collector until they are at their ends.
func (c *child) read(to *collector) *sync.WaitGroup {
	var readers sync.WaitGroup
	for i, k := range []kind{data, stderr} {
		readers.Go(func() { c.drain(c.pipes[i], k, to) })
	}
	return &readers
}

// drain reads a pipe to its end, by rounds: between them lines gather in the pipe, where they wake
// nobody. It waits to be woken only when there is nothing at all.
//
// Go's own poller would be woken by every line all the time, so the pipe is kept from it.
func (c *child) drain(pipe int, k kind, to *collector) {
	defer to.settle(true)
	longest := min(to.window, time.Duration(c.holds)*perMiB>>20)
	quarter, rest, round := time.Duration(c.holds/4), longest, 0
	buffer := make([]byte, 1<<16)
	for !c.over.Load() {
		n, err := syscall.Read(pipe, buffer)
		switch {
		case n > 0:
			to.feed(k, buffer[:n])
			round += n
		case n == 0 || err != syscall.EAGAIN && err != syscall.EINTR:
			return
		}
		switch left := to.settle(false); {
		case n == len(buffer): // there may be more
		case n > 0 || left:
			// For as long as a quarter of the pipe takes at the last round's rate.
			rest = max(shortest, min(longest, rest*quarter/time.Duration(max(round, 1))))
			round = 0
			time.Sleep(rest)
		default:
			await(pipe, afterwards)
		}
	}
}

// await returns when there is something to read, or after some time.
func await(pipe int, within time.Duration) {
	var set syscall.FdSet
	bits := int(8 * unsafe.Sizeof(set.Bits[0]))
	set.Bits[pipe/bits] |= 1 << (pipe % bits)
	timeout := syscall.NsecToTimeval(int64(within))
	_, _ = syscall.Select(pipe+1, &set, nil, nil, &timeout)
}

// ending is how ig ended.
type ending struct {
	Reason   string `json:"reason"`
	ExitCode int    `json:"exit_code"`
	Signal   int    `json:"signal"`
	Message  string `json:"message"`
}

// wait returns when ig has ended, by itself or because it had to.
func (c *child) wait(deadline time.Duration) ending {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2)
	ended := make(chan error, 1)
	go func() { ended <- c.process.Wait() }()
	var due, kill <-chan time.Time
	if deadline > 0 {
		due = time.After(deadline)
	}
	reason := ""
	for {
		select {
		case err := <-ended:
			return describe(reason, c.process.ProcessState, err)
		case got := <-signals:
			_ = c.process.Process.Signal(got)
			if got != syscall.SIGUSR1 && got != syscall.SIGUSR2 && reason == "" {
				reason, kill = "stopped", time.After(stopGrace)
			}
		case <-due:
			reason, kill = "deadline", time.After(termGrace)
			_ = c.process.Process.Signal(syscall.SIGTERM)
		case <-kill:
			_ = c.process.Process.Kill()
		}
	}
}

func describe(reason string, state *os.ProcessState, err error) ending {
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return ending{Reason: "start", ExitCode: 1, Message: err.Error()}
	}
	status, _ := state.Sys().(syscall.WaitStatus)
	e := ending{Reason: reason, ExitCode: status.ExitStatus()}
	if status.Signaled() {
		e.Signal, e.ExitCode = int(status.Signal()), 128+int(status.Signal())
	}
	if e.Reason == "" {
		e.Reason = map[bool]string{true: "signalled", false: "exited"}[status.Signaled()]
	}
	return e
}

// cost is what a process took of the node.
type cost struct {
	CPUSeconds  float64 `json:"cpu_seconds"`
	MemoryBytes int64   `json:"memory_bytes"`
}

func costOf(usage *syscall.Rusage) cost {
	if usage == nil {
		return cost{}
	}
	cpu := time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	return cost{CPUSeconds: cpu.Seconds(), MemoryBytes: int64(usage.Maxrss) << 10}
}

func (c *child) cost() cost {
	if c.process.ProcessState == nil {
		return cost{}
	}
	usage, _ := c.process.ProcessState.SysUsage().(*syscall.Rusage)
	return costOf(usage)
}

// ownCost is the tap's own. What rusage says of memory would be that of who executed the tap, too.
func ownCost() cost {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	own := costOf(&usage)
	status, _ := os.ReadFile("/proc/self/status")
	if _, rest, found := bytes.Cut(status, []byte("VmHWM:")); found {
		var kib int64
		if _, err := fmt.Sscan(string(rest), &kib); err == nil {
			own.MemoryBytes = kib << 10
		}
	}
	return own
}
